//! samples/secrets: files full of secrets and names. No secret comes out of any output; names come out only without --redact.

use std::collections::BTreeSet;

use crate::outputs::{self, Output};
use crate::support::{Dir, Done, FULL, files, none, omnilog, read, samples};

/// Bytes in a row that give a canary away: no output may hold a piece of this length.
const PIECE: usize = 10;

/// Runs an output on the ticket in a folder; a stream gets all of its files.
fn run(output: &Output, more: &[&str], dir: &Dir) -> Done {
    let run = omnilog(&output.args).args(more).within(dir.path());
    let run = match (output.piped, output.tickets) {
        (true, _) => run.input(files(&dir.join("ticket")).iter().flat_map(|f| stream(f)).collect::<Vec<u8>>()),
        (_, true) => run.args(["."]),
        _ => run.args(["ticket"]),
    };
    run.exits(0).says(output.holds)
}

/// A file as it stands in a stream: its last line ends.
fn stream(path: &std::path::Path) -> Vec<u8> {
    let mut bytes = std::fs::read(path).expect("a file");
    bytes.push(b'\n');
    bytes
}

/// The canaries of a kind: `secret` or `identity`.
fn canaries(kind: &str) -> Vec<String> {
    let list = read("samples/secrets/canaries.txt");
    let all = list.lines().filter_map(|l| l.split_once(' ')).filter(|(k, _)| *k == kind);
    all.map(|(_, canary)| canary.to_owned()).collect()
}

/// What of the canaries stands in an output; of a long one a piece is enough.
fn leaks(output: &str, canaries: &[String]) -> Vec<String> {
    // Each piece of the output once, so that many canaries are looked up fast.
    let lower = output.to_ascii_lowercase();
    let pieces: BTreeSet<&[u8]> = lower.as_bytes().windows(PIECE).collect();
    let mut found = Vec::new();
    for canary in canaries {
        let own = canary.to_ascii_lowercase();
        let piece = own.as_bytes().windows(PIECE).find(|w| pieces.contains(w));
        let whole = own.len() < PIECE && lower.contains(&own);
        if let Some(piece) = piece.or(whole.then_some(own.as_bytes())) {
            let piece = String::from_utf8_lossy(piece).into_owned();
            let line = lower.lines().find(|l| l.contains(&piece)).unwrap_or_default();
            let at = line.find(&piece).unwrap_or_default();
            let near = line.get(
                line.floor_char_boundary(at.saturating_sub(80))..line.ceil_char_boundary((at + 80).min(line.len())),
            );
            found.push(format!("{canary} in …{}…", near.unwrap_or_default()));
        }
    }
    found
}

/// Whole names only: a piece of a name may be an ordinary word.
fn named(output: &str, canaries: &[String]) -> Vec<String> {
    let lower = output.to_ascii_lowercase();
    let stands = |c: &&String| lower.contains(&c.to_ascii_lowercase());
    let near = |c: &String| {
        let at = lower.find(&c.to_ascii_lowercase()).unwrap_or_default();
        lower
            .get(lower.floor_char_boundary(at.saturating_sub(60))..lower.ceil_char_boundary((at + 60).min(lower.len())))
            .unwrap_or_default()
    };
    canaries.iter().filter(stands).map(|c| format!("{c} in …{}…", near(c))).collect()
}

#[test]
fn every_canary_stands_in_a_sample() {
    let texts: Vec<String> = files(&samples("secrets"))
        .iter()
        .filter(|p| !p.ends_with("canaries.txt"))
        .map(|p| std::fs::read_to_string(p).expect("UTF-8"))
        .collect();
    let (secrets, names) = (canaries("secret"), canaries("identity"));
    assert!(secrets.len() > 150 && names.len() > 8, "{} {}", secrets.len(), names.len());
    let missing = secrets.iter().chain(&names).filter(|c| !texts.iter().any(|t| t.contains(c.as_str())));
    none(&missing.cloned().collect::<Vec<_>>());
}

/// The samples without the list of what is in them.
fn inputs() -> Dir {
    let dir = Dir::new();
    let folder = samples("secrets");
    for path in files(&folder).iter().filter(|p| !p.ends_with("canaries.txt")) {
        let name = path.strip_prefix(&folder).expect("below the folder").to_string_lossy().into_owned();
        dir.write(&format!("ticket/{name}"), &std::fs::read(path).expect("a file"));
    }
    dir
}

