//! Correlations against an oracle: random streams of events, and a naive reading of what each kind of correlation means.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use omnilog::catalog::{Catalogue, Expr, Term, Truth, load};
use omnilog::correlate::{Finding, World};
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
[correlation.chain]
type = "temporal_ordered"
rules = ["a", "b", "c"]
timespan = "10s"
group_by = ["who"]
[correlation.slow]
type = "elapsed"
rules = ["a", "b"]
gt = "8s"
group_by = ["who"]
[correlation.quick]
type = "elapsed"
rules = ["a", "b"]
lt = "8s"
group_by = ["who"]
[correlation.silence]
type = "absence"
rules = ["b"]
anchor = "a"
before = "5s"
after = "10s"
group_by = ["who"]
[correlation.over]
type = "settled"
rules = ["a", "b"]
group_by = ["who"]
[[evidence]]
id = "e"
when = "count or values or together or order or alone or chain or slow or quick or silence or over"
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

/// An event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Moment {
    /// Its kind: 0, 1 or 2.
    kind: usize,
    /// Its second; none where the source has no stamps.
    at: Option<i64>,
    /// Of whom.
    who: usize,
    /// In which source.
    source: usize,
    /// Its place in the source.
    line: usize,
}

/// Events of three sources, the last of which has no stamps; in one source only one event has a second.
fn history(drawn: Vec<(usize, i64, usize, usize)>) -> Vec<Moment> {
    let mut seen = BTreeSet::new();
    let drawn = drawn.into_iter().filter(|(_, at, _, source)| *source == 2 || seen.insert((*source, *at)));
    let moment = |(line, (kind, at, who, source))| Moment { kind, at: (source < 2).then_some(at), who, source, line };
    drawn.enumerate().map(moment).collect()
}

