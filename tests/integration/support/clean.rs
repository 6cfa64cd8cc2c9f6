//! Payloads that inspection has nothing against, for tests of how messages travel: documented fields, and values whose form alone
//! proves them harmless.

/// A text of five bytes: a version under no name at all.
pub const TEXT: &str = "1.2.3";

/// A process, as documented.
const PROCESS: &str = r#"{"pid":4,"name":"svchost.exe","workingSet":12345678},"#;
/// Processes in a document at most; a longer one has blanks behind them.
const PROCESSES: usize = 1_000;

/// A JSON document of exactly so many bytes, 90 at least.
pub fn document(length: usize) -> String {
    let (head, tail) = (r#"{"processes":["#, "]}");
    let room = length - head.len() - tail.len();
    let processes = PROCESS.repeat((room / PROCESS.len()).clamp(1, PROCESSES));
    let document = format!("{head}{}{tail}", processes.trim_end_matches(','));
    format!("{document}{}", " ".repeat(length - document.len()))
}

/// A Protocol Buffers message with one number.
pub fn number(value: u64) -> Vec<u8> {
    [&[8][..], &varint(value)].concat()
}

/// A Protocol Buffers message with this text, whatever it says.
pub fn labelled(text: &str) -> Vec<u8> {
    field(1, text.as_bytes())
}

/// A field of such a message with these bytes: a text, a message.
pub fn field(number: u64, bytes: &[u8]) -> Vec<u8> {
    [&varint(number << 3 | 2), &varint(bytes.len() as u64), bytes].concat()
}

/// A Protocol Buffers message of exactly so many bytes, if there is one: a blank text, and a number where that is needed.
pub fn record(length: usize) -> Vec<u8> {
    // An odd number of blanks is no message in itself.
    let fronts = [Vec::new(), number(1), number(1 << 7)];
    let candidates = fronts.iter().flat_map(|front| (2..6).map(move |overhead| (front, overhead)));
    let mut records = candidates.filter_map(|(front, overhead)| {
        let blanks = length.checked_sub(front.len() + overhead).filter(|blanks| blanks % 2 == 1)?;
        Some([&front[..], &labelled(&" ".repeat(blanks))].concat())
    });
    records.find(|record| record.len() == length).expect("a length that there is")
}

/// A number as Protocol Buffers write it.
fn varint(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value > 0x7f {
        bytes.push(value.to_le_bytes()[0] | 0x80);
        value >>= 7;
    }
    bytes.push(value.to_le_bytes()[0]);
    bytes
}
