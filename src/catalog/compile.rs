//! Turns pattern files into the catalogue: resolves names, words and numbers.
//!
//! What cannot be resolved is reported with path, line and a suggestion, and left out; everything else stays usable.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::file::{
    BenignFile, CauseFile, CorrelationFile, EvidenceFile, FieldValue, Prior, ScenarioFile, SignatureFile,
};
use super::version::Affected;
use super::{
    Attention, Catalogue, Cause, Correlation, CorrelationKind, Evidence, FieldOp, FieldTest, LazyRegex, Level,
    PatternText, Scenario, ServiceSet, Signature, SignatureId, Term, anchor, expr,
};
use crate::event::time::SECOND;
use crate::event::{Service, Severity};
use crate::suggest;

/// Named strengths and their likelihood ratios.
pub const STRENGTHS: &[(&str, f64)] =
    &[("conclusive", 1000.0), ("decisive", 100.0), ("strong", 20.0), ("moderate", 5.0), ("weak", 2.0)];

/// Named priors.
pub const PRIORS: &[(&str, f64)] = &[("rare", 0.01), ("uncommon", 0.05), ("common", 0.20)];

/// How likely an item with a named strength is when its cause is there.
const SEEN_IF_CAUSE: f64 = 0.9;
/// A count above this needs every hit: fewer are looked at on ordinary lines of one window of a source.
const MANY: u64 = 16;

/// What is wrong with a pattern file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PatternError {
    /// The file.
    pub path: String,
    /// The line, from 1.
    pub line: Option<usize>,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
}

impl PatternError {
    /// An error without help.
    pub fn new(path: &str, line: Option<usize>, message: String) -> Self {
        Self { path: path.to_owned(), line, message, help: None }
    }

    /// The same with a next step.
    #[must_use]
    pub fn with_help(mut self, help: Option<String>) -> Self {
        self.help = help;
        self
    }
}

impl fmt::Display for PatternError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.path)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        write!(f, ": {}", self.message)?;
        self.help.as_ref().map_or(Ok(()), |help| write!(f, "\n  help: {help}"))
    }
}

/// Pattern files as serde read them, by id.
#[derive(Debug, Default)]
pub struct Parsed {
    /// Root causes by `scenario/cause`.
    pub causes: BTreeMap<String, CauseFile>,
    /// Scenarios by folder.
    pub scenarios: BTreeMap<String, ScenarioFile>,
    /// Benign files by `benign/area`.
    pub benign: BTreeMap<String, BenignFile>,
}

/// Reads one file into `parsed`, replacing what has the same id.
pub fn parse_file(parsed: &mut Parsed, id: &str, path: &str, text: &str) -> Result<(), PatternError> {
    let broken = |error: toml::de::Error| {
        let line = error.span().map(|s| 1 + text.get(..s.start).unwrap_or_default().matches('\n').count());
        PatternError::new(path, line, error.message().replace('\n', " "))
    };
    match id.split_once('/') {
        Some(("benign", _)) => {
            parsed.benign.insert(id.to_owned(), toml::from_str(text).map_err(broken)?);
        }
        Some((scenario, "scenario")) => {
            parsed.scenarios.insert(scenario.to_owned(), toml::from_str(text).map_err(broken)?);
        }
        _ => {
            parsed.causes.insert(id.to_owned(), toml::from_str(text).map_err(broken)?);
        }
    }
    Ok(())
}

/// Builds the catalogue. Broken parts are reported and left out.
pub fn compile(parsed: &Parsed, texts: BTreeMap<String, PatternText>, digest: &str) -> (Catalogue, Vec<PatternError>) {
    let mut compiler = Compiler::new(&texts);
    compiler.signatures(parsed);
    compiler.correlations(parsed);
    let causes = compiler.causes(parsed);
    let scenarios = parsed.scenarios.iter().map(|(id, file)| Scenario {
        id: id.clone(),
        title: file.title.clone(),
        description: file.description.clone(),
    });
    let Compiler { signatures, correlations, errors, .. } = compiler;
    let catalogue = Catalogue {
        causes,
        scenarios: scenarios.collect(),
        signatures,
        correlations,
        digest: digest.to_owned(),
        texts,
    };
    (catalogue, errors)
}

pub(super) struct Compiler<'t> {
    texts: &'t BTreeMap<String, PatternText>,
    errors: Vec<PatternError>,
    pub(super) signatures: Vec<Signature>,
    pub(super) correlations: Vec<Correlation>,
    terms: BTreeMap<String, Term>,
}

