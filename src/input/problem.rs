//! What went wrong while reading, in words for people. Data is never a reason to stop.

use std::fmt;

/// What kind of problem it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ProblemKind {
    /// A file or folder could not be opened or read.
    Open,
    /// The data ends before its end; what there was has been read.
    Truncated,
    /// The data is damaged; what could be restored has been read.
    Damaged,
    /// One of the [`Limits`](crate::limits::Limits) was reached.
    Limit,
    /// Encrypted, and no key fits.
    Encrypted,
    /// A kind of file or compression that is not read.
    Unsupported,
    /// There was nothing in it.
    Empty,
    /// Left out on purpose: links, devices.
    Skipped,
    /// Given or contained more than once; read once.
    Duplicate,
    /// A name that points elsewhere or is too long; only the label differs, the content was read.
    Name,
}

impl ProblemKind {
    /// The word for it in reports.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Truncated => "truncated",
            Self::Damaged => "damaged",
            Self::Limit => "limit",
            Self::Encrypted => "encrypted",
            Self::Unsupported => "unsupported",
            Self::Empty => "empty",
            Self::Skipped => "skipped",
            Self::Duplicate => "duplicate",
            Self::Name => "name",
        }
    }
}

impl fmt::Display for ProblemKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// One problem of one source. Problems sort by source, kind and text, so that lists are the same at any
/// number of threads.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// The label of the source, archive or folder it belongs to.
    pub source: String,
    /// What kind it is.
    pub kind: ProblemKind,
    /// Lower case, no full stop; ends in what to do next where something can be done.
    pub message: String,
    /// Whether log data may be missing because of it.
    pub lost: bool,
}
