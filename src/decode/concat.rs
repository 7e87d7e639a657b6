//! Reads streams that may stand one after the other (rotated logs are often joined) as one.
//!
//! Knows no compression: each brings a way to start a member and to recognise the next one. Zero bytes
//! between and after members are padding; anything else after a member is an error that says so.

use std::io::{self, BufRead, Read};

use super::peek::Peek;
use crate::limits::Limits;

/// The bytes needed to recognise the next member.
const MAGIC: usize = 6;

/// One compressed stream. After it returned 0 the input stands right behind it.
pub(super) trait Member<'a>: Read {
    /// The input behind this member.
    fn finish(self: Box<Self>) -> Peek<'a>;
}

/// What a compression brings along.
pub(super) struct Kind {
    /// Whether these bytes start another member.
    pub matches: fn(&[u8]) -> bool,
    /// Starts reading a member.
    pub start: for<'a> fn(Peek<'a>, &Limits) -> Box<dyn Member<'a> + Send + 'a>,
}

/// A reader of all members.
pub(super) struct Concat<'a> {
    kind: &'static Kind,
    limits: Limits,
    state: State<'a>,
}

enum State<'a> {
    Between(Peek<'a>),
    Inside(Box<dyn Member<'a> + Send + 'a>),
    Done,
}

impl<'a> Concat<'a> {
    /// Starts at the first member.
    pub fn new(kind: &'static Kind, input: super::Input<'a>, limits: &Limits) -> Self {
        let limits = limits.clone();
        let member = (kind.start)(Peek::new(input), &limits);
        Self { kind, limits, state: State::Inside(member) }
    }

    fn between(&self, mut input: Peek<'a>) -> io::Result<State<'a>> {
        skip_zeros(&mut input)?;
        let head = input.peek(MAGIC)?;
        if head.is_empty() {
            Ok(State::Done)
        } else if (self.kind.matches)(head) {
            Ok(State::Inside((self.kind.start)(input, &self.limits)))
        } else {
            let message = "other bytes follow the compressed data and were not read";
            Err(io::Error::new(io::ErrorKind::InvalidData, message))
        }
    }
}

impl Read for Concat<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if buf.is_empty() {
            return Ok(0);
        }
        loop {
            self.state = match std::mem::replace(&mut self.state, State::Done) {
                State::Done => return Ok(0),
                State::Between(input) => self.between(input)?,
                State::Inside(mut member) => match member.read(buf)? {
                    0 => State::Between(member.finish()),
                    count => {
                        self.state = State::Inside(member);
                        return Ok(count);
                    }
                },
            };
        }
    }
}

fn skip_zeros(input: &mut Peek<'_>) -> io::Result<()> {
    loop {
        let ahead = input.fill_buf()?;
        let zeros = ahead.iter().take_while(|byte| **byte == 0).count();
        let more = zeros > 0 && zeros == ahead.len();
        input.consume(zeros);
        if !more {
            return Ok(());
        }
    }
}
