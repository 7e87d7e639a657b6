//! What must not leave the machine with a report: secrets are masked always, names and addresses on request.
//!
//! [`secret`] finds secrets in a text and knows which keys hold them; [`Stream`] follows those that span several records
//! of a source; [`identity`] replaces addresses, names and ids by pseudonyms, the same value by the same one within a run.
//! Works on text that is printed, never on the whole input. Invariants: what is masked once stays as it is when it is
//! masked again; nothing here knows reports, files or the terminal.

pub mod identity;
mod names;
pub mod secret;
mod shape;
mod stream;
mod value;

pub use identity::Pseudonyms;
pub use secret::{mask, mask_attribute, mask_with};
pub use stream::Stream;

use std::ops::Range;

/// What is shown instead of a secret.
pub const MASK: &str = "***";

/// A key in lower case and without separators, so that `apiToken`, `api_token` and `API-TOKEN` are one; the end of a long one.
struct Plain {
    bytes: [u8; Plain::LENGTH],
    from: usize,
}

impl Plain {
    /// More than any word that keys are compared with has.
    const LENGTH: usize = 64;

    fn of(key: &str) -> Self {
        let mut plain = Self { bytes: [0; Self::LENGTH], from: Self::LENGTH };
        for byte in key.bytes().rev().filter(u8::is_ascii_alphanumeric).take(Self::LENGTH) {
            plain.from -= 1;
            if let Some(free) = plain.bytes.get_mut(plain.from) {
                *free = byte.to_ascii_lowercase();
            }
        }
        plain
    }

    fn as_str(&self) -> &str {
        self.bytes.get(self.from..).and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or_default()
    }
}

/// A piece of a text, and what stands there instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Edit {
    /// Where, in bytes.
    pub range: Range<usize>,
    /// What instead.
    pub with: String,
}

/// Applies edits; of two that overlap the one that begins first counts, and swallows the other.
///
/// `mark` is a range of the text that is carried over: afterwards it covers what it covered before.
pub(crate) fn apply(text: &str, mut edits: Vec<Edit>, mark: &mut Option<Range<usize>>) -> String {
    edits.sort_by_key(|e| (e.range.start, std::cmp::Reverse(e.range.end)));
    let mut out = String::with_capacity(text.len());
    let old = mark.clone();
    let mut at = 0;
    for mut edit in edits {
        if edit.range.end <= at {
            continue;
        }
        edit.range.start = edit.range.start.max(at);
        out.push_str(text.get(at..edit.range.start).unwrap_or_default());
        let from = out.len();
        out.push_str(&edit.with);
        shift(old.as_ref(), mark, &edit.range, from..out.len());
        at = edit.range.end;
    }
    out.push_str(text.get(at..).unwrap_or_default());
    settle(old.as_ref(), mark, text.len(), out.len());
    out
}

/// Moves the ends of a mark that an edit covers to the ends of its replacement.
fn shift(old: Option<&Range<usize>>, mark: &mut Option<Range<usize>>, edited: &Range<usize>, new: Range<usize>) {
    let (Some(old), Some(mark)) = (old, mark) else { return };
    if edited.end <= old.start {
        mark.start = old.start - edited.end + new.end;
    } else if edited.start <= old.start {
        mark.start = new.start;
    }
    if edited.end <= old.end {
        mark.end = old.end - edited.end + new.end;
    } else if edited.start < old.end {
        mark.end = new.end;
    }
}

/// Keeps a mark inside the new text.
fn settle(old: Option<&Range<usize>>, mark: &mut Option<Range<usize>>, before: usize, after: usize) {
    let (Some(old), Some(range)) = (old, mark.as_mut()) else { return };
    if old.end == before {
        range.end = after;
    }
    if range.start >= range.end || range.end > after {
        *mark = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_follows_its_text_through_edits() {
        let edit = |range, with: &str| Edit { range, with: with.to_owned() };
        let text = "aaa bbb ccc ddd";
        let cases = [
            (vec![edit(0..3, "x")], 4..7, "bbb"),
            (vec![edit(8..11, "longer")], 4..7, "bbb"),
            (vec![edit(4..7, "***")], 4..7, "***"),
            (vec![edit(0..3, "x"), edit(5..6, "--")], 4..11, "b--b ccc"),
            (vec![edit(2..5, "#")], 4..7, "#bb"),
            (vec![edit(6..9, "#")], 4..7, "bb#"),
            (vec![edit(12..15, "end")], 8..15, "ccc end"),
        ];
        for (edits, range, expected) in cases {
            let mut mark = Some(range);
            let out = apply(text, edits, &mut mark);
            assert_eq!(mark.and_then(|m| out.get(m)), Some(expected), "{out}");
        }
    }
}
