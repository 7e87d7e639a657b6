//! Text encodings: what a byte order mark or the pattern of NUL bytes says, and UTF-16 to UTF-8 as a stream.
//!
//! UTF-8 is passed through untouched, bad bytes and NUL bytes included: the caller keeps bytes and decides.
//! Invariant: the reader never fails on text; what is no UTF-16 becomes U+FFFD.

use std::io::{self, Read};

use encoding_rs::{CoderResult, Decoder, UTF_16BE, UTF_16LE};

use super::Input;

/// How text is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// UTF-8 or any other one-byte superset of ASCII; needs no decoding.
    Utf8,
    /// UTF-8 behind a byte order mark.
    Utf8Mark,
    /// UTF-16, little endian, with or without a mark.
    Utf16Le,
    /// UTF-16, big endian, with or without a mark.
    Utf16Be,
}

impl Encoding {
    /// The name of the layer that decodes it; none when there is nothing to decode.
    #[must_use]
    pub fn layer(self) -> Option<&'static str> {
        match self {
            Self::Utf8 => None,
            Self::Utf8Mark => Some("utf-8-bom"),
            Self::Utf16Le => Some("utf-16le"),
            Self::Utf16Be => Some("utf-16be"),
        }
    }
}

/// The encoding of a text that starts with `head`.
#[must_use]
pub fn sniff(head: &[u8]) -> Encoding {
    match head {
        [0xef, 0xbb, 0xbf, ..] => Encoding::Utf8Mark,
        [0xff, 0xfe, ..] => Encoding::Utf16Le,
        [0xfe, 0xff, ..] => Encoding::Utf16Be,
        _ => sniff_nuls(head),
    }
}

/// UTF-16 without a mark: mostly ASCII, so one byte of nearly every pair is NUL and always the same one.
fn sniff_nuls(head: &[u8]) -> Encoding {
    let pairs = head.len() / 2;
    let nuls = |offset: usize| head.iter().skip(offset).step_by(2).filter(|byte| **byte == 0).count();
    let (even, odd) = (nuls(0), nuls(1));
    let mostly = |count: usize| count * 10 >= pairs * 6;
    let hardly = |count: usize| count * 20 <= pairs;
    match pairs {
        0 | 1 => Encoding::Utf8,
        _ if mostly(odd) && hardly(even) => Encoding::Utf16Le,
        _ if mostly(even) && hardly(odd) => Encoding::Utf16Be,
        _ => Encoding::Utf8,
    }
}

/// A reader that gives UTF-8 without a mark. UTF-8 input is handed on as it is.
#[must_use]
pub fn open<'a>(encoding: Encoding, mut input: Input<'a>) -> Box<dyn Read + Send + 'a> {
    match encoding {
        Encoding::Utf8 => Box::new(input),
        Encoding::Utf8Mark => {
            let mark = Read::take(&mut *input, 3);
            drop(io::copy(&mut { mark }, &mut io::sink()));
            Box::new(input)
        }
        Encoding::Utf16Le => Box::new(Utf16::new(UTF_16LE.new_decoder_with_bom_removal(), input)),
        Encoding::Utf16Be => Box::new(Utf16::new(UTF_16BE.new_decoder_with_bom_removal(), input)),
    }
}

/// UTF-8 made at a time; the caller's buffer may be smaller than one character.
const CHUNK: usize = 16 << 10;

struct Utf16<'a> {
    decoder: Decoder,
    input: Input<'a>,
    text: Vec<u8>,
    taken: usize,
    ended: bool,
}

impl<'a> Utf16<'a> {
    fn new(decoder: Decoder, input: Input<'a>) -> Self {
        Self { decoder, input, text: Vec::new(), taken: 0, ended: false }
    }

    /// Decodes the next piece of input into `text`.
    fn fill(&mut self) -> io::Result<()> {
        self.taken = 0;
        self.text.clear();
        self.text.resize(CHUNK, 0);
        let ahead = self.input.fill_buf()?;
        let last = ahead.is_empty();
        let (result, taken, made, _) = self.decoder.decode_to_utf8(ahead, &mut self.text, last);
        self.input.consume(taken);
        self.text.truncate(made);
        self.ended = last && result == CoderResult::InputEmpty;
        Ok(())
    }
}

impl Read for Utf16<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        while self.taken >= self.text.len() && !self.ended {
            self.fill()?;
        }
        let mut rest = self.text.get(self.taken..).unwrap_or_default();
        let count = rest.read(buf)?;
        self.taken += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "level=warn msg=\"disk is full\" node=größe €uro 😀\r\nnext line\n";

    fn utf16(text: &str, big: bool, mark: bool) -> Vec<u8> {
        let units = mark.then_some(0xfeff).into_iter().chain(text.encode_utf16());
        units.flat_map(|unit: u16| if big { unit.to_be_bytes() } else { unit.to_le_bytes() }).collect()
    }

    fn decoded(bytes: &[u8]) -> String {
        // A small buffer below splits characters and surrogates at every place.
        let input = io::BufReader::with_capacity(3, bytes);
        let mut text = String::new();
        open(sniff(bytes), Box::new(input)).read_to_string(&mut text).unwrap();
        text
    }

    #[test]
    fn utf16_is_recognised_and_decoded_in_every_form() {
        for big in [false, true] {
            for mark in [false, true] {
                let bytes = utf16(TEXT, big, mark);
                assert_eq!(decoded(&bytes), TEXT, "big {big}, mark {mark}");
            }
        }
    }

    #[test]
    fn utf8_keeps_its_bytes_and_loses_its_mark() {
        assert_eq!(decoded(TEXT.as_bytes()), TEXT);
        assert_eq!(decoded(format!("\u{feff}{TEXT}").as_bytes()), TEXT);
        assert_eq!(sniff(b"a\xffb\xfe"), Encoding::Utf8);
        assert_eq!(sniff(b""), Encoding::Utf8);
        assert_eq!(sniff(&[0; 64]), Encoding::Utf8);
    }

    #[test]
    fn utf16_with_an_odd_end_or_half_a_surrogate_gives_a_replacement_and_no_error() {
        let mut bytes = utf16("ab", false, true);
        bytes.extend([0x3d, 0xd8]);
        assert_eq!(decoded(&bytes), "ab\u{fffd}");
        bytes.push(0x41);
        assert!(decoded(&bytes).starts_with("ab\u{fffd}"));
    }

    #[test]
    fn a_reader_with_a_tiny_buffer_still_gets_everything() {
        let bytes = utf16(TEXT, false, false);
        let mut reader = open(Encoding::Utf16Le, Box::new(&bytes[..]));
        let mut all = Vec::new();
        let mut one = [0];
        while reader.read(&mut one).unwrap() == 1 {
            all.extend(one);
        }
        assert_eq!(String::from_utf8(all).unwrap(), TEXT);
    }
}
