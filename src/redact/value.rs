//! Pairs of key and value as they stand in text: `key=value`, `"key":"value"`, `key: value`, escaped once or twice.

use std::ops::Range;

/// Bytes of a key at the most.
const KEY: usize = 120;

/// A key and what stands after its separator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair<'t> {
    /// The key without quotes.
    pub key: &'t str,
    /// Where the key begins.
    pub key_at: usize,
    /// Where the value stands, without quotes.
    pub value: Range<usize>,
    /// How the value is written.
    pub form: Form,
    /// The byte that separates them.
    pub separator: u8,
}

/// How a value is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// In quotes.
    Quoted,
    /// The rest of a line that holds nothing else: `  key: value`.
    Line,
    /// One word.
    Word,
    /// A list in brackets.
    List,
    /// A block of lines that are indented deeper than the key.
    Block,
}

/// All pairs of a text.
pub fn pairs(text: &str) -> Vec<Pair<'_>> {
    let bytes = text.as_bytes();
    memchr::memchr3_iter(b'=', b':', b'%', bytes).filter_map(|at| pair(text, at)).collect()
}

fn pair(text: &str, at: usize) -> Option<Pair<'_>> {
    let bytes = text.as_bytes();
    let separator = *bytes.get(at)?;
    let mut after = at + 1;
    if separator == b'%' {
        if !bytes.get(after..after + 2)?.eq_ignore_ascii_case(b"3d") {
            return None;
        }
        after += 2;
    }
    // `:=` and `=>` are separators too; the first byte stands for both.
    if matches!((separator, bytes.get(after)), (b':', Some(b'=')) | (b'=', Some(b'>'))) {
        after += 1;
    }
    let (key, key_at) = key(text, at)?;
    let start = after + bytes.get(after..)?.iter().take_while(|b| matches!(b, b' ' | b'\t')).count();
    let alone = separator == b':' && line_is_alone(text, key_at);
    let (value, form) = value(text, start, separator, alone, key_at)?;
    Some(Pair { key, key_at, value, form, separator: if separator == b'%' { b'=' } else { separator } })
}

/// The key that ends before `end`, blanks and quotes between them left out.
fn key(text: &str, end: usize) -> Option<(&str, usize)> {
    let bytes = text.as_bytes();
    let before = bytes.get(..end)?;
    let blanks = before.iter().rev().take(40).take_while(|b| **b == b' ').count();
    let mut to = end - blanks;
    let closing = before.get(..to)?.iter().rev().take_while(|b| matches!(b, b'"' | b'\'' | b'\\' | b'`')).count();
    to -= closing;
    let word = |b: &&u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.' | b'/');
    let length = bytes.get(..to)?.iter().rev().take(KEY).take_while(word).count();
    let from = to - length;
    Some((text.get(from..to).filter(|k| !k.is_empty())?, from))
}

/// Whether nothing but indentation, list dashes and quotes stands before the key on its line.
fn line_is_alone(text: &str, key_at: usize) -> bool {
    let before = text.as_bytes().get(..key_at).unwrap_or_default();
    let filler = |b: &u8| matches!(b, b' ' | b'\t' | b'-' | b'"' | b'\'' | b'\r');
    matches!(before.iter().rev().find(|b| !filler(b)), None | Some(b'\n'))
}

fn value(text: &str, start: usize, separator: u8, alone: bool, key_at: usize) -> Option<(Range<usize>, Form)> {
    let rest = text.get(start..)?;
    let escapes = rest.bytes().take_while(|b| *b == b'\\').count();
    let quote = rest.as_bytes().get(escapes).copied();
    if let Some(quote @ (b'"' | b'\'' | b'`')) = quote {
        let from = start + escapes + 1;
        return Some((from..closing(text, from, quote, escapes), Form::Quoted));
    }
    let first = rest.bytes().next();
    if separator == b':' && alone && matches!(first, Some(b'|' | b'>')) {
        return Some((block(text, start, key_at), Form::Block));
    }
    if separator == b':' && matches!(first, None | Some(b'\n')) {
        let range = block(text, start, key_at);
        return (!range.is_empty()).then_some((range, Form::Block));
    }
    if first == Some(b'[') {
        let end = rest.find(']').unwrap_or(rest.len());
        return Some((start + 1..start + end.max(1), Form::List));
    }
    if separator == b':' && alone && text.as_bytes().get(start.wrapping_sub(1)) == Some(&b' ') {
        let end = rest.find('\n').unwrap_or(rest.len());
        let line = rest.get(..end).unwrap_or_default().trim_end_matches([' ', '\r', ',']);
        return Some((start..start + line.len(), Form::Line));
    }
    Some((start..start + word(text, start, key_at), Form::Word))
}

