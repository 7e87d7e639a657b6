//! The first filter: finds the literals of all signatures in raw bytes without walking them byte by byte.
//!
//! From each literal one *anchor* of [`ANCHOR`] bytes is taken, at the place whose 6-grams are rarest in ordinary logs
//! (counted by `build.rs`). Its `STEP` consecutive 6-grams go into a table; the text is probed at every fourth byte, so
//! exactly one of them is met wherever the anchor stands. A probe is one load, one multiplication and two look-ups in
//! 64 KiB tables; only when both agree is the gram, and then the anchor, compared. (Design (e) of the measurements; an
//! automaton over 300 literals walks at a seventh of the speed.)
//!
//! An anchor holds no byte that an encoding changes (`"`, `\`, `<`, `>`, `&`, control and non-ASCII bytes), so it stands in the
//! raw bytes of a record however the record is escaped. The whole literal is tested on the parsed event.

use std::collections::BTreeMap;

/// Bytes of an anchor.
pub const ANCHOR: usize = GRAM + STEP - 1;
/// Bytes of a gram.
const GRAM: usize = 6;
/// Distance of probes.
const STEP: usize = 4;
/// Probes looked at together.
const BATCH: usize = 16;
/// Bytes probed together.
const STRIDE: usize = BATCH * STEP;
/// Keeps the low six bytes of a word.
const GRAM_MASK: u64 = (1 << (8 * GRAM)) - 1;
/// 2^64 divided by the golden ratio: spreads the grams over the tables.
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;
/// Bits of a table index.
const TABLE_BITS: u32 = 16;

/// How often hashed 6-grams stand in ordinary logs, logarithmic; made by `build.rs`.
static COMMON: &[u8; 1 << 16] = include_bytes!(concat!(env!("OUT_DIR"), "/grams.bin"));

/// A literal found in the raw bytes: where its anchor stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Found {
    /// Byte position of the anchor.
    pub at: usize,
    /// Index of the literal, as given to [`Filter::new`].
    pub literal: u32,
}

/// Finds many literals at once.
pub struct Filter {
    first: Box<[u8; 1 << TABLE_BITS]>,
    second: Box<[u8; 1 << TABLE_BITS]>,
    grams: Grams,
    anchors: Vec<Anchor>,
}

struct Anchor {
    bytes: [u8; ANCHOR],
    literals: Vec<Surrounded>,
}

/// A literal at an anchor: the run of it that stands unchanged in the raw bytes, and where in the run the anchor begins.
struct Surrounded {
    literal: u32,
    run: Box<[u8]>,
    offset: usize,
}

/// Whether a byte stands unchanged in every encoding of a text.
pub fn is_plain(byte: u8) -> bool {
    (0x20..0x7f).contains(&byte) && !matches!(byte, b'"' | b'\\' | b'<' | b'>' | b'&')
}

/// The runs of a literal that stand unchanged in the raw bytes of every encoding: plain bytes, without the ` key=` that only
/// the parsed text of an event has between message and values.
fn runs(literal: &str) -> Vec<&[u8]> {
    let mut runs = Vec::new();
    for plain in literal.as_bytes().split(|b| !is_plain(*b)) {
        let mut rest = plain;
        let mut at = 0;
        while let Some(equals) = rest.get(at..).and_then(|r| memchr::memchr(b'=', r)) {
            let (before, after) = rest.split_at_checked(at + equals).unwrap_or((rest, &[]));
            let key = before
                .iter()
                .rev()
                .take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-'))
                .count();
            // `!=` and `==` are words of the message.
            if key == 0 {
                at += equals + 1;
                continue;
            }
            runs.push(before.get(..before.len() - key).unwrap_or_default().trim_ascii_end());
            (rest, at) = (after.get(1..).unwrap_or_default(), 0);
        }
        runs.push(rest);
    }
    runs
}

