//! Takes one stream apart: looks at its first bytes, opens the container it is, and so on down to text.
//!
//! Knows no files. Invariant: each call ends in a source, a problem, or both, and never deeper than
//! [`Limits::nesting`](crate::limits::Limits::nesting).

use std::io::{self, BufReader};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::classify::{Class, classify, is_enough};
use super::label::reason;
use super::meter::{Counted, Meter, Rules};
use super::tally::{EMPTY, Tally};
use super::{Content, Hints, ProblemKind, Source, Walk, mail, tar, zip};
use crate::decode::peek::Peek;
use crate::decode::{Input, Layer, age, text};

/// Bytes read ahead below a decoder. Larger reads bypass the buffer.
pub(super) const BUFFER: usize = 64 << 10;

/// Where a stream stands: the source it will be, and the archive around it.
#[derive(Clone)]
pub(super) struct Place<'a> {
    pub source: Source,
    /// Collects notes of the archive this is a member of.
    pub tally: Option<&'a Tally>,
    /// Set when the innermost decoder broke, which was told then.
    broken: Arc<AtomicBool>,
}

impl Place<'_> {
    /// A file or standard input.
    pub fn top(label: String, index: u32) -> Self {
        let hints = Hints::default();
        let order = vec![index];
        let source = Source { label, order, hints, modified: None, bytes: None, layers: Vec::new() };
        Self { source, tally: None, broken: Arc::default() }
    }

    /// A member of this archive.
    pub fn member<'t>(&self, label: String, index: usize, tally: &'t Tally) -> Place<'t> {
        let mut source = Source { label, bytes: None, modified: None, ..self.source.clone() };
        source.order.push(u32::try_from(index).unwrap_or(u32::MAX));
        Place { source, tally: Some(tally), broken: Arc::default() }
    }

    /// The mark for a decoder that is about to be opened here.
    pub fn break_mark(&mut self) -> Arc<AtomicBool> {
        self.broken = Arc::default();
        Arc::clone(&self.broken)
    }

    /// Whether the innermost decoder broke.
    pub fn is_broken(&self) -> bool {
        self.broken.load(Ordering::Relaxed)
    }

    /// Whether this is inside a container.
    fn is_nested(&self) -> bool {
        !self.source.layers.is_empty()
    }
}

/// Levels of containers: an archive right behind a compression or an encryption is one with it.
fn levels(layers: &[&str]) -> usize {
    let is_archive = |layer: &str| matches!(layer, "tar" | "zip" | "mail");
    let mut levels = 0;
    let mut before = "tar";
    for layer in layers {
        if !is_archive(layer) || is_archive(before) {
            levels += 1;
        }
        before = layer;
    }
    levels
}

