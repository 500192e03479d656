// An account's callback in safe mode, whose messages one of two packages decrypts and
// encrypts. It connects itself to the platform, plays a follower and says what became
// of each message. Arguments: the package, the server, the account's id, the callback's
// token and its key.
"use strict";
const crypto = require("crypto");
const http = require("http");

const [, , name, server, appid, token, key] = process.argv;
const otherKey = "z".repeat(42) + "E";

// cryptos are the packages, behind one face: open and seal a message, sign.
const cryptos = {
  "wechat-crypto": (token, key, id) => {
    const c = new (require("wechat-crypto"))(token, key, id);
    return { open: (sealed) => c.decrypt(sealed), seal: (text) => c.encrypt(text), sign: (...parts) => c.getSignature(...parts) };
  },
  "@wecom/crypto": (token, key, id) => {
    const c = require("@wecom/crypto");
    return {
      open: (sealed) => c.decrypt(key, sealed),
      seal: (text) => c.encrypt(key, text, id, crypto.pseudoRandomBytes(16)),
      sign: (...parts) => c.getSignature(token, ...parts),
    };
  },
};
const make = cryptos[name];
const ours = make(token, key, appid);

const node = (xml, name) => (new RegExp(`<${name}>(?:<!\\[CDATA\\[)?(.*?)(?:\\]\\]>)?</${name}>`, "s").exec(xml) || [])[1];
const cdata = (name, text) => `<${name}><![CDATA[${text}]]></${name}>`;

// wrong are the ways in which an answer can be.
const wrong = {
  "another key": { with: make(token, otherKey, appid) },
  "another app": { with: make(token, key, "wx0000000000000000") },
  "another token": { signed: make("another", key, appid) },
};

// answer seals what is answered to a message, signed as the platform wants it.
function answer(message, text) {
  const c = wrong[text] || {};
  const now = String(Math.floor(Date.now() / 1000));
  const sealed = (c.with || ours).seal("<xml>" + cdata("ToUserName", node(message, "FromUserName")) + cdata("FromUserName", node(message, "ToUserName")) +
    `<CreateTime>${now}</CreateTime>` + cdata("MsgType", "text") + cdata("Content", "你说 " + text) + "</xml>");
  return "<xml>" + cdata("Encrypt", sealed) + cdata("MsgSignature", (c.signed || ours).sign(now, "n1", sealed)) +
    `<TimeStamp>${now}</TimeStamp>` + cdata("Nonce", "n1") + "</xml>";
}

// hear answers one request of the platform, with what it has opened, or refuses it.
function hear(query, body) {
  const part = (name) => query.get(name) || "";
  if (query.has("echostr")) {
    if (ours.sign(part("timestamp"), part("nonce")) !== part("signature")) throw new Error("another signature");
    return query.get("echostr");
  }
  const sealed = node(body, "Encrypt") || "";
  if (ours.sign(part("timestamp"), part("nonce"), sealed) !== part("msg_signature")) throw new Error("another signature");
  const { message, id } = ours.open(sealed);
  if (id !== appid) throw new Error("another app");
  const text = node(message, "Content");
  return text === "silence" ? "success" : answer(message, text);
}

const callback = http.createServer(async (request, response) => {
  let body = "";
  for await (const chunk of request.setEncoding("utf8")) body += chunk;
  try {
    response.end(hear(new URL(request.url, "http://us").searchParams, body));
  } catch {
    response.writeHead(403).end();
  }
});

// control plays a follower, or the platform's console.
async function control(what, order) {
  const answer = await fetch(server + "/control/" + what, { method: "POST", body: JSON.stringify(order) });
  return answer.json();
}

// known holds the package against the vector that arrives at stdin: it seals to the
// letter what the vector seals, and opens and signs it.
async function known() {
  let text = "";
  for await (const chunk of process.stdin) text += chunk;
  const v = JSON.parse(text);
  const c = make(v.token, v.key, v.app);
  const random = crypto.pseudoRandomBytes;
  crypto.pseudoRandomBytes = () => Buffer.from(v.random);
  const sealed = c.seal(v.message);
  crypto.pseudoRandomBytes = random;
  const opened = c.open(v.sealed);
  console.log("known", sealed === v.sealed, opened.message === v.message && opened.id === v.app, c.sign(v.time, v.nonce, v.sealed) === v.signature);
  let other = "";
  try {
    other = make(v.token, otherKey, v.app).open(v.sealed).id;
  } catch {} // what it opens is noise, which has no length
  console.log("with another key", other === v.app);
}

async function main() {
  await known();
  await control("connect", { url: `http://127.0.0.1:${callback.address().port}/` });
  console.log("check", (await control("check", {})).ok);
  for (const text of ["返利 <b> & 🧧", "silence", ...Object.keys(wrong)]) {
    const o = await control("say", { openid: "ann", text });
    console.log(`${text}: ${o.Verdict} ${o.Why || o.Seen.Text}`.trim());
  }
  for (const path of ["msg_signature", "appid", "unencrypted"]) {
    console.log("forged", path, (await control("forge", { openid: "ann", text: "x", path })).Status);
  }
  console.log("end");
  process.exit();
}

callback.listen(0, "127.0.0.1", main);
