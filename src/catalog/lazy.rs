//! Regexes that are compiled when they are first needed: most of them never are.

use std::sync::OnceLock;

use regex::Regex;
use serde::{Deserialize, Serialize};

/// A regex compiled when it is first needed.
#[derive(Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LazyRegex {
    /// Its source.
    pub source: String,
    #[serde(skip)]
    compiled: OnceLock<Option<Regex>>,
}

impl LazyRegex {
    /// A regex that is not compiled yet.
    pub fn new(source: String) -> Self {
        Self { source, compiled: OnceLock::new() }
    }

    /// The compiled regex; `None` when it does not compile (the lints report that).
    pub fn get(&self) -> Option<&Regex> {
        self.compiled.get_or_init(|| build_regex(&self.source).ok()).as_ref()
    }
}

/// Compiles a regex with the size limit for pattern files.
pub fn build_regex(source: &str) -> Result<Regex, regex::Error> {
    regex::RegexBuilder::new(source).size_limit(1 << 21).build()
}
