// The admin page, as a person uses it.
"use strict";
const assert = require("node:assert/strict");
const fs = require("node:fs");
const http = require("node:http");
const os = require("node:os");
const path = require("node:path");
const { parseArgs } = require("node:util");
const { chromium } = require("playwright-core");
const { API, Cloud, Proxy } = require("./proxy.cjs");
const { structure, contrast } = require("./basics.cjs");

const { values } = parseArgs({ options: { binary: { type: "string" }, screenshots: { type: "string" }, only: { type: "string" } } });
if (!values.binary) {
  console.error("write: tests/browser/run --binary target/release/ucx-egress [--screenshots FOLDER] [--only WORD]");
  process.exit(2);
}
const QUIET = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];
const WAIT = 15000;

const cases = [];
const test = (name, run) => cases.push({ name, run });
const shot = async (page, name) => {
  if (values.screenshots) await page.screenshot({ path: path.join(values.screenshots, `${name}.png`), fullPage: true });
};
const text = (page, selector) => page.locator(selector).innerText();
// By key: a page that fills with decisions moves, and a press of the mouse could land beside what it was meant for.
const press = (page, selector) => page.locator(selector).press("Enter");
const rowWith = (page, table, words) => page.locator(`${table} tr`, { hasText: words }).first();

/** A page of the proxy; whatever goes wrong in it, and whatever it asks elsewhere, fails the test. */
async function opened(world, options = {}) {
  const context = await world.browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(WAIT);
  const wrong = [];
  page.on("console", (message) => { if (message.type() === "error") wrong.push(message.text()); });
  page.on("pageerror", (error) => wrong.push(String(error)));
  page.on("dialog", (dialog) => { wrong.push(`a dialog: ${dialog.message()}`); dialog.dismiss(); });
  page.on("request", (request) => { if (!request.url().startsWith(world.proxy.page)) wrong.push(`asked elsewhere: ${request.url()}`); });
  await page.goto(world.proxy.page + (options.path ?? "/"));
  await page.locator("#services-rows tr").first().waitFor();
  return { page, wrong, close: async () => { await context.close(); assert.deepEqual(wrong, []); } };
}

function get(url, headers = {}) {
  return new Promise((resolve, reject) => {
    http.get(url, { headers }, (response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (part) => { body += part; }).on("end", () => resolve({ status: response.statusCode, headers: response.headers, body }));
    }).on("error", reject);
  });
}

test("it says what is in force and what was done", async (world) => {
  const { page, close } = await opened(world);
  assert.equal(await page.title(), "ucx-egress");
  assert.equal(await text(page, "#state"), "enforcing");
  await rowWith(page, "#services-rows", "licensing").waitFor();
  assert.match(await rowWith(page, "#upstream-rows", `${API}:443`).innerText(), /reachable/);
  assert.match(await rowWith(page, "#upstream-rows", "eu.imagicle.com:443").innerText(), /down[\s\S]*connect_failed/);
  const tiles = await text(page, "#tiles");
  for (const words of ["Passed", "Refused", "Inspected", "CA expires", "Upstreams down"]) assert.ok(tiles.includes(words), words);
  assert.match(await text(page, "#force-facts"), /Policy hash[\s\S]*[0-9a-f]{12}/);
  await page.locator("#rate svg path.a").waitFor({ state: "attached" });
  for (const chart of ["rate", "latency", "bytes", "tunnels"]) {
    assert.ok(await page.locator(`#${chart} svg[role=img][aria-label]`).count(), chart);
  }
  await close();
});