#[test]
fn no_secret_comes_out_of_any_output() {
    let (dir, secrets) = (inputs(), canaries("secret"));
    let mut complaints = Vec::new();
    for output in outputs::all() {
        for redact in [&[][..], &["--redact"][..]] {
            if !redact.is_empty() && output.args.iter().any(|a| a == "--no-redact") {
                continue;
            }
            let done = run(&output, redact, &dir);
            let found = leaks(&done.stdout, &secrets).into_iter().chain(leaks(&done.stderr, &secrets));
            complaints.extend(found.map(|c| format!("{:?} {redact:?}: {c}", output.args)));
        }
    }
    none(&complaints);
}

#[test]
fn no_secret_gets_into_the_skeleton_of_a_rule() {
    let (dir, secrets) = (inputs(), canaries("secret"));
    let mut complaints = Vec::new();
    for number in 1..=20 {
        let id = format!("mine/gizmo-{number}");
        let number = number.to_string();
        let done = omnilog(["patterns", "new", &id, "--from-cluster", &number, "ticket"]).within(dir.path()).done();
        let path = dir.join(&format!("patterns/{id}.toml"));
        if done.status == 2 && number != "1" {
            break;
        }
        let text = std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{e}\n{done}"));
        complaints.extend(leaks(&text, &secrets).into_iter().map(|c| format!("{id}: {c}")));
    }
    none(&complaints);
}

#[test]
fn each_file_alone_keeps_its_secrets_too() {
    let secrets = canaries("secret");
    let mut complaints = Vec::new();
    for path in files(&samples("secrets")).iter().filter(|p| !p.ends_with("canaries.txt")) {
        for output in [&["--all"][..], &["--format", "json"], &["events", "--format", "ndjson"]] {
            let done = omnilog(output).args([path]).exits(0);
            complaints.extend(leaks(&done.stdout, &secrets).into_iter().map(|c| format!("{output:?}: {c}")));
            // As a stream, nothing tells what kind of file it is.
            let done = omnilog(output).input(std::fs::read(path).expect("a file")).exits(0);
            complaints.extend(leaks(&done.stdout, &secrets).into_iter().map(|c| format!("{output:?} piped: {c}")));
        }
    }
    none(&complaints);
}

#[test]
fn no_name_comes_out_where_names_are_hidden() {
    let (dir, names) = (inputs(), canaries("identity"));
    let mut complaints = Vec::new();
    for output in outputs::all().into_iter().filter(|o| !o.args.iter().any(|a| a == "--no-redact")) {
        let done = run(&output, &["--redact"], &dir);
        complaints.extend(named(&done.stdout, &names).into_iter().map(|c| format!("{:?}: {c}", output.args)));
        complaints.extend(named(&done.stderr, &names).into_iter().map(|c| format!("{:?} stderr: {c}", output.args)));
    }
    for format in ["html", "markdown"] {
        let done = omnilog(["--format", format, "--all", "ticket"]).within(dir.path()).exits(0).says("pseudonyms");
        complaints.extend(named(&done.stdout, &names).into_iter().map(|c| format!("{format} by default: {c}")));
    }
    for output in outputs::all().into_iter().filter(|o| o.tickets) {
        omnilog(&output.args).args([".", "-o", "out.txt"]).within(dir.path()).exits(0);
        let text = std::fs::read_to_string(dir.join("out.txt")).expect("a file");
        std::fs::remove_file(dir.join("out.txt")).expect("a file");
        complaints.extend(named(&text, &names).into_iter().map(|c| format!("{:?} -o: {c}", output.args)));
    }
    none(&complaints);
}

#[test]
fn names_stay_where_they_are_wanted() {
    let log = format!("Sep 15 08:00:00 acme-hv07 pvedaemon[1]: {FULL}");
    let dir = Dir::with(&[("ticket/a.log", &log)]);
    omnilog(["ticket"]).within(dir.path()).exits(0).says("acme-hv07");
    omnilog(["--format", "markdown", "--no-redact", "ticket"]).within(dir.path()).exits(0).says("acme-hv07");
    omnilog(["triage", ".", "--format", "json"]).within(dir.path()).exits(0).says("acme-hv07");
}

