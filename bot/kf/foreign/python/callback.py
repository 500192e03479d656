"""WeCom's crypto on the package cryptography, written from its documentation alone.

It opens a callback of the fake, which arrives at stdin as JSON, and sends our own channel
one. Arguments: our channel, the company, the account, the callback's token and its key.
"""

import base64
import hashlib
import json
import os
import re
import struct
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

ours, corp, account, token, key = sys.argv[1:]
raw = base64.b64decode(key + "=")


def cipher():
    return Cipher(algorithms.AES(raw), modes.CBC(raw[:16]))


def sign(*parts):
    return hashlib.sha1("".join(sorted((token,) + parts)).encode()).hexdigest()


def unseal(text):
    d = cipher().decryptor()
    plain = d.update(base64.b64decode(text)) + d.finalize()
    pad = plain[-1]
    assert 1 <= pad <= 32 and plain[-pad:] == bytes([pad]) * pad
    plain = plain[:-pad]
    (size,) = struct.unpack(">I", plain[16:20])
    return plain[20 : 20 + size].decode(), plain[20 + size :].decode()


def seal(text, receiver):
    plain = os.urandom(16) + struct.pack(">I", len(text.encode())) + text.encode() + receiver.encode()
    pad = 32 - len(plain) % 32
    e = cipher().encryptor()
    return base64.b64encode(e.update(plain + bytes([pad]) * pad) + e.finalize()).decode()


def node(xml, name):
    return re.search(rf"<{name}>(?:<!\[CDATA\[)?(.*?)(?:\]\]>)?</{name}>", xml, re.S).group(1)


def cdata(name, text):
    return f"<{name}><![CDATA[{text}]]></{name}>"


def push(receiver):
    now, nonce = str(int(time.time())), os.urandom(4).hex()
    sealed = seal(
        "<xml>" + cdata("ToUserName", corp) + f"<CreateTime>{now}</CreateTime>" + cdata("MsgType", "event")
        + cdata("Event", "kf_msg_or_event") + cdata("Token", "ENC1") + cdata("OpenKfId", account) + "</xml>",
        receiver,
    )
    query = urllib.parse.urlencode({"timestamp": now, "nonce": nonce, "msg_signature": sign(now, nonce, sealed)})
    body = "<xml>" + cdata("ToUserName", corp) + cdata("Encrypt", sealed) + "</xml>"
    request = urllib.request.Request(ours + "?" + query, body.encode(), {"Content-Type": "text/xml"})
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refused:
        return refused.code, ""


pushed = json.load(sys.stdin)
sealed = node(pushed["body"], "Encrypt")
message, receiver = unseal(sealed)
print("signed", sign(pushed["timestamp"], pushed["nonce"], sealed) == pushed["msg_signature"])
print("pushed", node(message, "Event"), node(message, "OpenKfId") == account, receiver == corp)
print("our callback", *push(corp))
print("another company", *push("ww0000000000000000"))