test("decisions appear as they happen, can be filtered, paused and cleared", async (world) => {
  const { page, close } = await opened(world);
  const rows = page.locator("#live-rows tr");
  await page.locator("#live-state").waitFor({ state: "attached" });
  await press(page, "#clear");
  await page.waitForFunction(() => document.querySelectorAll("#live-rows td").length === 1);
  assert.equal((await world.proxy.connect("evil.example:443")).status, 403);
  await rowWith(page, "#live-rows", "evil.example:443").waitFor();
  assert.match(await rowWith(page, "#live-rows", "evil.example:443").innerText(), /deny[\s\S]*host_not_allowed[\s\S]*127\.0\.0\.1/);
  assert.equal(await world.proxy.ask(API), 200);
  await rowWith(page, "#live-rows", API).waitFor();
  await page.selectOption("#only", "allow");
  await page.waitForFunction(() => !document.querySelector("#live-rows").innerText.includes("evil.example"));
  await page.selectOption("#only", "refused");
  await page.waitForFunction(() => !document.querySelector("#live-rows").innerText.includes("api.imagicle.com"));
  await page.selectOption("#only", "");
  await page.fill("#filter", "EVIL");
  await page.waitForFunction(() => document.querySelectorAll("#live-rows tr").length === 1);
  await page.fill("#filter", "");
  await press(page, "#pause");
  assert.equal(await page.getAttribute("#pause", "aria-pressed"), "true");
  const before = await rows.count();
  await world.proxy.connect("paused.example:443");
  await page.waitForFunction(() => /[1-9]\d* came meanwhile/.test(document.querySelector("#live-state").textContent));
  assert.equal(await rows.count(), before);
  await press(page, "#pause");
  await rowWith(page, "#live-rows", "paused.example:443").waitFor();
  await press(page, "#clear");
  await page.waitForFunction(() => document.querySelector("#live-rows").innerText.includes("Nothing came yet"));
  await close();
});

test("what is refused most leads to why", async (world) => {
  const { page, close } = await opened(world);
  for (let times = 0; times < 3; times += 1) await world.proxy.connect("often.example:443");
  const row = rowWith(page, "#refused-rows", "often.example:443");
  await row.waitFor();
  await row.locator("button").press("Enter");
  await page.waitForFunction(() => document.querySelector("#answer").innerText.includes("host_not_allowed"));
  assert.equal(await page.inputValue("#destination"), "often.example:443");
  await close();
});

test("the form explains, and says what is wrong with a question", async (world) => {
  const { page, close } = await opened(world);
  const asks = async (destination, client, method, pattern) => {
    await page.fill("#destination", destination);
    await page.fill("#client", client);
    await page.selectOption("#method", method);
    await page.press("#destination", "Enter");
    await page.waitForFunction(([source]) => new RegExp(source).test(document.querySelector("#answer").innerText), [pattern]);
  };
  await asks(`https://${API}/test`, "", "", `allow ${API}:443[\\s\\S]*Rule[\\s\\S]*Source[\\s\\S]*section`);
  await asks(`${API}:8443`, "10.0.0.7", "CONNECT", "deny[\\s\\S]*port_not_allowed[\\s\\S]*Nearest allow rule");
  await asks(`${API}:443`, "8.8.8.8", "", "client_not_allowed");
  // 400 is an answer here, and the browser notes it in its console; that is not the page's fault.
  await asks('"><img src=x onerror=alert(1)>', "", "", "malformed");
  assert.equal(await page.locator("#answer img").count(), 0);
  await close();
});

test("a client that is no address is said so", async (world) => {
  const { page, wrong, close } = await opened(world);
  await page.fill("#destination", `${API}:443`);
  await page.fill("#client", "nobody");
  await press(page, "#ask button");
  await page.waitForFunction(() => document.querySelector("#answer").innerText.includes("client is no address"));
  // The browser notes an answer of 400 as an error of its own.
  assert.match(wrong.splice(0).join(), /400/);
  await close();
});

