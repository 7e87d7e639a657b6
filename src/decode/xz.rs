//! xz, one or many streams, decoded by lzma-rust2 in pure Rust.
//!
//! Check sums of blocks and the index are verified. The dictionary a stream asks for is bounded by
//! [`Limits::window`] before it is allocated. The older `.lzma` form has no magic and is not read.

use std::io::{self, Read};

use lzma_rust2::XzReader;

use super::concat::{Concat, Kind, Member};
use super::peek::Peek;
use super::{Input, Layer};
use crate::limits::Limits;

/// The decoder forgets what a call has produced when that call fails, so calls are kept small.
const STEP: usize = 8 << 10;

/// The xz layer.
pub(super) struct Xz;

static KIND: Kind = Kind { matches, start };

impl Layer for Xz {
    fn name(&self) -> &'static str {
        "xz"
    }

    fn matches(&self, head: &[u8]) -> bool {
        matches(head)
    }

    fn open<'a>(&self, input: Input<'a>, limits: &Limits) -> Box<dyn Read + Send + 'a> {
        Box::new(Concat::new(&KIND, input, limits))
    }
}

fn matches(head: &[u8]) -> bool {
    head.starts_with(b"\xfd7zXZ\0")
}

fn start<'a>(input: Peek<'a>, limits: &Limits) -> Box<dyn Member<'a> + Send + 'a> {
    // The limit counts the dictionary and a little for the decoder itself.
    let kib = u32::try_from(limits.window >> 10).unwrap_or(u32::MAX - 1).saturating_add(1 << 10);
    Box::new(Stream(XzReader::new_mem_limit(input, false, kib)))
}

struct Stream<'a>(XzReader<Peek<'a>>);

impl Read for Stream<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let step = buf.len().min(STEP);
        self.0.read(buf.get_mut(..step).unwrap_or_default())
    }
}

impl<'a> Member<'a> for Stream<'a> {
    fn finish(self: Box<Self>) -> Peek<'a> {
        self.0.into_inner()
    }
}
