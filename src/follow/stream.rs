//! Streams that are read on a thread of their own: standard input, named pipes, and containers, which are read once.
//!
//! Whatever stands around the text (compression, encodings) is undone on the way. The channel is bounded: a writer that is
//! faster than the analysis waits.

use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::SyncSender;

use crate::input::{self, Content, Options, Source, Visitor};
use crate::pipeline;
use crate::report::model::ProblemEntry;
use crate::scan::SourceContext;

/// Bytes read at once.
const BLOCK: usize = 64 << 10;

/// What comes from a stream.
pub enum Message {
    /// A source begins. Its number is unique among streams.
    Begin(usize, Box<SourceContext>),
    /// The next bytes of it.
    Bytes(usize, Vec<u8>),
    /// It ends.
    End(usize),
    /// Something could not be read.
    Problem(ProblemEntry),
    /// Everything in one of the paths was read.
    Done,
}

/// Reads a path on a new thread; `-` is standard input.
pub fn spawn(
    path: PathBuf,
    options: Arc<Options>,
    sender: SyncSender<Message>,
    numbers: Arc<AtomicUsize>,
) -> io::Result<()> {
    let work = move || {
        let forward = Forward { sender: &sender, numbers: &numbers };
        // A pool of its own: a pipe may block its thread for days.
        match rayon::ThreadPoolBuilder::new().num_threads(1).build() {
            Ok(pool) => drop(pool.install(|| input::visit(std::slice::from_ref(&path), &options, &forward))),
            Err(error) => {
                let problem = ProblemEntry {
                    source: path.display().to_string(),
                    kind: "open".into(),
                    message: format!("no thread to read it: {error}"),
                };
                forward.send(Message::Problem(problem));
            }
        }
        forward.send(Message::Done);
    };
    std::thread::Builder::new().name("stream".into()).spawn(work).map(drop)
}

/// Sends what the input side finds.
struct Forward<'f> {
    sender: &'f SyncSender<Message>,
    numbers: &'f AtomicUsize,
}

impl Forward<'_> {
    /// False when nobody listens any more.
    fn send(&self, message: Message) -> bool {
        self.sender.send(message).is_ok()
    }

    fn copy(&self, number: usize, read: &mut dyn Read) {
        loop {
            let mut block = vec![0; BLOCK];
            match read.read(&mut block) {
                Ok(0) => return,
                Ok(count) => {
                    block.truncate(count);
                    if !self.send(Message::Bytes(number, block)) {
                        return;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    let message = format!("reading failed: {error}");
                    self.send(Message::Problem(ProblemEntry { source: String::new(), kind: "read".into(), message }));
                    return;
                }
            }
        }
    }
}

impl Visitor for Forward<'_> {
    fn source(&self, source: &Source, content: Content<'_>) {
        let number = self.numbers.fetch_add(1, Ordering::Relaxed);
        if !self.send(Message::Begin(number, Box::new(pipeline::context(source)))) {
            return;
        }
        match content {
            Content::File(mut file) => self.copy(number, &mut file),
            Content::Stream(stream) => self.copy(number, stream),
        }
        self.send(Message::End(number));
    }

    fn problem(&self, problem: input::Problem) {
        self.send(Message::Problem(pipeline::entry(problem)));
    }
}
