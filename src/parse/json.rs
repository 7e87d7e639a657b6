//! A tolerant scanner of one JSON object, as logs and people write it.
//!
//! It gives key and value pairs in their order, duplicates too. Strings are unescaped only when a backslash is present
//! and unknown escapes stay as they are; nested values stay text. It also reads what is not quite JSON: line breaks in
//! strings, quotes that nobody escaped, a missing quote or comma, an end that is cut off. It checks nothing.

use std::borrow::Cow;

use super::scan::{between, text_from};

/// One key and its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair<'a> {
    /// The key, unescaped.
    pub key: Cow<'a, str>,
    /// A string without its quotes and unescaped, or the text of any other value.
    pub value: Cow<'a, str>,
    /// Whether the value was a string.
    pub quoted: bool,
}

/// The pairs of the object that begins at the start of a text.
#[derive(Debug, Clone)]
pub struct Pairs<'a> {
    text: &'a str,
    at: usize,
    ended: bool,
}

impl<'a> Pairs<'a> {
    /// Scans `text`; whatever stands before the first key is skipped.
    pub fn new(text: &'a str) -> Self {
        Self { text, at: 0, ended: false }
    }

    /// What stands behind the object, once all pairs are taken.
    pub fn rest(&self) -> &'a str {
        text_from(self.text, self.at)
    }

    fn byte(&self, at: usize) -> Option<u8> {
        self.text.as_bytes().get(at).copied()
    }

    /// The offset of the first byte at or after `at` that is no white space.
    fn skip_space(&self, mut at: usize) -> usize {
        while self.byte(at).is_some_and(|b| b.is_ascii_whitespace()) {
            at += 1;
        }
        at
    }

    /// Moves to the quote of the next key; false at the end of the object.
    fn find_key(&mut self) -> bool {
        while let Some(byte) = self.byte(self.at) {
            match byte {
                b'"' => return true,
                b'}' => {
                    self.at += 1;
                    return false;
                }
                _ => self.at += 1,
            }
        }
        false
    }

    /// Reads the string whose quote stands at `at`: its text and the offset behind it.
    fn string(&self, at: usize, key: bool) -> (Cow<'a, str>, usize) {
        let bytes = self.text.as_bytes();
        let start = at + 1;
        let (mut from, mut escaped) = (start, false);
        while let Some(here) = quote_or_backslash(bytes, from) {
            if self.byte(here) == Some(b'\\') {
                escaped = true;
                from = here + 2;
            } else if self.closes(here + 1, key) {
                return (unescape(between(self.text, start, here), escaped), here + 1);
            } else {
                from = here + 1;
            }
        }
        (unescape(text_from(self.text, start).trim_end(), escaped), self.text.len())
    }

    /// Whether what follows a quote makes it the closing one.
    fn closes(&self, at: usize, key: bool) -> bool {
        match (key, self.byte(at)) {
            (true, Some(b':')) => return true,
            (false, Some(b',')) if self.byte(at + 1) == Some(b'"') => return true,
            _ => {}
        }
        let next = self.skip_space(at);
        match self.byte(next) {
            Some(b':') => key,
            Some(b',') => !key && self.another_key(next + 1),
            Some(b'}' | b']') | None => !key,
            Some(b'"') => next > at,
            _ => false,
        }
    }

    /// Whether a key, a line break or the end follows a comma.
    fn another_key(&self, at: usize) -> bool {
        let next = self.skip_space(at);
        let newline = memchr::memchr(b'\n', self.text.as_bytes().get(at..next).unwrap_or_default()).is_some();
        newline || matches!(self.byte(next), Some(b'"' | b'}') | None)
    }

    /// Reads the value at `at`.
    fn value(&self, at: usize) -> (Cow<'a, str>, bool, usize) {
        match self.byte(at) {
            Some(b'"') => {
                let (text, end) = self.string(at, false);
                (text, true, end)
            }
            Some(b'{' | b'[') => {
                let end = self.nested_end(at);
                (Cow::Borrowed(between(self.text, at, end)), false, end)
            }
            _ => {
                let end = self.bare_end(at);
                (Cow::Borrowed(between(self.text, at, end).trim_end().trim_end_matches('"')), false, end)
            }
        }
    }

    /// The end of the number or word at `at`.
    fn bare_end(&self, at: usize) -> usize {
        let rest = self.text.as_bytes().get(at..).unwrap_or_default();
        at + rest.iter().position(|b| matches!(b, b',' | b'}' | b'\n')).unwrap_or(rest.len())
    }

    /// The end of the object or list that begins at `at`.
    fn nested_end(&self, at: usize) -> usize {
        let bytes = self.text.as_bytes();
        let (mut depth, mut inside, mut here) = (0usize, false, at);
        while let Some(byte) = bytes.get(here) {
            match byte {
                b'\\' => here += 1,
                b'"' => inside = !inside,
                b'{' | b'[' if !inside => depth += 1,
                b'}' | b']' if !inside => {
                    depth -= 1;
                    if depth == 0 {
                        return here + 1;
                    }
                }
                _ => {}
            }
            here += 1;
        }
        bytes.len()
    }
}

