//! Times for people: all in UTC, as the model has them.

use chrono::{DateTime, NaiveDate, Utc};

/// Milliseconds of a second, minute, hour, day.
const SECOND: i64 = 1_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// Distances between ticks of an axis, in milliseconds.
const STEPS: &[i64] = &[
    1,
    5,
    10,
    50,
    100,
    500,
    SECOND,
    2 * SECOND,
    5 * SECOND,
    10 * SECOND,
    15 * SECOND,
    30 * SECOND,
    MINUTE,
    2 * MINUTE,
    5 * MINUTE,
    10 * MINUTE,
    15 * MINUTE,
    30 * MINUTE,
    HOUR,
    2 * HOUR,
    3 * HOUR,
    6 * HOUR,
    12 * HOUR,
    DAY,
    2 * DAY,
    7 * DAY,
    14 * DAY,
    30 * DAY,
    90 * DAY,
    365 * DAY,
    3650 * DAY,
];

/// An RFC 3339 stamp in milliseconds since the epoch.
pub fn millis(stamp: &str) -> Option<i64> {
    DateTime::parse_from_rfc3339(stamp).ok().map(|t| t.timestamp_millis())
}

/// A stamp as `2026-09-15 08:00:07`, with milliseconds where there are any.
pub fn moment(stamp: &str) -> String {
    stamp.trim_end_matches('Z').replacen('T', " ", 1)
}

/// A span of milliseconds in its two largest units: `52 s`, `1 h 36 min`.
pub fn duration(millis: i64) -> String {
    let parts = |large: i64, small: i64, names: (&str, &str)| {
        let (a, b) = (millis / large, millis % large / small);
        if b == 0 { format!("{a} {}", names.0) } else { format!("{a} {} {b} {}", names.0, names.1) }
    };
    match millis {
        ..0 => format!("-{}", duration(-millis)),
        0..SECOND => format!("{millis} ms"),
        SECOND..MINUTE => format!("{} s", millis / SECOND),
        MINUTE..HOUR => parts(MINUTE, SECOND, ("min", "s")),
        HOUR..DAY => parts(HOUR, MINUTE, ("h", "min")),
        _ => parts(DAY, HOUR, ("d", "h")),
    }
}

/// Round moments between two times, at most `most`, each with its label.
pub fn ticks(from: i64, to: i64, most: i64) -> Vec<(i64, String)> {
    let span = (to - from).max(1);
    let step = STEPS.iter().copied().find(|s| span / s < most).unwrap_or(span);
    let first = from.div_euclid(step) * step + if from.rem_euclid(step) == 0 { 0 } else { step };
    let days = day(from) != day(to);
    (0..=most).map(|n| first + n * step).take_while(|t| *t <= to).map(|t| (t, label(t, step, days))).collect()
}

fn label(time: i64, step: i64, days: bool) -> String {
    let Some(at) = DateTime::from_timestamp_millis(time) else { return String::new() };
    let format = match step {
        DAY.. => "%Y-%m-%d",
        _ if days => "%m-%d %H:%M",
        MINUTE.. => "%H:%M",
        SECOND.. => "%H:%M:%S",
        _ => "%H:%M:%S%.3f",
    };
    at.format(format).to_string()
}

fn day(time: i64) -> Option<NaiveDate> {
    DateTime::<Utc>::from_timestamp_millis(time).map(|t| t.date_naive())
}

/// The day or days between two times.
pub fn days(from: i64, to: i64) -> String {
    match (day(from), day(to)) {
        (Some(a), Some(b)) if a != b => format!("{a} to {b}"),
        (Some(a), _) => a.to_string(),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_told_in_two_units() {
        let table =
            [(40, "40 ms"), (52_300, "52 s"), (61_000, "1 min 1 s"), (5_760_000, "1 h 36 min"), (2 * DAY, "2 d")];
        for (millis, text) in table {
            assert_eq!(duration(millis), text);
        }
        assert_eq!(duration(-1_500), "-1 s");
    }

    #[test]
    fn ticks_are_round_few_and_inside() {
        for span in [3, 900, 61_000, 4_000_000, 200_000_000, 40_000_000_000] {
            let (from, to) = (1_789_459_207_123, 1_789_459_207_123 + span);
            let ticks = ticks(from, to, 6);
            assert!((1..=6).contains(&ticks.len()), "{span}: {ticks:?}");
            assert!(ticks.iter().all(|(t, _)| (from..=to).contains(t)), "{span}: {ticks:?}");
        }
        let labels: Vec<String> = ticks(1_789_459_200_000, 1_789_459_260_000, 6).into_iter().map(|(_, l)| l).collect();
        assert_eq!(labels, ["08:00:00", "08:00:15", "08:00:30", "08:00:45", "08:01:00"]);
    }
}
