//! samples/bundles: each layout that people hand over is packed as its tool packs it, and the planted root cause comes out first.
//!
//! A layout is a folder with `tree/`, what is inside, and `expected.toml`:
//!
//! ```toml
//! pack = "zip"                      # how: zip | zip.age | tar.gz | pvereport
//! file = "support-demo.zip"         # what the archive is called
//! id = "node-memory/oom"            # must stand first, at 0.8 or more
//! source = "192.0.2.76/dmesg.log"   # part of the name of a source of its evidence
//! cites = "Out of memory"           # text of its evidence
//! entities = { "talos.node" = "192.0.2.76" }   # what the paths tell (optional)
//! versions = { talos = "1.12.4" }   # what `coverage.versions` must hold (optional)
//! ```
//!
//! Archives may hold a name twice: `NAME~2` in the tree goes in as another `NAME`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;

use crate::incidents;
use crate::support::{Dir, age, confidences, entries, files, gzip, none, omnilog, samples, tar, zip};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    pack: String,
    file: String,
    id: String,
    source: String,
    cites: String,
    #[serde(default)]
    entities: BTreeMap<String, String>,
    #[serde(default)]
    versions: BTreeMap<String, String>,
}

/// A layout: its folder and what is expected of it.
struct Layout {
    folder: PathBuf,
    expected: Expected,
}

fn layouts() -> Vec<Layout> {
    let read = |folder: PathBuf| {
        let path = folder.join("expected.toml");
        let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let expected = toml::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        Layout { folder, expected }
    };
    entries(&samples("bundles")).into_iter().map(read).collect()
}

/// The folder with what is inside of each layout, and the root cause that it leads to.
pub fn trees() -> Vec<(PathBuf, String)> {
    layouts().into_iter().map(|layout| (layout.tree(), layout.expected.id)).collect()
}

impl Layout {
    fn name(&self) -> String {
        self.folder.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default()
    }

    fn tree(&self) -> PathBuf {
        self.folder.join("tree")
    }

    /// Names and bytes of what is inside, in the order of names.
    fn members(&self) -> Vec<(String, Vec<u8>)> {
        let tree = self.tree();
        let name = |path: &Path| path.strip_prefix(&tree).expect("below the tree").to_string_lossy().into_owned();
        let read = |path: PathBuf| {
            let name = name(&path);
            let name = name.strip_suffix("~2").map(str::to_owned).unwrap_or(name);
            (name, std::fs::read(&path).expect("a file"))
        };
        files(&tree).into_iter().map(read).collect()
    }

    /// The archive as its tool makes it, and the key that opens it.
    fn packed(&self) -> (Vec<u8>, Option<String>) {
        let members = self.members();
        let members: Vec<(&str, &[u8])> = members.iter().map(|(n, b)| (n.as_str(), b.as_slice())).collect();
        match self.expected.pack.as_str() {
            "zip" => (go_zip(&members), None),
            "zip.age" => {
                let (bytes, key) = age(&go_zip(&members));
                (bytes, Some(key))
            }
            "tar.gz" => (gzip(&tar(&members)), None),
            "pvereport" => (report(&members), None),
            other => panic!("{}: {other} is no way to pack", self.name()),
        }
    }

    /// What is wrong with a report.
    fn complaints(&self, report: &Value) -> Vec<String> {
        let expected = &self.expected;
        let mut complaints = Vec::new();
        let ranking = confidences(report);
        if ranking.first().is_none_or(|(id, confidence)| *id != expected.id || *confidence < 0.8) {
            complaints.push(format!("{ranking:?} instead of {}", expected.id));
        }
        let others = ranking.iter().skip(1).filter(|(_, confidence)| *confidence >= 0.5);
        complaints.extend(others.map(|(id, _)| format!("{id} is named, too")));
        let cause = &report["root_causes"][0];
        let evidence = cause["evidence"].as_array().cloned().unwrap_or_default();
        let is_cited = evidence.iter().any(|e| {
            let holds = |key: &str, part: &str| e[key].as_str().is_some_and(|text| text.contains(part));
            holds("source", &expected.source) && holds("excerpt", &expected.cites)
        });
        if !is_cited {
            complaints.push(format!("{:?} of {} is not cited: {evidence:?}", expected.cites, expected.source));
        }
        for (key, value) in &expected.entities {
            if !cause["entities"][key].as_array().is_some_and(|list| list.iter().any(|v| v == value)) {
                complaints.push(format!("{key} is not {value}: {}", cause["entities"]));
            }
        }
        for (name, version) in &expected.versions {
            let seen = &report["coverage"]["versions"][name];
            if !seen.as_array().is_some_and(|list| list.iter().any(|v| v == version)) {
                complaints.push(format!("{name} is not {version}: {}", report["coverage"]["versions"]));
            }
        }
        let is_empty = |problem: &&Value| problem["kind"] == "empty";
        let problems = report["problems"].as_array().cloned().unwrap_or_default();
        complaints.extend(problems.iter().filter(|p| !is_empty(p)).map(|p| format!("problem: {p}")));
        complaints.into_iter().map(|complaint| format!("{}: {complaint}", self.name())).collect()
    }
}

