//! Formats of log lines: from the bytes of a frame to an [`Event`].
//!
//! A log line is nested: a node prefix around CRI around klog. Each format is one file with one [`Format`]: an
//! *envelope* finds time, node or stream and leaves the rest of the line to the next layer; a *payload* reads the rest.
//! [`classify`] peels a line cheaply (every line of every source goes through it: no allocation); [`parse`] reads a
//! frame wholly, and is called only for frames that matter. Formats are stateless, do no IO and know no rules.
//! Invariant: parsing never fails; what no format takes is `plain`.

use std::borrow::Cow;
use std::sync::OnceLock;

use crate::event::{Event, RawTime, Service, Severity};

mod audit_json;
mod bracket_level;
mod broken_json;
mod cli_error;
mod compose;
mod containerd_json;
mod coredns;
pub mod cri;
mod csv;
mod dmesg;
mod docker_json;
mod docker_timestamp;
mod file_prefix;
mod go_log;
mod indented;
mod journal_json;
pub mod json;
mod kernel_console;
mod kernel_json;
mod klog;
mod kmsg_raw;
mod kubectl_prefix;
mod kubelet_json;
mod logfmt;
mod machined;
mod markdown_quote;
mod node_prefix;
mod packer;
mod plain;
mod pmxcfs;
mod portainer;
mod pve_access;
mod pve_task;
mod pve_task_index;
mod pvesh_task_log;
mod python_log;
mod scan;
mod subject;
mod syslog_3164;
mod syslog_5424;
mod talos_events;
mod talos_json;
mod talos_text;
mod terraform;
mod terraform_box;
mod timestamp;
mod ui_date;
pub mod upid;
mod uvicorn;
pub mod versions;
mod zap;
mod zap_console;
mod zap_json;
mod zerolog_console;

#[cfg(test)]
mod tests;

/// How many layers are peeled from one line at the most.
pub const MAX_LAYERS: usize = 5;

/// What a format sees in the start of a line, without reading all of it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Head {
    /// The time that this layer tells.
    pub time: RawTime,
    /// The severity that this layer tells; [`Severity::UNKNOWN`] when it does not.
    pub severity: Severity,
    /// For an envelope: the byte offset at which the next layer starts (at most the length of the line). `None` for a payload.
    pub payload: Option<usize>,
}

/// One log format.
pub trait Format: Sync {
    /// Its name: a snake_case noun after the protocol or program.
    fn name(&self) -> &'static str;

    /// Whether a line of this format can begin with this byte. Read once, to build a table.
    fn begins_with(&self, byte: u8) -> bool;

    /// Whether the byte at place `at` of such a line, 1 to 4, can be this one. Read once, to build a table by which most
    /// formats are refused without a look at the line.
    fn goes_on_with(&self, _at: usize, _byte: u8) -> bool {
        true
    }

    /// Whether such a line, where it begins with a name (letters, digits, `-`, `_` and `.`), is told by what stands behind it.
    fn is_named(&self) -> bool {
        false
    }

    /// Whether the byte at place `at`, 0 or 1, behind such a name can be this one.
    fn behind_name(&self, _at: usize, _byte: u8) -> bool {
        true
    }

    /// Looks at the start of a line (without its line end): `None` when the line is not of this format.
    ///
    /// Called for every line that begins with a fitting byte: it must not allocate, and should refuse fast.
    fn head(&self, line: &[u8]) -> Option<Head>;

    /// Fills the event from the text of this layer. `text` is a whole frame from the start of this layer: its first
    /// line has passed [`Format::head`], further lines are continuation lines. An envelope fills what it knows (node,
    /// service, attributes); the caller sets time and severity from `head` and goes on with the payload.
    /// A payload sets `event.body` and attributes.
    fn parse<'a>(&self, text: &'a str, head: &Head, event: &mut Event<'a>);

    /// For an envelope: what it wraps.
    fn holds(&self) -> Holder {
        Holder::Anything
    }

    /// Whether such a line may stand inside of what a layer wraps. Every line of every source asks, so a format that
    /// begins with a letter should stand only where it occurs.
    fn stands_in(&self, holder: Holder) -> bool {
        holder != Holder::Kernel
    }