/// The anchor of a literal: the piece of [`ANCHOR`] bytes whose grams are rarest in ordinary logs, in a run that stands
/// unchanged in the raw bytes. `None` when the literal has no such run. Gives the run and where in it the anchor begins.
fn place(literal: &str) -> Option<(&[u8], usize)> {
    // A literal such as `status=403` has no run beside its key: it stands in logfmt, where the whole of it is raw text.
    rarest(runs(literal)).or_else(|| rarest(literal.as_bytes().split(|b| !is_plain(*b)).collect()))
}

/// The run with the rarest piece of [`ANCHOR`] bytes, and where that begins.
fn rarest(runs: Vec<&[u8]>) -> Option<(&[u8], usize)> {
    let mut best: Option<(u32, &[u8], usize)> = None;
    for run in runs {
        // Each gram is looked up once; an anchor's commonness is the sum over its grams.
        let grams: Vec<u32> = run.windows(GRAM).map(gram_commonness).collect();
        for (offset, window) in grams.windows(STEP).enumerate() {
            let common = window.iter().sum();
            if best.is_none_or(|(least, _, _)| common < least) {
                best = Some((common, run, offset));
            }
        }
    }
    best.map(|(_, run, offset)| (run, offset))
}

/// The longest run of a literal that stands unchanged in the raw bytes of every encoding.
pub fn longest_run(literal: &str) -> &[u8] {
    runs(literal).into_iter().max_by_key(|run| run.len()).unwrap_or_default()
}

/// How common a literal's anchor is in ordinary logs; longer runs count as rarer. `None` without an anchor.
pub fn rarity(literal: &str) -> Option<u32> {
    let (run, offset) = place(literal)?;
    let common = commonness(run.get(offset..offset + ANCHOR)?);
    Some((common * 16).saturating_sub(u32::try_from(run.len()).unwrap_or(u32::MAX).min(60)))
}

/// The anchor of a literal; see [`Filter`].
pub fn anchor(literal: &str) -> Option<[u8; ANCHOR]> {
    let (run, offset) = place(literal)?;
    run.get(offset..offset + ANCHOR)?.try_into().ok()
}

/// How common the grams of an anchor are together.
fn commonness(window: &[u8]) -> u32 {
    window.windows(GRAM).map(gram_commonness).sum()
}

fn gram_commonness(gram: &[u8]) -> u32 {
    let count = u32::from(COMMON[usize::from(slot16(pack(gram)))]);
    count * count
}

/// The low six bytes of a text as a number.
fn pack(gram: &[u8]) -> u64 {
    gram.iter().take(GRAM).rev().fold(0, |value, byte| (value << 8) | u64::from(*byte))
}

fn slot16(gram: u64) -> u16 {
    (gram.wrapping_mul(SPREAD) >> 48) as u16
}

fn slots(gram: u64) -> (usize, usize) {
    let hash = gram.wrapping_mul(SPREAD);
    ((hash >> (64 - TABLE_BITS)) as usize, ((hash >> (64 - 2 * TABLE_BITS)) as usize) & ((1 << TABLE_BITS) - 1))
}

