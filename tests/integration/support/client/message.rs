//! What the proxy answers: a response head as written, and the explanation inside a refusal.

/// The status line and headers of an answer, as received.
#[derive(Clone, Debug)]
pub struct Head {
    pub version: String,
    pub status: u16,
    pub reason: String,
    /// In order, names as written, repeated names kept.
    pub headers: Vec<(String, String)>,
}

impl Head {
    pub(super) fn parse(bytes: &[u8]) -> Self {
        let text = str::from_utf8(bytes).expect("a response head is ASCII");
        let mut lines = text.split_terminator("\r\n").take_while(|line| !line.is_empty());
        let status_line = lines.next().expect("a response starts with a status line");
        let mut words = status_line.splitn(3, ' ').map(str::to_owned);
        Self {
            version: words.next().expect("splitting yields at least one part"),
            status: words.next().and_then(|word| word.parse().ok()).expect("a numeric status"),
            reason: words.next().unwrap_or_default(),
            headers: lines.map(header).collect(),
        }
    }

    /// The first header called `name`, in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        headers.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    pub(super) fn has_no_body(&self) -> bool {
        matches!(self.status, 100..=199 | 204 | 304)
    }

    pub(super) fn is_chunked(&self) -> bool {
        self.header("transfer-encoding").is_some_and(|coding| coding.ends_with("chunked"))
    }
}

fn header(line: &str) -> (String, String) {
    let (name, value) = line.split_once(':').expect("a header line has a colon");
    (name.to_owned(), value.trim().to_owned())
}

/// A refusal's body: `application/problem+json` (RFC 9457) with the product's own members.
#[derive(Clone, Debug)]
pub struct Problem {
    pub type_uri: String,
    pub title: String,
    pub status: u16,
    pub detail: String,
    pub reason: String,
    pub decision: String,
    /// Absent when no rule had a say.
    pub rule: Option<String>,
}

impl Problem {
    /// Panics unless `body` is a complete problem document: a refusal without one is a bug.
    pub fn parse(head: &Head, body: &[u8]) -> Self {
        assert_eq!(head.header("content-type"), Some("application/problem+json"), "{head:?}");
        let json: serde_json::Value = serde_json::from_slice(body).expect("a problem is JSON");
        let optional = |member: &str| json[member].as_str().map(str::to_owned);
        let text = |member: &str| optional(member).unwrap_or_else(|| panic!("no text member {member} in {json}"));
        Self {
            type_uri: text("type"),
            title: text("title"),
            status: json["status"].as_u64().and_then(|n| n.try_into().ok()).expect("a status"),
            detail: text("detail"),
            reason: text("reason"),
            decision: text("decision"),
            rule: optional("rule"),
        }
    }
}
