//! Time stamps as records write them, read by hand: these parsers see every line of every source.
//!
//! They read bytes and never allocate. What a stamp lacks (a year, a zone, a date) stays visible in [`RawTime`]; the
//! source that knows its context fills it in later. Invariant: a stamp that is not wholly well formed is no stamp.

/// Microseconds in a second.
pub const SECOND: i64 = 1_000_000;
/// Microseconds in a day.
pub const DAY: i64 = 86_400 * SECOND;

/// A point in time as one record tells it. All values are microseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum RawTime {
    /// The record has no time.
    #[default]
    None,
    /// Since the Unix epoch, exact.
    Utc(i64),
    /// Date and time of day without a zone, as if it were UTC.
    Local(i64),
    /// Month, day and time of day without year or zone: microseconds since 1 January of a leap year.
    Yearless(i64),
    /// Since the boot of a machine.
    Uptime(i64),
}

impl RawTime {
    /// True when the record tells some time.
    pub fn is_some(self) -> bool {
        self != Self::None
    }
}

/// Days from 1970-01-01 to a civil date (proleptic Gregorian calendar).
pub fn days_from_civil(year: i64, month: u32, day: u32) -> i64 {
    let y = if month <= 2 { year - 1 } else { year };
    let era = y.div_euclid(400);
    let yoe = y - era * 400;
    let shifted = (i64::from(month) + 9) % 12;
    let doy = (153 * shifted + 2) / 5 + i64::from(day) - 1;
    let doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
    era * 146_097 + doe - 719_468
}

/// The two digits at `at` as a number.
pub fn two(b: &[u8], at: usize) -> Option<u32> {
    pair(*b.get(at)?, *b.get(at + 1)?)
}

/// Two digits as a number.
fn pair(tens: u8, ones: u8) -> Option<u32> {
    let (tens, ones) = (tens.wrapping_sub(b'0'), ones.wrapping_sub(b'0'));
    (tens < 10 && ones < 10).then(|| u32::from(tens) * 10 + u32::from(ones))
}

/// `HH:MM:SS` at the start of `b`, in microseconds of the day.
pub fn clock(b: &[u8]) -> Option<i64> {
    let [h1, h2, b':', m1, m2, b':', s1, s2, ..] = *b else { return None };
    let (h, m, s) = (pair(h1, h2)?, pair(m1, m2)?, pair(s1, s2)?);
    (h < 24 && m < 60 && s < 61).then(|| i64::from(h * 3600 + m * 60 + s) * SECOND)
}

/// A fraction (`.123456789` or `,123`) at the start of `b`: microseconds and the bytes used (0 when there is none).
pub fn fraction(b: &[u8]) -> (i64, usize) {
    let [b'.' | b',', digits @ ..] = b else { return (0, 0) };
    let (value, used) = leading(digits);
    let micros = match used {
        0 => return (0, 0),
        1..=6 => POWERS.get(6 - used).map_or(0, |p| value * p),
        7 => value / 10,
        _ => value / 100,
    };
    let more = if used == 8 { digits.iter().skip(8).take_while(|c| c.is_ascii_digit()).count() } else { 0 };
    (i64::try_from(micros).unwrap_or_default(), used + more + 1)
}

/// Powers of ten.
const POWERS: [u64; 9] = [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000];

/// The number of the first digits of `b`, eight at the most, and how many they are: all eight bytes are tested and
/// added up at once, since every line of every source has its time read.
fn leading(b: &[u8]) -> (u64, usize) {
    let chunk = b.first_chunk::<8>().copied().unwrap_or_else(|| padded(b));
    let values = u64::from_le_bytes(chunk) ^ u64::from_le_bytes([b'0'; 8]);
    let other = (values.wrapping_add(u64::from_le_bytes([0x76; 8])) | values) & u64::from_le_bytes([0x80; 8]);
    let count = other.trailing_zeros() / 8;
    // The first digit stands in the lowest byte; zeros before it do not change the number.
    let digits = values.checked_shl(64 - 8 * count).unwrap_or_default();
    let pairs = digits.wrapping_mul(10).wrapping_add(digits >> 8) & 0x00ff_00ff_00ff_00ff;
    let fours = pairs.wrapping_mul(100).wrapping_add(pairs >> 16) & 0x0000_ffff_0000_ffff;
    let number = fours.wrapping_mul(10_000).wrapping_add(fours >> 32) & 0xffff_ffff;
    (number, count as usize)
}

