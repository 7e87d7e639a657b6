//! `cargo bench --bench story`: what it costs to put sources together and to rank: their share of a run, and whether memory
//! grows with what is found or with what is read.
//!
//! Two bundles of sixteen logs each, beside the incidents of `samples/`: one as logs usually are, one in which signatures of
//! the whole catalogue stand on every 250th line. Shares are taken within one run, so that other work on the machine counts on
//! both sides. Memory: the peak of a process that reads one log, and of one that reads the same findings in a quarter of the
//! bytes. `OMNILOG_BENCH_MIB` sets the size of each bundle (1024).

#![expect(clippy::print_stdout, reason = "the figures are the result")]

#[allow(dead_code, reason = "shared with other benches")]
mod support;

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use omnilog::catalog::{Catalogue, anchor, load};
use omnilog::correlate::World;
use omnilog::input::Options;
use omnilog::pipeline;
use omnilog::rank;
use omnilog::scan::Scanner;

/// Logs in a bundle.
const FILES: u64 = 16;
/// Runs; the median of their shares counts.
const RUNS: usize = 3;
/// Lines of a hundred thousand that hold a signature in the busy bundle.
const BUSY: usize = 400;
/// The share of a run that correlation and ranking may take, percent.
const AIM: f64 = 10.0;
const MIB: u64 = 1 << 20;

fn main() {
    // `cargo test --benches` and a check that the bench still builds call it without `--bench`.
    if !std::env::args().any(|a| a == "--bench") {
        return;
    }
    let mib: u64 = std::env::var("OMNILOG_BENCH_MIB").ok().and_then(|v| v.parse().ok()).unwrap_or(1024);
    let (catalogue, _) = load::builtin();
    let signatures = signatures(&catalogue);
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/incidents");
    for (name, rate) in [("quiet", 0), ("busy", BUSY)] {
        let bundle = bundle(name, mib * MIB, &signatures, rate);
        let mut runs: Vec<Shares> = (0..RUNS).map(|_| run(&catalogue, &[bundle.clone(), samples.clone()])).collect();
        runs.sort_by(|a, b| a.story().total_cmp(&b.story()));
        if let Some(median) = runs.get(RUNS / 2) {
            median.print(&format!("{name} bundle of {mib} MiB and the incidents of samples/"));
        }
    }
    memory(mib * MIB / FILES, &signatures);
}

/// How long the parts of a run take.
struct Shares {
    reading: Duration,
    correlating: Duration,
    ranking: Duration,
    hits: usize,
    candidates: usize,
}

impl Shares {
    /// The share of correlation and ranking together, percent.
    fn story(&self) -> f64 {
        let story = self.correlating + self.ranking;
        100.0 * story.as_secs_f64() / (story + self.reading).as_secs_f64()
    }

    fn print(&self, name: &str) {
        println!("{name}");
        println!("  reading                    {:8.3} s", self.reading.as_secs_f64());
        println!("  clocks, names, coverage    {:8.3} s, {} hits", self.correlating.as_secs_f64(), self.hits);
        println!(
            "  correlations and ranking   {:8.3} s, {} root causes weighed",
            self.ranking.as_secs_f64(),
            self.candidates
        );
        let verdict = if self.story() <= AIM { "within" } else { "MISSES" };
        println!("  their share of the run     {:8.2} %, {verdict} the aim of {AIM:.0} %", self.story());
    }
}

fn run(catalogue: &Catalogue, paths: &[PathBuf]) -> Shares {
    let scanner = Scanner::new(catalogue, 1_789_459_200_000_000);
    let started = Instant::now();
    let analysis = pipeline::read_paths(&scanner, paths, &Options::default());
    let reading = started.elapsed();
    let world = World::new(catalogue, &analysis.sources);
    let joined = started.elapsed();
    // Correlations are judged when ranking asks for them.
    let candidates = rank::rank(&world).len();
    let ranked = started.elapsed();
    let hits = analysis.sources.iter().flat_map(|s| s.found.tallies.values()).map(|t| t.hits.len()).sum();
    Shares {
        reading,
        correlating: joined.saturating_sub(reading),
        ranking: ranked.saturating_sub(joined),
        hits,
        candidates,
    }
}

/// Texts that a signature asks for.
fn signatures(catalogue: &Catalogue) -> Vec<String> {
    let literals = catalogue.signatures.iter().filter(|s| !s.benign).flat_map(|s| s.any.iter().chain(&s.all));
    let fits = |l: &&String| anchor::piece(l).is_some() && l.is_ascii() && !l.contains(['\n', '\t']);
    literals.filter(fits).cloned().collect()
}

/// A folder of logs in which so many lines of a hundred thousand hold a signature.
fn bundle(name: &str, bytes: u64, signatures: &[String], rate: usize) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("story-{name}-{bytes}"));
    std::fs::create_dir_all(&folder).expect("target can be written");
    for number in 0..FILES {
        let path = folder.join(format!("node-{number}.log"));
        if !path.is_file() {
            // Another rate gives another log.
            let rate = if rate == 0 { 0 } else { rate + number as usize };
            write(&path, |out| support::generate(out, bytes / FILES, signatures, rate).map(|_| ()));
        }
    }
    folder
}

fn write(path: &Path, fill: impl Fn(&mut dyn Write) -> io::Result<()>) {
    let mut out = BufWriter::with_capacity(1 << 20, File::create(path).expect("target can be written"));
    fill(&mut out).expect("disk has room");
    out.flush().expect("disk has room");
}

/// The peak of a process over a log, and over four times as many bytes with the same findings in them.
fn memory(bytes: u64, signatures: &[String]) {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let peaks = [("a quarter of it", bytes / 4), ("a log", bytes)].map(|(name, size)| {
        let path = folder.join(format!("story-memory-{size}.log"));
        write(&path, |out| {
            // The same findings first, ordinary lines behind them.
            support::generate(out, bytes / 8, signatures, BUSY)?;
            support::generate(out, size.saturating_sub(bytes / 8), &[], 0).map(|_| ())
        });
        let peak = peak(&path);
        let shown =
            peak.map_or("not measured: no python3 here".into(), |kib| format!("{:.1} MiB", kib as f64 / 1024.0));
        println!("peak memory, {name:<18} {shown} ({} MiB, the same findings)", size / MIB);
        peak
    });
    if let [Some(small), Some(large)] = peaks {
        println!("four times the bytes take    {:.2} times the memory", large as f64 / small as f64);
    }
}

/// Kibibytes that the kernel counts for a run of the program.
fn peak(path: &Path) -> Option<u64> {
    let run = format!("[{:?}, '--format', 'json', {:?}]", env!("CARGO_BIN_EXE_omnilog"), path.display().to_string());
    let script = format!(
        "import resource,subprocess; subprocess.run({run},stdout=subprocess.DEVNULL,stderr=subprocess.DEVNULL); \
         print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    );
    let output = Command::new("python3").args(["-c", &script]).output().ok()?;
    String::from_utf8_lossy(&output.stdout).trim().parse().ok()
}
