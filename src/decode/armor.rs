//! The text form of an age file: base64 between a BEGIN and an END line (PEM, strict).
//!
//! Decrypts nothing. Lines end in LF or CR LF, all but the last hold 64 columns. Invariant: a line that breaks
//! the form is an error at that line, after everything before it was handed out.

use std::io::{self, BufRead, Read};

use super::Input;

/// The first line of an armored file.
pub(super) const BEGIN: &[u8] = b"-----BEGIN AGE ENCRYPTED FILE-----";
const END: &[u8] = b"-----END AGE ENCRYPTED FILE-----";
/// The longest line that may occur, its line end included.
const LINE: u64 = 80;
const COLUMNS: usize = 64;

/// The bytes behind the armor.
pub(super) struct Armor<'a> {
    input: Input<'a>,
    bytes: Vec<u8>,
    taken: usize,
    state: State,
}

#[derive(PartialEq)]
enum State {
    Begin,
    Lines,
    ShortLine,
    Ended,
}

impl<'a> Armor<'a> {
    pub fn new(input: Input<'a>) -> Self {
        Self { input, bytes: Vec::new(), taken: 0, state: State::Begin }
    }

    fn next_line(&mut self) -> io::Result<()> {
        let line = read_line(&mut self.input)?;
        self.taken = 0;
        self.bytes.clear();
        self.state = match self.state {
            State::Begin if line == BEGIN => State::Lines,
            State::Lines | State::ShortLine if line == END => State::Ended,
            State::Lines => {
                self.bytes = decode(&line).ok_or_else(bad)?;
                if line.len() == COLUMNS { State::Lines } else { State::ShortLine }
            }
            _ => return Err(bad()),
        };
        Ok(())
    }
}

fn bad() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "the armored text is damaged")
}

fn read_line(input: &mut Input<'_>) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    input.take(LINE).read_until(b'\n', &mut line)?;
    if line.is_empty() {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(line.trim_ascii_end().to_vec())
}

/// Strict base64 of one line; none when it is not.
fn decode(line: &[u8]) -> Option<Vec<u8>> {
    if line.is_empty() || line.len() > COLUMNS || !line.len().is_multiple_of(4) {
        return None;
    }
    let padding = line.iter().rev().take_while(|byte| **byte == b'=').count();
    let (digits, _) = line.split_at_checked(line.len() - padding)?;
    let mut bytes = Vec::with_capacity(COLUMNS);
    for group in digits.chunks(4) {
        let value = group.iter().try_fold(0u32, |value, digit| Some(value << 6 | sextet(*digit)?))?;
        let missing = 4 - group.len();
        let [_, a, b, c] = (value << (6 * missing)).to_be_bytes();
        bytes.extend([a, b, c].iter().take(3 - missing.min(2)));
    }
    (padding <= 2).then_some(bytes)
}

fn sextet(digit: u8) -> Option<u32> {
    let value = match digit {
        b'A'..=b'Z' => digit - b'A',
        b'a'..=b'z' => digit - b'a' + 26,
        b'0'..=b'9' => digit - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    };
    Some(u32::from(value))
}

impl Read for Armor<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        while self.taken >= self.bytes.len() && self.state != State::Ended {
            self.next_line()?;
        }
        let mut rest = self.bytes.get(self.taken..).unwrap_or_default();
        let count = rest.read(buf)?;
        self.taken += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unarmored(text: &str) -> (Vec<u8>, Option<io::ErrorKind>) {
        let mut bytes = Vec::new();
        let result = Armor::new(Box::new(text.as_bytes())).read_to_end(&mut bytes);
        (bytes, result.err().map(|error| error.kind()))
    }

    fn framed(body: &str) -> String {
        format!("-----BEGIN AGE ENCRYPTED FILE-----\r\n{body}\n-----END AGE ENCRYPTED FILE-----\n")
    }

    #[test]
    fn base64_is_decoded_with_every_padding() {
        for (body, plain) in [("YWJj", "abc"), ("YWI=", "ab"), ("YQ==", "a"), ("YWJjZA==", "abcd")] {
            assert_eq!(unarmored(&framed(body)), (plain.as_bytes().to_vec(), None), "{body}");
        }
        let full = "QUFB".repeat(16);
        assert_eq!(unarmored(&framed(&format!("{full}\nYWJj"))).0.len(), 51);
    }

    #[test]
    fn a_bad_or_missing_line_is_an_error_after_what_came_before() {
        let full = "QUFB".repeat(16);
        let (bytes, error) = unarmored(&framed(&format!("{full}\n??==")));
        assert_eq!((bytes.len(), error), (48, Some(io::ErrorKind::InvalidData)));
        let cut = framed(&full);
        let (bytes, error) = unarmored(cut.get(..36 + 65).unwrap());
        assert_eq!((bytes.len(), error), (48, Some(io::ErrorKind::UnexpectedEof)));
        assert_eq!(unarmored(&framed("YQ==\nYQ==")).1, Some(io::ErrorKind::InvalidData));
    }
}
