//! Small readers of bytes that the heads of formats share. They never allocate and never panic.

use crate::event::Severity;
use crate::event::time::{self, RawTime};

/// The bytes from `at` on; nothing beyond the end.
pub fn from(line: &[u8], at: usize) -> &[u8] {
    line.get(at..).unwrap_or_default()
}

/// The text from byte `at` on; nothing beyond the end or inside a character.
pub fn text_from(text: &str, at: usize) -> &str {
    text.get(at..).unwrap_or_default()
}

/// The text before byte `at`; all of it beyond the end.
pub fn text_to(text: &str, at: usize) -> &str {
    text.get(..at).unwrap_or(text)
}

/// The text between two byte offsets.
pub fn between(text: &str, start: usize, end: usize) -> &str {
    text.get(start..end).unwrap_or_default()
}

/// The first line of a frame and the rest, without the line end between them.
pub fn first_line(text: &str) -> (&str, &str) {
    text.split_once('\n').unwrap_or((text, ""))
}

/// The offset of the first byte that `stop` wants, among the first `limit`.
#[inline]
pub fn until(line: &[u8], limit: usize, stop: impl Fn(&u8) -> bool) -> Option<usize> {
    line.get(..limit.min(line.len()))?.iter().position(stop)
}

/// How many bytes of a host, container or node name stand at the start of a line.
#[inline]
pub fn name(line: &[u8]) -> usize {
    line.iter().position(|b| !is_name(*b)).unwrap_or(line.len())
}

/// Whether one of `words` has this byte at a place, or ends before it.
pub fn one_has(words: &[&[u8]], at: usize, byte: u8) -> bool {
    words.iter().any(|word| word.get(at).is_none_or(|b| *b == byte))
}

/// Whether a line that begins with a date like `2026-09-15` can have this byte at a place, 1 to 4.
pub fn date_has(at: usize, byte: u8, separator: u8) -> bool {
    if at == 4 { byte == separator } else { byte.is_ascii_digit() }
}

/// How many bytes stand before the first blank.
pub fn token(line: &[u8]) -> usize {
    line.iter().position(|b| *b == b' ').unwrap_or(line.len())
}

/// How many blanks stand at the start.
pub fn blanks(line: &[u8]) -> usize {
    line.iter().take_while(|b| **b == b' ').count()
}

/// How many decimal digits stand at the start.
pub fn digits(line: &[u8]) -> usize {
    line.iter().take_while(|b| b.is_ascii_digit()).count()
}

/// The run of ASCII letters at the start.
pub fn word(line: &[u8]) -> &[u8] {
    let end = line.iter().position(|b| !b.is_ascii_alphabetic()).unwrap_or(line.len());
    line.get(..end).unwrap_or_default()
}

/// The bytes of host, container and node names.
#[allow(clippy::indexing_slicing, reason = "built at compile time")]
static NAMES: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0u8;
    while byte < 128 {
        table[byte as usize] = byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        byte += 1;
    }
    table
};

/// A byte of a host, container or node name.
pub fn is_name(byte: u8) -> bool {
    NAMES.get(usize::from(byte)).copied().unwrap_or_default()
}

/// Eight hexadecimal digits (or a few more) as a number.
pub fn hex(digits: &[u8]) -> Option<i64> {
    if digits.is_empty() || digits.len() > 15 {
        return None;
    }
    digits.iter().try_fold(0i64, |value, b| Some(value * 16 + i64::from(char::from(*b).to_digit(16)?)))
}

/// zap's upper-case level word at the start, and its length.
pub fn upper_level(line: &[u8]) -> Option<(Severity, usize)> {
    let word = word(line);
    let known = matches!(
        word,
        b"TRACE"
            | b"DEBUG"
            | b"INFO"
            | b"NOTICE"
            | b"WARN"
            | b"WARNING"
            | b"ERROR"
            | b"CRITICAL"
            | b"DPANIC"
            | b"PANIC"
            | b"FATAL"
    );
    known.then(|| (Severity::from_word(word), word.len()))
}

/// Three-letter upper-case levels, with the blank that follows.
pub const SHORT_LEVELS: &[&[u8]] = &[b"TRC ", b"DBG ", b"INF ", b"WRN ", b"ERR ", b"FTL ", b"PNC "];

/// A three-letter upper-case level at the start, followed by a blank.
pub fn short_level(line: &[u8]) -> Option<Severity> {
    if line.get(3) != Some(&b' ') {
        return None;
    }
    let word = line.get(..3)?;
    matches!(word, b"TRC" | b"DBG" | b"INF" | b"WRN" | b"ERR" | b"FTL" | b"PNC").then(|| match word {
        b"PNC" => Severity::ALERT,
        _ => Severity::from_word(word),
    })
}

/// A level word in brackets at the start (`[WARN]`), and its length with the brackets.
pub fn bracket_level(line: &[u8]) -> Option<(Severity, usize)> {
    let (severity, length) = upper_level(line.strip_prefix(b"[")?)?;
    (line.get(length + 1) == Some(&b']')).then_some((severity, length + 2))
}

