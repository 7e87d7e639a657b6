//! `cargo bench --bench follow`: how long after the decisive line `--follow` prints the verdict, on a pipe that stays open.
//!
//! Each run writes generated ordinary lines at full speed, then a decisive one, and takes the time until it is answered: once
//! on a pipe that is quiet otherwise, once while ordinary lines go on. Prints medians. `OMNILOG_BENCH_RUNS` sets the runs (21).
//! Then it writes ten million lines, some with a signature, and prints what memory was taken on the way (Linux).
//! `OMNILOG_BENCH_LINES` sets how many.

#![expect(clippy::print_stdout, reason = "the figures are the result")]

#[allow(dead_code, reason = "shared with other benches")]
mod support;

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

const OMNILOG: &str = env!("CARGO_BIN_EXE_omnilog");
const DECISIVE: &[u8] =
    b"TASK ERROR: unable to create VM 104 - Cannot create new thin volume, free space in thin pool \
                          pve/data reached threshold.\n";
const ID: &str = "proxmox-storage/storage-full";
const ID_TEXT: &str = "Cannot create new thin volume, free space in thin pool pve/data reached threshold.";
/// Bytes of ordinary lines before the decisive one.
const BEFORE: u64 = 4 << 20;

fn main() {
    if !std::env::args().any(|a| a == "--bench") {
        return;
    }
    let runs: usize = std::env::var("OMNILOG_BENCH_RUNS").ok().and_then(|v| v.parse().ok()).unwrap_or(21);
    let mut ordinary = Vec::new();
    support::generate(&mut ordinary, BEFORE, &[], 0).expect("memory");
    for (name, busy) in [("a pipe that is quiet", false), ("a pipe that is busy", true)] {
        let mut times: Vec<Duration> = (0..runs).map(|_| latency(&ordinary, busy)).collect();
        times.sort_unstable();
        let median = times.get(times.len() / 2).copied().unwrap_or_default();
        let worst = times.last().copied().unwrap_or_default();
        println!("{name:<24} median {:>4} ms, worst {:>4} ms of {runs}", median.as_millis(), worst.as_millis());
    }
    let lines: u64 = std::env::var("OMNILOG_BENCH_LINES").ok().and_then(|v| v.parse().ok()).unwrap_or(10_000_000);
    memory(lines);
}

/// Prints the memory that following takes after a tenth, half and all of so many lines.
fn memory(lines: u64) {
    let mut block = Vec::new();
    let signatures =
        [ID_TEXT.to_owned(), "can't lock file '/var/lock/qemu-server/lock-104.conf' - got timeout".to_owned()];
    let each = support::generate(&mut block, BEFORE, &signatures, 50).expect("memory");
    let mut child = Command::new(OMNILOG)
        .args(["--follow", "--no-config", "--format", "ndjson"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .expect("the binary starts");
    let mut pipe = child.stdin.take().expect("a pipe");
    let (mut written, mut marks) = (0, [lines / 10, lines / 2, lines].into_iter().peekable());
    while let Some(mark) = marks.peek().copied() {
        pipe.write_all(&block).expect("the binary reads");
        written += each;
        if written >= mark {
            marks.next();
            let (now, peak) = (resident(child.id(), "VmRSS:"), resident(child.id(), "VmHWM:"));
            println!("after {written:>10} lines   {now} MiB, at most {peak} MiB");
        }
    }
    drop(pipe);
    child.wait().expect("the binary ends");
}

/// MiB that the kernel counts for a process; `?` where it does not tell.
fn resident(id: u32, key: &str) -> String {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
    let kib = status.lines().find_map(|l| l.strip_prefix(key)?.split_whitespace().next()?.parse::<u64>().ok());
    kib.map_or_else(|| "?".to_owned(), |kib| (kib >> 10).to_string())
}

/// The time between the decisive line and the verdict.
fn latency(ordinary: &[u8], busy: bool) -> Duration {
    let mut child = Command::new(OMNILOG)
        .args(["--follow", "--no-config", "--format", "ndjson"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    let mut pipe = child.stdin.take().expect("a pipe");
    let answered = answered(child.stdout.take().expect("a pipe"));
    pipe.write_all(ordinary).expect("the binary reads");
    let stop = Arc::new(AtomicBool::new(false));
    let started = Instant::now();
    pipe.write_all(DECISIVE).expect("the binary reads");
    let writer = std::thread::spawn({
        let (stop, lines) = (Arc::clone(&stop), ordinary.to_vec());
        move || {
            for block in lines.chunks(4096).cycle() {
                if stop.load(Ordering::Relaxed) {
                    break;
                }
                if busy && pipe.write_all(block).is_err() {
                    break;
                }
                // A busy writer, not one that fills the pipe as fast as it can.
                std::thread::sleep(Duration::from_millis(1));
            }
        }
    });
    let answered = answered.recv_timeout(Duration::from_mins(1)).expect("a verdict");
    stop.store(true, Ordering::Relaxed);
    writer.join().expect("the writer ends");
    child.wait().expect("the binary ends");
    answered.saturating_duration_since(started)
}

/// Tells when the verdict is printed.
fn answered(stdout: std::process::ChildStdout) -> Receiver<Instant> {
    let (sender, receiver): (Sender<Instant>, _) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            if line.contains(ID) && sender.send(Instant::now()).is_err() {
                return;
            }
        }
    });
    receiver
}