/// A zip as Go writes it: sizes behind the data, since it goes out as a stream.
fn go_zip(members: &[(&str, &[u8])]) -> Vec<u8> {
    use std::io::Write;
    let mut bytes = Vec::new();
    let mut writer = zip::ZipWriter::new_stream(&mut bytes);
    let options = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated);
    let mut seen = std::collections::BTreeSet::new();
    for (name, text) in members {
        // The crate refuses a name twice; names of the same length are exchanged in the finished bytes below.
        let name = if seen.insert(*name) { (*name).to_owned() } else { twin(name) };
        writer.start_file(name, options).expect("memory");
        writer.write_all(text).expect("memory");
    }
    writer.finish().expect("memory");
    for (name, _) in members {
        let twin = twin(name);
        let places: Vec<usize> = memchr::memmem::find_iter(&bytes, twin.as_bytes()).collect();
        for at in places {
            bytes.get_mut(at..at + name.len()).expect("a name").copy_from_slice(name.as_bytes());
        }
    }
    bytes
}

/// A name of the same length that no member has.
fn twin(name: &str) -> String {
    format!("{}\u{7f}", name.get(..name.len() - 1).expect("ASCII"))
}

/// The text that `pvereport` prints: a heading before each section.
fn report(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut text = Vec::new();
    for (name, section) in members {
        let title = name.split_once(' ').map_or(*name, |(_, title)| title).trim_end_matches(".txt");
        text.extend(format!("\n==== {title} ====\n").as_bytes());
        text.extend_from_slice(section);
    }
    text
}

#[test]
fn the_planted_root_cause_of_every_layout_is_found() {
    let layouts = layouts();
    let names: Vec<String> = layouts.iter().map(Layout::name).collect();
    let expected =
        ["kubectl-cluster-info-dump", "must-gather", "omnictl-support", "pve-log", "pvereport", "talosctl-support"];
    assert_eq!(names, expected);
    let mut complaints = Vec::new();
    for layout in &layouts {
        let dir = Dir::new();
        let (bytes, key) = layout.packed();
        dir.write(&layout.expected.file, &bytes);
        let mut run = omnilog([&layout.expected.file]).within(dir.path());
        if let Some(key) = key {
            dir.write("key.txt", key.as_bytes());
            run = run.args(["-i", "key.txt"]);
        }
        complaints.extend(layout.complaints(&run.report()));
    }
    none(&complaints);
}

/// What is wrong with the answers to members that come loose, in archives of each kind, encrypted and through a pipe.
fn differences(name: &str, members: &[(String, Vec<u8>)]) -> Vec<String> {
    let dir = Dir::new();
    for (index, (name, bytes)) in members.iter().enumerate() {
        // A folder holds no name twice.
        let twice = members.iter().take(index).any(|(other, _)| other == name);
        dir.write(&format!("loose/{name}{}", if twice { ".2.log" } else { "" }), bytes);
    }
    let members: Vec<(&str, &[u8])> = members.iter().map(|(n, b)| (n.as_str(), b.as_slice())).collect();
    let archive = go_zip(&members);
    let (encrypted, key) = age(&archive);
    dir.write("key.txt", key.as_bytes());
    dir.write("bundle.tar.gz", &gzip(&tar(&members)));
    dir.write("nested.zip", &zip(&[("ticket/support.zip", &archive)]));
    dir.write("bundle.zip.age", &encrypted);
    let run = |path: &str| confidences(&omnilog([path, "-i", "key.txt"]).within(dir.path()).report());
    let loose = run("loose");
    let mut complaints = Vec::new();
    for wrapped in ["bundle.tar.gz", "nested.zip", "bundle.zip.age"] {
        let found = run(wrapped);
        if found != loose {
            complaints.push(format!("{name} in {wrapped}: {found:?} instead of {loose:?}"));
        }
    }
    for (what, bytes) in [("tar.gz", gzip(&tar(&members))), ("zip", archive), ("age", encrypted)] {
        let piped = confidences(&omnilog(["-", "-i", "key.txt"]).within(dir.path()).input(bytes).report());
        if piped != loose {
            complaints.push(format!("{name} as {what} through a pipe: {piped:?} instead of {loose:?}"));
        }
    }
    complaints
}

