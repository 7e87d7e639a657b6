//! Reads pattern files: the catalogue compiled into the binary, and folders given with `--patterns`.
//!
//! For a fast start the binary carries, beside the full texts, the catalogue that `build.rs` compiled from them, and for
//! `--patterns`, which adds files to them, an index of everything that matching and ranking need. The only module of the catalogue
//! that does IO.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::compile::{self, Parsed, PatternError};
use super::{Catalogue, PatternText};

mod builtin {
    include!(concat!(env!("OUT_DIR"), "/builtin.rs"));
}

/// The index that `build.rs` writes.
#[derive(Deserialize, Default)]
struct Index {
    causes: BTreeMap<String, super::file::CauseFile>,
    scenarios: BTreeMap<String, super::file::ScenarioFile>,
    benign: BTreeMap<String, super::file::BenignFile>,
}

/// The catalogue compiled into the binary.
pub fn builtin() -> (Catalogue, Vec<PatternError>) {
    let (mut catalogue, errors): (Catalogue, _) = postcard::from_bytes(builtin::COMPILED).unwrap_or_default();
    catalogue.texts = builtin_texts();
    (catalogue, errors)
}

fn builtin_parsed() -> Parsed {
    let index: Index = serde_json::from_str(builtin::INDEX).unwrap_or_default();
    Parsed { causes: index.causes, scenarios: index.scenarios, benign: index.benign }
}

fn builtin_texts() -> BTreeMap<String, PatternText> {
    let text = |(id, path, text): &(&str, &str, &'static str)| {
        ((*id).to_owned(), PatternText { path: (*path).to_owned(), text: Cow::Borrowed(*text) })
    };
    builtin::TEXTS.iter().map(text).collect()
}

/// The built-in catalogue with a folder's files added or put in place by id. With `alone`, the folder only.
///
/// # Errors
/// Files that cannot be read or parsed are reported and left out; the rest is loaded.
pub fn with_folder(folder: &Path, alone: bool) -> (Catalogue, Vec<PatternError>) {
    let (mut parsed, mut texts) = if alone { Default::default() } else { (builtin_parsed(), builtin_texts()) };
    let mut errors = Vec::new();
    let mut digest = fnv(if alone { "" } else { builtin::DIGEST }.as_bytes(), 0xcbf2_9ce4_8422_2325);
    for path in toml_files(folder, &mut errors) {
        let shown = path.display().to_string();
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) => {
                errors.push(PatternError::new(&shown, None, format!("cannot be read: {error}")));
                continue;
            }
        };
        digest = fnv(text.as_bytes(), digest);
        let Some(id) = id_of(folder, &path) else {
            errors.push(PatternError::new(&shown, None, "expected patterns/<scenario>/<cause>.toml".into()));
            continue;
        };
        match compile::parse_file(&mut parsed, &id, &shown, &text) {
            Ok(()) => {
                texts.insert(id, PatternText { path: shown, text: Cow::Owned(text) });
            }
            Err(error) => errors.push(error),
        }
    }
    let (catalogue, more) = compile::compile(&parsed, texts, &format!("{digest:016x}"));
    errors.extend(more);
    (catalogue, errors)
}

/// `folder/scenario/cause.toml` gives `scenario/cause`.
fn id_of(folder: &Path, path: &Path) -> Option<String> {
    let relative = path.strip_prefix(folder).ok()?.with_extension("");
    let parts: Vec<&str> = relative.iter().filter_map(|p| p.to_str()).collect();
    (parts.len() == 2).then(|| parts.join("/"))
}

/// All `.toml` files two levels below the folder, sorted.
fn toml_files(folder: &Path, errors: &mut Vec<PatternError>) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut open = vec![(folder.to_path_buf(), 0)];
    while let Some((directory, depth)) = open.pop() {
        let entries = match std::fs::read_dir(&directory) {
            Ok(entries) => entries,
            Err(error) => {
                errors.push(PatternError::new(
                    &directory.display().to_string(),
                    None,
                    format!("cannot be read: {error}"),
                ));
                continue;
            }
        };
        for path in entries.flatten().map(|e| e.path()) {
            if path.is_dir() && depth < 1 {
                open.push((path, depth + 1));
            } else if path.extension().is_some_and(|e| e == "toml") {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

/// FNV-1a, enough to tell catalogues apart.
fn fnv(bytes: &[u8], seed: u64) -> u64 {
    bytes.iter().fold(seed, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}
