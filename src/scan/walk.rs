//! Hands out every event of a source, one by one: for `omnilog events`, where nothing may be left out.
//!
//! Slower than scanning, since every frame is parsed; frames and documents are the same.

use std::io::{self, BufRead, BufReader, Read};

use crate::event::Event;
use crate::limits::Limits;
use crate::parse::{self, LockOn};
use crate::state::{self, Document, Progress};

use super::{SourceContext, frame};

/// Calls `each` with the line number and the event of every record of a stream; lines and documents are cut at the limits.
///
/// # Errors
/// Those of the reader.
pub fn events(
    context: &SourceContext,
    limits: &Limits,
    read: &mut dyn Read,
    each: &mut dyn FnMut(u64, &Event<'_>),
) -> io::Result<()> {
    let mut walk = Walk { context, limits, each, frame: Vec::new(), first: 0, document: None, raw: None };
    let mut reader = BufReader::with_capacity(256 << 10, read);
    let mut line = Vec::new();
    let mut number = 0;
    loop {
        line.clear();
        if reader.by_ref().take(limits.line as u64).read_until(b'\n', &mut line)? == 0 {
            walk.flush();
            return Ok(());
        }
        number += 1;
        if line.last() == Some(&b'\n') {
            line.pop();
        } else {
            reader.skip_until(b'\n')?;
        }
        walk.line(number, &line);
    }
}

struct Walk<'w> {
    context: &'w SourceContext,
    limits: &'w Limits,
    each: &'w mut dyn FnMut(u64, &Event<'_>),
    frame: Vec<u8>,
    first: u64,
    document: Option<(&'static dyn Document, Progress)>,
    /// The lines of a document in envelopes, with these.
    raw: Option<Vec<u8>>,
}

impl Walk<'_> {
    fn line(&mut self, number: u64, line: &[u8]) {
        let clean = frame::clean(line);
        let unwrapped = || frame::unwrapped(&clean, parse::classify(&clean, &mut LockOn::default()).payload);
        if let Some((document, progress)) = &mut self.document {
            let inner = if self.raw.is_some() { unwrapped() } else { Some(&*clean) };
            if let Some(inner) = inner
                && document.continues(progress, inner)
                && self.frame.len() + inner.len() < self.limits.document
            {
                self.push(inner);
                self.keep(&clean);
                return;
            }
            self.flush();
        }
        let listing = self.frame.trim_ascii_end().ends_with(frame::ANNOUNCES_LISTING);
        // A line with a time is a log line.
        let dated = || parse::classify(&clean, &mut LockOn::default()).time.is_some();
        if let Some(document) = state::begins(&clean).filter(|_| !listing && !dated()) {
            self.flush();
            self.first = number;
            self.document = Some((document, document.start(&clean)));
            self.push(&clean);
            return;
        }
        let inner = unwrapped();
        if let Some((document, inner)) = inner.and_then(|i| Some((frame::wrapped_document(&clean, i)?, i))) {
            self.flush();
            self.first = number;
            self.document = Some((document, document.start(inner)));
            self.raw = Some(Vec::new());
            self.push(inner);
            self.keep(&clean);
            return;
        }
        let joins = !self.frame.is_empty()
            && self.frame.len() < frame::MAX_BYTES
            && (frame::continues(&clean) || self.is_partial());
        if !joins {
            self.flush();
            self.first = number;
        }
        self.push(&clean);
    }

    /// Whether the frame ends in a line that the next one goes on with.
    fn is_partial(&self) -> bool {
        let start = memchr::memrchr(b'\n', &self.frame).map_or(0, |at| at + 1);
        parse::cri::is_partial(self.frame.get(start..).unwrap_or_default())
    }

    fn push(&mut self, line: &[u8]) {
        join(&mut self.frame, line);
    }

    /// Keeps a line with its envelope, should it be no document after all.
    fn keep(&mut self, line: &[u8]) {
        if let Some(raw) = &mut self.raw {
            join(raw, line);
        }
    }

    /// Hands out what was collected.
    fn flush(&mut self) {
        let block = std::mem::take(&mut self.frame);
        let raw = self.raw.take();
        if let Some((document, _)) = self.document.take() {
            let text = String::from_utf8_lossy(&block);
            // In an envelope a heading alone is no table.
            let lone = raw.is_some() && !text.contains('\n');
            let mut told = false;
            let context = state::Context { path: &self.context.label, ..Default::default() };
            if !lone {
                document.each(&text, &context, &mut |event| {
                    told = true;
                    (self.each)(self.first + u64::from(event.line), &event.event);
                });
            }
            if !told {
                self.as_log(raw.as_ref().unwrap_or(&block));
            }
        } else if !block.iter().all(u8::is_ascii_whitespace) {
            for record in frame::records(&block) {
                self.log(self.first, &frame::text(record));
            }
        }
    }

    /// Hands out a block that is no document after all: its lines are log text.
    fn as_log(&mut self, block: &[u8]) {
        for (number, line) in (self.first..).zip(block.split(|b| *b == b'\n')) {
            if !self.frame.is_empty() && !frame::continues(line) {
                self.flush();
            }
            if self.frame.is_empty() {
                self.first = number;
            }
            self.push(line);
        }
        self.flush();
    }

    fn log(&mut self, number: u64, text: &str) {
        let mut event = parse::parse(text);
        event.service = event.service.or(self.context.service);
        if event.node.is_none() {
            event.node = self.context.node.clone().map(Into::into);
        }
        (self.each)(number, &event);
    }
}

/// Appends a line.
fn join(lines: &mut Vec<u8>, line: &[u8]) {
    if !lines.is_empty() {
        lines.push(b'\n');
    }
    lines.extend_from_slice(line);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_joined_and_nothing_is_left_out() {
        let text = "one\n\tgoes on\ntwo\n\nthree";
        let mut seen = Vec::new();
        let mut read = text.as_bytes();
        let context = SourceContext::default();
        events(&context, &Limits::default(), &mut read, &mut |line, event| seen.push((line, event.body.to_string())))
            .expect("memory");
        let expected = [(1, "one\n\tgoes on"), (3, "two"), (5, "three")];
        assert_eq!(seen.iter().map(|(l, b)| (*l, b.as_str())).collect::<Vec<_>>(), expected);
    }
}
