//! Follows sources that never end, and says what changed: a root cause that became likely, a verdict that changed.
//!
//! `tail` finds what grows on disk, `stream` reads pipes, [`crate::scan::live`] scans what came, `verdicts` knows what is
//! news. Findings are judged again when something new was found, and never for more than a tenth of the time. Memory is
//! bounded: of each signature the newest hits stay, nothing stays for longer than a day. Prints nothing; the time is what its
//! caller's clock says.

mod stream;
mod tail;
mod verdicts;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

use crate::input::{self, Options};
use crate::pipeline::{self, Analysis};
use crate::report::context;
use crate::report::model::{ProblemEntry, Report};
use crate::scan::live::{Live, Upto};
use crate::scan::{Scanner, SourceContext};

use stream::Message;
use tail::{Found, Tails};
pub use verdicts::Change;
use verdicts::Verdicts;

/// A writer that was quiet for so long has finished its record.
const QUIET: Duration = Duration::from_millis(150);
/// Records are scanned after so long at the latest while their writer is busy.
const BUSY: Duration = Duration::from_millis(300);
/// The least time between two judgements, and how many times longer than a judgement takes.
const JUDGE: Duration = Duration::from_millis(200);
const IDLE: u32 = 10;
/// Time between two judgements when lines came and nothing was found: an absence shows only by time.
const AGAIN: Duration = Duration::from_secs(5);
/// Time between two looks at files.
const LOOK: Duration = Duration::from_millis(200);
/// How long what was found is kept.
const HORIZON: Duration = Duration::from_hours(24);
/// Newest hits of a signature that are kept in each source, and in all sources together.
const NEWEST: usize = 400;
const NEWEST_OF_ALL: usize = 4_000;
/// Sources that have ended and are kept.
const ENDED: usize = 1_000;
/// Messages that may wait: each has at most 64 KiB.
const MESSAGES: usize = 32;
/// Messages taken before a look at everything else.
const BATCH: usize = 64;
/// Problems kept for the summary.
const PROBLEMS: usize = 200;

/// Tells the time since the start.
pub type Clock = Box<dyn Fn() -> Duration>;

/// What is new.
#[derive(Debug)]
pub struct Update {
    /// What changed, the most important first.
    pub changes: Vec<Change>,
    /// Everything known now.
    pub report: Report,
}

/// How it goes.
#[derive(Debug, Clone, Copy, Default)]
pub struct Status {
    /// Sources that may still grow.
    pub sources: usize,
    /// Lines read.
    pub lines: u64,
    /// Root causes that were told and still hold.
    pub holding: usize,
    /// Time since a line came.
    pub silent: Duration,
}

/// A name for a source: files and streams are counted apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    File(usize),
    Stream(usize),
}

/// One source.
struct Followed {
    live: Live,
    /// When its last bytes came.
    last: Duration,
    /// Since when bytes wait.
    waiting: Option<Duration>,
    ended: bool,
}

/// Follows sources.
pub struct Follower<'c> {
    scanner: Scanner<'c>,
    /// What the clock said at the start, microseconds since the epoch.
    start: i64,
    clock: Clock,
    options: Arc<Options>,
    sources: BTreeMap<Key, Followed>,
    problems: Vec<ProblemEntry>,
    /// How many of them were handed out.
    told: usize,
    tails: Tails,
    next_look: Duration,
    sender: SyncSender<Message>,
    receiver: Receiver<Message>,
    numbers: Arc<AtomicUsize>,
    /// Streams that have not ended.
    streams: usize,
    verdicts: Verdicts,
    judged: Duration,
    next_judgement: Duration,
    /// Something was found since the last judgement; lines came since then.
    news: bool,
    grown: bool,
    /// Lines of sources that were dropped.
    dropped: u64,
    forgot: bool,
}

impl<'c> Follower<'c> {
    /// Follows these paths; none, or `-`, is standard input.
    ///
    /// # Errors
    /// No thread could be started.
    pub fn new(scanner: Scanner<'c>, paths: &[PathBuf], options: Options, clock: Clock) -> std::io::Result<Self> {
        let (stdin, paths): (Vec<PathBuf>, Vec<PathBuf>) = paths.iter().cloned().partition(|p| p == Path::new("-"));
        let (sender, receiver) = sync_channel(MESSAGES);
        let mut follower = Self {
            start: scanner.now,
            scanner,
            clock,
            tails: Tails::new(&paths, options.limits.files),
            options: Arc::new(options),
            sources: BTreeMap::new(),
            problems: Vec::new(),
            told: 0,
            next_look: Duration::ZERO,
            sender,
            receiver,
            numbers: Arc::default(),
            streams: 0,
            verdicts: Verdicts::default(),
            judged: Duration::ZERO,
            next_judgement: Duration::ZERO,
            news: false,
            grown: false,
            dropped: 0,
            forgot: false,
        };
        if !stdin.is_empty() || paths.is_empty() {
            follower.stream(PathBuf::from("-"))?;
        }
        Ok(follower)
    }

