//! `klog`: Kubernetes' text log: letter, month and day, time, thread, place. Quoted messages are followed by
//! `key="value"` pairs. Also as people paste it, with the header cut down to letter and place.

use super::json::unescaped;
use super::scan::{self, between, from, text_from, text_to};
use super::{Format, Head, Sample, subject, zap};
use crate::event::time::{self, RawTime};
use crate::event::{Event, Severity};

/// The format.
pub struct Klog;

struct Split {
    time: RawTime,
    severity: Severity,
    place: (usize, usize),
    message: usize,
}

/// Reads `0915 08:00:00.123456` or `20260915 08:00:00.123456`: the time and the bytes used.
fn stamp(line: &[u8]) -> Option<(RawTime, usize)> {
    let (year, day) = match line {
        [_, _, _, _, b' ', ..] => (None, line),
        [_, _, _, _, _, _, _, _, b' ', ..] => {
            (Some(i64::from(time::two(line, 0)? * 100 + time::two(line, 2)?)), from(line, 4))
        }
        _ => return None,
    };
    let (month, date, rest) = (time::two(day, 0)?, time::two(day, 2)?, from(day, 5));
    let (fraction, length) = time::fraction(from(rest, 8));
    let clock = time::clock(rest)? + fraction;
    let used = line.len() - rest.len() + 8 + length;
    let yearless = time::yearless(month, date, clock)?;
    let exact = |year| RawTime::Local(time::days_from_civil(year, month, date) * time::DAY + clock);
    Some((year.map_or(yearless, exact), used))
}

/// The full header.
fn full(line: &[u8], severity: Severity) -> Option<Split> {
    let (time, used) = stamp(from(line, 1))?;
    let mut at = 1 + used;
    at += scan::blanks(from(line, at));
    at += scan::digits(from(line, at));
    let start = at + scan::blanks(from(line, at));
    let near = from(line, start);
    let end = start + memchr::memchr(b']', near.get(..near.len().min(120))?)?;
    let blank = usize::from(line.get(end + 1) == Some(&b' '));
    Some(Split { time, severity, place: (start, end), message: end + 1 + blank })
}

/// `E find.go:54  "message"`: only letter and place are left.
fn bare(line: &[u8], severity: Severity) -> Option<Split> {
    let rest = from(line, 1).strip_prefix(b" ")?;
    let length = scan::token(rest.get(..rest.len().min(120))?);
    let place = rest.get(..length)?;
    let place = place.strip_suffix(b"]").unwrap_or(place);
    let dot = memchr::memmem::find(place, b".go:")?;
    let number = from(place, dot + 4);
    if dot == 0 || number.is_empty() || scan::digits(number) != number.len() {
        return None;
    }
    let message = 2 + length + scan::blanks(from(rest, length));
    Some(Split { time: RawTime::None, severity, place: (2, 2 + place.len()), message })
}

fn split(line: &[u8]) -> Option<Split> {
    let severity = Severity::from_klog(*line.first()?);
    if severity == Severity::UNKNOWN {
        return None;
    }
    match line.get(1)? {
        b'0'..=b'9' => full(line, severity),
        b' ' => bare(line, severity),
        _ => None,
    }
}

/// The end of the quoted text that begins behind the quote at the start.
fn quote_end(text: &str) -> Option<usize> {
    let mut skip = false;
    text.bytes().position(|b| {
        let end = b == b'"' && !skip;
        skip = b == b'\\' && !skip;
        end
    })
}

/// A quoted text at the start, unescaped, and what stands behind it.
fn quoted(text: &str) -> Option<(std::borrow::Cow<'_, str>, &str)> {
    let inside = text.strip_prefix('"')?;
    let end = quote_end(inside)?;
    let value = text_to(inside, end);
    let value = if value.contains('\\') { unescaped(value).into() } else { value.into() };
    Some((value, text_from(inside, end + 1)))
}

/// Reads `key="value" key=value key={...} key=<lines>` pairs; gives what is left.
pub fn pairs<'a>(text: &'a str, event: &mut Event<'a>) -> &'a str {
    let mut rest = text.trim_start_matches(' ');
    while let Some((key, after)) = rest.split_once('=') {
        if key.is_empty() || !key.bytes().all(|b| scan::is_name(b) || b == b'/') {
            break;
        }
        let (value, next) = value(after);
        event.attribute(key, value);
        rest = next.trim_start_matches(' ');
    }
    rest
}