test("spans, sections and the configuration open", async (world) => {
  const { page, close } = await opened(world);
  for (const span of ["12", "720", "180"]) {
    await page.selectOption("#span", span);
    await page.locator("#rate svg").waitFor();
  }
  for (const link of await page.locator("nav a:visible").all()) {
    await link.click();
    const target = await link.getAttribute("href");
    assert.equal(new URL(page.url()).hash, target);
  }
  await press(page, "#configuration-details summary");
  await page.waitForFunction(() => document.querySelector("#configuration").innerText.includes("allowed, everything else is refused"));
  assert.match(await text(page, "#configuration"), /section/);
  await close();
});

test("everything offered can be downloaded, and no key is among it", async (world) => {
  const { page, close } = await opened(world);
  const links = await page.locator("#downloads a").evaluateAll((all) => all.map((link) => link.href));
  assert.ok(links.length >= 7, String(links));
  const bodies = {};
  for (const link of links) {
    const { status, body } = await get(link);
    assert.equal(status, 200, link);
    bodies[new URL(link).pathname] = body;
  }
  assert.match(bodies["/ca.pem"], /^-----BEGIN CERTIFICATE-----\n[A-Za-z0-9+/=\n]+-----END CERTIFICATE-----\n$/);
  assert.ok(!/PRIVATE/.test(Object.values(bodies).join("")));
  assert.match(bodies["/api/policy.csv"], /^service,host,port/);
  assert.equal(JSON.parse(bodies["/api/policy.json"]).rules.some((rule) => rule.host === API), true);
  assert.match(bodies["/proxy.pac"], /FindProxyForURL/);
  const [download] = await Promise.all([page.waitForEvent("download"), press(page, 'a[href="/ca.pem"]')]);
  assert.equal(download.suggestedFilename(), "ucx-egress-ca.pem");
  await close();
});

test("a reload that fails is seen, and one that works ends that", async (world) => {
  const { page, close } = await opened(world);
  world.proxy.reload("[nonsense]");
  await page.locator("#trouble", { hasText: "nonsense" }).waitFor();
  assert.match(await text(page, "#trouble"), /config\.toml:1:2/);
  await shot(page, "reload-failed");
  world.proxy.reload();
  await page.locator("#trouble").waitFor({ state: "hidden" });
  await close();
});

test("it is read without a mouse", async (world) => {
  const { page, close } = await opened(world);
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement.className), "skip");
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => location.hash === "#main");
  const reached = new Set();
  for (let presses = 0; presses < 80; presses += 1) {
    await page.keyboard.press("Tab");
    reached.add(await page.evaluate(() => document.activeElement.id || document.activeElement.getAttribute("href") || document.activeElement.localName));
  }
  for (const id of ["span", "pause", "clear", "only", "filter", "destination", "client", "method", "/ca.pem"]) assert.ok(reached.has(id), `${id} of ${[...reached]}`);
  await close();
});

for (const colorScheme of ["light", "dark"]) {
  test(`names, contrast and structure hold in ${colorScheme}`, async (world) => {
    const { page, close } = await opened(world, { colorScheme });
    await world.proxy.connect("evil.example:443");
    await rowWith(page, "#live-rows", "evil.example:443").waitFor();
    await page.fill("#destination", `https://${API}/test`);
    await press(page, "#ask button");
    await page.locator("#answer dl").waitFor();
    await page.locator("#rate svg path.a").waitFor({ state: "attached" });
    assert.deepEqual(await page.evaluate(structure), []);
    assert.deepEqual(await page.evaluate(contrast), []);
    const back = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    assert.equal(back === "rgb(255, 255, 255)", colorScheme === "light", back);
    await shot(page, colorScheme);
    await close();
  });
}

test("nothing is cut off at the width of a phone", async (world) => {
  const { page, close } = await opened(world, { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true });
  await page.locator("#rate svg path.a").waitFor({ state: "attached" });
  const [wide, seen] = await page.evaluate(() => [document.scrollingElement.scrollWidth, window.innerWidth]);
  assert.ok(wide <= seen, `${wide} of ${seen}`);
  const small = await page.locator("button:not(.plain), select, input").evaluateAll((all) => all.filter((one) => one.getBoundingClientRect().height < 24).map((one) => one.id));
  assert.deepEqual(small, [], "too small to be touched (WCAG 2.2, 2.5.8)");
  await shot(page, "phone");
  await close();
});

