//! The command line: input, arguments, messages, exit status.

use std::io::Read;
use std::path::PathBuf;
use std::process::Stdio;

use crate::support::{Dir, FULL, QUIET, confidences, gzip, ids, none, omnilog, root, tar, zip};

const FULL_ID: &str = "proxmox-storage/storage-full";

/// A folder with a faulty log, a quiet log in a sub-folder, and an empty file.
fn mixed() -> Dir {
    Dir::with(&[("task.log", FULL), ("sub/quiet.log", QUIET), ("empty.log", "")])
}

#[test]
fn a_pipe_is_analysed() {
    let report = omnilog::<&str>([]).input(FULL).report();
    assert_eq!(ids(&report)[0], FULL_ID);
    let dash = omnilog(["-"]).input(FULL).report();
    assert_eq!(report, dash);
}

#[test]
fn a_file_is_analysed_and_its_line_is_cited() {
    let dir = mixed();
    let report = omnilog(["task.log"]).within(dir.path()).report();
    let evidence = &report["root_causes"][0]["evidence"][0];
    assert_eq!(evidence["source"], "task.log");
    assert_eq!(evidence["line"], 1);
    assert!(evidence["excerpt"].as_str().expect("text").contains("free space in thin pool"));
}

#[test]
fn a_folder_is_read_with_everything_below_it() {
    let dir = mixed();
    let report = omnilog(["."]).within(dir.path()).report();
    assert_eq!(ids(&report)[0], FULL_ID);
    let sources: Vec<&str> =
        report["inputs"].as_array().expect("a list").iter().filter_map(|i| i["source"].as_str()).collect();
    assert!(sources.iter().any(|s| s.ends_with("sub/quiet.log")), "{sources:?}");
}

#[test]
fn a_bundle_is_read_and_members_are_named_behind_an_exclamation_mark() {
    let dir = Dir::new();
    let mut bytes = std::io::Cursor::new(Vec::new());
    let mut zip = zip::ZipWriter::new(&mut bytes);
    zip.start_file("pve1/task.log", zip::write::SimpleFileOptions::default()).expect("a member");
    std::io::Write::write_all(&mut zip, FULL.as_bytes()).expect("memory");
    zip.finish().expect("a zip");
    dir.write("support.zip", bytes.get_ref());
    let report = omnilog(["support.zip"]).within(dir.path()).report();
    assert_eq!(report["root_causes"][0]["evidence"][0]["source"], "support.zip!/pve1/task.log");
}

#[test]
fn the_status_is_0_when_something_was_analysed_whatever_was_found() {
    for text in [FULL, QUIET] {
        omnilog::<&str>([]).input(text).exits(0);
    }
}

#[test]
fn fail_on_gives_1_at_or_above_the_word() {
    for word in ["possible", "likely", "confirmed"] {
        omnilog(["--fail-on", word]).input(FULL).exits(1).says(FULL_ID);
        omnilog(["--fail-on", word]).input(QUIET).exits(0);
    }
    let weak = "node 10.5.0.3: the machine has been destroying for an hour\n";
    let best = confidences(&omnilog::<&str>([]).input(weak).report()).first().map_or(0.0, |c| c.1);
    assert!(best < 0.5, "the input was meant to be weak, it has {best}");
    omnilog(["--fail-on", "possible"]).input(weak).exits(0);
    omnilog(["--fail-on", "confimed"]).input(FULL).exits(2).warns("confirmed");
}

#[test]
fn a_path_that_is_not_there_does_not_stop_the_others() {
    let dir = mixed();
    let done = omnilog(["nowhere.log", "task.log", "--format", "json"]).within(dir.path()).exits(0);
    let report: serde_json::Value = serde_json::from_str(&done.stdout).expect("JSON");
    assert_eq!(ids(&report)[0], FULL_ID);
    assert_eq!(report["problems"][0]["source"], "nowhere.log");
    done.warns("nowhere.log");
    omnilog(["nowhere.log", "task.log"]).within(dir.path()).exits(0).says("nowhere.log");
}

