"use strict";
// The page asks the proxy for JSON and writes it down. Text only ever goes in as text.
const $ = (id) => document.getElementById(id);
const MOST_ROWS = 200;
const live = { rows: [], paused: false, missed: 0, skipped: 0, trouble: "" };
// After an answer that is no stream; others come back by themselves.
const WATCH_AGAIN = 10000;
let current = null;
let past = null;

function make(name, content, attributes = {}) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...[content].flat().filter((part) => part !== undefined && part !== null));
  return made;
}
const cell = (content, className) => make("td", content ?? "", className ? { class: className } : {});
const number = (value) => cell((value ?? 0).toLocaleString(), "number");
const clock = (milliseconds) => new Date(milliseconds).toLocaleTimeString();
const bytes = (value) => `${Charts.short(value)}B`;

async function fetched(path, as = "json") {
  const answer = await fetch(path, { cache: "no-store" });
  const body = as === "text" ? await answer.text() : await answer.json();
  if (!answer.ok) throw new Error(body.error ?? `${path}: ${answer.status}`);
  return body;
}

function trouble(text) {
  const place = $("trouble");
  if (place.textContent !== text) place.textContent = text;
  place.hidden = !text;
}

function daysUntil(date) {
  return date ? Math.floor((Date.parse(date.length === 10 ? `${date}T00:00:00Z` : date) - Date.now()) / 86400000) : null;
}

function tile(name, value, aside, className) {
  return make("div", [make("dt", name), make("dd", [value, aside ? make("small", aside) : null], className ? { class: className } : {})]);
}

function showStatus() {
  const state = $("state");
  const observing = current.policy.mode === "observe";
  const error = current.configuration.error;
  state.textContent = !current.ready ? current.not_ready : observing ? "observing: nothing is refused by policy" : "enforcing";
  state.className = `state ${!current.ready ? "bad" : observing ? "warn" : "good"}`;
  trouble(error ? `The configuration was not taken at ${error.at}; the previous one stays in force: ${error.message}` : "");
  const sum = (name) => current.services.reduce((total, service) => total + (service[name] ?? 0), 0);
  const covered = (name) => current.services.reduce((total, service) => total + service.coverage[name], 0);
  const seen = covered("inspected"), all = seen + covered("tunnelled") + covered("uninspectable");
  const down = [...current.upstreams, ...current.parents].filter((one) => !one.up).length;
  const ca = current.interception?.ca, left = daysUntil(ca?.not_after);
  $("tiles").replaceChildren(
    tile("Passed", sum("allowed").toLocaleString()),
    tile("Refused", sum("refused").toLocaleString(), observing ? `${sum("would_refuse").toLocaleString()} would be` : null),
    tile("Personal data refused", sum("personal_data_refused").toLocaleString()),
    tile("Tunnels open", sum("tunnels").toLocaleString()),
    tile("Inspected", all ? `${(100 * seen / all).toFixed(1)} %` : "nothing yet", `of ${all.toLocaleString()} exchanges`),
    tile("Upstreams down", String(down), `of ${current.upstreams.length + current.parents.length} known`, down ? "bad" : "good"),
    ca ? tile("CA expires", ca.not_after, `in ${left} days`, left < 30 ? "bad" : "") : tile("Inspection", "off", "every connection is a tunnel"),
  );
  $("services-rows").replaceChildren(...current.services.map(serviceRow));
  $("upstream-rows").replaceChildren(...rowsOr([...current.parents.map(parentRow), ...current.upstreams.map(upstreamRow)], 7, "Nothing was asked for yet."));
  showForce(ca, left);
  $("ca-download").hidden = !ca;
  $("version").textContent = `ucx-egress ${current.version}, started ${current.started}`;
}

function rowsOr(rows, columns, text) {
  return rows.length ? rows : [make("tr", make("td", text, { colspan: columns, class: "hint" }))];
}

