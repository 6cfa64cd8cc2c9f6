//! Charts as SVG: few shapes, no script, colours by class so that light, dark and paper have their own.

use super::evidence::{Bar, ServiceRow};
use super::figures::Counts;
use crate::markup::escape;
use std::fmt::Write as _;

/// Width of a chart in its own units.
const WIDTH: f64 = 900.0;
/// Height of the bars over time.
const HEIGHT: f64 = 150.0;
/// Room for the numbers beside the bars.
const LEFT: f64 = 60.0;
/// One bar of the bars beside each other.
const ROW: f64 = 24.0;
/// Room for the names beside them.
const NAMES: f64 = 150.0;
/// Labels below the bars over time, about.
const LABELS: usize = 8;

#[expect(clippy::cast_precision_loss, reason = "a length on paper")]
fn length(value: u64) -> f64 {
    value as f64
}

/// Decisions over time: each bar from below let through, observed, refused.
#[must_use]
pub fn timeline(bars: &[Bar]) -> String {
    let most = bars.iter().map(|bar| bar.decisions.all()).max().unwrap_or_default().max(1);
    let width = (WIDTH - LEFT) / length(bars.len().max(1) as u64);
    let mut svg = format!(
        "<svg viewBox=\"0 0 {WIDTH} {}\" role=\"img\" aria-label=\"Decisions over time, at most {most} in one bar\">",
        HEIGHT + 24.0
    );
    for (share, value) in [(0.0, 0), (0.5, most / 2), (1.0, most)] {
        let y = HEIGHT - share * (HEIGHT - 12.0);
        // Writing to a string cannot fail.
        let _ = write!(
            svg,
            "<line class=\"axis\" x1=\"{LEFT}\" x2=\"{WIDTH}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/><text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
            LEFT - 6.0,
            y + 4.0,
            if most < 2 && y < HEIGHT && value == 0 { String::new() } else { value.to_string() }
        );
    }
    let every = bars.len().div_ceil(LABELS).max(1);
    for (index, bar) in bars.iter().enumerate() {
        let x = LEFT + length(index as u64) * width;
        stacked(&mut svg, bar, x, width, most);
        if index % every == 0 {
            let _ = write!(svg, "<text x=\"{x:.1}\" y=\"{}\">{}</text>", HEIGHT + 16.0, escape(label(&bar.from)));
        }
    }
    svg.push_str("</svg>");
    svg
}

fn stacked(svg: &mut String, bar: &Bar, x: f64, width: f64, most: u64) {
    let Counts { allow, deny, would_deny, undecided } = bar.decisions;
    let mut y = HEIGHT;
    for (class, count) in [("allow", allow), ("dim", undecided), ("would", would_deny), ("deny", deny)] {
        if count == 0 {
            continue;
        }
        // What happened at all is seen.
        let height = (length(count) / length(most) * (HEIGHT - 12.0)).max(1.0);
        y -= height;
        let _ = write!(
            svg,
            "<rect class=\"{class}\" x=\"{:.1}\" y=\"{y:.1}\" width=\"{:.1}\" height=\"{height:.1}\"><title>{}: {allow} let through, {would_deny} observed, {deny} refused</title></rect>",
            x + width * 0.1,
            width * 0.8,
            escape(&bar.from)
        );
    }
}

/// Month and day, and the hour where bars are hours.
fn label(time: &str) -> &str {
    if time.get(11..13) == Some("00") { time.get(5..10).unwrap_or(time) } else { time.get(5..16).unwrap_or(time) }
}

/// What was done with payloads, a bar a service: inspected, not inspectable, not seen.
#[must_use]
pub fn coverage(services: &[ServiceRow]) -> String {
    let covered = |row: &&ServiceRow| row.inspected_percent.is_some();
    let rows: Vec<&ServiceRow> = services.iter().filter(covered).collect();
    if rows.is_empty() {
        return String::new();
    }
    let height = ROW * length(rows.len() as u64);
    let mut svg = format!("<svg viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-label=\"What was done with payloads, by service\">");
    for (index, row) in rows.into_iter().enumerate() {
        let y = ROW * length(index as u64);
        let seen = row.seen.coverage;
        let all = length((seen.inspected + seen.tunnelled + seen.uninspectable).max(1));
        let room = WIDTH - NAMES - 70.0;
        let mut x = NAMES;
        let _ = write!(svg, "<text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>", NAMES - 8.0, y + 16.0, escape(&row.id));
        for (class, what, count) in
            [("allow", "inspected", seen.inspected), ("would", "not inspectable", seen.uninspectable), ("dim", "not seen", seen.tunnelled)]
        {
            let width = length(count) / all * room;
            let _ = write!(
                svg,
                "<rect class=\"{class}\" x=\"{x:.1}\" y=\"{:.1}\" width=\"{width:.1}\" height=\"{:.1}\"><title>{}: {count} {what}</title></rect>",
                y + 4.0,
                ROW - 8.0,
                escape(&row.id)
            );
            x += width;
        }
        let percent = row.inspected_percent.unwrap_or_default();
        let _ = write!(svg, "<text x=\"{:.1}\" y=\"{:.1}\">{percent} %</text>", WIDTH - 62.0, y + 16.0);
    }
    svg.push_str("</svg>");
    svg
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_ends_a_tag_or_an_attribute() {
        assert_eq!(escape("<a href=\"x\" b='y'>&"), "&lt;a href=&quot;x&quot; b=&#39;y&#39;&gt;&amp;");
    }

    #[test]
    fn an_empty_period_has_an_empty_chart() {
        assert!(timeline(&[]).ends_with("</svg>") && !timeline(&[]).contains("<rect"));
        assert_eq!(coverage(&[]), "");
    }
}
