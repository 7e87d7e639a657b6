//! Blocks of JSON: indented objects, one after another, or arrays of them.

use std::borrow::Cow;

use super::block::{Block, MAX_EVENTS, is_boundary};
use super::{Context, Document, Progress, Sample, StateEvent, kind};

/// The block is an array.
const ARRAY: u8 = 1;
/// The outermost bracket has been closed.
const CLOSED: u8 = 2;

/// Starts of one-line JSON that is a resource or an object, not a log record.
const STARTS: &[&[u8]] = &[
    b"{\"metadata\":",
    b"{\"apiVersion\":\"v1\",\"items\":",
    b"{\"apiVersion\":\"v1\",\"kind\":\"List\"",
    b"{\"apiVersion\":\"v1\",\"kind\":\"Node",
    b"{\"apiVersion\":\"v1\",\"kind\":\"Pod",
    b"{\"apiVersion\":\"v1\",\"kind\":\"Event",
    b"{\"kind\":\"NodeList\"",
    b"{\"kind\":\"PodList\"",
    b"{\"kind\":\"EventList\"",
];

/// JSON values.
pub(super) struct Json;

impl Document for Json {
    fn name(&self) -> &'static str {
        "json"
    }

    fn begins_with(&self, byte: u8) -> bool {
        matches!(byte, b'{' | b'[')
    }

    fn begins(&self, line: &[u8]) -> bool {
        let line = line.trim_ascii_end();
        matches!(line, b"{" | b"[" | b"[{") || STARTS.iter().any(|s| line.starts_with(s))
    }

    fn start(&self, line: &[u8]) -> Progress {
        let shape = if line.first() == Some(&b'[') { ARRAY } else { 0 };
        let mut progress = Progress { shape, ..Progress::first() };
        count(&mut progress, line);
        progress
    }

    fn continues(&self, progress: &mut Progress, line: &[u8]) -> bool {
        if let Some(more) = progress.blank(line, 1) {
            return more;
        }
        if is_boundary(line) {
            return false;
        }
        let belongs = if progress.depth <= 0 {
            progress.shape & ARRAY == 0 && self.begins(line)
        } else {
            is_inside(progress, line)
        };
        if belongs {
            count(progress, line);
        }
        belongs
    }

    fn events(&self, block: &str, context: &Context) -> Vec<StateEvent> {
        let mut events = Vec::new();
        self.each(block, context, &mut |event| events.push(event));
        events
    }

    fn each(&self, block: &str, context: &Context, take: &mut dyn FnMut(StateEvent)) {
        let block = Block::new(block);
        let text = block.slice(0, block.len());
        for object in objects(text).into_iter().take(MAX_EVENTS) {
            let from = line_of(&block, object.start);
            let to = line_of(&block, object.end.saturating_sub(1)) + 1;
            let text = text.get(object).unwrap_or_default();
            let text = if text.ends_with('}') { text.into() } else { completed(text) };
            kind::each(&block, &text, (from, to), context, take);
        }
    }

    fn samples(&self) -> &'static [Sample] {
        SAMPLES
    }
}

/// Counts the brackets of a line; strings do not reach over lines.
fn count(progress: &mut Progress, line: &[u8]) {
    let mut string = false;
    let mut bytes = line.iter();
    while let Some(byte) = bytes.next() {
        match (byte, string) {
            (b'\\', true) => {
                bytes.next();
            }
            (b'"', _) => string = !string,
            (b'{' | b'[', false) => progress.depth = progress.depth.saturating_add(1),
            (b'}' | b']', false) => progress.depth = progress.depth.saturating_sub(1),
            _ => {}
        }
    }
    if progress.depth <= 0 {
        progress.shape |= CLOSED;
    }
}

