//! Patterns for paths, as policy files write them.

/// A path of a policy file: exact, or everything below a folder (`/telemetry/**`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathPattern {
    path: String,
    below: bool,
}

impl PathPattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// A sentence with the accepted form.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        const FORM: &str = "write a plain path such as \"/test\", or \"/telemetry/**\" for everything below it";
        let (path, below) = text.strip_suffix("/**").map_or((text, false), |path| (path, true));
        let is_root = path.is_empty() && below;
        if !is_root && !is_plain(path) {
            return Err(FORM);
        }
        Ok(Self { path: path.to_owned(), below })
    }

    /// Whether it covers a path.
    #[must_use]
    pub fn matches(&self, path: &str) -> bool {
        match path.strip_prefix(self.path.as_str()) {
            Some("") => !self.below,
            Some(rest) => self.below && rest.starts_with('/'),
            None => false,
        }
    }

    /// How many segments of a path it gives itself.
    #[must_use]
    pub fn segments(&self) -> usize {
        self.path.matches('/').count()
    }

    /// Longer is narrower, and exact is narrower than everything below.
    #[must_use]
    pub fn narrowness(&self) -> (usize, bool) {
        (self.path.len(), !self.below)
    }
}

/// Whether every parser reads the path the same way.
#[must_use]
pub fn is_plain(path: &str) -> bool {
    let is_plain_byte = |byte: u8| byte.is_ascii_alphanumeric() || b"/-._~!$&'()*+,=:@".contains(&byte);
    path.starts_with('/')
        && path.bytes().all(is_plain_byte)
        && !path.contains("**")
        && path.split('/').all(|segment| !matches!(segment, "." | ".."))
        && !path.contains("//")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str) -> PathPattern {
        PathPattern::parse(text).unwrap_or_else(|problem| panic!("{text}: {problem}"))
    }

    #[test]
    fn patterns_match_whole_segments() {
        for (text, path, matches) in [
            ("/test", "/test", true),
            ("/test", "/test/", false),
            ("/test", "/testing", false),
            ("/test", "/Test", false),
            ("/telemetry/**", "/telemetry/", true),
            ("/telemetry/**", "/telemetry/v1/beat", true),
            ("/telemetry/**", "/telemetry", false),
            ("/telemetry/**", "/telemetryx/a", false),
            ("/**", "/anything", true),
        ] {
            assert_eq!(pattern(text).matches(path), matches, "{text} {path}");
        }
    }

    #[test]
    fn patterns_that_say_something_else_are_refused() {
        for text in ["", "test", "/a/*/b/**/c", "/a//b", "/a/../b", "/a%2fb", "/a b", "/a?b", "/a#b", "/a\\b", "/a;b", "**"] {
            assert!(PathPattern::parse(text).is_err(), "{text}");
        }
    }
}
