//! samples/incidents: a folder per incident with `expected.toml` and the logs beside it (or in `input/`).
//!
//! ```toml
//! id = "scenario/cause"            # must stand at rank 1
//! confidence = 0.8                 # at least; 0.5 when it is left out
//! includes = ["scenario/other"]    # must be named with 0.5 or more as well
//! excludes = ["scenario/third"]    # must stay below 0.5
//! cites = ["a piece of log text"]  # must stand in the evidence of rank 1
//! ```

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::lab;
use crate::support::{confidences, entries, none, omnilog, samples};

#[derive(Debug, Deserialize)]
pub struct Expected {
    pub id: String,
    #[serde(default = "possible")]
    confidence: f64,
    #[serde(default)]
    pub includes: Vec<String>,
    #[serde(default)]
    excludes: Vec<String>,
    #[serde(default)]
    cites: Vec<String>,
}

impl Expected {
    /// Only what must stand first.
    pub fn first(id: String) -> Self {
        Self { id, confidence: possible(), includes: Vec::new(), excludes: Vec::new(), cites: Vec::new() }
    }
}

fn possible() -> f64 {
    0.5
}

/// All incidents with what is expected of them.
pub fn incidents() -> Vec<(PathBuf, Expected)> {
    let folders = entries(&samples("incidents")).into_iter().filter(|p| p.is_dir());
    let read = |folder: PathBuf| {
        let path = folder.join("expected.toml");
        let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let expected = toml::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        (folder, expected)
    };
    folders.map(read).collect()
}

/// What is handed over: `input/`, or all that stands beside `expected.toml`.
pub fn input(folder: &Path) -> Vec<PathBuf> {
    let input = folder.join("input");
    if input.is_dir() {
        return vec![input];
    }
    entries(folder).into_iter().filter(|p| p.file_name().is_none_or(|n| n != "expected.toml")).collect()
}

#[test]
fn every_incident_names_its_root_cause_first() {
    let incidents = incidents();
    assert!(!incidents.is_empty(), "samples/incidents is empty");
    let mut complaints = Vec::new();
    for (folder, expected) in &incidents {
        let name = folder.display();
        let report = omnilog(input(folder)).report();
        let ranking = confidences(&report);
        match ranking.first() {
            Some((id, confidence)) if *id == expected.id && *confidence >= expected.confidence => {}
            _ => complaints.push(format!("{name}: {} instead of {}", lab::best(&ranking), expected.id)),
        }
        let named = |id: &String| ranking.iter().any(|(i, c)| i == id && *c >= 0.5);
        complaints.extend(expected.includes.iter().filter(|i| !named(i)).map(|i| format!("{name}: {i} is missing")));
        complaints.extend(expected.excludes.iter().filter(|i| named(i)).map(|i| format!("{name}: {i} is named")));
        let evidence = report["root_causes"][0]["evidence"].to_string();
        let cited = |c: &String| evidence.contains(serde_json::to_string(c).expect("JSON").trim_matches('"'));
        complaints.extend(expected.cites.iter().filter(|c| !cited(c)).map(|c| format!("{name}: does not cite {c:?}")));
    }
    none(&complaints);
}

#[test]
fn the_folder_as_a_whole_gives_the_same_answer() {
    let mut complaints = Vec::new();
    for (folder, expected) in incidents() {
        let ranking = confidences(&omnilog([&folder]).report());
        if ranking.first().is_none_or(|(id, _)| *id != expected.id) {
            complaints.push(format!("{}: {} instead of {}", folder.display(), lab::best(&ranking), expected.id));
        }
    }
    none(&complaints);
}

#[test]
fn every_root_cause_of_the_guide_has_an_incident() {
    let incidents = incidents();
    let missing = lab::GUIDE.iter().filter(|id| !incidents.iter().any(|(_, e)| e.id == **id));
    none(&missing.map(|id| format!("no incident for {id}")).collect::<Vec<_>>());
}
