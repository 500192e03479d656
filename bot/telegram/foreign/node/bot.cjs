// A bot as its authors' documentation teaches to write it, with grammY. It is told by
// people what to do, and ends at "bye". Arguments: the server, the token, an address
// for a webhook.
"use strict";
const { Bot, GrammyError, InlineKeyboard, InputFile } = require("grammy");

const [, , server, token, hook] = process.argv;
const bot = new Bot(token, { client: { apiRoot: server } });

// patient calls again when the server has said how long to wait.
async function patient(call) {
  for (;;) {
    try {
      return await call();
    } catch (e) {
      if (!(e instanceof GrammyError) || e.error_code !== 429) throw e;
      console.log("429 " + e.parameters.retry_after);
      await new Promise((done) => setTimeout(done, e.parameters.retry_after * 1000));
    }
  }
}

bot.hears("hello", (ctx) =>
  ctx.reply("<b>choose</b>", {
    parse_mode: "HTML",
    reply_markup: new InlineKeyboard().text("More", "page:2").url("Site", "https://example.com/").row().copyText("Copy", "abc"),
  }));
bot.callbackQuery("page:2", async (ctx) => {
  await ctx.answerCallbackQuery("done");
  await ctx.editMessageText("page two");
});
bot.hears("photo", async (ctx) => {
  const sent = await ctx.replyWithPhoto(new InputFile(Buffer.from("not really a picture"), "a.jpg"), { caption: "uploaded" });
  await ctx.replyWithPhoto(sent.photo.at(-1).file_id, { caption: "again" });
  const file = await ctx.api.getFile(sent.photo.at(-1).file_id);
  const body = await fetch(`${server}/file/bot${token}/${file.file_path}`);
  console.log("file " + (await body.text()));
});
bot.hears("flood", (ctx) => patient(() => ctx.reply("at last")));
bot.hears("commands", async (ctx) => {
  await ctx.api.setMyCommands([{ command: "help", description: "How it works" }], { scope: { type: "all_private_chats" }, language_code: "en" });
  const list = await ctx.api.getMyCommands({ scope: { type: "all_private_chats" }, language_code: "en" });
  await ctx.reply("commands: " + list.map((c) => c.command).join());
});
bot.hears("refused", async (ctx) => {
  const why = await ctx.api.sendMessage(1, "x").catch((e) => e.description);
  await ctx.reply(why);
});
bot.hears("markdown", (ctx) => {
  const plain = "1.5 (x)! #2 _y_ [z] a|b".replace(/[_*[\]()~`>#+\-=|{}.!\\]/g, "\\$&"); // as the API's documentation says
  return ctx.reply("*😀 bold* " + plain, { parse_mode: "MarkdownV2" });
});
bot.hears("bye", async (ctx) => {
  await ctx.reply("bye");
  await bot.stop(); // confirms what it has got
  await bot.api.setWebhook(hook, { secret_token: "S3cret", allowed_updates: ["message"] });
  console.log("hook " + (await bot.api.getWebhookInfo()).url);
  await bot.api.deleteWebhook();
  console.log("end");
});
bot.catch((e) => {
  console.error(String(e.error));
  process.exit(1);
});
bot.start({ onStart: (me) => console.log("me " + me.username) });