#[test]
fn the_same_name_is_the_same_pseudonym_everywhere() {
    let log = "Sep 15 08:00:00 acme-hv07 pvedaemon[1]: unable to create VM 104 - lvcreate 'pve/vm-104-disk-0' error: Cannot \
               create new thin volume, free space in thin pool pve/data reached threshold. (asked by 10.77.31.14)\n";
    let text = log.replace("asked by 10.77.31.14", "asked by 10.77.31.15") + log;
    let dir = Dir::with(&[("a.log", &text), ("b.log", log)]);
    let done = omnilog(["--redact", "--format", "json", "--redact-map", "map.json", "."]).within(dir.path()).exits(0);
    let map: std::collections::BTreeMap<String, String> =
        serde_json::from_str(&std::fs::read_to_string(dir.join("map.json")).expect("a map")).expect("JSON");
    let mut values: Vec<&String> = map.values().collect();
    values.sort();
    values.dedup();
    assert_eq!(values.len(), map.len(), "{map:?}");
    for value in ["acme-hv07", "10.77.31.14", "10.77.31.15"] {
        let (pseudonym, _) = map.iter().find(|(_, v)| *v == value).unwrap_or_else(|| panic!("{value}: {map:?}"));
        assert!(done.stdout.contains(pseudonym.as_str()) && !done.stdout.contains(value), "{value}\n{done}");
    }
    let report: serde_json::Value = serde_json::from_str(&done.stdout).expect("JSON");
    assert_eq!(report["redacted"], true);
    assert_eq!(report["root_causes"][0]["entities"]["pve.vmid"][0], "104", "what is no name stays");
}

#[test]
fn commands_with_pseudonyms_stay_commands() {
    let log = "Sep 15 08:00:00 acme-hv07 pvedaemon[1]: unable to create VM 104 - lvcreate 'pve/vm-104-disk-0' error: Cannot \
               create new thin volume, free space in thin pool pve/data reached threshold.\n";
    let plain = omnilog::<&str>([]).input(log).report();
    let hidden = omnilog(["--redact"]).input(log).report();
    let runs = |report: &serde_json::Value| -> Vec<String> {
        let steps = report["root_causes"][0]["remediation"].as_array().expect("steps");
        steps.iter().map(|s| s["run"].as_str().expect("a command").to_owned()).collect()
    };
    let expected: Vec<String> = runs(&plain).iter().map(|r| r.replace("acme-hv07", "host-1")).collect();
    assert_eq!(runs(&hidden), expected);
}

#[cfg(unix)]
#[test]
fn the_map_is_private_and_never_replaced_unasked() {
    use std::os::unix::fs::PermissionsExt;
    let dir = Dir::with(&[("a.log", FULL)]);
    let run =
        |more: &[&str]| omnilog(["a.log", "--redact", "--redact-map", "map.json"]).args(more).within(dir.path()).done();
    assert_eq!(run(&[]).status, 0);
    let mode = std::fs::metadata(dir.join("map.json")).expect("a map").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let again = run(&[]);
    assert_eq!(again.status, 2, "{again}");
    assert!(again.stderr.contains("--redact-map-overwrite"), "{again}");
    assert_eq!(run(&["--redact-map-overwrite"]).status, 0);
    let lonely = omnilog(["a.log", "--redact-map", "other.json"]).within(dir.path()).exits(2);
    assert!(lonely.stderr.contains("needs --redact"), "{lonely}");
}

#[test]
fn a_secret_at_the_end_of_an_endless_line_does_not_come_out() {
    let secret = "q7Xw2Lz9Vb4Nc8Km1Pt6";
    let mut complaints = Vec::new();
    // The line is cut at 1 MiB: in the middle of the secret, before it, after it.
    for at in [(1 << 20) - 12, (1 << 20) - 40, 1 << 20, 40_000, 65_530] {
        let head = format!("{} {}", FULL.trim_end(), "padding ".repeat(at / 8));
        let text = format!("{} token={secret} more\nnext line {FULL}", head.get(..at).expect("ASCII"));
        for output in [&["--all"][..], &["--format", "json"], &["events"]] {
            let done = omnilog(output).input(&text).exits(0);
            complaints
                .extend(leaks(&done.stdout, &[secret.to_owned()]).into_iter().map(|c| format!("{at} {output:?}: {c}")));
        }
    }
    none(&complaints);
}

#[test]
fn evidence_of_the_samples_is_not_eaten_by_masks() {
    let mut complaints = Vec::new();
    for case in crate::lab::cases().iter().filter(|c| c.leads()) {
        for line in case.report().root_causes.iter().take(1).flat_map(|c| &c.evidence) {
            if line.excerpt.contains("***") && !case.texts().iter().any(|(_, text)| text.contains("***")) {
                complaints.push(format!("{}: {}", case.name(), line.excerpt));
            }
        }
    }
    none(&complaints);
}

#[test]
fn places_of_evidence_are_never_masked() {
    let report = omnilog([samples("incidents")]).report();
    let inputs = report["inputs"].as_array().expect("inputs");
    let masked = inputs.iter().filter_map(|i| i["source"].as_str()).filter(|s| s.contains("***"));
    assert!(inputs.len() > 100);
    none(&masked.map(str::to_owned).collect::<Vec<_>>());
}
