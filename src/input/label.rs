//! Names of sources: how members of archives are called, and errors of the system in short words.
//!
//! Opens nothing. Invariant: a label never leads outside its archive and holds no control characters.

use std::io;

use super::{ProblemKind, Walk};

/// Stands between an archive and its member.
pub(super) const MEMBER: &str = "!/";

/// A member's name, cleaned for display, and whether it tried to point outside the archive.
pub(super) fn clean(name: &[u8]) -> (String, bool) {
    let text = String::from_utf8_lossy(name);
    // Some tools on Windows separate with backslashes; a systemd unit like `dev-disk\x2d` does not.
    let separators: &[char] = if text.contains('/') { &['/'] } else { &['/', '\\'] };
    let outside = text.starts_with(separators) || text.split(separators).any(|part| part == "..");
    let parts = text.split(separators).filter(|part| !matches!(*part, "" | "." | ".."));
    let joined = parts.collect::<Vec<_>>().join("/");
    let drive = joined.get(1..3) == Some(":/") && joined.starts_with(|c: char| c.is_ascii_alphabetic());
    let kept = if drive { joined.get(3..).unwrap_or_default() } else { &joined };
    let shown = if kept.is_empty() { "(no name)" } else { kept };
    (plain(shown), outside || drive)
}

/// Text without control characters.
pub(super) fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

/// The label of a member, shortened (and reported) when it is too long.
pub(super) fn member(walk: &Walk<'_>, archive: &str, name: &str) -> String {
    bounded(walk, format!("{archive}{MEMBER}{name}"))
}

/// A label within [`Limits::path`](crate::limits::Limits::path). The middle gives way: the end names the file.
pub(super) fn bounded(walk: &Walk<'_>, label: String) -> String {
    let limit = walk.limits.path;
    if label.len() <= limit {
        return label;
    }
    let half = limit.saturating_sub('…'.len_utf8()) / 2;
    let head = label.get(..label.floor_char_boundary(half)).unwrap_or_default();
    let tail = label.get(label.ceil_char_boundary(label.len() - half)..).unwrap_or_default();
    let short = format!("{head}…{tail}");
    walk.note(&short, ProblemKind::Name, format!("its name has {} bytes, shortened to {limit}", label.len()));
    short
}

/// An error of the system in a few words, without its number.
pub fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    let mut chars = text.chars();
    let lower = chars.next().map(|first| first.to_lowercase().collect::<String>());
    // "No such file" becomes lower case, "I/O error" and names of formats stay.
    match chars.as_str().chars().next() {
        Some(second) if second.is_lowercase() || second == ' ' => lower.unwrap_or_default() + chars.as_str(),
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_cleaned_and_hostile_ones_are_noticed() {
        let table = [
            ("node/dmesg.log", "node/dmesg.log", false),
            ("./a//b/", "a/b", false),
            ("/etc/shadow", "etc/shadow", true),
            ("../../etc/shadow", "etc/shadow", true),
            ("a/../b", "a/b", true),
            ("..\\..\\boot.ini", "boot.ini", true),
            ("a\\b.log", "a/b.log", false),
            ("logs/dev-disk\\x2d.log", "logs/dev-disk\\x2d.log", false),
            ("C:\\logs\\a.log", "logs/a.log", true),
            ("a\u{1b}[31m\u{0}b", "a\u{fffd}[31m\u{fffd}b", false),
            ("", "(no name)", false),
            ("..", "(no name)", true),
            (
                "UPID:pve1:0012D687:0A3F21C4:692189A0:qmstart:100:root@pam!omni:",
                "UPID:pve1:0012D687:0A3F21C4:692189A0:qmstart:100:root@pam!omni:",
                false,
            ),
        ];
        for (name, label, outside) in table {
            assert_eq!(clean(name.as_bytes()), (label.to_owned(), outside), "{name:?}");
        }
    }

    #[test]
    fn errors_of_the_system_are_put_in_short_words() {
        assert_eq!(reason(&io::Error::from_raw_os_error(2)), "no such file or directory");
        assert_eq!(reason(&io::Error::other("CRC is wrong")), "CRC is wrong");
    }
}