/// One value and what stands behind it.
fn value(text: &str) -> (std::borrow::Cow<'_, str>, &str) {
    if let Some(found) = quoted(text) {
        return found;
    }
    if let Some(lines) = text.strip_prefix("<\n") {
        let end = lines.find("\n >").unwrap_or(lines.len());
        return (text_to(lines, end).trim().into(), text_from(lines, end + 3));
    }
    let end = match text.as_bytes().first() {
        Some(b'{' | b'[') => nested_end(text),
        _ => bare_end(text),
    };
    (text_to(text, end).into(), text_from(text, end))
}

/// The end of a value without quotes: the line's, or where the next key begins, since some print blanks as they are.
fn bare_end(text: &str) -> usize {
    let line = text.find('\n').unwrap_or(text.len());
    let mut at = 0;
    while let Some(blank) = text_to(text, line).get(at..).and_then(|t| t.find(' ')).map(|i| at + i) {
        let key = text_from(text, blank + 1).trim_start_matches(' ');
        let length = key.bytes().take_while(|b| scan::is_name(*b)).count();
        if length > 0 && key.as_bytes().get(length) == Some(&b'=') {
            return blank;
        }
        at = blank + 1;
    }
    line
}

/// The end of a value with brackets, or of the line.
fn nested_end(text: &str) -> usize {
    let mut depth = 0usize;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            b'\n' => return at,
            _ => {}
        }
        if depth == 0 {
            return at + 1;
        }
    }
    text.len()
}

impl Format for Klog {
    fn name(&self) -> &'static str {
        "klog"
    }

    fn begins_with(&self, byte: u8) -> bool {
        matches!(byte, b'I' | b'W' | b'E' | b'F')
    }

    fn goes_on_with(&self, at: usize, byte: u8) -> bool {
        at > 1 || byte == b' ' || byte.is_ascii_digit()
    }

    fn head(&self, line: &[u8]) -> Option<Head> {
        let split = split(line)?;
        Some(Head { time: split.time, severity: split.severity, payload: None })
    }

    fn stands_in(&self, _: super::Holder) -> bool {
        true
    }

    fn parse<'a>(&self, text: &'a str, _: &Head, event: &mut Event<'a>) {
        let (first, _) = scan::first_line(text);
        let Some(split) = split(first.as_bytes()) else { return };
        event.attribute("caller", between(text, split.place.0, split.place.1));
        let message = text_from(text, split.message);
        match quoted(message) {
            Some((body, rest)) => {
                event.body = body;
                let left = pairs(rest, event);
                zap::continuation(left, event);
            }
            None => event.body = message.into(),
        }
        subject::kubernetes(event);
    }

    fn samples(&self) -> &'static [Sample] {
        SAMPLES
    }
}

const SAMPLES: &[Sample] = &[
    Sample {
        text: "E0915 08:00:00.123456       1 leaderelection.go:436] error retrieving resource lock kube-system/kube-scheduler: connection refused",
        time: RawTime::Yearless(22_320_000_123_456),
        severity: Severity::ERROR,
        body: "error retrieving resource lock kube-system/kube-scheduler: connection refused",
        has: &[("caller", "leaderelection.go:436")],
    },
    Sample {
        text: "I0915 08:00:00.123456    1812 kubelet_node_status.go:76] \"Successfully registered node\" node=\"amber-w1\" args={\"a\": 1} note=<\n\tline one\n\tline two\n >",
        time: RawTime::Yearless(22_320_000_123_456),
        severity: Severity::INFO,
        body: "Successfully registered node",
        has: &[
            ("node", "amber-w1"),
            ("@k8s.node", "amber-w1"),
            ("args", "{\"a\": 1}"),
            ("note", "line one\n\tline two"),
        ],
    },
    Sample {
        text: "E find.go:54  \"unable to find vm\" err=\"cannot find vm with id 104: 500 no \\\"104.conf\\\"\"",
        time: RawTime::None,
        severity: Severity::ERROR,
        body: "unable to find vm",
        has: &[("err", "cannot find vm with id 104: 500 no \"104.conf\"")],
    },
];
