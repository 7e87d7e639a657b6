//! What is told when no root cause is known: how much was read, and the most telling of what nothing explains.

use std::io;

use super::{Page, clip, wrap};
use crate::report::model::ClusterEntry;
use crate::report::sanitize;
use crate::report::words::{MORE, UNDECIDED, counted, known_errors, nothing_left};

impl Page<'_> {
    /// No root cause.
    pub(super) fn nothing(&mut self) -> io::Result<()> {
        let report = self.report;
        let faults = report.unexplained.events;
        let lines: u64 = report.inputs.iter().map(|i| i.lines).sum();
        let (lines, sources) =
            (counted(lines, "line", "lines"), counted(report.inputs.len() as u64, "source", "sources"));
        self.line(&format!("No known root cause in {lines} of {sources}."))?;
        self.undecided()?;
        if faults == 0 {
            return Ok(());
        }
        let share = report.unexplained.share * 100.0;
        let faults = counted(faults, "warning or error", "warnings and errors");
        let head = format!("{faults} ({share:.0} %) explained by nothing. The most telling:");
        self.line(&head)?;
        for (number, cluster) in (1..).zip(report.unexplained.clusters.iter().take(5)) {
            let (at, span) = (self.places.at(&cluster.source, cluster.line), span(cluster));
            self.field(&cluster.severity, &format!("#{number}  {at} ×{}{span}{}", cluster.count, things(cluster)))?;
            self.excerpt(&cluster.sample, None)?;
        }
        Ok(())
    }

    /// Errors that are known but name no root cause, and what would.
    fn undecided(&mut self) -> io::Result<()> {
        let report = self.report;
        let known = known_errors(&report.symptoms);
        if known.is_empty() {
            return match report.unexplained.events {
                0 => self.write(&wrap(nothing_left(report), self.width)),
                _ => Ok(()),
            };
        }
        self.write(&wrap(UNDECIDED, self.width))?;
        for symptom in known.iter().take(5) {
            let place = self.places.at(&symptom.source, symptom.line);
            self.field("known", &format!("{place} ×{}", symptom.count))?;
            self.excerpt(&symptom.excerpt, symptom.decisive.as_deref())?;
        }
        self.field("next", MORE)
    }

    /// What tells most of a line, on one.
    fn excerpt(&mut self, text: &str, decisive: Option<&str>) -> io::Result<()> {
        let indent = " ".repeat(self.body + if self.is_narrow { 0 } else { 2 });
        let shown = clip(&sanitize::line(text), decisive, self.width - indent.len());
        self.line(&format!("{indent}{shown}"))
    }
}

/// From when to when the lines of a cluster stand.
fn span(cluster: &ClusterEntry) -> String {
    match (&cluster.first, &cluster.last) {
        (Some(first), Some(last)) if first != last => format!(", {first} to {last}"),
        (Some(first), _) => format!(", {first}"),
        _ => String::new(),
    }
}

/// The names of things in a cluster.
fn things(cluster: &ClusterEntry) -> String {
    let one = |(key, values): (&String, &Vec<String>)| format!("{key} {}", values.join(", "));
    let all: Vec<String> = cluster.entities.iter().take(3).map(one).collect();
    if all.is_empty() { String::new() } else { format!(" · {}", all.join(" · ")) }
}
