//! samples/hostile: bytes that want to break the reader, the terminal or the page. Every output stays harmless.

use std::path::PathBuf;

use crate::outputs;
use crate::screens::without_colour;
use crate::support::{Dir, FULL, files, harmful, none, omnilog, samples};

/// What is wrong with the outputs of these inputs.
fn harm(paths: &[PathBuf]) -> Vec<String> {
    let mut complaints = Vec::new();
    for output in outputs::all() {
        let run = omnilog(&output.args);
        let run = match paths {
            [path] if output.piped && path.is_file() => run.input(std::fs::read(path).expect("a file")),
            // Triage reads folders of tickets, and a stream is one file.
            [path] if output.piped || (output.tickets && path.is_file()) => continue,
            paths => run.args(paths),
        };
        let done = run.done();
        let output = output.args;
        if ![0, 2].contains(&done.status) || done.stderr.contains("panicked") {
            complaints.push(format!("{done}"));
        }
        let coloured = output.iter().any(|a| a == "--color");
        // Colours of omnilog's own; what the same text holds without them is looked at as well.
        let shown = if coloured { without_colour(&done.stdout) } else { done.stdout.clone() };
        // RFC 4180 ends lines with CR LF.
        let shown = if output.iter().any(|a| a == "csv") { shown.replace("\r\n", "\n") } else { shown };
        let found = harmful(&shown.replace('\t', " "));
        if !found.is_empty() {
            complaints.push(format!("{output:?} of {}: {found:?}", paths[0].display()));
        }
        let found = harmful(&done.stderr);
        if !found.is_empty() {
            complaints.push(format!("standard error of {output:?} of {}: {found:?}", paths[0].display()));
        }
    }
    complaints
}

#[test]
fn every_hostile_file_leaves_every_output_harmless() {
    let files = files(&samples("hostile"));
    assert!(!files.is_empty(), "samples/hostile is empty");
    none(&files.into_iter().flat_map(|f| harm(&[f])).collect::<Vec<_>>());
}

#[test]
fn all_hostile_files_together_leave_every_output_harmless() {
    none(&harm(&[samples("hostile")]));
}

#[test]
fn hostile_text_in_evidence_leaves_every_output_harmless() {
    let marks = "\u{1b}[2J\u{1b}]0;owned\u{7}\u{202e}\u{2066}\u{feff}\u{200b}\u{85}\u{9b}31m\u{0}\u{8}\u{7f}\u{e0041}";
    let log = format!("{marks}{FULL}{}{marks}\n", FULL.trim_end());
    let json = r#"{"level":"error","ts":1789459200.5,"caller":"x/y.go:1","msg":"failed \u001b[2J\u202e\u0007","error":"Cannot create new thin volume, free space in thin pool \u001b]0;x\u0007","id":"\u202e\u0000"}
"#;
    let dir = Dir::with(&[("task.log", &log), ("provider.log", json)]);
    for name in ["task.log", "provider.log"] {
        none(&harm(&[dir.join(name)]));
        omnilog([dir.join(name)]).exits(0).says("proxmox-storage/storage-full");
    }
}

#[cfg(unix)]
#[test]
fn hostile_names_of_files_leave_every_output_harmless() {
    let dir = Dir::new();
    dir.write("a\u{1b}[31m\u{202e}\nb|`<b>.log", FULL.as_bytes());
    none(&harm(&[dir.path().to_path_buf()]));
}

#[test]
fn hostile_values_never_reach_a_command() {
    let text = "TASK ERROR: unable to create VM 104; reboot - lvcreate 'pve/$(reboot)' error: Cannot create new thin volume, \
                free space in thin pool pve/$(reboot)`reboot` reached threshold.\n";
    let report = omnilog::<&str>([]).input(text).report();
    let first = &report["root_causes"][0];
    let runs = first["remediation"].as_array().into_iter().chain(first["collect"].as_array()).flatten();
    let complaints: Vec<String> =
        runs.map(|r| r["run"].to_string()).filter(|r| r.contains("reboot") || r.contains("$(")).collect();
    none(&complaints);
}

#[test]
fn an_endless_line_is_cut_and_said() {
    let mut text = "x".repeat(3 << 20);
    text.push('\n');
    text.push_str(FULL);
    let report = omnilog::<&str>([]).input(&text).report();
    assert_eq!(crate::support::ids(&report)[0], "proxmox-storage/storage-full");
    assert_eq!(report["root_causes"][0]["evidence"][0]["line"], 2);
    assert!(report["inputs"][0]["status"].as_str().is_some_and(|s| s.contains("cut")), "{}", report["inputs"]);
}

#[test]
fn every_encoding_gives_the_same_answer() {
    let utf16 = |swap: bool| {
        let unit = |u: u16| if swap { u.to_be_bytes() } else { u.to_le_bytes() };
        [0xfeff].into_iter().chain(FULL.encode_utf16()).flat_map(unit).collect::<Vec<u8>>()
    };
    let holes: Vec<u8> = FULL.bytes().chain([0; 64]).chain(FULL.bytes()).collect();
    let inputs: &[(&str, Vec<u8>)] = &[
        ("UTF-16 LE", utf16(false)),
        ("UTF-16 BE", utf16(true)),
        ("a byte order mark", [b"\xef\xbb\xbf", FULL.as_bytes()].concat()),
        ("CR LF", FULL.replace('\n', "\r\n").into_bytes()),
        ("bad UTF-8", [b"\xfa\xff\xc3\x28\n", FULL.as_bytes()].concat()),
        ("no line end", FULL.trim_end().as_bytes().to_vec()),
        ("NUL bytes", holes),
        ("colours", format!("\u{1b}[31m{}\u{1b}[0m\n", FULL.trim_end()).into_bytes()),
        ("a fence", format!("It says:\n```\n{FULL}```\n").into_bytes()),
    ];
    let mut complaints = Vec::new();
    for (name, bytes) in inputs {
        let report = omnilog::<&str>([]).input(bytes).report();
        if crate::support::ids(&report).first() != Some(&"proxmox-storage/storage-full") {
            complaints.push(format!("{name}: {}", report["root_causes"]));
        }
    }
    none(&complaints);
}
