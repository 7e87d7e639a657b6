//! The lints: what a pattern file must have beyond being readable.

use std::collections::BTreeSet;

use super::compile::PatternError;
use super::file::{CauseFile, SampleFile};
use super::{Catalogue, build_regex};
use crate::catalog::Term;
use crate::matcher::filter;
use crate::suggest;

/// Words that `components` may hold.
pub const COMPONENTS: &[&str] = &[
    "omni",
    "omni-provider",
    "talos",
    "kubernetes",
    "etcd",
    "proxmox",
    "network",
    "storage",
    "image-factory",
    "client",
];

/// Commands that never existed, with what to use instead. (Read from the sources of omnictl, kubectl and Proxmox.)
pub const INVENTED: &[(&str, &str)] = &[
    (
        "omnictl infra provider",
        "there is no such command group; `omnictl infraprovider list`, and restart the provider",
    ),
    ("omnictl infraprovider reconcile", "there is no such verb; restart the provider"),
    (
        "omnictl delete machine ",
        "machines are read-only; `omnictl cluster machine delete ID` or `omnictl delete link ID`",
    ),
    ("kubectl patch clustermachine", "Omni's resources are no Kubernetes objects"),
    ("kubectl annotate machineset", "Omni's resources are no Kubernetes objects"),
    ("--scsi_hardware", "the key is `scsihw`"),
    ("kubectl delete machineset", "Omni's resources are no Kubernetes objects"),
];

/// Runs all lints; gives what they complain about, sorted by file and line.
pub fn check(catalogue: &Catalogue) -> Vec<PatternError> {
    let mut complaints = Vec::new();
    for (id, text) in &catalogue.texts {
        let mut lint = Lint { path: &text.path, text: &text.text, complaints: &mut complaints };
        if id.starts_with("benign/") {
            continue;
        }
        if let Some((scenario, "scenario")) = id.split_once('/') {
            lint.scenario(catalogue, scenario);
        } else if let Some(page) = catalogue.page(id) {
            lint.cause(catalogue, id, &page);
        }
    }
    signatures(catalogue, &mut complaints);
    complaints.sort_by(|a, b| (&a.path, a.line, &a.message).cmp(&(&b.path, b.line, &b.message)));
    complaints
}

struct Lint<'l> {
    path: &'l str,
    text: &'l str,
    complaints: &'l mut Vec<PatternError>,
}