impl<'t> Compiler<'t> {
    fn new(texts: &'t BTreeMap<String, PatternText>) -> Self {
        Self { texts, errors: Vec::new(), signatures: Vec::new(), correlations: Vec::new(), terms: BTreeMap::new() }
    }

    /// Reports a problem of file `id`, at the line where `near` stands.
    pub(super) fn error(&mut self, id: &str, near: &str, message: String, help: Option<String>) {
        let text = self.texts.get(id).or_else(|| self.texts.get(&format!("{id}/scenario")));
        let path = text.map_or(id, |t| t.path.as_str()).to_owned();
        let line = text.and_then(|t| t.text.lines().position(|l| l.contains(near)).map(|l| l + 1));
        self.errors.push(PatternError::new(&path, line, message).with_help(help));
    }

    fn signatures(&mut self, parsed: &Parsed) {
        let causes = parsed.causes.iter().map(|(id, f)| (id, &f.signature, false));
        let scenarios = parsed.scenarios.iter().map(|(id, f)| (id, &f.signature, false));
        let benign = parsed.benign.iter().map(|(id, f)| (id, &f.signature, true));
        for (id, signatures, benign) in causes.chain(scenarios).chain(benign) {
            for (name, file) in signatures {
                if let Some(signature) = self.signature(id, name, file, benign) {
                    self.terms.insert(signature.name.clone(), Term::Signature(self.signatures.len()));
                    self.signatures.push(signature);
                }
            }
        }
    }

    fn signature(&mut self, id: &str, name: &str, file: &SignatureFile, benign: bool) -> Option<Signature> {
        let near = format!("[signature.{name}]");
        let services = self.services(id, &near, &file.service);
        let mut fields = Vec::new();
        for (key, value) in &file.fields {
            match field_test(key, value) {
                Ok(test) => fields.push(test),
                Err(message) => {
                    self.error(id, &near, format!("signature `{name}`: {message}"), None);
                    return None;
                }
            }
        }
        Some(Signature {
            least_severity: least_severity(&fields, benign),
            attention: Attention::Some,
            partners: Vec::new(),
            name: format!("{id}#{name}"),
            any: file.any.clone(),
            all: file.all.clone(),
            none: file.none.clone(),
            regex: file.regex.clone().map(LazyRegex::new),
            services,
            formats: file.format.clone(),
            fields,
            background: file.background,
            of_another: file.of_another,
            benign,
            correlated: false,
            keep: Vec::new(),
            anchors: anchor::choose(&file.any, &file.all),
        })
    }

    fn services(&mut self, id: &str, near: &str, names: &[String]) -> ServiceSet {
        let mut set = ServiceSet::default();
        for name in names {
            match Service::from_name(name) {
                Some(service) => set.insert(service),
                None => {
                    let known = Service::all().iter().map(|(n, _)| *n);
                    self.error(id, near, format!("unknown service `{name}`"), suggest::did_you_mean(name, known));
                }
            }
        }
        set
    }

    fn correlations(&mut self, parsed: &Parsed) {
        let causes = parsed.causes.iter().map(|(id, f)| (id, &f.correlation));
        let scenarios = parsed.scenarios.iter().map(|(id, f)| (id, &f.correlation));
        let all: Vec<_> = causes.chain(scenarios).collect();
        for (id, correlations) in all {
            for (name, file) in correlations {
                match self.correlation(id, name, file) {
                    Ok(correlation) => {
                        self.terms.insert(correlation.name.clone(), Term::Correlation(self.correlations.len()));
                        self.correlations.push(correlation);
                    }
                    Err((message, help)) => {
                        let message = format!("correlation `{name}`: {message}");
                        self.error(id, &format!("[correlation.{name}]"), message, help);
                    }
                }
            }
        }
    }

