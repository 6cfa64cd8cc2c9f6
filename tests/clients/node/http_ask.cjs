// Makes the requests of a file with the library named, one after the other.
//
// Usage: http_ask.cjs undici|https-proxy-agent ASKS ROOT PROXY|- [HOST=PORT ...]
//
// Without a proxy, the hosts named are found at their loopback ports. `exchanges.py` says what a
// line of ASKS holds and what is printed for each.
"use strict";

const crypto = require("node:crypto");
const fs = require("node:fs");
const https = require("node:https");
const stream = require("node:stream");
const tls = require("node:tls");

const [library, asksFile, root, proxy, ...hosts] = process.argv.slice(2);
const ca = fs.readFileSync(root);
const ports = new Map(hosts.map((pair) => pair.split("=")));
const PART = 64 * 1024;

function* asks() {
  for (const line of fs.readFileSync(asksFile, "utf8").trimEnd().split("\n")) {
    const [method, url, body, length, ...fields] = line.split("\t");
    const headers = Object.fromEntries(fields.map((field) => field.split(/: (.*)/s).slice(0, 2)));
    yield { method, url, headers, body: body === "-" ? null : fs.readFileSync(body), announced: length === "announced" };
  }
}

function* parts(body) {
  for (let start = 0; start < body.length; start += PART) yield body.subarray(start, start + PART);
}

function tell(status, version, headers, body) {
  console.log(`< ${status} ${version}`);
  for (const [name, value] of headers) console.log(`${name}: ${value}`);
  console.log(`= ${body.length} ${crypto.createHash("sha256").update(body).digest("hex")}`);
}

function undiciDispatcher() {
  const { Agent, ProxyAgent, buildConnector } = require("undici");
  if (proxy !== "-") return new ProxyAgent({ uri: proxy, requestTls: { ca } });
  const connect = buildConnector({ ca });
  return new Agent({
    connect: (to, done) =>
      connect({ ...to, hostname: "127.0.0.1", port: ports.get(to.hostname), servername: to.hostname }, done),
  });
}

async function withUndici() {
  const { fetch } = require("undici");
  const dispatcher = undiciDispatcher();
  for (const { method, url, headers, body, announced } of asks()) {
    const content = body && !announced ? stream.Readable.toWeb(stream.Readable.from(parts(body))) : body;
    const answer = await fetch(url, { method, headers, body: content, duplex: "half", dispatcher });
    // undici speaks h2 only when asked, and does not say what it spoke.
    tell(answer.status, "1.1", answer.headers, Buffer.from(await answer.arrayBuffer()));
  }
  await dispatcher.close();
}

function httpsAgent() {
  const { HttpsProxyAgent } = require("https-proxy-agent");
  if (proxy !== "-") return new HttpsProxyAgent(proxy);
  const agent = new https.Agent();
  agent.createConnection = (to) =>
    tls.connect({ ...to, host: "127.0.0.1", port: ports.get(to.host), servername: to.host });
  return agent;
}

function send({ method, url, headers, body, announced }, agent) {
  return new Promise((resolve, reject) => {
    const request = https.request(url, { method, headers, agent, ca }, resolve).on("error", reject);
    // A body that comes in one piece with the end is announced; one that was begun before is not.
    if (body && !announced) for (const part of parts(body)) request.write(part);
    request.end(body && announced ? body : undefined);
  });
}

async function withHttpsProxyAgent() {
  const agent = httpsAgent();
  for (const ask of asks()) {
    const answer = await send(ask, agent);
    const received = [];
    for await (const part of answer) received.push(part);
    const headers = answer.rawHeaders.flatMap((name, at, all) => (at % 2 ? [] : [[name, all[at + 1]]]));
    tell(answer.statusCode, answer.httpVersion, headers, Buffer.concat(received));
  }
}

/** An error with all its causes: fetch keeps what happened in the cause. */
function told(error) {
  return error.cause ? `${error}; ${told(error.cause)}` : String(error);
}

const LIBRARIES = { undici: withUndici, "https-proxy-agent": withHttpsProxyAgent };
LIBRARIES[library]().catch((error) => {
  console.error(told(error));
  process.exitCode = 1;
});
