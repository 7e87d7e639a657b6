//! `cargo bench --bench report`: what the HTML report of a large bundle takes: its share of the run, its size, and how long
//! headless Chromium needs to open it.
//!
//! The bundle is a folder of generated logs with evidence of hundreds of signatures, and the incidents of `samples/`.
//! `OMNILOG_BENCH_MIB` sets its size (1024). Without Chromium the last row is left out, and that is said.

#![expect(clippy::print_stdout, reason = "the figures are the result")]

#[allow(dead_code, reason = "shared with the tests")]
#[path = "../tests/it/chromium.rs"]
mod chromium;
#[allow(dead_code, reason = "shared with other benches")]
mod support;

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use omnilog::catalog::anchor;
use omnilog::catalog::{Catalogue, load};
use omnilog::input::Options;
use omnilog::pipeline;
use omnilog::redact::Pseudonyms;
use omnilog::report::{self, Style, border};
use omnilog::scan::Scanner;

/// Logs in the bundle.
const FILES: u64 = 16;
/// Runs; the best counts, since other work on the machine is not the report's fault.
const RUNS: usize = 3;

fn main() {
    // `cargo test --benches` and a check that the bench still builds call it without `--bench`.
    if !std::env::args().any(|a| a == "--bench") {
        return;
    }
    let mib: u64 = std::env::var("OMNILOG_BENCH_MIB").ok().and_then(|v| v.parse().ok()).unwrap_or(1024);
    let (catalogue, _) = load::builtin();
    let bundle = bundle(&catalogue, mib << 20);
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/incidents");
    let paths = [bundle.clone(), samples];
    let page = bundle.with_extension("html");
    let mut best: Option<Times> = None;
    for _ in 0..RUNS {
        let times = run(&catalogue, &paths, &page);
        if best.as_ref().is_none_or(|b| times.share() < b.share()) {
            best = Some(times);
        }
    }
    let Some(times) = best else { return };
    let bytes = std::fs::metadata(&page).map_or(0, |m| m.len());
    println!("bundle                       {mib} MiB in {FILES} logs, and the incidents of samples/");
    println!("reading and ranking          {:.2} s", times.analysis.as_secs_f64());
    println!(
        "report                       {:.3} s, {:.1} % of the run",
        times.report.as_secs_f64(),
        times.share() * 100.0
    );
    for (name, part) in times.parts {
        println!("  {name:<27}{:.3} s", part.as_secs_f64());
    }
    println!("HTML                         {:.2} MB", bytes as f64 / 1e6);
    match chromium::Browser::start() {
        Some(mut browser) => println!("opens in Chromium            {:.0} ms", opening(&mut browser, &page)),
        None => println!("opens in Chromium            skipped: no Chromium here"),
    }
}

/// How long the parts of a run take.
struct Times {
    analysis: Duration,
    report: Duration,
    parts: [(&'static str, Duration); 3],
}

impl Times {
    fn share(&self) -> f64 {
        self.report.as_secs_f64() / (self.report + self.analysis).as_secs_f64()
    }
}

fn run(catalogue: &Catalogue, paths: &[PathBuf], page: &Path) -> Times {
    let options = Options::default();
    let scanner = Scanner::new(catalogue, 1_789_459_200_000_000);
    let started = Instant::now();
    let analysis = pipeline::read_paths(&scanner, paths, &options);
    let mut report = analysis.report(catalogue);
    let read = started.elapsed();
    let renderer = report::renderer("html").expect("a format");
    pipeline::attach_context(&mut report, &analysis, renderer.context(), &options);
    let attached = started.elapsed();
    border::redact(&mut report, &mut Pseudonyms::default());
    let redacted = started.elapsed();
    let mut out = BufWriter::new(File::create(page).expect("target can be written"));
    renderer.render(&report, &Style::default(), &mut out).and_then(|()| out.flush()).expect("disk has room");
    let rendered = started.elapsed();
    let parts = [
        ("lines around evidence", attached.saturating_sub(read)),
        ("pseudonyms", redacted.saturating_sub(attached)),
        ("HTML", rendered.saturating_sub(redacted)),
    ];
    Times { analysis: read, report: rendered.saturating_sub(read), parts }
}

/// A folder of logs in which signatures of the whole catalogue stand.
fn bundle(catalogue: &Catalogue, bytes: u64) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("report-{bytes}"));
    std::fs::create_dir_all(&folder).expect("target can be written");
    let literals = catalogue.signatures.iter().filter(|s| !s.benign).flat_map(|s| s.any.iter().chain(&s.all));
    let fits = |l: &&String| anchor::piece(l).is_some() && l.is_ascii() && !l.contains(['\n', '\t']);
    let signatures: Vec<String> = literals.filter(fits).cloned().collect();
    for number in 0..FILES {
        let path = folder.join(format!("node-{number}.log"));
        if path.is_file() {
            continue;
        }
        let mut out = BufWriter::with_capacity(1 << 20, File::create(&path).expect("target can be written"));
        // Another rate gives another log.
        support::generate(&mut out, bytes / FILES, &signatures, 40 + number as usize).expect("disk has room");
        out.flush().expect("disk has room");
    }
    folder
}

/// Milliseconds from the start of navigation until the page is loaded and painted.
fn opening(browser: &mut chromium::Browser, page: &Path) -> f64 {
    let times = (0..RUNS).map(|_| {
        browser.open(page, chromium::DESK);
        browser.number(
            "new Promise(done => requestAnimationFrame(() => setTimeout(() => { \
             const paint = performance.getEntriesByType('paint').map(p => p.startTime); \
             done(Math.max(performance.getEntriesByType('navigation')[0].loadEventEnd, ...paint)); })))",
        )
    });
    times.fold(f64::INFINITY, f64::min)
}