/// Where a quoted value ends: at the same quote with the same number of escapes before it, or at the end of the text.
fn closing(text: &str, from: usize, quote: u8, escapes: usize) -> usize {
    let bytes = text.as_bytes();
    let mut at = from;
    while let Some(found) = bytes.get(at..).and_then(|rest| memchr::memchr(quote, rest)) {
        let position = at + found;
        let run = bytes.get(from..position).unwrap_or_default().iter().rev().take_while(|b| **b == b'\\').count();
        if run == escapes {
            return position - run;
        }
        // A quote that is less escaped closes what is around.
        if run < escapes {
            return position - run;
        }
        at = position + 1;
    }
    bytes.len()
}

/// The lines after the first that are indented deeper than the line of the key.
fn block(text: &str, start: usize, key_at: usize) -> Range<usize> {
    let line_at = text.get(..key_at).and_then(|t| t.rfind('\n')).map_or(0, |n| n + 1);
    let indent = text.get(line_at..).unwrap_or_default().bytes().take_while(|b| *b == b' ').count();
    let rest = text.get(start..).unwrap_or_default();
    let Some(first) = rest.find('\n').map(|n| start + n + 1) else { return start..start };
    let mut end = first;
    for line in text.get(first..).unwrap_or_default().split_inclusive('\n') {
        let own = line.bytes().take_while(|b| *b == b' ').count();
        if own <= indent && !line.trim().is_empty() {
            break;
        }
        end += line.len();
    }
    let lead = text.get(first..end).unwrap_or_default().bytes().take_while(|b| *b == b' ').count();
    let trail = text.get(first + lead..end).unwrap_or_default();
    first + lead..first + lead + trail.trim_end().len()
}

/// The length of an unquoted word; in the query of an address it ends at the next parameter.
fn word(text: &str, start: usize, key_at: usize) -> usize {
    let query = matches!(text.as_bytes().get(key_at.wrapping_sub(1)), Some(b'?' | b'&'));
    let rest = text.get(start..).unwrap_or_default();
    let ends = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '`' | '\\') || (query && matches!(c, '&' | '#'));
    let word = rest.get(..rest.find(ends).unwrap_or(rest.len())).unwrap_or_default();
    word.trim_end_matches([',', ';', ')', ']', '}', ':', '.']).len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(text: &str) -> Vec<(&str, &str)> {
        pairs(text).into_iter().map(|p| (p.key, text.get(p.value).expect("a range"))).collect()
    }

    #[test]
    fn pairs_are_found_however_they_are_quoted() {
        for text in [
            r#"{"token":"a b"}"#,
            r#"{\"token\":\"a b\"}"#,
            r#"{\\\"token\\\": \\\"a b\\\"}"#,
            "token='a b'",
            "token: a b",
            "- token: a b\n",
            "token = \"a b\"",
        ] {
            assert_eq!(values(text).first(), Some(&("token", "a b")), "{text}");
        }
    }

    #[test]
    fn words_and_parameters_end_where_they_end() {
        assert_eq!(values("x token=ab, y"), [("token", "ab")]);
        assert_eq!(values("/x?token=ab&z=1")[0], ("token", "ab"));
        assert_eq!(values("token%3Dab c"), [("token", "ab")]);
    }

    #[test]
    fn a_block_goes_as_deep_as_it_is_indented() {
        assert_eq!(values("a:\n  token: |\n    one\n    two\n  b: c")[1], ("token", "one\n    two"));
        assert_eq!(values("password:\n  hunter2\nuser: x")[0], ("password", "hunter2"));
    }

    #[test]
    fn a_value_may_hold_escaped_quotes() {
        assert_eq!(values(r#"{"password":"a\"b","x":1}"#)[0].1, r#"a\"b"#);
    }
}