    /// For an envelope: a further line of a frame without what the envelope repeats on it.
    fn continued<'a>(&self, line: &'a str) -> &'a str {
        let offset = self.head(line.as_bytes()).and_then(|head| head.payload);
        offset.and_then(|at| line.get(at..)).unwrap_or(line)
    }

    /// Lines that this format takes, with what must come out. Every format has some; tests run them.
    fn samples(&self) -> &'static [Sample];
}

/// A sample of a format, in its file.
pub struct Sample {
    /// The line or joined block.
    pub text: &'static str,
    /// The time of the outermost layer that tells one.
    pub time: RawTime,
    /// The severity of the whole event.
    pub severity: Severity,
    /// The body of the whole event (after all layers).
    pub body: &'static str,
    /// Some attributes, entities (`@pve.vmid`), `#service` or `#node` that must be there, with their values.
    pub has: &'static [(&'static str, &'static str)],
}

/// All formats but `plain`, sorted by name. The order in which they are tried follows [`Format::begins_with`] and then
/// this list; heads are strict enough that at most one takes a line.
static FORMATS: &[&dyn Format] = &[
    &audit_json::AuditJson,
    &bracket_level::BracketLevel,
    &broken_json::BrokenJson,
    &cli_error::CliError,
    &compose::Compose,
    &containerd_json::ContainerdJson,
    &coredns::Coredns,
    &cri::Cri,
    &csv::Csv,
    &dmesg::Dmesg,
    &docker_json::DockerJson,
    &docker_timestamp::DockerTimestamp,
    &file_prefix::FilePrefix,
    &go_log::GoLog,
    &indented::Indented,
    &journal_json::JournalJson,
    &kernel_console::KernelConsole,
    &kernel_json::KernelJson,
    &klog::Klog,
    &kmsg_raw::KmsgRaw,
    &kubectl_prefix::KubectlPrefix,
    &kubelet_json::KubeletJson,
    &logfmt::Logfmt,
    &machined::Machined,
    &markdown_quote::MarkdownQuote,
    &node_prefix::NodePrefix,
    &packer::Packer,
    &pmxcfs::Pmxcfs,
    &portainer::Portainer,
    &pve_access::PveAccess,
    &pve_task::PveTask,
    &pve_task_index::PveTaskIndex,
    &pvesh_task_log::PveshTaskLog,
    &python_log::PythonLog,
    &syslog_3164::Syslog3164,
    &syslog_5424::Syslog5424,
    &talos_events::TalosEvents,
    &talos_json::TalosJson,
    &talos_text::TalosText,
    &terraform::Terraform,
    &terraform_box::TerraformBox,
    &timestamp::Timestamp,
    &ui_date::UiDate,
    &uvicorn::Uvicorn,
    &zap_console::ZapConsole,
    &zap_json::ZapJson,
    &zerolog_console::ZerologConsole,
];

/// The formats in their order of registration.
pub fn formats() -> &'static [&'static dyn Format] {
    FORMATS
}

/// What a layer wraps, by which the formats that may follow are fewer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holder {
    /// The start of a line, or an envelope around anything.
    Anything,
    /// The log of one program.
    Program,
    /// The kernel's log, to which Talos writes too.
    Kernel,
}

/// First bytes of a line by which formats are told apart.
const PLACES: usize = 5;

/// Which formats to try.
struct Table {
    /// For each of the first places of a line and each byte, the set of formats whose lines can have it there.
    places: Box<[[u64; 256]; PLACES]>,
    /// The set of formats that are told by what stands behind a name, and, for each of the two bytes there, the set of formats
    /// that can have it.
    named: u64,
    behind: Box<[[u64; 256]; 2]>,
    /// For each holder, the set of formats that may stand in it.
    allowed: [u64; 3],
    /// For each format, what it alone tells.
    told: Vec<Told>,
    /// The set of access logs.
    access: u64,
    /// The set of log files of containers.
    cri: u64,
}

