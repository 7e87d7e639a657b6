//! `markdown_quote`: `> ` in front of the lines of a log that somebody quoted in a ticket. Only lines that begin like a
//! record behind it are taken, since anything may be quoted.

use super::compose::Compose;
use super::scan;
use super::{Format, Head, Sample};
use crate::event::{Event, RawTime, Severity};

/// The format.
pub struct MarkdownQuote;

impl Format for MarkdownQuote {
    fn name(&self) -> &'static str {
        "markdown_quote"
    }

    fn begins_with(&self, byte: u8) -> bool {
        byte == b'>'
    }

    fn head(&self, line: &[u8]) -> Option<Head> {
        let rest = line.strip_prefix(b"> ")?;
        let noded =
            || rest.iter().position(|b| *b == b' ').is_some_and(|at| scan::record_starts(scan::from(rest, at + 1)));
        (scan::record_starts(rest) || noded() || Compose.head(rest).is_some()).then_some(Head {
            time: RawTime::None,
            severity: Severity::UNKNOWN,
            payload: Some(2),
        })
    }

    fn continued<'a>(&self, line: &'a str) -> &'a str {
        line.strip_prefix("> ").or_else(|| line.strip_prefix('>')).unwrap_or(line)
    }

    fn stands_in(&self, holder: super::Holder) -> bool {
        holder == super::Holder::Anything
    }

    fn parse<'a>(&self, _: &'a str, _: &Head, _: &mut Event<'a>) {}

    fn samples(&self) -> &'static [Sample] {
        SAMPLES
    }
}

const SAMPLES: &[Sample] = &[
    Sample {
        text: "> [talos] reset sequence: 10 phase(s)",
        time: RawTime::None,
        severity: Severity::UNKNOWN,
        body: "reset sequence: 10 phase(s)",
        has: &[("#service", "talos")],
    },
    Sample {
        text: "> {\"level\":\"error\",\n> \"ts\":1789459200,\n> \"msg\":\"machine provision failed\",\n> \"step\":\"syncVM\"}",
        time: RawTime::Utc(1_789_459_200_000_000),
        severity: Severity::ERROR,
        body: "machine provision failed",
        has: &[("step", "syncVM")],
    },
];