#[cfg(unix)]
#[test]
fn an_unreadable_file_among_others_is_listed_and_the_rest_is_read() {
    let dir = mixed();
    // A link to itself cannot be opened by anyone, not even by root.
    std::os::unix::fs::symlink("loop.log", dir.join("loop.log")).expect("a link");
    let report = omnilog(["loop.log", "task.log"]).within(dir.path()).report();
    assert_eq!(ids(&report)[0], FULL_ID);
    let problems = report["problems"].as_array().expect("a list");
    assert!(problems.iter().any(|p| p["source"] == "loop.log"), "{problems:?}");
}

#[test]
fn a_broken_archive_among_others_is_listed_and_the_rest_is_read() {
    let dir = mixed();
    dir.write("broken.gz", b"\x1f\x8b\x08\0\0\0\0\0\0\x03not deflated at all");
    let report = omnilog(["broken.gz", "task.log"]).within(dir.path()).report();
    assert_eq!(ids(&report)[0], FULL_ID);
    let problems = report["problems"].as_array().expect("a list");
    assert!(problems.iter().any(|p| p["source"].as_str().is_some_and(|s| s.starts_with("broken.gz"))), "{problems:?}");
}

#[test]
fn nothing_to_read_is_2_and_says_what_to_do() {
    let dir = mixed();
    std::fs::create_dir(dir.join("hollow")).expect("a folder");
    omnilog(["nowhere.log"]).within(dir.path()).exits(2).warns("nowhere.log");
    omnilog(["empty.log"]).within(dir.path()).exits(2).warns("nothing could be read").warns("empty");
    dir.write("triag", b"");
    let there = omnilog(["triag"]).within(dir.path()).exits(2).warns("triag: empty").stderr;
    assert!(!there.contains("no such file"), "{there}");
    omnilog(["hollow"])
        .within(dir.path())
        .exits(2)
        .warns("nothing could be read")
        .warns("hollow: holds no")
        .warns("help:");
    omnilog(["events", "hollow"]).within(dir.path()).exits(2).warns("hollow: holds no files");
    omnilog(["events", "nowhere.log"]).within(dir.path()).exits(2).warns("nowhere.log");
    omnilog(["detect", "hollow"]).within(dir.path()).exits(2).warns("hollow: holds no files");
    omnilog(["triage", "hollow"]).within(dir.path()).exits(2).warns("hollow is empty");
    omnilog(["task.log", "hollow"]).within(dir.path()).exits(0).says("hollow (holds no files");
    omnilog::<&str>([]).input("").exits(2).warns("<stdin>: empty");
}

#[test]
fn a_mistyped_flag_or_command_is_2_with_a_suggestion() {
    omnilog(["--formt", "json"]).input(FULL).exits(2).warns("--format");
    omnilog(["--fial-on", "likely"]).input(FULL).exits(2).warns("--fail-on");
    omnilog(["events", "--min-levl", "error"]).input(FULL).exits(2).warns("--min-level");
    omnilog(["completions", "bsh"]).exits(2).warns("bash");
    omnilog(["--no-config", "events", "task.log"]).exits(2).warns("put the command first: omnilog events");
}

#[test]
fn a_mistyped_format_level_or_service_is_2_with_a_suggestion() {
    omnilog(["--format", "jsno"]).input(FULL).exits(2).warns("a similar value exists: 'json'");
    omnilog(["--format", "pdf"]).input(FULL).exits(2).warns("markdown");
    omnilog(["events", "--service", "kublet"]).input(FULL).exits(2).warns("did you mean `kubelet`?");
    omnilog(["events", "--min-level", "loud"]).input(FULL).exits(2).warns("error");
}

