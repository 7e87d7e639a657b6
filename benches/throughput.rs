//! `cargo bench --bench throughput`: the whole job against ripgrep on the same generated file.
//!
//! Prints ratios of medians over paired runs, peak memory and start-up times. Needs `rg` for the ratios, `taskset` for the
//! rows on one core and `gzip` for the compressed row; what is missing is said. `OMNILOG_BENCH_MIB` sets the size (1024).

#![expect(clippy::print_stdout, reason = "the figures are the result")]

#[allow(dead_code, reason = "shared with other benches")]
mod support;

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use omnilog::catalog::anchor;
use omnilog::catalog::load;

const OMNILOG: &str = env!("CARGO_BIN_EXE_omnilog");
const RUNS: usize = 5;

fn main() {
    // `cargo test --benches` and a check that the bench still builds call it without `--bench`.
    if !std::env::args().any(|a| a == "--bench") {
        return;
    }
    let mib: u64 = std::env::var("OMNILOG_BENCH_MIB").ok().and_then(|v| v.parse().ok()).unwrap_or(1024);
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let signatures = signatures();
    let mixed = made(&folder, "mixed", mib << 20, &signatures, 50);
    let storm = made(&folder, "storm", (mib << 20) / 4, &signatures, 20_000);
    let small = made(&folder, "small", 4 << 10, &signatures, 0);
    let list = folder.join("signatures.txt");
    std::fs::write(&list, signatures.join("\n")).expect("target can be written");
    println!("{} signatures, {mib} MiB, medians of {RUNS} paired runs", signatures.len());

    let rg = |file: &Path| shell(&format!("rg -c -F -f {} {} | cat", quote(&list), quote(file)));
    let own = |file: &Path| shell(&format!("{OMNILOG} --format json {}", quote(file)));
    let pinned = |command: &str| format!("taskset -c 0 {command}");
    compare("1 whole file, two cores", &own(&mixed), &rg(&mixed), mib << 20);
    compare("2 whole file, one core", &pinned(&own(&mixed)), &pinned(&rg(&mixed)), mib << 20);
    let piped = |command: &str| shell(&format!("cat {} | {command}", quote(&mixed)));
    compare(
        "3 through a pipe",
        &piped(&format!("{OMNILOG} --format json")),
        &piped(&format!("rg -c -F -f {} - | cat", quote(&list))),
        mib << 20,
    );
    let gz = compressed(&mixed);
    compare("4 gzip", &own(&gz), &shell(&format!("gzip -dc {} | cat", quote(&gz))), mib << 20);
    compare("6 storm, two cores", &own(&storm), &rg(&storm), mib << 18);
    compare("6 storm, one core", &pinned(&own(&storm)), &pinned(&rg(&storm)), mib << 18);
    compare("8 a 4 KiB file", &own(&small), &rg(&small), 4 << 10);
    compare("8 --version", &shell(&format!("{OMNILOG} --version")), &shell("rg --version"), 0);
    for (name, command) in
        [("7 memory, file", own(&mixed)), ("7 memory, pipe", piped(&format!("{OMNILOG} --format json")))]
    {
        println!("{name:<28} peak {} MiB", peak(&command).map_or("?".into(), |k| (k / 1024).to_string()));
    }
}

/// 300 literals of the catalogue, spread over it.
fn signatures() -> Vec<String> {
    let (catalogue, _) = load::builtin();
    let mut all: Vec<String> = catalogue
        .signatures
        .iter()
        .filter(|s| !s.benign)
        .flat_map(|s| s.any.iter().chain(&s.all))
        .filter(|l| anchor::piece(l).is_some() && l.is_ascii() && !l.contains(['\n', '\t']))
        .cloned()
        .collect();
    all.sort();
    all.dedup();
    let step = (all.len() / 300).max(1);
    all.into_iter().step_by(step).take(300).collect()
}

fn made(folder: &Path, name: &str, bytes: u64, signatures: &[String], rate: usize) -> PathBuf {
    let path = folder.join(format!("{name}-{bytes}.log"));
    let mut out = BufWriter::with_capacity(1 << 20, File::create(&path).expect("target can be written"));
    support::generate(&mut out, bytes, signatures, rate).expect("disk has room");
    out.flush().expect("disk has room");
    path
}

fn compressed(file: &Path) -> PathBuf {
    let gz = file.with_extension("log.gz");
    run(&shell(&format!("gzip -1 -c {} > {}", quote(file), quote(&gz))));
    gz
}

fn quote(path: &Path) -> String {
    format!("'{}'", path.display())
}

fn shell(command: &str) -> String {
    command.to_owned()
}

fn run(command: &str) -> Option<Duration> {
    let started = Instant::now();
    let status = Command::new("sh")
        .args(["-c", command])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    status.ok().filter(|s| s.code().is_some_and(|c| c < 2))?;
    Some(started.elapsed())
}

/// Prints how often faster `own` is than `other`.
fn compare(name: &str, own: &str, other: &str, bytes: u64) {
    let (mut times, mut ratios) = (Vec::new(), Vec::new());
    run(own);
    for _ in 0..RUNS {
        let (Some(mine), theirs) = (run(own), run(other)) else {
            println!("{name:<28} did not run");
            return;
        };
        times.push(mine.as_secs_f64());
        if let Some(theirs) = theirs {
            ratios.push(theirs.as_secs_f64() / mine.as_secs_f64());
        }
    }
    let median = |list: &mut Vec<f64>| {
        list.sort_by(f64::total_cmp);
        list.get(list.len() / 2).copied()
    };
    let time = median(&mut times).unwrap_or(0.0);
    let speed = if bytes > 1 << 20 { format!("{:5.2} GB/s", bytes as f64 / time / 1e9) } else { " ".repeat(10) };
    match median(&mut ratios) {
        Some(ratio) => println!("{name:<28} {:8.1} ms  {speed}  {ratio:5.2} times the speed of the other", time * 1e3),
        None => println!("{name:<28} {:8.1} ms  {speed}  nothing to compare with here", time * 1e3),
    }
}

/// Peak memory of a command in KiB, as the kernel counts it.
fn peak(command: &str) -> Option<u64> {
    let script = format!(
        "import resource,subprocess; subprocess.run(['sh','-c',{command:?}],stdout=subprocess.DEVNULL); print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    );
    let output = Command::new("python3").args(["-c", &script]).output().ok()?;
    String::from_utf8_lossy(&output.stdout).trim().parse().ok()
}
