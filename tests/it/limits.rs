//! The limits of lines and documents, and what the report says when one is reached. The limits of containers are tested
//! beside the code that enforces them (`src/input/tests/limits.rs`).

use omnilog::input::Options;
use omnilog::pipeline::{self, Analysis};
use omnilog::scan::{Scanner, SourceContext, SourceOutcome};

use crate::lab::{NOW, catalogue};
use crate::support::{Dir, FULL, confidences, gzip, omnilog, tar};

/// A scanner with small limits.
fn scanner(line: usize, document: usize) -> Scanner<'static> {
    let mut scanner = Scanner::new(catalogue(), NOW);
    scanner.limits.line = line;
    scanner.limits.document = document;
    scanner
}

fn scanned(scanner: &Scanner<'_>, text: &str) -> SourceOutcome {
    scanner.text(SourceContext::default(), text.as_bytes())
}

#[test]
fn a_line_is_read_up_to_the_limit_and_one_byte_more_is_told() {
    let fault = FULL.trim_end();
    let text = format!("{fault}\n{fault}\n");
    let at_the_edge = scanned(&scanner(fault.len(), 1000), &text);
    assert_eq!((at_the_edge.found.truncated, at_the_edge.found.lines), (0, 2));
    let beyond = scanned(&scanner(fault.len() - 1, 1000), &text);
    assert_eq!((beyond.found.truncated, beyond.found.lines), (2, 2));
    // What stands behind the limit is not looked at.
    let hidden = format!("{}{fault}\n", "x".repeat(100));
    assert!(!scanned(&scanner(1000, 1000), &hidden).found.tallies.is_empty());
    assert!(scanned(&scanner(100, 1000), &hidden).found.tallies.is_empty());
}

/// Nodes of which the last one is short of memory, in so many bytes at least.
fn nodes(bytes: usize) -> String {
    let node = |name: &str, pressure: &str| {
        format!(
            "{{\n  \"apiVersion\": \"v1\",\n  \"kind\": \"Node\",\n  \"metadata\": {{\n    \"name\": \"{name}\"\n  }},\n  \
             \"status\": {{\n    \"conditions\": [\n      {{\n        \"status\": \"{pressure}\",\n        \"type\": \
             \"MemoryPressure\"\n      }}\n    ]\n  }}\n}}\n"
        )
    };
    let mut text = String::new();
    for number in 0.. {
        if text.len() > bytes {
            break;
        }
        text.push_str(&node(&format!("worker-{number}"), "False"));
    }
    text + &node("store-0", "True")
}

/// The same as the items of one list.
fn list(bytes: usize) -> String {
    let items = nodes(bytes).replace("\n}\n{\n", "\n},\n{\n").replace('\n', "\n    ");
    format!("{{\n  \"apiVersion\": \"v1\",\n  \"items\": [\n    {}\n  ],\n  \"kind\": \"List\"\n}}\n", items.trim_end())
}

#[test]
fn a_document_is_read_up_to_the_limit_and_one_byte_more_is_told() {
    let text = list(5_000);
    let whole = scanned(&scanner(1000, text.len()), &text);
    assert_eq!((whole.found.oversized, whole.found.truncated), (0, 0));
    assert_eq!(whole.found.documents, ["json"]);
    let part = scanned(&scanner(1000, text.len() - 1), &text);
    assert_eq!(part.found.oversized, 1);
    assert!(part.found.documents.contains(&"json"), "the beginning was not read");
}

fn analysed(scanner: &Scanner<'_>, text: &str) -> Analysis {
    let dir = Dir::with(&[("input.txt", text)]);
    pipeline::read_paths(scanner, &[dir.join("input.txt")], &Options::default())
}

#[test]
fn reaching_a_limit_is_a_line_in_the_report() {
    let messages = |analysis: Analysis| analysis.problems.into_iter().map(|p| p.message).collect::<Vec<_>>();
    assert_eq!(messages(analysed(&scanner(1000, 1000), FULL)), Vec::<String>::new());
    let lines = messages(analysed(&scanner(20, 1000), FULL));
    assert_eq!(lines, ["1 lines have more than 20 bytes; the rest of them was not looked at"]);
    let documents = messages(analysed(&scanner(1000, 500), &list(5_000)));
    assert_eq!(documents, ["1 documents have more than 500 bytes and were read in part; split them"]);
}

#[test]
fn documents_larger_than_a_chunk_are_read_whole() {
    let small = list(1_000);
    let expected = confidences(&omnilog(["-"]).input(&small).report());
    assert!(expected.first().is_some_and(|(id, _)| id.starts_with("node-memory/")), "{expected:?}");
    let dir = Dir::new();
    for (name, text) in [("list.json", list(3 << 20)), ("many.json", nodes(9 << 20))] {
        let file = dir.write(name, text.as_bytes());
        let packed = dir.write(&format!("{name}.gz"), &gzip(text.as_bytes()));
        for run in [omnilog([file]), omnilog([packed]), omnilog(["-"]).input(&text)] {
            let report = run.report();
            assert_eq!(report["problems"].as_array().map(Vec::len), Some(0), "{name}: {}", report["problems"]);
            assert_eq!(confidences(&report), expected, "{name}");
        }
    }
}