impl<'a> Iterator for Pairs<'a> {
    type Item = Pair<'a>;

    fn next(&mut self) -> Option<Pair<'a>> {
        while !self.ended {
            if !self.find_key() {
                break;
            }
            let (key, end) = self.string(self.at, true);
            let colon = self.skip_space(end);
            if self.byte(colon) != Some(b':') {
                self.at = end;
                continue;
            }
            let (value, quoted, end) = self.value(self.skip_space(colon + 1));
            self.at = end;
            return Some(Pair { key, value, quoted });
        }
        self.ended = true;
        None
    }
}

/// The offset of the next quote or backslash from `at` on. Most strings are so short that a search eight bytes at a
/// time ends before a general one has begun.
fn quote_or_backslash(bytes: &[u8], mut at: usize) -> Option<usize> {
    const LOW: u64 = u64::from_ne_bytes([0x01; 8]);
    const HIGH: u64 = u64::from_ne_bytes([0x80; 8]);
    let zeros = |v: u64| v.wrapping_sub(LOW) & !v & HIGH;
    for _ in 0..8 {
        let Some(chunk) = bytes.get(at..).and_then(<[u8]>::first_chunk::<8>) else { break };
        let word = u64::from_le_bytes(*chunk);
        let found = zeros(word ^ (LOW * u64::from(b'"'))) | zeros(word ^ (LOW * u64::from(b'\\')));
        if found != 0 {
            return Some(at + found.trailing_zeros() as usize / 8);
        }
        at += 8;
    }
    memchr::memchr2(b'"', b'\\', bytes.get(at..)?).map(|found| at + found)
}

/// The text without escapes; it is copied only when there are some.
fn unescape(text: &str, escaped: bool) -> Cow<'_, str> {
    if escaped { Cow::Owned(unescaped(text)) } else { Cow::Borrowed(text) }
}

/// The text with JSON's escapes resolved; unknown ones stay as they are.
pub fn unescaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\\') {
        out.push_str(before);
        rest = resolve(after, &mut out);
    }
    out.push_str(rest);
    out
}

/// Writes the character of the escape that follows a backslash; gives what stands behind it.
fn resolve<'a>(after: &'a str, out: &mut String) -> &'a str {
    let plain = match after.as_bytes().first() {
        Some(b'n') => '\n',
        Some(b't') => '\t',
        Some(b'r') => '\r',
        Some(b'b') => '\u{8}',
        Some(b'f') => '\u{c}',
        Some(b'"') => '"',
        Some(b'\\') => '\\',
        Some(b'/') => '/',
        Some(b'u') => return unicode(after, out),
        _ => {
            out.push('\\');
            return after;
        }
    };
    out.push(plain);
    text_from(after, 1)
}