/// What a format alone tells.
struct Told {
    service: Option<Service>,
    /// It is a journal.
    journal: bool,
    /// It is the output of a task.
    task: bool,
}

impl Table {
    fn build() -> Self {
        let holders = [Holder::Anything, Holder::Program, Holder::Kernel];
        let set_of = |name| (0u8..).zip(FORMATS).filter(|(_, f)| f.name() == name).fold(0, |set, (i, _)| set | 1 << i);
        let fits = |holder: Holder| (0u8..).zip(FORMATS).filter(move |(_, f)| f.stands_in(holder));
        let can_have = |at: usize, byte: usize| {
            let byte = u8::try_from(byte).unwrap_or_default();
            let can = |f: &dyn Format| if at == 0 { f.begins_with(byte) } else { f.goes_on_with(at, byte) };
            (0u8..).zip(FORMATS).filter(|(_, f)| can(**f)).fold(0, |set, (i, _)| set | 1 << i)
        };
        let stands_behind = |at: usize, byte: usize| {
            let byte = u8::try_from(byte).unwrap_or_default();
            let can = |f: &dyn Format| !f.is_named() || f.behind_name(at, byte);
            (0u8..).zip(FORMATS).filter(|(_, f)| can(**f)).fold(0, |set, (i, _)| set | 1 << i)
        };
        Self {
            named: (0u8..).zip(FORMATS).filter(|(_, f)| f.is_named()).fold(0, |set, (i, _)| set | 1 << i),
            behind: Box::new(std::array::from_fn(|at| std::array::from_fn(|byte| stands_behind(at, byte)))),
            places: Box::new(std::array::from_fn(|at| std::array::from_fn(|byte| can_have(at, byte)))),
            allowed: holders.map(|holder| fits(holder).fold(0, |set, (i, _)| set | 1 << i)),
            told: FORMATS.iter().map(|format| Told::by(format.name())).collect(),
            access: set_of("pve_access"),
            cri: set_of("cri"),
        }
    }

    fn get() -> &'static Self {
        static TABLE: OnceLock<Table> = OnceLock::new();
        TABLE.get_or_init(Self::build)
    }

    /// The set of formats that may take a line with this beginning in the holder.
    fn candidates(&self, holder: Holder, line: &[u8]) -> u64 {
        let allowed = self.allowed.get(holder as usize).copied().unwrap_or_default();
        let set = match line.first_chunk::<PLACES>() {
            Some(first) => (0..PLACES).fold(allowed, |set, at| set & self.places[at][usize::from(first[at])]),
            None => line.iter().zip(&*self.places).fold(allowed, |set, (byte, place)| set & place[usize::from(*byte)]),
        };
        if set & self.named == 0 { set } else { self.behind_name(set, line) }
    }

    /// What is left of a set by what stands behind the name with which a line begins.
    fn behind_name(&self, set: u64, line: &[u8]) -> u64 {
        let length = scan::name(line);
        match (line.get(length), line.get(length + 1)) {
            (Some(first), Some(second)) if length > 0 => {
                set & self.behind[0][usize::from(*first)] & self.behind[1][usize::from(*second)]
            }
            _ => set,
        }
    }
}

/// The outcome of [`classify`].
#[derive(Debug, Clone, Copy, Default)]
pub struct Line {
    /// The time of the outermost layer that tells an exact one, else of any layer.
    pub time: RawTime,
    /// The severity of the innermost layer that tells one.
    pub severity: Severity,
    /// Indices into [`formats`] of the layers, `u8::MAX` where there is none.
    pub layers: [u8; MAX_LAYERS],
    /// The same as a set: bit `i` for the format with index `i`.
    pub formats: u64,
    /// Byte offset of the innermost text.
    pub payload: usize,
}

impl Line {
    /// True when some format took the line.
    pub fn understood(&self) -> bool {
        self.formats != 0
    }

    /// Whether it is one of a container's log file.
    pub fn is_cri(&self) -> bool {
        self.formats & Table::get().cri != 0
    }

    /// Whether it is an access log's, which no envelope makes another's.
    pub fn is_access(&self) -> bool {
        self.formats & Table::get().access != 0
    }
}

