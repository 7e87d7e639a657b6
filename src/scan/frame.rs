//! Frames: which lines belong together.
//!
//! A record may go on over several lines: stack traces, pretty-printed JSON, values with line breaks, kernel messages cut
//! at line breaks. A line that continues its predecessor is recognised by itself, so that chunks can be cut anywhere and
//! every reader finds the same frames.

use std::borrow::Cow;

use crate::parse::{self, Line, LockOn};
use crate::state;

/// Lines of a frame at the most.
pub const MAX_LINES: usize = 200;
/// Bytes of a frame at the most.
pub const MAX_BYTES: usize = 64 << 10;

/// How a message ends that goes on as YAML: Talos lists the keys that it does not know. No document begins there.
pub const ANNOUNCES_LISTING: &[u8] = b"during decoding:";

/// Bytes with which a line of a stack trace without indentation begins.
const TRACE: &[&[u8]] = &[
    b"github.com/",
    b"golang.org/",
    b"k8s.io/",
    b"google.golang.org/",
    b"goroutine ",
    b"runtime.",
    b"created by ",
    b"main.main(",
];

/// Removes colours, carriage returns and NULs; borrows when there are none.
pub fn clean(line: &[u8]) -> Cow<'_, [u8]> {
    if memchr::memchr3(0x1b, 0, b'\r', line).is_none() {
        return Cow::Borrowed(line);
    }
    let mut out = Vec::with_capacity(line.len());
    let mut rest = line;
    while let Some(at) = memchr::memchr3(0x1b, 0, b'\r', rest) {
        let (before, escape) = rest.split_at_checked(at).unwrap_or((rest, &[]));
        out.extend_from_slice(before);
        let used = if escape.first() == Some(&0x1b) { escape_length(escape) } else { 1 };
        rest = escape.get(used..).unwrap_or_default();
    }
    out.extend_from_slice(rest);
    Cow::Owned(out)
}

/// Bytes of the escape sequence at the start of `bytes`.
fn escape_length(bytes: &[u8]) -> usize {
    match bytes.get(1) {
        // Control sequence: parameters and intermediates, then one final byte.
        Some(b'[') => {
            let body = bytes.get(2..).unwrap_or_default().iter().take_while(|b| (0x20..0x40).contains(*b)).count();
            (body + 3).min(bytes.len())
        }
        // Operating system command: up to BEL or ST.
        Some(b']') => {
            let body = bytes.get(2..).unwrap_or_default().iter().take_while(|b| !matches!(b, 0x07 | 0x1b)).count();
            (body + 3).min(bytes.len())
        }
        Some(_) => 2,
        None => 1,
    }
}

/// Whether a line (cleaned, without its line end) continues the record before it.
pub fn continues(line: &[u8]) -> bool {
    continues_as(line, || parse::classify(line, &mut LockOn::default()))
}

/// As [`continues`], for a line that is classified already.
pub fn goes_on(line: &[u8], classified: &Line) -> bool {
    continues_as(line, || *classified)
}

fn continues_as(line: &[u8], classified: impl FnOnce() -> Line) -> bool {
    let Some(first) = line.first() else { return false };
    match first {
        b'\t' | b'}' | b']' => true,
        b'"' => !is_csv(line),
        b' ' => !classified().understood(),
        b'g' | b'k' | b'r' | b'c' | b'm' => TRACE.iter().any(|t| line.starts_with(t)),
        b'[' | b'0'..=b'9' | b'a'..=b'f' | 0xe2 | b'>' => is_cut_inside(line, &classified()),
        _ => false,
    }
}

/// Whether a line that begins with a quotation mark is a row of comma-separated values: another one follows the first, as it
/// does in no object of JSON.
fn is_csv(line: &[u8]) -> bool {
    let Some(inner) = line.get(1..) else { return false };
    let Some(end) = memchr::memchr(b'"', inner) else { return false };
    let behind = inner.get(end + 1..).unwrap_or_default();
    behind.strip_prefix(b",").is_some_and(|more| more.first().is_some_and(|b| *b != b' '))
}

