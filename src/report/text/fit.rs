//! Text in a given width: wrapping, tables, and the part of a long line that tells something.

use tabled::builder::Builder;
use tabled::settings::{Padding, Style as TableStyle, Width, object::Columns, peaker::PriorityMax};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::report::sanitize;

/// Narrower terminals are treated as this wide.
pub const NARROWEST: usize = 40;

/// Characters in which the beginning of a word is looked for, where a line is cut.
const WORD: usize = 16;

/// A borderless table that fits the width.
pub fn table(builder: Builder, width: usize) -> String {
    let mut table = builder.build();
    table.with(TableStyle::empty()).with(Padding::new(0, 2, 0, 0));
    table.modify(Columns::last(), Padding::zero());
    table.with(Width::wrap(width.max(NARROWEST)).priority(PriorityMax::right()).keep_words(true));
    table.to_string().lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}

/// A text as lines of at most `width` columns, broken between words where possible.
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    let width = width.max(10);
    let mut lines = Vec::new();
    let mut line = String::new();
    let lead: String = text.chars().take_while(|c| *c == ' ').collect();
    for word in text.split_whitespace() {
        let mut word = word;
        if !line.trim().is_empty() && line.width() + 1 + word.width() > width {
            lines.push(std::mem::replace(&mut line, lead.clone()));
        }
        if line.trim().is_empty() {
            line.clone_from(&lead);
        } else {
            line.push(' ');
        }
        while line.width() + word.width() > width {
            let (head, tail) = split_at_width(word, width.saturating_sub(line.width()).max(1));
            line.push_str(head);
            lines.push(std::mem::take(&mut line));
            word = tail;
        }
        line.push_str(word);
    }
    if !line.trim().is_empty() || lines.is_empty() {
        lines.push(line);
    }
    lines
}

/// Splits a text at a column; at least one character goes into the first part.
fn split_at_width(text: &str, width: usize) -> (&str, &str) {
    let mut used = 0;
    for (index, c) in text.char_indices() {
        used += c.width().unwrap_or(0);
        if used > width && index > 0 {
            return text.split_at_checked(index).unwrap_or((text, ""));
        }
    }
    (text, "")
}

/// The beginning of a text in at most `room` columns.
pub fn head(text: &str, room: usize) -> String {
    if text.width() <= room {
        return text.to_owned();
    }
    let (head, _) = split_at_width(text, room.saturating_sub(1).max(1));
    format!("{}…", head.trim_end())
}

/// The end of a text in at most `room` columns.
fn tail(text: &str, room: usize) -> String {
    let surplus = (text.width() + 1).saturating_sub(room);
    if text.width() <= room {
        return text.to_owned();
    }
    format!("…{}", split_at_width(text, surplus).1)
}

/// A row of a shown line, and which of its columns are to be marked: from where, how many.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// What is shown.
    pub text: String,
    /// What decided.
    pub mark: Option<(usize, usize)>,
}

/// At most `room` columns of a one-line text: those that tell most.
pub fn clip(text: &str, decisive: Option<&str>, room: usize) -> String {
    telling(text, decisive, room, 1).into_iter().map(|row| row.text).collect()
}

/// The rows of `room` columns, at most `rows`, that tell most of a one-line text: all of it if it fits, else what decided;
/// and of a JSON record the error it ends with, whose last words are the most telling ones.
pub fn telling(text: &str, decisive: Option<&str>, room: usize, rows: usize) -> Vec<Row> {
    let piece = decisive.map(sanitize::line).filter(|d| !d.is_empty() && text.contains(d.as_str()));
    if text.width() > room
        && let Some(error) = json_error(text)
    {
        let inside = piece.as_deref().is_some_and(|p| error.contains(p) || p.contains(error));
        if !inside {
            return vec![with_error(piece.as_deref(), json_message(text), error, room)];
        }
    }
    let Some(piece) = piece else { return vec![Row { text: head(text, room), mark: None }] };
    let row = window(text, &piece, room);
    let shown = row.mark.map_or(0, |(_, length)| length);
    if shown >= piece.width() || rows < 2 {
        return vec![row];
    }
    in_rows(&piece, room, rows)
}

/// The error of a JSON record, with its key.
fn json_error(text: &str) -> Option<&str> {
    json_text(text, &["error", "err"])
}

/// The message of a JSON record, with its key.
fn json_message(text: &str) -> Option<&str> {
    json_text(text, &["msg", "message"])
}

/// The first of these keys in a JSON record that holds a text, with that text.
fn json_text<'t>(text: &'t str, keys: &[&str]) -> Option<&'t str> {
    let found = keys.iter().flat_map(|key| [format!("\"{key}\":\""), format!("\"{key}\": \"")]).find_map(|key| {
        let at = text.find(&key)?;
        Some((at, at + key.len()))
    });
    let (start, from) = found.filter(|_| text.contains('{'))?;
    let value = text.get(from..)?;
    let mut escaped = false;
    let end = value.find(|c| {
        let ends = c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
        ends
    });
    text.get(start..from + end.map_or(value.len(), |end| end + 1))
}

/// What decided, or what the message is, and the error of a record, side by side.
fn with_error(piece: Option<&str>, message: Option<&str>, error: &str, room: usize) -> Row {
    let first = piece.or(message).map(|p| head(p, room / 2));
    let lead = first.as_deref().map_or("…".to_owned(), |p| format!("…{p} … "));
    let text = format!("{lead}{}", clip_error(error, room.saturating_sub(lead.width())));
    let mark = first.filter(|_| piece.is_some()).map(|p| (1, p.width()));
    Row { text, mark }
}

