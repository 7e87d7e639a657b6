//! The chain from a root cause to its effects, drawn as a small tree with times.

use std::collections::BTreeSet;

use chrono::DateTime;
use unicode_width::UnicodeWidthStr;

use super::fit;
use crate::report::model::{Report, RootCause};

/// Effects of effects are followed so deep.
const DEPTH: usize = 3;
/// Rows of a member of a short chain, and how many members that has at the most.
const ROWS: usize = 2;
const FEW: usize = 3;
/// By how many seconds the first trace of an effect may stand before that of its cause.
const EARLIEST: i64 = -120;
/// Columns of the times.
const TIMES: usize = 8;

/// The rows of the chain that begins with a root cause; none when it has no effects. At most `most` members.
pub fn draw(report: &Report, cause: &RootCause, room: usize, most: usize) -> Vec<String> {
    if cause.explains.is_empty() {
        return Vec::new();
    }
    let mut chain =
        Chain { report, onset: cause.first_seen.as_deref(), seen: BTreeSet::from([&cause.id]), members: Vec::new() };
    let begins = chain.onset.map_or(String::new(), |t| clock(t).to_owned());
    chain.members.push(Member { time: begins, text: cause.cause.clone(), ..Member::default() });
    chain.effects(cause, "", DEPTH);
    let left_out = chain.members.len().saturating_sub(most.max(2));
    if left_out > 0 {
        let kept = chain.members.len() - left_out - 1;
        chain.members.truncate(kept);
        chain.members.push(Member { text: format!("… {} more (--all)", left_out + 1), ..Member::default() });
    }
    // Of a few effects whole sentences; of many as much as leaves room for the proof.
    let rows = if chain.members.len() <= FEW { ROWS } else { 1 };
    chain.members.iter().flat_map(|member| member.rows(room, rows)).collect()
}

/// A root cause or an effect in the chain.
#[derive(Default)]
struct Member {
    /// When, in few columns.
    time: String,
    /// What of the tree stands in front of it, and in front of further rows of it.
    lead: String,
    below: String,
    text: String,
    id: String,
}

impl Member {
    /// When, what, and the id where there is room for it; a long sentence in `most` rows.
    fn rows(&self, room: usize, most: usize) -> Vec<String> {
        let Self { time, lead, below, text, id } = self;
        let pad = " ".repeat(TIMES.saturating_sub(time.width()));
        let with_id = format!("{pad}{time}  {lead}{text}  {id}");
        if !id.is_empty() && with_id.width() <= room {
            return vec![with_id];
        }
        let room = room.saturating_sub(TIMES + 2 + lead.width());
        let mut parts = fit::wrap(text, room);
        if parts.len() > most {
            let rest = parts.split_off(most - 1).join(" ");
            parts.push(fit::head(&rest, room));
        }
        let rows = parts.into_iter().enumerate();
        rows.map(|(n, part)| match n {
            0 => format!("{pad}{time}  {lead}{part}"),
            _ => format!("{:TIMES$}  {below}{part}", ""),
        })
        .collect()
    }
}

struct Chain<'r> {
    report: &'r Report,
    onset: Option<&'r str>,
    seen: BTreeSet<&'r String>,
    members: Vec<Member>,
}

impl<'r> Chain<'r> {
    /// Adds the effects of a root cause, each once, where it is told first; of one cause the earliest first.
    fn effects(&mut self, cause: &'r RootCause, lead: &str, depth: usize) {
        let mut next: Vec<&String> = cause.explains.iter().filter(|id| self.seen.insert(id)).collect();
        let first = |id: &str| self.report.root_causes.iter().find(|c| c.id == id)?.first_seen.as_deref();
        let begin = |id: &&String| self.onset.zip(first(id)).and_then(|(from, to)| span(from, to));
        next.sort_by_key(|id| begin(id).map_or((true, 0), |seconds| (false, seconds)));
        for (index, id) in next.iter().enumerate() {
            let is_last = index + 1 == next.len();
            let (branch, below) = if is_last { ("└─▶ ", "    ") } else { ("├─▶ ", "│   ") };
            let effect = self.report.root_causes.iter().find(|c| c.id == **id);
            let (title, first) = effect.map_or((id.as_str(), None), |e| (e.title.as_str(), e.first_seen.as_deref()));
            let id = if effect.is_some() { id.as_str() } else { "" };
            let time = self.onset.zip(first).and_then(|(from, to)| lag(from, to)).unwrap_or_default();
            self.members.push(Member {
                time,
                lead: format!("{lead}{branch}"),
                below: format!("{lead}{below}"),
                text: title.to_owned(),
                id: id.to_owned(),
            });
            if let Some(effect) = effect.filter(|_| depth > 1) {
                self.effects(effect, &format!("{lead}{below}"), depth - 1);
            }
        }
    }
}

/// The time of day of a stamp in RFC 3339, without fractions of a second.
pub fn clock(stamp: &str) -> &str {
    let time = stamp.split_once('T').map_or(stamp, |(_, time)| time);
    time.get(..8).unwrap_or(time)
}

/// How much later something began: `+9 min`; `together` where its first trace stands shortly before, `before` where that is
/// no matter of chance.
fn lag(from: &str, to: &str) -> Option<String> {
    let seconds = span(from, to)?;
    let text = match seconds {
        // The first line of each is not the moment at which it began: time-outs and polls lie in between.
        EARLIEST..=0 => return Some("together".into()),
        ..EARLIEST => return Some("before".into()),
        s @ 1..=119 => format!("{s} s"),
        s @ 120..=7199 => format!("{} min", s / 60),
        s @ 7200..=172_799 => format!("{} h", s / 3600),
        s => format!("{} d", s / 86_400),
    };
    Some(format!("+{text}"))
}

/// Whole seconds between two stamps.
pub fn span(from: &str, to: &str) -> Option<i64> {
    let time = |text: &str| DateTime::parse_from_rfc3339(text).ok();
    Some((time(to)? - time(from)?).num_seconds())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lags_have_one_unit_and_are_never_negative() {
        let at = |time: &str| lag("2026-09-15T08:00:00Z", time).expect("a lag");
        assert_eq!(at("2026-09-15T08:00:00.400Z"), "together");
        assert_eq!(at("2026-09-15T08:01:30Z"), "+90 s");
        assert_eq!(at("2026-09-15T08:09:59Z"), "+9 min");
        assert_eq!(at("2026-09-15T07:59:55Z"), "together", "a cause is seen a little later than its effect");
        assert_eq!(at("2026-09-15T07:40:00Z"), "before");
        assert_eq!(at("2026-09-18T08:00:00Z"), "+3 d");
        assert_eq!(clock("2026-09-15T08:00:00.400Z"), "08:00:00");
    }
}