impl Filter {
    /// Builds the filter. Literals without an anchor are left out (the lints report them).
    pub fn new<'l>(literals: impl IntoIterator<Item = &'l str>) -> Self {
        let mut by_anchor: BTreeMap<[u8; ANCHOR], Vec<Surrounded>> = BTreeMap::new();
        for (index, literal) in (0u32..).zip(literals) {
            if let Some((run, offset)) = place(literal)
                && let Some(anchor) = run.get(offset..offset + ANCHOR).and_then(|a| a.try_into().ok())
            {
                let surrounded = Surrounded { literal: index, run: run.into(), offset };
                by_anchor.entry(anchor).or_default().push(surrounded);
            }
        }
        let anchors: Vec<Anchor> = by_anchor.into_iter().map(|(bytes, literals)| Anchor { bytes, literals }).collect();
        let mut filter = Self {
            first: Box::new([0; 1 << TABLE_BITS]),
            second: Box::new([0; 1 << TABLE_BITS]),
            grams: Grams::new(anchors.len() * STEP),
            anchors,
        };
        filter.fill();
        filter
    }

    fn fill(&mut self) {
        for (index, anchor) in self.anchors.iter().enumerate() {
            for offset in 0..STEP {
                let gram = pack(anchor.bytes.get(offset..).unwrap_or_default());
                let (a, b) = slots(gram);
                let bit = 1u8 << (slot16(gram) & 7);
                self.first[a] |= bit;
                self.second[b] |= bit;
                self.grams.insert(gram, index, offset);
            }
        }
    }

    /// Appends every anchor found in `text`, in order of position.
    pub fn find(&self, text: &[u8], found: &mut Vec<Found>) {
        let start = found.len();
        let mut at = 0;
        // One window holds a stride and the bytes that its last load reads beyond it.
        while let Some(window) = text.get(at..at + STRIDE + 8) {
            let window: &[u8; STRIDE + 8] = window.try_into().unwrap_or(&[0; STRIDE + 8]);
            let mut hit = 0u8;
            for probe in 0..BATCH {
                let gram = load(window, probe * STEP);
                let (a, b) = slots(gram);
                hit |= self.first[a] & self.second[b];
            }
            if hit != 0 {
                self.confirm_batch(text, window, at, found);
            }
            at += STRIDE;
        }
        self.confirm(text, at, text.len().saturating_sub(at).div_ceil(STEP), found);
        found.get_mut(start..).unwrap_or_default().sort_unstable();
    }

    /// Compares the grams of a batch one by one.
    #[inline(never)]
    fn confirm_batch(&self, text: &[u8], window: &[u8; STRIDE + 8], from: usize, found: &mut Vec<Found>) {
        for probe in 0..BATCH {
            let gram = load(window, probe * STEP);
            let (a, b) = slots(gram);
            if self.first[a] & self.second[b] != 0 {
                self.confirm_gram(text, from + probe * STEP, gram, found);
            }
        }
    }

    fn confirm_gram(&self, text: &[u8], at: usize, gram: u64, found: &mut Vec<Found>) {
        for (anchor, offset) in self.grams.get(gram) {
            self.compare(text, at, anchor, offset, found);
        }
    }

    /// Compares the grams of the last probes one by one.
    fn confirm(&self, text: &[u8], from: usize, probes: usize, found: &mut Vec<Found>) {
        for probe in 0..probes {
            let at = from + probe * STEP;
            let Some(bytes) = text.get(at..at + GRAM) else { return };
            let gram = pack(bytes);
            let (a, b) = slots(gram);
            if self.first[a] & self.second[b] == 0 {
                continue;
            }
            self.confirm_gram(text, at, gram, found);
        }
    }

    fn compare(&self, text: &[u8], at: usize, anchor: usize, offset: usize, found: &mut Vec<Found>) {
        let Some(anchor) = self.anchors.get(anchor) else { return };
        let Some(start) = at.checked_sub(offset) else { return };
        let bytes: Option<&[u8; ANCHOR]> = text.get(start..start + ANCHOR).and_then(|b| b.try_into().ok());
        if bytes != Some(&anchor.bytes) {
            return;
        }
        for literal in &anchor.literals {
            let Some(from) = start.checked_sub(literal.offset) else { continue };
            if text.get(from..from + literal.run.len()) == Some(&literal.run) {
                found.push(Found { at: start, literal: literal.literal });
            }
        }
    }
}

/// Loads a gram from a window of fixed size.
#[inline]
fn load(window: &[u8; STRIDE + 8], at: usize) -> u64 {
    let bytes: [u8; 8] = window.get(at..at + 8).and_then(|b| b.try_into().ok()).unwrap_or_default();
    u64::from_le_bytes(bytes) & GRAM_MASK
}

/// From gram to (anchor, offset), open addressing. A slot tells a gram by a part of its hash only: the anchor is compared
/// anyway.
struct Grams {
    slots: Vec<Slot>,
    mask: usize,
}