    fn stream(&mut self, path: PathBuf) -> std::io::Result<()> {
        stream::spawn(path, Arc::clone(&self.options), self.sender.clone(), Arc::clone(&self.numbers))?;
        self.streams += 1;
        Ok(())
    }

    /// Whether nothing can come any more.
    pub fn is_over(&self) -> bool {
        self.streams == 0 && !self.tails.watches() && self.sources.values().all(|s| s.ended)
    }

    /// Takes what came, for at most about `wait`; what is new, if anything is.
    pub fn step(&mut self, wait: Duration) -> Option<Update> {
        self.receive(wait);
        self.look();
        self.scan_waiting();
        self.judge()
    }

    /// Problems since the last call.
    pub fn new_problems(&mut self) -> &[ProblemEntry] {
        let from = std::mem::replace(&mut self.told, self.problems.len());
        self.problems.get(from..).unwrap_or_default()
    }

    /// How it goes.
    pub fn status(&self) -> Status {
        let now = (self.clock)();
        let last = self.sources.values().map(|s| s.last).max().unwrap_or_default();
        Status {
            sources: self.sources.values().filter(|s| !s.ended).count(),
            lines: self.dropped + self.sources.values().map(|s| s.live.outcome.found.lines).sum::<u64>(),
            holding: self.verdicts.holding(),
            silent: now.saturating_sub(last),
        }
    }

    /// The report over everything, and what changed at the end.
    pub fn finish(mut self) -> Update {
        self.next_look = Duration::ZERO;
        self.look();
        for source in self.sources.values_mut() {
            source.live.scan(&self.scanner, Upto::End);
            let outcome = &mut source.live.outcome;
            outcome.around.close_all(outcome.found.lines);
        }
        self.with_analysis(|this, analysis| {
            let candidates = analysis.candidates(this.scanner.catalogue);
            let changes = this.verdicts.changes(this.scanner.catalogue, &candidates, (this.clock)());
            let mut report = analysis.report(this.scanner.catalogue);
            context::attach_kept(&mut report, &analysis.sources);
            Update { changes, report }
        })
    }

    /// Takes messages of streams, the first of them with patience.
    fn receive(&mut self, wait: Duration) {
        let mut wait = wait;
        for _ in 0..BATCH {
            match self.receiver.recv_timeout(wait) {
                Ok(message) => self.take(message),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return,
            }
            wait = Duration::ZERO;
        }
    }

    fn take(&mut self, message: Message) {
        match message {
            Message::Begin(number, context) => self.begin(Key::Stream(number), *context),
            Message::Bytes(number, bytes) => self.bytes(Key::Stream(number), &bytes),
            Message::End(number) => self.end(Key::Stream(number)),
            Message::Problem(problem) => self.problem(problem),
            Message::Done => self.streams = self.streams.saturating_sub(1),
        }
    }

    /// Looks at files, as seldom as is needed to be cheap.
    fn look(&mut self) {
        let now = (self.clock)();
        if now < self.next_look {
            return;
        }
        let mut tails = std::mem::replace(&mut self.tails, Tails::new(&[], 0));
        let more = tails.look(now, &mut |found| self.found(found));
        self.tails = tails;
        let after = (self.clock)();
        let pause = if more { Duration::ZERO } else { LOOK.max(after.saturating_sub(now) * IDLE) };
        self.next_look = after + pause;
    }

    fn found(&mut self, found: Found) {
        match found {
            Found::Begin { key, path, modified } => {
                let context = pipeline::context(&input::named(&path, Some(modified)));
                // Not when it was last written: it goes on.
                self.begin(Key::File(key), SourceContext { modified: None, ..context });
            }
            Found::Bytes(key, bytes) => self.bytes(Key::File(key), &bytes),
            Found::Renamed(key, path) => {
                if let Some(source) = self.sources.get_mut(&Key::File(key)) {
                    source.live.outcome.context.label = input::named(&path, None).label;
                }
            }
            Found::End(key) => self.end(Key::File(key)),
            Found::Once(path) => {
                if let Err(error) = self.stream(path.clone()) {
                    self.problem(problem(&path, "open", format!("no thread to read it: {error}")));
                }
            }
            Found::Problem(path, message) => self.problem(problem(&path, "open", message)),
            Found::Appeared(path) => {
                let label = input::named(&path, None).label;
                self.problems.retain(|p| p.source != label);
                self.told = self.told.min(self.problems.len());
            }
        }
    }

    fn begin(&mut self, key: Key, mut context: SourceContext) {
        // Streams pass by; files are looked into again at the end.
        if matches!(key, Key::Stream(_)) {
            context.around = self.scanner.around;
        }
        let now = (self.clock)();
        let source = Followed { live: Live::new(context), last: now, waiting: None, ended: false };
        self.sources.insert(key, source);
    }

