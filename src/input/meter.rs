//! Readers that count, and end a stream when it breaks or goes beyond a limit.
//!
//! They do not decode. Invariant: a metered stream never returns an error; whatever ends it early is reported
//! exactly once, with the label of the source.

use std::io::{self, BufRead, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::label::reason;
use super::{ProblemKind, Walk};
use crate::decode::Mismatch;

/// The bytes that decoders may still produce in this run.
pub(super) struct Budget(AtomicU64);

impl Budget {
    pub fn new(bytes: u64) -> Self {
        Self(AtomicU64::new(bytes))
    }

    fn left(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    fn spend(&self, bytes: u64) {
        let _ = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| Some(left.saturating_sub(bytes)));
    }
}

/// What went into a decoder, seen from behind it.
#[derive(Clone, Default)]
pub(super) struct Intake {
    bytes: Arc<AtomicU64>,
    ended: Arc<AtomicBool>,
}

/// A reader that notes what is taken from it.
pub(super) struct Counted<R> {
    inner: R,
    intake: Intake,
}

impl<R: BufRead> Counted<R> {
    pub fn new(inner: R) -> (Self, Intake) {
        let intake = Intake::default();
        (Self { inner, intake: intake.clone() }, intake)
    }

    fn note(&self, asked: usize, got: usize) {
        self.intake.bytes.fetch_add(got as u64, Ordering::Relaxed);
        if asked > 0 && got == 0 {
            self.intake.ended.store(true, Ordering::Relaxed);
        }
    }
}

impl Intake {
    /// Decoders wrap the errors of their input, so an early end below them is noted here.
    fn note_early_end(&self, error: &io::Error) {
        if error.kind() == io::ErrorKind::UnexpectedEof {
            self.ended.store(true, Ordering::Relaxed);
        }
    }
}

impl<R: BufRead> Read for Counted<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buf).inspect_err(|error| self.intake.note_early_end(error))?;
        self.note(buf.len(), count);
        Ok(count)
    }
}

impl<R: BufRead> BufRead for Counted<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        let ahead = self.inner.fill_buf().inspect_err(|error| self.intake.note_early_end(error))?;
        if ahead.is_empty() {
            self.intake.ended.store(true, Ordering::Relaxed);
        }
        Ok(ahead)
    }

    fn consume(&mut self, amount: usize) {
        self.intake.bytes.fetch_add(amount as u64, Ordering::Relaxed);
        self.inner.consume(amount);
    }
}

/// The output of all members of one archive, against the size of the archive: catches members that share
/// their compressed bytes.
pub(super) struct Shared {
    pub archive: u64,
    pub produced: AtomicU64,
}

/// Which limits hold for a stream.
#[derive(Default)]
pub(super) struct Rules<'a> {
    /// The output of a decoder: counts against the budget of the run.
    pub decoder: Option<Intake>,
    /// The archive whose members together are judged.
    pub shared: Option<&'a Shared>,
    /// Content of a source within a container.
    pub member: bool,
    /// Set when the stream ends early.
    pub broken: Arc<AtomicBool>,
}

/// A stream under limits.
pub(super) struct Meter<'a, R> {
    inner: R,
    walk: &'a Walk<'a>,
    label: &'a str,
    rules: Rules<'a>,
    produced: u64,
    ended: bool,
}

impl<'a, R: Read> Meter<'a, R> {
    pub fn new(walk: &'a Walk<'a>, label: &'a str, rules: Rules<'a>, inner: R) -> Self {
        Self { inner, walk, label, rules, produced: 0, ended: false }
    }

    /// How many bytes may still come, and the text for when more do.
    fn allowance(&self) -> (u64, &'static str) {
        let member = if self.rules.member { self.walk.limits.member } else { u64::MAX };
        let member = member.saturating_sub(self.produced);
        let total = if self.rules.decoder.is_some() { self.walk.budget.left() } else { u64::MAX };
        if total < member { (total, TOTAL) } else { (member, MEMBER) }
    }

    /// One read below. A fault in a decoder must not end the run, so a panic becomes an error.
    fn pull(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        loop {
            let result = catch_unwind(AssertUnwindSafe(|| self.inner.read(buf)));
            match result.unwrap_or_else(|_| Err(io::Error::other("the decoder failed"))) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => return result,
            }
        }
    }

    fn account(&mut self, count: usize) {
        let count = count as u64;
        self.produced += count;
        if self.rules.decoder.is_some() {
            self.walk.budget.spend(count);
        }
        if let Some(shared) = self.rules.shared {
            shared.produced.fetch_add(count, Ordering::Relaxed);
        }
    }

    fn is_bomb(&self) -> bool {
        let limits = self.walk.limits;
        let beyond =
            |made: u64, from: u64| made > limits.ratio_after && made > from.max(1).saturating_mul(limits.ratio);
        let own = self.rules.decoder.as_ref();
        let own = own.is_some_and(|intake| beyond(self.produced, intake.bytes.load(Ordering::Relaxed)));
        let shared = self.rules.shared;
        own || shared.is_some_and(|all| beyond(all.produced.load(Ordering::Relaxed), all.archive))
    }

    fn end(&mut self, kind: ProblemKind, message: String) {
        self.ended = true;
        self.rules.broken.store(true, Ordering::Relaxed);
        self.walk.lost(self.label, kind, message);
    }

    fn end_at_limit(&mut self, what: &str) {
        let read = self.produced;
        self.end(ProblemKind::Limit, format!("{what}; the first {read} bytes were read, unpack it to see the rest"));
    }

    fn end_broken(&mut self, error: &io::Error) {
        // Decoders have many words for input that ends too early; that they asked for more tells it best.
        let asked = self.rules.decoder.as_ref().is_some_and(|intake| intake.ended.load(Ordering::Relaxed));
        let read = self.produced;
        let complete = error.get_ref().is_some_and(|inner| inner.is::<Mismatch>());
        if error.kind() == io::ErrorKind::UnexpectedEof || (asked && !complete) {
            let message = format!("ends too early; {read} bytes could be read, fetch it again for the rest");
            self.end(ProblemKind::Truncated, message);
        } else {
            let message = format!("{}; {read} bytes could be read, fetch it again for the rest", reason(error));
            self.end(ProblemKind::Damaged, message);
        }
    }
}

const MEMBER: &str = "unfolds to more than the limit of bytes for one member";
const TOTAL: &str = "the limit of unpacked bytes for one run is used up";
const RATIO: &str = "unfolds like a decompression bomb";

impl<R: Read> Read for Meter<'_, R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if self.ended || buf.is_empty() {
            return Ok(0);
        }
        let (allowed, limit) = self.allowance();
        let mut probe = [0];
        let room = buf.len().min(usize::try_from(allowed).unwrap_or(usize::MAX));
        let target = if room == 0 { &mut probe[..] } else { buf.get_mut(..room).unwrap_or_default() };
        match self.pull(target) {
            Ok(0) => self.ended = true,
            Ok(_) if room == 0 => self.end_at_limit(limit),
            Ok(count) => {
                self.account(count);
                if self.is_bomb() {
                    self.end_at_limit(RATIO);
                }
                return Ok(count);
            }
            Err(error) => self.end_broken(&error),
        }
        Ok(0)
    }
}