/// Fewer than eight bytes, filled up with zero bytes.
fn padded(b: &[u8]) -> [u8; 8] {
    let mut chunk = [0; 8];
    for (to, from) in chunk.iter_mut().zip(b) {
        *to = *from;
    }
    chunk
}

/// `YYYY-MM-DD` or `YYYY/MM/DD` at the start of `b`, in days since the epoch.
pub fn date(b: &[u8]) -> Option<i64> {
    let [y1, y2, y3, y4, first @ (b'-' | b'/'), m1, m2, second, d1, d2, ..] = *b else { return None };
    let year = pair(y1, y2)? * 100 + pair(y3, y4)?;
    let (month, day) = (pair(m1, m2)?, pair(d1, d2)?);
    let valid =
        first == second && (1..=12).contains(&month) && (1..=31).contains(&day) && (1970..=2200).contains(&year);
    valid.then(|| days_since_epoch(year, month, day))
}

/// [`days_from_civil`] for years from 1970 on, in small numbers: every dated line comes through here.
fn days_since_epoch(year: u32, month: u32, day: u32) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let months = if month > 2 { month - 3 } else { month + 9 };
    let days = 365 * year + year / 4 - year / 100 + year / 400 + (153 * months + 2) / 5 + day - 1;
    i64::from(days) - 719_468
}

/// A date and time at the start of `b`: `2026-09-15T08:00:00.123456789Z`, with a blank instead of `T`, with `/` in the
/// date, with or without fraction, zone `Z`, `+02:00`, `+0200` or none. Gives the time and the bytes used.
pub fn timestamp(b: &[u8]) -> Option<(RawTime, usize)> {
    let (time, rest) = date_and_clock(b.first_chunk::<19>()?)?;
    let (fraction, used) = fraction(rest_of(b, rest));
    let end = rest + used;
    let local = time + fraction;
    Some(match zone(rest_of(b, end)) {
        Some((offset, length)) => (RawTime::Utc(local - offset), end + length),
        None => (RawTime::Local(local), end),
    })
}

/// What stands behind the first bytes.
fn rest_of(b: &[u8], at: usize) -> &[u8] {
    b.get(at..).unwrap_or_default()
}