impl Walk<'_> {
    /// Visits what a stream holds.
    pub(super) fn stream(&self, place: Place<'_>, input: Input<'_>) {
        let mut input = Peek::new(input);
        let head = match input.peek_until(is_enough) {
            Ok(head) => head,
            Err(error) => return self.unreadable(&place, &error),
        };
        match classify(head) {
            Class::Empty => self.nothing(&place),
            Class::Text(encoding) => self.text(place, encoding, Box::new(input)),
            Class::Compressed(layer) => self.compressed(place, layer, input),
            Class::Age => self.encrypted(place, input),
            Class::Tar => {
                if let Some(place) = self.enter(place, "tar") {
                    tar::walk(self, &place, &mut input);
                }
            }
            Class::Zip => {
                if let Some(place) = self.enter(place, "zip") {
                    zip::walk_stream(self, &place, input);
                }
            }
            Class::Mail => {
                if let Some(place) = self.enter(place, "mail") {
                    mail::walk(self, &place, &mut input);
                }
            }
            Class::Binary(what) => self.binary(&place, what),
            Class::Unsupported(what) => self.lost(&place.source.label, ProblemKind::Unsupported, what),
        }
    }

    /// Not a byte could be read.
    fn unreadable(&self, place: &Place<'_>, error: &io::Error) {
        let (kind, message) = match error.kind() {
            io::ErrorKind::UnexpectedEof => {
                (ProblemKind::Truncated, "nothing of it could be read; fetch it again".into())
            }
            _ => (ProblemKind::Open, reason(error)),
        };
        self.lost(&place.source.label, kind, message);
    }

    fn nothing(&self, place: &Place<'_>) {
        if place.is_broken() {
            return;
        }
        match place.tally {
            Some(tally) => tally.add_empty(&place.source, self.limits.notes),
            None => self.empty(&place.source.label, EMPTY, 1),
        }
    }

    pub(super) fn binary(&self, place: &Place<'_>, what: &str) {
        self.note(&place.source.label, ProblemKind::Skipped, format!("not read: {what}"));
    }

    /// The place inside a container, unless that is too deep.
    pub(super) fn enter<'t>(&self, mut place: Place<'t>, layer: &'static str) -> Option<Place<'t>> {
        place.source.layers.push(layer);
        let limit = self.limits.nesting;
        if levels(&place.source.layers) > limit {
            let message = format!("containers are nested more than {limit} deep; unpack it and pass what is inside");
            self.lost(&place.source.label, ProblemKind::Limit, message);
            return None;
        }
        Some(place)
    }

    fn compressed(&self, place: Place<'_>, layer: &dyn Layer, input: Peek<'_>) {
        let Some(mut place) = self.enter(place, layer.name()) else {
            return;
        };
        place.source.bytes = None;
        let (input, intake) = Counted::new(input);
        let plain = layer.open(Box::new(input), self.limits);
        let label = place.source.label.clone();
        let rules = Rules { decoder: Some(intake), broken: place.break_mark(), ..Rules::default() };
        let plain = Meter::new(self, &label, rules, plain);
        self.stream(place, Box::new(BufReader::with_capacity(BUFFER, plain)));
    }

    fn encrypted(&self, place: Place<'_>, input: Peek<'_>) {
        let Some(mut place) = self.enter(place, "age") else {
            return;
        };
        place.source.bytes = None;
        let label = place.source.label.clone();
        let (input, intake) = Counted::new(input);
        match age::open(Box::new(input), self.identities, &label, self.limits) {
            Ok(plain) => {
                let rules = Rules { decoder: Some(intake), broken: place.break_mark(), ..Rules::default() };
                let plain = Meter::new(self, &label, rules, plain);
                self.stream(place, Box::new(BufReader::with_capacity(BUFFER, plain)));
            }
            Err(age::Error::Io(error)) if error.kind() == io::ErrorKind::UnexpectedEof => {
                self.lost(&label, ProblemKind::Truncated, "ends within the age header; fetch it again");
            }
            Err(error @ (age::Error::Io(_) | age::Error::Header)) => {
                self.lost(&label, ProblemKind::Damaged, error.to_string());
            }
            Err(error) => self.lost(&label, ProblemKind::Encrypted, error.to_string()),
        }
    }

    /// What is text, whatever it looks like.
    pub(super) fn plain(&self, place: Place<'_>, bytes: &[u8]) {
        if bytes.trim_ascii().is_empty() {
            return self.nothing(&place);
        }
        self.text(place, text::Encoding::Utf8, Box::new(bytes));
    }

    /// The end of the way: text.
    fn text(&self, mut place: Place<'_>, encoding: text::Encoding, input: Input<'_>) {
        let member = place.is_nested();
        if let Some(layer) = encoding.layer() {
            place.source.layers.push(layer);
            place.source.bytes = None;
        }
        place.source.hints = Hints::of(&place.source.label);
        let rules = Rules { member, ..Rules::default() };
        let mut stream = Meter::new(self, &place.source.label, rules, text::open(encoding, input));
        self.source(&place.source, Content::Stream(&mut stream));
    }
}

#[cfg(test)]
mod tests {
    use super::levels;

    #[test]
    fn an_archive_behind_a_compression_is_one_level_with_it() {
        let table: &[(&[&str], usize)] = &[
            (&[], 0),
            (&["gzip"], 1),
            (&["gzip", "tar"], 1),
            (&["zip"], 1),
            (&["zip", "zip"], 2),
            (&["zip", "gzip", "tar", "age", "zip", "gzip"], 4),
            (&["gzip", "gzip", "gzip"], 3),
            (&["tar", "zip", "tar"], 3),
        ];
        for (layers, count) in table {
            assert_eq!(levels(layers), *count, "{layers:?}");
        }
    }
}
