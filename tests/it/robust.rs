//! What an answer must withstand: a missing source, sources in one file, another order, a clock that is off.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use chrono::{Datelike, Duration, NaiveDate, NaiveDateTime};
use omnilog::correlate::World;
use omnilog::input::Options;
use omnilog::pipeline::{self, Analysis};
use omnilog::rank;
use omnilog::scan::Zone;
use regex::{Captures, Regex};

use crate::incidents::{Expected, incidents, input};
use crate::lab::{self, Ranking, best, catalogue, scanner};
use crate::support::{Dir, files, none};

/// An answer that is at least so sure is acted on without a second look.
const CONFIDENT: f64 = 0.8;
/// An answer that is at least so sure is shown as the answer.
const NAMED: f64 = 0.5;

/// Effects that may stand first with confidence when the source that tells their cause is missing: each says truly what is
/// broken in what is left, and its remedies do no harm where the cause lies deeper. The incident, a part of the missing
/// source's name, the effect, and why it is right.
const TRUE_EFFECTS: &[(&str, &str, &str, &str)] = &[
    (
        "proxmox-auth--auth-lockout",
        "fail2ban.log",
        "scaling-stalled/provider-connection-lost",
        "the ban stands nowhere else; that connections are refused is what is left",
    ),
    (
        "proxmox-storage--storage-plugin-not-loaded",
        "journal.log",
        "proxmox-storage/storage-unavailable",
        "why the storage is not there stands only in the journal; that it is not stands in the tasks",
    ),
];

fn read(paths: &[PathBuf]) -> Analysis {
    pipeline::read_paths(scanner(), paths, &Options::default())
}

/// The root causes, and which of them each one explains.
fn ranked(analysis: &Analysis) -> (Ranking, BTreeSet<String>) {
    let world = World::new(catalogue(), &analysis.sources);
    let id = |cause: usize| catalogue().causes[cause].id.clone();
    let candidates = rank::rank(&world);
    let effects = candidates.iter().flat_map(|c| c.explains.iter().map(|e| id(*e))).collect();
    (candidates.iter().map(|c| (id(c.cause), c.confidence)).collect(), effects)
}

/// Incidents of several sources.
fn several() -> Vec<(PathBuf, Expected, Analysis)> {
    let read = incidents().into_iter().filter_map(|(folder, expected)| {
        let analysis = read(&input(&folder));
        (analysis.sources.len() > 1 && !expected.id.is_empty()).then_some((folder, expected, analysis))
    });
    let found: Vec<_> = read.collect();
    assert!(found.len() > 10, "only {} incidents have several sources", found.len());
    found
}

/// What a root cause may bring about by the catalogue, itself included: naming an effect is less, but not wrong.
fn consequences(id: &str) -> BTreeSet<String> {
    let mut open = vec![catalogue().find(id).expect("a known root cause")];
    let mut found = BTreeSet::new();
    while let Some(next) = open.pop() {
        if found.insert(next) {
            open.extend(&catalogue().causes[next].explains);
        }
    }
    found.into_iter().map(|cause| catalogue().causes[cause].id.clone()).collect()
}

/// What is wrong with the answer when a source is missing: nothing, when it is hedged or right.
fn flip(folder: &str, expected: &Expected, missing: &str, whole: &Ranking, ranking: &Ranking) -> Option<String> {
    let (id, sure) = ranking.first().filter(|(id, sure)| *id != expected.id && *sure >= NAMED)?;
    // A fault of its own that the whole names beside the expected one.
    let beside = expected.includes.contains(id);
    let effect = consequences(&expected.id).contains(id);
    let hedged = effect && *sure < CONFIDENT;
    let listed = TRUE_EFFECTS.iter().any(|(f, m, e, _)| folder.ends_with(f) && missing.contains(m) && e == id);
    let before = whole.iter().find(|(i, _)| i == id).map_or(0.0, |(_, sure)| *sure);
    (!(beside || hedged || effect && listed))
        .then(|| format!("{folder} without {missing}: {id} {sure} (effect: {effect}, {before} in the whole)"))
}

