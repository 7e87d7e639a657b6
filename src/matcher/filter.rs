//! The first filter: finds the literals of all signatures in raw bytes without walking them byte by byte.
//!
//! Each literal has an *anchor* of [`ANCHOR`] bytes, chosen when the pattern files were compiled ([`crate::catalog::anchor`]). Its
//! [`STEP`] consecutive 6-grams go into a table; the text is probed at every fourth byte, so exactly one of them is met
//! wherever the anchor stands. A probe is one load, one multiplication and two look-ups in 64 KiB tables; only when both
//! agree is the gram, and then the anchor, compared. (Design (e) of the measurements; an automaton over 300 literals walks at
//! a seventh of the speed.) An anchor stands in the raw bytes of a record however the record is escaped; the whole literal is
//! tested on the parsed event.

use rustc_hash::{FxBuildHasher, FxHashMap};

use crate::catalog::anchor::{ANCHOR, GRAM, Place, SPREAD, STEP, pack, slot};

/// Probes that are looked at again when one of them hits.
const GROUP: usize = 4;
/// Groups probed together.
const GROUPS: usize = 4;
/// Bytes probed together.
const STRIDE: usize = GROUPS * GROUP * STEP;
/// Groups remembered before they are looked at. Which of them hit cannot be foretold, so nothing branches on it: each is written down,
/// and the next one over it unless it hit.
const NOTED: usize = 512;
/// Keeps the low six bytes of a word.
const GRAM_MASK: u64 = (1 << (8 * GRAM)) - 1;
/// Bits of a table index.
const TABLE_BITS: u32 = 16;

/// A literal found in the raw bytes: where its anchor stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Found {
    /// Byte position of the anchor.
    pub at: usize,
    /// Index of the literal, as given to [`Filter::new`].
    pub literal: u32,
}

/// Finds many literals at once.
pub struct Filter<'l> {
    first: Box<[u8; 1 << TABLE_BITS]>,
    second: Box<[u8; 1 << TABLE_BITS]>,
    grams: Grams,
    anchors: Vec<Anchor<'l>>,
}

struct Anchor<'l> {
    bytes: [u8; ANCHOR],
    literals: Vec<Surrounded<'l>>,
}

/// A literal at an anchor: the run of it that stands unchanged in the raw bytes, and where in the run the anchor begins.
struct Surrounded<'l> {
    literal: u32,
    run: &'l [u8],
    offset: usize,
}

fn slots(gram: u64) -> (usize, usize) {
    let hash = gram.wrapping_mul(SPREAD);
    ((hash >> (64 - TABLE_BITS)) as usize, ((hash >> (64 - 2 * TABLE_BITS)) as usize) & ((1 << TABLE_BITS) - 1))
}

impl<'l> Filter<'l> {
    /// Builds the filter from literals and the places of their anchors; without an anchor a literal is not found (the lints
    /// report it).
    pub fn new(literals: impl IntoIterator<Item = (&'l str, Option<Place>)>) -> Self {
        let literals = literals.into_iter();
        let expected = literals.size_hint().0;
        let mut anchors: Vec<Anchor<'l>> = Vec::with_capacity(expected);
        let mut known: FxHashMap<[u8; ANCHOR], usize> = FxHashMap::with_capacity_and_hasher(expected, FxBuildHasher);
        for (index, (literal, place)) in (0u32..).zip(literals) {
            let Some((place, bytes)) = place.and_then(|p| Some((p, p.piece(literal)?))) else { continue };
            let at = *known.entry(bytes).or_insert(anchors.len());
            if at == anchors.len() {
                anchors.push(Anchor { bytes, literals: Vec::new() });
            }
            if let Some(anchor) = anchors.get_mut(at) {
                anchor.literals.push(Surrounded { literal: index, run: place.run(literal), offset: place.offset });
            }
        }
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
                let bit = 1u8 << (slot(gram) & 7);
                self.first[a] |= bit;
                self.second[b] |= bit;
                self.grams.insert(gram, index, offset);
            }
        }
    }

    /// Appends every anchor found in `text`, in order of position.
    pub fn find(&self, text: &[u8], found: &mut Vec<Found>) {
        let mut noted = [0usize; NOTED + GROUPS];
        let mut count = 0;
        let mut at = 0;
        // One window holds a stride and the bytes that its last load reads beyond it.
        while let Some(window) = text.get(at..at + STRIDE + 8) {
            let window: &[u8; STRIDE + 8] = window.try_into().unwrap_or(&[0; STRIDE + 8]);
            for group in 0..GROUPS {
                let from = group * GROUP * STEP;
                let hit = (0..GROUP).fold(0, |hit, probe| hit | self.probe(load(window, from + probe * STEP)));
                if let Some(note) = noted.get_mut(count) {
                    *note = at + from;
                }
                count += usize::from(hit != 0);
            }
            if count >= NOTED {
                self.confirm_groups(text, noted.get(..count).unwrap_or_default(), found);
                count = 0;
            }
            at += STRIDE;
        }
        self.confirm_groups(text, noted.get(..count).unwrap_or_default(), found);
        self.confirm(text, at, text.len().saturating_sub(at).div_ceil(STEP), found);
    }

    /// Not zero when a gram may be one of the filter's.
    #[inline]
    fn probe(&self, gram: u64) -> u8 {
        let (a, b) = slots(gram);
        self.first[a] & self.second[b]
    }

    /// Compares the grams of groups one by one.
    #[inline(never)]
    fn confirm_groups(&self, text: &[u8], groups: &[usize], found: &mut Vec<Found>) {
        for group in groups {
            self.confirm(text, *group, GROUP, found);
        }
    }

    fn confirm_gram(&self, text: &[u8], at: usize, gram: u64, found: &mut Vec<Found>) {
        let (mut slot, tag) = self.grams.start(gram);
        while let Some(entry) = self.grams.slots.get(slot).filter(|s| s.place != EMPTY) {
            if entry.tag == tag {
                let place = entry.place as usize;
                self.compare(text, at, place / STEP, place % STEP, found);
            }
            slot = (slot + 1) & self.grams.mask;
        }
    }

    /// Compares the grams of some probes one by one.
    fn confirm(&self, text: &[u8], from: usize, probes: usize, found: &mut Vec<Found>) {
        for probe in 0..probes {
            let at = from + probe * STEP;
            let Some(gram) = gram_at(text, at) else { return };
            if self.probe(gram) != 0 {
                self.confirm_gram(text, at, gram, found);
            }
        }
    }

    fn compare(&self, text: &[u8], at: usize, anchor: usize, offset: usize, found: &mut Vec<Found>) {
        let Some(anchor) = self.anchors.get(anchor) else { return };
        let Some(start) = at.checked_sub(offset) else { return };
        // A gram says which anchor it may be: mostly it is.
        let bytes: Option<&[u8; ANCHOR]> = text.get(start..start + ANCHOR).and_then(|b| b.try_into().ok());
        if bytes.is_none_or(|bytes| !same_anchor(bytes, &anchor.bytes)) {
            return;
        }
        for literal in &anchor.literals {
            let Some(from) = start.checked_sub(literal.offset) else { continue };
            if text.get(from..from + literal.run.len()) == Some(literal.run) {
                insert(found, Found { at: start, literal: literal.literal });
            }
        }
    }
}

