//! The documents in a body as values, for whoever learns what fields messages have.

use super::engine::canonical::coding;
use super::engine::format::media::{Format, MediaType};
use super::inspector::{Inspector, joined, single};
use http::HeaderMap;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use serde_json::{Map, Value};

impl Inspector {
    /// The documents in a body: one of JSON, one a line of NDJSON, the pairs of a form. Nothing for other formats, for what cannot be
    /// read, and for no body at all.
    #[must_use]
    pub fn documents(&self, headers: &HeaderMap, bytes: &[u8]) -> Option<Vec<Value>> {
        let media = single(headers, &CONTENT_TYPE).and_then(MediaType::parse)?;
        if !matches!(media.format, Format::Json | Format::NdJson | Format::Form) {
            return None;
        }
        let decoded = coding::decode(&joined(headers, &CONTENT_ENCODING)?, bytes, &self.limits).ok()?;
        let readings = media.readings(&decoded).ok()?;
        let text = readings.first()?;
        match media.format {
            Format::Json => Some(vec![serde_json::from_str(text).ok()?]),
            Format::NdJson => text.lines().filter(|line| !line.trim().is_empty()).map(|line| serde_json::from_str(line).ok()).collect(),
            _ => {
                let pairs = form_urlencoded::parse(text.as_bytes());
                let members: Map<String, Value> =
                    pairs.map(|(name, value)| (name.into_owned(), Value::String(value.into_owned()))).collect();
                Some(vec![Value::Object(members)])
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::engine::shape::Shape;
    use crate::inspect::engine::walk::Settings;
    use http::HeaderValue;
    use serde_json::json;

    #[test]
    fn documents_are_read_as_their_headers_say() {
        let shape = Shape::built_in().expect("the shape compiles");
        let inspector = Inspector::new(shape, Settings::default(), None, 1 << 20);
        let read = |content_type: &'static str, text: &str| {
            let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(content_type))]);
            inspector.documents(&headers, text.as_bytes())
        };
        assert_eq!(read("application/json", r#"{"a":1}"#), Some(vec![json!({"a": 1})]));
        assert_eq!(read("application/x-ndjson", "{\"a\":1}\n\n2\n"), Some(vec![json!({"a": 1}), json!(2)]));
        assert_eq!(read("application/x-www-form-urlencoded", "a=b%20c&d"), Some(vec![json!({"a": "b c", "d": ""})]));
        for (content_type, text) in [("application/json", "{"), ("text/plain", "a"), ("application/grpc", "a"), ("application/json", "")] {
            assert_eq!(read(content_type, text), None, "{content_type}");
        }
    }
}
