//! Which piece of a literal is searched for in raw bytes.
//!
//! From each literal one *anchor* of [`ANCHOR`] bytes is taken, at the place whose 6-grams are rarest in ordinary logs. It holds
//! no byte that an encoding changes (`"`, `\`, `<`, `>`, `&`, control and non-ASCII bytes), so it stands in the raw bytes of a record
//! however the record is escaped. Anchors are chosen when pattern files are compiled; `matcher::filter` finds them.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::common::commonness;

/// Bytes of an anchor.
pub const ANCHOR: usize = GRAM + STEP - 1;
/// Bytes of a gram.
pub const GRAM: usize = 6;
/// Distance at which the filter looks at grams: one of so many stands at such a place, wherever the anchor stands.
pub const STEP: usize = 4;
/// 2^64 divided by the golden ratio: spreads the grams over tables.
pub const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

/// A literal by which a signature is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Anchor {
    /// Which literal: its index in `any`, those of `all` counted on behind.
    pub literal: usize,
    /// Where its anchor stands.
    pub place: Place,
}

/// Where the anchor of a literal stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Where the run begins that stands unchanged in the raw bytes, in bytes of the literal.
    from: usize,
    /// Where it ends.
    to: usize,
    /// Where in the run the anchor begins.
    pub offset: usize,
}

impl Place {
    /// The run of the literal that stands unchanged in the raw bytes.
    pub fn run<'l>(&self, literal: &'l str) -> &'l [u8] {
        literal.as_bytes().get(self.from..self.to).unwrap_or_default()
    }

    /// The anchor.
    pub fn piece(&self, literal: &str) -> Option<[u8; ANCHOR]> {
        self.run(literal).get(self.offset..self.offset + ANCHOR)?.try_into().ok()
    }
}

/// The anchor of a literal, if it has one.
pub fn piece(literal: &str) -> Option<[u8; ANCHOR]> {
    place(literal)?.piece(literal)
}

/// Where the anchor of a literal stands: the piece of [`ANCHOR`] bytes whose grams are rarest in ordinary logs, in a run that
/// stands unchanged in the raw bytes. `None` when the literal has no such run.
pub fn place(literal: &str) -> Option<Place> {
    measure(literal).map(|(_, place)| place)
}

/// The longest run of a literal that stands unchanged in the raw bytes of every encoding.
pub fn longest_run(literal: &str) -> &[u8] {
    let longest = runs(literal.as_bytes()).into_iter().max_by_key(Range::len);
    longest.and_then(|run| literal.as_bytes().get(run)).unwrap_or_default()
}

/// The literals by which a signature is found: all of `any`, or one of `all`, whichever is rarer in ordinary logs.
pub fn choose(any: &[String], all: &[String]) -> Vec<Anchor> {
    let rarest = all.iter().zip(any.len()..).filter_map(|(text, literal)| {
        let (rarity, place) = measure(text)?;
        Some(((rarity, text), Anchor { literal, place }))
    });
    let rarest = rarest.min_by_key(|(order, _)| *order);
    let alternatives: Vec<Option<(u32, Anchor)>> = (0..)
        .zip(any)
        .map(|(literal, text)| measure(text).map(|(rarity, place)| (rarity, Anchor { literal, place })))
        .collect();
    // When some literals of `any` have no anchor the lints complain; the others are found.
    let all_found = !any.is_empty() && alternatives.iter().all(Option::is_some);
    let commonest = alternatives.iter().flatten().map(|(rarity, _)| *rarity).max();
    match rarest {
        Some(((rarity, _), anchor)) if !all_found || commonest.is_some_and(|c| c >= rarity) => vec![anchor],
        _ => alternatives.into_iter().flatten().map(|(_, anchor)| anchor).collect(),
    }
}

/// Where the anchor of a literal stands, and how common it is in ordinary logs; longer runs count as rarer.
fn measure(literal: &str) -> Option<(u32, Place)> {
    let bytes = literal.as_bytes();
    // A literal such as `status=403` has no run beside its key: it stands in logfmt, where the whole of it is raw text.
    let (common, place) = rarest(bytes, &runs(bytes)).or_else(|| rarest(bytes, &plain_runs(bytes)))?;
    let length = u32::try_from(place.to - place.from).unwrap_or(u32::MAX);
    Some(((common * 16).saturating_sub(length.min(60)), place))
}

