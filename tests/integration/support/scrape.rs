//! `/metrics` as a test sees it: the Prometheus text format, read back into numbers.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::time::{Instant, interval};

use super::client::{DEADLINE, exchange};

/// One reading of every metric.
pub struct Scrape {
    text: String,
    samples: Vec<Sample>,
}

struct Sample {
    name: String,
    labels: Vec<(String, String)>,
    value: f64,
    /// The value, if it is written as a whole number.
    whole: Option<usize>,
}

impl Scrape {
    pub async fn get(admin: SocketAddr) -> Self {
        let request = format!("GET /metrics HTTP/1.1\r\nHost: {admin}\r\nConnection: close\r\n\r\n");
        let (head, body) = exchange(admin, request.as_bytes()).await;
        assert_eq!(head.status, 200, "{head:?}");
        Self::parse(String::from_utf8(body).expect("the text format is UTF-8"))
    }

    fn parse(text: String) -> Self {
        let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
        let samples = lines.map(Sample::parse).collect();
        Self { text, samples }
    }

    /// The series called `name` that carry all of `labels`, added up; `None` if there are none.
    /// Labels left out match anything, so a test names only those it is about.
    pub fn value(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let matching = self.samples.iter().filter(|sample| sample.matches(name, labels));
        matching.map(|sample| sample.value).reduce(|sum, value| sum + value)
    }

    /// The same for what is counted in whole numbers. A series that does not exist fails the test: it counts nothing.
    pub fn count(&self, name: &str, labels: &[(&str, &str)]) -> usize {
        let matching: Vec<_> = self.samples.iter().filter(|sample| sample.matches(name, labels)).collect();
        assert!(!matching.is_empty(), "no series {name} with {labels:?}");
        matching.iter().map(|sample| sample.whole.expect("counts are whole numbers")).sum()
    }

    /// Decisions with this verdict and reason, whatever the service; an allow has the reason `""`.
    pub fn decisions(&self, verdict: &str, reason: &str) -> usize {
        self.count("ucx_egress_decisions_total", &[("verdict", verdict), ("reason", reason)])
    }

    pub fn all_decisions(&self) -> usize {
        self.count("ucx_egress_decisions_total", &[])
    }

    /// Clients connected to the proxy's listener now.
    pub fn clients(&self) -> usize {
        self.count("ucx_egress_connections", &[("listener", "proxy")])
    }

    /// Nobody is connected, no tunnel is open.
    pub fn is_idle(&self) -> bool {
        self.clients() == 0
            && self.count("ucx_egress_connections", &[("listener", "relay")]) == 0
            && self.count("ucx_egress_tunnels", &[]) == 0
    }

    /// How many series the scrape holds: what an operator pays for.
    pub fn series(&self) -> usize {
        self.samples.len()
    }

    /// The families declared by `# TYPE`, in order.
    pub fn families(&self) -> Vec<String> {
        let declared = self.text.lines().filter_map(|line| line.strip_prefix("# TYPE "));
        declared.filter_map(|line| line.split(' ').next()).map(str::to_owned).collect()
    }

    /// The scrape as received, to search for what must not be in it.
    pub fn text(&self) -> &str {
        &self.text
    }
}

impl Sample {
    fn parse(line: &str) -> Self {
        let name_end = line.find(['{', ' ']).expect("a sample has a name and a value");
        let (name, rest) = line.split_at(name_end);
        let (labels, rest) = match rest.strip_prefix('{') {
            Some(rest) => parse_labels(rest),
            None => (Vec::new(), rest),
        };
        let word = rest.split_ascii_whitespace().next().unwrap_or_default();
        let value = word.parse().unwrap_or_else(|_| panic!("no number in {line}"));
        Self { name: name.to_owned(), labels, value, whole: word.parse().ok() }
    }

    fn matches(&self, name: &str, labels: &[(&str, &str)]) -> bool {
        let carries = |wanted: &(&str, &str)| self.labels.iter().any(|(key, value)| (key.as_str(), value.as_str()) == *wanted);
        self.name == name && labels.iter().all(carries)
    }
}

/// Reads `key="value",…}` and returns what follows the brace.
fn parse_labels(mut rest: &str) -> (Vec<(String, String)>, &str) {
    let mut labels = Vec::new();
    loop {
        rest = rest.trim_start_matches([',', ' ']);
        if let Some(after) = rest.strip_prefix('}') {
            return (labels, after);
        }
        let (key, after) = rest.split_once("=\"").expect("a label is key=\"value\"");
        let (value, after) = parse_quoted(after);
        labels.push((key.to_owned(), value));
        rest = after;
    }
}

/// Undoes the escapes `\\`, `\"` and `\n` up to the closing quote.
fn parse_quoted(text: &str) -> (String, &str) {
    let mut value = String::new();
    let mut chars = text.chars();
    loop {
        match chars.next().expect("a label value ends with a quote") {
            '"' => return (value, chars.as_str()),
            '\\' => match chars.next().expect("an escape has a second character") {
                'n' => value.push('\n'),
                escaped => value.push(escaped),
            },
            plain => value.push(plain),
        }
    }
}

/// Scrapes until `condition` holds and returns that scrape; fails the test at the deadline.
///
/// Metrics have no event to wait for, so this is the one place that asks again and again.
pub async fn wait_until(admin: SocketAddr, condition: impl Fn(&Scrape) -> bool) -> Scrape {
    let deadline = Instant::now() + DEADLINE;
    let mut pause = interval(Duration::from_millis(10));
    loop {
        pause.tick().await;
        let scrape = Scrape::get(admin).await;
        if condition(&scrape) {
            return scrape;
        }
        assert!(Instant::now() < deadline, "not so within {DEADLINE:?}:\n{}", scrape.text());
    }
}

/// Waits until so many decisions with this verdict and reason were counted.
pub async fn wait_for_decisions(admin: SocketAddr, verdict: &str, reason: &str, count: usize) -> Scrape {
    wait_until(admin, |scrape| scrape.decisions(verdict, reason) >= count).await
}

/// Waits until every client is gone and every tunnel closed.
pub async fn wait_until_idle(admin: SocketAddr) -> Scrape {
    wait_until(admin, Scrape::is_idle).await
}