/// Eight bytes: the table is looked at for every common gram and should stay in the cache.
#[derive(Clone, Copy)]
struct Slot {
    tag: u32,
    /// The anchor's index times [`STEP`], plus the gram's offset in it; [`EMPTY`] in an empty slot.
    place: u32,
}

/// Marks an empty slot.
const EMPTY: u32 = u32::MAX;

impl Grams {
    fn new(entries: usize) -> Self {
        let size = (entries * 2).next_power_of_two().max(16);
        Self { slots: vec![Slot { tag: 0, place: EMPTY }; size], mask: size - 1 }
    }

    /// Where the search for a gram begins, and its tag.
    fn start(&self, gram: u64) -> (usize, u32) {
        let hash = gram.wrapping_mul(SPREAD);
        ((hash >> 20) as usize & self.mask, (hash >> 32) as u32)
    }

    fn insert(&mut self, gram: u64, anchor: usize, offset: usize) {
        let (mut at, tag) = self.start(gram);
        while let Some(slot) = self.slots.get_mut(at) {
            if slot.place == EMPTY {
                *slot = Slot { tag, place: (anchor * STEP + offset) as u32 };
                return;
            }
            at = (at + 1) & self.mask;
        }
    }

    /// The anchors, and offsets in them, at which a gram may stand.
    fn get(&self, gram: u64) -> impl Iterator<Item = (usize, usize)> {
        let (start, tag) = self.start(gram);
        (0..self.slots.len())
            .map_while(move |i| self.slots.get((start + i) & self.mask).filter(|s| s.place != EMPTY))
            .filter(move |s| s.tag == tag)
            .map(|s| (s.place as usize / STEP, s.place as usize % STEP))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn naive(literals: &[&str], text: &[u8]) -> Vec<Found> {
        let mut found = Vec::new();
        for (index, literal) in (0u32..).zip(literals) {
            let Some((run, offset)) = place(literal) else { continue };
            for at in 0..text.len() {
                if text[at..].starts_with(run) {
                    found.push(Found { at: at + offset, literal: index });
                }
            }
        }
        found.sort_unstable();
        found
    }

    #[test]
    fn literals_are_found_at_every_alignment_and_at_the_end() {
        let literals = ["not authorized to access endpoint", "unexpected EOF", "unexpected end of JSON input"];
        let filter = Filter::new(literals);
        for shift in 0..80 {
            let text =
                format!("{}not authorized to access endpoint{}unexpected EOF", " ".repeat(shift), "x".repeat(shift));
            let mut found = Vec::new();
            filter.find(text.as_bytes(), &mut found);
            assert_eq!(found, naive(&literals, text.as_bytes()), "shift {shift}");
            assert!(found.iter().any(|f| f.literal == 0) && found.iter().any(|f| f.literal == 1), "shift {shift}");
        }
    }

    #[test]
    fn an_anchor_avoids_bytes_that_encodings_change() {
        let anchor = anchor(r#"a"b\c volume <META> is missing"#).expect("a plain run");
        assert!(anchor.iter().all(|b| is_plain(*b)));
        assert_eq!(super::anchor(r#"short "x" y"#), None);
    }

    #[test]
    fn keys_that_only_the_parsed_text_has_are_no_part_of_a_run() {
        let (run, _) = place("machine provision failed error=not authorized to access").expect("a run");
        assert!(run == b"machine provision failed" || run == b"not authorized to access", "{run:?}");
        assert_eq!(place("user != root@pam").map(|(run, _)| run), Some(&b"user != root@pam"[..]));
        assert_eq!(place("status=403").map(|(run, _)| run), Some(&b"status=403"[..]));
    }

    proptest::proptest! {
        #[test]
        fn the_filter_agrees_with_a_plain_search(text in "[ab ]{0,300}", literal in "[ab ]{9,14}") {
            let literals = [literal.as_str(), "abababababab", "         "];
            let mut found = Vec::new();
            Filter::new(literals).find(text.as_bytes(), &mut found);
            proptest::prop_assert_eq!(found, naive(&literals, text.as_bytes()));
        }
    }
}
