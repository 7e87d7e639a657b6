//! SARIF and JUnit, as pipelines read them: structure, counts, references, hostile text.
//!
//! The outputs are checked against the schemas in `tests/data` (where from: its README): SARIF against that of the standard,
//! JUnit with `xmllint` against those of Ant and Jenkins. `OMNILOG_REQUIRE_XMLLINT=1` makes a missing `xmllint` a failure. What
//! no schema says is written down here.

use std::collections::BTreeSet;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use crate::lab;
use crate::support::{Dir, FULL, QUIET, none, omnilog, read, root};

/// Prints a format of a positive sample of every root cause, and of a log with nothing in it.
fn outputs(format: &str) -> Vec<(String, String)> {
    let renderer = omnilog::report::renderer(format).expect("a format");
    let style = omnilog::report::Style { all: true, ..omnilog::report::Style::default() };
    let render = |report: &omnilog::report::model::Report| {
        let mut out = Vec::new();
        renderer.render(report, &style, &mut out).expect("memory");
        String::from_utf8(out).expect("UTF-8")
    };
    let quiet = omnilog::pipeline::read_texts(lab::scanner(), [("quiet.log", QUIET)]).report(lab::catalogue());
    let positive = lab::cases().iter().filter(|c| c.sample.kind == "positive");
    let mut outputs: Vec<(String, String)> = positive.map(|c| (c.name(), render(&c.report()))).collect();
    outputs.push(("nothing found".into(), render(&quiet)));
    outputs
}

/// The keys of objects that the standard closes, as far as a report uses them.
const SARIF: &[(&str, &[&str])] = &[
    ("", &["$schema", "version", "runs"]),
    ("run", &["tool", "invocations", "results", "columnKind", "properties"]),
    ("driver", &["name", "version", "semanticVersion", "properties", "rules"]),
    (
        "rule",
        &["id", "name", "shortDescription", "fullDescription", "help", "helpUri", "defaultConfiguration", "properties"],
    ),
    ("invocation", &["executionSuccessful", "toolExecutionNotifications"]),
    ("notification", &["level", "descriptor", "message", "locations"]),
    (
        "result",
        &[
            "ruleId",
            "ruleIndex",
            "level",
            "rank",
            "message",
            "locations",
            "relatedLocations",
            "partialFingerprints",
            "properties",
        ],
    ),
    ("location", &["id", "physicalLocation", "message"]),
    ("physicalLocation", &["artifactLocation", "region"]),
    ("region", &["startLine", "snippet"]),
];

fn keys(what: &str, value: &Value, complaints: &mut Vec<String>) {
    let allowed = SARIF.iter().find(|(name, _)| *name == what).map_or(&[][..], |(_, keys)| keys);
    let Some(object) = value.as_object() else { return complaints.push(format!("{what} is no object: {value}")) };
    complaints.extend(object.keys().filter(|k| !allowed.contains(&k.as_str())).map(|k| format!("{what}.{k}")));
}

fn list<'v>(value: &'v Value, key: &str) -> &'v [Value] {
    value[key].as_array().map_or(&[], Vec::as_slice)
}

fn location(value: &Value, complaints: &mut Vec<String>) {
    keys("location", value, complaints);
    let physical = &value["physicalLocation"];
    keys("physicalLocation", physical, complaints);
    let uri = physical["artifactLocation"]["uri"].as_str().unwrap_or_default();
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"/.-_~!%:".contains(&b);
    if uri.is_empty() || !uri.bytes().all(plain) || (uri.contains(':') && !uri.starts_with("file:///")) {
        complaints.push(format!("`{uri}` is no reference"));
    }
    if physical["region"].is_object() {
        keys("region", &physical["region"], complaints);
        if physical["region"]["startLine"].as_u64().is_none_or(|line| line == 0) {
            complaints.push(format!("no line: {physical}"));
        }
    }
}

fn sarif(log: &Value) -> Vec<String> {
    let mut complaints = Vec::new();
    keys("", log, &mut complaints);
    if log["version"] != "2.1.0" || list(log, "runs").len() != 1 {
        complaints.push("one run of version 2.1.0".into());
    }
    let run = &log["runs"][0];
    keys("run", run, &mut complaints);
    let driver = &run["tool"]["driver"];
    keys("driver", driver, &mut complaints);
    let rules = list(driver, "rules");
    let ids: BTreeSet<&str> = rules.iter().filter_map(|r| r["id"].as_str()).collect();
    if ids.len() != rules.len() || driver["name"] != "omnilog" {
        complaints.push("rules are unique and the tool has a name".into());
    }
    for rule in rules {
        keys("rule", rule, &mut complaints);
        let texts = [&rule["shortDescription"], &rule["fullDescription"], &rule["help"]];
        if texts.iter().any(|t| t["text"].as_str().is_none_or(str::is_empty)) {
            complaints.push(format!("a rule without a text: {rule}"));
        }
    }
    for result in list(run, "results") {
        keys("result", result, &mut complaints);
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap_or(u64::MAX)).unwrap_or(usize::MAX);
        let level = result["level"].as_str().unwrap_or_default();
        let rank = result["rank"].as_f64().unwrap_or(-1.0);
        if rules.get(index).is_none_or(|rule| rule["id"] != result["ruleId"])
            || !["error", "warning", "note"].contains(&level)
            || !(0.0..=100.0).contains(&rank)
            || result["message"]["text"].as_str().is_none_or(str::is_empty)
            || list(result, "locations").len() != 1
        {
            complaints.push(format!("a result that points nowhere: {result}"));
        }
        let all = list(result, "locations").iter().chain(list(result, "relatedLocations"));
        all.for_each(|one| location(one, &mut complaints));
    }
    for invocation in list(run, "invocations") {
        keys("invocation", invocation, &mut complaints);
        for notification in list(invocation, "toolExecutionNotifications") {
            keys("notification", notification, &mut complaints);
            list(notification, "locations").iter().for_each(|one| location(one, &mut complaints));
        }
    }
    complaints
}

