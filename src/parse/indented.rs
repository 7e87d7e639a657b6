//! `indented`: blanks in front of the lines of a log that somebody pasted as an indented block. Only lines that begin like
//! a record behind the blanks are taken: everything else that is indented continues something.

use super::scan;
use super::{Format, Head, Holder, Sample};
use crate::event::{Event, RawTime, Severity};

/// The format.
pub struct Indented;

/// Blanks in front of a record at the most.
const DEEPEST: usize = 16;

impl Format for Indented {
    fn name(&self) -> &'static str {
        "indented"
    }

    fn begins_with(&self, byte: u8) -> bool {
        byte == b' '
    }

    fn head(&self, line: &[u8]) -> Option<Head> {
        let blanks = scan::blanks(line);
        // One blank stands before kernel lines and before the parts of some messages.
        let rest = line.get(blanks..).filter(|_| (2..=DEEPEST).contains(&blanks))?;
        scan::record_starts(rest).then_some(Head {
            time: RawTime::None,
            severity: Severity::UNKNOWN,
            payload: Some(blanks),
        })
    }

    fn stands_in(&self, holder: Holder) -> bool {
        holder == Holder::Anything
    }

    fn parse<'a>(&self, _: &'a str, _: &Head, _: &mut Event<'a>) {}

    fn samples(&self) -> &'static [Sample] {
        SAMPLES
    }
}

const SAMPLES: &[Sample] = &[Sample {
    text: "    [talos] reset sequence: 10 phase(s)",
    time: RawTime::None,
    severity: Severity::UNKNOWN,
    body: "reset sequence: 10 phase(s)",
    has: &[("#service", "talos")],
}];
