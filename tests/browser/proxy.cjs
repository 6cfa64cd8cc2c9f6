// A proxy of the test's own with a cloud of its own, and clients that ask through it.
"use strict";
const { spawn, execFileSync } = require("node:child_process");
const fs = require("node:fs");
const http = require("node:http");
const https = require("node:https");
const os = require("node:os");
const path = require("node:path");
const tls = require("node:tls");

const API = "api.imagicle.com";

/** A cloud with real TLS under the real name. */
class Cloud {
  static async start(folder) {
    const [key, certificate] = ["cloud.key", "cloud.pem"].map((name) => path.join(folder, name));
    execFileSync("openssl", ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=cloud",
      "-addext", "basicConstraints=critical,CA:FALSE", "-addext", `subjectAltName=DNS:${API},DNS:grpc.imagicle.com`, "-keyout", key, "-out", certificate], { stdio: "ignore" });
    const server = https.createServer({ key: fs.readFileSync(key), cert: fs.readFileSync(certificate) }, (request, response) => {
      request.resume().on("end", () => response.end('{"message":"successfully connected!"}'));
    });
    await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
    return Object.assign(new Cloud(), { server, root: certificate, address: `127.0.0.1:${server.address().port}` });
  }

  stop() {
    this.server.closeAllConnections();
    this.server.close();
  }
}

/** The binary with a configuration that can be rewritten. */
class Proxy {
  static async start(binary, cloud, admin = "") {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), "ucx-egress-page-"));
    const proxy = Object.assign(new Proxy(), { binary, folder, cloud, admin, config: path.join(folder, "config.toml"), said: "" });
    proxy.write();
    execFileSync(binary, ["--config", proxy.config, "ca", "init"], { stdio: "ignore" });
    proxy.child = spawn(binary, ["--config", proxy.config, "run"], { stdio: ["ignore", "ignore", "pipe"] });
    // Should the driver give up before it stops it.
    process.once("exit", () => proxy.child.kill());
    proxy.child.stderr.on("data", (data) => { proxy.said += data; });
    await proxy.says(/ listening /);
    const address = (name) => proxy.said.match(new RegExp(` ${name}=(\\S+)`))[1];
    return Object.assign(proxy, { listener: address("proxy"), page: `http://${address("admin")}` });
  }

  write(broken = "") {
    fs.writeFileSync(`${this.config}.new`, `${broken}
[listener]
address = "127.0.0.1:0"
[admin]
address = "127.0.0.1:0"
${this.admin}
[upstream]
allow_addresses = ["127.0.0.1"]
nameservers = ["127.0.0.1:9"]
ca_files = ["${this.cloud.root}"]
[upstream.hosts]
"${API}" = ["${this.cloud.address}"]
"grpc.imagicle.com" = ["${this.cloud.address}"]
"eu.imagicle.com" = ["127.0.0.1:9"]
[interception]
ca_certificate = "ca.pem"
ca_key = "ca.key"
[reload]
on_change = false
[limits]
drain = "1s"
`);
    fs.renameSync(`${this.config}.new`, this.config);
  }

  reload(broken) {
    this.write(broken);
    this.child.kill("SIGHUP");
  }

  async says(pattern) {
    for (const deadline = Date.now() + 15000; !pattern.test(this.said);) {
      if (Date.now() > deadline || this.child.exitCode !== null) throw new Error(`the proxy never said ${pattern}: ${this.said}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** CONNECT; resolves with the status and, where the tunnel stands, its socket. */
  connect(authority) {
    return new Promise((resolve, reject) => {
      const [host, port] = this.listener.split(":");
      const request = http.request({ host, port, method: "CONNECT", path: authority, headers: { host: authority } });
      request.on("connect", (response, socket) => resolve({ status: response.statusCode, socket }));
      request.on("response", (response) => { response.resume(); resolve({ status: response.statusCode }); });
      request.on("error", reject);
      request.end();
    });
  }

  /** One request through the proxy, decrypted by it where the policy says so; resolves with the status. */
  async ask(host, { method = "GET", body = "", file = "/test", ca = path.join(this.folder, "ca.pem") } = {}) {
    const { status, socket } = await this.connect(`${host}:443`);
    if (!socket) return status;
    const secure = tls.connect({ socket, servername: host, ca: fs.readFileSync(ca) });
    return new Promise((resolve, reject) => {
      secure.on("error", reject);
      const request = http.request({ method, path: file, headers: { host, "content-type": "application/json", connection: "close" }, createConnection: () => secure });
      request.on("response", (response) => response.resume().on("end", () => resolve(response.statusCode)));
      request.on("error", reject);
      request.end(body);
    });
  }

  async stop() {
    if (this.child.exitCode === null) {
      this.child.kill("SIGTERM");
      await new Promise((resolve) => this.child.once("exit", resolve));
    }
    fs.rmSync(this.folder, { recursive: true, force: true });
  }
}

module.exports = { API, Cloud, Proxy };
