//! The memory of a machine, as `free` prints it.

use super::block::{Block, attribute, entity, event};
use super::{Context, Document, Progress, Sample, StateEvent};
use crate::event::{Event, Service};

/// A header and the rows `Mem:` and `Swap:`.
pub(super) struct Free;

impl Document for Free {
    fn name(&self) -> &'static str {
        "free"
    }

    fn begins_with(&self, byte: u8) -> bool {
        byte == b' '
    }

    fn begins(&self, line: &[u8]) -> bool {
        let mut words = line.split(u8::is_ascii_whitespace).filter(|w| !w.is_empty());
        [&b"total"[..], b"used", b"free", b"shared"].iter().all(|w| words.next() == Some(*w))
    }

    fn continues(&self, _progress: &mut Progress, line: &[u8]) -> bool {
        [&b"Mem:"[..], b"Swap:", b"Total:", b"Low:", b"High:"].iter().any(|w| line.starts_with(w))
    }

    fn events(&self, block: &str, context: &Context) -> Vec<StateEvent> {
        let block = Block::new(block);
        let columns: Vec<&str> = block.line(0).split_whitespace().collect();
        let rows = block.lines().skip(1);
        rows.map(|(index, line)| block.event(row(&columns, line, context), index, index + 1)).collect()
    }

    fn samples(&self) -> &'static [Sample] {
        SAMPLES
    }
}

/// The event of a row, with the share that is used and that is available.
fn row(columns: &[&str], line: &str, context: &Context) -> Event<'static> {
    let mut event = event("table", Service::State, line);
    attribute(&mut event, "table", "free");
    let (name, rest) = line.split_once(':').unwrap_or((line, ""));
    attribute(&mut event, "name", name);
    for (column, value) in columns.iter().zip(rest.split_whitespace()) {
        attribute(&mut event, *column, value);
    }
    let amount = |name: &str| event.get(name).and_then(bytes);
    let share = |part: Option<f64>| Some(part? * 100.0 / amount("total").filter(|t| *t > 0.0)?);
    let shares = [("used_percent", share(amount("used"))), ("available_percent", share(amount("available")))];
    for (name, share) in shares {
        if let Some(share) = share {
            attribute(&mut event, name, &format!("{share:.0}"));
        }
    }
    if let Some(node) = context.pve_node {
        entity(&mut event, "pve.node", node);
    }
    event
}

/// An amount with or without a unit, in any one unit.
fn bytes(text: &str) -> Option<f64> {
    let digits = text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len());
    let power = match text.get(digits..)?.chars().next() {
        None | Some('B') => 0,
        Some('K' | 'k') => 1,
        Some('M') => 2,
        Some('G') => 3,
        Some('T') => 4,
        Some(_) => return None,
    };
    Some(text.get(..digits)?.parse::<f64>().ok()? * 1024f64.powi(power))
}

const SAMPLES: &[Sample] = &[Sample {
    text: "               total        used        free      shared  buff/cache   available
Mem:           256Gi       240Gi       8.2Gi        82Mi       6.1Gi        16Gi
Swap:          8.0Gi       8.0Gi          0B
",
    path: "",
    events: 2,
    has: &[
        (0, "table", "free"),
        (0, "name", "Mem"),
        (0, "used_percent", "94"),
        (0, "available_percent", "6"),
        (1, "used_percent", "100"),
    ],
}];
