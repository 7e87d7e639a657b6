//! The end of a report: what was read, what is missing, whose clock is off; with `--all` every source.

use std::io;

use super::{Page, sources};
use crate::report::words::counted;
use crate::report::{PSEUDONYMS, coverage};

impl Page<'_> {
    pub(super) fn footer(&mut self) -> io::Result<()> {
        let (report, all) = (self.report, self.style.all);
        self.line("")?;
        if !self.places.common.is_empty() {
            let text = format!("…/ is {}", self.places.common);
            self.field("places", &text)?;
        }
        for (label, text) in coverage::summary(report) {
            let text = self.places.shorten(&text);
            self.field(label, &text)?;
        }
        if report.unexplained.events > 0 && !report.root_causes.is_empty() {
            let share = report.unexplained.share * 100.0;
            let count = counted(report.unexplained.events, "warning or error", "warnings and errors");
            let text = format!("{count} ({share:.0} %) explained by nothing");
            self.field("left", &text)?;
        }
        if report.redacted {
            self.field("names", PSEUDONYMS)?;
        }
        self.clocks()?;
        let problems: Vec<_> = report.problems.iter().filter(|p| all || coverage::is_loss(p)).collect();
        for problem in problems.iter().take(if all { usize::MAX } else { 3 }) {
            let text = self.places.shorten(&format!("{}: {}", problem.source, problem.message));
            self.field("problem", &text)?;
        }
        if problems.len() > 3 && !all {
            self.field("", &format!("{} more problems, see --all", problems.len() - 3))?;
        }
        if all { self.inputs() } else { Ok(()) }
    }

    /// Clocks that are off, zones that were found, and what keeps silence from telling anything.
    fn clocks(&mut self) -> io::Result<()> {
        let report = self.report;
        for input in &report.inputs {
            if let Some(off) = coverage::clock_off(input) {
                let text = self.places.shorten(&format!("{} is {off}; corrected", input.source));
                self.field("clock", &text)?;
            }
            if let Some(zone) = input.timezone.as_ref().filter(|z| z.contains(" by ") || z.contains(" as in ")) {
                let text = self.places.shorten(&format!("{}: {zone}", input.source));
                self.field("zone", &text)?;
            }
        }
        Ok(())
    }

    fn inputs(&mut self) -> io::Result<()> {
        self.line("")?;
        let text = sources::list(&self.report.inputs, self.width);
        self.line(&text)
    }
}
