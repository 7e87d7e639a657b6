//! Lines around evidence, read again from the file they stand in.
//!
//! Scanning keeps only what was found; the neighbours of a line are looked up afterwards, by random access through a
//! memory map: only the pages up to the line are touched. Works for plain files; members of archives and pipes have none.

use std::fs::File;
use std::path::Path;

use memchr::memchr_iter;
use memmap2::Mmap;

use super::sanitize;

/// Bytes shown of one line.
const LINE: usize = 400;

/// The lines from `line - around` to `line + around` (from 1) of a file, with their numbers, harmless for terminals.
/// `None` when the file cannot be read again.
pub fn lines(path: &Path, line: u64, around: u64) -> Option<Vec<(u64, String)>> {
    let file = File::open(path).ok().filter(|f| f.metadata().is_ok_and(|m| m.is_file() && m.len() > 0))?;
    #[allow(unsafe_code)]
    // SAFETY: the map is read-only, private to this function and copied from at once. Truncating the file in that moment
    // would end the process with SIGBUS; it was read to its end just before, and nothing is written through the map.
    let map = unsafe { Mmap::map(&file) }.ok()?;
    Some(cut(&map, line, around))
}

fn cut(bytes: &[u8], line: u64, around: u64) -> Vec<(u64, String)> {
    let (first, last) = (line.saturating_sub(around).max(1), line + around);
    let mut shown = Vec::new();
    let (mut number, mut start) = (1, 0);
    for end in memchr_iter(b'\n', bytes).chain(std::iter::once(bytes.len())) {
        if number >= first && start < bytes.len() {
            let text = bytes.get(start..end.min(start + LINE)).unwrap_or_default();
            shown.push((number, sanitize::text(&String::from_utf8_lossy(text)).into_owned()));
        }
        if number >= last {
            break;
        }
        number += 1;
        start = end + 1;
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_are_cut_at_the_ends_of_the_file() {
        let text = b"one\ntwo\nthree\nfour\n";
        let numbers = |line, around| cut(text, line, around).into_iter().map(|(n, _)| n).collect::<Vec<_>>();
        assert_eq!(numbers(1, 1), [1, 2]);
        assert_eq!(numbers(4, 2), [2, 3, 4]);
        assert_eq!(cut(text, 2, 0), [(2, "two".to_owned())]);
    }
}
