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

/// Spreads the low six bytes of a word, whatever stands in the others: they are shifted out.
#[inline]
fn hash(word: u64) -> u64 {
    word.wrapping_mul(SPREAD << (64 - 8 * GRAM))
}

/// The places of a gram in the two tables, by its hash.
#[inline]
fn slots(hash: u64) -> (usize, usize) {
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
            grams: Grams::default(),
            anchors,
        };
        filter.fill();
        filter
    }

    fn fill(&mut self) {
        let mut entries = Vec::with_capacity(self.anchors.len() * STEP);
        for (index, anchor) in self.anchors.iter().enumerate() {
            for offset in 0..STEP {
                let gram = pack(anchor.bytes.get(offset..).unwrap_or_default());
                let hash = hash(gram);
                let (a, b) = slots(hash);
                let bit = 1u8 << (slot(gram) & 7);
                self.first[a] |= bit;
                self.second[b] |= bit;
                let (head, tail) = split(&anchor.bytes);
                entries.push((hash, Entry { head, tail, offset: offset as u8, anchor: index as u32 }));
            }
        }
        self.grams = Grams::new(&entries);
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
                let hit = (0..GROUP).fold(0, |hit, probe| hit | self.probe(hash(load(window, from + probe * STEP))));
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

    /// Not zero when the gram with this hash may be one of the filter's.
    #[inline]
    fn probe(&self, hash: u64) -> u8 {
        let (a, b) = slots(hash);
        self.first[a] & self.second[b]
    }

    /// Compares the grams of groups one by one.
    #[inline(never)]
    fn confirm_groups(&self, text: &[u8], groups: &[usize], found: &mut Vec<Found>) {
        for group in groups {
            let window = text.get(*group..).and_then(|rest| rest.first_chunk::<{ STRIDE + 8 }>());
            let Some(window) = window else {
                self.confirm(text, *group, GROUP, found);
                continue;
            };
            for probe in 0..GROUP {
                let hash = hash(load(window, probe * STEP));
                if self.probe(hash) != 0 {
                    self.confirm_gram(text, *group + probe * STEP, hash, found);
                }
            }
        }
    }

    /// Compares the anchors that have the gram with this hash with what stands at a place.
    fn confirm_gram(&self, text: &[u8], at: usize, hash: u64, found: &mut Vec<Found>) {
        for entry in self.grams.entries(hash) {
            let Some(start) = at.checked_sub(usize::from(entry.offset)) else { continue };
            let bytes = text.get(start..).and_then(|rest| rest.first_chunk::<ANCHOR>());
            if bytes.is_some_and(|bytes| split(bytes) == (entry.head, entry.tail)) {
                self.compare(text, start, entry.anchor as usize, found);
            }
        }
    }

    /// Compares the grams of some probes one by one.
    fn confirm(&self, text: &[u8], from: usize, probes: usize, found: &mut Vec<Found>) {
        for probe in 0..probes {
            let at = from + probe * STEP;
            let Some(gram) = gram_at(text, at) else { return };
            let hash = hash(gram);
            if self.probe(hash) != 0 {
                self.confirm_gram(text, at, hash, found);
            }
        }
    }

    /// Compares the literals of an anchor that stands at a place.
    fn compare(&self, text: &[u8], start: usize, anchor: usize, found: &mut Vec<Found>) {
        let Some(anchor) = self.anchors.get(anchor) else { return };
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
    if behind == 0 { found.push(new) } else { found.insert(found.len() - behind, new) }
}

/// An anchor as numbers: a call of `memcmp` would cost more.
#[inline]
fn split(bytes: &[u8; ANCHOR]) -> (u64, u8) {
    let [head @ .., tail] = *bytes;
    (u64::from_le_bytes(head), tail)
}

/// The gram at a place, with bytes behind it; `None` when the text ends before it does.
#[inline]
fn gram_at(text: &[u8], at: usize) -> Option<u64> {
    let rest = text.get(at..)?;
    match rest.first_chunk::<8>() {
        Some(word) => Some(u64::from_le_bytes(*word)),
        None => rest.get(..GRAM).map(pack),
    }
}

/// Loads a gram, with two bytes behind it, from a window of fixed size.
#[inline]
fn load(window: &[u8; STRIDE + 8], at: usize) -> u64 {
    let bytes: [u8; 8] = window.get(at..at + 8).and_then(|b| b.try_into().ok()).unwrap_or_default();
    u64::from_le_bytes(bytes)
}

/// From a gram to the anchors that it may be of, open addressing. A slot tells a gram by a part of its hash only: the anchor is
/// compared anyway.
#[derive(Default)]
struct Grams {
    slots: Vec<Slot>,
    mask: usize,
    /// Those of one gram stand together.
    entries: Vec<Entry>,
}

/// Small: the table is looked at for every common gram and should stay in the cache.
#[derive(Clone, Copy, Default)]
struct Slot {
    tag: u32,
    /// Where the entries of the gram begin.
    from: u32,
    /// How many they are; 0 in an empty slot.
    count: u32,
}

/// An anchor that holds a gram.
#[derive(Clone, Copy, Default)]
struct Entry {
    /// The anchor.
    head: u64,
    tail: u8,
    /// Where in it the gram stands.
    offset: u8,
    /// Its index.
    anchor: u32,
}

impl Grams {
    /// Puts entries in order by the hashes of their grams.
    fn new(list: &[(u64, Entry)]) -> Self {
        let size = (list.len() * 2).next_power_of_two().max(16);
        let mut grams =
            Self { slots: vec![Slot::default(); size], mask: size - 1, entries: vec![Entry::default(); list.len()] };
        for (hash, _) in list {
            let (at, tag) = grams.find(*hash);
            if let Some(slot) = grams.slots.get_mut(at) {
                slot.tag = tag;
                slot.count += 1;
            }
        }
        let mut end = 0;
        for slot in grams.slots.iter_mut().filter(|slot| slot.count > 0) {
            end += slot.count;
            slot.from = end;
        }
        // Each is put before those that stand there already.
        for (hash, entry) in list.iter().rev() {
            let (at, _) = grams.find(*hash);
            let Some(slot) = grams.slots.get_mut(at) else { continue };
            slot.from -= 1;
            if let Some(place) = grams.entries.get_mut(slot.from as usize) {
                *place = *entry;
            }
        }
        grams
    }

    /// The slot of the gram with this hash, or the empty one where it belongs, and its tag.
    #[inline]
    fn find(&self, hash: u64) -> (usize, u32) {
        let (mut at, tag) = ((hash >> 34) as usize & self.mask, (hash >> (64 - 8 * GRAM)) as u32);
        while self.slots.get(at).is_some_and(|slot| slot.count > 0 && slot.tag != tag) {
            at = (at + 1) & self.mask;
        }
        (at, tag)
    }

    /// The anchors that may hold the gram with this hash.
    #[inline]
    fn entries(&self, hash: u64) -> &[Entry] {
        let Some(slot) = self.slots.get(self.find(hash).0) else { return &[] };
        let from = slot.from as usize;
        self.entries.get(from..from + slot.count as usize).unwrap_or_default()
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