/// Whether a line can stand inside the open value.
fn is_inside(progress: &Progress, line: &[u8]) -> bool {
    let inner = line.trim_ascii_start();
    let indented = inner.len() < line.len();
    let Some(first) = inner.first() else { return true };
    if progress.lines == 2 {
        // `{` or `[` alone: the next line shows whether it is JSON.
        return matches!(first, b'"' | b'}' | b'{' | b']' | b'[')
            && (indented || *first != b'{' || is_item(progress, inner));
    }
    match first {
        b'}' | b']' | b'"' => true,
        b'{' | b'[' => indented || is_item(progress, inner),
        _ => indented,
    }
}

/// An object at the left margin is an item of an array, or a log record behind a cut document.
fn is_item(progress: &Progress, inner: &[u8]) -> bool {
    progress.shape & ARRAY != 0 || inner == b"{"
}

/// The objects of the outer level, arrays around them left aside. The last one may be cut.
fn objects(text: &str) -> Vec<std::ops::Range<usize>> {
    let mut out = Vec::new();
    let (mut start, mut depth, mut string, mut escaped) = (0, 0usize, false, false);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if string => escaped = true,
            b'\n' => string = false,
            b'"' => string = !string,
            b'{' if !string => {
                if depth == 0 {
                    start = at;
                }
                depth += 1;
            }
            b'[' if !string && depth > 0 => depth += 1,
            b'}' | b']' if !string && depth > 0 => {
                depth -= 1;
                if depth == 0 {
                    out.push(start..at + 1);
                }
            }
            _ => {}
        }
    }
    if depth > 0 {
        out.push(start..text.len());
    }
    out
}

/// An object that may be cut off, without what is incomplete at its end and with the brackets that it lacks.
fn completed(text: &str) -> Cow<'_, str> {
    let (mut open, mut end, mut string, mut escaped) = (Vec::new(), 0, false, false);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if string => escaped = true,
            b'"' => string = !string,
            _ if string => {}
            b'{' | b'[' => {
                open.push(if byte == b'{' { '}' } else { ']' });
                end = at + 1;
            }
            b'}' | b']' => {
                open.pop();
                end = at + 1;
            }
            b',' => end = at,
            _ => {}
        }
    }
    if open.is_empty() {
        return text.into();
    }
    // Behind a line end stands no half of a value.
    let is_half = string || !text.ends_with('\n');
    let whole = if is_half { text.get(..end).unwrap_or_default() } else { text.trim_end().trim_end_matches(',') };
    whole.chars().chain(open.into_iter().rev()).collect::<String>().into()
}

/// The line that holds a byte.
fn line_of(block: &Block, at: usize) -> usize {
    let (mut low, mut high) = (0, block.len());
    while low + 1 < high {
        let middle = low.midpoint(high);
        if block.bytes(middle, middle).start <= at { low = middle } else { high = middle }
    }
    low
}

const SAMPLES: &[Sample] = &[
    Sample {
        text: "[
   {
      \"disk\" : 0,
      \"node\" : \"pve1\",
      \"status\" : \"offline\"
   },
   {
      \"disk\" : 12,
      \"node\" : \"pve2\",
      \"status\" : \"online\"
   }
]
",
        path: "",
        events: 2,
        has: &[(0, "#format", "yaml_document"), (0, "status", "offline"), (1, "node", "pve2")],
    },
    Sample {
        text: "{\"metadata\": {\"id\": \"m-1\", \"type\": \"Machines.omni.sidero.dev\", \"phase\": \"running\"},
 \"spec\": {\"connected\": false}}
",
        path: "",
        events: 1,
        has: &[(0, "#format", "cosi_resource"), (0, "spec.connected", "false")],
    },
    // Cut off: what is whole is read.
    Sample {
        text: "{
    \"apiVersion\": \"v1\",
    \"kind\": \"Node\",
    \"metadata\": {
        \"name\": \"w-1\"
    },
    \"status\": {
        \"conditions\": [
            {
                \"type\": \"MemoryPressure\",
                \"status\": \"True\"
            },
            {
                \"type\": \"Rea
",
        path: "",
        events: 1,
        has: &[(0, "#format", "k8s_object"), (0, "metadata.name", "w-1"), (0, "condition.MemoryPressure", "True")],
    },
];
