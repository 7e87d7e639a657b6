//! `cargo bench --bench bundles`: what compression costs, and how much memory bombs, large bundles and many tickets take.
//!
//! For each compression the whole job is set beside the decoder of this crate alone, on one thread and without a look at the
//! text. Peak memory is what the kernel counts for the process. `OMNILOG_BENCH_MIB` sets the size of the log (256),
//! `OMNILOG_BENCH_BUNDLE_MIB` that of the bundle (2048); the bomb unfolds to 10 GiB.

#![expect(clippy::print_stdout, reason = "the figures are the result")]

#[allow(dead_code, reason = "shared with other benches")]
mod support;

use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use omnilog::decode;
use omnilog::limits::Limits;

const OMNILOG: &str = env!("CARGO_BIN_EXE_omnilog");
const RUNS: usize = 5;
const MIB: u64 = 1 << 20;

fn main() {
    // `cargo test --benches` and a check that the bench still builds call it without `--bench`.
    if !std::env::args().any(|a| a == "--bench") {
        return;
    }
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let log = log(&folder, size("OMNILOG_BENCH_MIB", 256));
    for (name, command) in [("gzip", "gzip -6 -c"), ("zstd", "zstd -q -c"), ("xz", "xz -1 -c"), ("bzip2", "bzip2 -c")] {
        speed(name, command, &log);
    }
    memory("bomb of 10 GiB in gzip", &bomb(&folder));
    let bundle = bundle(&folder, size("OMNILOG_BENCH_BUNDLE_MIB", 2048));
    memory("honest zip bundle", &bundle);
    piped("the same through a pipe", &bundle);
    memory("zip of a million empty members", &empty_members(&folder));
    tickets(&folder);
}

fn size(variable: &str, default: u64) -> u64 {
    std::env::var(variable).ok().and_then(|v| v.parse().ok()).unwrap_or(default) * MIB
}

fn log(folder: &Path, bytes: u64) -> PathBuf {
    let path = folder.join(format!("bundles-{bytes}.log"));
    let mut out = BufWriter::with_capacity(1 << 20, File::create(&path).expect("target can be written"));
    support::generate(&mut out, bytes, &[], 0).expect("disk has room");
    out.flush().expect("disk has room");
    path
}

/// The whole job on a compressed log against its decoder alone.
fn speed(name: &str, command: &str, log: &Path) {
    let packed = log.with_extension(name);
    let script = format!("{command} '{}' > '{}'", log.display(), packed.display());
    if !Command::new("sh").args(["-c", &script]).status().is_ok_and(|s| s.success()) {
        return println!("{name:<34} `{command}` is not here");
    }
    let mut ratios: Vec<f64> = (0..RUNS).map(|_| alone(name, &packed) / whole(&packed)).collect();
    ratios.sort_by(f64::total_cmp);
    println!("{name:<34} {:.2} times the speed of its decoder alone", ratios[RUNS / 2]);
}

/// Seconds that the decoder takes, and nothing else.
fn alone(name: &str, packed: &Path) -> f64 {
    let started = Instant::now();
    let input = BufReader::with_capacity(64 << 10, File::open(packed).expect("it was just made"));
    let layer = decode::by_name(name).expect("a compression");
    let mut plain = layer.open(Box::new(input), &Limits::default());
    let mut buffer = vec![0; 256 << 10];
    while plain.read(&mut buffer).expect("it was just made") > 0 {}
    started.elapsed().as_secs_f64()
}

/// Seconds that the analysis takes.
fn whole(packed: &Path) -> f64 {
    let started = Instant::now();
    let status = Command::new(OMNILOG).args(["--format", "json"]).arg(packed).stdout(Stdio::null()).status();
    assert!(status.is_ok_and(|s| s.success()), "the analysis failed");
    started.elapsed().as_secs_f64()
}

/// Prints time and peak memory of a run on a file.
fn memory(name: &str, path: &Path) {
    measured(name, &format!("'{OMNILOG}' --format json '{}'", path.display()));
}

/// The same through a pipe.
fn piped(name: &str, path: &Path) {
    measured(name, &format!("cat '{}' | '{OMNILOG}' --format json", path.display()));
}

/// Runs a shell command whose last part is omnilog, and prints its time and the peak memory of the largest process.
fn measured(name: &str, command: &str) {
    let script = format!(
        "import resource,subprocess; subprocess.run(['sh','-c',{command:?}],stdout=subprocess.DEVNULL,\
         stderr=subprocess.DEVNULL); print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    );
    let started = Instant::now();
    let output = Command::new("python3").args(["-c", &script]).output().map(|o| o.stdout).unwrap_or_default();
    let peak =
        String::from_utf8_lossy(&output).trim().parse::<u64>().map_or("?".into(), |kib| (kib / 1024).to_string());
    println!("{name:<34} {:7.1} s, peak {peak} MiB", started.elapsed().as_secs_f64());
}

/// Members of 64 MiB of the same byte, one after the other, as many as make 10 GiB.
fn bomb(folder: &Path) -> PathBuf {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(&vec![b'0'; 64 << 20]).expect("memory");
    let member = encoder.finish().expect("memory");
    let path = folder.join("bomb.gz");
    let mut out = BufWriter::new(File::create(&path).expect("target can be written"));
    (0..160).for_each(|_| out.write_all(&member).expect("disk has room"));
    out.flush().expect("disk has room");
    path
}

/// A zip with eight logs, some of them compressed once more.
fn bundle(folder: &Path, bytes: u64) -> PathBuf {
    let part = log(folder, bytes / 8);
    let path = folder.join("bundle.zip");
    let mut writer = zip::ZipWriter::new(File::create(&path).expect("target can be written"));
    let options = zip::write::SimpleFileOptions::default()
        .compression_method(zip::CompressionMethod::Deflated)
        .compression_level(Some(1));
    for number in 0..8 {
        writer.start_file(format!("node-{number}/controller-runtime.log"), options).expect("disk has room");
        let mut log = File::open(&part).expect("it was just made");
        log.rewind().expect("a file");
        std::io::copy(&mut log, &mut writer).expect("disk has room");
    }
    writer.finish().expect("disk has room");
    path
}

fn empty_members(folder: &Path) -> PathBuf {
    let path = folder.join("empty.zip");
    let out = BufWriter::new(File::create(&path).expect("target can be written"));
    let mut writer = zip::ZipWriter::new(out);
    let options = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    (0..1_000_000).for_each(|number| writer.start_file(format!("{number}.log"), options).expect("disk has room"));
    writer.finish().expect("disk has room");
    path
}

/// A thousand small tickets in one go.
fn tickets(folder: &Path) {
    let tickets = folder.join("tickets");
    for number in 0..1000 {
        let ticket = tickets.join(format!("{number:04}"));
        std::fs::create_dir_all(&ticket).expect("disk has room");
        let mut out = BufWriter::new(File::create(ticket.join("provider.log")).expect("disk has room"));
        let fault =
            "TASK ERROR: unable to create VM 104 - free space in thin pool pve/data reached threshold".to_owned();
        support::generate(&mut out, 16 << 10, &[fault], 1_000).expect("disk has room");
    }
    measured("a thousand tickets of 16 KiB", &format!("'{OMNILOG}' triage --format json '{}'", tickets.display()));
}