    fn bytes(&mut self, key: Key, bytes: &[u8]) {
        let now = (self.clock)();
        let Some(source) = self.sources.get_mut(&key) else { return };
        self.grown = true;
        source.last = now;
        source.waiting.get_or_insert(now);
        self.news |= source.live.push(&self.scanner, bytes);
    }

    fn end(&mut self, key: Key) {
        let Some(source) = self.sources.get_mut(&key) else { return };
        source.ended = true;
        source.waiting = None;
        self.news |= source.live.scan(&self.scanner, Upto::End);
    }

    fn problem(&mut self, problem: ProblemEntry) {
        if self.problems.len() < PROBLEMS {
            self.problems.push(problem);
        }
    }

    /// Scans what has waited long enough.
    fn scan_waiting(&mut self) {
        let now = (self.clock)();
        for source in self.sources.values_mut() {
            let Some(since) = source.waiting else { continue };
            if now.saturating_sub(source.last) >= QUIET {
                self.news |= source.live.scan(&self.scanner, Upto::Line);
                source.waiting = None;
            } else if now.saturating_sub(since) >= BUSY {
                self.news |= source.live.scan(&self.scanner, Upto::Record);
                source.waiting = Some(now);
            }
        }
    }

    /// Judges what was found, when something is new and the last judgement is long enough ago.
    fn judge(&mut self) -> Option<Update> {
        let now = (self.clock)();
        let again = now.saturating_sub(self.judged) >= AGAIN && (self.grown || self.verdicts.wavers());
        if now < self.next_judgement || !(self.news || again) {
            return None;
        }
        (self.news, self.grown) = (false, false);
        self.retain(now);
        self.scanner.now = self.start.saturating_add(i64::try_from(now.as_micros()).unwrap_or(i64::MAX));
        let update = self.with_analysis(|this, analysis| {
            let candidates = analysis.candidates(this.scanner.catalogue);
            let changes = this.verdicts.changes(this.scanner.catalogue, &candidates, now);
            (!changes.is_empty()).then(|| Update { changes, report: analysis.report(this.scanner.catalogue) })
        });
        let after = (self.clock)();
        self.judged = after;
        self.next_judgement = after + JUDGE.max(after.saturating_sub(now) * IDLE);
        update
    }

    /// Forgets what is old or too much.
    fn retain(&mut self, now: Duration) {
        let newest = (NEWEST_OF_ALL / self.sources.len().max(1)).clamp(16, NEWEST);
        for source in self.sources.values_mut() {
            self.forgot |= source.live.retain(now, HORIZON, newest);
        }
        let mut ended: Vec<(Duration, Key)> =
            self.sources.iter().filter(|(_, s)| s.ended).map(|(key, s)| (s.last, *key)).collect();
        ended.sort_unstable();
        let many = ended.len().saturating_sub(ENDED);
        for (index, (last, key)) in ended.into_iter().enumerate() {
            if (index < many || now.saturating_sub(last) >= HORIZON)
                && let Some(source) = self.sources.remove(&key)
            {
                self.dropped += source.live.outcome.found.lines;
                self.forgot = true;
            }
        }
    }

    /// Puts what was found together for as long as `work` needs it.
    fn with_analysis<T>(&mut self, work: impl FnOnce(&mut Self, &Analysis) -> T) -> T {
        let mut analysis = Analysis { problems: self.problems.clone(), ..Analysis::default() };
        if self.forgot {
            let message = "followed for long: evidence older than a day was forgotten, counts are since the start";
            analysis.problems.push(ProblemEntry {
                source: "--follow".into(),
                kind: "limit".into(),
                message: message.into(),
            });
        }
        let mut keys: Vec<Key> = self.sources.keys().copied().collect();
        let label = |key: &Key| self.sources.get(key).map(|s| s.live.outcome.context.label.clone());
        keys.sort_by_cached_key(|key| (label(key), *key));
        for key in &keys {
            let Some(source) = self.sources.get_mut(key) else { continue };
            self.scanner.settle(&mut source.live.outcome);
            analysis.problems.extend(pipeline::problems_of(&self.scanner, &source.live.outcome));
            analysis.sources.push(std::mem::take(&mut source.live.outcome));
        }
        analysis.set_times(self.scanner.catalogue);
        let result = work(self, &analysis);
        for (key, outcome) in keys.iter().zip(analysis.sources) {
            if let Some(source) = self.sources.get_mut(key) {
                source.live.outcome = outcome;
            }
        }
        result
    }
}

fn problem(path: &Path, kind: &str, message: String) -> ProblemEntry {
    ProblemEntry { source: input::named(path, None).label, kind: kind.into(), message }
}

#[cfg(test)]
mod tests;