/// Whether the line behind `before`, bytes that end in a line end, goes on with a record that was too long for one line.
pub fn follows_partial(before: &[u8]) -> bool {
    let Some(lines) = before.strip_suffix(b"\n") else { return false };
    let start = memchr::memrchr(b'\n', lines).map_or(0, |at| at + 1);
    parse::cri::is_partial(lines.get(start..).unwrap_or_default())
}

/// The records of a frame: people paste JSON records one after the other without line ends.
pub fn records(frame: &[u8]) -> Vec<&[u8]> {
    let mut records = Vec::new();
    let mut from = 0;
    for at in joints(frame) {
        let record = frame.get(from..at).unwrap_or_default();
        // A bracket may also stand at the end of a text within a record.
        let is_end = record.trim_ascii_end().last() == Some(&b'}');
        if is_end && serde_json::from_slice::<serde::de::IgnoredAny>(record).is_ok() {
            records.push(record);
            from = at;
        }
    }
    records.push(frame.get(from..).unwrap_or_default());
    records
}

/// Whether a frame may hold several records: cheap, and never wrong about a `false`.
pub fn may_be_several(frame: &[u8]) -> bool {
    joints(frame).next().is_some()
}

/// Where a JSON object begins in a frame of JSON, behind a bracket that may end the one before.
fn joints(frame: &[u8]) -> impl Iterator<Item = usize> {
    let json = if frame.first() == Some(&b'{') { frame } else { &[] };
    memchr::memchr_iter(b'{', json).filter(|at| {
        let (before, object) = json.split_at_checked(*at).unwrap_or_default();
        object.get(1) == Some(&b'"') && before.trim_ascii_end().last() == Some(&b'}')
    })
}

/// A record cut at line breaks inside an envelope: the text after the envelope begins with blanks.
fn is_cut_inside(line: &[u8], classified: &Line) -> bool {
    let inner = line.get(classified.payload..).unwrap_or_default();
    classified.payload > 0
        && matches!(inner.first(), Some(b' ' | b'\t'))
        && inner.iter().any(|b| !b.is_ascii_whitespace())
}

/// The text of a frame: its lines cleaned, lossily decoded, further lines without their envelope.
pub fn text(frame: &[u8]) -> Cow<'_, str> {
    if memchr::memchr(b'\n', frame).is_none() {
        return match clean(frame) {
            Cow::Borrowed(line) => decoded(line),
            Cow::Owned(line) => Cow::Owned(String::from_utf8_lossy(&line).into_owned()),
        };
    }
    let mut text = String::with_capacity(frame.len());
    let mut partial = false;
    for (index, line) in frame.split(|b| *b == b'\n').enumerate() {
        let line = clean(line);
        let shown = if index == 0 { &line } else { inner(&line) };
        if index > 0 && !partial {
            text.push('\n');
        }
        partial = parse::cri::is_partial(&line);
        text.push_str(&decoded(shown));
    }
    Cow::Owned(text)
}

/// Bytes as text. Almost always they are valid, which is tested much faster than mended.
fn decoded(bytes: &[u8]) -> Cow<'_, str> {
    std::str::from_utf8(bytes).map_or_else(|_| String::from_utf8_lossy(bytes), Cow::Borrowed)
}

/// All lines cleaned and lossily decoded.
pub fn lines(block: &[u8]) -> Cow<'_, str> {
    match clean(block) {
        Cow::Borrowed(block) => String::from_utf8_lossy(block),
        Cow::Owned(block) => Cow::Owned(String::from_utf8_lossy(&block).into_owned()),
    }
}

/// What stands in the envelope of a line (`payload` bytes from its start) or behind the mark of a quote in Markdown.
pub fn unwrapped(line: &[u8], payload: usize) -> Option<&[u8]> {
    match payload {
        0 if line == b">" => Some(b""),
        0 => line.strip_prefix(b"> "),
        _ => line.get(payload..),
    }
}