/// Writes the character of `uXXXX` (or of a surrogate pair).
fn unicode<'a>(after: &'a str, out: &mut String) -> &'a str {
    let Some(high) = unit(after) else {
        out.push('\\');
        return after;
    };
    let rest = text_from(after, 5);
    if let (0xd800..0xdc00, Some(low @ 0xdc00..0xe000)) = (high, rest.strip_prefix('\\').and_then(unit)) {
        out.push(char::from_u32(0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00)).unwrap_or('\u{fffd}'));
        return text_from(rest, 6);
    }
    out.push(char::from_u32(high).unwrap_or('\u{fffd}'));
    rest
}

/// The number of `uXXXX` at the start.
fn unit(text: &str) -> Option<u32> {
    let hex = text.strip_prefix('u')?.get(..4)?;
    hex.bytes().all(|b| b.is_ascii_hexdigit()).then(|| u32::from_str_radix(hex, 16).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(text: &str) -> Vec<(String, String)> {
        Pairs::new(text).map(|p| (p.key.into_owned(), p.value.into_owned())).collect()
    }

    fn check(text: &str, expected: &[(&str, &str)]) {
        let expected: Vec<_> = expected.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        assert_eq!(pairs(text), expected, "{text}");
    }

    #[test]
    fn proper_objects_are_read() {
        check(
            r#"{"a":"b","n":1.5,"o":{"x":["}",1]},"t":true}"#,
            &[("a", "b"), ("n", "1.5"), ("o", r#"{"x":["}",1]}"#), ("t", "true")],
        );
        check(r#"{"a":"x\n\"y\"\u0041\ud83d\ude00","a":""}"#, &[("a", "x\n\"y\"A\u{1f600}"), ("a", "")]);
        check("{}", &[]);
        check("", &[]);
    }

    #[test]
    fn broken_objects_are_read_as_far_as_they_go() {
        check("{\n\"level\":\"error\",\n\"stacktrace\": xxxx\n}", &[("level", "error"), ("stacktrace", "xxxx")]);
        check(
            r#"{"controller": some.Controller", "error": "say "x" twice"}"#,
            &[("controller", "some.Controller"), ("error", "say \"x\" twice")],
        );
        check(r#"{"a":"b" "c":"d"}"#, &[("a", "b"), ("c", "d")]);
        check(r#"{"a":"cut of"#, &[("a", "cut of")]);
        check(r#"{"a":"bad \x5c escape"}"#, &[("a", r"bad \x5c escape")]);
        check(r#"{"a":{"b":1"#, &[("a", r#"{"b":1"#)]);
    }

    #[test]
    fn the_rest_stands_behind_the_object() {
        let mut pairs = Pairs::new("{\"a\":\"b\"}\nmore");
        assert_eq!(pairs.by_ref().count(), 1);
        assert_eq!(pairs.rest(), "\nmore");
    }

    #[test]
    fn strings_agree_with_serde_json() {
        for text in [r#""plain""#, r#""a\\b\/c\b\f\r\t""#, r#""\u00e9 \u20ac \ud834\udd1e""#, r#""\"q\"""#] {
            let expected: String = serde_json::from_str(text).expect("a string");
            let object = format!("{{\"k\":{text}}}");
            assert_eq!(Pairs::new(&object).next().map(|p| p.value.into_owned()), Some(expected));
        }
    }

    proptest::proptest! {
        #[test]
        fn any_object_agrees_with_serde_json(map in proptest::collection::btree_map("[a-z\"\\\\]{1,4}", "\\PC{0,12}", 0..5)) {
            let text = serde_json::to_string(&map).expect("JSON");
            let read: std::collections::BTreeMap<String, String> =
                Pairs::new(&text).map(|p| (p.key.into_owned(), p.value.into_owned())).collect();
            proptest::prop_assert_eq!(read, map);
        }

        #[test]
        fn any_text_ends(text in "[{}\\[\\]\":,\\\\nux0-9 \n]{0,60}") {
            proptest::prop_assert!(Pairs::new(&text).count() <= text.len());
        }
    }
}
