//! Puts the pattern files into the binary: their texts as they are, and one JSON index of the parts that matching and
//! ranking need, so that a start does not parse a megabyte of TOML. It also counts which 6-grams are common in ordinary
//! logs (`samples/healthy`), from which the first filter picks its anchors.
//!
//! It validates nothing: `omnilog patterns check` and the tests do, with better messages. A file that is no TOML is left
//! out with a warning.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// Keys of a pattern file that are read only when a root cause is shown.
const PROSE: &[&str] = &[
    "sample",
    "description",
    "cause",
    "impact",
    "remediation",
    "collect",
    "references",
    "falsepositives",
    "differential",
    "components",
];

fn main() {
    let root = PathBuf::from(std::env::var("CARGO_MANIFEST_DIR").expect("set by cargo"));
    let out = PathBuf::from(std::env::var("OUT_DIR").expect("set by cargo"));
    println!("cargo::rerun-if-changed=build.rs");
    catalogue(&root.join("patterns"), &out);
    grams(&root.join("samples/healthy"), &out);
}

fn catalogue(folder: &Path, out: &Path) {
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut index: BTreeMap<&str, BTreeMap<String, toml::Value>> = BTreeMap::new();
    for kind in ["causes", "scenarios", "benign"] {
        index.insert(kind, BTreeMap::new());
    }
    let mut texts = String::new();
    let mut digest = 0xcbf2_9ce4_8422_2325u64;
    for path in files(folder, "toml") {
        let Ok(relative) = path.strip_prefix(folder) else { continue };
        let id = relative.with_extension("").to_string_lossy().replace('\\', "/");
        if id.matches('/').count() != 1 {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        let Ok(mut table) = text.parse::<toml::Table>() else {
            println!("cargo::warning=patterns/{id}.toml is left out: it is no TOML");
            continue;
        };
        digest = text.bytes().fold(digest, |hash, b| (hash ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3));
        for key in PROSE {
            table.remove(*key);
        }
        let (scenario, name) = id.split_once('/').unwrap_or((id.as_str(), ""));
        let (kind, key) = match (scenario, name) {
            ("benign", _) => ("benign", id.clone()),
            (_, "scenario") => ("scenarios", scenario.to_owned()),
            _ => ("causes", id.clone()),
        };
        if let Some(kind) = index.get_mut(kind) {
            kind.insert(key, toml::Value::Table(table));
        }
        let _ =
            writeln!(texts, "    ({id:?}, \"patterns/{id}.toml\", include_str!({:?})),", path.display().to_string());
    }
    let json = serde_json::to_string(&index).expect("tables are JSON");
    std::fs::write(out.join("index.json"), json).expect("OUT_DIR can be written");
    let code = format!(
        "pub const DIGEST: &str = \"{digest:016x}\";\npub const INDEX: &str = include_str!(\"index.json\");\n\
         pub const TEXTS: &[(&str, &str, &str)] = &[\n{texts}];\n"
    );
    std::fs::write(out.join("builtin.rs"), code).expect("OUT_DIR can be written");
}

/// One byte for each of 65,536 hashed 6-grams: how often it stands in ordinary logs, on a logarithmic scale.
fn grams(folder: &Path, out: &Path) {
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut counts = vec![0u32; 1 << 16];
    for path in files(folder, "") {
        let bytes = std::fs::read(&path).unwrap_or_default();
        for gram in bytes.windows(6) {
            let value = gram.iter().rev().fold(0u64, |v, b| (v << 8) | u64::from(*b));
            let slot = (value.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 48) as usize;
            counts[slot] = counts[slot].saturating_add(1);
        }
    }
    let table: Vec<u8> = counts.iter().map(|c| (32 - c.leading_zeros()) as u8).collect();
    std::fs::write(out.join("grams.bin"), table).expect("OUT_DIR can be written");
}

/// All files below a folder with this extension (any when empty), sorted.
fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_path_buf()];
    while let Some(directory) = open.pop() {
        for path in std::fs::read_dir(&directory).into_iter().flatten().flatten().map(|e| e.path()) {
            if path.is_dir() {
                open.push(path);
            } else if extension.is_empty() || path.extension().is_some_and(|e| e == extension) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}
