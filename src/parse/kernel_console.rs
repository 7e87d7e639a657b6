//! `kernel_console`: lines of a kernel as a console or `dmesg` shows them: `[   12.345678] `, with a caller field or
//! with the wall clock (`dmesg -T`).

use super::scan::{self, from, text_from};
use super::{Format, Head, Sample};
use crate::event::time::{self, RawTime};
use crate::event::{Event, Service, Severity};

/// The format.
pub struct KernelConsole;

/// `[Tue Sep 15 08:00:00 2026]`.
fn wall_clock(line: &[u8]) -> Option<(RawTime, usize)> {
    let inside = line.strip_prefix(b"[")?;
    let month = time::month(from(inside, 4))?;
    let day = std::str::from_utf8(inside.get(8..10)?).ok()?.trim_start().parse().ok()?;
    let clock = time::clock(from(inside, 11))?;
    let year = std::str::from_utf8(inside.get(20..24)?).ok()?.parse().ok()?;
    if inside.get(24) != Some(&b']') || !(1..=31).contains(&day) || !(1970..=2200).contains(&year) {
        return None;
    }
    Some((RawTime::Local(time::days_from_civil(year, month, day) * time::DAY + clock), 26))
}

/// The optional caller, `[    T1]`: the bytes used.
fn caller(line: &[u8]) -> usize {
    let Some(inside) = line.strip_prefix(b"[") else { return 0 };
    let lead = scan::blanks(inside);
    let digits = scan::digits(from(inside, lead + 1));
    let end = lead + 1 + digits;
    let fits = matches!(inside.get(lead), Some(b'T' | b'C')) && digits > 0 && from(inside, end).starts_with(b"] ");
    if fits { end + 3 } else { 0 }
}

impl Format for KernelConsole {
    fn name(&self) -> &'static str {
        "kernel_console"
    }

    fn begins_with(&self, byte: u8) -> bool {
        byte == b'['
    }

    fn head(&self, line: &[u8]) -> Option<Head> {
        let (time, end) = scan::kernel_time(line).or_else(|| wall_clock(line))?;
        let at = end + usize::from(line.get(end) == Some(&b' '));
        let payload = at + caller(from(line, at));
        Some(Head { time, severity: Severity::UNKNOWN, payload: Some(payload) })
    }

    fn holds(&self) -> super::Holder {
        super::Holder::Kernel
    }

    fn parse<'a>(&self, text: &'a str, head: &Head, event: &mut Event<'a>) {
        let rest = text_from(text, head.payload.unwrap_or_default());
        // Further lines of a message of Talos, and what its installer prints, look like this.
        let unclear = rest.starts_with(['\t', ' ']) || rest.starts_with(|c: char| c.is_ascii_digit());
        if !unclear && !rest.starts_with("[talos]") {
            event.service = event.service.or(Some(Service::Kernel));
        }
    }

    fn samples(&self) -> &'static [Sample] {
        SAMPLES
    }
}

const SAMPLES: &[Sample] = &[
    Sample {
        text: "[   12.345678] [talos] phase drain (1/10): failed",
        time: RawTime::Uptime(12_345_678),
        severity: Severity::ERROR,
        body: "phase drain (1/10): failed",
        has: &[("#service", "talos")],
    },
    Sample {
        text: "[    4.836244] [    T1] sd 2:0:0:0: [sda] Write Protect is off",
        time: RawTime::Uptime(4_836_244),
        severity: Severity::UNKNOWN,
        body: "sd 2:0:0:0: [sda] Write Protect is off",
        has: &[("#service", "kernel")],
    },
    Sample {
        text: "[Tue Sep 15 08:00:00 2026] EXT4-fs error (device dm-1): ext4_find_entry",
        time: RawTime::Local(1_789_459_200_000_000),
        severity: Severity::UNKNOWN,
        body: "EXT4-fs error (device dm-1): ext4_find_entry",
        has: &[("#service", "kernel")],
    },
];