test("other names than ours are refused, and nobody frames the page", async (world) => {
  const refused = await get(`${world.proxy.page}/api/status`, { host: "rebound.example" });
  assert.equal(refused.status, 421);
  const { headers } = await get(`${world.proxy.page}/`);
  const policy = headers["content-security-policy"];
  for (const words of ["default-src 'none'", "script-src 'self'", "frame-ancestors 'none'"]) assert.ok(policy.includes(words), policy);
  assert.ok(!policy.includes("unsafe"), policy);
  assert.equal(headers["x-content-type-options"], "nosniff");
  assert.equal(headers["referrer-policy"], "no-referrer");
});

test("behind a password it asks for it, and works with it", async (world) => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "ucx-egress-password-"));
  const file = path.join(folder, "htpasswd"), token = path.join(folder, "token");
  // "open sesame", bcrypt of cost 4.
  fs.writeFileSync(file, "admin:$2y$04$SNXbGZumFEU860NP8ojgQ.GftKs.gNVInguHpPSvYyObBfjv0HcXK\n", { mode: 0o600 });
  fs.writeFileSync(token, "0123456789abcdef0123\n", { mode: 0o600 });
  const proxy = await Proxy.start(values.binary, world.cloud, `htpasswd = "${file}"\ntoken_file = "${token}"`);
  try {
    assert.equal((await get(`${proxy.page}/`)).status, 401);
    assert.equal((await get(`${proxy.page}/metrics`)).status, 401);
    assert.equal((await get(`${proxy.page}/healthz`)).status, 200);
    assert.equal((await get(`${proxy.page}/metrics`, { authorization: "Bearer 0123456789abcdef0123" })).status, 200);
    assert.equal((await get(`${proxy.page}/metrics`, { authorization: "Bearer 0123456789abcdef012" })).status, 401);
    const { page, close } = await opened({ ...world, proxy }, { httpCredentials: { username: "admin", password: "open sesame" } });
    await proxy.connect("evil.example:443");
    await rowWith(page, "#live-rows", "evil.example:443").waitFor();
    await close();
  } finally {
    await proxy.stop();
    fs.rmSync(folder, { recursive: true, force: true });
  }
});

test("while observing, what enforcing would refuse is shown with its reasons", async (world) => {
  const { page: enforcing, close: done } = await opened(world);
  assert.ok(await enforcing.locator("#observed").isHidden());
  await done();
  const proxy = await Proxy.start(values.binary, world.cloud, '[policy]\nmode = "observe"');
  try {
    for (let times = 0; times < 3; times += 1) {
      const { status, socket } = await proxy.connect(`${API}:8443`);
      assert.equal(status, 200);
      socket.destroy();
    }
    for (const body of ['{"contact":"mario.rossi@example.com"}', '{"comment":"some words of somebody"}']) {
      assert.equal(await proxy.ask(API, { method: "POST", file: "/telemetry/mario.rossi/beat", body }), 200);
    }
    for (const options of [{}, { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true }]) {
      const { page, close } = await opened({ ...world, proxy }, options);
      assert.match(await text(page, "#state"), /observing/);
      const row = rowWith(page, "#observed-rows", `${API}:8443`);
      assert.match(await row.innerText(), /licensing\s+3\s+port_not_allowed 3\s+\d{4}-\d\d-\d\d/);
      assert.match(await rowWith(page, "#observed-rows", "/telemetry/*/beat").innerText(), /POST api\.imagicle\.com:443[\s\S]*telemetry\s+2\s+personal_data 1, undocumented_field 1/);
      assert.ok(!/rossi/.test(await text(page, "#observed")));
      assert.deepEqual(await page.evaluate(structure), []);
      assert.deepEqual(await page.evaluate(contrast), []);
      const [wide, seen] = await page.evaluate(() => [document.scrollingElement.scrollWidth, window.innerWidth]);
      assert.ok(wide <= seen, `${wide} of ${seen}`);
      await shot(page, `observed-${seen}`);
      await row.locator("button").click();
      await page.waitForFunction(() => /would_deny[\s\S]*port_not_allowed/.test(document.querySelector("#answer").innerText));
      await close();
    }
    const saved = await get(`${proxy.page}/api/observed`);
    assert.equal(JSON.parse(saved.body).format, 1);
  } finally {
    await proxy.stop();
  }
});

