"""An account's callback in safe mode, written with python3-cryptography from WeChat's
document. It connects itself to the platform, plays a follower and says what became of each
message, as ../node/callback.cjs does. Arguments: the server, the account's id, the
callback's token and its key."""

import base64
import hashlib
import http.server
import json
import os
import re
import struct
import sys
import threading
import time
import urllib.parse
import urllib.request

from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

SERVER, APP, TOKEN, KEY = sys.argv[1:5]
OTHER_KEY = "z" * 42 + "E"


class Crypto:
    def __init__(self, token, key, app):
        self.token, self.app = token, app
        self.key = base64.b64decode(key + "=")

    def cipher(self):
        return Cipher(algorithms.AES(self.key), modes.CBC(self.key[:16]))

    def seal(self, text, random=None):
        raw = text.encode()
        pad = padding.PKCS7(256).padder()
        whole = (random or os.urandom(16)) + struct.pack(">I", len(raw)) + raw + self.app.encode()
        e = self.cipher().encryptor()
        return base64.b64encode(e.update(pad.update(whole) + pad.finalize()) + e.finalize()).decode()

    def open(self, sealed):
        d = self.cipher().decryptor()
        pad = padding.PKCS7(256).unpadder()
        whole = d.update(base64.b64decode(sealed)) + d.finalize()
        whole = pad.update(whole) + pad.finalize()
        (size,) = struct.unpack(">I", whole[16:20])
        return whole[20 : 20 + size].decode(), whole[20 + size :].decode()

    def sign(self, *parts):
        return hashlib.sha1("".join(sorted((self.token, *parts))).encode()).hexdigest()


OURS = Crypto(TOKEN, KEY, APP)

# What answers can be wrong: what seals them, and what signs them.
WRONG = {
    "another key": (Crypto(TOKEN, OTHER_KEY, APP), OURS),
    "another app": (Crypto(TOKEN, KEY, "wx0000000000000000"), OURS),
    "another token": (OURS, Crypto("another", KEY, APP)),
}


def node(xml, name):
    m = re.search(rf"<{name}>(?:<!\[CDATA\[)?(.*?)(?:\]\]>)?</{name}>", xml, re.S)
    return m.group(1) if m else ""


def cdata(name, text):
    return f"<{name}><![CDATA[{text}]]></{name}>"


def answer(message, text):
    seals, signs = WRONG.get(text, (OURS, OURS))
    now = str(int(time.time()))
    sealed = seals.seal(
        "<xml>" + cdata("ToUserName", node(message, "FromUserName")) + cdata("FromUserName", node(message, "ToUserName"))
        + f"<CreateTime>{now}</CreateTime>" + cdata("MsgType", "text") + cdata("Content", "你说 " + text) + "</xml>"
    )
    return (
        "<xml>" + cdata("Encrypt", sealed) + cdata("MsgSignature", signs.sign(now, "n1", sealed))
        + f"<TimeStamp>{now}</TimeStamp>" + cdata("Nonce", "n1") + "</xml>"
    )


def hear(query, body):
    """Answers one request of the platform, with what it has opened, or refuses it."""
    if "echostr" in query:
        if OURS.sign(query["timestamp"], query["nonce"]) != query["signature"]:
            raise ValueError("another signature")
        return query["echostr"]
    sealed = node(body, "Encrypt")
    if OURS.sign(query["timestamp"], query["nonce"], sealed) != query.get("msg_signature"):
        raise ValueError("another signature")
    message, app = OURS.open(sealed)
    if app != APP:
        raise ValueError("another app")
    text = node(message, "Content")
    return "success" if text == "silence" else answer(message, text)


class Callback(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        try:
            query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(self.path).query))
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            status, said = 200, hear(query, body).encode()
        except Exception:  # whatever it is, it is refused
            status, said = 403, b""
        self.send_response(status)
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    do_POST = do_GET

    def log_message(self, *_):
        pass


def control(what, order):
    """Plays a follower, or the platform's console."""
    r = urllib.request.Request(f"{SERVER}/control/{what}", json.dumps(order).encode(), method="POST")
    with urllib.request.urlopen(r) as answered:
        return json.load(answered)


def say(*words):
    print(*(str(w).lower() if isinstance(w, bool) else w for w in words), flush=True)


def known():
    """Holds the crypto against the vector that arrives at stdin."""
    v = json.load(sys.stdin)
    c = Crypto(v["token"], v["key"], v["app"])
    say("known", c.seal(v["message"], v["random"].encode()) == v["sealed"], c.open(v["sealed"]) == (v["message"], v["app"]),
        c.sign(v["time"], v["nonce"], v["sealed"]) == v["signature"])
    try:
        other = Crypto(v["token"], OTHER_KEY, v["app"]).open(v["sealed"])[1]
    except Exception:  # what it opens is noise
        other = ""
    say("with another key", other == v["app"])


def main():
    known()
    callback = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Callback)
    threading.Thread(target=callback.serve_forever, daemon=True).start()
    control("connect", {"url": f"http://127.0.0.1:{callback.server_port}/"})
    say("check", control("check", {})["ok"])
    for text in ["返利 <b> & 🧧", "silence", *WRONG]:
        o = control("say", {"openid": "ann", "text": text})
        say(f"{text}: {o['Verdict']} {o['Why'] or o['Seen']['Text']}".strip())
    for path in ["msg_signature", "appid", "unencrypted"]:
        say("forged", path, control("forge", {"openid": "ann", "text": "x", "path": path})["Status"])
    say("end")


main()