/// An error with its key, or its last words.
fn clip_error(error: &str, room: usize) -> String {
    let (key, value) = error.split_at_checked(error.find(':').map_or(0, |at| at + 1)).unwrap_or(("", error));
    if error.width() <= room || key.width() + 8 > room {
        return tail(error, room);
    }
    format!("{key}{}", tail(value, room - key.width()))
}

/// The part of a text around a piece of it, which is marked.
fn window(text: &str, piece: &str, room: usize) -> Row {
    let before = text.find(piece).and_then(|at| text.get(..at)).unwrap_or("");
    let (from, length) = (before.width(), piece.width());
    if text.width() <= room {
        return Row { text: text.to_owned(), mark: Some((from, length)) };
    }
    if from + length < room || from == 0 {
        return Row { text: head(text, room), mark: Some((from, length.min(room.saturating_sub(1)))) };
    }
    // Room for the signs that something is left out, and the piece from its beginning if it is longer than the rest.
    let length = length.min(room.saturating_sub(2));
    let after = text.width().saturating_sub(from + length).min((room.saturating_sub(2 + length)) / 3);
    let skip = (from + length + after).saturating_sub(room.saturating_sub(2)).max(1);
    let (cut, rest) = split_at_width(text, skip);
    let at = cut.len() + to_word(rest, from.saturating_sub(cut.width()));
    let (cut, rest) = text.split_at_checked(at).unwrap_or((cut, rest));
    let shown = format!("…{}", head(rest, room.saturating_sub(1)));
    Row { text: shown, mark: Some((1 + from.saturating_sub(cut.width()), length)) }
}

/// Bytes to the beginning of the next word, if that is near and not behind `room` columns; else none.
fn to_word(text: &str, room: usize) -> usize {
    let next = text.char_indices().take(WORD).find(|(_, c)| *c == ' ').map_or(0, |(at, _)| at + 1);
    if text.get(..next).is_some_and(|skipped| skipped.width() <= room) { next } else { 0 }
}

/// A piece that is longer than a row, in several.
fn in_rows(piece: &str, room: usize, rows: usize) -> Vec<Row> {
    let mut lines = wrap(piece, room.saturating_sub(1));
    if lines.len() > rows {
        lines.truncate(rows);
        if let Some(last) = lines.last_mut() {
            last.push('…');
        }
    }
    lines.into_iter().map(|text| Row { mark: Some((0, text.width())), text }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marked(row: &Row) -> String {
        let (from, length) = row.mark.expect("a mark");
        row.text.chars().skip(from).take(length).collect()
    }

    #[test]
    fn text_wraps_between_words_and_cuts_long_ones() {
        assert_eq!(wrap("one two three four", 10), ["one two", "three four"]);
        assert_eq!(wrap("abcdefghijklmnop", 10), ["abcdefghij", "klmnop"]);
        assert_eq!(wrap("", 10), [""]);
    }

    #[test]
    fn the_window_shows_the_decisive_piece_and_marks_it() {
        for before in [0, 1, 20, 43, 44, 45, 46, 58, 59, 60, 61, 100] {
            for after in [0, 1, 2, 100] {
                let text = format!("{}unexpected EOF{}", "x".repeat(before), "y".repeat(after));
                let rows = telling(&text, Some("unexpected EOF"), 60, 2);
                let [row] = rows.as_slice() else { panic!("{rows:?}") };
                assert!(row.text.width() <= 60, "{row:?}");
                assert_eq!(marked(row), "unexpected EOF", "{before} {after} {row:?}");
            }
        }
    }

    #[test]
    fn a_line_is_cut_between_words_where_one_is_near() {
        let text = "Sep 21 07:35:40 pve1 pvedaemon[1101]: <omni@pve!provider> KVM is not available on this host";
        let [row] = telling(text, Some("KVM is not available"), 40, 1).try_into().expect("one row");
        assert!(row.text.starts_with("…KVM is not available on this") && row.text.width() <= 40, "{row:?}");
        assert_eq!(marked(&row), "KVM is not available");
    }

    #[test]
    fn a_piece_that_is_longer_than_a_row_is_shown_in_two() {
        let text = "error provisioning: rpc error: code = PermissionDenied desc = unauthorized";
        let rows = telling(&format!("10.5.0.2: user: {text} more"), Some(text), 40, 2);
        assert_eq!(rows.iter().map(|r| r.text.as_str()).collect::<Vec<_>>().join(" "), text);
        assert!(rows.iter().all(|r| r.text.width() <= 40 && marked(r) == r.text), "{rows:?}");
        let [row] = telling(text, Some(text), 40, 1).try_into().expect("one row");
        assert!(row.text.width() <= 40 && row.text.starts_with("error provisioning"), "{row:?}");
    }

    #[test]
    fn a_json_record_shows_its_error() {
        let log = r#"{"level":"error","ts":1789459209.3,"msg":"reconcile failed","controller":"p.C","error":"failed to do \"x\": a: b: disk is gone","n":1}"#;
        let rows = telling(log, Some(r#""msg":"reconcile failed""#), 70, 2);
        let [row] = rows.as_slice() else { panic!("{rows:?}") };
        assert!(row.text.width() <= 70 && row.text.contains(r#"disk is gone""#), "{row:?}");
        assert_eq!(marked(row), r#""msg":"reconcile failed""#);
        assert!(clip(log, None, 60).ends_with(r#"disk is gone""#) && clip(log, None, 60).contains("reconcile failed"));
        // What decided stands inside of the error, or there is none: as for any line.
        assert!(clip(log, Some("disk is gone"), 40).contains("disk is gone"));
        assert!(clip("a plain line \"error\":\"x\" without a record", None, 20).starts_with("a plain line"));
    }
}
