//! Pages that say how each platform is told of the proxy. Their words are in `setup/*.txt`: a heading starts with `#`, a snippet
//! stands between `~~~ id` and `~~~`, what is in backticks is code, `{{name}}` is one of [`Facts`].

use crate::markup::escape;
use crate::policy::pac::{Scheme, Told};
use crate::tls::trust;
use std::fmt::Write as _;

/// The page that leads to the others.
pub const INDEX: &str = "index";
/// How they look.
pub const STYLE: &str = include_str!("setup/style.css");

const PAGES: &[(&str, &str)] = &[
    (INDEX, include_str!("setup/index.txt")),
    ("windows", include_str!("setup/windows.txt")),
    ("dotnet", include_str!("setup/dotnet.txt")),
    ("grpc", include_str!("setup/grpc.txt")),
    ("linux", include_str!("setup/linux.txt")),
    ("curl", include_str!("setup/curl.txt")),
    ("python", include_str!("setup/python.txt")),
    ("node", include_str!("setup/node.txt")),
    ("java", include_str!("setup/java.txt")),
];

/// What pages are filled with.
#[derive(Debug)]
pub struct Facts {
    /// The proxies.
    pub told: Told,
    /// Where the PAC file is.
    pub pac_url: String,
    /// What goes direct, in the form of `NO_PROXY`.
    pub no_proxy: String,
    /// The same as patterns.
    pub local: Vec<String>,
    /// What the policy allows, `host:port`.
    pub hosts: Vec<String>,
    /// Something that answers through the proxy.
    pub check_url: String,
    /// Hosts that are decrypted.
    pub intercepted: Vec<String>,
    /// The interception CA's fingerprint, where something is decrypted.
    pub fingerprint: Option<String>,
    /// Whether clients are asked for a name and a password.
    pub asks_password: bool,
}

impl Facts {
    fn holds(&self, condition: &str) -> bool {
        match condition {
            "ca" => self.fingerprint.is_some(),
            "https" => self.told.scheme == Scheme::Https,
            "password" => self.asks_password,
            _ => false,
        }
    }

    /// Names and what stands for them.
    fn values(&self) -> [(&'static str, String); 13] {
        let first = &self.told.first;
        [
            ("{{url}}", self.told.url()),
            ("{{named_url}}", self.told.url().replacen("://", "://USER:PASSWORD@", 1)),
            ("{{authority}}", first.to_string()),
            ("{{host}}", first.host.to_string()),
            ("{{port}}", first.port.to_string()),
            ("{{pac_url}}", self.pac_url.clone()),
            ("{{no_proxy}}", self.no_proxy.clone()),
            ("{{java_local}}", self.local.join("|")),
            ("{{windows_local}}", self.local.join(";")),
            ("{{hosts}}", self.hosts.join("\n")),
            ("{{check_url}}", self.check_url.clone()),
            ("{{intercepted}}", self.intercepted.join(", ")),
            ("{{fingerprint}}", self.fingerprint.clone().unwrap_or_default()),
        ]
    }
}

/// A page as text.
#[must_use]
pub fn text(name: &str, facts: &Facts) -> Option<String> {
    let (_, template) = PAGES.iter().find(|(known, _)| *known == name)?;
    let chosen = chosen(template, facts);
    Some(facts.values().iter().fold(chosen, |text, (name, value)| text.replace(name, value)))
}

/// What of a template holds: blocks under a condition, and the steps by which a platform trusts the CA where there is one.
fn chosen(template: &str, facts: &Facts) -> String {
    let mut text = String::new();
    let mut is_left_out = false;
    for line in template.lines() {
        if let Some(condition) = directive(line, "if") {
            is_left_out = !facts.holds(condition);
        } else if line == "{{end}}" {
            is_left_out = false;
        } else if let Some(step) = directive(line, "trust").and_then(trust::step) {
            if facts.holds("ca") {
                text.push_str(&trusting(step));
            }
        } else if !is_left_out {
            text.push_str(line);
            text.push('\n');
        }
    }
    text
}

fn directive<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    line.strip_prefix("{{")?.strip_suffix("}}")?.strip_prefix(name)?.strip_prefix(' ')
}

fn trusting(step: &trust::Step) -> String {
    let trust::Step { title, commands, note, .. } = step;
    format!(
        "\n## Trusting the proxy's CA\n\nConnections to {{{{intercepted}}}} are decrypted by the proxy. Get its CA's certificate, `ca.pem`, \
         from who runs the proxy, and compare the SHA-256 fingerprint `{{{{fingerprint}}}}` over another way than this page.\n\n\
         {title}:\n\n~~~ trust\n{commands}\n~~~\n\n{note}\n"
    )
}