#[test]
fn a_mistyped_id_is_2_with_a_suggestion() {
    for command in [["explain", "proxmox-storage/storage-ful"], ["why-not", "proxmox-storage/storage-ful"]] {
        omnilog(command).input(FULL).exits(2).warns("did you mean `proxmox-storage/storage-full`?");
    }
    omnilog(["patterns", "show", "storage-ful"]).exits(2).warns("did you mean `storage-full`?");
}

#[test]
fn a_broken_rule_is_reported_with_its_line_and_costs_nothing_else() {
    let rule = "title = \"Mine\"\n\n[signature.mine]\nany = [\"the frobnicator is jammed\"]\n\n\
                [[evidence]]\nid = \"mine\"\nwhen = \"mine\"\nstrength = \"conclusive\"\nsays = \"it says so\"\n";
    let dir = Dir::with(&[
        ("rules/mine/jammed.toml", rule),
        ("rules/mine/broken.toml", "title = \"Broken\"\nstatus = stable\n"),
        ("rules/mine/unknown.toml", "title = \"Unknown key\"\nlevle = \"high\"\n"),
    ]);
    let text = format!("{FULL}the frobnicator is jammed\n");
    let done = omnilog(["--patterns", "rules", "--format", "json"]).within(dir.path()).input(text).exits(0);
    let report: serde_json::Value = serde_json::from_str(&done.stdout).expect("JSON");
    let mut found: Vec<&str> = ids(&report).into_iter().take(2).collect();
    found.sort_unstable();
    assert_eq!(found, ["mine/jammed", FULL_ID], "{done}");
    done.warns("broken.toml:2").warns("unknown.toml:2").warns("levle");
}

#[test]
fn a_rule_folder_that_is_not_there_is_2() {
    omnilog(["--patterns", "nowhere"]).input(FULL).exits(2).warns("nowhere");
}

#[test]
fn a_rule_of_the_folder_replaces_the_built_in_one() {
    let rule = "title = \"Replaced\"\n[signature.full]\nany = [\"free space in thin pool \"]\n\
                [[evidence]]\nid = \"full\"\nwhen = \"full\"\nstrength = \"conclusive\"\n";
    let dir = Dir::with(&[("rules/proxmox-storage/storage-full.toml", rule)]);
    let report = omnilog(["--patterns", "rules"]).within(dir.path()).input(FULL).report();
    assert_eq!(report["root_causes"][0]["title"], "Replaced");
}

#[test]
fn a_closed_pipe_is_no_error() {
    let log = FULL.repeat(2_000);
    let dir = Dir::with(&[("task.log", &log)]);
    let commands: &[&[&str]] = &[
        &["task.log"],
        &["task.log", "--all"],
        &["task.log", "--format", "json"],
        &["events", "task.log"],
        &["triage", "."],
        &["detect", "task.log"],
        &["explain", FULL_ID],
        &["why-not", FULL_ID, "task.log"],
        &["patterns", "list"],
        &["patterns", "show", FULL_ID],
        &["patterns", "check"],
        &["completions", "bash"],
        &["man"],
    ];
    let mut complaints = Vec::new();
    for args in commands {
        let mut command = omnilog(*args).within(dir.path()).command();
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        drop(child.stdout.take());
        let mut stderr = String::new();
        child.stderr.take().expect("a pipe").read_to_string(&mut stderr).expect("UTF-8");
        let status = child.wait().expect("the binary ends");
        if !status.success() || stderr.contains("panicked") {
            complaints.push(format!("{args:?}: {status}: {stderr}"));
        }
    }
    none(&complaints);
}

#[test]
fn output_goes_to_a_file_whole_and_without_colour() {
    let dir = mixed();
    let done = omnilog(["task.log", "--format", "json", "-o", "report.json"]).within(dir.path()).exits(0);
    assert_eq!(done.stdout, "");
    let text = std::fs::read_to_string(dir.join("report.json")).expect("a file");
    let direct = omnilog(["task.log", "--format", "json"]).within(dir.path()).exits(0).stdout;
    assert_eq!(text, direct);
    omnilog(["task.log", "-o", "nowhere/report.txt"]).within(dir.path()).exits(2).warns("nowhere/report.txt");
}

