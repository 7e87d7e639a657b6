//! What looks like a fault and no rule or benign entry explains: clustered by template, so that an empty diagnosis is
//! never a dead end.
//!
//! The template of a line is its text with numbers, hexadecimal words and quoted values masked; lines of one template
//! are one cluster. Only warnings and errors come here.

use std::collections::HashSet;
use std::hash::Hasher;

use rustc_hash::{FxHashMap, FxHashSet, FxHasher};

use crate::event::{RawTime, Severity};

use super::{Clock, Time};
use crate::redact;

/// Clusters kept for a source.
const CLUSTERS: usize = 512;
/// Bytes of a cluster's sample.
const SAMPLE: usize = 400;
/// Bytes of a line that are looked through for secrets before it is cut.
const AROUND: usize = 16 << 10;

/// Lines of one template.
#[derive(Debug, Clone)]
pub struct Cluster {
    /// The template.
    pub template: String,
    /// The first line, as it stands.
    pub sample: String,
    /// How many lines.
    pub count: u64,
    /// The line number of the first.
    pub line: u64,
    /// The line number of the last.
    last: u64,
    /// The highest severity.
    pub severity: Severity,
    /// The first and last stamp.
    raw: (RawTime, RawTime),
    /// The first and last time.
    pub time: (Option<Time>, Option<Time>),
    /// Names of things in the first line.
    pub entities: Vec<(String, String)>,
}

/// The clusters of a source.
#[derive(Debug, Default)]
pub struct Clusters {
    by_hash: FxHashMap<u64, Cluster>,
    /// Lines that belong to no cluster because there were too many.
    pub overflow: u64,
}

impl Clusters {
    /// Counts a line; gives the number of its template when it is the first of it. Of a template that is `known`, the first
    /// line is kept elsewhere: of those here no text is kept.
    pub fn add(
        &mut self,
        line: u64,
        text: &[u8],
        severity: Severity,
        raw: RawTime,
        known: &FxHashSet<u64>,
    ) -> Option<u64> {
        let hash = masked(text, |_| {});
        if let Some(cluster) = self.by_hash.get_mut(&hash) {
            cluster.count += 1;
            cluster.last = line;
            cluster.severity = cluster.severity.max(severity);
            cluster.raw.1 = raw;
            return None;
        }
        if self.by_hash.len() >= CLUSTERS {
            self.overflow += 1;
            return None;
        }
        let is_known = known.contains(&hash);
        let (template, sample) = if is_known { Default::default() } else { shown(text) };
        let cluster = Cluster {
            template,
            sample,
            count: 1,
            line,
            last: line,
            severity,
            raw: (raw, raw),
            time: (None, None),
            entities: Vec::new(),
        };
        self.by_hash.insert(hash, cluster);
        (!is_known).then_some(hash)
    }

    /// Notes the names of things that stand in the first line of a template.
    pub fn name(&mut self, template: u64, entities: &[(String, String)]) {
        if let Some(cluster) = self.by_hash.get_mut(&template) {
            cluster.entities = entities.to_vec();
        }
    }

    /// The templates, each as a number that is the same in every source.
    pub fn templates(&self) -> impl Iterator<Item = u64> {
        self.by_hash.keys().copied()
    }

    /// Takes out the clusters of these templates.
    pub fn forget(&mut self, templates: &HashSet<u64>) {
        self.by_hash.retain(|template, _| !templates.contains(template));
    }

    /// Adds the clusters of the following chunk, whose lines begin after `lines`.
    pub fn absorb(&mut self, later: Self, lines: u64) {
        self.overflow += later.overflow;
        let mut clusters: Vec<(u64, Cluster)> = later.by_hash.into_iter().collect();
        clusters.sort_by_key(|(_, c)| c.line);
        for (hash, mut cluster) in clusters {
            if let Some(have) = self.by_hash.get_mut(&hash) {
                have.count += cluster.count;
                have.last = cluster.last + lines;
                have.severity = have.severity.max(cluster.severity);
                have.raw.1 = cluster.raw.1;
            } else if self.by_hash.len() < CLUSTERS {
                cluster.line += lines;
                cluster.last += lines;
                self.by_hash.insert(hash, cluster);
            } else {
                self.overflow += cluster.count;
            }
        }
    }

    /// Forgets templates whose last line stands before `line`.
    pub fn forget_before(&mut self, line: u64) {
        self.by_hash.retain(|_, cluster| cluster.last >= line);
    }

