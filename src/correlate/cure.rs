//! Whether trouble was put right: everything that showed it is shown later in the state that the trouble excludes.
//!
//! A request that failed and is finished, a VM that did not start and runs: the same thing, and soon. That trouble merely
//! stops proves nothing, nor does another thing that is well; what the input cannot tell leaves it open.

use std::collections::BTreeMap;

use crate::catalog::{Cure, SignatureId, Truth};
use crate::event::Service;
use crate::event::entities::upid_start;
use crate::event::time::SECOND;

use super::{Finding, HitRef, World, window};

/// So many hits of one text in one source are no small trouble, and some of them may not be kept.
const SMALL: usize = 512;

/// What runs in Talos or in its containers.
const UTC: &[Service] =
    &[Service::Talos, Service::Kernel, Service::Etcd, Service::Kubelet, Service::Containerd, Service::Kubernetes];
/// How far apart several programs write the same failure down, microseconds.
const ECHO: u64 = 15 * SECOND.unsigned_abs();

/// What one line of trouble came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Course {
    /// Nothing shows that it ended.
    Lasts,
    /// Something may show it, of which the input does not tell whether it is of the same thing, or later.
    Open,
    /// This hit shows that it ended.
    Over(HitRef),
}

/// A hit with what decides about its order.
#[derive(Debug, Clone, Copy)]
struct Placed {
    at: HitRef,
    line: u64,
    /// On one clock for all sources; none for state, which tells what is and not since when.
    moment: Option<(usize, i64)>,
}

/// What shows the end of trouble, by the thing that it speaks of.
struct Ends<'c> {
    cure: &'c Cure,
    by_subject: BTreeMap<Vec<Option<String>>, Vec<Placed>>,
}

/// Whether every hit of `trouble` is followed by what ends it, of the same thing.
pub(super) fn put_right(world: &World<'_>, trouble: &[SignatureId], cures: &[Cure]) -> Finding {
    let ends: Vec<Ends<'_>> = cures.iter().map(|cure| Ends::new(world, cure)).collect();
    if ends.iter().all(|e| e.by_subject.is_empty()) {
        return Finding::from_hits(Vec::new());
    }
    if trouble.iter().any(|signature| world.is_frequent(*signature, SMALL)) {
        return Finding::unknown();
    }
    let course = |at: &HitRef| (placed(world, *at), ends.iter().map(|e| e.course(world, *at)).max());
    let all: Vec<_> = trouble.iter().flat_map(|signature| world.hits(*signature)).map(course).collect();
    let over: Vec<Placed> =
        all.iter().filter(|(_, course)| matches!(course, Some(Course::Over(_)))).map(|(trouble, _)| *trouble).collect();
    let mut shown = Vec::new();
    let mut truth = Truth::True;
    for (trouble, course) in &all {
        match course {
            Some(Course::Over(end)) => shown.push(*end),
            Some(Course::Open) if over.iter().any(|named| named.echoes(trouble)) => {}
            Some(Course::Open) => truth = Truth::Unknown,
            Some(Course::Lasts) | None => return Finding::from_hits(Vec::new()),
        }
    }
    shown.sort_unstable();
    shown.dedup();
    if truth == Truth::Unknown { Finding::unknown() } else { Finding::from_hits(shown) }
}

impl Placed {
    /// Whether both tell of one failure: several programs write it down at once, and not all name what it is about.
    fn echoes(&self, other: &Self) -> bool {
        if (self.at.source, self.line) == (other.at.source, other.line) {
            return true;
        }
        self.moment.zip(other.moment).is_some_and(|(a, b)| a.0 == b.0 && a.1.abs_diff(b.1) <= ECHO)
    }
}

impl<'c> Ends<'c> {
    fn new(world: &World<'_>, cure: &'c Cure) -> Self {
        let mut by_subject: BTreeMap<_, Vec<Placed>> = BTreeMap::new();
        for at in cure.healthy.iter().flat_map(|signature| world.hits(*signature)) {
            by_subject.entry(subject(world, *at, &cure.of)).or_default().push(placed(world, *at));
        }
        Self { cure, by_subject }
    }

    fn course(&self, world: &World<'_>, trouble: HitRef) -> Course {
        let thing = subject(world, trouble, &self.cure.of);
        let trouble = placed(world, trouble);
        let of_it = self.by_subject.get(&thing).map_or(&[][..], Vec::as_slice);
        let mut undated = false;
        for end in of_it {
            match self.ends(&trouble, end) {
                Some(true) => return Course::Over(end.at),
                Some(false) => {}
                None => undated = true,
            }
        }
        let nameless = |subject: &[Option<String>]| subject.len() > self.cure.of.len();
        let doubtful = nameless(&thing) && !self.by_subject.is_empty() || self.by_subject.keys().any(|s| nameless(s));
        if undated || (of_it.is_empty() && doubtful) { Course::Open } else { Course::Lasts }
    }

    /// Whether a hit comes after trouble, and soon enough; `None` where that cannot be told.
    fn ends(&self, trouble: &Placed, end: &Placed) -> Option<bool> {
        let times = trouble.moment.zip(end.moment).filter(|(a, b)| a.0 == b.0);
        let took = times.map(|(a, b)| b.1.saturating_sub(a.1));
        if trouble.at.source == end.at.source {
            // Several logs may have been put into one file: lines that tell different times are ordered by these.
            let later = took.filter(|took| *took != 0).map_or(end.line > trouble.line, i64::is_positive);
            return Some(later && took.is_none_or(|took| took <= self.cure.within));
        }
        took.map(|took| took > 0 && took <= self.cure.within)
    }
}

/// The names that must agree. Where one is not told, the source stands for it: a log of one machine names nobody.
fn subject(world: &World<'_>, at: HitRef, of: &[String]) -> Vec<Option<String>> {
    let source = || Some(format!("source {}", at.source));
    let mut names: Vec<Option<String>> = of.iter().map(|key| window::value(world, at, key)).collect();
    if names.iter().any(Option::is_none) {
        names.push(source());
    }
    names
}

/// When and where a hit is. The log of a task tells no times, or local ones: it began when its identifier says.
fn placed(world: &World<'_>, at: HitRef) -> Placed {
    let hit = world.hit(at);
    let begun = || Some((0, upid_start(hit?.entity("pve.upid")?)? * SECOND));
    // Containers and Talos keep UTC, so that a zone that nothing tells is no guess there.
    let keeps_utc = hit.and_then(|h| h.service).is_some_and(|s| UTC.contains(&s));
    let told = || world.moment(at).filter(|_| keeps_utc || world.doubt(at) == 0);
    let of_task = hit.is_some_and(|h| h.service == Some(Service::PveTask));
    let moment = match () {
        () if world.is_state(at.signature) => None,
        () if of_task => begun().or_else(told),
        () => told().or_else(begun),
    };
    Placed { at, line: hit.map_or(0, |h| h.line), moment }
}