#[test]
fn colour_comes_only_when_asked_for_or_on_a_terminal() {
    for args in [vec![], vec!["--color", "auto"], vec!["--color", "never"]] {
        let done = omnilog(args).input(FULL).exits(0);
        assert!(!done.stdout.contains('\u{1b}'), "{done}");
    }
    let done = omnilog(["--color", "always"]).input(FULL).exits(0);
    assert!(done.stdout.contains('\u{1b}'), "{done}");
}

/// Runs on a terminal of 72 columns and gives what appears on it.
#[cfg(unix)]
fn on_a_terminal(environment: &[(&str, &str)]) -> String {
    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
    use rustix::termios::{Winsize, tcsetwinsize};
    let dir = mixed();
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
    grantpt(&master).and_then(|()| unlockpt(&master)).expect("a terminal");
    let size = Winsize { ws_row: 24, ws_col: 72, ws_xpixel: 0, ws_ypixel: 0 };
    tcsetwinsize(&master, size).expect("a size");
    let name = PathBuf::from(ptsname(&master, Vec::new()).expect("a name").to_str().expect("UTF-8"));
    let slave = std::fs::File::options().read(true).write(true).open(name).expect("a terminal");
    let mut run = omnilog(["task.log"]).within(dir.path()).env("PAGER", "cat");
    for (key, value) in environment {
        run = run.env(key, value);
    }
    let mut command = run.command();
    let mut child =
        command.stdin(Stdio::null()).stdout(slave).stderr(Stdio::null()).spawn().expect("the binary starts");
    drop(command);
    let mut text = Vec::new();
    let mut reader = std::fs::File::from(master);
    let mut buffer = [0; 4096];
    // When the last writer is gone, Linux answers with an error.
    while let Ok(count @ 1..) = reader.read(&mut buffer) {
        text.extend_from_slice(&buffer[..count]);
    }
    assert!(child.wait().expect("the binary ends").success());
    String::from_utf8(text).expect("UTF-8")
}

#[cfg(unix)]
#[test]
fn a_terminal_gets_colour_unless_no_color_is_set() {
    assert!(on_a_terminal(&[("TERM", "xterm")]).contains('\u{1b}'));
    let plain = on_a_terminal(&[("TERM", "xterm"), ("NO_COLOR", "1")]);
    assert!(!plain.contains('\u{1b}') && plain.contains(FULL_ID), "{plain}");
    assert!(!on_a_terminal(&[("TERM", "dumb")]).contains('\u{1b}'));
}

#[cfg(unix)]
#[test]
fn a_terminal_is_filled_to_its_own_width() {
    let plain = on_a_terminal(&[("TERM", "xterm"), ("NO_COLOR", "1"), ("COLUMNS", "300")]);
    let prose = plain.lines().filter(|l| !l.contains("    ")).map(|l| l.trim_end().chars().count()).max();
    assert!(prose.is_some_and(|w| w <= 72), "{plain}");
}

/// Two faults, an hour apart, with full time stamps.
fn hours() -> String {
    let line = |time: &str, text: &str| {
        format!(
            "{{\"level\":\"error\",\"ts\":\"{time}\",\"caller\":\"x/y.go:1\",\"msg\":\"failed\",\"error\":\"{text}\"}}\n"
        )
    };
    line("2026-09-15T08:00:00Z", "Cannot create new thin volume, free space in thin pool pve/data reached threshold")
        + &line("2026-09-15T09:00:00Z", "all fine")
}

