//! How the stamps of a source follow each other: pauses, steps back, and the busiest second.
//!
//! What a source covers is more than its first and last stamp. All counts add up over chunks, so that they do not depend
//! on where a source was cut.

use crate::event::RawTime;
use crate::event::time::SECOND;

/// A pause between two stamps is kept from this length on.
const PAUSE: i64 = 10 * 60 * SECOND;
/// Pauses kept: the longest ones.
const PAUSES: usize = 16;
/// A step back below this is the jitter of parallel writers.
const JITTER: i64 = 2 * SECOND;

/// Lines with a stamp, in the order of the source.
#[derive(Debug, Clone, Default)]
pub struct Cadence {
    /// Lines with a stamp of their own.
    pub dated: u64,
    /// Lines whose stamp lies before that of the line before.
    pub backward: u64,
    /// The longest pauses, as read: from and to.
    pub pauses: Vec<(RawTime, RawTime)>,
    /// The most lines in one second.
    pub busiest: u64,
    first: RawTime,
    last: RawTime,
    /// When the second of the last stamp begins: every dated line asks whether it lies in it.
    second: i64,
    /// Lines in the second of the first stamp, and in that of the last.
    opening: u64,
    closing: u64,
}

impl Cadence {
    /// Counts the stamp of one line.
    pub fn add(&mut self, time: RawTime) {
        let micros = of_clock(time);
        let same = match (distance(self.last, time), micros) {
            (Some(step), Some(micros)) => {
                self.judge(step, time);
                (0..SECOND).contains(&(micros - self.second))
            }
            // The first one, or one of another kind.
            _ => same_second(self.last, time),
        };
        if same {
            // All lines so far lie in the second of the first.
            self.opening += u64::from(self.dated == self.opening);
            self.closing += 1;
        } else {
            self.closing = 1;
            self.second = micros.map_or(0, |t| t - t.rem_euclid(SECOND));
        }
        self.dated += 1;
        self.busiest = self.busiest.max(self.closing);
        if self.dated == 1 {
            self.first = time;
            self.opening = 1;
        }
        self.last = time;
    }

    /// Adds what follows.
    pub fn absorb(&mut self, later: Self) {
        if later.dated == 0 {
            return;
        }
        if self.dated == 0 {
            *self = later;
            return;
        }
        self.step(later.first);
        let joined = same_second(self.last, later.first);
        let across = self.closing + later.opening;
        self.busiest = self.busiest.max(later.busiest).max(if joined { across } else { 0 });
        if joined && self.opening == self.dated {
            self.opening += later.opening;
        }
        self.closing = if joined && later.closing == later.dated { across } else { later.closing };
        self.dated += later.dated;
        self.backward += later.backward;
        (self.last, self.second) = (later.last, later.second);
        for pause in later.pauses {
            self.keep(pause);
        }
    }

    /// Looks at the step from the last stamp to the next.
    fn step(&mut self, to: RawTime) {
        if let Some(step) = distance(self.last, to) {
            self.judge(step, to);
        }
    }

    fn judge(&mut self, step: i64, to: RawTime) {
        self.backward += u64::from(step < -JITTER);
        if step >= PAUSE {
            self.keep((self.last, to));
        }
    }

    fn keep(&mut self, pause: (RawTime, RawTime)) {
        self.pauses.push(pause);
        if self.pauses.len() > PAUSES {
            let length = |p: &(RawTime, RawTime)| distance(p.0, p.1).unwrap_or(0);
            let shortest = (0..self.pauses.len()).min_by_key(|i| self.pauses.get(*i).map_or(0, length));
            shortest.map(|at| self.pauses.remove(at));
        }
    }
}

/// Microseconds from one stamp to another of the same kind.
fn distance(from: RawTime, to: RawTime) -> Option<i64> {
    match (from, to) {
        (RawTime::Utc(a), RawTime::Utc(b))
        | (RawTime::Local(a), RawTime::Local(b))
        | (RawTime::Yearless(a), RawTime::Yearless(b)) => Some(b - a),
        _ => None,
    }
}

/// Whether two stamps lie in the same second of a clock.
fn same_second(a: RawTime, b: RawTime) -> bool {
    let second = |time| of_clock(time).map(|t: i64| t.div_euclid(SECOND));
    second(a).is_some() && second(a) == second(b)
}

/// The microseconds of a stamp that a clock told.
fn of_clock(time: RawTime) -> Option<i64> {
    match time {
        RawTime::Utc(t) | RawTime::Local(t) | RawTime::Yearless(t) => Some(t),
        RawTime::Uptime(_) | RawTime::None => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cadence(seconds: &[i64]) -> Cadence {
        let mut cadence = Cadence::default();
        seconds.iter().for_each(|s| cadence.add(RawTime::Utc(s * SECOND)));
        cadence
    }

    #[test]
    fn pauses_steps_back_and_the_busiest_second_are_found() {
        let found = cadence(&[0, 1, 1, 1, 2, 4000, 3000, 3000]);
        assert_eq!((found.dated, found.backward, found.busiest), (8, 1, 3));
        assert_eq!(found.pauses, [(RawTime::Utc(2 * SECOND), RawTime::Utc(4000 * SECOND))]);
    }

    #[test]
    fn the_parts_of_a_source_add_up_to_the_whole() {
        let stamps = [5, 5, 5, 7, 7, 2000, 2000, 2000, 2000, 1000, 1000, 1001];
        let whole = cadence(&stamps);
        for first in 0..stamps.len() {
            for second in first..stamps.len() {
                let mut parts = cadence(&stamps[..first]);
                parts.absorb(cadence(&stamps[first..second]));
                parts.absorb(cadence(&stamps[second..]));
                assert_eq!(
                    (parts.dated, parts.backward, parts.busiest, &parts.pauses),
                    (whole.dated, whole.backward, whole.busiest, &whole.pauses),
                    "cut at {first} and {second}"
                );
            }
        }
    }
}
