//! Logical volumes and how full they are, as `lvs` prints them.

use super::block::{Block, attribute, entity, event};
use super::{Context, Document, Progress, Sample, StateEvent};
use crate::event::{Event, Service};

/// A header and a row for each volume.
pub(super) struct Lvs;

impl Document for Lvs {
    fn name(&self) -> &'static str {
        "lvs"
    }

    fn begins_with(&self, byte: u8) -> bool {
        matches!(byte, b' ' | b'L')
    }

    fn begins(&self, line: &[u8]) -> bool {
        let mut words = line.split(u8::is_ascii_whitespace).filter(|w| !w.is_empty());
        [&b"LV"[..], b"VG", b"Attr", b"LSize"].iter().all(|w| words.next() == Some(*w))
    }

    fn continues(&self, _progress: &mut Progress, line: &[u8]) -> bool {
        let mut words = line.split(u8::is_ascii_whitespace).filter(|w| !w.is_empty());
        words.nth(2).is_some_and(is_attr) && words.next().is_some_and(is_size)
    }

    fn events(&self, block: &str, context: &Context) -> Vec<StateEvent> {
        let block = Block::new(block);
        let rows = block.lines().skip(1);
        rows.map(|(index, line)| block.event(row(line, context), index, index + 1)).collect()
    }

    fn samples(&self) -> &'static [Sample] {
        SAMPLES
    }
}

/// The ten characters of lvs(8) that say what a volume is, like `twi-aotz--`.
fn is_attr(word: &[u8]) -> bool {
    (9..=10).contains(&word.len()) && word.iter().all(|b| b.is_ascii_alphabetic() || *b == b'-')
}

/// `337.86g`, `<94.00g`
fn is_size(word: &[u8]) -> bool {
    word.first().is_some_and(|b| b.is_ascii_digit() || *b == b'<') && word.last().is_some_and(u8::is_ascii_alphabetic)
}

/// The event of a row.
///
/// Empty cells leave no trace between blanks, so the attributes tell what the numbers mean: a thin pool has the
/// shares of data and metadata, a thin volume has its pool and the share of data.
fn row(line: &str, context: &Context) -> Event<'static> {
    let mut words = line.split_whitespace();
    let mut event = event("table", Service::State, line);
    attribute(&mut event, "table", "lvs");
    for name in ["lv", "vg", "attr", "lsize"] {
        attribute(&mut event, name, words.next().unwrap_or_default());
    }
    let kind = match event.get("attr").and_then(|a| a.bytes().next()) {
        Some(b't') => "thin-pool",
        Some(b'V') => "thin-volume",
        _ => "other",
    };
    attribute(&mut event, "kind", kind);
    let cells: Vec<&str> = words.collect();
    let mut shares = cells.iter().filter(|w| is_share(w));
    if kind != "other" {
        let names: &[&str] = if kind == "thin-pool" { &["data_percent", "meta_percent"] } else { &["data_percent"] };
        for name in names {
            shares.next().into_iter().for_each(|share| attribute(&mut event, *name, share));
        }
    }
    if let Some(pool) = cells.first().filter(|w| kind == "thin-volume" && !is_share(w)) {
        attribute(&mut event, "pool", pool);
    }
    let storage = [event.get("vg"), event.get("lv").filter(|_| kind == "thin-pool")];
    if let [Some(group), Some(pool)] = storage {
        let storage = format!("{group}/{pool}");
        entity(&mut event, "pve.storage", &storage);
    }
    if let Some(node) = context.pve_node {
        entity(&mut event, "pve.node", node);
    }
    event
}

/// `99.10`
fn is_share(word: &str) -> bool {
    word.split_once('.').is_some_and(|(whole, part)| {
        part.len() == 2 && [whole, part].iter().all(|d| !d.is_empty() && d.bytes().all(|b| b.is_ascii_digit()))
    })
}

const SAMPLES: &[Sample] = &[Sample {
    text: "  LV            VG  Attr       LSize   Pool Origin Data%  Meta%  Move Log Cpy%Sync Convert
  data          pve twi-aotzD- 337.86g             100.00 4.12
  root          pve -wi-ao---- <94.00g
  vm-100-disk-0 pve Vwi-aotz--  32.00g data        99.10
",
    path: "",
    events: 3,
    has: &[
        (0, "table", "lvs"),
        (0, "kind", "thin-pool"),
        (0, "data_percent", "100.00"),
        (0, "meta_percent", "4.12"),
        (0, "@pve.storage", "pve/data"),
        (1, "kind", "other"),
        (2, "pool", "data"),
        (2, "data_percent", "99.10"),
    ],
}];
