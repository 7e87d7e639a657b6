//! The same input gives the same answer: as a file, compressed, in archives within archives, through a pipe, at any number
//! of threads and in any order of arguments.

use crate::lab::{self, Case};
use crate::support::{Dir, confidences, gzip, none, omnilog, tar, zip};

/// A sample of one source for each scenario, enough to go through every wrapping.
fn single() -> Vec<&'static Case> {
    let mut seen = std::collections::BTreeSet::new();
    let cases = lab::cases().iter().filter(|c| c.leads() && c.sample.log.is_some() && c.sample.files.is_empty());
    cases.filter(|c| seen.insert(c.id.split('/').next())).collect()
}

/// Samples of several sources.
fn several() -> Vec<&'static Case> {
    let found: Vec<_> = lab::cases().iter().filter(|c| c.leads() && c.sample.files.len() > 1).take(12).collect();
    assert!(!found.is_empty(), "no sample has several files");
    found
}

#[test]
fn every_wrapping_gives_the_same_root_causes() {
    let mut complaints = Vec::new();
    for case in single() {
        let text = case.sample.log.as_deref().expect("one source").as_bytes();
        let dir = Dir::new();
        let wrappings = [
            ("sample.log.gz", gzip(text)),
            ("sample.tar.gz", gzip(&tar(&[("sample.log", text)]))),
            ("nested.zip", zip(&[("inner.zip", &zip(&[("sample.log", text)]))])),
            ("mixed.tar", tar(&[("inner.zip", &zip(&[("sample.log.gz", &gzip(text))]))])),
        ];
        let file = dir.write("sample.log", text);
        let plain = confidences(&omnilog([file]).report());
        for (name, bytes) in wrappings {
            let wrapped = confidences(&omnilog([dir.write(name, &bytes)]).report());
            if wrapped != plain {
                complaints.push(format!("{} in {name}: {wrapped:?} instead of {plain:?}", case.name()));
            }
        }
        for stream in [text.to_vec(), gzip(text), zip(&[("sample.log", text)])] {
            let piped = confidences(&omnilog::<&str>([]).input(stream).report());
            if piped != plain {
                complaints.push(format!("{} through a pipe: {piped:?} instead of {plain:?}", case.name()));
            }
        }
    }
    none(&complaints);
}

#[test]
fn a_bundle_gives_the_same_root_causes_as_its_files() {
    let mut complaints = Vec::new();
    for case in several() {
        let dir = Dir::new();
        for (name, text) in case.texts() {
            dir.write(&format!("files/{name}"), text.as_bytes());
        }
        let members: Vec<(&str, &[u8])> = case.texts().into_iter().map(|(n, t)| (n, t.as_bytes())).collect();
        let plain = confidences(&omnilog([dir.join("files")]).report());
        for (name, bytes) in [("bundle.tar.gz", gzip(&tar(&members))), ("bundle.zip", zip(&members))] {
            let bundled = confidences(&omnilog([dir.write(name, &bytes)]).report());
            if bundled != plain {
                complaints.push(format!("{} in {name}: {bundled:?} instead of {plain:?}", case.name()));
            }
        }
    }
    none(&complaints);
}

#[test]
fn threads_and_order_of_arguments_do_not_change_a_byte() {
    let mut complaints = Vec::new();
    for case in several() {
        let dir = Dir::new();
        for (name, text) in case.texts() {
            dir.write(name, text.as_bytes());
        }
        let names: Vec<&str> = case.texts().into_iter().map(|(name, _)| name).collect();
        let reversed: Vec<&str> = names.iter().rev().copied().collect();
        let run = |names: &[&str], threads: &str| {
            let run = omnilog(names).args(["--format", "json"]).env("RAYON_NUM_THREADS", threads);
            run.within(dir.path()).exits(0).stdout
        };
        let one = run(&names, "1");
        for (what, other) in [
            ("two threads", run(&names, "2")),
            ("reversed arguments", run(&reversed, "1")),
            ("reversed arguments and two threads", run(&reversed, "2")),
        ] {
            if other != one {
                complaints.push(format!("{}: {what} change the report", case.name()));
            }
        }
    }
    none(&complaints);
}

/// A log long enough to be cut into chunks and read in parallel, with faults at its ends and in the middle.
fn long() -> String {
    let case = lab::positives("proxmox-storage/storage-full").into_iter().find(|c| c.leads() && c.sample.log.is_some());
    let fault = case.and_then(|c| c.sample.log.as_deref()).expect("a sample of one source").trim_end();
    let mut text = format!("{fault}\n");
    for number in 0..60_000u32 {
        text.push_str(&format!(
            "{{\"level\":\"info\",\"ts\":{}.25,\"caller\":\"qruntime/qruntime.go:314\",\"msg\":\"reconcile succeeded\",\
             \"controller\":\"proxmox.ProvisionController\",\"id\":\"workers-{number:05}\",\"busy\":0.{number}}}\n",
            1_789_459_200 + number
        ));
        if number % 977 == 0 {
            text.push_str(&format!(
                "{{\"level\":\"error\",\"ts\":{}.5,\"caller\":\"x/y.go:1\",\"msg\":\"gizmo {} went astray\"}}\n",
                1_789_459_200 + number,
                char::from(b'a' + (number % 26) as u8)
            ));
        }
        if number == 30_000 {
            text.push_str(fault);
            text.push('\n');
        }
    }
    text + fault + "\n"
}

#[test]
fn a_large_file_reads_the_same_in_parallel_and_as_a_stream() {
    let text = long();
    assert!(text.len() > 9 << 20, "{} bytes are not enough to read in parallel", text.len());
    let dir = Dir::new();
    dir.write("long.log", text.as_bytes());
    let run = |threads: &str| {
        let run = omnilog(["long.log", "--format", "json"]).env("RAYON_NUM_THREADS", threads);
        run.within(dir.path()).exits(0).stdout
    };
    let one = run("1");
    assert_eq!(one, run("2"), "two threads change the report");
    let piped = omnilog(["--format", "json"]).input(&text).exits(0).stdout;
    let named = piped.replace("\"<stdin>\"", "\"long.log\"");
    assert_eq!(one, named, "a pipe changes the report");
}

/// A container's log of records that the runtime parted, since they are longer than its lines: some of the places at which a file
/// is cut lie within a part.
fn parted() -> String {
    let mut text = String::new();
    for number in 0..6_000u32 {
        let stamp = |part: u32| format!("2026-09-15T08:{:02}:{:02}.{part:09}Z stderr", number / 60 % 60, number % 60);
        text.push_str(&format!("{} P {}\n", stamp(1), "part ".repeat(300 + number as usize % 37)));
        text.push_str(&format!("{} F the end of record {number}\n", stamp(2)));
    }
    text
}

#[test]
fn records_that_a_runtime_parted_are_read_once_wherever_a_file_is_cut() {
    let text = parted();
    assert!(text.len() > 9 << 20, "{} bytes are not enough to read in parallel", text.len());
    let dir = Dir::new();
    dir.write("parted.log", text.as_bytes());
    let file = omnilog(["parted.log", "--format", "json"]).within(dir.path()).exits(0).stdout;
    let piped = omnilog(["--format", "json"]).input(&text).exits(0).stdout;
    let lines = |report: &str| {
        let report: serde_json::Value = serde_json::from_str(report).expect("a report");
        report["inputs"][0]["lines"].as_u64()
    };
    assert_eq!(lines(&file), Some(text.lines().count() as u64));
    assert_eq!(file, piped.replace("\"<stdin>\"", "\"parted.log\""), "a pipe changes the report");
}
