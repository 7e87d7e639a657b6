//! What happened when, over all sources on one clock.

use std::io;

use unicode_width::UnicodeWidthStr;

use super::{Page, fit};
use crate::report::model::TimelineEntry;
use crate::report::words::counted;
use crate::report::{sanitize, timeline};

/// Rows of a moment.
const ROWS: usize = 2;
/// Columns of a time and the blank behind it.
const TIME: usize = 9;

impl Page<'_> {
    /// The onset first, a moment in a row or two.
    pub(super) fn timeline(&mut self, most: usize) -> io::Result<()> {
        let moments = timeline::telling(self.report);
        let Some(first) = moments.first() else { return Ok(()) };
        self.line("")?;
        let (mut day, _) = timeline::day_and_time(&first.timestamp);
        let corrected = moments.iter().any(|m| m.written.is_some());
        let clocks = if corrected { ", UTC, clocks put right" } else { ", UTC" };
        self.field("timeline", &format!("{day}{clocks}"))?;
        let mut before = "";
        for moment in moments.iter().take(most) {
            let (own, time) = timeline::day_and_time(&moment.timestamp);
            if own != day {
                day = own;
                self.field("", day)?;
            }
            let is_same = !moment.says.is_empty() && moment.says == before;
            before = &moment.says;
            for line in self.moment(moment, is_same) {
                let time = if line.is_first { time } else { "" };
                let text = format!("{:indent$}{time:<TIME$}{}", "", line.text, indent = self.body);
                self.line(&text)?;
            }
        }
        if moments.len() > most {
            let more = counted((moments.len() - most) as u64, "later moment", "later moments");
            self.field("", &format!("{more}, see --all"))?;
        }
        Ok(())
    }

    /// A moment behind its time. What says the same as the one before is not told again.
    fn moment(&self, moment: &TimelineEntry, is_same: bool) -> Vec<Line> {
        let room = self.room().saturating_sub(TIME).max(10);
        let count = if moment.count > 1 { format!(" ×{}", moment.count) } else { String::new() };
        let told = match (is_same, moment.says.is_empty()) {
            (true, _) => "the same".to_owned(),
            (false, true) => sanitize::line(&moment.excerpt),
            (false, false) => moment.says.clone(),
        };
        let place = format!("{}:{}{count}", self.source(&moment.source, room / 2), moment.line);
        let mut rows = fit::wrap(&format!("{place} {told}"), room);
        if rows.len() > ROWS {
            let rest = rows.split_off(ROWS - 1).join(" ");
            rows.push(fit::head(&rest, room));
        }
        rows.into_iter().enumerate().map(|(n, text)| Line { is_first: n == 0, text }).collect()
    }

    /// A source in at most about `room` columns: without the folder that all share, then its last parts. A task is called by
    /// what it did.
    fn source(&self, source: &str, room: usize) -> String {
        let own = source.strip_prefix(timeline::shared_folder(self.report)).unwrap_or(source);
        if own.width() <= room {
            return own.to_owned();
        }
        let last = own.rsplit('/').next().unwrap_or(own);
        let fields: Vec<&str> = last.split(':').collect();
        match fields.as_slice() {
            ["UPID", node, _, _, _, kind, id, ..] => format!("{node} {kind} {id}").trim_end().to_owned(),
            _ => {
                let ends = own.match_indices('/').filter_map(|(at, _)| own.get(at..));
                let fits = ends.map(|end| format!("…{end}")).find(|end| end.width() <= room);
                fits.unwrap_or_else(|| fit::head(last, room))
            }
        }
    }
}

/// A row of a moment.
struct Line {
    is_first: bool,
    text: String,
}