/// Remembers which format took the last line at each layer, by some bytes at the beginning of the layer's text, since
/// sources mostly repeat themselves.
#[derive(Debug, Clone, Copy)]
pub struct LockOn([[u8; KINDS]; MAX_LAYERS]);

/// Kinds of beginnings that are told apart.
const KINDS: usize = 128;

/// The kind of the beginning of a text. The third byte tells keys of JSON objects, numbers and words apart, the fifth the
/// forms of dates, the eleventh what stands between date and time; one digit is like another.
fn kind(rest: &[u8]) -> Option<usize> {
    let first = usize::from(*rest.first()?);
    let Some(head) = rest.first_chunk::<11>() else { return Some(first % KINDS) };
    let [a, _, b, _, c, _, _, _, _, _, d] = *head;
    let class = |byte: u8| usize::from(if byte.is_ascii_digit() { b'0' } else { byte });
    Some((class(a) + 5 * class(b) + 23 * class(c) + 57 * class(d)) % KINDS)
}

impl Default for LockOn {
    fn default() -> Self {
        Self([[u8::MAX; KINDS]; MAX_LAYERS])
    }
}

/// Finds the format of the layer that begins at `rest`, the locked one first.
fn find(rest: &[u8], holder: Holder, locked: Option<&mut u8>) -> Option<(u8, &'static dyn Format, Head)> {
    let mut set = if rest.is_empty() { 0 } else { Table::get().candidates(holder, rest) };
    let last = locked.as_deref().copied().unwrap_or(u8::MAX);
    if last < u8::MAX && set >> last & 1 == 1 {
        if let Some(format) = FORMATS.get(usize::from(last))
            && let Some(head) = format.head(rest)
        {
            return Some((last, *format, head));
        }
        set &= !(1 << last);
    }
    while set != 0 {
        let index = set.trailing_zeros() as u8;
        set &= set - 1;
        if let Some(format) = FORMATS.get(usize::from(index))
            && let Some(head) = format.head(rest)
        {
            if let Some(locked) = locked {
                *locked = index;
            }
            return Some((index, *format, head));
        }
    }
    None
}

/// Prefers an exact time, and among equals the outer one.
fn better(have: RawTime, new: RawTime) -> RawTime {
    let rank = |t: RawTime| match t {
        RawTime::Utc(_) => 4,
        RawTime::Local(_) => 3,
        RawTime::Yearless(_) => 2,
        RawTime::Uptime(_) => 1,
        RawTime::None => 0,
    };
    if rank(new) > rank(have) { new } else { have }
}

/// Peels one line (without its line end) cheaply.
pub fn classify(line: &[u8], lock: &mut LockOn) -> Line {
    let mut out = Line { layers: [u8::MAX; MAX_LAYERS], ..Line::default() };
    let mut holder = Holder::Anything;
    for (slot, locked) in out.layers.iter_mut().zip(lock.0.iter_mut()) {
        let rest = scan::from(line, out.payload);
        let locked = kind(rest).and_then(|kind| locked.get_mut(kind));
        let Some((index, format, head)) = find(rest, holder, locked) else { break };
        *slot = index;
        out.formats |= 1 << (index & 63);
        out.time = better(out.time, head.time);
        if head.severity != Severity::UNKNOWN {
            out.severity = head.severity;
        }
        match head.payload {
            Some(offset) => out.payload += offset,
            None => return out,
        }
        holder = format.holds();
    }
    if out.severity == Severity::UNKNOWN {
        out.severity = plain::severity(line.get(out.payload..).unwrap_or_default());
    }
    out
}

/// Reads a frame wholly. `text` has no colours, carriage returns or NULs any more.
pub fn parse(text: &str) -> Event<'_> {
    let mut event = Event::default();
    peel(text, MAX_LAYERS, Holder::Anything, &mut event);
    event
}

