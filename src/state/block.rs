//! A block as lines with their places, and small reading aids that all documents share.

use std::ops::Range;

use super::{StateEvent, secret};
use crate::event::{Event, Service};

/// The most bytes shown of one thing.
const EXCERPT: usize = 400;
/// The most bytes kept of one value.
const VALUE: usize = 4096;

/// The most things that are read from one block.
pub(super) const MAX_EVENTS: usize = 50_000;

/// The text of a block and where its lines start.
pub(super) struct Block<'t> {
    text: &'t str,
    starts: Vec<usize>,
}

impl<'t> Block<'t> {
    /// Splits a block into lines.
    pub(super) fn new(text: &'t str) -> Self {
        let mut starts = vec![0];
        starts.extend(memchr::memchr_iter(b'\n', text.as_bytes()).map(|at| at + 1));
        if starts.last() == Some(&text.len()) && starts.len() > 1 {
            starts.pop();
        }
        Self { text, starts }
    }

    /// The number of lines.
    pub(super) fn len(&self) -> usize {
        self.starts.len()
    }

    /// Line `index` without its line end, empty when there is none.
    pub(super) fn line(&self, index: usize) -> &'t str {
        self.slice(index, index + 1).trim_end_matches(['\n', '\r'])
    }

    /// All lines with their numbers.
    pub(super) fn lines(&self) -> impl Iterator<Item = (usize, &'t str)> + '_ {
        (0..self.len()).map(|i| (i, self.line(i)))
    }

    /// The bytes from line `from` up to line `to` (not with it).
    pub(super) fn bytes(&self, from: usize, to: usize) -> Range<usize> {
        let at = |line: usize| self.starts.get(line).copied().unwrap_or(self.text.len());
        at(from)..at(to.max(from))
    }

    /// The text from line `from` up to line `to` (not with it).
    pub(super) fn slice(&self, from: usize, to: usize) -> &'t str {
        self.text.get(self.bytes(from, to)).unwrap_or_default()
    }

    /// The start of the lines `from..to` that fits an excerpt: whole lines, none with a secret.
    fn excerpt(&self, from: usize, to: usize) -> Range<usize> {
        let start = self.bytes(from, from).start;
        let mut end = start;
        for line in from..to.max(from + 1) {
            let next = self.bytes(line, line + 1).end;
            if secret::in_line(self.line(line)) || (next - start > EXCERPT && line > from) {
                break;
            }
            end = start + cut(self.text.get(start..next).unwrap_or_default(), EXCERPT).len();
        }
        start..end
    }

    /// The event as told by the lines `from..to`.
    pub(super) fn event(&self, event: Event<'static>, from: usize, to: usize) -> StateEvent {
        StateEvent {
            event,
            line: u32::try_from(from).unwrap_or(u32::MAX),
            text: self.excerpt(from, to),
            extent: self.bytes(from, to),
        }
    }
}

