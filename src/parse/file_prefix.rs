//! `file_prefix`: the path of the file in front of a dated line, as `grep` over several files prints it.

use super::scan::{self, from, text_to};
use super::{Format, Head, Sample};
use crate::event::{Event, RawTime, Severity};

/// The format.
pub struct FilePrefix;

/// The end of the path and the start of the record.
fn split(line: &[u8]) -> Option<(usize, usize)> {
    let name = |b: &u8| scan::is_name(*b) || *b == b'/';
    let end = scan::until(line, 200, |b| !name(b))?;
    let start = match line.get(end)? {
        b' ' => end + 1,
        b':' => end + 1 + number(from(line, end + 1)),
        _ => return None,
    };
    let file = line.get(1..end)?.contains(&b'/');
    (file && scan::record_starts(from(line, start))).then_some((end, start))
}

/// `12:`, the number of the line: the bytes used.
fn number(line: &[u8]) -> usize {
    let digits = scan::digits(line.get(..line.len().min(9)).unwrap_or_default());
    let dated = from(line, digits).starts_with(b":") && digits > 0 && line.get(digits + 3) != Some(&b':');
    if dated { digits + 1 } else { 0 }
}

impl Format for FilePrefix {
    fn name(&self) -> &'static str {
        "file_prefix"
    }

    fn begins_with(&self, byte: u8) -> bool {
        byte == b'/'
    }

    fn head(&self, line: &[u8]) -> Option<Head> {
        let (_, payload) = split(line)?;
        Some(Head { time: RawTime::None, severity: Severity::UNKNOWN, payload: Some(payload) })
    }

    fn stands_in(&self, holder: super::Holder) -> bool {
        holder == super::Holder::Anything
    }

    fn parse<'a>(&self, text: &'a str, _: &Head, event: &mut Event<'a>) {
        if let Some((end, _)) = split(scan::first_line(text).0.as_bytes()) {
            event.attribute("file", text_to(text, end));
        }
    }

    fn samples(&self) -> &'static [Sample] {
        SAMPLES
    }
}

const SAMPLES: &[Sample] = &[Sample {
    text: "/var/log/vzdump/qemu-104.log 2026-09-15 08:00:00 INFO: Starting Backup of VM 104 (qemu)",
    time: RawTime::Local(1_789_459_200_000_000),
    severity: Severity::INFO,
    body: "INFO: Starting Backup of VM 104 (qemu)",
    has: &[("file", "/var/log/vzdump/qemu-104.log"), ("@pve.vmid", "104")],
}];