    fn correlation(&mut self, id: &str, name: &str, file: &CorrelationFile) -> Result<Correlation, Complaint> {
        let rules = self.rules(id, &file.rules)?;
        let kind = self.kind(id, name, file)?;
        let mut touched = rules.clone();
        match &kind {
            CorrelationKind::Ordered { without } => touched.extend(without),
            CorrelationKind::Absence { anchor, .. } => touched.push(*anchor),
            _ => {}
        }
        // Order and absence are judged by single hits; counts and sets need only enough of them.
        let single = matches!(
            kind,
            CorrelationKind::Ordered { .. }
                | CorrelationKind::Elapsed { .. }
                | CorrelationKind::Settled
                | CorrelationKind::Absence { .. }
        );
        let attention = match &kind {
            CorrelationKind::EventCount(gte) if *gte > MANY => Attention::Every,
            _ if !single => Attention::Some,
            _ if file.group_by.is_empty() => Attention::Last,
            _ => Attention::Every,
        };
        for id in &touched {
            if let Some(signature) = self.signatures.get_mut(*id) {
                signature.correlated = true;
                signature.attention = signature.attention.max(attention);
                if single {
                    signature.partners.extend(touched.iter().filter(|t| *t != id));
                    signature.partners.sort_unstable();
                    signature.partners.dedup();
                }
                signature.keep.extend(file.group_by.iter().chain(&file.field).cloned());
            }
        }
        Ok(Correlation {
            name: format!("{id}#{name}"),
            kind,
            rules,
            group_by: file.group_by.clone(),
            timespan: file.timespan.as_deref().map(duration).transpose()?,
        })
    }

    fn kind(&mut self, id: &str, name: &str, file: &CorrelationFile) -> Result<CorrelationKind, Complaint> {
        let near = format!("[correlation.{name}]");
        let gte = || file.gte.ok_or_else(|| complaint("needs `gte`"));
        Ok(match file.kind.as_str() {
            "event_count" => CorrelationKind::EventCount(gte()?),
            "value_count" => CorrelationKind::ValueCount {
                field: file.field.clone().ok_or_else(|| complaint("needs `field`"))?,
                gte: gte()?,
            },
            "temporal" => CorrelationKind::Temporal { last: file.last },
            "temporal_ordered" => CorrelationKind::Ordered { without: self.rules(id, &file.without)? },
            "elapsed" => CorrelationKind::Elapsed {
                lt: file.lt.as_deref().map(duration).transpose()?,
                gt: file.gt.as_deref().map(duration).transpose()?,
            },
            "settled" => CorrelationKind::Settled,
            "clock_pair" => CorrelationKind::ClockPair,
            "absence" => CorrelationKind::Absence {
                anchor: self.rule(id, file.anchor.as_deref().ok_or_else(|| complaint("needs `anchor`"))?)?,
                before: duration(file.before.as_deref().unwrap_or("10m"))?,
                after: duration(file.after.as_deref().unwrap_or("10m"))?,
                covered_by: self.services(id, &near, &file.covered_by),
            },
            other => {
                let known = [
                    "event_count",
                    "value_count",
                    "temporal",
                    "temporal_ordered",
                    "elapsed",
                    "settled",
                    "absence",
                    "clock_pair",
                ];
                return Err((format!("unknown type `{other}`"), suggest::did_you_mean(other, known)));
            }
        })
    }

    pub(super) fn rules(&self, id: &str, names: &[String]) -> Result<Vec<SignatureId>, Complaint> {
        names.iter().map(|name| self.rule(id, name)).collect()
    }

    fn rule(&self, id: &str, name: &str) -> Result<SignatureId, Complaint> {
        match self.term(id, name)? {
            Term::Signature(signature) => Ok(signature),
            Term::Correlation(_) => Err(complaint(&format!("`{name}` is a correlation, expected a signature"))),
        }
    }

    /// Resolves a name as written in file `id`.
    fn term(&self, id: &str, name: &str) -> Result<Term, Complaint> {
        let full = if name.contains('#') { name.to_owned() } else { format!("{id}#{name}") };
        self.terms.get(&full).copied().ok_or_else(|| {
            let prefix = format!("{id}#");
            let known = self.terms.keys().map(|k| k.strip_prefix(&prefix).unwrap_or(k));
            (format!("`{name}` is no signature or correlation"), suggest::did_you_mean(name, known))
        })
    }

    fn causes(&mut self, parsed: &Parsed) -> Vec<Cause> {
        let mut causes = Vec::new();
        for (id, file) in &parsed.causes {
            let level = Level::ALL.iter().find(|(n, _)| *n == file.level).map(|(_, l)| *l);
            if level.is_none() {
                let help = suggest::did_you_mean(&file.level, Level::ALL.iter().map(|(n, _)| *n));
                self.error(id, "level", format!("unknown level `{}`", file.level), help);
            }
            let cause = Cause {
                id: id.clone(),
                title: file.title.clone(),
                level: level.unwrap_or_default(),
                status: file.status.clone(),
                prior: self.prior(id, &file.prior),
                explains: self.causes_named(id, ("explains", &file.explains), parsed),
                mimics: self.causes_named(id, ("mimics", &file.mimics), parsed),
                evidence: self.evidence(id, file, parsed),
                applications: self.applications(id, file),
            };
            causes.push(cause);
        }
        causes
    }