#[test]
fn without_any_one_source_no_wrong_answer_is_named_and_no_effect_is_confident() {
    let mut complaints = Vec::new();
    for (folder, expected, mut analysis) in several() {
        let folder = folder.display().to_string();
        let (whole, _) = ranked(&analysis);
        for index in 0..analysis.sources.len() {
            let left_out = analysis.sources.remove(index);
            analysis.sources.iter_mut().for_each(|s| s.settle(Zone::default()));
            analysis.set_times(catalogue());
            let (ranking, _) = ranked(&analysis);
            complaints.extend(flip(&folder, &expected, &left_out.context.label, &whole, &ranking));
            analysis.sources.insert(index, left_out);
        }
    }
    none(&complaints);
}

#[test]
fn the_order_of_arguments_does_not_matter() {
    let mut complaints = Vec::new();
    for (folder, _, analysis) in several() {
        let mut paths: Vec<PathBuf> =
            input(&folder).iter().flat_map(|p| if p.is_dir() { files(p) } else { vec![p.clone()] }).collect();
        paths.reverse();
        let (forth, back) = (ranked(&analysis).0, ranked(&read(&paths)).0);
        // Handed over one by one, a file has a shorter path, which may tell less.
        if forth.first().map(|(id, _)| id) != back.first().map(|(id, _)| id) {
            complaints.push(format!("{}: {} instead of {}", folder.display(), best(&back), best(&forth)));
        }
    }
    none(&complaints);
}

/// Whether what a file means stands in its name: a task, a VM, an archive.
fn needs_its_name(path: &Path) -> bool {
    let name = path.file_name().and_then(|n| n.to_str()).unwrap_or_default();
    let archive = ["gz", "zip", "tar", "zst", "xz", "age"].iter().any(|e| name.ends_with(e));
    archive || name.starts_with("UPID:") || name.ends_with(".conf") || std::fs::read_to_string(path).is_err()
}

#[test]
fn logs_in_one_file_give_the_same_answer() {
    let mut complaints = Vec::new();
    for (folder, expected, _) in several() {
        let all: Vec<PathBuf> =
            input(&folder).iter().flat_map(|p| if p.is_dir() { files(p) } else { vec![p.clone()] }).collect();
        let (apart, joined): (Vec<PathBuf>, Vec<PathBuf>) = all.into_iter().partition(|p| needs_its_name(p));
        let texts: Vec<String> = joined.iter().map(|p| std::fs::read_to_string(p).expect("text")).collect();
        let dir = Dir::new();
        let mut paths = apart;
        paths.push(dir.write("all.log", texts.join("\n").as_bytes()));
        let ranking = ranked(&read(&paths)).0;
        if ranking.first().is_none_or(|(id, _)| *id != expected.id) {
            complaints.push(format!("{}: {} instead of {}", folder.display(), best(&ranking), expected.id));
        }
    }
    none(&complaints);
}

