// WeCom's callbacks with @wecom/crypto: it decrypts what the fake pushes and echoes, and
// encrypts callbacks itself, which it sends to our own channel. Arguments: the fake, our
// channel, the company, the account, the callback's token and its key.
"use strict";
const crypto = require("crypto");
const http = require("http");
const { decrypt, encrypt, getSignature } = require("@wecom/crypto");

const [, , server, ours, corp, account, token, key] = process.argv;
const otherKey = "z".repeat(42) + "E";
const node = (xml, name) => (new RegExp(`<${name}>(?:<!\\[CDATA\\[)?(.*?)(?:\\]\\]>)?</${name}>`, "s").exec(xml) || [])[1];
const cdata = (name, text) => `<${name}><![CDATA[${text}]]></${name}>`;

// hear opens one request of the platform, or refuses it.
function hear(query, body) {
  const sealed = query.get("echostr") || node(body, "Encrypt") || "";
  if (getSignature(token, query.get("timestamp"), query.get("nonce"), sealed) !== query.get("msg_signature")) throw new Error("another signature");
  const { message, id } = decrypt(key, sealed);
  if (id !== corp) throw new Error("another company");
  if (query.has("echostr")) return message;
  console.log("pushed", node(message, "Event"), node(message, "OpenKfId") === account, node(message, "ToUserName") === corp, node(message, "Token").length);
  return "success";
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

// control plays a customer, or the platform's console.
async function control(what, order) {
  return (await fetch(server + "/control/" + what, { method: "POST", body: JSON.stringify(order) })).json();
}

// push sends our channel a callback, or the console's test, as WeCom would.
async function push(name, { event = told(), echo, with: k = key, to = corp, as = token }) {
  const now = String(Math.floor(Date.now() / 1000));
  const sealed = encrypt(k, echo || event, to, crypto.pseudoRandomBytes(16));
  const query = new URLSearchParams({ timestamp: now, nonce: crypto.randomUUID().slice(0, 8), msg_signature: "" });
  query.set("msg_signature", getSignature(as, now, query.get("nonce"), sealed));
  if (echo) query.set("echostr", sealed);
  const options = echo ? {} : { method: "POST", headers: { "Content-Type": "text/xml" }, body: "<xml>" + cdata("ToUserName", corp) + cdata("Encrypt", sealed) + cdata("AgentID", "") + "</xml>" };
  const response = await fetch(ours + "?" + query, options);
  console.log(name, response.status, await response.text());
}

const told = () => "<xml>" + cdata("ToUserName", corp) + `<CreateTime>${Math.floor(Date.now() / 1000)}</CreateTime>` + cdata("MsgType", "event") +
  cdata("Event", "kf_msg_or_event") + cdata("Token", "ENC1") + cdata("OpenKfId", account) + "</xml>";

async function main() {
  await control("connect", { url: `http://127.0.0.1:${callback.address().port}/` });
  console.log("check", await control("check", {}));
  await control("say", { customer: "wmAnn", text: "返利" });
  for (const how of ["signature", "corp", "unencrypted"]) console.log("forged", how, (await control("forge", { text: how })).Status);
  await push("our check", { echo: "12345返利" });
  await push("our callback", {});
  await push("another key", { with: otherKey });
  await push("another company", { to: "ww0000000000000000" });
  await push("another token", { as: "another" });
  await push("another form", { event: "<!DOCTYPE xml []>" + told() });
  console.log("end");
  process.exit();
}

callback.listen(0, "127.0.0.1", main);