/// The microseconds of `2026-09-15T08:00:00`, and how many bytes that are. All digits are tested at once, since nearly every
/// line has such a stamp.
fn date_and_clock(b: &[u8; 19]) -> Option<(i64, usize)> {
    let [y1, y2, y3, y4, first, m1, m2, second, d1, d2, separator, h1, h2, colon, n1, n2, other_colon, s1, s2] = *b;
    let forms = matches!(first, b'-' | b'/') && first == second && (colon, other_colon) == (b':', b':');
    if !forms || !matches!(separator, b'T' | b't' | b' ') {
        return None;
    }
    let (date, clock) = (digits([y1, y2, y3, y4, m1, m2, d1, d2])?, digits([b'0', b'0', h1, h2, n1, n2, s1, s2])?);
    let pair = |pairs: u64, at: u32| (pairs >> (16 * at)) as u32 & 0xff;
    let (year, month, day) = (pair(date, 0) * 100 + pair(date, 1), pair(date, 2), pair(date, 3));
    let (hour, minute, second) = (pair(clock, 1), pair(clock, 2), pair(clock, 3));
    let valid = (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && (1970..=2200).contains(&year)
        && hour < 24
        && minute < 60
        && second < 61;
    let seconds = i64::from(hour * 3600 + minute * 60 + second);
    valid.then(|| (days_since_epoch(year, month, day) * DAY + seconds * SECOND, 19))
}

/// Eight digits as four numbers of two digits, the first in the lowest sixteen bits.
fn digits(bytes: [u8; 8]) -> Option<u64> {
    let values = u64::from_le_bytes(bytes) ^ u64::from_le_bytes([b'0'; 8]);
    let other = (values.wrapping_add(u64::from_le_bytes([0x76; 8])) | values) & u64::from_le_bytes([0x80; 8]);
    (other == 0).then(|| (values.wrapping_mul(10).wrapping_add(values >> 8)) & 0x00ff_00ff_00ff_00ff)
}

/// A zone at the start of `b`: its offset in microseconds and the bytes used.
pub fn zone(b: &[u8]) -> Option<(i64, usize)> {
    let sign = match b.first()? {
        b'Z' | b'z' => return Some((0, 1)),
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let hours = two(b, 1)?;
    let (minutes, length) = if b.get(3) == Some(&b':') { (two(b, 4)?, 6) } else { (two(b, 3)?, 5) };
    if hours > 14 || minutes > 59 {
        return None;
    }
    Some((sign * i64::from(hours * 3600 + minutes * 60) * SECOND, length))
}

/// An English month abbreviation, 1 to 12.
pub fn month(b: &[u8]) -> Option<u32> {
    Some(match b.get(..3)? {
        b"Jan" => 1,
        b"Feb" => 2,
        b"Mar" => 3,
        b"Apr" => 4,
        b"May" => 5,
        b"Jun" => 6,
        b"Jul" => 7,
        b"Aug" => 8,
        b"Sep" => 9,
        b"Oct" => 10,
        b"Nov" => 11,
        b"Dec" => 12,
        _ => return None,
    })
}

/// Month, day and microseconds of the day as [`RawTime::Yearless`].
pub fn yearless(month: u32, day: u32, time: i64) -> Option<RawTime> {
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    // Counted from March, so that the leap day is the last.
    let months = if month > 2 { month - 3 } else { month + 9 };
    let days = i64::from((153 * months + 2) / 5 + day - 1);
    let days = if month > 2 { days + 60 } else { days - 306 };
    Some(RawTime::Yearless(days * DAY + time))
}

/// A decimal number (`1763194681.8416061`, `12`) at the start of `b`, scaled to microseconds by `unit` (microseconds
/// per one), and the bytes used. Exact to the microsecond for seconds; no exponent.
pub fn number(b: &[u8], unit: i64) -> Option<(i64, usize)> {
    let (mut whole, mut used) = (0i64, 0usize);
    for c in b {
        if !c.is_ascii_digit() {
            break;
        }
        whole = whole.checked_mul(10)?.checked_add(i64::from(c - b'0'))?;
        used += 1;
    }
    if used == 0 {
        return None;
    }
    let (micros, length) = match b.get(used) {
        Some(b'.') => fraction(b.get(used..).unwrap_or_default()),
        _ => (0, 0),
    };
    let value = whole.checked_mul(unit)?.checked_add(micros.checked_mul(unit)? / SECOND)?;
    Some((value, used + length))
}

/// An epoch number whose unit is told by its size: seconds, milliseconds, microseconds or nanoseconds.
/// Gives microseconds since the epoch and the bytes used.
pub fn epoch(b: &[u8]) -> Option<(RawTime, usize)> {
    let (mut value, mut digits) = leading(b);
    while digits % 8 == 0 && (8..=16).contains(&digits) {
        let (more, count) = leading(b.get(digits..)?);
        value = value.wrapping_mul(*POWERS.get(count)?).wrapping_add(more);
        digits += count;
        if count == 0 {
            break;
        }
    }
    let (scale, divisor) = match digits {
        9..=10 => (SECOND, 1),
        12..=13 => (1_000, 1),
        15..=16 => (1, 1),
        18..=19 => (1, 1_000),
        _ => return None,
    };
    let rest = b.get(digits..)?;
    let (micros, used) = if rest.first() == Some(&b'.') { fraction(rest) } else { (0, 0) };
    let value = i64::try_from(value / divisor).ok()? * scale;
    let part = if divisor == 1 { micros * scale / SECOND } else { 0 };
    Some((RawTime::Utc(value + part), digits + used))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_of_every_kind_are_read() {
        let base = days_from_civil(2026, 9, 15) * DAY + 8 * 3600 * SECOND;
        let cases: &[(&str, RawTime, usize)] = &[
            ("2026-09-15T08:00:00Z x", RawTime::Utc(base), 20),
            ("2026-09-15T08:00:00.123456789Z", RawTime::Utc(base + 123_456), 30),
            ("2026-09-15T10:00:00+02:00", RawTime::Utc(base), 25),
            ("2026-09-15T03:00:00.5-0500]", RawTime::Utc(base + 500_000), 26),
            ("2026-09-15 08:00:00,250 INFO", RawTime::Local(base + 250_000), 23),
            ("2026/09/15 08:00:00.000001 [talos]", RawTime::Local(base + 1), 26),
        ];
        for (text, time, used) in cases {
            assert_eq!(timestamp(text.as_bytes()), Some((*time, *used)), "{text}");
        }
    }

    #[test]
    fn broken_timestamps_are_none() {
        for text in ["2026-13-01T00:00:00Z", "2026-09-15T24:00:00Z", "2026-09-15", "26-09-15T08:00:00Z", ""] {
            assert_eq!(timestamp(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn epochs_tell_their_unit_by_size() {
        let second = 1_763_194_681 * SECOND;
        assert_eq!(epoch(b"1763194681.8416061,"), Some((RawTime::Utc(second + 841_606), 18)));
        assert_eq!(epoch(b"1763194681841.6061"), Some((RawTime::Utc(second + 841_606), 18)));
        assert_eq!(epoch(b"1763194681841606"), Some((RawTime::Utc(second + 841_606), 16)));
        assert_eq!(epoch(b"1763194681841606123"), Some((RawTime::Utc(second + 841_606), 19)));
        for text in ["42", "17631946810", "12345678901234567890", "", "x", "12345678"] {
            assert_eq!(epoch(text.as_bytes()), None, "{text}");
        }
        assert_eq!(epoch(b"9999999999999999999"), Some((RawTime::Utc(9_999_999_999_999_999), 19)));
    }

    #[test]
    fn fractions_of_any_length_are_read() {
        let digits = "1234567891";
        for length in 1..=10 {
            let text = format!(".{}", &digits[..length]);
            let micros: i64 = format!("{:0<6}", &digits[..length])[..6].parse().expect("a number");
            for tail in ["", "Z", "\u{ff}", ":", "/"] {
                assert_eq!(fraction(format!("{text}{tail}").as_bytes()), (micros, length + 1), "{text}{tail}");
            }
        }
        assert_eq!(fraction(b".x"), (0, 0));
        assert_eq!(fraction(b".\xb0\xb1"), (0, 0));
    }

    #[test]
    fn days_without_a_year_count_from_january_of_a_leap_year() {
        for (month, day, days) in [(1, 1, 0), (2, 29, 59), (3, 1, 60), (9, 15, 258), (12, 31, 365)] {
            assert_eq!(yearless(month, day, 7), Some(RawTime::Yearless(days * DAY + 7)), "{month}-{day}");
        }
        assert_eq!(yearless(13, 1, 0), None);
    }

    #[test]
    fn civil_days_agree_with_chrono() {
        for (y, m, d) in [(1970, 1, 1), (2000, 2, 29), (2024, 12, 31), (2199, 3, 1)] {
            let date = chrono::NaiveDate::from_ymd_opt(y, m, d).expect("a date");
            let epoch = chrono::NaiveDate::from_ymd_opt(1970, 1, 1).expect("a date");
            assert_eq!(days_from_civil(i64::from(y), m, d), (date - epoch).num_days());
            assert_eq!(super::date(format!("{y}-{m:02}-{d:02}").as_bytes()), Some((date - epoch).num_days()));
        }
    }
}