#[test]
fn since_and_until_bound_the_evidence() {
    let first = |args: &[&str]| ids(&omnilog(args).input(hours()).report()).first().map(|id| (*id).to_owned());
    let found = Some(FULL_ID.to_owned());
    assert_eq!(first(&["--since", "2026-09-15T07:00:00Z", "--until", "2026-09-15T08:30:00Z"]), found);
    assert_eq!(first(&["--since", "2026-09-15T10:00:00+02:00"]), found);
    assert_eq!(first(&["--since", "2026-09-15"]), found);
    assert_eq!(first(&["--since", "2026-09-15T08:30:00Z"]), None);
    assert_eq!(first(&["--until", "2026-09-15T07:00:00Z"]), None);
    omnilog(["--since", "yesterday"]).input(hours()).exits(2).warns("yesterday").warns("2026-09-15");
}

#[test]
fn since_and_until_bound_the_events() {
    let events = |args: &[&str]| omnilog(["events"]).args(args).input(hours()).exits(0).stdout.lines().count();
    assert_eq!(events(&[]), 2);
    assert_eq!(events(&["--since", "2026-09-15T08:30:00Z"]), 1);
    assert_eq!(events(&["--until", "2026-09-15T08:30:00Z"]), 1);
    assert_eq!(events(&["--min-level", "fatal"]), 0);
    assert_eq!(events(&["--contains", "all fine"]), 1);
}

#[test]
fn a_time_zone_moves_stamps_that_have_none() {
    let line = "Sep 15 10:00:00 pve1 pvedaemon[1]: Cannot create new thin volume, free space in thin pool pve/data reached threshold\n";
    let seen = |zone: &str| {
        let report = omnilog(["--timezone", zone]).input(line).report();
        let time = report["root_causes"][0]["first_seen"].as_str().expect("a time").to_owned();
        time.split_once('T').expect("a date").1.to_owned()
    };
    assert_eq!(seen("UTC"), "10:00:00Z");
    assert_eq!(seen("+02:00"), "08:00:00Z");
    assert_eq!(seen("-0500"), "15:00:00Z");
    omnilog(["--timezone", "CEST"]).input(line).exits(2).warns("CEST").warns("+02:00");
}

#[test]
fn quiet_says_nothing_on_standard_error() {
    let dir = mixed();
    let done = omnilog(["-q", "--format", "json", "nowhere.log", "task.log"]).within(dir.path()).exits(0);
    assert_eq!(done.stderr, "", "{done}");
}

#[test]
fn nothing_is_written_but_the_output() {
    let dir = mixed();
    omnilog(["."]).within(dir.path()).exits(0);
    let names: Vec<_> = crate::support::files(dir.path());
    assert_eq!(names.len(), 3, "{names:?}");
}

#[test]
fn completions_and_the_manual_page_are_printed() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        omnilog(["completions", shell]).exits(0).says("omnilog");
    }
    omnilog(["man"]).exits(0).says(".TH omnilog");
    omnilog(["--version"]).exits(0).says(env!("CARGO_PKG_VERSION"));
    omnilog(["--help"]).exits(0).says("Examples:");
}

#[test]
fn explain_shows_cause_evidence_and_remedies() {
    let done = omnilog(["explain", "storage-full"]).exits(0);
    done.says("Evidence").says("What to do").says("References");
}

#[test]
fn why_not_names_what_is_missing() {
    omnilog(["why-not", FULL_ID]).input(QUIET).exits(0).says("was not considered").says("not seen");
    omnilog(["why-not", FULL_ID]).input(FULL).exits(0).says("rank 1").says("<stdin>:1");
    // A line that almost fits is shown, with what of it does not.
    let almost =
        "TASK ERROR: unable to create VM 104 - lvcreate error: Cannot create new thin volume, free space is ample\n";
    let done = omnilog(["why-not", FULL_ID]).input(almost).exits(0);
    done.says("The nearest miss").says("only `Cannot create new thin volume, free space").says("<stdin>:1");
}

