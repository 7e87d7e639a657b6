//! The part of the compiler that says by itself what speaks against a root cause: its trouble passed (`passes` in a pattern
//! file), or was put right (`cures`).
//!
//! What that takes is judged by `correlate`; what the words mean to a writer of rules stands in `patterns/README.md`.

use super::compile::{Compiler, Complaint, Parsed, complaint, duration};
use super::file::{CauseFile, CureFile};
use super::{
    Attention, CURED, Correlation, CorrelationKind, Cure, Evidence, Expr, PASSING, PUT_RIGHT, SOURCE, ServiceSet,
    SignatureId, Term,
};
use crate::suggest;

/// How likely it is that short trouble which did not come back is a fault, and that it is not: what passed by itself is
/// no root cause of anything now, however clear its lines are.
const PASSED_IF_CAUSE: f64 = 0.00005;
/// The same where everything that showed the trouble was well again: two conclusive items together must not outweigh that.
const CURED_IF_CAUSE: f64 = 0.000_000_05;
/// See [`PASSED_IF_CAUSE`].
const PASSED_IF_NOT: f64 = 0.9;
/// Evidence of this likelihood ratio and above tells whether its root cause lasts.
const TELLING: f64 = 14.0;
/// How soon trouble must be put right to be a trifle, when a pattern file says nothing else.
const SOON: &str = "1h";

