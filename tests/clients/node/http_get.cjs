// Fetches a URL with the library named: prints the body, then a line with status and HTTP version.
//
// Usage: http_get.cjs undici|https-proxy-agent URL PROXY ROOT
"use strict";

const fs = require("node:fs");
const https = require("node:https");

async function withUndici(url, proxy, ca) {
  const { fetch, ProxyAgent } = require("undici");
  const dispatcher = new ProxyAgent({ uri: proxy, requestTls: { ca } });
  const answer = await fetch(url, { dispatcher });
  const body = await answer.text();
  await dispatcher.close();
  return { body, status: answer.status, version: "1.1" }; // undici speaks h2 only when asked
}

async function withHttpsProxyAgent(url, proxy, ca) {
  const { HttpsProxyAgent } = require("https-proxy-agent");
  const answer = await new Promise((resolve, reject) => {
    https.get(url, { agent: new HttpsProxyAgent(proxy), ca }, resolve).on("error", reject);
  });
  let body = "";
  for await (const part of answer) body += part;
  return { body, status: answer.statusCode, version: answer.httpVersion };
}

const LIBRARIES = { undici: withUndici, "https-proxy-agent": withHttpsProxyAgent };

/** An error with all its causes: fetch keeps what happened in the cause. */
function told(error) {
  return error.cause ? `${error}; ${told(error.cause)}` : String(error);
}

const [library, url, proxy, root] = process.argv.slice(2);
LIBRARIES[library](url, proxy, fs.readFileSync(root)).then(
  ({ body, status, version }) => console.log(`${body}\n${status} ${version}`),
  (error) => {
    console.error(told(error));
    process.exitCode = 1;
  },
);