/// Adds what was found so that the order stays: few others lie behind it, since its gram stands at most [`STEP`] bytes into its
/// anchor.
fn insert(found: &mut Vec<Found>, new: Found) {
    let behind = found.iter().rev().take_while(|f| **f > new).count();
    found.insert(found.len() - behind, new);
}

/// Compares two anchors as numbers: a call of `memcmp` would cost more.
#[inline]
fn same_anchor(a: &[u8; ANCHOR], b: &[u8; ANCHOR]) -> bool {
    let split = |bytes: &[u8; ANCHOR]| {
        let [head @ .., tail] = *bytes;
        (u64::from_le_bytes(head), tail)
    };
    split(a) == split(b)
}

/// The gram at a place; `None` when the text ends before it does.
#[inline]
fn gram_at(text: &[u8], at: usize) -> Option<u64> {
    let rest = text.get(at..)?;
    match rest.first_chunk::<8>() {
        Some(word) => Some(u64::from_le_bytes(*word) & GRAM_MASK),
        None => rest.get(..GRAM).map(pack),
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
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::anchor::place;

    fn filter<'l>(literals: &[&'l str]) -> Filter<'l> {
        Filter::new(literals.iter().map(|literal| (*literal, place(literal))))
    }

    fn naive(literals: &[&str], text: &[u8]) -> Vec<Found> {
        let mut found = Vec::new();
        for (index, literal) in (0u32..).zip(literals) {
            let Some(place) = place(literal) else { continue };
            for at in 0..text.len() {
                if text[at..].starts_with(place.run(literal)) {
                    found.push(Found { at: at + place.offset, literal: index });
                }
            }
        }
        found.sort_unstable();
        found
    }

    #[test]
    fn literals_are_found_at_every_alignment_and_at_the_end() {
        let literals = ["not authorized to access endpoint", "unexpected EOF", "unexpected end of JSON input"];
        let filter = filter(&literals);
        for shift in 0..80 {
            let text =
                format!("{}not authorized to access endpoint{}unexpected EOF", " ".repeat(shift), "x".repeat(shift));
            let mut found = Vec::new();
            filter.find(text.as_bytes(), &mut found);
            assert_eq!(found, naive(&literals, text.as_bytes()), "shift {shift}");
            assert!(found.iter().any(|f| f.literal == 0) && found.iter().any(|f| f.literal == 1), "shift {shift}");
        }
    }

    proptest::proptest! {
        #[test]
        fn the_filter_agrees_with_a_plain_search(text in "[ab ]{0,300}", literal in "[ab ]{9,14}") {
            let literals = [literal.as_str(), "abababababab", "         "];
            let mut found = Vec::new();
            filter(&literals).find(text.as_bytes(), &mut found);
            proptest::prop_assert_eq!(found, naive(&literals, text.as_bytes()));
        }
    }
}