/// Reads the layers of `text` into an event, at most `left` of them.
fn peel<'a>(text: &'a str, left: usize, mut holder: Holder, event: &mut Event<'a>) {
    let mut rest = text;
    for taken in 1..=left {
        let first = scan::first_line(rest).0.as_bytes();
        let Some((_, format, head)) = find(first, holder, None) else { break };
        event.formats.push(format.name());
        event.time = better(event.time, head.time);
        if head.severity != Severity::UNKNOWN {
            event.severity = head.severity;
        }
        format.parse(rest, &head, event);
        let Some(offset) = head.payload else { return };
        holder = format.holds();
        if let Some(own) = unwrapped(format, rest, offset) {
            return peel_owned(&own, left - taken, holder, event);
        }
        rest = scan::text_from(rest, offset).trim_start_matches('\n');
    }
    event.body = Cow::Borrowed(rest);
    plain::look(event);
}

/// The text inside an envelope, when the envelope is repeated on further lines of the frame.
fn unwrapped(format: &dyn Format, text: &str, offset: usize) -> Option<String> {
    let (first, more) = text.split_once('\n')?;
    let mut own = scan::text_from(first, offset).to_owned();
    let mut repeated = false;
    for line in more.split('\n') {
        let inner = format.continued(line);
        repeated |= inner.len() != line.len();
        if !own.is_empty() {
            own.push('\n');
        }
        own.push_str(inner);
    }
    repeated.then_some(own)
}

/// Reads the layers of a text that lives no longer than this call.
fn peel_owned(text: &str, left: usize, holder: Holder, event: &mut Event<'_>) {
    let mut inner: Event<'_> = std::mem::take(event).into_owned();
    peel(text, left, holder, &mut inner);
    *event = inner.into_owned();
}

/// Reads a message that stood escaped inside another record (docker's `log`, the journal's `MESSAGE`, a kernel
/// record's `msg`) and puts what it says into `event`: the inner record's body, attributes and entities win, the outer
/// record keeps time, node and service where the inner one tells none.
pub fn nested(message: &str, event: &mut Event<'_>) {
    let inner = parse(message).into_owned();
    event.time = better(event.time, inner.time);
    if inner.severity != Severity::UNKNOWN {
        event.severity = inner.severity;
    }
    event.body = inner.body;
    event.attributes.extend(inner.attributes);
    for (key, value) in inner.entities {
        event.entity(key, value);
    }
    event.service = inner.service.or(event.service);
    event.node = inner.node.or(event.node.take());
    event.formats.extend(inner.formats);
}

/// The service of a line by the formats that took it, without parsing.
pub fn service_hint(line: &Line) -> Option<Service> {
    let table = Table::get();
    let layers = || line.layers.iter().rev().filter_map(|index| table.told.get(usize::from(*index)));
    let journal = layers().any(|told| told.journal);
    // A daemon may write to the journal what a task prints.
    layers().filter(|told| !(journal && told.task)).find_map(|told| told.service)
}

impl Told {
    fn by(name: &str) -> Self {
        Self { service: service_of(name), journal: name.starts_with("syslog"), task: name == "pve_task" }
    }
}

/// The service that a format alone tells.
fn service_of(format: &str) -> Option<Service> {
    Some(match format {
        "audit_json" => Service::Omni,
        "containerd_json" => Service::Containerd,
        "coredns" => Service::Coredns,
        "dmesg" | "kernel_json" | "machined" | "talos_events" | "talos_json" | "talos_text" => Service::Talos,
        "kernel_console" | "kmsg_raw" => Service::Kernel,
        "kubelet_json" => Service::Kubelet,
        "packer" => Service::Terraform,
        "pmxcfs" => Service::PveJournal,
        "pve_access" => Service::PveAccess,
        "pve_task" | "pvesh_task_log" => Service::PveTask,
        "pve_task_index" => Service::PveTaskIndex,
        _ => return None,
    })
}

/// The service that the name of a container, pod or unit tells.
fn container_service(name: &str) -> Option<Service> {
    if name.contains("infra-provider") {
        return Some(Service::OmniProvider);
    }
    match name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '-' || c == '_') {
        "omni" => Some(Service::Omni),
        "etcd" => Some(Service::Etcd),
        "coredns" => Some(Service::Coredns),
        _ => None,
    }
}
