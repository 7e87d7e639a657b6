//! Pseudonyms for addresses, names and ids: `ip-1`, `mac-1`, `host-2`, `cluster-1`, `uuid-3`, `email-1`.
//!
//! First everything that will be printed is learned from, then it is rewritten, so that a name that one line tells is also
//! found in the lines before it. Numbers are given in the order of printing. Loopback, unspecified and well-known public
//! addresses stay, as do names that identify nobody (`localhost`, `ghcr.io`).

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ops::Range;
use std::sync::LazyLock;

use rayon::prelude::*;
use regex::Regex;

use super::names::{self, Kind};
use super::{Edit, MASK, apply, secret, value};
use crate::event::Event;

/// Addresses that say nothing about whose network it is.
const WELL_KNOWN: &[&str] = &[
    "1.1.1.1",
    "1.0.0.1",
    "8.8.8.8",
    "8.8.4.4",
    "9.9.9.9",
    "169.254.169.254",
    "169.254.116.108",
    "10.96.0.1",
    "10.96.0.10",
    "10.244.0.0",
    "10.96.0.0",
    "255.255.255.255",
    "2606:4700:4700::1111",
    "2001:4860:4860::8888",
];

static KNOWN: LazyLock<Vec<IpAddr>> = LazyLock::new(|| WELL_KNOWN.iter().filter_map(|ip| ip.parse().ok()).collect());

/// Addresses and ids. Which one a match is, its own text tells: groups would have to be searched for once more.
static SHAPES: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(concat!(
        r"(?-u:\b)[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}(?-u:\b)",
        r"|(?-u:\b)[0-9A-Fa-f]{2}(?:(?::[0-9A-Fa-f]{2}){5}|(?:-[0-9A-Fa-f]{2}){5})(?-u:\b)",
        r"|(?-u:\b)[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}(?-u:\b)",
        r"|[0-9A-Fa-f]{0,4}:(?:[0-9A-Fa-f]{0,4}:)+(?:[0-9]{1,3}(?:\.[0-9]{1,3}){3}|[0-9A-Fa-f]{0,4})",
        r"|(?-u:\b)[0-9]{1,3}(?:\.[0-9]{1,3}){3}(?-u:\b)",
    ))
    .ok()
});

/// What one text holds, whatever names others tell.
#[derive(Debug, Clone, Default)]
struct Look {
    /// Secrets, addresses and ids, with the word for each.
    found: Vec<(Range<usize>, &'static str)>,
    /// Names that it tells, lower case.
    names: BTreeSet<(Kind, String)>,
}

impl Look {
    fn at(text: &str) -> Self {
        let mut look = Self::default();
        let pairs = value::pairs(text);
        names::learn(text, &pairs, &mut |kind, name| {
            look.names.insert((kind, name.to_ascii_lowercase()));
        });
        look.found.extend(secret::find_among(text, &pairs).into_iter().map(|range| (range, MASK)));
        shapes(text, &mut look.found);
        look
    }
}

/// Texts that were looked at: each only once, however often it is printed.
#[derive(Debug, Default)]
pub struct Looks(HashMap<String, Look>);

impl Looks {
    /// Looks at texts, on all threads.
    pub fn at(texts: HashSet<String>) -> Self {
        Self(texts.into_par_iter().map(|text| (Look::at(&text), text)).map(|(look, text)| (text, look)).collect())
    }
}

/// The pseudonyms of a run.
#[derive(Debug, Clone, Default)]
pub struct Pseudonyms {
    /// Names that were learned, lower case.
    names: BTreeMap<String, Kind>,
    /// Finds them; made anew after something was learned.
    finder: Option<Finder>,
    /// What was replaced, by what.
    given: BTreeMap<String, String>,
    /// How many of each word were given.
    counts: BTreeMap<&'static str, usize>,
}

impl Pseudonyms {
    /// Learns the names that a record tells.
    pub fn learn(&mut self, text: &str) {
        let learned = &mut self.names;
        names::learn(text, &value::pairs(text), &mut |kind, name| add(learned, kind, name));
        self.finder = None;
    }

    /// Learns the names that texts tell.
    pub fn learn_looks(&mut self, looks: &Looks) {
        let told: BTreeSet<&(Kind, String)> = looks.0.values().flat_map(|look| &look.names).collect();
        told.into_iter().for_each(|(kind, name)| add(&mut self.names, *kind, name));
        self.finder = None;
    }

