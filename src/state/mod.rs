//! State documents: resources, command tables and configurations that stand in a source as text.
//!
//! A document is recognised by one line ([`begins`]), grows line by line ([`Document::continues`]) and yields an event
//! for each thing it tells of ([`Document::events`]). The names of formats and attributes are those of
//! `patterns/README.md`. Documents do no IO, know no rules and keep no state of their own. Invariant: reading never
//! fails; a block that is no document after all yields no event, and its lines are log text.
//!
//! ```
//! use omnilog::state;
//! let source = "$ pveversion\npve-manager/9.1.1/42db4a6cf33dac83 (running kernel: 6.17.2-1-pve)\n$ exit";
//! let mut lines = source.lines();
//! let (document, first) = lines.by_ref().find_map(|l| Some((state::begins(l.as_bytes())?, l))).expect("a document");
//! let mut progress = document.start(first.as_bytes());
//! let mut block = format!("{first}\n");
//! for line in lines.take_while(|l| document.continues(&mut progress, l.as_bytes())) {
//!     block.push_str(line);
//!     block.push('\n');
//! }
//! let events = document.events(&block, &state::Context::default());
//! assert_eq!(events[0].event.get("pve-manager"), Some("9.1.1"));
//! ```

use std::ops::Range;
use std::sync::OnceLock;

use crate::event::Event;

mod block;
mod cluster_status;
mod cosi;
mod cpuinfo;
mod describe;
mod df;
mod entity;
mod free;
mod ha_manager;
mod health;
mod json;
mod kind;
mod kubernetes;
mod list;
mod locate;
mod loose;
mod lscpu;
mod lvs;
mod machine_config;
mod provider_config;
mod pvecm;
mod pveversion;
mod qm_config;
mod qm_status;
mod secret;
mod service_state;
mod storage_cfg;
mod table;
mod talos_version;
#[cfg(test)]
mod testing;
mod tree;
mod user_cfg;
mod versions;
mod yaml;
mod yaml_document;

pub use locate::locate;
pub use versions::versions;

/// What is known about a block from where it stands.
#[derive(Debug, Clone, Copy, Default)]
pub struct Context<'a> {
    /// The path of the source, with the members of archives.
    pub path: &'a str,
    /// The VM the source belongs to.
    pub vmid: Option<&'a str>,
    /// The Proxmox node the source belongs to.
    pub pve_node: Option<&'a str>,
    /// The Talos node (or machine UUID) the source belongs to.
    pub node: Option<&'a str>,
}

/// One thing that a document tells of.
#[derive(Debug, Clone)]
pub struct StateEvent {
    /// What it says.
    pub event: Event<'static>,
    /// The line of the block where the thing begins, 0-based.
    pub line: u32,
    /// The bytes of the block that show it best, a few hundred at the most.
    pub text: Range<usize>,
    /// The bytes of the block that belong to it; [`locate()`] finds the line of an attribute in them.
    pub extent: Range<usize>,
}

/// How far a block has come, for [`Document::continues`]. Documents use the fields as they like.
#[derive(Debug, Clone, Copy, Default)]
pub struct Progress {
    /// Lines taken so far.
    lines: u32,
    /// Blank lines at the end of what was taken.
    blanks: u32,
    /// Open brackets, or the depth of something else.
    depth: i32,
    /// Columns by which the whole block is indented.
    indent: usize,
    /// Which shape of the document it is.
    shape: u8,
}

impl Progress {
    /// The state after the first line.
    fn first() -> Self {
        Self { lines: 1, ..Self::default() }
    }

    /// Counts a line; true when it is blank and at most `allowed` blank lines stand in a row.
    fn blank(&mut self, line: &[u8], allowed: u32) -> Option<bool> {
        self.lines = self.lines.saturating_add(1);
        if !line.trim_ascii().is_empty() {
            self.blanks = 0;
            return None;
        }
        self.blanks += 1;
        Some(self.blanks <= allowed)
    }
}

/// One kind of document.
pub trait Document: Sync {
    /// Its name: a snake_case noun. Often, but not always, the format of its events.
    fn name(&self) -> &'static str;

    /// Whether a first line can begin with this byte. Read once, to build a table.
    fn begins_with(&self, byte: u8) -> bool;

    /// Whether a document begins at this line (without its line end). Called for very many lines: no allocation.
    fn begins(&self, line: &[u8]) -> bool;

    /// The progress after the first line.
    fn start(&self, _line: &[u8]) -> Progress {
        Progress::first()
    }

    /// Whether the next line (without its line end) belongs to the block. No allocation.
    fn continues(&self, progress: &mut Progress, line: &[u8]) -> bool;

    /// What the block tells; nothing when it is no such document after all.
    fn events(&self, block: &str, context: &Context) -> Vec<StateEvent>;

    /// Hands over what the block tells, one thing after the other: a long list is never held as a whole.
    fn each(&self, block: &str, context: &Context, take: &mut dyn FnMut(StateEvent)) {
        self.events(block, context).into_iter().for_each(take);
    }

    /// Blocks of this kind, with what must come out. Every document has some; tests run them.
    fn samples(&self) -> &'static [Sample];
}

/// A sample of a document, in its file.
pub struct Sample {
    /// The block.
    pub text: &'static str,
    /// The path it stands at.
    pub path: &'static str,
    /// How many events come out.
    pub events: usize,
    /// For some events (by number): attributes, entities (`@pve.vmid`), `#format`, `#service`, `#node` or `#body`
    /// that must be there, with their values.
    pub has: &'static [(usize, &'static str, &'static str)],
}

/// All documents, sorted by name. At most one should begin at a line; the first one wins.
static DOCUMENTS: &[&dyn Document] = &[
    &cluster_status::ClusterStatus,
    &cpuinfo::CpuInfo,
    &df::Df,
    &free::Free,
    &ha_manager::HaManager,
    &json::Json,
    &describe::Describe,
    &lscpu::LsCpu,
    &lvs::Lvs,
    &pvecm::PveCm,
    &pveversion::PveVersion,
    &qm_config::QmConfig,
    &qm_status::QmStatus,
    &service_state::ServiceState,
    &storage_cfg::StorageCfg,
    &table::Table,
    &talos_version::TalosVersion,
    &health::Health,
    &user_cfg::UserCfg,
    &yaml::Yaml,
];

/// The documents in their order of registration.
pub fn documents() -> &'static [&'static dyn Document] {
    DOCUMENTS
}

/// The samples of all documents and of the kinds of structured documents.
pub fn samples() -> impl Iterator<Item = &'static Sample> {
    DOCUMENTS.iter().flat_map(|d| d.samples()).chain(kind::kinds().iter().flat_map(|k| k.samples()))
}

/// For each first byte, the documents that can begin with it.
fn by_byte() -> &'static [Vec<&'static dyn Document>; 256] {
    static TABLE: OnceLock<[Vec<&'static dyn Document>; 256]> = OnceLock::new();
    TABLE.get_or_init(|| {
        std::array::from_fn(|byte| {
            let byte = u8::try_from(byte).unwrap_or(0);
            DOCUMENTS.iter().copied().filter(|d| d.begins_with(byte)).collect()
        })
    })
}

/// The document that begins at this line (without its line end), if one does.
///
/// A line between records only: the lines of a record that a format has joined are not documents. When the block
/// yields nothing, its first line is log text and the second line may be asked about again.
pub fn begins(line: &[u8]) -> Option<&'static dyn Document> {
    let candidates = by_byte().get(usize::from(*line.first()?))?;
    candidates.iter().copied().find(|d| d.begins(line))
}