impl Compiler<'_> {
    /// What speaks against a root cause whose trouble was put right, for each thing that showed it.
    pub(super) fn cured(
        &mut self,
        id: &str,
        file: &CauseFile,
        parsed: &Parsed,
        evidence: &[Evidence],
    ) -> Option<Evidence> {
        let mut cures: Vec<Cure> = Vec::new();
        for (home, name, cure) in self.cures_named(id, file, parsed) {
            match self.cure(&home, cure) {
                Ok(compiled) => cures.push(compiled),
                Err((message, help)) => {
                    self.error(&home, &format!("[cure.{name}]"), format!("cure `{name}`: {message}"), help);
                }
            }
        }
        if cures.is_empty() {
            return None;
        }
        let rules = self.trouble(id, file, evidence, &cures);
        let names: Vec<String> = cures.iter().flat_map(|c| c.of.iter().cloned()).collect();
        self.attend(&rules, &rules, &names, Attention::Every);
        for cure in &cures {
            // What speaks for a whole source is judged by any of its hits, whatever they name.
            let attention = if cure.of.iter().all(|name| name == SOURCE) { Attention::Last } else { Attention::Every };
            self.attend(&cure.healthy, &rules, &names, attention);
        }
        let mut says: Vec<&str> = cures.iter().map(|cure| cure.says.as_str()).collect();
        says.dedup();
        let says = format!("{PUT_RIGHT}{}", says.join(", or "));
        Some(self.against(id, (CURED, CURED_IF_CAUSE), (CorrelationKind::Cured(cures), rules), says))
    }

    /// Has hits of signatures kept with these names, and looked at as often as it takes beside those of `partners`.
    fn attend(&mut self, signatures: &[SignatureId], partners: &[SignatureId], names: &[String], attention: Attention) {
        for id in signatures {
            let Some(signature) = self.signatures.get_mut(*id) else { continue };
            signature.correlated = true;
            signature.attention = signature.attention.max(attention);
            signature.keep.extend(names.iter().cloned());
            signature.partners.extend(partners.iter().filter(|partner| *partner != id));
            signature.partners.sort_unstable();
            signature.partners.dedup();
        }
    }

    /// The cures of a root cause: its own, and those of other files that it names; each with its file and name there.
    fn cures_named<'p>(
        &mut self,
        id: &str,
        file: &'p CauseFile,
        parsed: &'p Parsed,
    ) -> Vec<(String, String, &'p CureFile)> {
        let mut found: Vec<(String, String, &CureFile)> =
            file.cure.iter().map(|(name, cure)| (id.to_owned(), name.clone(), cure)).collect();
        let of_causes = parsed.causes.iter().map(|(home, f)| (home, &f.cure));
        let all: Vec<_> = of_causes.chain(parsed.scenarios.iter().map(|(home, f)| (home, &f.cure))).collect();
        for wanted in &file.cures {
            let known = || all.iter().flat_map(|(home, cures)| cures.iter().map(move |(n, c)| (*home, n, c)));
            match known().find(|(home, name, _)| wanted.split_once('#') == Some((home, name))) {
                Some((home, name, cure)) => found.push((home.clone(), name.clone(), cure)),
                None => {
                    let names: Vec<String> = known().map(|(home, name, _)| format!("{home}#{name}")).collect();
                    let help = suggest::did_you_mean(wanted, names.iter().map(String::as_str));
                    self.error(id, wanted, format!("`cures` names the unknown cure `{wanted}`"), help);
                }
            }
        }
        found
    }

    fn cure(&self, home: &str, file: &CureFile) -> Result<Cure, Complaint> {
        if file.healthy.is_empty() || file.says.is_empty() {
            return Err(complaint("needs `healthy` and `says`"));
        }
        let within = duration(file.within.as_deref().unwrap_or(SOON))?;
        Ok(Cure { healthy: self.rules(home, &file.healthy)?, of: file.of.clone(), within, says: file.says.clone() })
    }

    /// The signatures of which every hit must be followed by a cure: those of telling evidence, and those that the file names.
    fn trouble(&mut self, id: &str, file: &CauseFile, evidence: &[Evidence], cures: &[Cure]) -> Vec<SignatureId> {
        let mut rules = self.rules(id, &file.trouble).unwrap_or_else(|(message, help)| {
            self.error(id, "trouble", message, help);
            Vec::new()
        });
        for item in evidence.iter().filter(|e| e.supports() && is_telling(e)) {
            item.when.cited(&mut |term| match term {
                Term::Signature(signature) => rules.push(*signature),
                Term::Correlation(index) => match self.correlations.get(*index) {
                    Some(Correlation { kind: CorrelationKind::Absence { anchor, .. }, .. }) => rules.push(*anchor),
                    Some(correlation) => rules.extend(&correlation.rules),
                    None => {}
                },
            });
        }
        let is_healthy = |signature: &SignatureId| cures.iter().any(|c| c.healthy.contains(signature));
        let is_background = |signature: &SignatureId| self.signatures.get(*signature).is_some_and(|s| s.background);
        rules.retain(|signature| !is_healthy(signature) && !is_background(signature));
        rules.sort_unstable();
        rules.dedup();
        rules
    }

    /// What speaks against a root cause whose text returns as long as it lasts: short trouble that did not come back.
    pub(super) fn passing(&mut self, id: &str, time: &str, evidence: &[Evidence]) -> Option<Evidence> {
        let within = duration(time).map_err(|(message, help)| self.error(id, "passes", message, help)).ok()?;
        let mut rules = Vec::new();
        for item in evidence.iter().filter(|e| e.supports() && is_telling(e)) {
            item.when.names(&mut |term, positive| match term {
                Term::Signature(signature) if positive => rules.push(*signature),
                Term::Correlation(index) if positive => {
                    rules.extend(self.correlations.get(*index).into_iter().flat_map(|c| &c.rules));
                }
                _ => {}
            });
        }
        rules.sort_unstable();
        rules.dedup();
        for rule in &rules {
            if let Some(signature) = self.signatures.get_mut(*rule) {
                signature.correlated = true;
                signature.attention = signature.attention.max(Attention::Last);
            }
        }
        let says = format!("it lasted less than {time} and did not come back while the log went on");
        Some(self.against(id, (PASSING, PASSED_IF_CAUSE), (CorrelationKind::Passing(within), rules), says))
    }

    /// An item of evidence by which trouble is over: what is well, or quiet, was trouble and is no root cause of anything now.
    fn against(
        &mut self,
        id: &str,
        (item, if_cause): (&str, f64),
        (kind, rules): (CorrelationKind, Vec<SignatureId>),
        says: String,
    ) -> Evidence {
        let name = format!("{id}#{item}");
        self.correlations.push(Correlation { name, kind, rules, group_by: Vec::new(), timespan: None });
        Evidence {
            id: item.to_owned(),
            when: Expr::Name(Term::Correlation(self.correlations.len() - 1)),
            if_cause,
            if_not: PASSED_IF_NOT,
            group: None,
            says,
            needs: ServiceSet::default(),
        }
    }
}

/// Whether an item tells that its root cause lasts. What is said by much else as well comes back for other reasons; but a
/// provider that goes on to report the failed task shows that it lasts.
fn is_telling(item: &Evidence) -> bool {
    item.ratio() >= TELLING || item.group.as_deref() == Some("provider")
}
