//! The lints: what a pattern file must have beyond being readable.

use std::collections::BTreeSet;

use super::compile::PatternError;
use super::file::{CauseFile, Remediation, SampleFile};
use super::{Catalogue, Correlation, CorrelationKind, SOURCE, Signature, TASK_STARTS, anchor, build_regex, discern};
use crate::catalog::Term;
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
    unused(catalogue, &mut complaints);
    correlations(catalogue, &mut complaints);
    indistinct(catalogue, &mut complaints);
    complaints.sort_by(|a, b| (&a.path, a.line, &a.message).cmp(&(&b.path, b.line, &b.message)));
    complaints
}

/// Whether a text says more than `the text`.
fn tells(shows: &str) -> bool {
    shows.split_whitespace().count() >= 3
}

/// What a comment begins with that says why a root cause has no counter-evidence.
const NO_COUNTER_EVIDENCE: &str = "# No counter-evidence: ";

/// What a step that changes something lacks, with what belongs there.
fn lacking(step: &Remediation) -> Vec<(&'static str, &'static str)> {
    if !["disruptive", "destructive"].contains(&step.risk.as_str()) {
        return Vec::new();
    }
    let needed = [
        ("precondition", &step.precondition, "what must hold before, so that it does no harm"),
        ("verify", &step.verify, "a command or an observation that shows that it worked"),
        ("rollback", &step.rollback, "how to undo it; if it cannot be undone, say so and what to save before"),
    ];
    needed.into_iter().filter(|(_, value, _)| value.trim().is_empty()).map(|(key, _, help)| (key, help)).collect()
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

    /// Whether a comment says why nothing can speak against the root cause.
    fn declares_no_counter_evidence(&self) -> bool {
        let mut reasons = self.text.lines().filter_map(|l| l.strip_prefix(NO_COUNTER_EVIDENCE));
        reasons.any(|why| !why.trim().is_empty())
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
        for reference in page.references.iter().filter(|r| !r.shows.is_empty() && !tells(&r.shows)) {
            let message = format!("`shows = \"{}\"` does not tell what one can read there", reference.shows);
            self.complain(&reference.url, message, None);
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
            for (key, help) in lacking(step) {
                let message = format!("step `{}` is {} and needs a `{key}`", step.title, step.risk);
                self.complain(&near, message, Some(help.into()));
            }
            if step.risk == "destructive" && index == 0 && harmless {
                self.complain(&near, "a destructive step must not come first".into(), None);
            }
        }
        if !page.remediation.is_empty() && page.remediation.iter().all(|r| r.verify.is_empty()) {
            let help = "say by which command or observation one sees that it worked";
            self.complain("[[remediation]]", "no step says how to `verify` it".into(), Some(help.into()));
        }
        if page.collect.iter().all(|c| c.run.trim().is_empty()) {
            let help = "add a [[collect]] with the command whose answer tells it best from its look-alikes";
            self.complain("title", "`collect` is missing".into(), Some(help.into()));
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
        for other in page.differential.iter().filter(|other| catalogue.find(other).is_none()) {
            let help = suggest::did_you_mean(other, catalogue.causes.iter().map(|c| c.id.as_str()));
            self.complain("differential", format!("`differential` names the unknown root cause `{other}`"), help);
        }
        let against = cause.evidence.iter().any(|e| !e.supports());
        if !page.differential.is_empty() && !against && !self.declares_no_counter_evidence() {
            let message = "it has look-alikes (`differential`), and no evidence speaks against it".into();
            let help = format!("add evidence with `role = \"contradicts\"`, or a comment `{NO_COUNTER_EVIDENCE}WHY`");
            self.complain("differential", message, Some(help));
        }
        let collects =
            page.collect.iter().map(|c| ("collect", &c.run, &c.evidence)).filter(|(_, _, id)| !id.is_empty());
        let steps = page.remediation.iter().flat_map(|r| r.evidence.iter().map(|id| ("remediation", &r.title, id)));
        for (table, near, id) in collects.chain(steps) {
            if !cause.evidence.iter().any(|e| e.id == *id) {
                let help = suggest::did_you_mean(id, cause.evidence.iter().map(|e| e.id.as_str()));
                self.complain(near, format!("`{table}` names the unknown evidence `{id}`"), help);
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
        let anchored = |l: &String| anchor::piece(l).is_some();
        if !signature.all.is_empty() && signature.any.is_empty() && !signature.all.iter().any(anchored) {
            let message =
                format!("signature `{name}`: no literal of `all` has {} plain bytes in a row", anchor::ANCHOR);
            lint.complain(&near, message, None);
        }
        if !signature.all.iter().any(anchored) {
            for literal in signature.any.iter().filter(|l| !anchored(l)) {
                let message = format!("signature `{name}`: `{literal}` has no {} plain bytes in a row", anchor::ANCHOR);
                lint.complain(&near, message, Some("make the literal longer, or add a longer one to `all`".into()));
            }
        }
        for literal in signature.any.iter().chain(&signature.all).filter(|l| needs_key(l)) {
            let message = format!("signature `{name}`: `{literal}` stands in no JSON log");
            lint.complain(&near, message, Some("test the attribute with `fields`".into()));
        }
        if let Some(error) = signature.regex.as_ref().and_then(|r| build_regex(&r.source).err()) {
            let message = error.to_string().lines().last().unwrap_or_default().to_owned();
            lint.complain(&near, format!("signature `{name}`: the regex does not compile: {message}"), None);
        }
    }
}

/// The pattern file that a name like `scenario/cause#name` or `scenario#name` stands in, and the name.
fn home<'c, 'n>(catalogue: &'c Catalogue, full: &'n str) -> Option<(&'c super::PatternText, &'n str)> {
    let (id, name) = full.split_once('#')?;
    let text = catalogue.texts.get(id).or_else(|| catalogue.texts.get(&format!("{id}/scenario")))?;
    Some((text, name))
}

/// Signatures and correlations that nothing looks at.
fn unused(catalogue: &Catalogue, complaints: &mut Vec<PatternError>) {
    let mut used = BTreeSet::new();
    for item in catalogue.causes.iter().flat_map(|c| &c.evidence) {
        item.when.names(&mut |term, _| {
            used.insert(*term);
        });
    }
    for correlation in &catalogue.correlations {
        used.extend(correlation.rules.iter().map(|id| Term::Signature(*id)));
        match &correlation.kind {
            CorrelationKind::Ordered { without } => used.extend(without.iter().map(|id| Term::Signature(*id))),
            CorrelationKind::Absence { anchor, .. } => used.extend([Term::Signature(*anchor)]),
            CorrelationKind::Cured(cures) => {
                used.extend(cures.iter().flat_map(|c| &c.healthy).map(|id| Term::Signature(*id)));
            }
            _ => {}
        }
    }
    // Clocks are compared by these, whatever root cause is asked for.
    let compares = |c: &Correlation| c.kind == CorrelationKind::ClockPair;
    let pairs = catalogue.correlations.iter().enumerate().filter(|(_, c)| compares(c));
    used.extend(pairs.map(|(id, _)| Term::Correlation(id)));
    let by_engine = |s: &Signature| s.benign || s.name == TASK_STARTS;
    let signatures = catalogue.signatures.iter().enumerate().filter(|(_, s)| !by_engine(s));
    let signatures = signatures.map(|(id, s)| (Term::Signature(id), "signature", &s.name));
    let correlations = catalogue.correlations.iter().enumerate();
    let correlations = correlations.map(|(id, c)| (Term::Correlation(id), "correlation", &c.name));
    for (_, kind, full) in signatures.chain(correlations).filter(|(term, ..)| !used.contains(term)) {
        let Some((text, name)) = home(catalogue, full) else { continue };
        let mut lint = Lint { path: &text.path, text: &text.text, complaints };
        lint.complain(&format!("[{kind}.{name}]"), format!("{kind} `{name}` is used by no evidence"), None);
    }
}

/// Names that correlations may group or count by, beside what a regex of their signatures captures.
const NAMES: &[&str] = &[
    "pve.vmid",
    "pve.node",
    "pve.upid",
    "pve.storage",
    "pve.user",
    "pve.task.type",
    "pve.file",
    "pve.vm_name",
    "omni.machine_request",
    "omni.machine",
    "omni.cluster",
    "omni.machine_set",
    "omni.provider",
    "talos.node",
    "k8s.node",
    "node.address",
    "siderolink.address",
    "etcd.member",
    "host",
    "url",
    SOURCE,
];

/// Names that no event can carry.
fn correlations(catalogue: &Catalogue, complaints: &mut Vec<PatternError>) {
    for correlation in &catalogue.correlations {
        let mut names: Vec<&str> = correlation.group_by.iter().map(String::as_str).collect();
        if let CorrelationKind::ValueCount { field, .. } = &correlation.kind {
            names.push(field);
        }
        let healthy = match &correlation.kind {
            CorrelationKind::Cured(cures) => cures.iter().flat_map(|c| c.healthy.clone()).collect(),
            _ => Vec::new(),
        };
        let rules = || correlation.rules.iter().chain(&healthy).filter_map(|id| catalogue.signatures.get(*id));
        let captured = |name: &str| {
            let group = format!("(?P<{name}>");
            rules().any(|s| s.regex.as_ref().is_some_and(|r| r.source.contains(&group)))
        };
        let tested = |name: &str| rules().any(|s| s.fields.iter().any(|f| f.key == name));
        if let CorrelationKind::Cured(cures) = &correlation.kind {
            names.extend(cures.iter().flat_map(|c| &c.of).map(String::as_str));
        }
        for name in names.into_iter().filter(|n| !NAMES.contains(n) && !captured(n) && !tested(n)) {
            let Some((text, own)) = home(catalogue, &correlation.name) else { continue };
            let mut lint = Lint { path: &text.path, text: &text.text, complaints };
            let help = suggest::did_you_mean(name, NAMES.iter().copied());
            let message = format!("correlation `{own}`: no event carries `{name}`");
            lint.complain(&format!("[correlation.{own}]"), message, help);
        }
    }
}

/// Root causes that can never be named before another one.
fn indistinct(catalogue: &Catalogue, complaints: &mut Vec<PatternError>) {
    for (one, other) in discern::indistinct(catalogue) {
        let (Some(one), Some(other)) = (catalogue.causes.get(one), catalogue.causes.get(other)) else { continue };
        let Some(text) = catalogue.texts.get(&one.id) else { continue };
        let mut lint = Lint { path: &text.path, text: &text.text, complaints };
        let message = format!("it cannot be told from `{}`: all its evidence speaks as strongly for that", other.id);
        lint.complain("[[evidence]]", message, Some("add evidence that only one of them has".into()));
    }
}

/// Attributes that JSON logs carry: `key=value` is how their text is put together, and never stands in the log itself.
const ATTRIBUTES: &[&str] = &["error", "err", "msg", "step", "controller", "component", "reason", "caller", "level"];

/// Whether a literal can be found only where attributes are written as `key=value`.
fn needs_key(literal: &str) -> bool {
    let Some((key, value)) = literal.trim_start().split_once('=') else { return false };
    let found = |anchor: [u8; anchor::ANCHOR]| value.as_bytes().windows(anchor::ANCHOR).any(|w| w == anchor);
    ATTRIBUTES.contains(&key) && !anchor::piece(literal).is_some_and(found)
}