/// The document that begins in an envelope: a table, since a script's output is often one; in a quote, which is no
/// envelope of a log, any document.
pub fn wrapped_document(line: &[u8], inner: &[u8]) -> Option<&'static dyn state::Document> {
    if line.first() == Some(&b'>') {
        return state::begins(inner);
    }
    // Headings are in capitals or drawn: most lines end here.
    let head = inner.trim_ascii_start();
    let may_begin = match head {
        [b'N', b'a', ..] | [b'+', b'-', ..] | [0xe2, 0x94, ..] => true,
        [first, second, ..] => first.is_ascii_uppercase() && second.is_ascii_uppercase(),
        _ => false,
    };
    if !may_begin {
        return None;
    }
    state::begins(inner).filter(|document| matches!(document.name(), "table" | "lvs"))
}

/// A continuation line without its envelope.
fn inner(line: &[u8]) -> &[u8] {
    let payload = parse::classify(line, &mut LockOn::default()).payload;
    line.get(payload..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_returns_and_nuls_are_removed() {
        assert_eq!(clean(b"\x1b[34mINFO\x1b[0m\tok\r\0").as_ref(), b"INFO\tok");
        assert_eq!(clean(b"\x1b]0;title\x07x").as_ref(), b"x");
        assert!(matches!(clean(b"plain"), Cow::Borrowed(_)));
    }

    #[test]
    fn records_that_follow_each_other_on_one_line_are_parted() {
        let line = br#"{"msg":"a}","x":{"y":1}}{"msg":"b"} {"msg":"c","list":[{"z":"}{"},{"z":2}]}"#;
        let parts: Vec<_> = records(line).into_iter().map(String::from_utf8_lossy).collect();
        let last = r#"{"msg":"c","list":[{"z":"}{"},{"z":2}]}"#;
        assert_eq!(parts, [r#"{"msg":"a}","x":{"y":1}}"#, r#"{"msg":"b"} "#, last]);
        for whole in [&br#"{"msg":"a","x":{"y":{"z":1}}}"#[..], b"plain {\"a\":1}{\"b\":2}", b"{", b""] {
            assert_eq!(records(whole), [whole]);
        }
    }

    #[test]
    fn partial_lines_of_the_runtime_become_one_text() {
        let frame = b"2026-09-15T08:00:00.1Z stdout P first half, \n2026-09-15T08:00:00.2Z stdout F second half";
        let joined = text(frame);
        assert!(joined.ends_with("first half, second half"), "{joined}");
        assert!(follows_partial(b"x\n2026-09-15T08:00:00.1Z stdout P first\n"));
        assert!(!follows_partial(b"2026-09-15T08:00:00.1Z stdout F whole\n"));
    }

    #[test]
    fn a_row_of_comma_separated_values_continues_nothing() {
        for row in [&br#""2026-09-15T08:00:01Z","178","it failed""#[..], br#""a",2,3"#, br#"" ","b""#] {
            assert!(!continues(row), "{}", String::from_utf8_lossy(row));
        }
        for json in [&br#""msg": "it failed","#[..], br#""msg":"x","y":"z""#, br#""a", "b""#, br#""last","#, br#"""#] {
            assert!(continues(json), "{}", String::from_utf8_lossy(json));
        }
    }

    #[test]
    fn stack_traces_and_pretty_json_continue() {
        for line in ["\t/go/pkg/mod/x.go:3", "github.com/a/b.(*C).D", "  \"ts\": 1,", "}", "\"msg\": \"x\","] {
            assert!(continues(line.as_bytes()), "{line}");
        }
        for line in ["", "{\"level\":\"info\"}", "TASK ERROR: x", "runner started"] {
            assert!(!continues(line.as_bytes()), "{line}");
        }
    }
}
