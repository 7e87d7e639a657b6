//! The catalogue: lints, samples, cross-talk, and the errors that broken files give.

use omnilog::catalog::check;
use omnilog::prove;

use crate::lab;
use crate::support::{Dir, none, omnilog};

#[test]
fn the_lints_have_no_complaint() {
    let complaints: Vec<String> = check::check(lab::catalogue()).iter().map(ToString::to_string).collect();
    none(&complaints);
    omnilog(["patterns", "check"]).exits(0).says(" 0 complaints");
}

#[test]
fn every_sample_of_every_rule_holds() {
    let outcomes = prove::run(lab::catalogue(), lab::NOW, None);
    assert_eq!(outcomes.len(), lab::cases().len());
    let failures = outcomes.iter().flat_map(|o| o.failures.iter().map(move |f| (o, f)));
    let complaints: Vec<String> = failures.map(|(o, f)| format!("{} [{} {}]: {f}", o.id, o.kind, o.sample)).collect();
    none(&complaints);
}

#[test]
fn no_other_rule_stands_above_the_rule_of_a_positive_sample() {
    let mut complaints = Vec::new();
    for case in lab::cases().iter().filter(|c| c.leads()) {
        let ranking = case.ranking();
        if ranking.first().is_none_or(|(id, _)| id != case.id) {
            let own = ranking.iter().find(|(id, _)| id == case.id).map_or(0.0, |(_, c)| *c);
            complaints.push(format!("{}: {} stands above it with {own:.2}", case.name(), lab::best(&ranking)));
        }
    }
    none(&complaints);
}

#[test]
fn every_id_of_the_guide_is_in_the_catalogue() {
    let missing: Vec<String> =
        lab::GUIDE.iter().filter(|id| lab::catalogue().find(id).is_none()).map(ToString::to_string).collect();
    none(&missing);
}

#[test]
fn every_rule_can_be_shown_explained_and_found_by_its_id() {
    let list = omnilog(["patterns", "list"]).env("COLUMNS", "240").exits(0).stdout;
    let missing: Vec<String> = lab::catalogue()
        .causes
        .iter()
        .filter(|c| !list.lines().any(|l| l.split_whitespace().next() == Some(&c.id)))
        .map(|c| c.id.clone())
        .collect();
    none(&missing);
}

/// A rule with all that it needs; `{}` stands where tests change it.
const RULE: &str = r#"title = "The frobnicator is jammed"
status = "test"
level = "high"
components = ["talos"]
description = "It stops."
cause = "Dust."
impact = "Nothing frobnicates."

[signature.jammed]
any = ["the frobnicator is jammed"]

[[evidence]]
id = "jammed"
when = "jammed"
strength = "conclusive"
says = "It says so"

[[remediation]]
title = "Clean it"
run = "talosctl version"
risk = "none"

[[references]]
url = "https://example.com/"
shows = "that it jams"

[[sample]]
name = "jam"
type = "positive"
log = "the frobnicator is jammed"

[[sample]]
name = "quiet"
type = "negative"
why = "all is well"
log = "the frobnicator is running"

[[sample]]
name = "other"
type = "near-miss"
why = "another part"
log = "the defrobnicator is jammed too"
"#;

#[test]
fn a_whole_rule_passes_the_lints_and_its_samples() {
    let dir = Dir::with(&[("mine/scenario.toml", "title = \"Mine\"\n"), ("mine/jammed.toml", RULE)]);
    let folder = dir.path().to_str().expect("UTF-8");
    omnilog(["patterns", "--patterns", folder, "check", "mine/"]).exits(0);
    omnilog(["patterns", "--patterns", folder, "test", "mine/jammed"]).exits(0).says("3 samples, 0 failed");
}

#[test]
fn broken_rules_are_named_with_file_line_and_next_step() {
    // What is replaced, what stands there instead, and what must be said.
    let cases: &[(&str, &str, &[&str])] = &[
        ("level = \"high\"", "level = high", &["mine/jammed.toml:3"]),
        ("level = \"high\"", "level = \"hihg\"", &["hihg", "did you mean `high`?"]),
        ("impact = ", "impcat = ", &["mine/jammed.toml:7", "impcat"]),
        ("components = [\"talos\"]", "components = [\"tallos\"]", &["mine/jammed.toml:4", "did you mean `talos`?"]),
        ("when = \"jammed\"", "when = \"jamed\"", &["jamed", "did you mean `jammed`?"]),
        ("strength = \"conclusive\"", "strength = \"conclusiv\"", &["did you mean `conclusive`?"]),
        ("the frobnicator is jammed\"]", "jammed\"]", &["mine/jammed.toml", "plain bytes in a row", "help:"]),
        ("any = [\"the", "regex = '('\nany = [\"the", &["does not compile"]),
        ("risk = \"none\"", "risk = \"destructive\"", &["needs a `precondition`"]),
        ("run = \"talosctl version\"", "run = \"omnictl infra provider list\"", &["does not exist", "infraprovider"]),
        ("type = \"near-miss\"", "type = \"nearmiss\"", &["near-miss"]),
        ("why = \"another part\"\n", "", &["`other` must say `why`"]),
        (
            "[[references]]\nurl = \"https://example.com/\"\nshows = \"that it jams\"\n",
            "",
            &["`references` are missing"],
        ),
    ];
    let mut complaints = Vec::new();
    for (old, new, expected) in cases {
        assert!(RULE.contains(old), "{old}");
        let broken = RULE.replacen(old, new, 1);
        let dir = Dir::with(&[("mine/scenario.toml", "title = \"Mine\"\n"), ("mine/jammed.toml", &broken)]);
        let done = omnilog(["patterns", "--patterns", dir.path().to_str().expect("UTF-8"), "check"]).done();
        let said = format!("{}{}", done.stdout, done.stderr);
        if done.status != 1 || !expected.iter().all(|e| said.contains(e)) {
            complaints.push(format!("`{new}` must say {expected:?}\n{done}"));
        }
    }
    none(&complaints);
}