#[test]
fn a_layout_gives_the_same_in_every_wrapping() {
    let complaints: Vec<String> = layouts().iter().flat_map(|l| differences(&l.name(), &l.members())).collect();
    none(&complaints);
}

/// Files of an incident that make it worth packing.
const SEVERAL: usize = 4;

#[test]
fn incidents_of_several_sources_give_the_same_in_every_wrapping() {
    let (mut complaints, mut count) = (Vec::new(), 0);
    for (folder, _) in incidents::incidents() {
        let inputs = incidents::input(&folder);
        let paths: Vec<PathBuf> =
            inputs.iter().flat_map(|path| if path.is_dir() { files(path) } else { vec![path.clone()] }).collect();
        if paths.len() < SEVERAL {
            continue;
        }
        count += 1;
        let name = |path: &Path| path.strip_prefix(&folder).expect("below it").to_string_lossy().into_owned();
        let members: Vec<(String, Vec<u8>)> =
            paths.iter().map(|path| (name(path), std::fs::read(path).expect("a file"))).collect();
        complaints.extend(differences(&folder.display().to_string(), &members));
    }
    assert!(count >= 10, "only {count} incidents have {SEVERAL} sources");
    none(&complaints);
}

#[test]
fn every_member_of_every_layout_is_a_source_or_has_a_reason() {
    let mut complaints = Vec::new();
    for layout in layouts().into_iter().filter(|layout| layout.expected.pack != "pvereport") {
        let dir = Dir::new();
        let members = layout.members();
        let pairs: Vec<(&str, &[u8])> = members.iter().map(|(n, b)| (n.as_str(), b.as_slice())).collect();
        dir.write("bundle.zip", &go_zip(&pairs));
        let report = omnilog(["bundle.zip"]).within(dir.path()).report();
        let sources = |list: &Value| -> Vec<String> {
            let list = list.as_array().cloned().unwrap_or_default();
            list.iter().filter_map(|entry| entry["source"].as_str().map(str::to_owned)).collect()
        };
        let (read, skipped) = (sources(&report["inputs"]), sources(&report["coverage"]["skipped"]));
        for (name, _) in &members {
            let label = format!("bundle.zip!/{name}");
            if !read.contains(&label) && !skipped.contains(&label) {
                complaints.push(format!("{}: {name} is neither read nor named", layout.name()));
            }
        }
        for input in report["inputs"].as_array().into_iter().flatten() {
            if input["formats"].as_array().is_none_or(Vec::is_empty) || input["status"].as_str().is_none() {
                complaints.push(format!("{}: no format or status in {input}", layout.name()));
            }
        }
        let reasons = report["coverage"]["skipped"].as_array().cloned().unwrap_or_default();
        let bare = reasons.iter().filter(|entry| entry["why"].as_str().is_none_or(str::is_empty));
        complaints.extend(bare.map(|entry| format!("{}: no reason for {entry}", layout.name())));
    }
    none(&complaints);
}

#[test]
fn the_dump_that_kubectl_prints_is_read_as_one_text() {
    // Without a folder, `kubectl cluster-info dump` prints all documents and logs one after the other.
    let layout = layouts().into_iter().find(|l| l.name() == "kubectl-cluster-info-dump").expect("the layout");
    let text: Vec<u8> = layout.members().into_iter().flat_map(|(_, bytes)| bytes).collect();
    let report = omnilog(["-"]).input(text).report();
    assert_eq!(report["root_causes"][0]["id"], layout.expected.id.as_str());
    assert!(report["root_causes"][0]["confidence"].as_f64().is_some_and(|c| c >= 0.8));
}