/// What a correlation of the catalogue finds in events.
fn found(name: &str, moments: &[Moment]) -> Finding {
    let kinds = ["first", "second", "third"];
    let line = |m: &Moment| {
        let stamp = m.at.map_or(String::new(), |at| format!("2026-09-15T12:{:02}:{:02}Z ", at / 60, at % 60));
        format!("{stamp}info {} kind of event by w{}\n", kinds[m.kind], m.who)
    };
    let names = ["a.log", "b.log", "undated.log"];
    let text = |source: usize| moments.iter().filter(|m| m.source == source).map(line).collect::<Vec<_>>().concat();
    let texts: Vec<(&str, String)> = (0..3).map(|s| (names[s], text(s))).filter(|(_, t)| !t.is_empty()).collect();
    let scanner = Scanner::new(catalogue(), lab::NOW);
    let analysis = pipeline::read_texts(&scanner, texts.iter().map(|(n, t)| (*n, t.as_str())));
    let index = catalogue().correlations.iter().position(|c| c.name == format!("x/y#{name}")).expect("a correlation");
    World::new(catalogue(), &analysis.sources).find(&Expr::Name(Term::Correlation(index)))
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

/// Whether trouble (kind 0) of these is over (kind 1): events of one source without stamps, in the order of its lines.
fn over(events: &[(usize, usize, usize)]) -> Truth {
    let moment = |(line, (kind, who, source)): (usize, &(usize, usize, usize))| Moment {
        kind: *kind,
        at: (*source < 2).then(|| 500 - i64::try_from(line).unwrap_or(0)),
        who: *who,
        source: *source,
        line,
    };
    found("over", &events.iter().enumerate().map(moment).collect::<Vec<_>>()).truth
}

#[test]
fn trouble_is_settled_where_its_end_stands_further_down() {
    assert_eq!(over(&[(0, 1, 2), (0, 1, 2), (1, 1, 2)]), Truth::True);
    // The order of lines counts, not the times that they tell.
    assert_eq!(over(&[(0, 1, 0), (1, 1, 0)]), Truth::True);
    assert_eq!(over(&[(1, 1, 2), (0, 1, 2)]), Truth::False);
    // It came again after its end.
    assert_eq!(over(&[(0, 1, 2), (1, 1, 2), (0, 1, 2)]), Truth::False);
    // The end of somebody else's trouble, or of that in another source, is not the end of this one.
    assert_eq!(over(&[(0, 1, 2), (1, 2, 2)]), Truth::False);
    assert_eq!(over(&[(0, 1, 2), (0, 2, 2), (1, 1, 2)]), Truth::False);
    assert_eq!(over(&[(0, 1, 2), (0, 2, 2), (1, 1, 2), (1, 2, 2)]), Truth::True);
    assert_eq!(over(&[(0, 1, 2), (1, 1, 1)]), Truth::False);
    assert_eq!(over(&[(1, 1, 2)]), Truth::False);
}

/// A root cause whose trouble (the first kind of event) is put right by the second kind, of the same one, within a minute.
const CURES: &str = r#"
title = "t"
level = "low"
[signature.a]
any = ["first kind of event"]
regex = 'by (?P<who>\w+)'
[signature.nameless]
any = ["first kind of event, it says"]
[signature.b]
any = ["second kind of event"]
regex = 'by (?P<who>\w+)'
[signature.listed]
format = ["qm_config"]
fields = { "qm.lock|exists" = true }
[cure.well]
healthy = ["b"]
of = ["who"]
within = "60s"
says = "it is well"
[[evidence]]
id = "e"
when = "a or nameless or listed"
strength = "conclusive"
"#;

/// Whether trouble in these sources was put right.
fn put_right(sources: &[&str]) -> Truth {
    let dir = Dir::with(&[("x/y.toml", CURES), ("x/scenario.toml", "title = \"x\"\ndescription = \"x\"\n")]);
    let (catalogue, errors) = load::with_folder(dir.path(), true);
    assert!(errors.is_empty(), "{errors:#?}");
    let names: Vec<String> = (0..sources.len()).map(|n| format!("{n}.log")).collect();
    let scanner = Scanner::new(&catalogue, lab::NOW);
    let analysis = pipeline::read_texts(&scanner, names.iter().map(String::as_str).zip(sources.iter().copied()));
    let world = World::new(&catalogue, &analysis.sources);
    let cause = catalogue.causes.iter().find(|c| c.id == "x/y").expect("the cause");
    world.find(&cause.evidence.last().expect("what the cure stands for").when).truth
}

/// Lines of one source: the second of each event (none for lines without stamps), its kind and whose it is.
fn lines(events: &[(Option<i64>, &str, &str)]) -> String {
    let line = |(at, kind, who): &(Option<i64>, &str, &str)| {
        let stamp = at.map_or(String::new(), |at| format!("2026-09-15T12:{:02}:{:02}Z info ", at / 60, at % 60));
        format!("{stamp}{kind} kind of event by {who}\n")
    };
    events.iter().map(line).collect()
}

#[test]
fn trouble_is_put_right_by_what_is_well_later_and_the_same() {
    let both = |events: &[(Option<i64>, &str, &str)]| put_right(&[&lines(events)]);
    let apart = |trouble: &[(Option<i64>, &str, &str)], end: &[(Option<i64>, &str, &str)]| {
        put_right(&[&lines(trouble), &lines(end)])
    };
    assert_eq!(both(&[(Some(10), "first", "w1"), (Some(70), "second", "w1")]), Truth::True);
    assert_eq!(apart(&[(Some(10), "first", "w1")], &[(Some(70), "second", "w1")]), Truth::True);
    // A second too late: it was no trifle.
    assert_eq!(both(&[(Some(10), "first", "w1"), (Some(71), "second", "w1")]), Truth::False);
    assert_eq!(apart(&[(Some(10), "first", "w1")], &[(Some(71), "second", "w1")]), Truth::False);
    // It merely stops, or somebody else is well, or it was well before.
    assert_eq!(both(&[(Some(10), "first", "w1"), (Some(900), "third", "w1")]), Truth::False);
    assert_eq!(both(&[(Some(10), "first", "w1"), (Some(20), "second", "w2")]), Truth::False);
    assert_eq!(both(&[(Some(10), "second", "w1"), (Some(20), "first", "w1")]), Truth::False);
    // It comes back behind the cure, of the same one or of another.
    let again = [(Some(10), "first", "w1"), (Some(20), "second", "w1"), (Some(30), "first", "w1")];
    assert_eq!(both(&again), Truth::False);
    let other = [(Some(10), "first", "w1"), (Some(20), "second", "w1"), (Some(30), "first", "w2")];
    assert_eq!(both(&other), Truth::False);
    assert_eq!(both(&[again.as_slice(), &[(Some(40), "second", "w1")]].concat()), Truth::True);
}

#[test]
fn without_times_the_order_of_lines_tells_what_was_put_right() {
    let first = lines(&[(None, "first", "w1")]);
    let second = lines(&[(None, "second", "w1")]);
    assert_eq!(put_right(&[&format!("{first}{second}")]), Truth::True);
    assert_eq!(put_right(&[&format!("{second}{first}")]), Truth::False);
    // In two sources nothing tells what was first.
    assert_eq!(put_right(&[&first, &second]), Truth::Unknown);
}

#[test]
fn what_names_nobody_is_over_with_what_was_written_at_the_same_time() {
    let named = lines(&[(Some(10), "first", "w1"), (Some(30), "second", "w1")]);
    // Another program writes the same failure down without a name, at once or much later.
    let nameless = |at: i64| format!("2026-09-15T12:00:{at:02}Z info first kind of event, it says\n");
    assert_eq!(put_right(&[&named, &nameless(12)]), Truth::True);
    assert_eq!(put_right(&[&named, &nameless(50)]), Truth::Unknown);
    assert_eq!(put_right(&[&nameless(12), &lines(&[(Some(30), "second", "w1")])]), Truth::Unknown);
    // State that shows the trouble tells what is now, whatever the log says.
    let state = "boot: order=scsi0\nlock: backup\nmemory: 2048\nscsi0: local-lvm:vm-101-disk-0,size=32G\n";
    assert_ne!(put_right(&[&named, state]), Truth::True);
}

/// How far stamps of one moment may be apart, seconds.
fn slack(a: &Moment, b: &Moment) -> i64 {
    if a.source == b.source { 0 } else { 2 }
}

/// Whether the second lies at most ten seconds after the first; never without stamps.
fn soon(first: &Moment, second: &Moment, slack: i64) -> bool {
    first.at.zip(second.at).is_some_and(|(a, b)| b - a <= 10 + slack)
}

/// Whether the second comes after the first: as the source has it, or give or take what clocks differ.
fn after(first: &Moment, second: &Moment) -> bool {
    first.at.zip(second.at).is_some_and(|(a, b)| if first.source == second.source { b > a } else { b >= a - 2 })
}

/// Whether the second does not come before the first.
fn from_on(first: &Moment, second: &Moment) -> bool {
    first.at.zip(second.at).is_some_and(|(a, b)| b >= a)
}

/// What holds for certain on events with a time; else what events without one leave open; else not.
fn verdict(holds: bool, open: bool) -> Truth {
    match (holds, open) {
        (true, _) => Truth::True,
        (false, true) => Truth::Unknown,
        (false, false) => Truth::False,
    }
}

/// Pairs of a first and a second kind of event of one thing, the second soon after the first.
fn pairs(moments: &[Moment]) -> Vec<(Moment, Moment)> {
    let all = moments.iter().flat_map(|a| moments.iter().map(move |b| (*a, *b)));
    let fits = |(a, b): &(Moment, Moment)| {
        a.kind == 0 && b.kind == 1 && a.who == b.who && after(a, b) && soon(a, b, slack(a, b))
    };
    all.filter(fits).collect()
}

/// First and second events of one thing that follow each other with none of these kinds between them.
fn neighbours(moments: &[Moment]) -> Vec<(i64, i64)> {
    let mut found = Vec::new();
    for who in 0..3 {
        let mut own: Vec<&Moment> = moments.iter().filter(|m| m.who == who && m.kind < 2 && m.at.is_some()).collect();
        own.sort_by_key(|m| (m.at, m.source, m.line));
        let follow = |w: &[&Moment]| Some((w[0].at?, w[1].at?)).filter(|_| w[0].kind == 0 && w[1].kind == 1);
        found.extend(own.windows(2).filter_map(follow));
    }
    found
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn correlations_agree_with_a_naive_reading(drawn in prop::collection::vec((0..3usize, 0..40i64, 0..3usize, 0..3usize), 0..16)) {
        let moments = history(drawn);
        let said = |name: &str| found(name, &moments).truth;
        let dated: Vec<Moment> = moments.iter().copied().filter(|m| m.at.is_some()).collect();
        let open = |kinds: &[usize]| moments.iter().any(|m| m.at.is_none() && kinds.contains(&m.kind));
        let seen = |kinds: &[usize]| kinds.iter().all(|k| moments.iter().any(|m| m.kind == *k));
        let near = |from: &Moment, m: &Moment| from_on(from, m) && soon(from, m, 0);

        let dense = |m: &Moment| dated.iter().any(|from| {
            let own = |o: &&Moment| o.kind == 0 && o.who == m.who && near(from, o);
            near(from, m) && dated.iter().filter(own).count() >= 3
        });
        let counted: Vec<&Moment> = dated.iter().filter(|m| m.kind == 0 && dense(m)).collect();
        prop_assert_eq!(said("count"), verdict(!counted.is_empty(), open(&[0])), "count");
        if let Some(who) = counted.iter().map(|m| m.who).min() {
            // All that lie in any such window, not only those of the first one.
            let all = counted.iter().filter(|m| m.who == who).count();
            prop_assert_eq!(found("count", &moments).times, all as u64, "events counted");
        }

        let varied = dated.iter().any(|from| {
            let own = dated.iter().filter(|m| m.kind < 2 && near(from, m));
            own.map(|m| m.who).collect::<BTreeSet<_>>().len() >= 3
        });
        prop_assert_eq!(said("values"), verdict(varied, open(&[0, 1])), "values");

        let together = dated.iter().any(|from| (0..3).all(|kind| dated.iter().any(|m| {
            m.kind == kind && m.who == from.who && from_on(from, m) && soon(from, m, slack(from, m))
        })));
        prop_assert_eq!(said("together"), verdict(together, seen(&[0, 1, 2]) && open(&[0, 1, 2])), "together");

        let is_open = seen(&[0, 1]) && open(&[0, 1]);
        prop_assert_eq!(said("order"), verdict(!pairs(&moments).is_empty(), is_open), "order");

        let undisturbed = |(a, b): &(Moment, Moment)| {
            !dated.iter().any(|m| m.kind == 2 && m.who == a.who && a.at < m.at && m.at < b.at)
        };
        let (doubtful, sure): (Vec<_>, Vec<_>) = pairs(&moments).into_iter().filter(undisturbed)
            .partition(|(a, _)| moments.iter().any(|m| m.kind == 2 && m.at.is_none() && m.who == a.who));
        prop_assert_eq!(said("alone"), verdict(!sure.is_empty(), is_open || !doubtful.is_empty()), "alone");

        let chain = pairs(&moments).iter().any(|(a, b)| dated.iter().any(|c| {
            c.kind == 2 && c.who == a.who && after(b, c) && soon(a, c, slack(a, c))
        }));
        prop_assert_eq!(said("chain"), verdict(chain, seen(&[0, 1, 2]) && open(&[0, 1, 2])), "chain");

        let took = neighbours(&moments);
        let unmeasured = took.is_empty() || open(&[0, 1]);
        prop_assert_eq!(said("slow"), verdict(took.iter().any(|(a, b)| b - a > 8), unmeasured), "slow");
        prop_assert_eq!(said("quick"), verdict(took.iter().any(|(a, b)| b - a < 8), unmeasured), "quick");
        let slow = took.iter().filter(|(a, b)| b - a > 8).count();
        prop_assert!(found("slow", &moments).times <= slow as u64, "slow is told too often");

        let anchors: Vec<&Moment> = moments.iter().filter(|m| m.kind == 0).collect();
        let around = |a: &Moment| moments.iter().copied().filter(|m| m.kind == 1 && m.who == a.who).map(|m| {
            Some((-5 - slack(a, &m)..=10 + slack(a, &m)).contains(&(m.at? - a.at?)))
        }).collect::<Vec<Option<bool>>>();
        let silent = anchors.iter().any(|a| a.at.is_some() && around(a).iter().all(|near| *near == Some(false)));
        let undecided = anchors.iter().any(|a| a.at.is_none() || (around(a).contains(&None) && !around(a).contains(&Some(true))));
        prop_assert_eq!(said("silence"), verdict(silent, undecided), "silence");
    }
}

/// Events of one source and thing at these seconds.
fn stream(events: &[(usize, i64)]) -> Vec<Moment> {
    history(events.iter().map(|(kind, at)| (*kind, *at, 0, 0)).collect())
}

#[test]
fn what_comes_about_again_is_found_again() {
    // A second kind follows a first one three times, far apart; a first one alone changes nothing.
    let again = stream(&[(0, 1), (1, 4), (0, 20), (0, 21), (1, 25), (0, 50), (1, 58), (0, 90)]);
    let order = found("order", &again);
    assert_eq!((order.truth, order.times, order.hits.len()), (Truth::True, 3, 6));
    assert_eq!(found("quick", &again).times, 2, "3 and 4 seconds; 8 are not less than 8");
    let dense = stream(&[(0, 1), (0, 4), (0, 8), (0, 30), (0, 50), (0, 52), (0, 55), (0, 60)]);
    assert_eq!(found("count", &dense).times, 7, "three in the first window, four in the second");
    let silent = stream(&[(0, 1), (1, 4), (0, 30), (0, 60)]);
    assert_eq!(found("silence", &silent).times, 2);
}

#[test]
fn what_follows_is_found_although_an_earlier_line_leads_nowhere() {
    // In the first source the third kind stands before the second one; the second source has another, which clocks that
    // differ by two seconds allow.
    let moment = |kind, at, source, line| Moment { kind, at: Some(at), who: 0, source, line };
    let moments = [moment(0, 5, 0, 0), moment(2, 9, 1, 0), moment(1, 10, 1, 1), moment(1, 11, 0, 1)];
    assert_eq!(found("chain", &moments).truth, Truth::True);
}
