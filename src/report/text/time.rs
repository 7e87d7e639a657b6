//! Times as people say them.

use super::chain;
use crate::report::coverage;

/// A stamp without fractions of a second: they are in the lines themselves.
pub fn seconds(stamp: &str) -> String {
    match stamp.split_once('.') {
        Some((whole, rest)) => format!("{whole}{}", rest.trim_start_matches(|c: char| c.is_ascii_digit())),
        None => stamp.to_owned(),
    }
}

/// From when to when, and how long that is: the day is told once.
pub fn until(first: &str, last: &str) -> String {
    let lasted = chain::span(first, last).map_or(0, i64::unsigned_abs);
    let (first, last) = (seconds(first), seconds(last));
    let end = match (first.split_once('T'), last.split_once('T')) {
        (Some((day, _)), Some((same, time))) if day == same => time,
        _ => last.as_str(),
    };
    if lasted == 0 {
        format!("{first} to {end}")
    } else {
        format!("{first} to {end} ({})", coverage::duration(lasted as f64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_day_is_told_once() {
        assert_eq!(
            until("2026-09-15T08:00:07Z", "2026-09-15T08:01:01.200Z"),
            "2026-09-15T08:00:07Z to 08:01:01Z (54 s)"
        );
        let days = until("2026-09-15T23:00:00Z", "2026-09-16T01:00:00Z");
        assert_eq!(days, "2026-09-15T23:00:00Z to 2026-09-16T01:00:00Z (2 h 0 min)");
    }
}