    fn prior(&mut self, id: &str, prior: &Prior) -> f64 {
        match prior {
            Prior::Number(number) if *number > 0.0 && *number < 1.0 => *number,
            Prior::Number(number) => {
                self.error(id, "prior", format!("prior {number} is not between 0 and 1"), None);
                0.05
            }
            Prior::Word(word) => PRIORS.iter().find(|(n, _)| n == word).map(|(_, p)| *p).unwrap_or_else(|| {
                let help = suggest::did_you_mean(word, PRIORS.iter().map(|(n, _)| *n));
                self.error(id, "prior", format!("unknown prior `{word}`"), help);
                0.05
            }),
        }
    }

    fn causes_named(&mut self, id: &str, (key, targets): (&str, &[String]), parsed: &Parsed) -> Vec<usize> {
        let mut found = Vec::new();
        for target in targets {
            match parsed.causes.keys().position(|k| k == target) {
                Some(_) if target == id => self.error(id, target, "a root cause cannot explain itself".into(), None),
                Some(index) => found.push(index),
                None => {
                    let help = suggest::did_you_mean(target, parsed.causes.keys().map(String::as_str));
                    self.error(id, target, format!("`{key}` names the unknown root cause `{target}`"), help);
                }
            }
        }
        found
    }

    fn applications(&mut self, id: &str, file: &CauseFile) -> Vec<Affected> {
        let mut list = Vec::new();
        for application in &file.applications {
            match Affected::parse(&application.name, &application.affected) {
                Ok(affected) => list.push(affected),
                Err(message) => self.error(id, &application.affected, message, None),
            }
        }
        list
    }

    fn evidence(&mut self, id: &str, file: &CauseFile, parsed: &Parsed) -> Vec<Evidence> {
        let mut list = Vec::new();
        for item in &file.evidence {
            match self.item(id, item) {
                Ok(evidence) => list.push(evidence),
                Err((message, help)) => {
                    let message = format!("evidence `{}`: {message}", item.id);
                    self.error(id, &format!("id = \"{}\"", item.id), message, help);
                }
            }
        }
        if let Some(passing) = file.passes.as_deref().and_then(|time| self.passing(id, time, &list)) {
            list.push(passing);
        }
        if let Some(cured) = self.cured(id, file, parsed, &list) {
            list.push(cured);
        }
        list
    }

    fn item(&mut self, id: &str, item: &EvidenceFile) -> Result<Evidence, Complaint> {
        let when = expr::parse(&item.when).map_err(|m| (m, None))?;
        let when = when.resolve(&mut |name: &String| self.term(id, name))?;
        let (if_cause, if_not) = likelihoods(item)?;
        let near = format!("id = \"{}\"", item.id);
        let needs = self.services(id, &near, &item.needs);
        Ok(Evidence {
            id: item.id.clone(),
            when,
            if_cause,
            if_not,
            group: item.group.clone(),
            says: item.says.clone(),
            needs,
        })
    }
}

/// A message and what to do.
pub(super) type Complaint = (String, Option<String>);

pub(super) fn complaint(message: &str) -> Complaint {
    (message.to_owned(), None)
}

/// P(seen | cause) and P(seen | not cause) of an item.
fn likelihoods(item: &EvidenceFile) -> Result<(f64, f64), Complaint> {
    let contradicts = match item.role.as_deref() {
        None | Some("supports") => false,
        Some("contradicts") => true,
        Some(other) => {
            return Err((format!("unknown role `{other}`"), suggest::did_you_mean(other, ["supports", "contradicts"])));
        }
    };
    let (if_cause, if_not) = match (item.likelihood, item.strength.as_deref()) {
        (Some(l), None) => (l.if_cause, l.if_not),
        (None, Some(word)) => {
            let ratio = STRENGTHS.iter().find(|(n, _)| *n == word).map(|(_, r)| *r).ok_or_else(|| {
                (format!("unknown strength `{word}`"), suggest::did_you_mean(word, STRENGTHS.iter().map(|(n, _)| *n)))
            })?;
            let pair = (SEEN_IF_CAUSE, SEEN_IF_CAUSE / ratio);
            if contradicts { (pair.1, pair.0) } else { pair }
        }
        _ => return Err(complaint("needs either `strength` or `likelihood`")),
    };
    let sound = |p: f64| p > 0.0 && p < 1.0;
    if !sound(if_cause) || !sound(if_not) {
        return Err(complaint("a likelihood must lie between 0 and 1, both excluded"));
    }
    if contradicts != (if_cause < if_not) {
        return Err(complaint("the likelihoods do not fit the role"));
    }
    Ok((if_cause, if_not))
}

