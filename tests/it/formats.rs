//! samples/formats: a folder per format, named after it, with files of which `detect` must say so.

use crate::support::{entries, files, none, omnilog, samples};

#[test]
fn detect_names_the_format_of_every_sample() {
    let folders: Vec<_> = entries(&samples("formats")).into_iter().filter(|p| p.is_dir()).collect();
    assert!(!folders.is_empty(), "samples/formats is empty");
    let mut complaints = Vec::new();
    for folder in folders {
        let format = folder.file_name().and_then(|n| n.to_str()).expect("UTF-8").to_owned();
        for path in files(&folder) {
            let done = omnilog(["detect", "--json"]).args([&path]).exits(0);
            let inputs: serde_json::Value = serde_json::from_str(&done.stdout).expect("JSON");
            let inputs = inputs.as_array().expect("a list");
            let named = inputs.iter().any(|i| i["formats"].as_array().is_some_and(|f| f.iter().any(|f| *f == *format)));
            if !named {
                complaints.push(format!("{}: not {format}, but {}", path.display(), inputs[0]["formats"]));
            }
        }
    }
    none(&complaints);
}

#[test]
fn every_format_of_log_lines_has_a_sample_file() {
    let folder = samples("formats");
    let missing = omnilog::parse::formats().iter().map(|f| f.name()).filter(|n| !folder.join(n).is_dir());
    none(&missing.map(|n| format!("samples/formats/{n} is missing")).collect::<Vec<_>>());
}

#[test]
fn the_samples_of_every_format_are_understood_through_the_binary() {
    let mut complaints = Vec::new();
    for format in omnilog::parse::formats() {
        for sample in format.samples() {
            let done = omnilog(["detect", "--json"]).input(sample.text).exits(0);
            let inputs: serde_json::Value = serde_json::from_str(&done.stdout).expect("JSON");
            if inputs[0]["formats"].as_array().is_none_or(|f| !f.iter().any(|f| *f == format.name())) {
                complaints.push(format!("{}: {} for {:?}", format.name(), inputs[0]["formats"], sample.text));
            }
        }
    }
    none(&complaints);
}
