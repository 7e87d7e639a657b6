//! `--follow`: verdicts on open pipes, rotation, signals, memory. Tests wait for what the binary prints, for at most a minute.

use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::support::{Dir, FULL, QUIET, omnilog};

const FULL_ID: &str = "proxmox-storage/storage-full";
const LOCKED_ID: &str = "proxmox-lock/lock-timeout";
/// A log of another root cause.
const LOCKED: &str = "TASK ERROR: can't lock file '/var/lock/qemu-server/lock-104.conf' - got timeout\n";
const PATIENCE: Duration = Duration::from_mins(1);

/// A run that goes on.
struct Following {
    child: Child,
    stdin: Option<ChildStdin>,
    lines: Receiver<String>,
    seen: Vec<String>,
}

/// Starts `omnilog --follow` in a folder.
fn follow(args: &[&str], folder: &Path) -> Following {
    let mut command = omnilog(["--follow"]).args(args).within(folder).command();
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary starts");
    let (sender, lines) = channel();
    let stdout = child.stdout.take().expect("a pipe");
    std::thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    let stdin = child.stdin.take();
    Following { child, stdin, lines, seen: Vec::new() }
}

impl Drop for Following {
    /// A test that fails or has seen enough leaves nothing behind.
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Following {
    fn write(&mut self, text: &str) {
        let pipe = self.stdin.as_mut().expect("standard input is open");
        pipe.write_all(text.as_bytes()).and_then(|()| pipe.flush()).expect("the binary reads");
    }

    /// Waits for a line of standard output that holds all of these.
    fn waits_for(&mut self, parts: &[&str]) -> String {
        loop {
            let line = self.lines.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("no {parts:?} in {:?}", self.seen));
            self.seen.push(line.chars().take(160).collect());
            if parts.iter().all(|p| line.contains(p)) {
                return line;
            }
        }
    }

    fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(i32::try_from(self.child.id()).expect("a process id")).expect("a process id");
        kill_process(pid, signal).expect("it runs");
    }

    /// Waits for the end: the exit status, all of standard output, and standard error.
    fn ends(mut self) -> (i32, Vec<String>, String) {
        drop(self.stdin.take());
        while let Ok(line) = self.lines.recv_timeout(PATIENCE) {
            self.seen.push(line);
        }
        let mut stderr = String::new();
        self.child.stderr.take().expect("a pipe").read_to_string(&mut stderr).expect("UTF-8");
        (self.child.wait().expect("it ends").code().unwrap_or(-1), std::mem::take(&mut self.seen), stderr)
    }
}

fn json(line: &str) -> Value {
    serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"))
}

fn append(path: &Path, text: &str) {
    let mut file = OpenOptions::new().append(true).create(true).open(path).expect("a file");
    file.write_all(text.as_bytes()).expect("a file");
}

#[test]
fn a_verdict_comes_while_the_pipe_is_still_open_and_only_once() {
    let dir = Dir::new();
    let mut run = follow(&["--format", "ndjson"], dir.path());
    run.write(QUIET);
    run.write(FULL);
    let line = json(&run.waits_for(&["verdict", FULL_ID]));
    assert_eq!((&line["change"], &line["was"]), (&Value::from("new"), &Value::Null));
    assert_eq!(line["root_cause"]["evidence"][0]["line"], 3);
    run.write(FULL);
    run.write(LOCKED);
    run.waits_for(&["verdict", LOCKED_ID]);
    let (status, lines, stderr) = run.ends();
    assert_eq!(status, 0, "{stderr}");
    let told = lines.iter().filter(|l| l.contains("\"verdict\",\"change\"") && l.contains(FULL_ID)).count();
    assert_eq!(told, 1, "{lines:?}");
    let summary = json(lines.last().expect("a summary"));
    assert_eq!((&summary["type"], &summary["ended_by"]), (&Value::from("summary"), &Value::from("end of input")));
    assert_eq!(summary["lines"], 5);
    assert_eq!(stderr, "");
}

