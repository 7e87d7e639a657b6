//! The zone of stamps that have none: a Proxmox journal is in local time, while UPIDs and other logs count from the epoch.
//!
//! A line that says that a task starts carries both: its own stamp, and in the UPID the start in seconds since the epoch.
//! The difference, to the next zone that exists, is the zone; what is left is how far the clock is off. Proxmox sources that tell nothing themselves take the zone of
//! those that do, when these agree.

use std::collections::{BTreeMap, BTreeSet};

use crate::catalog::{Catalogue, SignatureId, TASK_STARTS};
use crate::event::entities::upid_start;
use crate::event::time::SECOND;
use crate::event::{RawTime, Service};
use crate::scan::{SourceOutcome, Zone, ZoneKnown};

/// Zones are multiples of this.
const QUARTER: i64 = 15 * 60 * SECOND;
/// The widest zones, in quarters of an hour.
const WIDEST: i64 = 14 * 4;
/// Zones at odd quarters: Nepal, the middle of Australia's south, Chatham in winter and in summer.
const ODD: &[i64] = &[5 * 4 + 3, 8 * 4 + 3, 12 * 4 + 3, 13 * 4 + 3];
/// How far the clock may be off besides the zone, where the start of a task is told.
const SKEW: i64 = 12 * 60 * SECOND;
/// How long after its start a task is still spoken of, where only its name is told.
const LATER: i64 = 10 * 60 * SECOND;
/// How many tasks must be spoken of, where no line tells a start.
const TASKS: usize = 3;

/// Finds the zones of all sources that lack one and were not given one.
pub fn infer(catalogue: &Catalogue, sources: &mut [SourceOutcome]) {
    let starts = catalogue.signatures.iter().position(|s| s.name == TASK_STARTS);
    for source in sources.iter_mut().filter(|s| is_open(s)) {
        if let Some(east) = measured(source, starts) {
            source.settle(Zone { east, known: ZoneKnown::Measured });
        }
    }
    let known: BTreeMap<i64, String> = sources
        .iter()
        .rev()
        .filter(|s| s.zone.known == ZoneKnown::Measured)
        .map(|s| (s.zone.east, s.context.label.clone()))
        .collect();
    if let (1, Some((east, label))) = (known.len(), known.first_key_value()) {
        for source in sources.iter_mut().filter(|s| is_open(s) && s.services.contains(&Service::PveJournal)) {
            source.settle(Zone { east: *east, known: ZoneKnown::Like(label.clone()) });
        }
    }
}

/// Whether a source has stamps without a zone, and nobody said which.
fn is_open(source: &SourceOutcome) -> bool {
    let times = &source.found.times;
    source.zone.known == ZoneKnown::Assumed && times.local.or(times.yearless).is_some()
}

/// Stamps without zone beside tasks whose start is known: they tell the zone.
#[derive(Debug, Default)]
pub struct Traces {
    /// How long after the start of its task a line was written that tells this start, microseconds.
    starts: Vec<i64>,
    /// The earliest line on any task, after the start of it.
    earliest: Option<i64>,
    tasks: BTreeSet<String>,
}

impl Traces {
    /// Notes a line that names a task: its stamp, read as UTC, and whether it says that the task starts.
    pub fn note(&mut self, raw: RawTime, micros: i64, upid: &str, starts: bool) {
        let local = matches!(raw, RawTime::Local(_) | RawTime::Yearless(_));
        let Some(start) = upid_start(upid).filter(|_| local) else { return };
        let after = micros - start * SECOND;
        if starts {
            self.starts.push(after);
        }
        self.earliest = Some(self.earliest.map_or(after, |e| e.min(after)));
        if self.tasks.len() < TASKS {
            self.tasks.insert(upid.to_owned());
        }
    }

    /// Seconds east of UTC.
    pub fn east(&mut self) -> Option<i64> {
        self.starts.sort_unstable();
        if let Some(middle) = self.starts.get(self.starts.len() / 2) {
            let (off, zone) = zones().map(|zone| ((middle - zone).abs(), zone)).min()?;
            return (off <= SKEW).then_some(zone / SECOND);
        }
        // A task is spoken of after it started: the earliest mention of several tasks is near.
        let earliest = self.earliest.filter(|_| self.tasks.len() >= TASKS)?;
        let zone = zones().filter(|zone| *zone <= earliest + SECOND).max()?;
        (earliest - zone <= LATER).then_some(zone / SECOND)
    }
}

/// Seconds east of UTC, by lines that name a task.
fn measured(source: &SourceOutcome, starts: Option<SignatureId>) -> Option<i64> {
    let mut traces = Traces::default();
    for (signature, tally) in &source.found.tallies {
        for hit in tally.hits.iter().filter(|h| !h.inherited) {
            if let (Some(time), Some(upid)) = (hit.time, hit.entity("pve.upid")) {
                traces.note(hit.raw, time.micros, upid, starts == Some(*signature));
            }
        }
    }
    traces.east()
}

/// Zones that exist, microseconds east of UTC.
fn zones() -> impl Iterator<Item = i64> {
    (-WIDEST..=WIDEST).filter(|quarters| quarters % 2 == 0 || ODD.contains(quarters)).map(|quarters| quarters * QUARTER)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn east(shift: i64) -> Option<i64> {
        let mut traces = Traces::default();
        for start in [1_789_473_600, 1_789_474_200, 1_789_475_100] {
            let upid = format!("UPID:pve1:0001A2B3:00F1E2D3:{start:08X}:qmstart:104:root@pam:");
            traces.note(RawTime::Local(0), (start + shift) * SECOND, &upid, true);
        }
        traces.east()
    }

    #[test]
    fn only_zones_that_exist_are_found() {
        assert_eq!(east(7200), Some(7200));
        assert_eq!(east(20_700 + 20), Some(20_700), "Nepal");
        assert_eq!(east(-12_600), Some(-12_600), "Newfoundland");
        for off in [600, -600, 300] {
            assert_eq!(east(7200 + off), Some(7200), "a clock that is {off} seconds off stays in its zone");
        }
        assert_eq!(east(900), None, "neither of the two zones");
    }
}
