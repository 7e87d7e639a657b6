//! Puts the catalogue into the binary: the texts of the pattern files as they are, an index of the parts that matching and
//! ranking need (for `--patterns`, which adds to it), and the catalogue that comes out when these files are compiled, so that a start
//! has nothing to resolve. It also counts which 6-grams are common in ordinary logs (`samples/healthy`), by which anchors
//! are chosen.
//!
//! The compiler is the program's own: its files are modules here too, and the root stands in for `catalog`; what only the program
//! calls of them is dead code here. What is wrong with a
//! pattern file is kept beside the catalogue, and told by `omnilog patterns check` and the tests.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

#[path = "src/catalog/anchor.rs"]
#[allow(dead_code)]
mod anchor;
#[path = "src/catalog/compile.rs"]
#[allow(dead_code)]
mod compile;
#[path = "src/event/mod.rs"]
#[allow(dead_code, unused_imports)]
mod event;
#[path = "src/catalog/expr.rs"]
#[allow(dead_code)]
mod expr;
#[path = "src/catalog/file.rs"]
mod file;
#[path = "src/catalog/model.rs"]
#[allow(dead_code)]
mod model;
#[path = "src/catalog/over.rs"]
#[allow(dead_code)]
mod over;
#[path = "src/suggest.rs"]
mod suggest;
#[path = "src/catalog/version.rs"]
#[allow(dead_code)]
mod version;

use expr::Expr;
use lazy::LazyRegex;
#[allow(clippy::wildcard_imports)]
use model::*;

/// What `catalog::common` is for the program.
mod common {
    use std::sync::OnceLock;

    /// Counted before anything is compiled.
    pub static COMMON: OnceLock<Vec<u8>> = OnceLock::new();

    pub fn commonness(slot: u16) -> u8 {
        COMMON.get().and_then(|common| common.get(usize::from(slot))).copied().unwrap_or_default()
    }
}

/// What `catalog::lazy` is for the program: a regex is written as its source.
mod lazy {
    #[derive(Debug, serde::Serialize, serde::Deserialize)]
    #[serde(transparent)]
    pub struct LazyRegex {
        pub source: String,
    }

    impl LazyRegex {
        pub fn new(source: String) -> Self {
            Self { source }
        }
    }
}

/// Keys of a root cause that are read only when it is shown.
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
    grams(&root.join("samples/healthy"), &out);
    catalogue(&root.join("patterns"), &out);
}

fn catalogue(folder: &Path, out: &Path) {
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut index: BTreeMap<&str, BTreeMap<String, toml::Value>> = BTreeMap::new();
    for kind in ["causes", "scenarios", "benign"] {
        index.insert(kind, BTreeMap::new());
    }
    let mut code = String::new();
    let (mut parsed, mut texts, mut errors) = (compile::Parsed::default(), BTreeMap::new(), Vec::new());
    let mut digest = 0xcbf2_9ce4_8422_2325u64;
    for path in files(folder, "toml") {
        let Ok(relative) = path.strip_prefix(folder) else { continue };
        let id = relative.with_extension("").to_string_lossy().replace('\\', "/");
        if id.matches('/').count() != 1 {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        digest = text.bytes().fold(digest, |hash, b| (hash ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3));
        let shown = format!("patterns/{id}.toml");
        let _ = writeln!(code, "    ({id:?}, {shown:?}, include_str!({:?})),", path.display().to_string());
        match compile::parse_file(&mut parsed, &id, &shown, &text) {
            Ok(()) => note(&mut index, &id, &text),
            Err(error) => errors.push(error),
        }
        texts.insert(id, PatternText { path: shown, text: text.into() });
    }
    let digest = format!("{digest:016x}");
    let (compiled, more) = compile::compile(&parsed, texts, &digest);
    errors.extend(more);
    let json = serde_json::to_string(&index).expect("tables are JSON");
    std::fs::write(out.join("index.json"), json).expect("OUT_DIR can be written");
    let bytes = postcard::to_allocvec(&(compiled, errors)).expect("a catalogue is plain data");
    std::fs::write(out.join("catalogue.bin"), bytes).expect("OUT_DIR can be written");
    let code = format!(
        "pub const DIGEST: &str = \"{digest}\";\npub const INDEX: &str = include_str!(\"index.json\");\n\
         pub const COMPILED: &[u8] = include_bytes!(\"catalogue.bin\");\n\
         pub const TEXTS: &[(&str, &str, &str)] = &[\n{code}];\n"
    );
    std::fs::write(out.join("builtin.rs"), code).expect("OUT_DIR can be written");
}

/// Puts what matching and ranking need of a pattern file into the index.
fn note(index: &mut BTreeMap<&str, BTreeMap<String, toml::Value>>, id: &str, text: &str) {
    let mut table: toml::Table = text.parse().unwrap_or_default();
    let (scenario, name) = id.split_once('/').unwrap_or((id, ""));
    let (kind, key) = match (scenario, name) {
        ("benign", _) => ("benign", id),
        (_, "scenario") => ("scenarios", scenario),
        _ => ("causes", id),
    };
    if kind == "causes" {
        PROSE.iter().for_each(|key| drop(table.remove(*key)));
    }
    index.entry(kind).or_default().insert(key.to_owned(), toml::Value::Table(table));
}

/// One byte for each of 65,536 hashed 6-grams: how often it stands in ordinary logs, on a logarithmic scale.
fn grams(folder: &Path, out: &Path) {
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut counts = vec![0u32; 1 << 16];
    for path in files(folder, "") {
        let bytes = std::fs::read(&path).unwrap_or_default();
        for gram in bytes.windows(anchor::GRAM) {
            let slot = usize::from(anchor::slot(anchor::pack(gram)));
            counts[slot] = counts[slot].saturating_add(1);
        }
    }
    let table: Vec<u8> = counts.iter().map(|c| (32 - c.leading_zeros()) as u8).collect();
    std::fs::write(out.join("grams.bin"), &table).expect("OUT_DIR can be written");
    common::COMMON.get_or_init(|| table);
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