    /// Learns the names of an event.
    pub fn learn_event(&mut self, event: &Event<'_>) {
        let learned = &mut self.names;
        names::event(event, &mut |kind, name| add(learned, kind, name));
        self.finder = None;
    }

    /// Learns a value whose key tells whether it is a name.
    pub fn learn_named(&mut self, key: &str, value: &str) {
        let learned = &mut self.names;
        names::named(key, value, &mut |kind, name| add(learned, kind, name));
        self.finder = None;
    }

    /// Takes over what another one has learned.
    pub fn absorb(&mut self, other: Self) {
        other.names.into_iter().for_each(|(name, kind)| add(&mut self.names, kind, &name));
        self.finder = None;
    }

    /// The text with secrets masked and everything that identifies replaced.
    pub fn redact(&mut self, text: &str) -> String {
        self.redact_with(text, &mut None)
    }

    /// As [`Self::redact`]; a range of the text is carried over to the same piece of the result.
    pub fn redact_with(&mut self, text: &str, mark: &mut Option<Range<usize>>) -> String {
        self.redact_seen(text, &Looks::default(), mark)
    }

    /// As [`Self::redact_with`]; a text that was looked at before is not looked at again.
    pub fn redact_seen(&mut self, text: &str, looks: &Looks, mark: &mut Option<Range<usize>>) -> String {
        let mut found = match looks.0.get(text) {
            Some(look) => look.found.clone(),
            None => {
                let mut found = secret::find(text).into_iter().map(|range| (range, MASK)).collect();
                shapes(text, &mut found);
                found
            }
        };
        self.known_names(text, &mut found);
        let edits = self.edits(text, found);
        apply(text, edits, mark)
    }