#[test]
fn a_list_beyond_the_limit_of_documents_is_read_item_by_item() {
    let expected = confidences(&omnilog(["-"]).input(list(1_000)).report());
    assert!(expected.first().is_some_and(|(id, _)| id.starts_with("node-memory/")), "{expected:?}");
    let json = list(19 << 20);
    let item = "- apiVersion: v1\n  kind: Node\n  metadata:\n    name: worker\n  status:\n    conditions:\n    - \
                status: \"False\"\n      type: MemoryPressure\n";
    let short = item.replace("False", "True").replace("worker", "store-0");
    let yaml = format!("apiVersion: v1\nitems:\n{}{short}kind: List\n", item.repeat((9 << 20) / item.len()));
    for (name, text) in [("list.json", json), ("list.yaml", yaml)] {
        let dir = Dir::with(&[(name, &text)]);
        for run in [omnilog([name]).within(dir.path()), omnilog(["-"]).input(&text)] {
            let report = run.report();
            assert_eq!(report["problems"].as_array().map(Vec::len), Some(0), "{name}: {}", report["problems"]);
            assert_eq!(confidences(&report), expected, "{name}");
            assert_eq!(report["inputs"][0]["lines"], text.lines().count(), "{name}");
            let at = text.lines().position(|line| line.contains("True")).expect("the one") as u64 + 1;
            let near = report["root_causes"][0]["evidence"][0]["line"].as_u64().expect("a line");
            assert!(near.abs_diff(at) <= 1, "{name}: line {near} instead of {at}");
        }
    }
}

#[test]
fn a_line_across_the_end_of_a_chunk_is_read_up_to_the_limit() {
    // Files of this size are read in parallel, in chunks of 1 MiB.
    let line = |length: usize| format!("{}\n", "x".repeat(length - 1));
    let fault = FULL.trim_end();
    let before = line(1000).repeat(1040);
    let text = format!("{before}{} {fault}\n{}", "y".repeat(700_000), line(1000).repeat(9000));
    let dir = Dir::with(&[("long.log", &text)]);
    let report = omnilog([dir.join("long.log")]).report();
    assert_eq!(report["problems"].as_array().map(Vec::len), Some(0), "{}", report["problems"]);
    assert_eq!(report["root_causes"][0]["id"], "proxmox-storage/storage-full");
    assert_eq!(report["root_causes"][0]["evidence"][0]["line"], 1041);
}

/// Members of 64 MiB of the same byte, as many as make 10 GiB.
fn bomb() -> Vec<u8> {
    use std::io::Write;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(&vec![b'0'; 64 << 20]).expect("memory");
    encoder.finish().expect("memory").repeat(160)
}

#[cfg(target_os = "linux")]
#[test]
fn a_bomb_of_ten_gibibytes_is_told_and_costs_nothing_beside_it() {
    let dir = Dir::with(&[("in/task.log", FULL)]);
    let bomb = bomb();
    dir.write("in/bomb.gz", &bomb);
    dir.write("in/bomb.tar", &tar(&[("a/bomb.gz", &bomb), ("a/after.log", b"TASK OK\n")]));
    // A tenth of what it unfolds to is more than there is.
    let script = "ulimit -v 1048576; exec \"$0\" --format json in";
    let mut command = std::process::Command::new("sh");
    command.args(["-c", script, env!("CARGO_BIN_EXE_omnilog")]).env_clear().current_dir(dir.path());
    let output = command.output().expect("a shell");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(report["root_causes"][0]["id"], "proxmox-storage/storage-full");
    let told = |source: &str| {
        let problems = report["problems"].as_array().expect("a list");
        problems.iter().any(|p| p["source"] == source && p["message"].to_string().contains("decompression bomb"))
    };
    assert!(told("in/bomb.gz") && told("in/bomb.tar!/a/bomb.gz"), "{}", report["problems"]);
    let inputs = report["inputs"].as_array().expect("a list");
    assert!(inputs.iter().any(|i| i["source"] == "in/bomb.tar!/a/after.log"), "{inputs:?}");
}

#[test]
fn json_that_is_cut_off_is_read_as_far_as_it_goes_and_told() {
    let whole = list(1_000);
    let expected = confidences(&omnilog(["-"]).input(&whole).report());
    assert!(expected.first().is_some_and(|(id, _)| id.starts_with("node-memory/")), "{expected:?}");
    // In the item behind the one that is short of memory.
    let cut = whole.trim_end().trim_end_matches("],\n  \"kind\": \"List\"\n}").trim_end();
    let cut = format!("{cut},\n    {{\n      \"apiVersion\": \"v1\",\n      \"kind\": \"No");
    for name in ["nodes.json", "nodes.txt"] {
        let dir = Dir::with(&[(name, &cut)]);
        let report = omnilog([name]).within(dir.path()).report();
        assert_eq!(confidences(&report), expected);
        assert_eq!(report["problems"][0]["kind"], "truncated");
        assert_eq!(report["problems"][0]["message"], "its JSON ends in the middle; fetch it again for the rest");
        assert_eq!(report["coverage"]["cut"][0]["source"], name);
    }
    assert_eq!(omnilog(["-"]).input(&whole).report()["problems"].as_array().map(Vec::len), Some(0));
}
