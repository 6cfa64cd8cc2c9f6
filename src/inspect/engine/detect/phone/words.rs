//! Words that make a number a telephone number, in keys and before it in the text.

use crate::inspect::engine::context::Context;

/// Words of a telephone number, lower case.
const PHONE: &[&str] = &[
    "phone",
    "phones",
    "telephone",
    "telefono",
    "telefoni",
    "telefon",
    "telefonnummer",
    "telefone",
    "telephonenumber",
    "phonenumber",
    "mobilenumber",
    "tel",
    "mobile",
    "mobiltelefon",
    "cell",
    "cellphone",
    "cellulare",
    "cellular",
    "handy",
    "mobil",
    "movil",
    "portable",
    "natel",
    "msisdn",
    "fax",
    "telefax",
    "telecopie",
    "caller",
    "callerid",
    "callernumber",
    "calling",
    "callingnumber",
    "callingparty",
    "called",
    "callednumber",
    "calledparty",
    "callee",
    "dialed",
    "dialled",
    "redirecting",
    "ani",
    "dnis",
    "clid",
    "clip",
    "rufnummer",
    "durchwahl",
    "whatsapp",
    "pager",
    "telno",
    "phoneno",
];
/// Words of a number inside a company: three digits are enough.
const EXTENSION: &[&str] = &[
    "extension",
    "ext",
    "extensions",
    "interno",
    "interni",
    "nebenstelle",
    "durchwahl",
    "anexo",
    "poste",
    "dn",
    "caller",
    "callerid",
    "calling",
    "callingnumber",
    "called",
    "callednumber",
    "callee",
    "dialed",
    "dialled",
    "redirecting",
    "phone",
    "phonenumber",
    "telephone",
    "telefono",
    "telefon",
    "ani",
    "dnis",
    "clid",
    "rufnummer",
];
/// Words that make the value a measure, a state or another number.
const MEASURE: &[&str] = &[
    "count",
    "counts",
    "counter",
    "total",
    "sent",
    "received",
    "active",
    "rate",
    "rates",
    "size",
    "bytes",
    "version",
    "ver",
    "build",
    "port",
    "ports",
    "timeout",
    "seconds",
    "ms",
    "duration",
    "time",
    "date",
    "timestamp",
    "epoch",
    "retention",
    "max",
    "min",
    "limit",
    "of",
    "users",
    "devices",
    "enabled",
    "state",
    "status",
    "serial",
    "pid",
    "license",
    "licenses",
    "licence",
    "licences",
    "lock",
    "request",
    "requests",
    "usage",
    "memory",
    "guid",
    "hash",
    "id",
    "uuid",
    "percent",
    "length",
    "index",
    "offset",
    "type",
    "model",
];
/// Verbs before a number that somebody is asked to call. The English one is also what programs do.
const CALLS: &[&str] = &[
    "chiama",
    "chiamare",
    "chiamami",
    "chiamate",
    "telefonare",
    "contattare",
    "contatta",
    "anrufen",
    "appeler",
    "appelez",
    "llamar",
    "llame",
    "ligar",
    "bellen",
];
/// Words that may stand between the word and the number: `Tel. no. 02 1234 5678`.
const FILLERS: &[&str] = &["no", "nr", "number", "numero", "num", "n", "nummer", "is", "al", "at"];
/// Longest word that is read.
const MAX_WORD: usize = 24;

/// Whether the key says telephone number.
pub(super) fn is_phone(context: &Context<'_>) -> bool {
    (context.says(PHONE) || is_extension(context)) && !is_measure(context)
}

/// Whether the key says number inside a company.
pub(super) fn is_extension(context: &Context<'_>) -> bool {
    (context.says(EXTENSION) || (context.says(&["directory"]) && context.says(&["number"]))) && !is_measure(context)
}

/// Whether the key says measure or another number. `caller id` is none.
pub(super) fn is_measure(context: &Context<'_>) -> bool {
    let is_caller = context.says(&["caller", "calling", "called"]);
    context.key.iter().any(|word| MEASURE.contains(word) && !(is_caller && *word == "id"))
}

/// Whether the word before `start` says telephone number; `start` is where the number begins.
pub(super) fn are_before(text: &[u8], start: usize) -> bool {
    let Some((word, at)) = word_before(text, start) else { return false };
    if is_one_of(word, FILLERS) {
        return word_before(text, at).is_some_and(|(word, _)| is_one_of(word, PHONE));
    }
    is_one_of(word, PHONE) || is_one_of(word, CALLS) || is_one_of(word, &["phonenumber", "int", "ext"])
}

/// Whether the word before a number of two to six digits says number inside a company. What may also be a word for something else needs
/// its full stop or three digits that are no year.
pub(super) fn is_extension_before(text: &[u8], start: usize, digits: usize) -> bool {
    let Some((word, word_start)) = word_before(text, start) else { return false };
    let gap = text.get(word_start + word.len()..start).unwrap_or_default();
    let is_marked = gap.iter().any(|byte| matches!(byte, b'.' | b':'));
    let is_year = digits == 4 && matches!(text.get(start..start + 2), Some(b"19" | b"20"));
    if gap.is_empty() || gap.contains(&b'-') || gap.contains(&b'/') {
        return false;
    }
    if is_one_of(word, &["durchwahl", "nebenstelle", "interno", "anexo", "ramal"]) {
        return true;
    }
    let is_long = digits >= 3 && (is_marked || !is_year);
    is_one_of(word, &["ext", "extn", "extension", "poste"]) && is_long || is_one_of(word, &["int", "dw"]) && is_marked && digits >= 2
}

/// The word that ends before `end`, behind at most six separators, and where it begins.
fn word_before(text: &[u8], end: usize) -> Option<(&[u8], usize)> {
    let head = text.get(..end)?;
    let gap = head.iter().rev().take(6).take_while(|byte| b" \t.:=#(/\"'>-_+".contains(byte)).count();
    let head = head.get(..head.len() - gap)?;
    let length = head.iter().rev().take(MAX_WORD).take_while(|byte| byte.is_ascii_alphabetic()).count();
    let start = head.len() - length;
    (length > 0).then(|| head.get(start..)).flatten().map(|word| (word, start))
}

fn is_one_of(word: &[u8], words: &[&str]) -> bool {
    words.iter().any(|known| word.eq_ignore_ascii_case(known.as_bytes()))
}
