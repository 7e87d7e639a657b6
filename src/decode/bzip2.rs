//! bzip2, one or many streams, decoded by the bzip2 crate with its pure Rust library.
//!
//! Block check sums are verified by the library.

use std::io::{self, Read};

use ::bzip2::bufread::BzDecoder;

use super::concat::{Concat, Kind, Member};
use super::peek::Peek;
use super::{Input, Layer};
use crate::limits::Limits;

/// The bzip2 layer.
pub(super) struct Bzip2;

static KIND: Kind = Kind { matches, start };

impl Layer for Bzip2 {
    fn name(&self) -> &'static str {
        "bzip2"
    }

    fn matches(&self, head: &[u8]) -> bool {
        // A text may well begin with "BZh9"; the block or end magic behind it decides.
        let block = |rest: &[u8]| rest.starts_with(b"1AY&SY") || rest.starts_with(b"\x17rE8P\x90");
        matches(head) && head.get(4..).is_some_and(block)
    }

    fn open<'a>(&self, input: Input<'a>, limits: &Limits) -> Box<dyn Read + Send + 'a> {
        Box::new(Concat::new(&KIND, input, limits))
    }
}

fn matches(head: &[u8]) -> bool {
    matches!(head, [b'B', b'Z', b'h', b'1'..=b'9', ..])
}

fn start<'a>(input: Peek<'a>, _: &Limits) -> Box<dyn Member<'a> + Send + 'a> {
    Box::new(Stream(BzDecoder::new(input)))
}

struct Stream<'a>(BzDecoder<Peek<'a>>);

impl Read for Stream<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.0.read(buf)
    }
}

impl<'a> Member<'a> for Stream<'a> {
    fn finish(self: Box<Self>) -> Peek<'a> {
        self.0.into_inner()
    }
}
