//! The catalogue: lints, samples, cross-talk, and the errors that broken files give.

use std::collections::{BTreeMap, BTreeSet};

use omnilog::catalog::{Catalogue, PASSING, Truth, check, discern, load};
use omnilog::correlate::World;
use omnilog::{pipeline, prove};

use crate::lab;
use crate::support::{Dir, none, omnilog, read, root};

#[test]
fn the_lints_have_no_complaint() {
    let complaints: Vec<String> = check::check(lab::catalogue()).iter().map(ToString::to_string).collect();
    none(&complaints);
    omnilog(["patterns", "check"]).exits(0).says(" 0 complaints");
}

#[test]
fn what_is_built_in_is_what_the_files_compile_to() {
    let (built_in, errors) = load::builtin();
    let (from_files, _) = load::with_folder(&root().join("patterns"), true);
    assert_eq!(errors, []);
    assert!(!built_in.causes.is_empty());
    let plain = |catalogue: &Catalogue| serde_json::to_value(catalogue).expect("plain data");
    assert!(plain(&built_in) == plain(&from_files), "build.rs compiled another catalogue");
    let texts = |catalogue: &Catalogue| -> Vec<(String, String)> {
        catalogue.texts.iter().map(|(id, text)| (id.clone(), text.text.to_string())).collect()
    };
    assert!(texts(&built_in) == texts(&from_files), "build.rs took other texts");
    // A folder that adds nothing changes nothing: what is built in is compiled anew from its index.
    let (again, _) = load::with_folder(Dir::new().path(), false);
    assert!(plain(&Catalogue { digest: built_in.digest.clone(), ..again }) == plain(&built_in), "the index tells less");
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
fn every_counter_evidence_holds_in_a_sample_of_its_rule() {
    let mut shown: BTreeSet<String> = BTreeSet::new();
    for case in lab::cases() {
        let analysis = pipeline::read_texts(lab::scanner(), case.texts());
        let world = World::new(lab::catalogue(), &analysis.sources);
        let cause = lab::catalogue().causes.iter().find(|c| c.id == case.id).expect("a cause");
        let holds = cause.evidence.iter().filter(|e| !e.supports() && world.find(&e.when).truth == Truth::True);
        shown.extend(holds.map(|e| format!("{} {}", case.id, e.id)));
    }
    // What speaks against by passing is shown by samples of its own kind.
    let all = lab::catalogue().causes.iter().flat_map(|c| c.evidence.iter().map(move |e| (c, e)));
    let counter: BTreeSet<String> =
        all.filter(|(_, e)| !e.supports() && e.id != PASSING).map(|(c, e)| format!("{} {}", c.id, e.id)).collect();
    let unshown = counter.iter().filter(|item| !shown.contains(*item));
    none(&unshown.map(|item| format!("no sample shows {item}")).collect::<Vec<_>>());
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
verify = "it turns"

[[collect]]
run = "talosctl version"
why = "the model"

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
        (
            "risk = \"none\"",
            "risk = \"disruptive\"",
            &["is disruptive and needs a `precondition`", "and needs a `rollback`", "what to save before"],
        ),
        (
            "risk = \"none\"\nverify = \"it turns\"",
            "risk = \"destructive\"\nprecondition = \"dust\"\nrollback = \"There is none\"",
            &["is destructive and needs a `verify`"],
        ),
        ("verify = \"it turns\"\n", "", &["no step says how to `verify` it"]),
        (
            "[[collect]]\nrun = \"talosctl version\"\nwhy = \"the model\"\n",
            "",
            &["`collect` is missing", "look-alikes"],
        ),
        ("shows = \"that it jams\"", "shows = \"the text\"", &["does not tell what one can read there"]),
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

#[test]
fn look_alikes_have_near_misses_in_both_directions() {
    assert!(discern::look_alikes(lab::catalogue()).len() > 20, "too few root causes look alike to be true");
    none(&prove::undiscerned(lab::catalogue(), &prove::run(lab::catalogue(), lab::NOW, None)));
}

#[test]
fn lints_name_what_nothing_can_use() {
    let often = "\n[correlation.often]\ntype = \"event_count\"\nrules = [\"jammed\"]\ngte = 3\n";
    let grouped = format!("{often}group_by = [\"pve.vmidd\"]\n");
    // What is added, and what must be said.
    let cases: &[(&str, &[&str])] = &[
        ("\n[signature.idle]\nany = [\"the frobnicator idles\"]\n", &["signature `idle` is used by no evidence"]),
        (often, &["correlation `often` is used by no evidence"]),
        (&grouped, &["no event carries `pve.vmidd`", "did you mean `pve.vmid`?"]),
        (
            "\n[signature.code]\nany = [\"error=jam\"]\nall = [\"the frobnicator\"]\n",
            &["`error=jam` stands in no JSON log"],
        ),
    ];
    let mut complaints = Vec::new();
    for (added, expected) in cases {
        let rule = RULE.replacen("\n[[evidence]]", &format!("{added}\n[[evidence]]"), 1);
        let dir = Dir::with(&[("mine/scenario.toml", "title = \"Mine\"\n"), ("mine/jammed.toml", &rule)]);
        let done = omnilog(["patterns", "--patterns", dir.path().to_str().expect("UTF-8"), "check"]).done();
        let said = format!("{}{}", done.stdout, done.stderr);
        if done.status != 1 || !expected.iter().all(|e| said.contains(e)) {
            complaints.push(format!("{added} must say {expected:?}\n{done}"));
        }
    }
    none(&complaints);
}

#[test]
fn two_rules_with_the_same_evidence_cannot_be_told_apart() {
    let twin = RULE.replace("signature.jammed]", "signature.stuck]").replace("when = \"jammed\"", "when = \"stuck\"");
    let dir = Dir::with(&[
        ("mine/scenario.toml", "title = \"Mine\"\n"),
        ("mine/jammed.toml", RULE),
        ("mine/stuck.toml", &twin),
    ]);
    let check = || omnilog(["patterns", "--patterns", dir.path().to_str().expect("UTF-8"), "check"]).exits(1).stdout;
    assert!(check().contains("it cannot be told from `mine/stuck`"), "{}", check());
    // Evidence of its own makes the difference.
    let own = "\n[signature.dust]\nany = [\"dust in the frobnicator\"]\n\n[[evidence]]\nid = \"dust\"\nwhen = \"dust\"\n\
               strength = \"strong\"\nsays = \"dust\"\n";
    dir.write("mine/jammed.toml", RULE.replacen("\n[[evidence]]", &format!("{own}\n[[evidence]]"), 1).as_bytes());
    assert!(!check().contains("it cannot be told from `mine/stuck`"), "{}", check());
}

#[test]
fn look_alikes_need_something_that_speaks_against_the_rule() {
    let declares = RULE.replacen("level = ", "differential = [\"mine/stuck\"]\nlevel = ", 1);
    let against = "\n[[evidence]]\nid = \"turns\"\nwhen = \"turns\"\nrole = \"contradicts\"\nstrength = \"strong\"\n\
                   says = \"it turns\"\n";
    let turns = "\n[signature.turns]\nany = [\"the frobnicator turns\"]\n";
    let told = declares.replacen("\n[[evidence]]", &format!("{turns}\n[[evidence]]"), 1);
    let told = told.replacen("\n[[remediation]]", &format!("{against}\n[[remediation]]"), 1);
    let reason = format!("# No counter-evidence: it ends all that could speak.\n{declares}");
    let empty = format!("# No counter-evidence: \n{declares}");
    for (rule, complains) in [(declares, true), (told, false), (reason, false), (empty, true)] {
        let dir = Dir::with(&[
            ("mine/scenario.toml", "title = \"Mine\"\n"),
            ("mine/jammed.toml", &rule),
            ("mine/stuck.toml", &RULE.replace("jammed", "stuck")),
        ]);
        let done = omnilog(["patterns", "--patterns", dir.path().to_str().expect("UTF-8"), "check", "mine/"]).done();
        assert_eq!(done.stdout.contains("no evidence speaks against it"), complains, "{rule}\n{done}");
    }
}

/// Programs, verbs and flags that exist: `tests/data/commands.toml`.
#[derive(serde::Deserialize)]
struct Programs {
    plain: Vec<String>,
    /// What `get` of a program knows.
    resources: BTreeMap<String, Vec<String>>,
    verbs: BTreeMap<String, BTreeMap<String, Vec<String>>>,
}

impl Programs {
    fn read() -> Self {
        toml::from_str(&read("tests/data/commands.toml")).expect("tests/data/commands.toml")
    }

    /// What of a call does not exist.
    fn wrong(&self, call: &[String]) -> Option<String> {
        let program = call[0].rsplit('/').next().unwrap_or_default();
        let Some(verbs) = self.verbs.get(program) else {
            let known = self.plain.iter().any(|p| p == program);
            return (!known).then(|| format!("the program `{program}`"));
        };
        // `-n ADDRESS` stands before the verb.
        let mut rest = &call[1..];
        while rest.first().is_some_and(|w| ["-n", "-e", "--talosconfig"].contains(&w.as_str())) {
            rest = &rest[2.min(rest.len())..];
        }
        let words: Vec<&str> = rest.iter().map(String::as_str).take_while(|w| !w.starts_with('-')).collect();
        let least = usize::from(!words.is_empty());
        let verb = (least..=words.len().min(3)).rev().map(|n| words[..n].join(" ")).find(|v| verbs.contains_key(v));
        let Some(verb) = verb else { return Some(format!("`{program} {}`", words.join(" "))) };
        let resource = words.get(1).filter(|_| verb == "get" && self.resources.contains_key(program));
        if let Some(unknown) = resource.filter(|r| !self.resources[program].iter().any(|known| known == *r)) {
            return Some(format!("`{program} get {unknown}`"));
        }
        let number = |w: &str| w[1..].starts_with(|c: char| c.is_ascii_digit());
        let flags = rest.iter().filter(|w| w.starts_with('-') && w.len() > 1 && !number(w));
        let mut names = flags.map(|w| w.split('=').next().unwrap_or_default());
        let unknown = names.find(|f| !f.contains("{{") && !verbs[&verb].iter().any(|known| known == f))?;
        Some(format!("`{program} {verb} {unknown}`"))
    }

    fn judge(&self, run: &str) -> Option<String> {
        calls(run).iter().find_map(|call| self.wrong(call))
    }

    /// What does not exist of the commands that stand between backquotes in a text, or that the text consists of.
    fn judge_text(&self, text: &str) -> Option<String> {
        let quoted = text.split('`').skip(1).step_by(2);
        let whole = (!text.contains('`')).then_some(text);
        let has_verbs = |call: &Vec<String>| call.len() > 1 && self.verbs.contains_key(&call[0]);
        quoted.chain(whole).flat_map(calls).filter(has_verbs).find_map(|call| self.wrong(&call))
    }
}

/// The parts of a shell text that begin with a program, as words; quotes and `{{ }}` hold blanks together.
fn calls(run: &str) -> Vec<Vec<String>> {
    let run = run.replace("{{ ", "{{").replace(" }}", "}}").replace("\\\n", " ");
    let run = run.replace("2>/dev/null", "").replace("</dev/null", "");
    let mut calls = vec![vec![String::new()]];
    let mut quote = None;
    for c in run.chars() {
        let call = calls.last_mut().expect("a call");
        match (quote, c) {
            (Some(q), c) if c == q => quote = None,
            (None, '\'' | '"') => quote = Some(c),
            (None, '|' | ';' | '&' | '\n') => calls.push(vec![String::new()]),
            (None, ' ') => call.push(String::new()),
            (_, c) => call.last_mut().expect("a word").push(c),
        }
    }
    calls.iter_mut().for_each(|words| words.retain(|w| !w.is_empty()));
    calls.retain(|words| !words.is_empty());
    calls
}

#[test]
fn commands_that_do_not_exist_are_found() {
    let programs = Programs::read();
    for good in
        ["qm config 104 | grep memory", "talosctl -n 192.0.2.11 etcd members", "omnictl cluster status demo -w 0"]
    {
        assert_eq!(programs.judge(good), None, "{good}");
    }
    // What a well-known guide names and what never existed.
    for bad in [
        "omnictl infra provider reconcile proxmox",
        "omnictl delete machine 7f1c --force",
        "qm set 104 --scsi_hardware virtio-scsi-single",
        "talosctl -n 192.0.2.11 etcd repair",
        "talosctl -n 192.0.2.11 get registriesconfig -o yaml",
        "frobnicate --all",
    ] {
        assert!(programs.judge(bad).is_some(), "{bad}");
        assert!(programs.judge_text(bad).is_some() || bad.starts_with("frobnicate"), "{bad}");
        assert!(
            programs.judge_text(&format!("Then run `{bad}` again")).is_some() || bad.starts_with("frobnicate"),
            "{bad}"
        );
    }
    for prose in
        ["The command `qm config 104` shows it", "the node becomes Ready", "`scsihw` is set", "See `lvs` and `qm`"]
    {
        assert_eq!(programs.judge_text(prose), None, "{prose}");
    }
}

#[test]
fn every_command_of_every_remedy_exists() {
    let programs = Programs::read();
    let mut complaints = BTreeSet::new();
    for cause in &lab::catalogue().causes {
        let page = lab::catalogue().page(&cause.id).expect("a page");
        let runs = page.remediation.iter().map(|r| &r.run).chain(page.collect.iter().map(|c| &c.run));
        let texts = page.remediation.iter().flat_map(|r| [&r.text, &r.precondition, &r.verify, &r.rollback]);
        let found = runs.map(|run| (run, programs.judge(run))).chain(texts.map(|t| (t, programs.judge_text(t))));
        for (text, wrong) in found {
            complaints.extend(wrong.map(|w| format!("{}: {w} is not in tests/data/commands.toml: {text}", cause.id)));
        }
    }
    none(&complaints.into_iter().collect::<Vec<_>>());
}

/// Words that stand for something to be put in.
const TO_FILL_IN: &[&str] = &[
    "ADDRESS",
    "HOST",
    "ID",
    "IMAGE",
    "NAMESPACE",
    "NODE",
    "POOL",
    "REALM",
    "SECRET",
    "SERVER",
    "STORAGE",
    "TOKENID",
    "USER",
    "VALUE",
    "VMID",
    "VOLUME",
];

#[test]
fn what_is_to_be_filled_into_a_command_stands_in_angle_brackets() {
    let mut complaints = BTreeSet::new();
    for cause in &lab::catalogue().causes {
        let page = lab::catalogue().page(&cause.id).expect("a page");
        for run in page.remediation.iter().map(|r| &r.run).chain(page.collect.iter().map(|c| &c.run)) {
            // Headings of columns are no placeholders.
            let told = run.lines().filter(|line| !line.contains("custom-columns=") && !line.contains("lsblk -o"));
            let bare = told.flat_map(|line| line.split(|c: char| !c.is_ascii_alphanumeric() && !"<>_-.".contains(c)));
            let bare = bare.filter(|word| TO_FILL_IN.contains(word));
            complaints.extend(bare.map(|word| format!("{}: write <{word}>: {run}", cause.id)));
        }
    }
    none(&complaints.into_iter().collect::<Vec<_>>());
}

/// The mean error that the table of reliability ends with, and the number of answers.
fn reliability(cases: &[std::path::PathBuf]) -> (f64, u64) {
    let folders = cases.iter().flat_map(|c| ["--cases".into(), c.clone().into_os_string()]);
    let words = ["patterns", "test", "--reliability"].map(std::ffi::OsString::from);
    let told = omnilog(words.into_iter().chain(folders)).exits(0).stdout;
    let last = told.lines().last().expect("a last line").to_owned();
    let numbers: Vec<f64> = last.split_whitespace().filter_map(|w| w.parse().ok()).collect();
    let [answers, error] = numbers[..] else { panic!("{told}") };
    (error, answers as u64)
}

#[test]
fn confidence_is_calibrated_over_all_samples() {
    let (own, samples) = reliability(&[]);
    assert!(own <= 0.10 && samples > 800, "mean error {own} over {samples} samples of the catalogue");
    let (all, answers) = reliability(&[crate::support::samples("incidents"), crate::support::samples("bundles")]);
    assert!(answers > samples + 100, "{answers} answers, {samples} without incidents and bundles");
    assert!(all <= 0.10, "mean error {all} over {answers} samples");
}

#[test]
fn tickets_with_a_known_root_cause_count_for_the_reliability() {
    let case =
        lab::positives("proxmox-storage/storage-full").into_iter().find(|c| c.sample.log.is_some()).expect("one");
    let log = case.sample.log.as_deref().expect("a log");
    // `id` is what the ticket is called where scenario and cause are told, else the root cause.
    let named = "id = \"ticket-7\"\nscenario = \"proxmox-storage\"\ncause = \"storage-full\"\n";
    let plain = "id = \"proxmox-storage/storage-full\"\n";
    let wrong = "id = \"node-memory/oom\"\n";
    let error = |known: &str| {
        let dir = Dir::with(&[("a/case.toml", known), ("a/input/provider.log", log)]);
        let done =
            omnilog(["patterns", "test", "no/such", "--reliability", "--cases"]).args([dir.path()]).exits(0).stdout;
        done.trim_end().rsplit(' ').next().and_then(|n| n.parse::<f64>().ok()).unwrap_or_else(|| panic!("{done}"))
    };
    assert!(error(named) < 0.5 && error(plain) < 0.5, "{} {}", error(named), error(plain));
    assert!(error(wrong) > 0.5, "{}", error(wrong));
}