#[test]
fn sarif_keeps_to_the_standard() {
    let schema = serde_json::from_str(&read("tests/data/sarif-schema-2.1.0.json")).expect("JSON");
    let schema = jsonschema::draft4::options().should_validate_formats(true).build(&schema).expect("a schema");
    // A schema that takes anything would prove nothing.
    assert!(!schema.is_valid(&serde_json::json!({ "version": "2.1.0", "runs": [{ "tool": {} }] })));
    let mut complaints = Vec::new();
    for (name, text) in outputs("sarif") {
        let log: Value = serde_json::from_str(&text).expect("JSON");
        complaints.extend(sarif(&log).into_iter().map(|c| format!("{name}: {c}")));
        complaints.extend(schema.iter_errors(&log).map(|e| format!("{name}: {}: {e}", e.instance_path())));
    }
    none(&complaints);
}

#[test]
fn sarif_levels_follow_verdicts() {
    let dir = Dir::with(&[("a b.log", FULL)]);
    let done = omnilog(["--format", "sarif", ".", "nowhere.log"]).within(dir.path()).exits(0);
    let log: Value = serde_json::from_str(&done.stdout).expect("JSON");
    none(&sarif(&log));
    let run = &log["runs"][0];
    let first = &run["results"][0];
    assert_eq!(
        (&first["ruleId"], &first["level"]),
        (&"proxmox-storage/storage-full".into(), &"error".into()),
        "{done}"
    );
    let physical = &first["locations"][0]["physicalLocation"];
    assert!(physical["artifactLocation"]["uri"].as_str().is_some_and(|u| u.ends_with("a%20b.log")), "{physical}");
    assert_eq!(physical["region"]["startLine"], 1);
    assert_eq!(list(&run["invocations"][0], "toolExecutionNotifications").len(), 1, "{done}");
}

/// What both common descriptions of JUnit XML say, as far as a report can break it.
fn junit(text: &str) -> Vec<String> {
    let document = match roxmltree::Document::parse(text) {
        Ok(document) => document,
        Err(error) => return vec![format!("no XML: {error}")],
    };
    let mut complaints = Vec::new();
    let root = document.root_element();
    if root.tag_name().name() != "testsuites" || root.attributes().len() > 0 {
        complaints.push("the root is a bare testsuites".to_owned());
    }
    let elements = |node: roxmltree::Node<'_, '_>| -> Vec<String> {
        node.children().filter(|c| c.is_element()).map(|c| c.tag_name().name().to_owned()).collect()
    };
    for suite in root.children().filter(roxmltree::Node::is_element) {
        let attribute = |name: &str| suite.attribute(name).unwrap_or_default().to_owned();
        for name in ["id", "package", "name", "hostname", "timestamp", "tests", "failures", "errors", "skipped", "time"]
        {
            if attribute(name).is_empty() {
                complaints.push(format!("a suite without {name}"));
            }
        }
        let stamp = attribute("timestamp");
        if stamp.len() != 19 || !stamp.bytes().all(|b| b.is_ascii_digit() || b"-T:".contains(&b)) {
            complaints.push(format!("timestamp {stamp}"));
        }
        let cases: Vec<_> = suite.children().filter(|c| c.has_tag_name("testcase")).collect();
        let count =
            |element: &str| cases.iter().filter(|c| c.children().any(|n| n.has_tag_name(element))).count().to_string();
        let counted =
            [("tests", cases.len().to_string()), ("failures", count("failure")), ("skipped", count("skipped"))];
        complaints.extend(counted.into_iter().filter(|(k, n)| attribute(k) != *n).map(|(k, n)| format!("{k} is {n}")));
        let order = elements(suite);
        let mut expected = vec!["properties".to_owned()];
        expected.extend(cases.iter().map(|_| "testcase".to_owned()));
        expected.extend(["system-out".to_owned(), "system-err".to_owned()]);
        if order != expected {
            complaints.push(format!("order of elements: {order:?}"));
        }
        for case in &cases {
            let wrong = ["classname", "name", "time"].iter().any(|a| case.attribute(*a).is_none_or(str::is_empty));
            let inside = elements(*case);
            if wrong
                || inside.len() > 1
                || inside.iter().any(|e| !["failure", "error", "skipped"].contains(&e.as_str()))
            {
                complaints.push(format!("a case: {inside:?}"));
            }
            let failure = case.children().find(|c| c.has_tag_name("failure"));
            if failure.is_some_and(|f| f.attribute("type").is_none() || f.attribute("message").is_none()) {
                complaints.push("a failure without type or message".into());
            }
        }
    }
    complaints
}

