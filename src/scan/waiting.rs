//! Which signatures wait for what was found in a record: those to test at once, and those of ordinary lines that are tested
//! later, when something asks for them.

use crate::catalog::{Attention, SignatureId};
use crate::event::Severity;
use crate::matcher::Matcher;
use crate::parse;

use super::frame;
use super::records::{Record, Walk, names};
use super::usual::Group;

/// What to do about a literal on ordinary lines of one kind.
pub(super) struct Plan {
    /// Of what is usual, when this was worked out.
    version: u32,
    /// Signatures to test at once, and those to test later.
    test: Vec<SignatureId>,
    postpone: Vec<SignatureId>,
    /// Where the latter were found last among what is postponed.
    group: usize,
}

impl Walk<'_, '_> {
    /// Takes the anchors of a record and adds the signatures that wait for them and may hold on it.
    pub(super) fn waiting(&mut self, record: &Record, candidates: &mut Vec<SignatureId>) {
        let raw = self.bytes.get(record.from..record.to).unwrap_or_default();
        let matcher = &self.scanner.matcher;
        let service = record.service();
        self.seen.clear();
        self.marked = false;
        while let Some(found) = self.found.first().filter(|f| f.at < record.to) {
            self.found = self.found.get(1..).unwrap_or_default();
            self.seen.push(found.literal);
            self.marked |= matcher.is_marker(found.literal);
            if record.severity < Severity::WARN {
                self.plan(found.literal, record, raw, candidates);
                continue;
            }
            let waiting = matcher.waiting(found.literal).iter();
            for id in waiting.filter(|w| w.may_hold(record.severity, service)).map(|w| w.id) {
                if !candidates.contains(&id) && matcher.may_stand_in(id, raw) {
                    candidates.push(id);
                }
            }
        }
    }

    /// What to do about a literal on an ordinary line: adds the signatures to test now, remembers the record for those to test
    /// later. Literals of ordinary lines are found a million times: what follows from the signatures that wait for one is
    /// worked out once, as long as none of them becomes usual.
    fn plan(&mut self, literal: u32, record: &Record, raw: &[u8], candidates: &mut Vec<SignatureId>) {
        let matcher = &self.scanner.matcher;
        let service = record.service();
        // Severities below warning take four bits.
        let key = literal << 5 | u32::from(service.is_some()) << 4 | u32::from(record.severity.0 & 15);
        let version = self.usual.version();
        // Almost always it is there already.
        let known = self.plans.get(&key).is_some_and(|plan| plan.version == version);
        if !known {
            let waiting = matcher.waiting(literal).iter();
            let all = waiting.filter(|w| w.may_hold(record.severity, service)).map(|w| w.id);
            let (usual, test): (Vec<_>, Vec<_>) = all.partition(|id| self.usual.is_usual(*id));
            let is_asked_for = |id: &SignatureId| {
                let signature = self.scanner.catalogue.signatures.get(*id);
                signature.is_some_and(|s| s.attention > Attention::Some) || self.usual.is_sated(*id)
            };
            let postpone = usual.into_iter().filter(is_asked_for).collect();
            self.plans.insert(key, Plan { version, test, postpone, group: 0 });
        }
        let Some(plan) = self.plans.get_mut(&key) else { return };
        for id in &plan.test {
            if !candidates.contains(id) && matcher.may_stand_in(*id, raw) {
                candidates.push(*id);
            }
        }
        if !plan.postpone.is_empty() {
            let group = Group { name: key, last: &mut plan.group };
            self.usual.postpone(group, &plan.postpone, record, &mut stands_in(matcher, self.bytes));
        }
    }

    /// Records the last postponed hits of the signatures whose order with this one matters, and looks at the next ones.
    pub(super) fn flush_partners(&mut self, id: SignatureId) {
        let partners = self.scanner.catalogue.signatures.get(id).map_or(&[][..], |s| s.partners.as_slice());
        if !self.usual.is_sated(id) {
            partners.iter().for_each(|partner| self.usual.wake(*partner));
        }
        if self.usual.is_idle() {
            return;
        }
        for partner in partners {
            let mut may_hold = stands_in(&self.scanner.matcher, self.bytes);
            if let Some(record) = self.usual.take(*partner, &mut may_hold) {
                self.postponed(&mut vec![*partner], &record);
            }
        }
    }

    /// Records all postponed hits.
    pub(super) fn flush_all(&mut self) {
        // Often several signatures wait for one record: it is read once.
        let due = self.usual.take_all(&mut stands_in(&self.scanner.matcher, self.bytes));
        for same in due.chunk_by(|(_, a), (_, b)| a.from == b.from) {
            if let [(_, record), ..] = same {
                self.postponed(&mut same.iter().map(|(id, _)| *id).collect(), record);
            }
        }
    }

    fn postponed(&mut self, ids: &mut Vec<SignatureId>, record: &Record) {
        let raw = self.bytes.get(record.from..record.to).unwrap_or_default();
        let text = frame::text(raw);
        let mut event = parse::parse(&text);
        self.complete(&mut event);
        let names = names(&event);
        for found in self.scanner.matcher.test(&event, ids) {
            self.hit(found, &event, &names, record.number, record.before, raw);
        }
    }
}

/// Whether a signature may hold on a record in `bytes`, by its raw bytes.
fn stands_in<'m>(matcher: &'m Matcher<'_>, bytes: &'m [u8]) -> impl FnMut(SignatureId, &Record) -> bool + 'm {
    |id, record| matcher.may_stand_in(id, bytes.get(record.from..record.to).unwrap_or_default())
}