function serviceRow(service) {
  const { inspected, tunnelled, uninspectable } = service.coverage;
  const all = inspected + tunnelled + uninspectable;
  const share = all ? Math.round(100 * inspected / all) : null;
  const coverage = share === null ? "nothing passed" : [make("meter", "", { min: 0, max: 100, value: share, "aria-label": `${share} percent inspected` }), ` ${share} %`];
  return make("tr", [
    make("th", service.title ? [service.id, make("div", service.title, { class: "hint" })] : service.id, { scope: "row" }),
    cell(service.personal_data), cell(service.treatment), number(service.allowed), number(service.refused), number(service.would_refuse),
    cell(coverage), number(service.tunnels), cell(bytes(service.bytes_up ?? 0), "number"), cell(bytes(service.bytes_down ?? 0), "number"),
  ]);
}

const upState = (up) => cell(up ? "reachable" : "down", up ? "good" : "bad");

function parentRow(parent) {
  return make("tr", [make("th", `parent ${parent.parent}`, { scope: "row" }), upState(parent.up), cell(), cell(), cell(), cell(), cell()]);
}

function upstreamRow(upstream) {
  const failure = upstream.last_failure ? `${upstream.last_failure.reason}, ${upstream.last_failure.at}` : "none";
  return make("tr", [
    make("th", upstream.destination, { scope: "row" }), upState(upstream.up), number(upstream.reached), number(upstream.failed),
    cell(upstream.last_reached ?? "never"), cell(upstream.milliseconds === null ? "" : upstream.milliseconds.toFixed(1), "number"), cell(failure),
  ]);
}

function showForce(ca, left) {
  const facts = [
    ["Policy", `${current.policy.name}, profile ${current.policy.profile}, ${current.policy.mode}`],
    ["Policy hash", current.policy.hash],
    ["Loaded", `${current.configuration.loaded}; reloads: ${current.configuration.applied} applied, ${current.configuration.rejected} not taken`],
    ["Inspection", current.interception ? current.interception.hosts.join(", ") : "off"],
    ca && ["CA", `${ca.name}, to ${ca.not_after} (${left} days), SHA-256 ${ca.fingerprint_sha256}`],
    ...current.certificates.map((one) => [`Certificate of ${one.of}`, one.not_after ? `to ${one.not_after} (${daysUntil(one.not_after)} days)` : "cannot be read"]),
    ...current.quotas.map((one) => [`Quota ${one.name}`, one.limits.map((limit) => `${limit.limit}: ${limit.passed} passed, ${limit.refused} refused`).join("; ")]),
  ].filter(Boolean);
  $("force-facts").replaceChildren(...facts.flatMap(([name, value]) => [make("dt", name), make("dd", value)]));
}

function showHistory() {
  const count = Number($("span").value);
  const points = past.points.slice(-count), times = points.map((point) => point.at);
  const per = (name) => points.map((point) => point[name] / past.step);
  const plain = (name) => points.map((point) => point[name]);
  const draw = (id, series, unit) => Charts.draw($(id), $(`${id}-legend`), series, times, count, unit);
  draw("rate", [
    { name: "passed", className: "a", values: per("allow") }, { name: "refused", className: "b", values: per("deny") },
    { name: "would refuse", className: "c", values: per("would_deny") },
  ], "/s");
  draw("latency", [{ name: "half within", className: "d", values: plain("p50") }, { name: "95 % within", className: "c", values: plain("p95") }], " ms");
  draw("bytes", [{ name: "sent", className: "a", values: per("up") }, { name: "received", className: "d", values: per("down") }], "B/s");
  draw("tunnels", [{ name: "open", className: "d", values: plain("tunnels") }], "");
}

function whyButton(destination) {
  const button = make("button", destination, { type: "button", class: "plain" });
  button.addEventListener("click", () => {
    $("destination").value = destination;
    $("client").value = "";
    explain();
    $("explain").scrollIntoView();
    $("destination").focus();
  });
  return button;
}