/// A text whose stamps lie so many seconds later.
fn shifted(text: &str, seconds: i64) -> String {
    let by = Duration::seconds(seconds);
    let parse = |text: &str, format: &str| NaiveDateTime::parse_from_str(text, format).ok();
    let replace = |text: &str, pattern: &str, format: &'static str| {
        let regex = Regex::new(pattern).expect("a regex");
        let moved = |c: &Captures<'_>| match parse(&c[0], format) {
            Some(time) => (time + by).format(format).to_string(),
            None => c[0].to_owned(),
        };
        regex.replace_all(text, moved).into_owned()
    };
    let mut text = replace(text, r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", "%Y-%m-%dT%H:%M:%S");
    text = replace(&text, r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", "%Y-%m-%d %H:%M:%S");
    text = replace(&text, r"\d{4}/\d\d/\d\d \d\d:\d\d:\d\d", "%Y/%m/%d %H:%M:%S");
    text = replace(&text, r"\d\d/\d\d/\d{4}:\d\d:\d\d:\d\d", "%d/%m/%Y:%H:%M:%S");
    let epoch = Regex::new(r#"("ts":|ts=)(\d{10})"#).expect("a regex");
    text = epoch
        .replace_all(&text, |c: &Captures<'_>| format!("{}{}", &c[1], c[2].parse::<i64>().expect("digits") + seconds))
        .into_owned();
    let journal = Regex::new(r"(?m)^([A-Z][a-z]{2} [ \d]\d) (\d\d:\d\d:\d\d) ").expect("a regex");
    let text = journal.replace_all(&text, |c: &Captures<'_>| {
        match parse(&format!("2026 {} {}", &c[1], &c[2]), "%Y %b %e %H:%M:%S") {
            Some(time) => (time + by).format("%b %e %H:%M:%S ").to_string(),
            None => c[0].to_owned(),
        }
    });
    let klog = Regex::new(r"(?m)^(\S+: )?([IWEF])(\d\d)(\d\d) (\d\d:\d\d:\d\d)").expect("a regex");
    let moved = klog.replace_all(&text, |c: &Captures<'_>| {
        match parse(&format!("2026-{}-{} {}", &c[3], &c[4], &c[5]), "%Y-%m-%d %H:%M:%S") {
            Some(time) => {
                let time = time + by;
                let prefix = c.get(1).map_or("", |m| m.as_str());
                format!("{prefix}{}{:02}{:02} {}", &c[2], time.month(), time.day(), time.format("%H:%M:%S"))
            }
            None => c[0].to_owned(),
        }
    });
    moved.into_owned()
}

#[test]
fn stamps_of_every_kind_are_shifted_by_these_tests() {
    assert!(NaiveDate::from_ymd_opt(2026, 9, 15).is_some());
    for (text, moved) in [
        ("{\"ts\":1789473600.25}", "{\"ts\":1789474200.25}"),
        ("2026-09-15T23:55:00Z x", "2026-09-16T00:05:00Z x"),
        ("Sep 15 12:00:00 pve1 x", "Sep 15 12:10:00 pve1 x"),
        ("[15/09/2026:12:00:00 +0200]", "[15/09/2026:12:10:00 +0200]"),
        ("E0915 12:00:00.1 1 x", "E0915 12:10:00.1 1 x"),
    ] {
        assert_eq!(shifted(text, 600), moved);
    }
}

#[test]
fn a_clock_that_is_ten_minutes_off_changes_no_first_place() {
    let mut complaints = Vec::new();
    for (folder, expected, _) in several() {
        let all: Vec<PathBuf> =
            input(&folder).iter().flat_map(|p| if p.is_dir() { files(p) } else { vec![p.clone()] }).collect();
        for off in &all {
            // The name of a task tells its time on the clock of Proxmox itself, and archives hold many sources.
            let Some(text) = std::fs::read_to_string(off).ok().filter(|_| !needs_its_name(off)) else { continue };
            for seconds in [-600, 600] {
                let moved = shifted(&text, seconds);
                if moved == text {
                    continue;
                }
                let dir = Dir::new();
                for path in &all {
                    let name = path.strip_prefix(&folder).expect("inside").to_str().expect("UTF-8");
                    let bytes =
                        if path == off { moved.clone().into_bytes() } else { std::fs::read(path).expect("readable") };
                    dir.write(name, &bytes);
                }
                let ranking = ranked(&read(&[dir.path().to_owned()])).0;
                if ranking.first().is_none_or(|(id, _)| *id != expected.id) {
                    complaints.push(format!(
                        "{} {seconds} s: {} instead of {}",
                        off.display(),
                        lab::best(&ranking),
                        expected.id
                    ));
                }
            }
        }
    }
    none(&complaints);
}
