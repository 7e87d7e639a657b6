//! A buffered reader that can show the bytes ahead without taking them.
//!
//! Does not decide what the bytes are. Invariant: what was shown is read later, in order, exactly once, and an
//! error met while looking ahead comes after the bytes before it.

use std::io::{self, BufRead, Read};

use super::Input;

/// A reader with a look ahead.
pub struct Peek<'a> {
    head: Vec<u8>,
    taken: usize,
    inner: Input<'a>,
    /// An error met while looking ahead.
    failed: Option<io::Error>,
}

impl<'a> Peek<'a> {
    /// Wraps a reader; nothing is read yet.
    #[must_use]
    pub fn new(inner: Input<'a>) -> Self {
        Self { head: Vec::new(), taken: 0, inner, failed: None }
    }

    /// The next bytes, at least `want` of them unless the input ends before.
    ///
    /// # Errors
    /// An error of the reader below, if nothing can be shown before it.
    pub fn peek(&mut self, want: usize) -> io::Result<&[u8]> {
        self.peek_until(|head| head.len() >= want)
    }

    /// The next bytes: reads on until `enough` holds or the input ends. A live stream is asked for no more
    /// than what `enough` needs.
    ///
    /// # Errors
    /// An error of the reader below, if nothing can be shown before it.
    pub fn peek_until(&mut self, enough: impl Fn(&[u8]) -> bool) -> io::Result<&[u8]> {
        self.head.drain(..self.taken);
        self.taken = 0;
        while self.failed.is_none() && !enough(&self.head) {
            let more = match self.inner.fill_buf() {
                Ok(more) => more,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) if self.head.is_empty() => return Err(error),
                Err(error) => {
                    self.failed = Some(error);
                    break;
                }
            };
            if more.is_empty() {
                break;
            }
            let count = more.len();
            self.head.extend_from_slice(more);
            self.inner.consume(count);
        }
        Ok(&self.head)
    }

    fn rest(&self) -> &[u8] {
        self.head.get(self.taken..).unwrap_or_default()
    }
}

impl Read for Peek<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if self.rest().is_empty() {
            return match self.failed.take() {
                Some(error) => Err(error),
                None => self.inner.read(buf),
            };
        }
        let count = self.rest().read(buf)?;
        self.taken += count;
        Ok(count)
    }
}

impl BufRead for Peek<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.taken < self.head.len() {
            return Ok(self.rest());
        }
        match self.failed.take() {
            Some(error) => Err(error),
            None => self.inner.fill_buf(),
        }
    }

    fn consume(&mut self, amount: usize) {
        if self.taken < self.head.len() {
            self.taken = (self.taken + amount).min(self.head.len());
        } else {
            self.inner.consume(amount);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peek_shows_bytes_and_still_reads_them() {
        let inner = io::BufReader::with_capacity(2, &b"0123456789"[..]);
        let mut peek = Peek::new(Box::new(inner));
        assert_eq!(peek.peek(3).unwrap(), b"0123");
        let mut two = [0; 2];
        peek.read_exact(&mut two).unwrap();
        assert_eq!(&two, b"01");
        assert_eq!(peek.peek(5).unwrap(), b"234567");
        let mut all = String::new();
        peek.read_to_string(&mut all).unwrap();
        assert_eq!(all, "23456789");
    }

    #[test]
    fn peek_past_the_end_shows_what_there_is() {
        let mut peek = Peek::new(Box::new(&b"ab"[..]));
        assert_eq!(peek.peek(100).unwrap(), b"ab");
        assert_eq!(peek.peek(100).unwrap(), b"ab");
    }
}
