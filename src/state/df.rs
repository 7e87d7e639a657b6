//! How full file systems are, as `df` prints it.

use super::block::{Block, attribute, entity, event};
use super::{Context, Document, Progress, Sample, StateEvent};
use crate::event::{Event, Service};

/// A header and a row for each file system.
pub(super) struct Df;

impl Document for Df {
    fn name(&self) -> &'static str {
        "df"
    }

    fn begins_with(&self, byte: u8) -> bool {
        byte == b'F'
    }

    fn begins(&self, line: &[u8]) -> bool {
        line.starts_with(b"Filesystem ")
            && line.trim_ascii_end().ends_with(b"% Mounted on")
            && words(line).any(|w| matches!(w, b"Used" | b"IUsed"))
    }

    fn continues(&self, _progress: &mut Progress, line: &[u8]) -> bool {
        let mut amounts = 0;
        let mut words = words(line).skip(1);
        while let Some(word) = words.next() {
            if amounts >= 3 && is_share(word) {
                return words.next().is_some_and(|w| w.starts_with(b"/"));
            }
            amounts = if word.first().is_some_and(u8::is_ascii_digit) { amounts + 1 } else { 0 };
        }
        false
    }

    fn events(&self, block: &str, context: &Context) -> Vec<StateEvent> {
        let block = Block::new(block);
        let columns: Vec<&str> = block.line(0).split_whitespace().take_while(|title| *title != "Mounted").collect();
        let inodes = columns.contains(&"IUsed");
        let rows = block.lines().skip(1);
        rows.filter_map(|(index, line)| {
            let event = row(&columns, inodes, line, context)?;
            Some(block.event(event, index, index + 1))
        })
        .collect()
    }

    fn samples(&self) -> &'static [Sample] {
        SAMPLES
    }
}

fn words(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    line.split(u8::is_ascii_whitespace).filter(|w| !w.is_empty())
}

/// `100%`, or `-` where a file system has no such limit.
fn is_share(word: &[u8]) -> bool {
    word.strip_suffix(b"%").is_some_and(|digits| digits.iter().all(u8::is_ascii_digit)) || word == b"-"
}

/// The event of a row. A mount point may hold blanks, so it is what follows the other columns.
fn row(columns: &[&str], inodes: bool, line: &str, context: &Context) -> Option<Event<'static>> {
    let mut rest = line.trim_start();
    let mut event = event("table", Service::State, line);
    attribute(&mut event, "table", if inodes { "df-inodes" } else { "df" });
    for column in columns {
        let (value, after) = rest.split_once(char::is_whitespace)?;
        rest = after.trim_start();
        match *column {
            "Use%" | "Capacity" | "IUse%" => attribute(&mut event, "used_percent", value.trim_end_matches('%')),
            name => attribute(&mut event, name.to_ascii_lowercase(), value),
        }
    }
    attribute(&mut event, "mounted_on", rest.trim_end());
    if let Some(node) = context.pve_node {
        entity(&mut event, "pve.node", node);
    }
    Some(event)
}

const SAMPLES: &[Sample] = &[
    Sample {
        text: "Filesystem            Size  Used Avail Use% Mounted on
udev                   16G     0   16G   0% /dev
/dev/mapper/pve-root   94G   94G     0 100% /
/dev/sdb1             1.8T  100G  1.7T   6% /mnt/my disk
",
        path: "",
        events: 3,
        has: &[
            (1, "table", "df"),
            (1, "filesystem", "/dev/mapper/pve-root"),
            (1, "used_percent", "100"),
            (1, "mounted_on", "/"),
            (2, "mounted_on", "/mnt/my disk"),
        ],
    },
    Sample {
        text: "Filesystem     Type  Inodes  IUsed  IFree IUse% Mounted on
/dev/sda6      xfs  5242880 5242880     0  100% /var
tmpfs          tmpfs      0      0      0     - /sys
",
        path: "",
        events: 2,
        has: &[(0, "table", "df-inodes"), (0, "type", "xfs"), (0, "used_percent", "100"), (1, "used_percent", "-")],
    },
];