function showDecisions(decisions) {
  const row = (refused) => make("tr", [
    make("th", whyButton(refused.destination), { scope: "row" }), number(refused.count), cell(refused.reason), cell(clock(refused.last)),
  ]);
  const rows = $("refused-rows"), now = JSON.stringify(decisions.refused);
  // Whoever is about to press something there must not lose it.
  if (rows.dataset.shown === now) return;
  rows.dataset.shown = now;
  const focused = rows.contains(document.activeElement) ? document.activeElement.textContent : null;
  rows.replaceChildren(...rowsOr(decisions.refused.map(row), 4, "Nothing was refused."));
  if (focused) [...rows.querySelectorAll("button")].find((button) => button.textContent === focused)?.focus();
}

function showObserved(observed) {
  const counts = (times) => Object.values(times.would_refuse ?? {}).reduce((total, count) => total + count, 0);
  const found = [
    ...observed.destinations.map((one) => ({ ...one, what: whyButton(one.destination) })),
    ...observed.requests.map((one) => ({ ...one, what: `${one.method} ${one.destination}${one.path}` })),
  ].map((one) => ({ ...one, count: counts(one.times) })).filter((one) => one.count).sort((one, other) => other.count - one.count);
  const row = (one) => make("tr", [
    make("th", one.what, { scope: "row", class: "wide" }), cell(one.service), number(one.count),
    cell(Object.entries(one.times.would_refuse).map(([reason, count]) => `${reason} ${count.toLocaleString()}`).join(", ")), cell(one.times.last),
  ]);
  $("observed-rows").replaceChildren(...rowsOr(found.slice(0, MOST_ROWS).map(row), 5, "Nothing so far."));
  const left = Object.entries(observed.left_out).filter(([, count]) => count).map(([what, count]) => `${count.toLocaleString()} ${what}`);
  const state = left.length ? `Not kept: ${left.join(", ")}.` : "";
  if ($("observed-state").textContent !== state) $("observed-state").textContent = state;
}

function isShown(decision) {
  const only = $("only").value, text = $("filter").value.trim().toLowerCase();
  const isRefused = decision.reason !== "";
  if (only === "refused" && !isRefused || only === "allow" && isRefused) return false;
  const all = `${decision.destination} ${decision.reason} ${decision.client} ${decision.decision} ${decision.service} ${decision.verdict}`;
  return !text || all.toLowerCase().includes(text);
}

function decisionRow(decision) {
  const verdicts = { allow: "good", deny: "bad", would_deny: "warn" };
  return make("tr", [
    cell(clock(decision.at)), cell(decision.verdict, verdicts[decision.verdict]), cell(decision.destination, "wide"), cell(decision.reason),
    cell(decision.service), cell(decision.client), cell(String(decision.status || ""), "number"), number(decision.milliseconds), cell(make("code", decision.decision)),
  ]);
}

function showLive() {
  if (live.paused) {
    $("live-state").textContent = `paused; ${live.missed} came meanwhile`;
    return;
  }
  live.missed = 0;
  $("live-rows").replaceChildren(...rowsOr(live.rows.filter(isShown).map(decisionRow), 9, "Nothing came yet that is shown here."));
  $("live-state").textContent = live.trouble || (live.skipped ? `${live.skipped} were too many to show` : "");
}

let drawing = false;
function drawSoon() {
  if (drawing) return;
  drawing = true;
  setTimeout(() => { drawing = false; showLive(); }, 200);
}

function watch() {
  const source = new EventSource("/api/events");
  source.addEventListener("decision", (event) => {
    live.rows.unshift(JSON.parse(event.data));
    live.rows.length = Math.min(live.rows.length, MOST_ROWS);
    if (live.paused) live.missed += 1;
    drawSoon();
  });
  source.addEventListener("skipped", (event) => { live.skipped += Number(event.data); drawSoon(); });
  source.addEventListener("error", () => {
    if (source.readyState === EventSource.CLOSED) refused();
    else troubled("the connection was lost; it is tried again");
  });
  source.addEventListener("open", () => troubled(""));
}

