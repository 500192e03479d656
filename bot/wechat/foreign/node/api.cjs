// An account's program as its authors' documentation teaches to write it, with
// co-wechat-api. It says what it gets. Arguments: the server, the account's id and its
// secret.
"use strict";
const API = require("co-wechat-api");

const [, , server, appid, secret] = process.argv;
const say = (...words) => console.log(words.join(" "));

// account makes the calls of the account, with the token that getToken finds.
function account(getToken) {
  const api = new API(appid, secret, getToken);
  api.prefix = server + "/cgi-bin/";
  return api;
}

// control plays people, or the platform's console.
const control = (what, order) => fetch(server + "/control/" + what, { method: "POST", body: JSON.stringify(order) });

// refused makes a call that must fail, and says with which number.
const refused = (what, call) => call.then(
  () => say(what, "was not refused"),
  (e) => say(what, e.name, e.code));

// stable finds the token that all of an account's programs share.
async function stable() {
  const answer = await api.request(api.prefix + "stable_token", {
    method: "POST",
    data: JSON.stringify({ grant_type: "client_credential", appid, secret }),
  });
  return { accessToken: answer.access_token, expireTime: Date.now() + answer.expires_in * 1000 };
}

const api = account();

async function main() {
  await control("say", { openid: "ann", text: "hello" });
  await api.sendText("ann", "返利 <b>");
  await account(stable).sendText("ann", "by the stable token");
  await control("droptokens", {});
  await api.sendText("ann", "by a new token"); // asks for one by itself at 40001
  await api.sendNews("ann", [{ title: "shop", description: "its page", url: "https://example.com/", picurl: "https://example.com/a.jpg" }]);
  const file = await api.uploadMedia(Buffer.from("\x89PNG\r\n\x1a\nx", "latin1"), "image", "a.png", "image/png");
  await api.sendImage("ann", file.media_id);
  await refused("the sixth", api.sendText("ann", "too much"));
  await control("subscribe", { openid: "bob", template: "T", accepts: true });
  await refused("who never wrote", api.sendText("bob", "hello"));
  await refused("nobody", api.sendText("nobody", "hello"));

  const sent = await api.sendTemplate("bob", "TM", "https://example.com/", "", { thing1: { value: "paid" } });
  say("template", sent.errcode, String(sent.msgid).length);

  await api.createMenu({ button: [{ name: "我的", sub_button: [{ type: "click", name: "余额", key: "balance" }] }] });
  const { menu } = await api.getMenu();
  say("menu", menu.button[0].name, menu.button[0].sub_button[0].key);
  await refused("a menu without a key", api.createMenu({ button: [{ type: "click", name: "x" }] }));
  await api.removeMenu();
  await refused("no menu", api.getMenu());

  const code = await api.createTmpQRCode("r_1", 3600);
  say("code", code.expire_seconds, code.url.split("/")[2], code.ticket.length > 80);
  const { tag } = await api.createTags("员工");
  await api.batchTagging(["bob"], tag.id);
  const bob = await api.getUser("bob");
  say("user", bob.subscribe, bob.openid, bob.tagid_list.join() === String(tag.id));

  const stranger = new API(appid, "0".repeat(32));
  stranger.prefix = api.prefix;
  await refused("another secret", stranger.sendText("ann", "hello"));
}

main().then(() => say("end"));
