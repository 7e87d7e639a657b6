//! Zstandard, one or many frames, skippable ones included, decoded by ruzstd in pure Rust.
//!
//! Check sums are verified. The window a frame asks for is bounded by [`Limits::window`]. Frames that need a
//! dictionary are an error: the dictionary is not in the file.

use std::io::{self, Read};

use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

use super::concat::{Concat, Kind, Member};
use super::peek::Peek;
use super::{Input, Layer, Mismatch};
use crate::limits::Limits;

/// An empty last block and a check sum: ends a frame, so that the decoder gives out what its window holds.
const END_OF_FRAME: &[u8] = &[1, 0, 0, 0, 0, 0, 0];

/// The zstd layer.
pub(super) struct Zstd;

static KIND: Kind = Kind { matches, start };

impl Layer for Zstd {
    fn name(&self) -> &'static str {
        "zstd"
    }

    fn matches(&self, head: &[u8]) -> bool {
        matches(head)
    }

    fn open<'a>(&self, input: Input<'a>, limits: &Limits) -> Box<dyn Read + Send + 'a> {
        Box::new(Concat::new(&KIND, input, limits))
    }
}

fn matches(head: &[u8]) -> bool {
    head.starts_with(b"\x28\xb5\x2f\xfd") || is_skippable(head)
}

fn is_skippable(head: &[u8]) -> bool {
    matches!(head, [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..])
}

fn start<'a>(input: Peek<'a>, limits: &Limits) -> Box<dyn Member<'a> + Send + 'a> {
    let mut decoder = FrameDecoder::new();
    decoder.set_max_window_size(limits.window);
    Box::new(Frame { input, decoder, state: State::Header })
}

enum State {
    Header,
    Blocks,
    /// The frame broke; what the window holds is given out before the error.
    Failed(io::Error),
    Done,
}

struct Frame<'a> {
    input: Peek<'a>,
    decoder: FrameDecoder,
    state: State,
}

impl Frame<'_> {
    fn header(&mut self) -> io::Result<State> {
        if is_skippable(self.input.peek(4)?) {
            skip(&mut self.input)?;
            return Ok(State::Done);
        }
        self.decoder.init(&mut self.input).map_err(io::Error::other)?;
        Ok(State::Blocks)
    }

    fn blocks(&mut self) -> State {
        while self.decoder.can_collect() == 0 && !self.decoder.is_finished() {
            let one = BlockDecodingStrategy::UptoBlocks(1);
            if let Err(error) = self.decoder.decode_blocks(&mut self.input, one) {
                // Once its frame has ended the decoder gives out its whole window.
                let _ = self.decoder.decode_blocks(END_OF_FRAME, BlockDecodingStrategy::All);
                return State::Failed(io::Error::other(error));
            }
        }
        State::Blocks
    }

    fn verify(&self) -> io::Result<()> {
        match (self.decoder.get_checksum_from_data(), self.decoder.get_calculated_checksum()) {
            (Some(stored), Some(computed)) if stored != computed => {
                Err(io::Error::new(io::ErrorKind::InvalidData, Mismatch))
            }
            _ => Ok(()),
        }
    }
}

impl Read for Frame<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if matches!(self.state, State::Header) {
            self.state = self.header()?;
        }
        if matches!(self.state, State::Blocks) {
            self.state = self.blocks();
        }
        let count = if matches!(self.state, State::Done) { 0 } else { self.decoder.read(buf)? };
        if count > 0 || buf.is_empty() {
            return Ok(count);
        }
        match std::mem::replace(&mut self.state, State::Done) {
            State::Failed(error) => Err(error),
            State::Blocks => self.verify().map(|()| 0),
            State::Header | State::Done => Ok(0),
        }
    }
}

impl<'a> Member<'a> for Frame<'a> {
    fn finish(self: Box<Self>) -> Peek<'a> {
        self.input
    }
}

/// Takes a skippable frame: magic, length (32 bits, little endian), that many bytes.
fn skip(input: &mut Peek<'_>) -> io::Result<()> {
    let mut header = [0; 8];
    input.read_exact(&mut header)?;
    let [.., a, b, c, d] = header;
    let length = u64::from(u32::from_le_bytes([a, b, c, d]));
    let skipped = io::copy(&mut input.take(length), &mut io::sink())?;
    if skipped < length { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(()) }
}