function troubled(text) {
  live.trouble = text;
  drawSoon();
}

// An event source does not tell what was answered in place of a stream, so it is asked for once more.
async function refused() {
  const enough = new AbortController();
  try {
    const answer = await fetch("/api/events", { cache: "no-store", signal: enough.signal });
    if (answer.ok) troubled("the connection was lost; it is tried again");
    else troubled(`${(await answer.text()).trim()}${answer.status === 503 ? ". The numbers on this page still refresh." : ""}`);
  } catch (error) {
    troubled(`the connection was lost; it is tried again: ${error.message}`);
  }
  enough.abort();
  setTimeout(watch, WATCH_AGAIN);
}

async function explain() {
  const destination = $("destination").value.trim();
  if (!destination) return;
  const query = new URLSearchParams({ destination, client: $("client").value.trim(), method: $("method").value });
  const answer = $("answer");
  try {
    const said = await fetched(`/api/explain?${query}`);
    const good = said.verdict === "allow";
    const source = said.source ? `${said.source.document}, section ${said.source.section}: "${said.source.quote}"` : said.assumed ? "an assumption: no document of the vendor names this path" : null;
    const facts = [
      ["Why", said.detail], ["Rule", said.rule], ["Service", said.service], ["Treatment", said.treatment], ["Way", said.way],
      ["Personal data", said.personal_data], ["Promise", said.promise], ["Breaks if blocked", said.breaks_if_blocked], ["Source", source],
      ["Nearest allow rule", said.nearest_allow_rule],
    ].filter(([, value]) => value);
    answer.replaceChildren(
      make("p", [make("strong", said.verdict, { class: good ? "good" : said.verdict === "would_deny" ? "warn" : "bad" }), ` ${said.destination}${said.reason ? `: ${said.reason}` : ""}`]),
      make("dl", facts.flatMap(([name, value]) => [make("dt", name), make("dd", value)]), { class: "facts" }),
    );
  } catch (error) {
    answer.replaceChildren(make("p", error.message, { class: "warning" }));
  }
}

async function refreshObserved() {
  const observing = current.policy.mode === "observe";
  $("observed").hidden = $("observed-link").hidden = !observing;
  // It may be long, and changes slowly.
  if (observing && (refresh.turn ?? 0) % 4 === 0) showObserved(await fetched("/api/observed"));
  refresh.turn = (refresh.turn ?? 0) + 1;
}

async function refresh() {
  try {
    const [now, course, decisions] = await Promise.all([fetched("/api/status"), fetched("/api/history"), fetched("/api/decisions")]);
    current = now;
    past = course;
    showStatus();
    showHistory();
    showDecisions(decisions);
    await refreshObserved();
    if (!live.rows.length && decisions.last.length && !refresh.seen) { live.rows = decisions.last; showLive(); }
    refresh.seen = true;
  } catch (error) {
    $("state").textContent = "the proxy does not answer";
    $("state").className = "state bad";
    trouble(`The proxy does not answer: ${error.message}. What is shown may be out of date.`);
  }
  setTimeout(refresh, 2500);
}

$("span").addEventListener("change", () => past && showHistory());
$("only").addEventListener("change", showLive);
$("filter").addEventListener("input", showLive);
$("clear").addEventListener("click", () => { live.rows = []; live.skipped = 0; showLive(); });
$("pause").addEventListener("click", () => {
  live.paused = !live.paused;
  $("pause").setAttribute("aria-pressed", String(live.paused));
  $("pause").textContent = live.paused ? "Go on" : "Pause";
  showLive();
});
$("ask").addEventListener("submit", (event) => { event.preventDefault(); explain(); });
$("configuration-details").addEventListener("toggle", async (event) => {
  if (!event.target.open) return;
  try { $("configuration").textContent = await fetched("/api/configuration", "text"); } catch (error) { $("configuration").textContent = error.message; }
});
showLive();
watch();
refresh();