/// The place of the rarest piece of [`ANCHOR`] bytes in some runs, and how common it is.
fn rarest(literal: &[u8], runs: &[Range<usize>]) -> Option<(u32, Place)> {
    let mut best: Option<((u32, u64), Place)> = None;
    for run in runs {
        // Each gram is looked up once; an anchor's commonness is the sum over its grams.
        let bytes = literal.get(run.clone()).unwrap_or_default();
        let grams: Vec<u32> = bytes.windows(GRAM).map(gram_commonness).collect();
        for (offset, window) in grams.windows(STEP).enumerate() {
            let common: u32 = window.iter().sum();
            // Among pieces that are as rare, overlapping literals take the same: then it is compared once for all of them.
            let order = (common, mixed(bytes.get(offset..).unwrap_or_default()));
            if best.is_none_or(|(least, _)| order < least) {
                best = Some((order, Place { from: run.start, to: run.end, offset }));
            }
        }
    }
    best.map(|((common, _), place)| (common, place))
}

/// An order of pieces that has nothing to do with the literal in which they stand.
fn mixed(piece: &[u8]) -> u64 {
    let [first, last] = [0, STEP - 1].map(|at| pack(piece.get(at..).unwrap_or_default()).wrapping_mul(SPREAD));
    (first ^ last.rotate_left(29)).wrapping_mul(SPREAD)
}

/// Whether a byte stands unchanged in every encoding of a text.
pub fn is_plain(byte: u8) -> bool {
    (0x20..0x7f).contains(&byte) && !matches!(byte, b'"' | b'\\' | b'<' | b'>' | b'&')
}

/// The runs of plain bytes.
fn plain_runs(literal: &[u8]) -> Vec<Range<usize>> {
    let mut end = 0;
    let range = |run: &[u8]| {
        let start = end;
        end += run.len() + 1;
        start..start + run.len()
    };
    literal.split(|b| !is_plain(*b)).map(range).collect()
}

/// The runs of a literal that stand unchanged in the raw bytes of every encoding: plain bytes, without the ` key=` that only
/// the parsed text of an event has between message and values.
fn runs(literal: &[u8]) -> Vec<Range<usize>> {
    let mut runs = Vec::new();
    for plain in plain_runs(literal) {
        let (mut from, mut at) = (plain.start, plain.start);
        while let Some(ahead) = literal.get(at..plain.end).and_then(|rest| rest.iter().position(|b| *b == b'=')) {
            let before = literal.get(from..at + ahead).unwrap_or_default();
            at += ahead + 1;
            let key = before.iter().rev().take_while(|b| is_of_key(**b)).count();
            // `!=` and `==` are words of the message.
            if key > 0 {
                let words = before.get(..before.len() - key).unwrap_or_default().trim_ascii_end();
                runs.push(from..from + words.len());
                from = at;
            }
        }
        runs.push(from..plain.end);
    }
    runs
}

fn is_of_key(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-')
}

fn gram_commonness(gram: &[u8]) -> u32 {
    let count = u32::from(commonness(slot(pack(gram))));
    count * count
}

/// The low six bytes of a text as a number.
pub fn pack(gram: &[u8]) -> u64 {
    gram.iter().take(GRAM).rev().fold(0, |value, byte| (value << 8) | u64::from(*byte))
}

/// A hash of a gram.
pub fn slot(gram: u64) -> u16 {
    (gram.wrapping_mul(SPREAD) >> 48) as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(literal: &str) -> &[u8] {
        place(literal).expect("a run").run(literal)
    }

    #[test]
    fn an_anchor_avoids_bytes_that_encodings_change() {
        let anchor = piece(r#"a"b\c volume <META> is missing"#).expect("a plain run");
        assert!(anchor.iter().all(|b| is_plain(*b)));
        assert_eq!(piece(r#"short "x" y"#), None);
    }

    #[test]
    fn keys_that_only_the_parsed_text_has_are_no_part_of_a_run() {
        let found = run("machine provision failed error=not authorized to access");
        assert!(found == b"machine provision failed" || found == b"not authorized to access", "{found:?}");
        assert_eq!(run("user != root@pam"), b"user != root@pam");
        assert_eq!(run("status=403"), b"status=403");
    }

    #[test]
    fn one_of_all_is_enough_unless_every_alternative_is_rarer() {
        let texts = |list: &[&str]| list.iter().map(|l| (*l).to_owned()).collect::<Vec<_>>();
        let chosen = |any: &[&str], all: &[&str]| -> Vec<usize> {
            choose(&texts(any), &texts(all)).iter().map(|a| a.literal).collect()
        };
        assert_eq!(chosen(&["zqxjkvwpq one", "zqxjkvwpq two"], &[]), [0, 1]);
        assert_eq!(chosen(&["short", "zqxjkvwpq two"], &[]), [1]);
        assert_eq!(chosen(&["short", "zqxjkvwpq two"], &["zqxjkvwpq three"]), [2]);
        assert_eq!(chosen(&[], &["short", "zqxjkvwpq three"]), [1]);
    }
}
