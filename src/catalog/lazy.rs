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

/// A regex whose `\w`, `\d` and `\b` know ASCII only: names and numbers in logs are made of it, and the classes of Unicode
/// take a hundred times as long to compile.
pub fn ascii(source: &str) -> String {
    let mut out = String::with_capacity(source.len() + 16);
    let mut within_class = 0u32;
    let mut chars = source.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => {
                let escaped = chars.next();
                let plain = match (escaped, within_class > 0) {
                    (Some('w'), true) => "0-9A-Za-z_",
                    (Some('w'), false) => "[0-9A-Za-z_]",
                    (Some('d'), true) => "0-9",
                    (Some('d'), false) => "[0-9]",
                    (Some('b'), false) => r"(?-u:\b)",
                    _ => {
                        out.push(c);
                        out.extend(escaped);
                        continue;
                    }
                };
                out.push_str(plain);
                continue;
            }
            '[' => within_class += 1,
            ']' => within_class = within_class.saturating_sub(1),
            _ => {}
        }
        out.push(c);
    }
    out
}

/// Compiles a regex with the size limit for pattern files; its classes know ASCII only.
pub fn build_regex(source: &str) -> Result<Regex, regex::Error> {
    let build = |source: &str| regex::RegexBuilder::new(source).size_limit(1 << 21).build();
    // An error speaks of what stands in the file.
    build(&ascii(source)).or_else(|_| build(source))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_know_ascii_only_and_stay_what_they_were() {
        assert_eq!(ascii(r"vm-\d+\b [\w.-]+\\w \[\w\]"), r"vm-[0-9]+(?-u:\b) [0-9A-Za-z_.-]+\\w \[[0-9A-Za-z_]\]");
        assert_eq!(ascii(r"[^\d\s]\W\S\B"), r"[^0-9\s]\W\S\B");
        let regex = LazyRegex::new(r"node (?P<n>[\w-]+)\b: \d+".to_owned());
        assert!(regex.get().expect("it compiles").is_match("node pve-1: 42"));
    }
}