#[test]
fn what_was_put_right_is_told_with_the_line_that_shows_it() {
    let task = |end: &str| format!("UPID:pve1:0000A1B9:00C1D3F0:6AA91D00:qmstart:145:ops@pam: {end}\n");
    let dir = Dir::new();
    let mut run = follow(&[], dir.path());
    run.write(&task("6AA91D02 can't lock file '/var/lock/qemu-server/lock-145.conf' - got timeout"));
    run.waits_for(&["CONFIRMED", LOCKED_ID]);
    run.write(&task("6AA91E2E OK").replace("6AA91D00", "6AA91E2C"));
    run.waits_for(&["put right", LOCKED_ID, "(was confirmed)"]);
    run.waits_for(&["over", "a later task of the same guest got its lock"]);
    run.waits_for(&["<stdin>:2"]);
}

#[test]
fn the_last_record_is_judged_although_nothing_follows_it() {
    let dir = Dir::new();
    let mut run = follow(&[], dir.path());
    // The decisive words stand on a continuation line.
    let (head, tail) = FULL.split_once(" error: ").expect("two parts");
    run.write(&format!("{head} error:\n\t{tail}"));
    run.waits_for(&[FULL_ID]);
}

#[test]
fn signals_end_it_with_the_summary_and_status_0() {
    for signal in [Signal::INT, Signal::TERM] {
        let dir = Dir::new();
        let mut run = follow(&["--format", "ndjson"], dir.path());
        run.write(FULL);
        run.waits_for(&[FULL_ID]);
        run.signal(signal);
        let summary = json(&run.waits_for(&["\"summary\""]));
        assert_eq!(summary["ended_by"], "signal");
        assert_eq!(summary["report"]["root_causes"][0]["id"], FULL_ID);
        assert_eq!(run.ends().0, 0);
    }
}

#[test]
fn the_summary_shows_the_lines_around_evidence_of_a_pipe() {
    let dir = Dir::new();
    let mut run = follow(&["--context", "1"], dir.path());
    run.write("the line before\n");
    run.write(FULL);
    run.waits_for(&[FULL_ID]);
    run.write("the line behind\nnot wanted\n");
    let (status, lines, stderr) = run.ends();
    let shown = lines.join("\n");
    assert_eq!(status, 0, "{stderr}");
    assert!(shown.contains("1 the line before") && shown.contains("3 the line behind"), "{shown}");
    assert!(!shown.contains("not wanted"), "{shown}");
}

#[test]
fn fail_on_and_an_output_file_work_as_without_follow() {
    let dir = Dir::new();
    let mut run = follow(&["--fail-on", "likely", "--format", "json", "-o", "report.json"], dir.path());
    run.write(FULL);
    run.waits_for(&["CONFIRMED", FULL_ID]);
    assert_eq!(run.ends().0, 1);
    let report = json(&std::fs::read_to_string(dir.join("report.json")).expect("a file"));
    assert_eq!(report["root_causes"][0]["id"], FULL_ID);
}

#[test]
fn an_empty_pipe_is_an_error_as_without_follow() {
    let dir = Dir::new();
    let (status, _, stderr) = follow(&[], dir.path()).ends();
    assert_eq!(status, 2);
    assert!(stderr.contains("nothing could be read"), "{stderr}");
}

#[test]
fn a_file_that_grows_is_renamed_and_replaced_is_read_on() {
    let dir = Dir::with(&[("task.log", QUIET)]);
    let path = dir.join("task.log");
    let mut run = follow(&["--format", "ndjson", "task.log"], dir.path());
    append(&path, FULL);
    let line = json(&run.waits_for(&["verdict", FULL_ID]));
    assert_eq!(line["root_cause"]["evidence"][0]["source"], "task.log");
    std::fs::rename(&path, dir.join("task.log.1")).expect("a file");
    append(&path, LOCKED);
    let line = json(&run.waits_for(&["verdict", LOCKED_ID]));
    assert_eq!(line["root_cause"]["evidence"][0]["line"], 1);
    run.signal(Signal::INT);
    let (status, lines, _) = run.ends();
    assert_eq!(status, 0);
    assert_eq!(json(lines.last().expect("a summary"))["lines"], 4);
}