impl Lint<'_> {
    fn complain(&mut self, near: &str, message: String, help: Option<String>) {
        let line = self.text.lines().position(|l| l.contains(near)).map(|l| l + 1);
        self.complaints.push(PatternError::new(self.path, line, message).with_help(help));
    }

    fn scenario(&mut self, catalogue: &Catalogue, scenario: &str) {
        if catalogue.scenario_title(scenario).is_empty() {
            self.complain("title", "the scenario has no title".into(), None);
        }
    }

    fn cause(&mut self, catalogue: &Catalogue, id: &str, page: &CauseFile) {
        self.prose(page);
        self.samples(page);
        self.remedies(page);
        self.evidence(catalogue, id, page);
    }

    fn prose(&mut self, page: &CauseFile) {
        let required = [
            ("title", &page.title),
            ("description", &page.description),
            ("cause", &page.cause),
            ("impact", &page.impact),
        ];
        for (key, value) in required {
            if value.trim().is_empty() {
                self.complain("title", format!("`{key}` is missing"), None);
            }
        }
        if !["experimental", "test", "stable", "deprecated"].contains(&page.status.as_str()) {
            self.complain("status", format!("unknown status `{}`", page.status), None);
        }
        for component in &page.components {
            if !COMPONENTS.contains(&component.as_str()) {
                let help = suggest::did_you_mean(component, COMPONENTS.iter().copied());
                self.complain("components", format!("unknown component `{component}`"), help);
            }
        }
        if page.references.is_empty() {
            self.complain("title", "`references` are missing: say where the facts come from".into(), None);
        }
        for reference in page.references.iter().filter(|r| r.shows.is_empty()) {
            self.complain(&reference.url, "a reference must say what it `shows`".into(), None);
        }
        for one in &page.falsepositives {
            if !one.sample.is_empty() && !page.sample.iter().any(|s| s.name == one.sample) {
                self.complain(&one.sample, format!("`falsepositives` names the unknown sample `{}`", one.sample), None);
            }
        }
    }

    fn samples(&mut self, page: &CauseFile) {
        for kind in ["positive", "negative", "near-miss"] {
            if !page.sample.iter().any(|s| s.kind == kind) {
                let help = format!("add a [[sample]] with type = \"{kind}\"");
                self.complain("title", format!("there is no {kind} sample"), Some(help));
            }
        }
        let mut names = BTreeSet::new();
        for sample in &page.sample {
            self.sample(sample);
            if !names.insert(&sample.name) {
                self.complain(&sample.name, format!("two samples are named `{}`", sample.name), None);
            }
        }
    }

    fn sample(&mut self, sample: &SampleFile) {
        let near = format!("\"{}\"", sample.name);
        if !["positive", "negative", "near-miss"].contains(&sample.kind.as_str()) {
            let help = suggest::did_you_mean(&sample.kind, ["positive", "negative", "near-miss"]);
            self.complain(&near, format!("sample `{}`: unknown type `{}`", sample.name, sample.kind), help);
        }
        if sample.kind != "positive" && sample.why.is_empty() {
            self.complain(&near, format!("sample `{}` must say `why`", sample.name), None);
        }
        if sample.log.is_none() && sample.files.is_empty() {
            self.complain(&near, format!("sample `{}` has neither `log` nor `files`", sample.name), None);
        }
    }

    fn remedies(&mut self, page: &CauseFile) {
        if page.remediation.is_empty() {
            self.complain("title", "`remediation` is missing".into(), None);
        }
        let harmless = page.remediation.iter().any(|r| r.risk != "destructive");
        for (index, step) in page.remediation.iter().enumerate() {
            let near = format!("\"{}\"", step.title);
            if !["none", "disruptive", "destructive"].contains(&step.risk.as_str()) {
                self.complain(&near, format!("step `{}`: unknown risk `{}`", step.title, step.risk), None);
            }
            if step.risk == "destructive" && step.precondition.is_empty() {
                self.complain(&near, format!("step `{}` is destructive and needs a `precondition`", step.title), None);
            }
            if step.risk == "destructive" && index == 0 && harmless {
                self.complain(&near, "a destructive step must not come first".into(), None);
            }
        }
        let runs = page.remediation.iter().map(|r| &r.run).chain(page.collect.iter().map(|c| &c.run));
        let found: Vec<(String, &str)> = runs
            .flat_map(|run| INVENTED.iter().filter(|(bad, _)| run.contains(bad)).map(|(_, help)| (run.clone(), *help)))
            .collect();
        for (run, help) in found {
            self.complain(&run, format!("`{run}` does not exist"), Some(help.into()));
        }
    }

    fn evidence(&mut self, catalogue: &Catalogue, id: &str, page: &CauseFile) {
        let Some(cause) = catalogue.find(id).and_then(|i| catalogue.causes.get(i)) else { return };
        if !cause.evidence.iter().any(|e| e.supports()) {
            self.complain("title", "no evidence supports it".into(), None);
        }
        let mut used = BTreeSet::new();
        for item in &cause.evidence {
            item.when.names(&mut |term, _| {
                used.insert(*term);
            });
        }
        for name in page.signature.keys() {
            let full = format!("{id}#{name}");
            let index = catalogue.signatures.iter().position(|s| s.name == full);
            let elsewhere = catalogue.causes.iter().flat_map(|c| &c.evidence).any(|e| {
                let mut found = false;
                e.when.names(&mut |term, _| found |= Some(*term) == index.map(Term::Signature));
                found
            });
            let correlated = index.and_then(|i| catalogue.signatures.get(i)).is_some_and(|s| s.correlated);
            if index.is_some_and(|i| !used.contains(&Term::Signature(i))) && !elsewhere && !correlated {
                self.complain(
                    &format!("[signature.{name}]"),
                    format!("signature `{name}` is used by no evidence"),
                    None,
                );
            }
        }
        for collect in page.collect.iter().filter(|c| !c.evidence.is_empty()) {
            if !cause.evidence.iter().any(|e| e.id == collect.evidence) {
                let help = suggest::did_you_mean(&collect.evidence, cause.evidence.iter().map(|e| e.id.as_str()));
                self.complain(
                    &collect.run,
                    format!("`collect` names the unknown evidence `{}`", collect.evidence),
                    help,
                );
            }
        }
    }
}

/// Literals need anchors, regexes must compile, signatures without literals need a format.
fn signatures(catalogue: &Catalogue, complaints: &mut Vec<PatternError>) {
    for signature in &catalogue.signatures {
        let (id, name) = signature.name.split_once('#').unwrap_or((&signature.name, ""));
        let text = catalogue.texts.get(id).or_else(|| catalogue.texts.get(&format!("{id}/scenario")));
        let Some(text) = text else { continue };
        let mut lint = Lint { path: &text.path, text: &text.text, complaints };
        let near = format!("[signature.{name}]");
        let document_only = !signature.formats.is_empty() && !signature.has_literals();
        if !signature.has_literals() && !document_only {
            lint.complain(&near, format!("signature `{name}` has no literal and no `format`"), None);
        }
        let anchored = |l: &String| filter::anchor(l).is_some();
        if !signature.all.is_empty() && signature.any.is_empty() && !signature.all.iter().any(anchored) {
            let message =
                format!("signature `{name}`: no literal of `all` has {} plain bytes in a row", filter::ANCHOR);
            lint.complain(&near, message, None);
        }
        if !signature.all.iter().any(anchored) {
            for literal in signature.any.iter().filter(|l| !anchored(l)) {
                let message = format!("signature `{name}`: `{literal}` has no {} plain bytes in a row", filter::ANCHOR);
                lint.complain(&near, message, Some("make the literal longer, or add a longer one to `all`".into()));
            }
        }
        if let Some(error) = signature.regex.as_ref().and_then(|r| build_regex(&r.source).err()) {
            let message = error.to_string().lines().last().unwrap_or_default().to_owned();
            lint.complain(&near, format!("signature `{name}`: the regex does not compile: {message}"), None);
        }
    }
}