#[test]
fn why_not_names_the_order_the_window_the_field_and_the_missing_source() {
    let twins = |name: &str| root().join("samples/twins").join(name).join("input");
    let miss = |id: &str, twin: &str| omnilog(["why-not", id]).args([twins(twin)]).env("COLUMNS", "400").exits(0);
    let deletion = "state-drift/out-of-band-vm-deletion";
    miss(deletion, "join-b-scale-down").says("must be absent and was there").says("pve.user does not match");
    miss("provider-failure/api-session-expired", "join-c-refused-at-once").says("it needs more than 1 h 55 min");
}

#[test]
fn triage_gives_one_row_for_each_ticket_the_worst_first() {
    let dir = Dir::with(&[("tickets/a/quiet.log", QUIET), ("tickets/b/task.log", FULL), ("tickets/c.log", QUIET)]);
    let done = omnilog(["triage", "tickets", "--format", "ndjson"]).within(dir.path()).exits(0);
    let rows: Vec<&str> = done.stdout.lines().collect();
    assert_eq!(rows.len(), 3, "{done}");
    assert!(rows[0].contains(FULL_ID) && rows.iter().skip(1).all(|r| !r.contains(FULL_ID)), "{done}");
}

#[test]
fn context_shows_the_lines_around_evidence() {
    let dir = Dir::with(&[("task.log", &format!("one\ntwo\n{FULL}four\nfive\n"))]);
    let done = omnilog(["--context", "1", "task.log"]).within(dir.path()).exits(0);
    let done = done.says("two").says("four").says("^^^");
    assert!(!done.stdout.lines().any(|l| l.trim().ends_with("five")), "{done}");
}

#[test]
fn context_is_shown_for_members_of_archives_and_compressed_files() {
    let log = format!("the line before\n{FULL}the line behind\n");
    let dir = Dir::new();
    dir.write("task.log.gz", &gzip(log.as_bytes()));
    dir.write("bundle.zip", &zip(&[("other.log", QUIET.as_bytes()), ("pve/task.log", log.as_bytes())]));
    dir.write("bundle.tar.gz", &gzip(&tar(&[("other.log", QUIET.as_bytes()), ("pve/task.log", log.as_bytes())])));
    let nested = zip(&[("inner.tar.gz", &gzip(&tar(&[("task.log", log.as_bytes())])))]);
    dir.write("nested.zip", &nested);
    for name in ["task.log.gz", "bundle.zip", "bundle.tar.gz", "nested.zip"] {
        let done = omnilog(["--context", "1", name]).within(dir.path()).exits(0);
        assert!(
            done.stdout.contains("1 the line before") && done.stdout.contains("3 the line behind"),
            "{name}: {done}"
        );
        omnilog(["--format", "html", name]).within(dir.path()).exits(0).says("the line behind");
    }
}

#[test]
fn context_is_shown_for_pipes_and_what_is_in_them() {
    let log = format!("the line before\n{FULL}the line behind\n");
    let inputs = [
        log.clone().into_bytes(),
        gzip(log.as_bytes()),
        tar(&[("other.log", QUIET.as_bytes()), ("pve/task.log", log.as_bytes())]),
        // The evidence stands where one batch of the stream ends and the next begins.
        format!("{}{log}{}", "an ordinary line\n".repeat(123_361), "an ordinary line\n".repeat(200_000)).into_bytes(),
    ];
    for input in inputs {
        let done = omnilog(["--context", "1"]).input(&input).exits(0);
        assert!(done.stdout.contains(" the line before") && done.stdout.contains(" the line behind"), "{done}");
        omnilog(["--format", "html"]).input(&input).exits(0).says("the line behind");
    }
    // Standard input may be a file: its name is not known.
    let dir = Dir::with(&[("task.log", &log)]);
    let file = std::fs::File::open(dir.join("task.log")).expect("a file");
    let output = omnilog(["--context", "1"]).command().stdin(file).output().expect("the binary starts");
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    assert!(text.contains("1 the line before") && text.contains("3 the line behind"), "{text}");
}

