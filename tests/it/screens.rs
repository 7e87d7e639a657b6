//! The text report as people see it: snapshots at several widths, the first screen of incidents, themes.
//!
//! `OMNILOG_WRITE_SNAPSHOTS=1` rewrites `tests/snapshots`; look at the difference before it is kept.

use unicode_width::UnicodeWidthStr;

use crate::support::{FULL, none, omnilog, root};

/// Incidents that are kept as snapshots.
const SNAPSHOTS: &[&str] = &["first-run", "node-join--join-token-invalid", "etcd-unhealthy--slow-disk"];

/// Widths of panes and terminals.
const WIDTHS: &[usize] = &[60, 80, 120, 160];

/// Incidents of different kinds, each to be answered on the first screen.
const ANSWERED: &[&str] = &[
    "first-run",
    "certificates--certificate-expired",
    "node-join--join-token-invalid",
    "etcd-unhealthy--slow-disk",
    "proxmox-storage--storage-full",
];

fn text(incident: &str, width: usize) -> String {
    let path = format!("samples/incidents/{incident}");
    omnilog([path.as_str()]).env("COLUMNS", &width.to_string()).exits(0).stdout
}

#[test]
fn the_text_report_looks_as_it_did() {
    let folder = root().join("tests/snapshots");
    let rewrite = std::env::var_os("OMNILOG_WRITE_SNAPSHOTS").is_some();
    let mut complaints = Vec::new();
    for incident in SNAPSHOTS {
        for width in WIDTHS {
            let (path, now) = (folder.join(format!("{incident}-{width}.txt")), text(incident, *width));
            if rewrite {
                std::fs::create_dir_all(&folder).expect("a folder");
                std::fs::write(&path, &now).expect("a snapshot");
            } else if std::fs::read_to_string(&path).unwrap_or_default() != now {
                complaints.push(format!("{} differs; OMNILOG_WRITE_SNAPSHOTS=1 rewrites it:\n{now}", path.display()));
            }
        }
    }
    none(&complaints);
}

#[test]
fn five_incidents_are_answered_on_the_first_screen() {
    let mut complaints = Vec::new();
    for incident in ANSWERED {
        let expected: toml::Table =
            toml::from_str(&crate::support::read(&format!("samples/incidents/{incident}/expected.toml")))
                .expect("TOML");
        let id = expected["id"].as_str().expect("an id");
        let path = format!("samples/incidents/{incident}");
        let report = omnilog([path.as_str()]).report();
        let first = &report["root_causes"][0];
        let shown = text(incident, 80);
        let screen: Vec<&str> = shown.lines().take(24).collect();
        let holds = |part: &str| screen.iter().any(|l| l.contains(part));
        let verdict = first["verdict"].as_str().expect("a verdict").to_uppercase();
        let title = first["title"].as_str().expect("a title");
        // Long places and titles wrap: their last and first words are enough.
        let place = first["evidence"].as_array().expect("evidence").iter().any(|e| {
            let source = e["source"].as_str().expect("a source");
            holds(&format!("{}:{}", source.rsplit('/').next().unwrap_or(source), e["line"]))
        });
        let steps = first["remediation"].as_array().expect("steps");
        let run = steps.iter().filter_map(|s| s["run"].as_str()?.lines().next()).any(holds);
        for (what, there) in [
            ("verdict", holds(&verdict)),
            ("id", holds(id)),
            ("sentence", holds(title.split(' ').take(4).collect::<Vec<_>>().join(" ").as_str())),
            ("time", holds("since")),
            ("place", place),
            ("mark", holds("^^^")),
            ("step", holds("do now")),
            ("command", run),
        ] {
            if !there {
                complaints.push(format!("{incident}: no {what}:\n{}", screen.join("\n")));
            }
        }
    }
    none(&complaints);
}

#[test]
fn themes_change_colours_and_nothing_else() {
    let plain = omnilog::<&str>([]).input(FULL).exits(0).stdout;
    let mut colours = Vec::new();
    for theme in ["auto", "dark", "light"] {
        let done = omnilog(["--color", "always", "--theme", theme]).input(FULL).exits(0);
        assert_eq!(without_colour(&done.stdout), plain, "{theme}");
        // Yellow and cyan cannot be read on white, white not either.
        let unreadable = ["\u{1b}[33m", "\u{1b}[36m", "\u{1b}[37m", "\u{1b}[93m", "\u{1b}[96m", "\u{1b}[97m"];
        assert!(theme == "dark" || !unreadable.iter().any(|c| done.stdout.contains(c)), "{theme}: {:?}", done.stdout);
        colours.push(done.stdout);
    }
    colours.dedup();
    assert_eq!(colours.len(), 3, "three themes look alike");
}

/// The text without its escape sequences.
fn without_colour(text: &str) -> String {
    let mut parts = text.split('\u{1b}');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |out, part| out + part.split_once('m').map_or("", |(_, rest)| rest))
}

#[test]
fn the_mark_stands_under_what_the_regex_matched() {
    let log = "TASK ERROR: unable to create VM 104 - lvcreate 'pve/vm-104-disk-0' error: Cannot create new thin volume, \
               free space in thin pool pve/data reached threshold.\n";
    let done = omnilog(["--color", "never"]).env("COLUMNS", "160").input(log).exits(0);
    let lines: Vec<&str> = done.stdout.lines().collect();
    let mark = lines.iter().position(|l| l.contains("^^^")).unwrap_or_else(|| panic!("no mark: {done}"));
    let from = lines[mark].find('^').expect("a mark");
    let length = lines[mark].matches('^').count();
    let under: String = lines[mark - 1].chars().skip(from).take(length).collect();
    assert!(under.contains("Cannot create new thin volume"), "`{under}` in {done}");
    assert!(lines[mark].width() <= 160, "{done}");
}
