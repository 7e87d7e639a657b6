//! The zone of stamps that have none: a Proxmox journal is in local time, while UPIDs and other logs count from the epoch.
//!
//! A line that says that a task starts carries both: its own stamp, and in the UPID the start in seconds since the epoch.
//! The difference, to a quarter of an hour, is the zone. Proxmox sources that tell nothing themselves take the zone of
//! those that do, when these agree.

use std::collections::{BTreeMap, BTreeSet};

use crate::catalog::{Catalogue, SignatureId, TASK_STARTS};
use crate::event::entities::upid_start;
use crate::event::time::SECOND;
use crate::event::{RawTime, Service};
use crate::scan::{Hit, SourceOutcome, Zone, ZoneKnown};

/// Zones are multiples of this.
const QUARTER: i64 = 15 * 60 * SECOND;
/// The widest zones, in quarters of an hour.
const WIDEST: i64 = 14 * 4;
/// How far the clock may be off besides the zone, where the start of a task is told.
const SKEW: i64 = 5 * 60 * SECOND;
/// How long after its start a task is still spoken of, where only its name is told.
const LATER: i64 = 10 * 60 * SECOND;

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

/// Seconds east of UTC, by lines that name a task.
fn measured(source: &SourceOutcome, starts: Option<SignatureId>) -> Option<i64> {
    let at_start = starts.and_then(|s| source.found.tallies.get(&s));
    let mut exact: Vec<i64> = at_start.into_iter().flat_map(|t| &t.hits).filter_map(since_start).collect();
    exact.sort_unstable();
    if let Some(middle) = exact.get(exact.len() / 2) {
        let quarters = (middle + QUARTER / 2).div_euclid(QUARTER);
        return zone(quarters, (middle - quarters * QUARTER).abs() <= SKEW);
    }
    // A task is spoken of after it started: the earliest mention of several tasks is near.
    let hits = || source.found.tallies.values().flat_map(|t| &t.hits);
    let tasks: BTreeSet<&str> =
        hits().filter(|h| since_start(h).is_some()).filter_map(|h| h.entity("pve.upid")).collect();
    let earliest = hits().filter_map(since_start).min().filter(|_| tasks.len() >= 3)?;
    let quarters = (earliest + SECOND).div_euclid(QUARTER);
    zone(quarters, earliest - quarters * QUARTER <= LATER)
}

fn zone(quarters: i64, near: bool) -> Option<i64> {
    (near && quarters.abs() <= WIDEST).then_some(quarters * QUARTER / SECOND)
}

/// How long after the start of its task a line without zone was written, by its own stamp.
fn since_start(hit: &Hit) -> Option<i64> {
    if hit.inherited || !matches!(hit.raw, RawTime::Local(_) | RawTime::Yearless(_)) {
        return None;
    }
    Some(hit.time?.micros - upid_start(hit.entity("pve.upid")?)? * SECOND)
}