    /// Turns stamps into times.
    #[expect(clippy::iter_over_hash_type, reason = "each cluster is settled by itself")]
    pub fn settle(&mut self, clock: &Clock) {
        for cluster in self.by_hash.values_mut() {
            cluster.time = (clock.resolve(cluster.raw.0), clock.resolve(cluster.raw.1));
        }
    }

    /// All clusters, the first line first.
    pub fn sorted(&self) -> Vec<&Cluster> {
        let mut list: Vec<&Cluster> = self.by_hash.values().collect();
        list.sort_by(|a, b| (a.line, &a.template).cmp(&(b.line, &b.template)));
        list
    }

    /// All lines counted.
    pub fn lines(&self) -> u64 {
        self.overflow + self.by_hash.values().map(|c| c.count).sum::<u64>()
    }
}

/// The template of a line and the line itself, both without secrets and cut.
fn shown(text: &[u8]) -> (String, String) {
    // Secrets go before the text is cut: half of one is not recognised any more.
    let near = String::from_utf8_lossy(text.get(..text.len().min(AROUND)).unwrap_or_default());
    let near = redact::mask(&near);
    let mut template = Vec::new();
    masked(near.as_bytes(), |piece| template.extend_from_slice(piece));
    template.truncate(SAMPLE);
    let sample = near.get(..near.floor_char_boundary(SAMPLE.min(near.len()))).unwrap_or_default();
    (String::from_utf8_lossy(&template).into_owned(), sample.to_owned())
}

/// What a byte is in a word: nothing, a part of it, or a part that makes it a value.
const NO_PART: u8 = 0;
const PART: u8 = 1;
const DIGIT: u8 = 2;

/// By byte: every line at warning and above is walked by it.
static PARTS: [u8; 256] = {
    let mut parts = [NO_PART; 256];
    let mut byte = 0u8;
    while byte < 128 {
        parts[byte as usize] = match byte {
            b'0'..=b'9' => DIGIT,
            b'a'..=b'z' | b'A'..=b'Z' | b'-' | b'.' | b'_' | b':' => PART,
            _ => NO_PART,
        };
        byte += 1;
    }
    parts
};

/// Hashes a text with words that hold a digit masked; hands the template piece by piece to `each`.
fn masked(text: &[u8], mut each: impl FnMut(&[u8])) -> u64 {
    let mut hasher = FxHasher::default();
    let mut put = |piece: &[u8]| {
        hasher.write(piece);
        each(piece);
    };
    // Where what is not handed over yet begins, where the word at hand begins, and whether it holds a digit.
    let (mut from, mut word, mut value) = (0, 0, false);
    for (at, byte) in text.iter().enumerate() {
        match PARTS[usize::from(*byte)] {
            NO_PART => {
                if value {
                    put(text.get(from..word).unwrap_or_default());
                    put(b"#");
                    (from, value) = (at, false);
                }
                word = at + 1;
            }
            part => value |= part == DIGIT,
        }
    }
    if value {
        put(text.get(from..word).unwrap_or_default());
        put(b"#");
    } else {
        put(text.get(from..).unwrap_or_default());
    }
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_differ_in_numbers_are_one_cluster() {
        let mut clusters = Clusters::default();
        for (line, text) in [(1u64, "disk 12 failed on pve1"), (2, "disk 99 failed on pve3"), (3, "fan failed")] {
            clusters.add(line, text.as_bytes(), Severity::ERROR, RawTime::None, &FxHashSet::default());
        }
        let sorted = clusters.sorted();
        assert_eq!(
            sorted.iter().map(|c| (c.template.as_str(), c.count)).collect::<Vec<_>>(),
            [("disk # failed on #", 2), ("fan failed", 1)]
        );
    }

    #[test]
    fn the_first_line_of_a_known_template_is_the_one_that_was_kept_before() {
        let add = |line, text: &str, known: &FxHashSet<u64>| {
            let mut clusters = Clusters::default();
            let new = clusters.add(line, text.as_bytes(), Severity::ERROR, RawTime::None, known);
            (clusters, new.is_some())
        };
        let (mut whole, first) = add(1, "disk 12 failed", &FxHashSet::default());
        let (later, again) = add(5, "disk 99 failed", &whole.templates().collect());
        assert!(first && !again);
        whole.absorb(later, 10);
        let sorted = whole.sorted();
        assert_eq!(sorted.iter().map(|c| (c.sample.as_str(), c.count)).collect::<Vec<_>>(), [("disk 12 failed", 2)]);
    }
}
