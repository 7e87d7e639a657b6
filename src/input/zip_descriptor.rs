//! The data of a zip member that does not tell its length: it ends where a descriptor stands that fits what was read.
//!
//! A descriptor holds the check sum and both lengths, with or without a magic before it, in 32 or 64 bits. Data that looks
//! like one is passed over unless its numbers are those of the bytes before it. Invariant: hands out every byte before
//! the descriptor and takes the descriptor; without one it ends in an error.

use std::io::{self, BufRead, Read};

use super::zip_directory::{Member, u32_at, u64_at};
use crate::decode::peek::Peek;

const MAGIC: &[u8] = b"PK\x07\x08";
/// What may follow a descriptor without a magic.
const NEXT: [&[u8]; 2] = [b"PK\x03\x04", b"PK\x01\x02"];
/// The longest descriptor and the magic of what follows.
const LONGEST: usize = 28;
/// Where a descriptor may begin, counted back from a magic: at its own, or before that of what follows.
const BEFORE: [usize; 3] = [0, 12, 20];

/// A reader of the data.
pub(super) struct Described<'a, 'p> {
    input: &'a mut Peek<'p>,
    /// The sum of what was read, when the descriptor holds it of the same bytes.
    crc: Option<flate2::Crc>,
    read: u64,
    /// Bytes ahead in which no descriptor begins.
    clear: usize,
    ended: bool,
}

impl<'a, 'p> Described<'a, 'p> {
    /// Begins where the data does.
    pub fn new(input: &'a mut Peek<'p>, member: &Member) -> Self {
        let plain = member.method == 0 && !member.encrypted;
        Self { input, crc: plain.then(flate2::Crc::new), read: 0, clear: 0, ended: false }
    }

    /// Looks how far the data goes; takes the descriptor when it stands here.
    fn look(&mut self) -> io::Result<()> {
        let ahead = self.input.peek(LONGEST)?;
        if ahead.is_empty() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let sum = self.crc.as_ref().map(flate2::Crc::sum);
        if let Some(length) = descriptor(ahead, self.read, sum) {
            self.input.consume(length);
            self.ended = true;
            return Ok(());
        }
        self.clear = clear(ahead);
        Ok(())
    }
}

impl BufRead for Described<'_, '_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if !self.ended && self.clear == 0 {
            self.look()?;
        }
        if self.ended {
            return Ok(&[]);
        }
        let ahead = self.input.fill_buf()?;
        Ok(ahead.get(..self.clear).unwrap_or(ahead))
    }

    fn consume(&mut self, amount: usize) {
        if let (Some(crc), Ok(ahead)) = (&mut self.crc, self.input.fill_buf()) {
            crc.update(ahead.get(..amount).unwrap_or(ahead));
        }
        self.input.consume(amount);
        self.read += amount as u64;
        self.clear = self.clear.saturating_sub(amount);
    }
}

impl Read for Described<'_, '_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let count = self.fill_buf()?.read(buf)?;
        self.consume(count);
        Ok(count)
    }
}

/// How long the descriptor is that stands here, behind `read` bytes with this sum (where it is known).
fn descriptor(ahead: &[u8], read: u64, sum: Option<u32>) -> Option<usize> {
    let fitting = |begin: usize, width: usize| {
        let end = begin + 4 + 2 * width;
        let fields = ahead.get(begin..end)?;
        let length = |at| if width == 4 { u64::from(u32_at(fields, at)) } else { u64_at(fields, at) };
        let fits = length(4) == read && sum.is_none_or(|sum| sum == u32_at(fields, 0) && length(4 + width) == read);
        fits.then_some(end)
    };
    let followed = |end: &usize| NEXT.iter().any(|magic| ahead.get(*end..).is_some_and(|rest| rest.starts_with(magic)));
    let begin = if ahead.starts_with(MAGIC) { MAGIC.len() } else { 0 };
    let ends =
        || [(begin, 4), (begin, 8), (0, 4), (0, 8)].into_iter().filter_map(|(begin, width)| fitting(begin, width));
    // What follows tells both widths apart; without it (the archive is cut) the magic is enough.
    ends().find(followed).or_else(|| ends().next().filter(|_| begin > 0))
}

/// Bytes ahead, one at least, in which no descriptor begins.
fn clear(ahead: &[u8]) -> usize {
    // At the end of the input there is none any more.
    let sure = if ahead.len() < LONGEST { ahead.len() } else { ahead.len() - LONGEST + 1 };
    let mut first = sure;
    for at in memchr::memmem::find_iter(ahead, b"PK") {
        if at >= first + LONGEST {
            break;
        }
        let begin = BEFORE.iter().filter_map(|back| at.checked_sub(*back)).filter(|begin| *begin > 0).min();
        first = begin.map_or(first, |begin| first.min(begin));
    }
    first.max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored() -> Member {
        let name = b"a".to_vec();
        Member { name, method: 0, encrypted: false, packed: u64::MAX, size: u64::MAX, crc: 0, modified: None }
    }

    /// A descriptor of these bytes.
    fn of(data: &[u8], marked: bool, wide: bool) -> Vec<u8> {
        let mut crc = flate2::Crc::new();
        crc.update(data);
        let mut out = if marked { MAGIC.to_vec() } else { Vec::new() };
        out.extend(crc.sum().to_le_bytes());
        for _ in 0..2 {
            if wide {
                out.extend((data.len() as u64).to_le_bytes());
            } else {
                out.extend((data.len() as u32).to_le_bytes());
            }
        }
        out
    }

    #[test]
    fn data_ends_at_the_descriptor_that_fits_whatever_stands_in_it() {
        let inner = [&b"PK\x03\x04 inner PK\x07\x08"[..], &of(b"inner", true, false), b"PK\x01\x02 PK"].concat();
        let long = [&vec![b'P'; 70_000][..], &inner, &vec![b'K'; 300]].concat();
        for data in [&b""[..], b"x", b"PK", b"P", b"some text\n", &inner, &long] {
            for (marked, wide) in [(true, false), (true, true), (false, false), (false, true)] {
                let bytes = [data, &of(data, marked, wide), b"PK\x01\x02 the directory of the archive"].concat();
                for capacity in [1, 7, 4096] {
                    let inner = io::BufReader::with_capacity(capacity, &*bytes);
                    let mut peek = Peek::new(Box::new(inner));
                    let mut read = Vec::new();
                    Described::new(&mut peek, &stored()).read_to_end(&mut read).expect("a descriptor");
                    assert!(read == data, "{} of {} bytes, {marked} {wide} {capacity}", read.len(), data.len());
                    assert!(peek.peek(4).expect("memory").starts_with(NEXT[1]), "the descriptor was not taken");
                }
            }
        }
    }

    #[test]
    fn data_without_a_descriptor_is_read_and_then_an_error() {
        let bytes = b"some text\nPK\x07\x08 and more that fits nothing\nPK\x01\x02";
        let mut peek = Peek::new(Box::new(&bytes[..]));
        let mut read = Vec::new();
        let error = Described::new(&mut peek, &stored()).read_to_end(&mut read).expect_err("no end");
        assert_eq!((read.as_slice(), error.kind()), (&bytes[..], io::ErrorKind::UnexpectedEof));
    }
}
