//! samples/healthy: ordinary logs, full of lines that look bad and are not. Nothing may be named.

use std::path::{Path, PathBuf};

use crate::support::{confidences, files, none, omnilog, samples};

/// Root causes that are named although nothing is wrong.
fn alarms(paths: &[PathBuf]) -> Vec<String> {
    let report = omnilog(paths).report();
    let named = confidences(&report).into_iter().filter(|(_, confidence)| *confidence >= 0.5);
    named.map(|(id, confidence)| format!("{id} {confidence:.2} in {}", paths[0].display())).collect()
}

#[test]
fn every_healthy_file_alone_names_nothing() {
    let files = files(&samples("healthy"));
    assert!(!files.is_empty(), "samples/healthy is empty");
    let complaints: Vec<String> = files.into_iter().flat_map(|f| alarms(&[f])).collect();
    none(&complaints);
}

#[test]
fn all_healthy_files_together_name_nothing() {
    none(&alarms(&[samples("healthy")]));
}

#[test]
fn every_healthy_folder_names_nothing() {
    let folders = crate::support::entries(&samples("healthy")).into_iter().filter(|p: &PathBuf| Path::is_dir(p));
    let complaints: Vec<String> = folders.flat_map(|f| alarms(&[f])).collect();
    none(&complaints);
}

#[test]
fn most_lines_of_healthy_logs_are_understood() {
    let report = omnilog([samples("healthy")]).report();
    let inputs = report["inputs"].as_array().expect("a list");
    let lines = |i: &serde_json::Value| i["lines"].as_f64().expect("a number");
    let all: f64 = inputs.iter().map(lines).sum();
    let understood: f64 = inputs.iter().map(|i| lines(i) * i["understood"].as_f64().expect("a number")).sum();
    assert!(understood / all > 0.9, "{:.3} of {all} lines are understood", understood / all);
}

#[test]
fn hardly_any_warning_of_a_healthy_log_is_left_unexplained() {
    let unexplained = &omnilog([samples("healthy")]).report()["unexplained"];
    let share = unexplained["share"].as_f64().expect("a number");
    assert!(share < 0.02, "{share} of all warnings: {:#}", unexplained["clusters"]);
}