#[test]
fn context_of_a_pipe_holds_no_secret() {
    let log = format!("join token=hunter2hunter2hunter2\n{FULL}password: swordfish123\n");
    for format in ["text", "html", "json"] {
        let done = omnilog(["--context", "2", "--no-redact", "--format", format]).input(&log).exits(0);
        assert!(!done.stdout.contains("hunter2hunter2") && !done.stdout.contains("swordfish123"), "{done}");
    }
}

#[test]
fn context_of_a_file_that_is_stored_otherwise_shows_the_evidence_and_no_rubbish() {
    let text = format!("one\ntwo\n{FULL}four\n");
    let dir = Dir::new();
    dir.write(
        "wide.log",
        &[0xfeff].into_iter().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect::<Vec<_>>(),
    );
    let done =
        omnilog(["--context", "1", "wide.log"]).within(dir.path()).exits(0).says("Cannot create new thin volume");
    assert!(!done.stdout.contains("u{0}"), "{done}");
}

#[test]
fn a_new_rule_is_written_once_and_never_over_another() {
    let dir = Dir::new();
    omnilog(["patterns", "new", "mine/jammed"]).within(dir.path()).exits(0).says("mine/jammed");
    assert!(dir.join("patterns/mine/jammed.toml").is_file());
    omnilog(["patterns", "new", "mine/jammed"]).within(dir.path()).exits(2);
    omnilog(["patterns", "new", "Mine"]).within(dir.path()).exits(2).warns("scenario/cause");
}

#[test]
fn a_baseline_hides_what_a_good_run_had_as_well() {
    let bad = "2026-09-16T10:00:00Z ERROR the frobnicator 99 squeaks\n2026-09-16T10:00:05Z ERROR the gizmo burns\n";
    let dir = Dir::with(&[("good.log", "2026-09-15T10:00:00Z ERROR the frobnicator 12 squeaks\n"), ("bad.log", bad)]);
    let plain = omnilog(["bad.log"]).within(dir.path()).report();
    assert_eq!(plain["unexplained"]["clusters"].as_array().expect("a list").len(), 2, "{plain:#}");
    let compared = omnilog(["bad.log", "--baseline", "good.log"]).within(dir.path()).report();
    let clusters = compared["unexplained"]["clusters"].as_array().expect("a list");
    assert_eq!(clusters.len(), 1, "{compared:#}");
    assert!(clusters[0]["sample"].as_str().expect("text").contains("the gizmo burns"), "{compared:#}");
    assert_eq!(compared["unexplained"]["events"], 1);
    omnilog(["bad.log", "--baseline", "missing.log"]).within(dir.path()).exits(2).warns("--baseline");
}

#[test]
fn a_rule_can_be_begun_from_unexplained_errors() {
    let dir = Dir::with(&[("bad.log", "2026-09-16T10:00:05Z ERROR the gizmo 7 burns at its northern end\n")]);
    let new = |number: &str| {
        omnilog(["patterns", "new", "mine/gizmo", "--from-cluster", number, "bad.log"]).within(dir.path())
    };
    new("2").exits(2).warns("1 kinds of unexplained errors");
    new("1").exits(0).says("patterns/mine/gizmo.toml");
    let written = std::fs::read_to_string(dir.join("patterns/mine/gizmo.toml")).expect("the rule");
    assert!(written.contains("any = [\"burns at its northern end\"]"), "{written}");
    assert!(written.contains("the gizmo 7 burns at its northern end\n'''"), "{written}");
    assert!(written.contains("first in bad.log line 1"), "{written}");
    // What was written is TOML, and the lints say what is missing in it.
    omnilog(["patterns", "--patterns", "patterns", "check", "mine/"])
        .within(dir.path())
        .exits(1)
        .says("mine/gizmo.toml");
}
