//! What no format takes: the text itself, with the little that can be read from any text.

use crate::event::{Event, Severity};

/// Words at the start of a line that tell a severity.
const WORDS: &[(&[u8], Severity)] = &[
    (b"ERROR", Severity::ERROR),
    (b"Error", Severity::ERROR),
    (b"error", Severity::ERROR),
    (b"FATAL", Severity::FATAL),
    (b"Fatal", Severity::FATAL),
    (b"fatal", Severity::FATAL),
    (b"panic", Severity::ALERT),
    (b"CRITICAL", Severity::CRITICAL),
    (b"WARNING", Severity::WARN),
    (b"Warning", Severity::WARN),
    (b"warning", Severity::WARN),
    (b"WARN", Severity::WARN),
    (b"INFO", Severity::INFO),
    (b"DEBUG", Severity::DEBUG),
];

/// Bytes of the longest of these words.
const LONGEST: usize = 8;

/// The severity that the first word of a line tells: only a level word with a colon behind it counts.
pub fn severity(line: &[u8]) -> Severity {
    if !matches!(line.first(), Some(b'E' | b'e' | b'F' | b'f' | b'p' | b'C' | b'W' | b'w' | b'I' | b'D')) {
        return Severity::UNKNOWN;
    }
    let near = line.get(..line.len().min(LONGEST + 1)).unwrap_or_default();
    let Some(end) = near.iter().position(|b| !b.is_ascii_alphabetic()).filter(|end| near.get(*end) == Some(&b':'))
    else {
        return Severity::UNKNOWN;
    };
    let first = near.get(..end).unwrap_or_default();
    WORDS.iter().find(|(word, _)| *word == first).map_or(Severity::UNKNOWN, |(_, severity)| *severity)
}

/// Adds what can be told of a plain text.
pub fn look(event: &mut Event<'_>) {
    if event.severity == Severity::UNKNOWN {
        event.severity = severity(event.body.as_bytes());
    }
}
