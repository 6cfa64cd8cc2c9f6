use super::{magic, scan};
use crate::inspect::engine::context::TextKind;
use crate::inspect::engine::detect::probe::{all_block, linear, none_hit, survives};
use crate::inspect::engine::finding::Kind;

const HITS: &[(&str, &str)] = &[
    ("", "data:image/png;base64,iVBORw0KGgo="),
    ("", "data:audio/wav;base64,UklGRg=="),
    ("", "src=\"data:image/svg+xml,%3Csvg\""),
    ("", "data:application/pdf;base64,AAAA"),
    ("", "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ"),
    ("", "/9j/4AAQSkZJRgABAQEASABIAAD/2wBDAAgGBgcGBQg"),
    ("", "_9j_4AAQSkZJRgABAQEASABIAAD_2wBDAAgGBgcGBQg"),
    ("", "R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAA"),
    ("", "UklGRiQAAABXQVZFZm10IBAAAAABAAEARKwAAIhYAQA"),
    ("", "JVBERi0xLjcKJeLjz9MKMSAwIG9iago8PC9UeXBlL0"),
    ("", "UEsDBBQABgAIAAAAIQDfpNJsWgEAACAFAAATAAgCW0N"),
    ("", "SUkqAAgAAAAKAAABBAABAAAAAAgAAAEBBAABAAAAAAg"),
    ("", "T2dnUwACAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
    ("", "SUQzBAAAAAAAI1RTU0UAAAAPAAADTGF2ZjU4Ljc2LjE"),
    ("", "IyFBTVIKPJEXFr5meeHgAeev8AAAAIAAAAAAAAAAAAA"),
    ("", "photo=iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYA;"),
    ("", "89504e470d0a1a0a0000000d4948445200000001000000010806"),
    ("", "0xFFD8FFE000104A46494600010100000100010000FFDB0043000302"),
    ("", "%PDF-1.7 1 0 obj"),
    ("", "AAAAGGZ0eXBoZWljAAAAAG1pZjFoZWljAAABV21ldGE"),
];

const MISSES: &[(&str, &str)] = &[
    ("", "data: 12"),
    ("", "data:text/plain,hello"),
    ("", "metadata:image/png,abc"),
    ("", "data:image/png"),
    ("", "iVBORw0KGgo"),
    ("", "/9j/path"),
    ("", "00ffffffffffff0010ac64a04c4641322615010380342078ea"),
    ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    ("", "Z8fLHYqJwOWg6kTm2q0sVn1UeB7ZzAxkLICm2xgQ3b5TzR4Fh6yPpXo1A9sDd8cVvNn0MmKkJj7HhGg6FfDd=="),
    ("", "Qk1hcmtldGluZyBEZXBhcnRtZW50IFNlcnZlcg"),
    ("", "//////////////////////////////////"),
    ("", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
    ("", "C:/Program/Files/Imagicle/StoneFax/Application/Suite"),
    ("", "GIF89a encoder version 1"),
    ("", "PDF-XChange"),
    ("", "RIFF and WAVE are formats"),
    ("", "BM25 ranking of documents and more of the same"),
    ("", "ID3 tag editor"),
    ("", "fLaC player"),
    ("", "To Be Filled By O.E.M."),
    ("", ""),
];

#[test]
fn media_in_text_block() {
    all_block(scan, Kind::Media, TextKind::Free, HITS);
    all_block(scan, Kind::Media, TextKind::Name, HITS);
}

#[test]
fn other_text_passes() {
    none_hit(scan, TextKind::Free, MISSES);
}

#[test]
fn heads_are_known() {
    let bitmap = b"BM\x36\0\x0c\0\0\0\0\0\x36\0\0\0\x28\0\0\0";
    let frame = [&[0xff, 0xfb, 0x90, 0x00][..], &[0; 413], &[0xff, 0xfb, 0x90, 0x00]].concat();
    let rows: &[(&[u8], Option<&str>)] = &[
        (b"\x89PNG\r\n\x1a\n", Some("png")),
        (b"\xff\xd8\xff\xe0", Some("jpeg")),
        (b"GIF89a\x01\0\x01\0\x80\0\0", Some("gif")),
        (b"RIFF\0\0\0\0WEBPVP8 ", Some("webp")),
        (b"RIFF\0\0\0\0WAVEfmt ", Some("wav")),
        (b"\0\0\0\x18ftypheic", Some("heic")),
        (b"\0\0\0\x18ftypisom", Some("mp4")),
        (b"\0\0\0\x18ftypM4A ", Some("m4a")),
        (bitmap, Some("bmp")),
        (b"II*\0", Some("tiff")),
        (b"MM\0*", Some("tiff")),
        (b"%PDF-1.4", Some("pdf")),
        (b"PK\x03\x04", Some("zip")),
        (b"OggS\0", Some("ogg")),
        (b"fLaC\0", Some("flac")),
        (b"ID3\x03\0", Some("mp3")),
        (&frame, Some("mp3")),
        (b"#!AMR\n", Some("amr")),
        (b"#!AMR-WB\n", Some("amr")),
        (b".snd\0\0\0\x18", Some("au")),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", Some("ole")),
        (b"\x1f\x8b\x08", None),
        (b"\xff\xfb\x90\x00", None),
        (b"\xff\xfe\x41\x00", None),
        (b"BMW X5 with options and more", None),
        (b"RIFF", None),
        (b"", None),
    ];
    for (bytes, kind) in rows {
        assert_eq!(magic(bytes), *kind, "{bytes:?}");
    }
}

#[test]
fn work_is_linear() {
    linear(scan, &["A", "data:", "data:image/", "data:image/a;", "iVBORw0KGgo ", "/9j/", "ff", "89504e47", "A:"]);
}

#[test]
fn cuts_are_harmless() {
    survives(scan, &["data:image/png;base64,iVBORw0KGgo=", "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAf"]);
}
