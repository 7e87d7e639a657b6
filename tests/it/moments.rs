//! Correlations against an oracle: random streams of events, and a naive reading of what each kind of correlation means.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use omnilog::catalog::{Catalogue, Expr, Term, Truth, load};
use omnilog::correlate::World;
use omnilog::pipeline;
use omnilog::scan::Scanner;
use proptest::prelude::*;

use crate::lab;
use crate::support::Dir;

/// Three kinds of events, and correlations over them; spans are in seconds.
const RULES: &str = r#"
title = "t"
level = "low"
[signature.a]
any = ["first kind of event"]
regex = 'by (?P<who>\w+)'
[signature.b]
any = ["second kind of event"]
regex = 'by (?P<who>\w+)'
[signature.c]
any = ["third kind of event"]
regex = 'by (?P<who>\w+)'
[correlation.count]
type = "event_count"
rules = ["a"]
gte = 3
timespan = "10s"
group_by = ["who"]
[correlation.values]
type = "value_count"
rules = ["a", "b"]
field = "who"
gte = 3
timespan = "10s"
[correlation.together]
type = "temporal"
rules = ["a", "b", "c"]
timespan = "10s"
group_by = ["who"]
[correlation.order]
type = "temporal_ordered"
rules = ["a", "b"]
timespan = "10s"
group_by = ["who"]
[correlation.alone]
type = "temporal_ordered"
rules = ["a", "b"]
timespan = "10s"
group_by = ["who"]
without = ["c"]
[correlation.silence]
type = "absence"
rules = ["b"]
anchor = "a"
before = "5s"
after = "10s"
group_by = ["who"]
[[evidence]]
id = "e"
when = "count or values or together or order or alone or silence"
strength = "weak"
"#;

fn catalogue() -> &'static Catalogue {
    static CATALOGUE: OnceLock<Catalogue> = OnceLock::new();
    CATALOGUE.get_or_init(|| {
        let dir = Dir::with(&[("x/y.toml", RULES), ("x/scenario.toml", "title = \"x\"\ndescription = \"x\"\n")]);
        let (catalogue, errors) = load::with_folder(dir.path(), true);
        assert!(errors.is_empty(), "{errors:#?}");
        catalogue
    })
}

/// An event: its kind, its second, who.
type Moment = (usize, i64, usize);

/// What a correlation of the catalogue says of events.
fn said(name: &str, moments: &[Moment]) -> Truth {
    let kinds = ["first", "second", "third"];
    let line = |(kind, at, who): &Moment| {
        format!("2026-09-15T12:{:02}:{:02}Z info {} kind of event by w{who}\n", at / 60, at % 60, kinds[*kind])
    };
    let text: String = moments.iter().map(line).collect::<Vec<_>>().concat();
    let scanner = Scanner::new(catalogue(), lab::NOW);
    let analysis = pipeline::read_texts(&scanner, [("events.log", text.as_str())]);
    let index = catalogue().correlations.iter().position(|c| c.name == format!("x/y#{name}")).expect("a correlation");
    World::new(catalogue(), &analysis.sources).find(&Expr::Name(Term::Correlation(index))).truth
}

/// A root cause whose text returns as long as it lasts.
const PASSES: &str = r#"
title = "t"
level = "low"
passes = "60s"
[signature.a]
any = ["first kind of event"]
[[evidence]]
id = "e"
when = "a"
strength = "conclusive"
"#;

/// Whether events at these seconds, in a log that ends at `end`, speak against a fault that still lasts.
fn passed(events: &[i64], end: i64) -> Truth {
    let dir = Dir::with(&[("x/y.toml", PASSES), ("x/scenario.toml", "title = \"x\"\ndescription = \"x\"\n")]);
    let (catalogue, errors) = load::with_folder(dir.path(), true);
    assert!(errors.is_empty(), "{errors:#?}");
    let line = |at: i64| {
        let kind = if events.contains(&at) { "first" } else { "some other" };
        format!("2026-09-15T12:{:02}:{:02}Z info {kind} kind of event\n", at / 60, at % 60)
    };
    let text: String = (0..=end).map(line).collect();
    let scanner = Scanner::new(&catalogue, lab::NOW);
    let analysis = pipeline::read_texts(&scanner, [("events.log", text.as_str())]);
    let world = World::new(&catalogue, &analysis.sources);
    let cause = catalogue.causes.iter().find(|c| c.id == "x/y").expect("the cause");
    world.find(&cause.evidence.last().expect("what `passes` stands for").when).truth
}

