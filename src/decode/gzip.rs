//! gzip, one or many members, decoded by flate2 with zlib-rs (the fastest pure Rust decoder measured).
//!
//! The check sum and the length at the end of each member are verified.

use std::io::{self, Read};

use flate2::bufread::GzDecoder;

use super::concat::{Concat, Kind, Member};
use super::peek::Peek;
use super::{Input, Layer};
use crate::limits::Limits;

/// The gzip layer.
pub(super) struct Gzip;

static KIND: Kind = Kind { matches, start };

impl Layer for Gzip {
    fn name(&self) -> &'static str {
        "gzip"
    }

    fn matches(&self, head: &[u8]) -> bool {
        matches(head)
    }

    fn open<'a>(&self, input: Input<'a>, limits: &Limits) -> Box<dyn Read + Send + 'a> {
        Box::new(Concat::new(&KIND, input, limits))
    }
}

fn matches(head: &[u8]) -> bool {
    head.starts_with(b"\x1f\x8b\x08")
}

fn start<'a>(input: Peek<'a>, _: &Limits) -> Box<dyn Member<'a> + Send + 'a> {
    Box::new(Stream(GzDecoder::new(input)))
}

struct Stream<'a>(GzDecoder<Peek<'a>>);

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