test("where too many watch it says so, and the rest goes on", async (world) => {
  const proxy = await Proxy.start(values.binary, world.cloud);
  const watchers = await Promise.all(Array.from({ length: 16 }, () => new Promise((resolve, reject) => {
    http.get(`${proxy.page}/api/events`, { agent: false }, resolve).on("error", reject);
  })));
  try {
    assert.deepEqual(watchers.map((one) => one.statusCode), Array(16).fill(200));
    const { page, wrong, close } = await opened({ ...world, proxy });
    await page.locator("#live-state", { hasText: "16 pages watch" }).waitFor();
    assert.match(await text(page, "#live-state"), /no more may[\s\S]*still refresh/);
    assert.ok(!/lost/.test(await text(page, "#live-state")));
    await shot(page, "too-many-watch");
    await proxy.connect("evil.example:443");
    await rowWith(page, "#refused-rows", "evil.example:443").waitFor();
    watchers.forEach((one) => one.destroy());
    await page.waitForFunction(() => document.querySelector("#live-state").textContent === "");
    await proxy.connect("later.example:443");
    await rowWith(page, "#live-rows", "later.example:443").waitFor();
    // The browser notes an answer of 503 as an error of its own.
    assert.match(wrong.splice(0).join(), /503/);
    await close();
  } finally {
    watchers.forEach((one) => one.destroy());
    await proxy.stop();
  }
});

test("a proxy that is gone is said to be gone", async (world) => {
  const proxy = await Proxy.start(values.binary, world.cloud);
  const { page, wrong, close } = await opened({ ...world, proxy });
  await proxy.stop();
  await page.waitForFunction(() => document.querySelector("#state").innerText === "the proxy does not answer");
  await page.locator("#trouble", { hasText: "out of date" }).waitFor();
  wrong.length = 0;
  await close();
});

async function main() {
  if (values.screenshots) fs.mkdirSync(values.screenshots, { recursive: true });
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "ucx-egress-cloud-"));
  const cloud = await Cloud.start(folder);
  const proxy = await Proxy.start(values.binary, cloud);
  const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: QUIET });
  const world = { cloud, proxy, browser };
  assert.equal(await proxy.ask(API), 200);
  assert.equal(await proxy.ask(API, { method: "POST", file: "/telemetry", body: '{"contact":"mario.rossi@example.com"}' }), 403);
  assert.equal((await proxy.connect("eu.imagicle.com:443")).status, 502);
  const failed = [];
  const chosen = cases.filter(({ name }) => !values.only || name.includes(values.only));
  for (const { name, run } of chosen) {
    try {
      await run(world);
      console.log(`ok    ${name}`);
    } catch (error) {
      failed.push(name);
      console.log(`FAIL  ${name}\n      ${String(error.stack ?? error).split("\n").slice(0, 12).join("\n      ")}`);
    }
  }
  await browser.close();
  await proxy.stop();
  cloud.stop();
  fs.rmSync(folder, { recursive: true, force: true });
  console.log(`\n${chosen.length - failed.length} of ${chosen.length} passed`);
  process.exit(failed.length || !chosen.length ? 1 : 0);
}

main().catch((error) => { console.error(error); process.exit(1); });