#[test]
fn short_trouble_that_does_not_come_back_has_passed() {
    // Within a minute, and a minute without it.
    assert_eq!(passed(&[10, 70], 130), Truth::True);
    // The log ends a second before that is sure.
    assert_eq!(passed(&[10, 70], 129), Truth::Unknown);
    // A second longer than a minute: it lasted.
    assert_eq!(passed(&[10, 40, 71], 600), Truth::False);
    // It comes back within a minute each time: it lasts all the while.
    assert_eq!(passed(&[10, 70, 130, 190], 900), Truth::False);
    // Two short episodes far apart pass when there is room for both.
    assert_eq!(passed(&[10, 200], 300), Truth::True);
    assert_eq!(passed(&[10, 200, 400], 465), Truth::True);
    assert_eq!(passed(&[10, 90, 170, 250], 320), Truth::Unknown);
    assert_eq!(passed(&[], 300), Truth::Unknown);
}

fn truth(holds: bool) -> Truth {
    if holds { Truth::True } else { Truth::False }
}

/// Events by who.
fn groups(moments: &[Moment]) -> BTreeMap<usize, Vec<Moment>> {
    let mut groups: BTreeMap<usize, Vec<Moment>> = BTreeMap::new();
    moments.iter().for_each(|m| groups.entry(m.2).or_default().push(*m));
    groups
}

/// Pairs of a first and a second event at most ten seconds later, of one group.
fn pairs(moments: &[Moment]) -> Vec<(Moment, Moment)> {
    let all = moments.iter().flat_map(|a| moments.iter().map(move |b| (*a, *b)));
    all.filter(|(a, b)| a.0 == 0 && b.0 == 1 && a.2 == b.2 && (0..=10).contains(&(b.1 - a.1))).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn correlations_agree_with_a_naive_reading(mut moments in prop::collection::vec((0..3usize, 0..60i64, 0..4usize), 0..14)) {
        // At one second, what stands first came first.
        moments.dedup_by_key(|m| m.1);
        let mut seen = std::collections::BTreeSet::new();
        moments.retain(|m| seen.insert(m.1));

        let dense = groups(&moments).values().any(|g| g.iter().any(|from| {
            g.iter().filter(|m| m.0 == 0 && (0..=10).contains(&(m.1 - from.1))).count() >= 3
        }));
        prop_assert_eq!(said("count", &moments), truth(dense), "count");

        let varied = moments.iter().any(|from| {
            let near = moments.iter().filter(|m| m.0 < 2 && (0..=10).contains(&(m.1 - from.1)));
            near.map(|m| m.2).collect::<std::collections::BTreeSet<_>>().len() >= 3
        });
        prop_assert_eq!(said("values", &moments), truth(varied), "values");

        let together = groups(&moments).values().any(|g| g.iter().any(|from| (0..3).all(|kind| {
            g.iter().any(|m| m.0 == kind && (0..=10).contains(&(m.1 - from.1)))
        })));
        prop_assert_eq!(said("together", &moments), truth(together), "together");

        prop_assert_eq!(said("order", &moments), truth(!pairs(&moments).is_empty()), "order");
        let undisturbed = pairs(&moments).iter().any(|(a, b)| !moments.iter().any(|m| m.0 == 2 && m.2 == a.2 && a.1 < m.1 && m.1 < b.1));
        prop_assert_eq!(said("alone", &moments), truth(undisturbed), "alone");

        let silent = moments.iter().filter(|m| m.0 == 0).any(|a| {
            !moments.iter().any(|m| m.0 == 1 && m.2 == a.2 && (-5..=10).contains(&(m.1 - a.1)))
        });
        prop_assert_eq!(said("silence", &moments), truth(silent), "silence");
    }
}
