"""A bot with python-telegram-bot, as Debian has it. It is told by people what to do,
and ends at "bye". Arguments: the server, the token, an address for a webhook."""
import io
import sys
import time
import warnings

warnings.simplefilter("ignore")  # Debian's urllib3 is not the one it brings along

import telegram  # noqa: E402
from telegram.utils.helpers import escape_markdown  # noqa: E402
from telegram import BotCommand, BotCommandScopeAllPrivateChats, InlineKeyboardButton, InlineKeyboardMarkup  # noqa: E402

server, token, hook = sys.argv[1:]
bot = telegram.Bot(token, base_url=server + "/bot", base_file_url=server + "/file/bot")


def say(*words):
    print(*words, flush=True)


def patient(call):
    """Calls again when the server has said how long to wait."""
    while True:
        try:
            return call()
        except telegram.error.RetryAfter as e:
            say("429", int(e.retry_after))
            time.sleep(e.retry_after)


def photo(m):
    sent = m.reply_photo(io.BytesIO(b"not really a picture"), caption="uploaded", filename="a.jpg")
    m.reply_photo(sent.photo[-1].file_id, caption="again")
    out = io.BytesIO()
    bot.get_file(sent.photo[-1].file_id).download(out=out)
    say("file", out.getvalue().decode())


def commands(m):
    scope = BotCommandScopeAllPrivateChats()
    bot.set_my_commands([BotCommand("help", "How it works")], scope=scope, language_code="en")
    found = bot.get_my_commands(scope=scope, language_code="en")
    m.reply_text("commands: " + ",".join(c.command for c in found))


def refused(m):
    try:
        bot.send_message(1, "x")
    except telegram.error.BadRequest as e:
        m.reply_text("Bad Request: " + e.message[0].lower() + e.message[1:])


def markdown(m):
    text = "*😀 bold* " + escape_markdown("1.5 (x)! #2 _y_ [z] a|b", version=2)
    again = m.reply_markdown_v2(text).text_markdown_v2  # made of the entities
    if again != text:
        sys.exit("%r came back as %r" % (text, again))


keyboard = InlineKeyboardMarkup([[InlineKeyboardButton("More", callback_data="page:2"), InlineKeyboardButton("Site", url="https://example.com/")]])
answers = {
    "hello": lambda m: m.reply_html("<b>choose</b>", reply_markup=keyboard),
    "photo": photo,
    "flood": lambda m: patient(lambda: m.reply_text("at last")),
    "commands": commands,
    "refused": refused,
    "markdown": markdown,
    "bye": lambda m: m.reply_text("bye"),
}

say("me", bot.get_me().username)
offset, last = None, ""
while last != "bye":
    for u in bot.get_updates(offset=offset, timeout=10):
        offset = u.update_id + 1
        if u.callback_query:
            u.callback_query.answer("done")
            u.callback_query.edit_message_text("page two")
        elif u.message:
            last = u.message.text
            answers[last](u.message)
bot.get_updates(offset=offset, timeout=0)
bot.set_webhook(hook, allowed_updates=["message"])
say("hook", bot.get_webhook_info().url)
bot.delete_webhook()
say("end")
