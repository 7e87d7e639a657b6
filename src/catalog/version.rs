//! Version ranges such as `>=1.8.0, <1.9.0`, and whether a version seen in the input falls into them.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

/// Versions of an application that have a fault.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Affected {
    /// The application's name.
    pub name: String,
    /// All comparisons must hold.
    pub range: Vec<(Comparison, Version)>,
}

/// A comparison with a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Comparison {
    /// `<`
    Below,
    /// `<=`
    AtMost,
    /// `=`
    Equal,
    /// `>=`
    AtLeast,
    /// `>`
    Above,
}

/// A version: its numbers, and whether a pre-release suffix follows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
    numbers: Vec<u64>,
    release: bool,
}

impl Version {
    /// Reads `v1.12.4`, `9.2.11-1`, `1.9.0-beta.1`; `None` when it does not begin with a number.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim().trim_start_matches('v');
        let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
        let (numbers, suffix) = text.split_at_checked(end)?;
        let numbers: Vec<u64> = numbers.split('.').filter(|n| !n.is_empty()).map_while(|n| n.parse().ok()).collect();
        let pre = ["-alpha", "-beta", "-rc", "-dev", "~"].iter().any(|p| suffix.starts_with(p));
        (!numbers.is_empty()).then_some(Self { numbers, release: !pre })
    }
}

impl std::fmt::Display for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let numbers: Vec<String> = self.numbers.iter().map(u64::to_string).collect();
        f.write_str(&numbers.join("."))
    }
}

impl std::fmt::Display for Affected {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let part = |(comparison, version): &(Comparison, Version)| {
            let operator = match comparison {
                Comparison::Below => "<",
                Comparison::AtMost => "<=",
                Comparison::Equal => "=",
                Comparison::AtLeast => ">=",
                Comparison::Above => ">",
            };
            format!("{operator}{version}")
        };
        f.write_str(&self.range.iter().map(part).collect::<Vec<_>>().join(", "))
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        let longest = self.numbers.len().max(other.numbers.len());
        let number = |v: &Self, i: usize| v.numbers.get(i).copied().unwrap_or(0);
        (0..longest)
            .map(|i| number(self, i).cmp(&number(other, i)))
            .find(|o| o.is_ne())
            .unwrap_or_else(|| self.release.cmp(&other.release))
    }
}

impl Affected {
    /// Reads a range; the error says what was expected.
    pub fn parse(name: &str, range: &str) -> Result<Self, String> {
        let range = range.split(',').map(|part| part.trim()).filter(|p| !p.is_empty()).map(comparison);
        Ok(Self { name: name.to_owned(), range: range.collect::<Result<_, _>>()? })
    }

    /// Whether the version has the fault.
    pub fn covers(&self, version: &Version) -> bool {
        self.range.iter().all(|(comparison, bound)| {
            let order = version.cmp(bound);
            match comparison {
                Comparison::Below => order.is_lt(),
                Comparison::AtMost => order.is_le(),
                Comparison::Equal => order.is_eq(),
                Comparison::AtLeast => order.is_ge(),
                Comparison::Above => order.is_gt(),
            }
        })
    }
}

fn comparison(part: &str) -> Result<(Comparison, Version), String> {
    let operators = [
        ("<=", Comparison::AtMost),
        (">=", Comparison::AtLeast),
        ("<", Comparison::Below),
        (">", Comparison::Above),
        ("=", Comparison::Equal),
    ];
    let (comparison, rest) = operators
        .iter()
        .find_map(|(text, comparison)| Some((*comparison, part.strip_prefix(text)?)))
        .ok_or_else(|| format!("expected <, <=, =, >= or > before the version in `{part}`"))?;
    let version = Version::parse(rest).ok_or_else(|| format!("expected a version in `{part}`"))?;
    Ok((comparison, version))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_cover_what_they_say() {
        let affected = Affected::parse("talos", ">=1.8.0, <1.9.0").expect("a range");
        assert_eq!(affected.to_string(), ">=1.8.0, <1.9.0");
        for (version, inside) in
            [("v1.8.4", true), ("1.8", true), ("1.9.0", false), ("v1.9.0-beta.0", true), ("1.7.9", false)]
        {
            assert_eq!(affected.covers(&Version::parse(version).expect("a version")), inside, "{version}");
        }
    }

    #[test]
    fn a_range_without_operator_is_refused() {
        assert!(Affected::parse("talos", "1.8").is_err());
    }
}
