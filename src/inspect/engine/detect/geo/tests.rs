use super::scan;
use crate::inspect::engine::context::TextKind;
use crate::inspect::engine::detect::probe::{all_block, blocks, hits, linear, none_hit, survives, with};
use crate::inspect::engine::finding::Kind;

const HITS: &[(&str, &str)] = &[
    ("", "geo:45.4642,9.19"),
    ("", "geo:45.4642,9.19,120;u=35"),
    ("", "+45.4642+009.1900/"),
    ("", "-33.8688+151.2093"),
    ("", "+452751+0091122/"),
    ("", "45\u{b0}27'51\"N 9\u{b0}11'22\"E"),
    ("", "45\u{b0} 27' 51.1\" N, 9\u{b0} 11' 22\" E"),
    ("", "45.4642\u{b0} N, 9.1900\u{b0} E"),
    ("", "N 45\u{b0} 27.855 E 009\u{b0} 11.372"),
    ("", "45\u{b0}27\u{2032}51\u{2033}N"),
    ("", "45.4642 N, 9.1900 E"),
    ("", "45.4642N 9.1900E"),
    ("", "$GPGGA,123519,4807.038,N,01131.000,E,1,08,0.9,545.4,M,46.9,M,,*47"),
    ("", "$GNRMC,123519,A,4807.038,N,01131.000,E,022.4,084.4,230394,003.1,W*6A"),
    ("", "lat=45.4642&lon=9.1900"),
    ("", "{\"latitude\": 45.4642, \"longitude\": 9.1900}"),
    ("", "lat: 45.4642, lng: 9.1900"),
    ("", "https://www.google.com/maps/@45.4642,9.1900,15z"),
    ("latitude", "45.4642"),
    ("longitude", "-9.19004"),
    ("lat", "45.4642"),
    ("lon", "9.19004"),
    ("gps position", "45.4642, 9.1900"),
    ("coordinates", "45.4642,9.1900"),
    ("gps long", "9.19004"),
];

const MISSES: &[(&str, &str)] = &[
    ("", "45.4642"),
    ("", "45.4642, 9.1900"),
    ("", "12.345, 45.464"),
    ("", "1.2345,2.3456,3.4567"),
    ("", "45.46,9.19"),
    ("cpu", "12.3456"),
    ("cpu", "45.4642"),
    ("cpu", "12.3456 45.4642"),
    ("", "cpu 12.3456 and 45.4642"),
    ("latitude", "Latitude 7490"),
    ("model", "45.4642"),
    ("latitude", "45"),
    ("latitude", "145.4642"),
    ("latency", "45.4642"),
    ("long", "9.19004"),
    ("", "45 \u{b0}C"),
    ("", "45\u{b0}C"),
    ("", "rotate 90\u{b0} N"),
    ("", "geo:"),
    ("", "geo:eu,west"),
    ("", "geography: 45.4642"),
    ("", "+45+009"),
    ("", "+1.5-2.5"),
    ("", "1.2e-07"),
    ("", "-1.234-5.678"),
    ("", "2024-01-31T10:00:00+01:00"),
    ("", "$GPU,1,N,2,E"),
    ("", "lat=12.5ms"),
    ("", "lat=45.4642 cpu=12.3456"),
    ("", "Dell Latitude 7490"),
    ("", "flat=45.4642,lon=9.1900"),
    ("location", "Milan 20121"),
    ("position", "12, 34"),
    ("", "20.70.10.2 N, 3.3.16.1 E"),
    ("", "10.0.17763 S"),
    ("", ""),
];

#[test]
fn positions_block() {
    all_block(scan, Kind::Geolocation, TextKind::Free, HITS);
}

#[test]
fn other_numbers_pass() {
    none_hit(scan, TextKind::Free, MISSES);
}

#[test]
fn two_precise_numbers_with_a_comma_are_a_position() {
    for kind in [TextKind::Free, TextKind::Name, TextKind::Path] {
        for text in
            ["45.4642,9.1900", "at 41.597305,14.35187", "37.40312, 6.957377", "x POINT(-2.562 37.42407)", "point (6.96418 54.90844)"]
        {
            assert!(blocks(scan, text, "", kind), "{text}");
        }
        none_hit(scan, kind, &[("", "POINT(1 2)"), ("", "10.0.1,10.0.2"), ("", "checkpoint(1.234 5.678)"), ("", "145.46421,9.19001")]);
    }
}

#[test]
fn numbers_need_a_key() {
    none_hit(scan, TextKind::Number, &[("cpu", "45.4642"), ("used memory", "9.19004"), ("", "12.3456")]);
    assert!(blocks(scan, "45.4642", "latitude", TextKind::Number));
    assert!(blocks(scan, "45.4642", "gps lat", TextKind::Number));
}

#[test]
fn a_latency_weighs_half() {
    let bits = with("avg lat", TextKind::Number, |context| hits(scan, b"12.345", context).first().map(|hit| hit.bits));
    assert_eq!(bits, Some(super::HALF));
}

#[test]
fn work_is_linear() {
    linear(scan, &["+", "-1", "+45.4642", "\u{b0}", "45\u{b0}", "N", "1.0N ", "geo:1", "lat=", "lat=1.000,", "$GPGGA,", "/@1,"]);
}

#[test]
fn cuts_are_harmless() {
    survives(
        scan,
        &["45\u{b0}27'51\"N 9\u{b0}11'22\"E", "+45.4642+009.1900/", "$GPGGA,1,4807.038,N,01131.000,E,", "lat=45.4642&lon=9.1900"],
    );
}
