//! Warnings and errors that nothing explains, over all sources: merged by template, the most telling first.

use std::collections::BTreeMap;

use crate::correlate::World;
use crate::event::Severity;
use crate::scan::{Cluster, Time, TimeKind};

use super::build::{rfc3339, share};
use super::model::{ClusterEntry, Unexplained};
use super::sanitize;

/// Clusters in a report.
const CLUSTERS: usize = 20;
/// Values of one name that are shown of a cluster.
const VALUES: usize = 5;

/// Lines of one template in all sources.
struct Merged<'w> {
    first: &'w Cluster,
    source: &'w str,
    count: u64,
    severity: Severity,
    /// First and last time on one clock for all sources, microseconds since the epoch.
    span: (Option<i64>, Option<i64>),
    entities: BTreeMap<String, Vec<String>>,
}

impl<'w> Merged<'w> {
    fn new(cluster: &'w Cluster, source: &'w str, ahead: i64) -> Self {
        let span = (None, None);
        let mut merged =
            Self { first: cluster, source, count: 0, severity: cluster.severity, span, entities: BTreeMap::new() };
        merged.add(cluster, ahead);
        merged
    }

    /// Adds lines of a source whose clock is so far ahead.
    fn add(&mut self, cluster: &Cluster, ahead: i64) {
        self.count += cluster.count;
        self.severity = self.severity.max(cluster.severity);
        let on_one_clock = |time: Option<Time>| Some(time.filter(|t| t.kind != TimeKind::SinceBoot)?.micros - ahead);
        let (first, last) = cluster.time;
        self.span.0 = [self.span.0, on_one_clock(first)].into_iter().flatten().min();
        self.span.1 = [self.span.1, on_one_clock(last)].into_iter().flatten().max();
        for (key, value) in &cluster.entities {
            let values = self.entities.entry(sanitize::line(key)).or_default();
            let value = sanitize::line(value);
            if values.len() < VALUES && !values.contains(&value) {
                values.push(value);
            }
        }
    }

    fn onset(&self) -> i64 {
        self.span.0.unwrap_or(i64::MAX)
    }

    fn entry(self) -> ClusterEntry {
        ClusterEntry {
            template: sanitize::line(&self.first.template),
            sample: sanitize::text(&self.first.sample).into_owned(),
            count: self.count,
            severity: self.severity.word().to_owned(),
            source: sanitize::line(self.source),
            line: self.first.line,
            first: self.span.0.and_then(rfc3339),
            last: self.span.1.and_then(rfc3339),
            entities: self.entities,
        }
    }
}

/// What nothing explains: severe before mild, rare before frequent, early before late.
pub fn collect(world: &World<'_>) -> Unexplained {
    let faults: u64 = world.sources.iter().map(|s| s.found.faults).sum();
    let events: u64 = world.sources.iter().map(|s| s.found.clusters.lines()).sum();
    let mut merged: Vec<Merged<'_>> = Vec::new();
    for (index, source) in world.sources.iter().enumerate() {
        let ahead = world.clocks.ahead(index);
        for cluster in source.found.clusters.sorted() {
            match merged.iter_mut().find(|m| m.first.template == cluster.template) {
                Some(have) => have.add(cluster, ahead),
                None => merged.push(Merged::new(cluster, &source.context.label, ahead)),
            }
        }
    }
    merged.sort_by(|a, b| {
        b.severity
            .cmp(&a.severity)
            .then(a.count.cmp(&b.count))
            .then_with(|| a.onset().cmp(&b.onset()))
            .then_with(|| (a.source, a.first.line).cmp(&(b.source, b.first.line)))
    });
    merged.truncate(CLUSTERS);
    Unexplained { events, share: share(events, faults), clusters: merged.into_iter().map(Merged::entry).collect() }
}