#[test]
fn junit_keeps_to_what_its_readers_take() {
    let mut complaints = Vec::new();
    for (name, text) in outputs("junit") {
        complaints.extend(junit(&text).into_iter().map(|c| format!("{name}: {c}")));
    }
    none(&complaints);
}

/// Whether `xmllint` is there. Where it may not be missing, it is a failure; else the test says that it was skipped.
fn has_xmllint() -> bool {
    let found = Command::new("xmllint").arg("--version").output().is_ok_and(|o| o.status.success());
    let required = std::env::var_os("OMNILOG_REQUIRE_XMLLINT").is_some();
    assert!(found || !required, "xmllint is missing: apt-get install libxml2-utils");
    if !found {
        // Not captured, unlike `eprintln!`.
        let _ = writeln!(io::stderr(), "skipped: no xmllint, JUnit is not checked against its schemas");
    }
    found
}

/// What `xmllint` says of XML files when it checks them against a schema; `None` when all are valid.
fn invalid(schema: &str, files: &[PathBuf]) -> Option<String> {
    let schema = root().join("tests/data").join(schema);
    let mut command = Command::new("xmllint");
    let done = command.args(["--noout", "--nonet", "--schema"]).arg(schema).args(files).output().expect("it starts");
    (!done.status.success()).then(|| String::from_utf8_lossy(&done.stderr).into_owned())
}

#[test]
fn junit_is_valid_by_the_schemas_of_ant_and_jenkins() {
    if !has_xmllint() {
        return;
    }
    let dir = Dir::new();
    let hostile = format!("{} ]]><x>&\u{1b}\u{ffff}\n", FULL.trim_end());
    let more =
        [omnilog(["--format", "junit"]).input(&hostile), omnilog(["--format", "junit", "samples/healthy", "no.log"])];
    let more = more.into_iter().map(|run| ("by the binary".to_owned(), run.exits(0).stdout));
    let files: Vec<PathBuf> = (0..)
        .zip(outputs("junit").into_iter().chain(more))
        .map(|(n, (_, text))| dir.write(&format!("{n}.xml"), text.as_bytes()))
        .collect();
    let wrong = dir.write("wrong.xml", b"<testsuites><testsuite><testcase/></testsuite></testsuites>");
    for schema in ["junit-ant.xsd", "junit-jenkins-10.xsd"] {
        assert_eq!(invalid(schema, &files), None, "{schema}");
        assert!(invalid(schema, std::slice::from_ref(&wrong)).is_some(), "{schema} takes anything");
    }
}

#[test]
fn junit_fails_for_what_is_likely_and_passes_otherwise() {
    let done = omnilog(["--format", "junit"]).input(FULL).exits(0);
    none(&junit(&done.stdout));
    let document = roxmltree::Document::parse(&done.stdout).expect("XML");
    let failure = document.descendants().find(|n| n.has_tag_name("failure")).expect("a failure");
    let case = failure.parent().expect("a case");
    assert_eq!(case.attribute("classname"), Some("proxmox-storage"));
    assert_eq!(case.attribute("name"), Some("storage-full"));
    assert!(failure.text().is_some_and(|t| t.contains("<stdin>:1") && t.contains("Cannot create new thin")), "{done}");
    let done = omnilog(["--format", "junit"]).input(QUIET).exits(0);
    none(&junit(&done.stdout));
    assert!(!done.stdout.contains("<failure"), "{done}");
    let dir = Dir::with(&[("a.log", QUIET)]);
    let done = omnilog(["--format", "junit", "a.log", "nowhere.log"]).within(dir.path()).exits(0);
    assert!(done.stdout.contains("<skipped"), "what was not read is said: {done}");
}

#[test]
fn hostile_text_stays_text_in_both() {
    for attack in
        ["]]><x>", "<!ENTITY x SYSTEM 'file:///etc/passwd'>&x;", "\"/><failure>", "\u{ffff}\u{fffe}\u{1}\u{1b}[2J"]
    {
        let text = format!("{} {attack}\n", FULL.trim_end());
        let done = omnilog(["--format", "junit", "--all"]).input(&text).exits(0).says("storage-full");
        none(&junit(&done.stdout));
        let done = omnilog(["--format", "sarif", "--all"]).input(&text).exits(0).says("storage-full");
        none(&sarif(&serde_json::from_str(&done.stdout).expect("JSON")));
    }
}
