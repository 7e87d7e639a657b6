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
use crate::lab::{Ranking, best, catalogue, scanner};
use crate::support::{Dir, files, none, omnilog, zip};

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

/// Incidents, joins among them, and bundles of several sources.
fn several() -> Vec<(PathBuf, Expected, Analysis)> {
    let bundles = crate::bundles::trees().into_iter().map(|(tree, id)| (tree, Expected::first(id)));
    let read = incidents().into_iter().chain(bundles).filter_map(|(folder, expected)| {
        let analysis = read(&input(&folder));
        (analysis.sources.len() > 1 && !expected.id.is_empty()).then_some((folder, expected, analysis))
    });
    let found: Vec<_> = read.collect();
    let of = |part: &str| found.iter().filter(|(f, ..)| f.to_string_lossy().contains(part)).count();
    assert!(of("/join-") >= 10 && of("/bundles/") >= 4, "only {} incidents have several sources", found.len());
    found
}

/// What a root cause may bring about or look like by the catalogue, itself included: naming that is less, but not wrong.
fn consequences(id: &str) -> BTreeSet<String> {
    let mut open = vec![catalogue().find(id).expect("a known root cause")];
    let mut found = BTreeSet::new();
    while let Some(next) = open.pop() {
        if found.insert(next) {
            open.extend(catalogue().causes[next].explains.iter().chain(&catalogue().causes[next].mimics));
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
    // Seconds, and milliseconds or microseconds that begin with them.
    let keys = r#"("ts":|ts=|seconds: |ctime=|_TIMESTAMP"\s?:\s?"|"(?:start|end)time"\s?:\s?)(\d{10})"#;
    let epoch = Regex::new(keys).expect("a regex");
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
        ("{\"ts\":1789473600123.4}", "{\"ts\":1789474200123.4}"),
        ("meta: creation-qemu=9.2.0,ctime=1789473600", "meta: creation-qemu=9.2.0,ctime=1789474200"),
        ("\"__REALTIME_TIMESTAMP\" : \"1789473600123456\"", "\"__REALTIME_TIMESTAMP\" : \"1789474200123456\""),
    ] {
        assert_eq!(shifted(text, 600), moved);
    }
}

/// The tasks of a Proxmox host whose clock is so many seconds ahead: their UPIDs, wherever they are told, and their ends.
fn later_tasks(text: &str, host: &str, seconds: i64) -> String {
    let later = |hex: &str| format!("{:08X}", i64::from_str_radix(hex, 16).expect("digits") + seconds);
    let pattern = format!(r"(UPID:{}:[0-9A-F]{{8}}:[0-9A-F]{{8,9}}:)([0-9A-F]{{8}})(:)", regex::escape(host));
    let starts = Regex::new(&pattern).expect("a regex");
    let text = starts.replace_all(text, |c: &Captures<'_>| format!("{}{}{}", &c[1], later(&c[2]), &c[3]));
    let pattern = format!(r"(?m)^(UPID:{}:\S+ (?:[01] )?)([0-9A-F]{{8}})( |$)", regex::escape(host));
    let ends = Regex::new(&pattern).expect("a regex");
    ends.replace_all(&text, |c: &Captures<'_>| format!("{}{}{}", &c[1], later(&c[2]), &c[3])).into_owned()
}

/// A file of an incident: its name inside, and its text where it is one.
struct Part {
    name: String,
    bytes: Vec<u8>,
}

impl Part {
    fn text(&self) -> Option<&str> {
        std::str::from_utf8(&self.bytes).ok()
    }

    /// Whether a Proxmox host wrote it: it stands in a folder of its name, is the log of a task of it, or its journal.
    fn is_of(&self, host: &str) -> bool {
        let named = self.name.split('/').any(|part| part == host || part.starts_with(&format!("UPID:{host}:")));
        let line = Regex::new(&format!(r"(?m)^[A-Z][a-z]{{2}} [ \d]\d \d\d:\d\d:\d\d {} ", regex::escape(host)));
        named || self.text().is_some_and(|text| line.expect("a regex").is_match(text))
    }
}

/// Incidents and bundles of several sources: a name, the expected root cause, and the files.
fn stories() -> Vec<(String, String, Vec<Part>)> {
    let part = |path: &Path, root: &Path| Part {
        name: path.strip_prefix(root).expect("inside").to_str().expect("UTF-8").to_owned(),
        bytes: std::fs::read(path).expect("readable"),
    };
    let mut stories = Vec::new();
    for (folder, expected) in incidents() {
        let all = input(&folder).into_iter().flat_map(|p| if p.is_dir() { files(&p) } else { vec![p] });
        stories.push((folder.display().to_string(), expected.id, all.map(|p| part(&p, &folder)).collect()));
    }
    for (tree, id) in crate::bundles::trees() {
        stories.push((tree.display().to_string(), id, files(&tree).iter().map(|p| part(p, &tree)).collect()));
    }
    stories.retain(|(_, id, parts): &(_, String, Vec<Part>)| !id.is_empty() && parts.len() > 1);
    assert!(stories.len() > 40, "only {} stories have several sources", stories.len());
    stories
}

/// The files with the clock of one of them off: only its own stamps change.
fn with_one_off(parts: &[Part], off: usize, seconds: i64) -> Option<Vec<(String, Vec<u8>)>> {
    let own = parts.get(off)?;
    // What a task wrote is told by the clock of its host: see `with_host_off`.
    let text = own.text().filter(|_| !own.name.contains("UPID:"))?;
    let moved = shifted(text, seconds);
    let bytes = |(at, p): (usize, &Part)| if at == off { moved.clone().into_bytes() } else { p.bytes.clone() };
    (moved != text).then(|| parts.iter().enumerate().map(|(at, p)| (p.name.clone(), bytes((at, p)))).collect())
}

/// The files with the clock of a Proxmox host off: all that it wrote, the starts in its UPIDs wherever they are told, the
/// names of its task logs.
fn with_host_off(parts: &[Part], host: &str, seconds: i64) -> Vec<(String, Vec<u8>)> {
    let moved = |part: &Part| {
        let Some(text) = part.text() else { return (part.name.clone(), part.bytes.clone()) };
        let own = if part.is_of(host) { shifted(text, seconds) } else { text.to_owned() };
        (later_tasks(&part.name, host, seconds), later_tasks(&own, host, seconds).into_bytes())
    };
    parts.iter().map(moved).collect()
}

/// Proxmox hosts that started tasks.
fn hosts(parts: &[Part]) -> BTreeSet<String> {
    let upid = Regex::new(r"UPID:([\w-]+):[0-9A-F]{8}:").expect("a regex");
    let told = |part: &Part| {
        let texts = [part.name.as_str(), part.text().unwrap_or_default()];
        texts.into_iter().flat_map(|t| upid.captures_iter(t).map(|c| c[1].to_owned())).collect::<Vec<_>>()
    };
    parts.iter().flat_map(told).collect()
}

#[test]
fn tasks_of_a_host_whose_clock_is_off_are_told_later() {
    let index = "UPID:pve1:0001A2B3:00F1E2D3:6AA7E3C0:qmstart:104:root@pam: 6AA7E3C3 OK\n";
    let moved = later_tasks(index, "pve1", 600);
    assert_eq!(moved, "UPID:pve1:0001A2B3:00F1E2D3:6AA7E618:qmstart:104:root@pam: 6AA7E61B OK\n");
    assert_eq!(later_tasks(index, "pve2", 600), index);
}

/// What comes first when the files are read as they are now, as a folder and as an archive.
fn first_places(parts: &[(String, Vec<u8>)], archived: bool) -> Ranking {
    let dir = Dir::new();
    let path = if archived {
        let members: Vec<(&str, &[u8])> = parts.iter().map(|(n, b)| (n.as_str(), b.as_slice())).collect();
        dir.write("ticket.zip", &zip(&members))
    } else {
        parts.iter().for_each(|(name, bytes)| drop(dir.write(name, bytes)));
        dir.path().to_owned()
    };
    ranked(&read(&[path])).0
}

#[test]
fn a_clock_that_is_ten_minutes_off_changes_no_first_place() {
    let mut complaints = Vec::new();
    let (mut files, mut named) = (0, 0);
    for (number, (story, id, parts)) in stories().into_iter().enumerate() {
        let mut judge = |what: &str, seconds: i64, moved: &[(String, Vec<u8>)]| {
            let ranking = first_places(moved, number % 2 == 1);
            if ranking.first().is_none_or(|(first, _)| *first != id) {
                complaints.push(format!("{story}: {what} {seconds} s: {} instead of {id}", best(&ranking)));
            }
        };
        for seconds in [-600, 600] {
            for (off, part) in parts.iter().enumerate() {
                if let Some(moved) = with_one_off(&parts, off, seconds) {
                    judge(&part.name, seconds, &moved);
                    files += 1;
                }
            }
            for host in hosts(&parts) {
                judge(&format!("all of {host}"), seconds, &with_host_off(&parts, &host, seconds));
                named += 1;
            }
        }
    }
    assert!(files > 200 && named > 40, "{files} files and {named} hosts were moved");
    none(&complaints);
}

/// What a report says of when things were: everything that is told on one clock.
fn moments(report: &serde_json::Value) -> Vec<String> {
    let lists = |value: &serde_json::Value| value.as_array().cloned().unwrap_or_default();
    let first = &report["root_causes"][0];
    let mut moments = vec![&first["first_seen"], &first["last_seen"], &report["coverage"]["first"]];
    moments.push(&report["coverage"]["last"]);
    let mut texts: Vec<String> = moments.into_iter().map(|m| m.as_str().unwrap_or_default().to_owned()).collect();
    for (list, keys) in [
        (&report["inputs"], ["first", "last"]),
        (&first["evidence"], ["moment", "moment"]),
        (&report["timeline"], ["timestamp", "last"]),
        (&report["unexplained"]["clusters"], ["first", "last"]),
    ] {
        texts.extend(lists(list).iter().flat_map(|e| keys.map(|k| e[k].as_str().unwrap_or_default().to_owned())));
    }
    texts.retain(|t| !t.is_empty());
    texts.sort();
    texts
}

/// How many seconds two reports are apart at most, where they tell of the same moments.
fn apart(a: &[String], b: &[String]) -> Option<i64> {
    let second = |text: &String| chrono::DateTime::parse_from_rfc3339(text).expect("a stamp").timestamp();
    let differences = a.iter().zip(b).map(|(a, b)| (second(a) - second(b)).abs());
    (a.len() == b.len()).then(|| differences.max().unwrap_or(0))
}

#[test]
fn where_a_clock_is_known_to_be_off_no_time_in_the_report_is() {
    let mut compared = 0;
    for (incident, off) in [
        ("join-a-stopped-lock", "provider.log"),
        ("join-a-stopped-kvm", "provider.log"),
        ("join-i-worker-blocked", "pve/pve1/journal.log"),
    ] {
        let folder = crate::support::samples("incidents").join(incident).join("input");
        let right = omnilog([&folder]).report();
        for seconds in [-600, 600] {
            let dir = Dir::new();
            for path in files(&folder) {
                let bytes = std::fs::read(&path).expect("readable");
                let name = path.strip_prefix(&folder).expect("inside").to_str().expect("UTF-8");
                let text = String::from_utf8_lossy(&bytes);
                dir.write(name, if name == off { shifted(&text, seconds) } else { text.into_owned() }.as_bytes());
            }
            let wrong = omnilog([dir.path()]).report();
            let input =
                wrong["inputs"].as_array().and_then(|i| i.iter().find(|i| i["source"].to_string().contains(off)));
            let ahead = input.and_then(|i| i["clock"]["ahead_seconds"].as_f64()).expect("a clock that is compared");
            assert!((ahead - seconds as f64).abs() < 20.0, "{incident}: {ahead} instead of {seconds}");
            let apart = apart(&moments(&right), &moments(&wrong));
            assert!(apart.is_some_and(|s| s < 20), "{incident} {seconds} s: {apart:?}\n{wrong:#}");
            compared += 1;
        }
    }
    assert_eq!(compared, 6);
}
