//! Places of lines in few columns: what all sources have in common is told once.

use unicode_width::UnicodeWidthStr;

use crate::report::model::Report;

/// How places are shown.
pub struct Places {
    /// The folder or archive that all sources stand in, where places leave it out.
    pub common: String,
    /// Columns of a place.
    room: usize,
}

impl Places {
    /// Leaves the common part out when places would take more than half of the columns.
    pub fn new(report: &Report, room: usize) -> Self {
        let sources: Vec<&str> = report.inputs.iter().map(|i| i.source.as_str()).collect();
        let shown = report.root_causes.iter().flat_map(|c| &c.evidence).map(|e| e.source.as_str());
        let longest = shown.map(|s| s.width() + 4).max().unwrap_or(0);
        let common = if longest * 2 > room { common(&sources) } else { String::new() };
        Self { common, room: room.saturating_sub(12).max(20) }
    }

    /// A source and a line.
    pub fn at(&self, source: &str, line: u64) -> String {
        format!("{}:{line}", self.source(source))
    }

    /// A text in which sources stand, without what they have in common.
    pub fn shorten(&self, text: &str) -> String {
        if self.common.is_empty() {
            return text.to_owned();
        }
        let mut parts = text.split(self.common.as_str());
        let mut short = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let begins = short.chars().next_back().is_none_or(|c| c == ' ' || c == '(');
            short.push_str(if begins { "…/" } else { &self.common });
            short.push_str(part);
        }
        short
    }

    /// A source: all of it, or its last parts.
    fn source(&self, source: &str) -> String {
        let rest = source.strip_prefix(&self.common).filter(|_| !self.common.is_empty());
        let shown = rest.map_or_else(|| source.to_owned(), |rest| format!("…/{rest}"));
        if shown.width() <= self.room {
            return shown;
        }
        let ends = source.match_indices('/').map(|(at, _)| source.get(at..).unwrap_or_default());
        let fits = ends.map(|end| format!("…{end}")).find(|end| end.width() <= self.room);
        fits.unwrap_or(shown)
    }
}

/// What all texts begin with, up to a slash.
fn common(sources: &[&str]) -> String {
    let Some((first, rest)) = sources.split_first() else { return String::new() };
    let mut shared = first.rfind('/').map_or(0, |at| at + 1);
    for source in rest {
        while !source.starts_with(first.get(..shared).unwrap_or_default()) {
            let before = first.get(..shared.saturating_sub(1)).unwrap_or_default();
            shared = before.rfind('/').map_or(0, |at| at + 1);
        }
    }
    first.get(..shared).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_common_part_ends_at_a_slash() {
        assert_eq!(common(&["a/b/c.log", "a/b/d.log"]), "a/b/");
        assert_eq!(common(&["a/bc/d.log", "a/bd/e.log"]), "a/");
        assert_eq!(common(&["t.zip!/x/y", "t.zip!/x"]), "t.zip!/");
        assert_eq!(common(&["/var/log/x"]), "/var/log/");
        assert_eq!(common(&["a", "b/c"]), "");
        assert_eq!(common(&[]), "");
    }

    #[test]
    fn texts_lose_the_common_part_where_a_source_begins() {
        let places = Places { common: "in/".into(), room: 24 };
        assert_eq!(places.shorten("2 sources: in/a.log, in/b.log (in/c)"), "2 sources: …/a.log, …/b.log (…/c)");
        assert_eq!(places.shorten("bin/a.log"), "bin/a.log");
        assert_eq!(Places { common: String::new(), room: 24 }.shorten("in/a.log"), "in/a.log");
    }

    #[test]
    fn what_is_still_too_long_keeps_its_end() {
        let places = Places { common: "bundle/".into(), room: 24 };
        assert_eq!(places.at("bundle/dmesg.log", 7), "…/dmesg.log:7");
        assert_eq!(places.at("bundle/a-long-folder/one-more/dmesg.log", 7), "…/one-more/dmesg.log:7");
        assert_eq!(places.at("elsewhere/dmesg.log", 7), "elsewhere/dmesg.log:7");
    }
}
