//! Header values with parameters: `value; name=token; name="quoted"` (RFC 9110 section 5.6.6, RFC 2183).

/// A value and its parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Parameterised {
    /// In lower case.
    pub(super) value: String,
    /// Names in lower case, and values without their quotation marks.
    pub(super) parameters: Vec<(String, String)>,
}

impl Parameterised {
    /// `None` for what cannot be read in one way only: also for a parameter that is there twice.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (value, mut rest) = text.split_at(text.find(';').unwrap_or(text.len()));
        let value = value.trim_matches([' ', '\t']).to_ascii_lowercase();
        if value.split('/').count() > 2 || !value.split('/').all(is_token) {
            return None;
        }
        let mut parameters: Vec<(String, String)> = Vec::new();
        while let Some(behind) = rest.strip_prefix(';') {
            let behind = behind.trim_start_matches([' ', '\t']);
            // RFC 9110 lets a parameter be empty.
            if behind.is_empty() || behind.starts_with(';') {
                rest = behind;
                continue;
            }
            let (name, behind) = behind.split_once('=')?;
            let (value, behind) = parameter(behind)?;
            let name = name.to_ascii_lowercase();
            if !is_token(&name) || parameters.iter().any(|(other, _)| *other == name) {
                return None;
            }
            parameters.push((name, value));
            rest = behind.trim_start_matches([' ', '\t']);
        }
        rest.is_empty().then_some(Self { value, parameters })
    }

    /// The value of a parameter.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }
}

/// A token or a quoted string, and what follows.
fn parameter(text: &str) -> Option<(String, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let (token, rest) = text.split_at(text.find([';', ' ', '\t']).unwrap_or(text.len()));
        return is_token(token).then(|| (token.to_owned(), rest));
    };
    let mut value = String::new();
    let mut characters = quoted.chars();
    loop {
        match characters.next()? {
            '"' => return Some((value, characters.as_str())),
            '\\' => value.push(characters.next()?),
            character => value.push(character),
        }
    }
}

/// Whether a text is a token (RFC 9110 section 5.6.2).
pub(super) fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn values_and_parameters_are_read() {
        let parse = |text| {
            let Parameterised { value, parameters } = Parameterised::parse(text)?;
            Some(
                [value]
                    .into_iter()
                    .chain(parameters.into_iter().map(|(name, value)| format!("{name}={value}")))
                    .collect::<Vec<_>>()
                    .join("|"),
            )
        };
        for (text, expected) in [
            ("text/plain", "text/plain"),
            ("Form-Data; Name=a; filename=\"x y.txt\"", "form-data|name=a|filename=x y.txt"),
            ("form-data;name=\"a\\\"b\\\\c\"", "form-data|name=a\"b\\c"),
            ("form-data; name=\"a;b=c\" ; x=1", "form-data|name=a;b=c|x=1"),
            ("form-data; name=\"é\"", "form-data|name=é"),
            ("a/b;;x=1;", "a/b|x=1"),
        ] {
            assert_eq!(parse(text).as_deref(), Some(expected), "{text}");
        }
        for text in [
            "",
            ";a=1",
            "a b",
            "a/b/c",
            "a/",
            "a;b",
            "a;b=",
            "a;=b",
            "a;b=\"",
            "a;b=\"x\\",
            "a;b=\"x\"y",
            "a;b=x y",
            "a;b=1;B=2",
            "a; b =1",
            "a;b= 1",
            "a, b",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "[a/;=\" \\\\é]{0,30}") {
            let _parsed = Parameterised::parse(&text);
        }
    }
}
