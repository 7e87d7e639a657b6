//! `cargo bench --bench catalogue`: what more rules cost, with 50 root causes and with all of them.
//!
//! Prints how long it takes to read the pattern files of a folder, to make the matcher ready, and to scan a generated log. The built-in
//! catalogue is read from its index, which has a row of its own. `OMNILOG_BENCH_MIB` sets the size of the log (64).

#![expect(clippy::print_stdout, reason = "the figures are the result")]

#[allow(dead_code, reason = "shared with other benches")]
mod support;

use std::path::{Path, PathBuf};
use std::time::Instant;

use omnilog::catalog::{Catalogue, load};
use omnilog::scan::{Scanner, SourceContext};

/// Root causes of the small catalogue.
const FEW: usize = 50;
/// Runs of which the median counts.
const RUNS: usize = 5;

fn main() {
    // `cargo test --benches` and a check that the bench still builds call it without `--bench`.
    if !std::env::args().any(|a| a == "--bench") {
        return;
    }
    let mib: u64 = std::env::var("OMNILOG_BENCH_MIB").ok().and_then(|v| v.parse().ok()).unwrap_or(64);
    let all = Path::new(env!("CARGO_MANIFEST_DIR")).join("patterns");
    let few = some_of(&all, FEW);
    let literals = ["is out of data space while it was written".to_owned()];
    let mut log = Vec::new();
    support::generate(&mut log, mib << 20, &literals, 50).expect("memory");
    println!("{mib} MiB, medians of {RUNS} runs");
    println!("{:<14} {:>10} {:>12} {:>14} {:>12}", "root causes", "signatures", "read (ms)", "ready (ms)", "MiB/s");
    row("50 of folder", || load::with_folder(&few, true).0, &log);
    row("all of folder", || load::with_folder(&all, true).0, &log);
    row("all built in", || load::builtin().0, &log);
}

/// Prints what a catalogue costs.
fn row(name: &str, load: impl Fn() -> Catalogue, log: &[u8]) {
    let catalogue = load();
    let read = median(|| drop(load()));
    let ready = median(|| drop(Scanner::new(&catalogue, 0)));
    let scanner = Scanner::new(&catalogue, 0);
    let scan = median(|| drop(scanner.text(SourceContext::default(), log)));
    let speed = log.len() as f64 / f64::from(1 << 20) / scan;
    let (count, read, ready) = (catalogue.signatures.len(), read * 1e3, ready * 1e3);
    println!("{name:<14} {count:>10} {read:>12.1} {ready:>14.2} {speed:>12.0}");
}

/// The median time of some runs, in seconds.
fn median(mut run: impl FnMut()) -> f64 {
    let mut times: Vec<f64> = (0..RUNS)
        .map(|_| {
            let start = Instant::now();
            run();
            start.elapsed().as_secs_f64()
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times[RUNS / 2]
}

/// A folder with so many root causes of the catalogue, spread over it, and all that they share.
fn some_of(all: &Path, count: usize) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("few-patterns");
    let _ = std::fs::remove_dir_all(&folder);
    let (catalogue, _) = load::builtin();
    let step = (catalogue.causes.len() / count).max(1);
    let chosen = catalogue.causes.iter().step_by(step).take(count).map(|c| c.id.clone());
    let scenarios = catalogue.scenarios.iter().map(|s| format!("{}/scenario", s.id));
    let benign = ["omni", "proxmox", "talos"].map(|area| format!("benign/{area}"));
    for id in chosen.chain(scenarios).chain(benign) {
        let target = folder.join(&id).with_extension("toml");
        std::fs::create_dir_all(target.parent().expect("a scenario")).expect("target can be written");
        std::fs::copy(all.join(&id).with_extension("toml"), target).expect("a pattern file");
    }
    folder
}