/// `30s`, `115m`, `24h`, `7d` in microseconds.
pub fn duration(text: &str) -> Result<i64, Complaint> {
    let wrong = || complaint(&format!("`{text}` is no duration, expected for example `30s`, `115m`, `24h` or `7d`"));
    let unit = text.chars().last().ok_or_else(wrong)?;
    let scale = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 86_400,
        _ => return Err(wrong()),
    };
    let number: i64 = text.strip_suffix(unit).and_then(|n| n.trim().parse().ok()).ok_or_else(wrong)?;
    Ok(number * scale * SECOND)
}

fn field_test(key: &str, value: &FieldValue) -> Result<FieldTest, String> {
    let (name, op) = match key.split_once('|') {
        None => (key, FieldOp::Eq),
        Some((name, word)) => {
            let op = FieldOp::ALL.iter().find(|(n, _)| *n == word).map(|(_, o)| *o);
            (name, op.ok_or_else(|| format!("unknown modifier `{word}` of field `{name}`"))?)
        }
    };
    let mut values = Vec::new();
    flatten(value, &mut values);
    let regexes = if op == FieldOp::Re { values.iter().cloned().map(LazyRegex::new).collect() } else { Vec::new() };
    let name = name.strip_prefix("attributes.").unwrap_or(name);
    Ok(FieldTest { key: name.to_owned(), op, values, regexes })
}

/// The lowest severity of an event that passes the field tests; benign lines are looked at only from warnings on.
fn least_severity(fields: &[FieldTest], benign: bool) -> Severity {
    let tested = fields.iter().filter(|f| f.key == "severity_number" && f.op == FieldOp::Gte);
    let asked = tested.filter_map(|f| f.values.iter().filter_map(|v| v.parse().ok()).min()).max();
    Severity(asked.unwrap_or(0)).max(if benign { Severity::WARN } else { Severity::UNKNOWN })
}

fn flatten(value: &FieldValue, into: &mut Vec<String>) {
    match value {
        FieldValue::Bool(b) => into.push(b.to_string()),
        FieldValue::Int(i) => into.push(i.to_string()),
        FieldValue::Float(f) => into.push(f.to_string()),
        FieldValue::Text(t) => into.push(t.clone()),
        FieldValue::List(list) => list.iter().for_each(|v| flatten(v, into)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(text: &str) -> (Catalogue, Vec<PatternError>) {
        let mut parsed = Parsed::default();
        parse_file(&mut parsed, "s/c", "patterns/s/c.toml", text).expect("TOML");
        let text = PatternText { path: "patterns/s/c.toml".into(), text: text.to_owned().into() };
        compile(&parsed, BTreeMap::from([("s/c".to_owned(), text)]), "0")
    }

    #[test]
    fn a_mistyped_name_is_reported_with_line_and_suggestion() {
        let (_, errors) = load(
            "title='t'\nlevel='high'\n[signature.denied]\nany=['not authorized to access']\n[[evidence]]\nid = \"a\"\nwhen='denyed'\nstrength='strong'",
        );
        assert_eq!(errors.len(), 1);
        assert_eq!(errors[0].line, Some(6));
        assert_eq!(errors[0].help.as_deref(), Some("did you mean `denied`?"));
    }

    #[test]
    fn an_unknown_key_is_an_error_with_its_line() {
        let error =
            parse_file(&mut Parsed::default(), "s/c", "p.toml", "title='t'\ntilte='x'").expect_err("unknown key");
        assert_eq!(error.line, Some(2));
        assert!(error.message.contains("tilte"), "{error}");
    }

    #[test]
    fn named_strengths_become_likelihood_ratios() {
        let (catalogue, errors) = load(
            "title='t'\nlevel='high'\n[signature.s]\nany=['0123456789']\n[[evidence]]\nid='a'\nwhen='s'\nstrength='decisive'\n[[evidence]]\nid='b'\nwhen='not s'\nrole='contradicts'\nstrength='strong'",
        );
        assert_eq!(errors, []);
        let ratios: Vec<f64> = catalogue.causes[0].evidence.iter().map(|e| e.ratio().round()).collect();
        assert_eq!(ratios, [100.0, 0.0]);
    }
}