/// A page for browsers.
#[must_use]
pub fn html(name: &str, facts: &Facts) -> Option<String> {
    let text = text(name, facts)?;
    let title = text.lines().next().unwrap_or_default().trim_start_matches("# ");
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, \
         initial-scale=1\">\n<title>{}</title>\n<link rel=\"stylesheet\" href=\"/setup/style.css\">\n<nav>",
        escape(title)
    );
    for (other, _) in PAGES {
        let target = if *other == INDEX { "" } else { other };
        let current = if *other == name { " aria-current=\"page\"" } else { "" };
        let _ = write!(page, "<a href=\"/setup/{target}\"{current}>{other}</a> ");
    }
    page.push_str("</nav>\n<main>\n");
    body(&text, &mut page);
    page.push_str("</main>\n</html>\n");
    Some(page)
}

fn body(text: &str, page: &mut String) {
    let mut lines = text.lines();
    let mut paragraph = Vec::new();
    while let Some(line) = lines.next() {
        let block = if let Some(title) = line.strip_prefix("# ") {
            format!("<h1>{}</h1>\n", inline(title))
        } else if let Some(title) = line.strip_prefix("## ") {
            format!("<h2>{}</h2>\n", inline(title))
        } else if let Some(id) = line.strip_prefix("~~~ ") {
            let code: Vec<String> = lines.by_ref().take_while(|line| *line != "~~~").map(escape).collect();
            format!("<pre id=\"{}\">{}</pre>\n", escape(id), code.join("\n"))
        } else if line.is_empty() {
            String::new()
        } else {
            paragraph.push(line);
            continue;
        };
        end_paragraph(&mut paragraph, page);
        page.push_str(&block);
    }
    end_paragraph(&mut paragraph, page);
}

fn end_paragraph(lines: &mut Vec<&str>, page: &mut String) {
    if !lines.is_empty() {
        let _ = writeln!(page, "<p>{}</p>", inline(&lines.join(" ")));
        lines.clear();
    }
}

/// Every other piece between backticks is code.
fn inline(text: &str) -> String {
    let pieces = text.split('`').enumerate();
    pieces.map(|(index, piece)| if index % 2 == 1 { format!("<code>{}</code>", escape(piece)) } else { escape(piece) }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{IpAddr, Ipv4Addr};

    fn facts(scheme: Scheme, decrypts: bool) -> Facts {
        Facts {
            told: Told { scheme, ..Told::address(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 10)), 3128) },
            pac_url: "http://192.0.2.10:8080/proxy.pac".to_owned(),
            no_proxy: "localhost,10.0.0.0/8".to_owned(),
            local: vec!["localhost".to_owned(), "10.*".to_owned()],
            hosts: vec!["<i>&'\"".to_owned()],
            check_url: "https://api.imagicle.com/test".to_owned(),
            intercepted: vec!["api.imagicle.com".to_owned()],
            fingerprint: decrypts.then(|| "AA:BB".to_owned()),
            asks_password: decrypts,
        }
    }

    #[test]
    fn passwords_are_spoken_of_where_they_are_asked_for() {
        for (name, _) in PAGES.iter().filter(|(name, _)| ![INDEX, "java"].contains(name)) {
            let said = |asks| {
                text(name, &Facts { asks_password: asks, ..facts(Scheme::Http, false) }).expect("a page").contains("asks for a user name")
            };
            assert!(said(true) && !said(false), "{name}");
        }
    }

    #[test]
    fn nothing_of_a_template_is_left_in_a_page() {
        for (name, _) in PAGES {
            for (scheme, decrypts) in [(Scheme::Http, false), (Scheme::Http, true), (Scheme::Https, true)] {
                let facts = facts(scheme, decrypts);
                let (text, html) = (text(name, &facts).expect("a page"), html(name, &facts).expect("a page"));
                for page in [&text, &html] {
                    assert!(!page.contains("{{") && !page.contains("}}"), "{name}: {page}");
                }
                assert_eq!(text.matches("~~~").count() % 2, 0, "{name}: {text}");
                assert!(!html.contains("~~~") && !html.contains('`'), "{name}: {html}");
                assert_eq!(text.contains("AA:BB"), decrypts, "{name}: {text}");
                assert!(!text.contains("http://192.0.2.10:3128") || scheme == Scheme::Http, "{name}: {text}");
            }
        }
    }

    #[test]
    fn values_are_text_and_no_markup() {
        let html = html(INDEX, &facts(Scheme::Http, true)).expect("the index");
        assert!(html.contains("&lt;i&gt;&amp;&#39;&quot;") && !html.contains("<i>"), "{html}");
    }

    #[test]
    fn a_page_that_is_not_there_is_none() {
        for name in ["", "nothing", "../mod", "style.css"] {
            assert!(text(name, &facts(Scheme::Http, false)).is_none(), "{name}");
        }
    }
}