#[test]
fn new_files_in_a_folder_are_read_and_late_paths_are_waited_for() {
    let dir = Dir::with(&[("logs/old.log", QUIET)]);
    let mut run = follow(&["--format", "ndjson", "logs", "late.log"], dir.path());
    dir.write("logs/sub/new.log", FULL.as_bytes());
    let line = json(&run.waits_for(&["verdict", FULL_ID]));
    assert_eq!(line["root_cause"]["evidence"][0]["source"], "logs/sub/new.log");
    dir.write("late.log", LOCKED.as_bytes());
    run.waits_for(&["verdict", LOCKED_ID]);
    run.signal(Signal::TERM);
    let (status, lines, stderr) = run.ends();
    assert_eq!(status, 0);
    assert!(stderr.contains("late.log") && stderr.contains("waiting"), "{stderr}");
    let summary = json(lines.last().expect("a summary"));
    assert_eq!(summary["report"]["problems"].as_array().map(Vec::len), Some(0), "{summary}");
}

#[test]
fn compressed_files_of_a_folder_are_read_once() {
    let dir = Dir::new();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(FULL.as_bytes()).expect("memory");
    dir.write("logs/task.log.2.gz", &gzip.finish().expect("memory"));
    let mut run = follow(&["logs"], dir.path());
    run.waits_for(&[FULL_ID]);
}

/// Lines that are as bad for the memory as lines can be: every one another fault, with names that are tied and never come again.
fn storm(from: u64, to: u64) -> String {
    let mut text = String::new();
    for n in from..to {
        let word: String = format!("{n:012}").chars().map(|c| char::from(c as u8 + 49)).collect();
        let line = match n % 4 {
            0 => format!("TASK ERROR: unable to create VM {n} - free space in thin pool pve/data reached threshold."),
            1 => format!("Sep 15 08:00:00 pve1 {word}[1]: error: {word} failed"),
            2 => format!(
                r#"{{"level":"error","ts":{n}.5,"caller":"x/y.go:1","msg":"failed {word}","id":"w-{n}","error":"got timeout"}}"#
            ),
            _ => format!("10.5.0.2: kern: warning: [2026-09-15T08:00:00Z]: {word}: {n} link is down"),
        };
        let _ = writeln!(text, "{line}");
    }
    text
}

/// Peak of the resident memory so far, KiB.
fn peak(pid: u32) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("it runs");
    let line = text.lines().find(|l| l.starts_with("VmHWM:")).expect("Linux tells");
    line.split_whitespace().nth(1).and_then(|n| n.parse().ok()).expect("a number")
}

/// Writes so many lines; gives the peak after a tenth of them and at the end, KiB.
fn peaks(lines: u64) -> (u64, u64) {
    const BLOCK: u64 = 1000;
    let dir = Dir::new();
    let mut run = follow(&["--format", "ndjson"], dir.path());
    let mut early = 0;
    for block in 0..lines / BLOCK {
        run.write(&storm(block * BLOCK, (block + 1) * BLOCK));
        if block == lines / BLOCK / 10 {
            early = peak(run.child.id());
        }
    }
    // The pipe is empty and judged when the line after it is.
    run.write(LOCKED);
    run.waits_for(&["verdict", LOCKED_ID]);
    let late = peak(run.child.id());
    let (status, out, stderr) = run.ends();
    assert_eq!(status, 0, "{stderr}");
    assert_eq!(json(out.last().expect("a summary"))["lines"], lines + 1);
    (early, late)
}

#[cfg(target_os = "linux")]
#[test]
fn memory_does_not_grow_with_the_stream() {
    let (early, late) = peaks(200_000);
    assert!(late < early + (24 << 10) && late < 128 << 10, "{early} KiB after a tenth, {late} KiB at the end");
}

#[cfg(target_os = "linux")]
#[test]
#[ignore = "takes minutes: cargo test --release --test it -- --ignored ten_million"]
fn memory_holds_for_ten_million_lines() {
    let (early, late) = peaks(10_000_000);
    assert!(late < early + (8 << 10) && late < 96 << 10, "{early} KiB after a tenth, {late} KiB at the end");
}