    /// What is to be replaced by what, of everything that was found.
    fn edits(&mut self, text: &str, mut found: Vec<(Range<usize>, &'static str)>) -> Vec<Edit> {
        found.sort_by_key(|(range, word)| (range.start, std::cmp::Reverse(range.end), *word != MASK));
        let mut edits: Vec<Edit> = Vec::new();
        let mut end = 0;
        for (range, word) in found {
            if range.start < end {
                // A secret that begins inside of something else still goes.
                if word == MASK && range.end > end {
                    edits.push(Edit { range: end..range.end, with: MASK.to_owned() });
                    end = range.end;
                }
                continue;
            }
            end = range.end;
            let with = match word {
                MASK => MASK.to_owned(),
                word => self.pseudonym(word, text.get(range.clone()).unwrap_or_default()),
            };
            edits.push(Edit { range, with });
        }
        edits
    }

    /// What was replaced: pseudonym and value, sorted by pseudonym. For a map that stays with its owner.
    pub fn map(&self) -> BTreeMap<&str, &str> {
        self.given.iter().map(|(value, pseudonym)| (pseudonym.as_str(), value.as_str())).collect()
    }

    /// Whether anything was replaced.
    pub fn is_empty(&self) -> bool {
        self.given.is_empty()
    }

    fn pseudonym(&mut self, word: &'static str, value: &str) -> String {
        let value = value.to_ascii_lowercase();
        if let Some(given) = self.given.get(&value) {
            return given.clone();
        }
        let count = self.counts.entry(word).or_default();
        *count += 1;
        let pseudonym = format!("{word}-{count}");
        self.given.insert(value, pseudonym.clone());
        pseudonym
    }

    fn known_names(&mut self, text: &str, found: &mut Vec<(Range<usize>, &'static str)>) {
        if !self.names.is_empty() {
            self.finder.get_or_insert_with(|| Finder::new(&self.names)).find(text, found);
        }
    }
}

/// Finds names where a word begins. An automaton would find them anywhere, take longer to be made than all texts take to be
/// searched, and hide a name behind a longer one that goes on differently.
#[derive(Debug, Clone)]
struct Finder {
    /// Names in lower case, sorted, with the word for each.
    names: Vec<(String, &'static str)>,
    /// First bytes of names.
    first: [bool; 256],
}

impl Finder {
    fn new(names: &BTreeMap<String, Kind>) -> Self {
        let word = |kind: &Kind| if *kind == Kind::Cluster { "cluster" } else { "host" };
        let names: Vec<_> = names.iter().map(|(name, kind)| (name.clone(), word(kind))).collect();
        let mut first = [false; 256];
        for byte in names.iter().filter_map(|(name, _)| name.bytes().next()) {
            if let Some(first) = first.get_mut(usize::from(byte)) {
                *first = true;
            }
        }
        Self { names, first }
    }

    /// The longest known name that stands alone, at each place, from left to right.
    fn find(&self, text: &str, found: &mut Vec<(Range<usize>, &'static str)>) {
        let lower = text.to_ascii_lowercase();
        let bytes = lower.as_bytes();
        let mut from = 0;
        let mut inside = false;
        for (at, byte) in bytes.iter().enumerate() {
            let begins = !std::mem::replace(&mut inside, byte.is_ascii_alphanumeric());
            let possible = begins && at >= from && self.first.get(usize::from(*byte)).is_some_and(|first| *first);
            if let Some((length, word)) = bytes.get(at..).filter(|_| possible).and_then(|rest| self.at_start(rest)) {
                found.push((at..at + length, word));
                from = at + length;
            }
        }
    }

    /// The name with which a text begins, by its length.
    fn at_start(&self, text: &[u8]) -> Option<(usize, &'static str)> {
        let mut within = text;
        loop {
            // Of the names that a text begins with, the longest is the last one that sorts before it.
            let behind = self.names.partition_point(|(name, _)| name.as_bytes() <= within);
            let (name, word) = self.names.get(behind.checked_sub(1)?)?;
            let common = name.bytes().zip(within).take_while(|(a, b)| a == *b).count();
            let whole = common == name.len();
            if whole && !text.get(common).is_some_and(u8::is_ascii_alphanumeric) {
                return Some((common, word));
            }
            within = within.get(..common - usize::from(whole))?;
        }
    }
}

fn add(names: &mut BTreeMap<String, Kind>, kind: Kind, name: &str) {
    let lower = name.to_ascii_lowercase();
    // What has a shape of its own is found by it, and a pseudonym is no name.
    let mut shaped = Vec::new();
    shapes(name, &mut shaped);
    let pseudonym = lower.rsplit_once('-').is_some_and(|(word, number)| {
        ["ip", "mac", "host", "cluster", "uuid", "email"].contains(&word) && number.bytes().all(|b| b.is_ascii_digit())
    });
    if shaped.is_empty() && !pseudonym {
        // The order in which sources are read must not matter.
        let have = names.entry(lower).or_insert(kind);
        *have = kind.min(*have);
    }
}

/// Everything that is known by its shape, with the word for it.
fn shapes(text: &str, found: &mut Vec<(Range<usize>, &'static str)>) {
    let Some(regex) = SHAPES.as_ref() else { return };
    for one in regex.find_iter(text) {
        let (range, shown) = (one.range(), one.as_str());
        if shown.contains('@') {
            found.push((range, "email"));
        } else if is_mac(shown) && is_free(text, &range) {
            found.push((range, "mac"));
        } else if shown.contains(':') {
            let address = if is_free(text, &range) { six(shown) } else { None };
            found.extend(address.map(|(from, to)| (range.start + from..range.start + to, "ip")));
        } else if shown.contains('-') {
            found.push((range, "uuid"));
        } else if is_private(shown) && is_free(text, &range) {
            found.push((range, "ip"));
        }
    }
}

/// Whether a match is six pairs of digits, and not one of the other things that consist of digits and colons.
fn is_mac(text: &str) -> bool {
    let pair = |pair: &[u8]| matches!(pair, [a, b] if a.is_ascii_hexdigit() && b.is_ascii_hexdigit());
    text.len() == 17 && [b':', b'-'].iter().any(|between| text.as_bytes().split(|b| b == between).all(pair))
}

/// Whether a match is no part of a longer word.
fn is_free(text: &str, range: &Range<usize>) -> bool {
    let word = |b: &u8| b.is_ascii_alphanumeric() || *b == b'_';
    let before = range.start.checked_sub(1).and_then(|n| text.as_bytes().get(n)).is_some_and(word);
    let after = text.as_bytes().get(range.end).is_some_and(word);
    !before && !after
}

/// The part of a run of hexadecimal groups that is an address: without a colon that ends a clause.
fn six(text: &str) -> Option<(usize, usize)> {
    let candidates = [
        (0, text.len()),
        (0, text.trim_end_matches(':').len()),
        (text.len() - text.trim_start_matches(':').len(), text.len()),
    ];
    candidates.into_iter().find(|(from, to)| {
        text.get(*from..*to).and_then(|t| t.parse::<Ipv6Addr>().ok()).is_some_and(|ip| tells(IpAddr::V6(ip)))
    })
}

fn is_private(text: &str) -> bool {
    text.parse::<Ipv4Addr>().is_ok_and(|ip| tells(IpAddr::V4(ip)))
}

/// Whether an address tells something about a network.
fn tells(ip: IpAddr) -> bool {
    let mask = |ip: Ipv4Addr| ip.octets()[0] == 255 || ip.octets()[0] == 0;
    let special = match ip {
        IpAddr::V4(v4) => mask(v4),
        IpAddr::V6(_) => false,
    };
    !(ip.is_loopback() || ip.is_unspecified() || special || KNOWN.contains(&ip))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_value_has_the_same_pseudonym() {
        let mut names = Pseudonyms::default();
        names.learn("Sep 15 08:00:00 acme-pve7 pvedaemon[99]: starting task on 10.5.0.2");
        let shown = names.redact("acme-pve7 at 10.5.0.2:8006 and 10.5.0.3/24, ACME-PVE7 again at 10.5.0.2");
        assert_eq!(shown, "host-1 at ip-1:8006 and ip-2/24, host-1 again at ip-1");
        assert_eq!(names.map().get("host-1"), Some(&"acme-pve7"));
    }

    #[test]
    fn addresses_and_ids_are_found_by_their_shape() {
        let mut names = Pseudonyms::default();
        for (text, shown) in [
            ("fdae:41e4:649b:9303::1 up", "ip-1 up"),
            ("dial [fdae:41e4:649b:9303::1]:50000: refused", "dial [ip-1]:50000: refused"),
            ("net0: virtio=BC:24:11:AA:BB:CC,bridge=vmbr0", "net0: virtio=mac-1,bridge=vmbr0"),
            ("machine 0a1b2c3d-0000-4000-8000-000000000001", "machine uuid-1"),
            ("mail jane.doe@acme.de now", "mail email-1 now"),
            ("node 10.5.0.9: up at 08:00:00", "node ip-2: up at 08:00:00"),
        ] {
            assert_eq!(names.redact(text), shown);
        }
    }

    #[test]
    fn what_identifies_nobody_stays() {
        let mut names = Pseudonyms::default();
        for text in [
            "127.0.0.1:6443 ::1 0.0.0.0 [::]:50000 255.255.255.0 1.1.1.1",
            "v1.2.3.4 and PVE::Storage at 08:00:00, root@pam",
            "ghcr.io/siderolabs/talos:v1.12.8 from https://factory.talos.dev",
        ] {
            names.learn(text);
            assert_eq!(names.redact(text), text);
        }
    }

    #[test]
    fn a_name_is_found_where_a_longer_one_goes_on_differently() {
        let mut names = Pseudonyms::default();
        names.learn("host=acme7 node=acme7-a server=a-x cluster=acme7-a-b");
        let shown = names.redact("acme7-ab, acme7-a-c, Acme7-A-B and xacme7 acme7x; acme7-a");
        assert_eq!(shown, "host-1-ab, host-2-c, cluster-1 and xacme7 acme7x; host-2");
    }

    #[test]
    fn secrets_go_before_names() {
        let mut names = Pseudonyms::default();
        names.learn("host=acme-pve7");
        assert_eq!(names.redact("password=acme-pve7x10.5.0.2 on acme-pve7"), "password=*** on host-1");
        assert_eq!(names.redact("token=root@pam!x=0a1b2c3d-0000-4000-8000-000000000001"), "token=root@pam!x=***");
    }

    #[test]
    fn redacting_twice_changes_nothing() {
        let mut names = Pseudonyms::default();
        names.learn("host=acme-pve7 cluster=acme");
        let once = names.redact("acme-pve7 10.5.0.2 acme-workers-x");
        names.learn(&format!("host={once}"));
        assert_eq!(names.redact(&once), once);
    }
}
