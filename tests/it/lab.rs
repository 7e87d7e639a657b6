//! The built-in catalogue and what the library says of its samples, computed once for all tests.

use std::sync::OnceLock;

use omnilog::catalog::file::SampleFile;
use omnilog::catalog::{Catalogue, load};
use omnilog::correlate::World;
use omnilog::pipeline;
use omnilog::rank;
use omnilog::report::model::Report;
use omnilog::scan::Scanner;

/// The root causes that the troubleshooting guide of the field names, by its five scenarios.
pub const GUIDE: &[&str] = &[
    "provider-failure/api-session-expired",
    "provider-failure/provider-overload",
    "scaling-stalled/etcd-quorum-lost",
    "scaling-stalled/out-of-order-reconcile",
    "scaling-stalled/provider-connection-lost",
    "scaling-stalled/proxmox-api-throttled",
    "state-drift/out-of-band-vm-deletion",
    "stuck-destroying/api-timeout",
    "stuck-destroying/finalizer-deadlock",
    "stuck-destroying/unreachable-node",
    "vm-reboot-loop/bios-firmware-mismatch",
    "vm-reboot-loop/cpu-type-unsupported",
    "vm-reboot-loop/scsi-controller",
    "vm-reboot-loop/stale-disk-state",
    "vm-reboot-loop/talos-version-mismatch",
];

/// The time that tests take for now: 1 November 2026.
pub const NOW: i64 = 1_793_491_200_000_000;

/// The catalogue compiled into the binary.
pub fn catalogue() -> &'static Catalogue {
    static CATALOGUE: OnceLock<Catalogue> = OnceLock::new();
    CATALOGUE.get_or_init(|| {
        let (catalogue, errors) = load::builtin();
        assert!(errors.is_empty(), "{errors:#?}");
        catalogue
    })
}

/// A scanner over the built-in catalogue.
pub fn scanner() -> &'static Scanner<'static> {
    static SCANNER: OnceLock<Scanner<'static>> = OnceLock::new();
    SCANNER.get_or_init(|| Scanner::new(catalogue(), NOW))
}

/// Root causes with their confidence, best first.
pub type Ranking = Vec<(String, f64)>;

/// A sample of the catalogue.
pub struct Case {
    /// The root cause whose sample it is.
    pub id: &'static str,
    /// The sample.
    pub sample: SampleFile,
}

impl Case {
    /// For messages.
    pub fn name(&self) -> String {
        format!("{} [{} {}]", self.id, self.sample.kind, self.sample.name)
    }

    /// Its sources by name.
    pub fn texts(&self) -> Vec<(&str, &str)> {
        let log = self.sample.log.as_deref().map(|log| ("sample.log", log));
        log.into_iter().chain(self.sample.files.iter().map(|(n, t)| (n.as_str(), t.as_str()))).collect()
    }

    /// The one line that it consists of, if it does.
    pub fn line(&self) -> Option<&str> {
        let [(_, text)] = self.texts()[..] else { return None };
        let mut lines = text.lines().filter(|l| !l.trim().is_empty());
        let line = lines.next()?;
        lines.next().is_none().then_some(line)
    }

    /// Whether the root cause itself must stand first.
    pub fn leads(&self) -> bool {
        let expect = &self.sample.expect;
        self.sample.kind == "positive" && expect.best.is_none() && expect.rank.is_none_or(|r| r == 1)
    }

    /// The ranking of it.
    pub fn ranking(&self) -> Ranking {
        ranking(&self.texts())
    }

    /// The report of it.
    pub fn report(&self) -> Report {
        pipeline::read_texts(scanner(), self.texts()).report(catalogue())
    }
}

/// All samples of the catalogue.
pub fn cases() -> &'static [Case] {
    static CASES: OnceLock<Vec<Case>> = OnceLock::new();
    CASES.get_or_init(|| {
        let pages = catalogue().causes.iter().map(|c| (c.id.as_str(), catalogue().page(&c.id).expect("a page")));
        pages.flat_map(|(id, page)| page.sample.into_iter().map(move |sample| Case { id, sample })).collect()
    })
}

/// Positive samples of one root cause.
pub fn positives(id: &str) -> Vec<&'static Case> {
    let found: Vec<_> = cases().iter().filter(|c| c.id == id && c.sample.kind == "positive").collect();
    assert!(!found.is_empty(), "{id} has no positive sample");
    found
}

/// Root causes of texts in memory.
pub fn ranking(texts: &[(&str, &str)]) -> Ranking {
    let analysis = pipeline::read_texts(scanner(), texts.iter().copied());
    let world = World::new(catalogue(), &analysis.sources);
    let id = |c: &rank::Candidate| catalogue().causes.get(c.cause).expect("a cause").id.clone();
    rank::rank(&world).iter().map(|c| (id(c), c.confidence)).collect()
}

/// The first of a ranking, for messages.
pub fn best(ranking: &Ranking) -> String {
    ranking.first().map_or_else(|| "nothing".into(), |(id, confidence)| format!("{id} {confidence:.2}"))
}
