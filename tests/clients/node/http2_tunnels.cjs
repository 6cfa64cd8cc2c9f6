// Many tunnels at once over one HTTP/2 connection to the proxy, a GET over TLS in each.
const fs = require("node:fs");
const http2 = require("node:http2");
const tls = require("node:tls");

const COUNT = 100;
const [proxy, root, url] = process.argv.slice(2);
const { hostname, pathname } = new URL(url);
const ca = fs.readFileSync(root);

function get(session) {
  return new Promise((resolve, reject) => {
    const tunnel = session.request({ ":method": "CONNECT", ":authority": `${hostname}:443` });
    tunnel.on("error", reject);
    tunnel.on("response", (head) => {
      if (head[":status"] !== 200) return reject(new Error(`status ${head[":status"]}`));
      const inner = tls.connect({ socket: tunnel, servername: hostname, ca });
      let text = "";
      inner.setEncoding("utf8");
      inner.on("error", reject);
      inner.on("data", (data) => (text += data));
      inner.on("end", () => resolve(text.slice(text.indexOf("\r\n\r\n") + 4)));
      inner.write(`GET ${pathname} HTTP/1.1\r\nHost: ${hostname}\r\nConnection: close\r\n\r\n`);
    });
  });
}

const session = http2.connect(proxy, { ca });
session.on("error", (error) => { console.error(error); process.exit(1); });
session.on("connect", async () => {
  try {
    const bodies = await Promise.all(Array.from({ length: COUNT }, () => get(session)));
    console.log(JSON.stringify({ bodies, connections: 1 }));
    session.destroy();
  } catch (error) {
    console.error(error);
    process.exit(1);
  }
});
