//! Secrets that span several records of a source: a key in PEM of which every line is a record of its own, a value on the
//! lines below its key.

use memchr::{memmem, memrchr};

use super::{MASK, secret, shape};

/// Records that a key or certificate may span.
const LONGEST: usize = 400;

/// Follows the records of one source in their order.
#[derive(Debug, Default)]
pub struct Stream {
    /// Records left in which the body of a key may go on.
    pem: usize,
    /// The indentation of a key whose value stands on the next lines.
    block: Option<usize>,
}

impl Stream {
    /// What may go on behind these lines, the first ones that are known of a source.
    pub fn behind(earlier: &[u8]) -> Self {
        let mut stream = Self::default();
        // Unless a key is open, all that was open ends at a line without indentation.
        let key = memmem::find(earlier, b"-----BEGIN ").is_some();
        let from = if key { 0 } else { last_flush(earlier) };
        let lines = earlier.get(from..).unwrap_or_default().split_inclusive(|b| *b == b'\n');
        lines.for_each(|line| stream.skip(&String::from_utf8_lossy(line)));
        stream
    }

    /// The text of the next record with every secret masked.
    pub fn mask(&mut self, text: &str) -> String {
        let begun = self.observe(text);
        match begun {
            Begun::Pem => body(text),
            Begun::Block => indented(text),
            Begun::Nothing => secret::mask(text).into_owned(),
        }
    }

    /// Takes note of a record that is not shown.
    pub fn skip(&mut self, text: &str) {
        self.observe(text);
    }

    /// What an earlier record began and this one continues.
    fn observe(&mut self, text: &str) -> Begun {
        let inside = self.pem > 0 && !text.contains("-----BEGIN ");
        self.pem = self.pem.saturating_sub(1);
        if let Some(begin) = text.rfind("-----BEGIN ") {
            let closed = text.get(begin..).is_some_and(|rest| rest.contains("-----END "));
            self.pem = if closed { 0 } else { LONGEST };
        } else if text.contains("-----END ") || (inside && !is_body(text)) {
            self.pem = 0;
        }
        if inside && (is_body(text) || text.contains("-----END ")) {
            return Begun::Pem;
        }
        let deeper = self.block.is_some_and(|indent| indentation(text) > indent);
        if !deeper {
            self.block = opens_block(text);
            return Begun::Nothing;
        }
        Begun::Block
    }
}

/// Where the last line without indentation begins; 0 when there is none.
fn last_flush(lines: &[u8]) -> usize {
    let mut end = lines.len();
    loop {
        let closed = lines.get(..end).unwrap_or_default();
        let closed = closed.strip_suffix(b"\n").unwrap_or(closed);
        let start = memrchr(b'\n', closed).map_or(0, |at| at + 1);
        if start == 0 || lines.get(start) != Some(&b' ') {
            return start;
        }
        end = start;
    }
}

/// What a record continues.
enum Begun {
    Nothing,
    Pem,
    Block,
}

/// Whether a record could be a line of a key: a word of base64 alone, or at its end after the words of an envelope.
fn is_body(text: &str) -> bool {
    let mut words = text.split_whitespace();
    let Some(last) = words.next_back() else { return true };
    if text.contains("Proc-Type:") || text.contains("DEK-Info:") {
        return true;
    }
    let last = last.trim_matches(['"', '\'', ',', '|']);
    let base64 = last.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'='));
    base64 && (words.next().is_none() || last.len() >= 16 || last.ends_with('=') || shape::is_random(last))
}

/// The record with the line of the key masked: its last word, and whatever else looks like base64.
fn body(text: &str) -> String {
    let end = text.find("-----END ");
    let head = text.get(..end.unwrap_or(text.len())).unwrap_or_default();
    let tail = end.and_then(|end| text.get(end..)).unwrap_or_default();
    let trimmed = head.trim_end();
    let last = trimmed.rfind(char::is_whitespace).map_or(0, |n| n + 1);
    let lead = trimmed.get(..last).unwrap_or_default();
    let shown = if trimmed.get(last..).is_some_and(str::is_empty) { "" } else { MASK };
    format!("{}{shown}{}", secret::mask(lead), secret::mask(tail))
}

fn indentation(text: &str) -> usize {
    text.bytes().take_while(|b| *b == b' ').count()
}

/// The record without what it says, but for its indentation.
fn indented(text: &str) -> String {
    if text.trim().is_empty() || text.contains(": ") {
        secret::mask(text).into_owned()
    } else {
        format!("{}{MASK}", " ".repeat(indentation(text)))
    }
}

/// The indentation of a last line that is the key of a secret and says that its value follows.
fn opens_block(text: &str) -> Option<usize> {
    let line = text.lines().next_back()?;
    let (key, rest) = line.split_once(':')?;
    let key = key.trim_start_matches([' ', '-', '"']).trim_end_matches('"');
    let follows = matches!(rest.trim(), "" | "|" | "|-" | "|+" | ">" | ">-" | ">+");
    (follows && !key.contains(' ') && secret::is_key(key)).then(|| indentation(line))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(lines: &[&str]) -> Vec<String> {
        let mut stream = Stream::default();
        lines.iter().map(|l| stream.mask(l)).collect()
    }

    #[test]
    fn a_key_is_masked_line_by_line_and_what_follows_is_not() {
        let shown = run(&[
            "here is the key",
            "-----BEGIN EC PRIVATE KEY-----",
            "abcDEF",
            "2026-09-15T08:00:00Z stdout F Zm9v",
            "x9==",
            "-----END EC PRIVATE KEY-----",
            "service is up",
        ]);
        assert_eq!(
            shown,
            [
                "here is the key",
                "-----BEGIN EC PRIVATE KEY-----",
                "***",
                "2026-09-15T08:00:00Z stdout F ***",
                "***",
                "-----END EC PRIVATE KEY-----",
                "service is up",
            ]
        );
    }

    #[test]
    fn a_key_that_never_ends_does_not_hide_the_log() {
        let shown = run(&["-----BEGIN EC PRIVATE KEY-----", "abcDEF", "the task failed: no space left", "next one"]);
        assert_eq!(shown[2..], ["the task failed: no space left", "next one"]);
    }

    #[test]
    fn what_went_before_is_followed_from_wherever_it_is_known() {
        for (earlier, line, shown) in [
            ("token: |\n  abc\n", "  def", "  ***"),
            ("a: b\n\n  password:\n    abc\n", "    def", "    ***"),
            ("  password:\nuser: x\n", "    def", "    def"),
            ("  password:\n    abc", "    def", "    ***"),
            ("-----BEGIN EC PRIVATE KEY-----\nabcDEF\n", "x9y==", "***"),
            ("a line\nand one\n", "x9y", "x9y"),
            ("", "x9y", "x9y"),
        ] {
            let mut whole = Stream::default();
            earlier.split_inclusive('\n').for_each(|l| whole.skip(l));
            assert_eq!(whole.mask(line), shown, "{earlier}");
            assert_eq!(Stream::behind(earlier.as_bytes()).mask(line), shown, "{earlier}");
        }
    }

    #[test]
    fn a_value_below_its_key_is_masked() {
        assert_eq!(
            run(&["  token: |", "    abc", "    def", "  user: x"]),
            ["  token: |", "    ***", "    ***", "  user: x"]
        );
        assert_eq!(run(&["password:", "  hunter two", "user: x"]), ["password:", "  ***", "user: x"]);
    }
}