/// A new event of a document.
pub(super) fn event(format: &'static str, service: Service, body: impl Into<String>) -> Event<'static> {
    Event { body: body.into().into(), service: Some(service), formats: vec![format], ..Event::default() }
}

/// Appends an attribute, its value cut to what is sensible.
pub(super) fn attribute(event: &mut Event<'static>, key: impl Into<String>, value: &str) {
    event.attribute(key.into(), cut(value, VALUE).to_owned());
}

/// Appends an entity.
pub(super) fn entity(event: &mut Event<'static>, key: &'static str, value: &str) {
    event.entity(key, value.to_owned());
}

/// The first `limit` bytes of a text, to a whole character.
pub(super) fn cut(text: &str, limit: usize) -> &str {
    let mut end = limit.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

/// `key: value` (or `key:`) with a key of letters, digits, `-`, `_` and `.`; the value is trimmed.
pub(super) fn pair(line: &str) -> Option<(&str, &str)> {
    let (key, value) = line.split_once(':')?;
    if !is_key(key) || !(value.is_empty() || value.starts_with([' ', '\t'])) {
        return None;
    }
    Some((key, value.trim()))
}

/// The same for bytes, without a look at the value.
pub(super) fn pair_bytes(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let near = line.get(..line.len().min(80))?;
    let colon = near.iter().position(|b| !is_of_key(*b))?;
    let (key, value) = (near.get(..colon)?, line.get(colon + 1..)?);
    let is_pair = near.get(colon) == Some(&b':')
        && key.first().is_some_and(u8::is_ascii_alphabetic)
        && matches!(value.first(), None | Some(b' ' | b'\t'));
    is_pair.then(|| (key, value.trim_ascii()))
}

/// A word that can be a key.
fn is_key(key: &str) -> bool {
    key.starts_with(|c: char| c.is_ascii_alphabetic()) && key.bytes().all(is_of_key)
}

/// A byte of a word that can be a key.
fn is_of_key(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.')
}

/// The command behind a shell prompt: `$ qm list`, `# qm list`, `root@pve1:~# qm list`.
pub(super) fn command(line: &str) -> Option<&str> {
    let (prompt, rest) = line.split_once(['$', '#', '%'])?;
    let user = prompt.split_once('@').is_some_and(|(user, host)| !user.is_empty() && !host.contains(' '));
    (prompt.is_empty() || user).then(|| rest.trim())
}

/// A line that certainly ends a pasted block: a prompt or a Markdown fence.
pub(super) fn is_boundary(line: &[u8]) -> bool {
    line.starts_with(b"```") || line.starts_with(b"~~~") || line.starts_with(b"$ ")
}

/// The number in ` /path/123.conf`-like names: the digits of the last component, when it is only them before the dot.
pub(super) fn conf_vmid(path: &str) -> Option<&str> {
    let name = path.rsplit('/').next()?.strip_suffix(".conf")?;
    is_vmid(name).then_some(name)
}

/// A VMID: three to nine digits.
pub(super) fn is_vmid(text: &str) -> bool {
    (3..=9).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit()) && !text.starts_with('0')
}

/// The node in `/etc/pve/nodes/NODE/...`.
pub(super) fn path_node(path: &str) -> Option<&str> {
    let (_, rest) = path.rsplit_once("nodes/")?;
    rest.split('/').next().filter(|n| !n.is_empty())
}

/// Splits at tabs or two and more blanks, with the offset (in characters) of each field.
pub(super) fn fields(line: &str) -> Vec<(usize, &str)> {
    let mut out = Vec::new();
    let (mut start, mut end, mut gap) = (None, 0, 0);
    let mut tab = false;
    for (column, (at, c)) in line.char_indices().enumerate() {
        if c == ' ' || c == '\t' {
            gap += 1;
            tab |= c == '\t';
            continue;
        }
        if (gap >= 2 || tab || start.is_none())
            && let Some((column, from)) = start.replace((column, at))
        {
            out.push((column, line.get(from..end).unwrap_or_default()));
        }
        (gap, tab, end) = (0, false, at + c.len_utf8());
    }
    if let Some((column, from)) = start {
        out.push((column, line.get(from..end).unwrap_or_default()));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_cut_at_wide_gaps_and_keep_their_columns() {
        assert_eq!(fields("  a b   c\td"), vec![(2, "a b"), (8, "c"), (10, "d")]);
        assert_eq!(fields("é  x"), vec![(0, "é"), (3, "x")]);
        assert!(fields("").is_empty());
    }

    #[test]
    fn lines_have_their_places() {
        let block = Block::new("a\nbc\n\nd");
        assert_eq!((block.len(), block.line(1), block.bytes(1, 3)), (4, "bc", 2..6));
        assert_eq!(Block::new("a\n").len(), 1);
    }

    #[test]
    fn prompts_are_told_from_text() {
        assert_eq!(command("$ qm list"), Some("qm list"));
        assert_eq!(command("root@pve1:~# qm config 100"), Some("qm config 100"));
        assert_eq!(command("costs 5 $ a month"), None);
    }
}