/// The outer form of a time stamp, by which formats differ. Finding it is much cheaper than reading the time.
#[derive(Debug, Clone, Copy)]
pub struct Stamp {
    /// The bytes it takes.
    pub length: usize,
    /// How many digits the fraction has.
    pub fraction: usize,
    /// Whether `T` stands between date and time.
    pub t: bool,
    /// Whether it ends with `Z` or a zone with a colon, as RFC 3339 wants.
    pub rfc: bool,
}

impl Stamp {
    /// Reads the time; `None` when it only looked like one.
    pub fn time(self, line: &[u8]) -> Option<RawTime> {
        time::timestamp(line).filter(|(_, used)| *used == self.length).map(|(time, _)| time)
    }
}

/// The form of the time stamp `2026-09-15T08:00:00...` or with a blank at the start; the date with dashes.
pub fn stamp(line: &[u8]) -> Option<Stamp> {
    let [_, _, _, _, b'-', _, _, b'-', _, _, separator, _, _, b':', _, _, b':', _, last, rest @ ..] = line else {
        return None;
    };
    if !matches!(separator, b'T' | b' ') || !last.is_ascii_digit() {
        return None;
    }
    let fraction = if matches!(rest.first(), Some(b'.' | b',')) { digits(from(rest, 1)) } else { 0 };
    let used = if fraction > 0 { fraction + 1 } else { 0 };
    let zone = match from(rest, used) {
        [b'Z', ..] => 1,
        [b'+' | b'-', _, _, b':', _, _, ..] => 6,
        [b'+' | b'-', a, _, c, d, ..] if a.is_ascii_digit() && c.is_ascii_digit() && d.is_ascii_digit() => 5,
        _ => 0,
    };
    Some(Stamp { length: 19 + used + zone, fraction, t: *separator == b'T', rfc: matches!(zone, 1 | 6) })
}

/// A date with a time begins here, by its form.
pub fn looks_dated(line: &[u8]) -> bool {
    let separator = line.get(4);
    matches!(separator, Some(b'-' | b'/'))
        && line.get(7) == separator
        && line.get(13) == Some(&b':')
        && line.first().is_some_and(u8::is_ascii_digit)
}

/// Whether a record of some known kind begins here. Cheap and never recursive: for envelopes that are so plain that
/// only their content tells them from ordinary text.
pub fn record_starts(line: &[u8]) -> bool {
    const STARTS: &[&[u8]] = &[
        b"{\"",
        b"[talos] ",
        b"TASK ",
        b"UPID:",
        b"Error: ",
        b"ERROR",
        b"==> ",
        b"level=",
        b"time=",
        b"kvm: ",
        b"trying to acquire lock",
        b"INFO: ",
        b"rpc error: code = ",
        b"panic: ",
        b"\xe2\x94\x82 ",
        b"[pod/",
    ];
    STARTS.iter().any(|start| line.starts_with(start))
        || dated(line)
        || klog_start(line)
        || facility(line).is_some()
        || bracketed(line)
        || short_level(line).is_some()
}

/// A date with time stands at the start.
fn dated(line: &[u8]) -> bool {
    looks_dated(line) || (time::month(line).is_some() && time::clock(from(line, 7)).is_some())
}

/// `[   12.345678] ` or `[ERROR] ` or `[name] | `.
fn bracketed(line: &[u8]) -> bool {
    kernel_time(line).is_some() || bracket_level(line).is_some()
}

/// klog's `E0915 08:00:00.`.
pub fn klog_start(line: &[u8]) -> bool {
    matches!(line.first(), Some(b'I' | b'W' | b'E' | b'F')) && digits(from(line, 1)) == 4 && line.get(5) == Some(&b' ')
}

/// A kernel's `[   12.345678]` at the start: the time and the bytes used.
pub fn kernel_time(line: &[u8]) -> Option<(RawTime, usize)> {
    let inside = line.strip_prefix(b"[")?;
    let lead = blanks(inside);
    let (micros, used) = time::number(from(inside, lead), time::SECOND)?;
    let end = 1 + lead + used;
    let exact = line.get(end.checked_sub(7)?) == Some(&b'.') && line.get(end) == Some(&b']');
    exact.then_some((RawTime::Uptime(micros), end + 1))
}

/// A syslog facility word followed by `: ` at the start, as `talosctl dmesg` prints it: the bytes used.
pub fn facility(line: &[u8]) -> Option<usize> {
    let end = until(line, 9, |b| *b == b':')?;
    let known = matches!(
        line.get(..end)?,
        b"kern"
            | b"user"
            | b"mail"
            | b"daemon"
            | b"auth"
            | b"syslog"
            | b"lpr"
            | b"news"
            | b"uucp"
            | b"cron"
            | b"authpriv"
            | b"local0"
            | b"local1"
            | b"local2"
            | b"local3"
            | b"local4"
            | b"local5"
            | b"local6"
            | b"local7"
    );
    (known && line.get(end + 1) == Some(&b' ')).then_some(end + 2)
}
