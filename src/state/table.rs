//! Tables that commands print: `talosctl`, `omnictl`, `kubectl`, `qm list`, `pvesm status`, `pvenode task list`.
//!
//! The header tells the columns. Rows are cut at the header's columns, since cells may be empty; rows that were
//! shifted by pasting are cut at wide gaps.

use super::block::{Block, MAX_EVENTS, attribute, entity, event, fields, is_boundary};
use super::cosi::is_machine_id;
use super::entity::{node, of_id, singular};
use super::{Context, Document, Progress, Sample, StateEvent};
use crate::event::{Event, RawTime, Service, Severity};

/// Columns are parted by wide gaps.
const WIDE: u8 = 0;
/// `qm list`: columns are parted by any blanks.
const QM: u8 = 1;
/// `pvesm status`: the same.
const PVESM: u8 = 2;
/// Columns are parted by drawn lines.
const BOX: u8 = 3;

/// First words of headers, besides those of `qm list` and `pvesm status`.
const FIRST: &[&[u8]] =
    &[b"NODE", b"NAMESPACE", b"NAME", b"ID", b"LAST", b"SERVICE", b"FILESYSTEM", b"PID", b"CONTAINER"];

/// A distance that no field has.
const FAR: i64 = i64::MAX / 2;

/// A header and rows.
pub(super) struct Table;

impl Document for Table {
    fn name(&self) -> &'static str {
        "table"
    }

    fn begins_with(&self, byte: u8) -> bool {
        matches!(byte, b'N' | b'I' | b'L' | b'S' | b'F' | b'P' | b'C' | b'V' | b' ' | b'+' | 0xE2)
    }

    fn begins(&self, line: &[u8]) -> bool {
        header_shape(line).is_some()
    }

    fn start(&self, line: &[u8]) -> Progress {
        Progress { shape: header_shape(line).unwrap_or(WIDE), ..Progress::first() }
    }

    fn continues(&self, progress: &mut Progress, line: &[u8]) -> bool {
        progress.lines = progress.lines.saturating_add(1);
        match progress.shape {
            QM => is_qm_row(line),
            PVESM => is_pvesm_row(line),
            BOX => is_box_line(line),
            _ => is_wide_row(line) && !is_wide_header(line.trim_ascii()),
        }
    }

    fn events(&self, block: &str, context: &Context) -> Vec<StateEvent> {
        let block = Block::new(block);
        match header_shape(block.line(0).as_bytes()) {
            Some(BOX) => box_events(&block, context),
            Some(shape) => wide_events(&block, shape, context),
            None => Vec::new(),
        }
    }

    fn samples(&self) -> &'static [Sample] {
        SAMPLES
    }
}

/// The shape of the table whose header this is.
fn header_shape(line: &[u8]) -> Option<u8> {
    let text = line.trim_ascii();
    match text.first()? {
        b'+' => (text.len() > 4 && text.iter().all(|b| matches!(b, b'+' | b'-'))).then_some(BOX),
        0xE2 => text.starts_with("┌─".as_bytes()).then_some(BOX),
        b'V' => (text.starts_with(b"VMID ") && memchr::memmem::find(text, b" NAME ").is_some()).then_some(QM),
        b'N' if text.starts_with(b"Name ") => is_pvesm_header(text).then_some(PVESM),
        _ => is_wide_header(text).then_some(WIDE),
    }
}

fn is_pvesm_header(text: &[u8]) -> bool {
    [&b" Type "[..], b" Status ", b" Total "].iter().all(|w| memchr::memmem::find(text, w).is_some())
}

/// Capitals only, and three columns or more.
fn is_wide_header(text: &[u8]) -> bool {
    let word = text.split(|b| matches!(b, b' ' | b'\t')).next().unwrap_or_default();
    FIRST.contains(&word)
        && text.len() < 1000
        && text.iter().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b" \t()*-_/%".contains(b))
        && wide_fields(text) >= 3
}

/// How many fields with wide gaps between them.
fn wide_fields(text: &[u8]) -> usize {
    let (mut count, mut gap) = (0, 2);
    for byte in text {
        match byte {
            b'\t' => gap = 2,
            b' ' => gap += 1,
            _ => {
                count += usize::from(gap >= 2);
                gap = 0;
            }
        }
    }
    count
}

fn is_wide_row(line: &[u8]) -> bool {
    let dated = line.get(..5).is_some_and(|d| d.iter().take(4).all(u8::is_ascii_digit) && d.ends_with(b"-"));
    !dated && !is_boundary(line) && !matches!(line.first(), Some(b'{' | b'[' | b'`') | None) && wide_fields(line) >= 3
}

fn is_qm_row(line: &[u8]) -> bool {
    let mut words = line.split(u8::is_ascii_whitespace).filter(|w| !w.is_empty());
    words.next().is_some_and(|w| w.len() <= 9 && w.iter().all(u8::is_ascii_digit)) && words.count() >= 2
}

fn is_pvesm_row(line: &[u8]) -> bool {
    let mut words = line.split(u8::is_ascii_whitespace).filter(|w| !w.is_empty());
    words.nth(2).is_some_and(|w| matches!(w, b"active" | b"inactive" | b"disabled" | b"unknown"))
}

fn is_box_line(line: &[u8]) -> bool {
    let text = line.trim_ascii();
    ["│", "├", "╞", "└", "|", "+"].iter().any(|c| text.starts_with(c.as_bytes())) && !text.starts_with("├──".as_bytes())
}

/// A column: where it starts (in characters) and its name.
struct Column {
    start: usize,
    name: String,
}

impl Column {
    fn new(start: usize, title: &str) -> Self {
        let name = match title {
            "*" => "event".to_owned(),
            _ => title.to_lowercase().replace(' ', "_"),
        };
        Self { start, name }
    }
}

/// The events of a table without drawn lines.
fn wide_events(block: &Block, shape: u8, context: &Context) -> Vec<StateEvent> {
    let header = block.line(0);
    let columns: Vec<Column> = match shape {
        WIDE => fields(header).into_iter().map(|(start, title)| Column::new(start, title)).collect(),
        _ => titles(header).into_iter().map(|title| Column::new(0, &title)).collect(),
    };
    let cut = |row: &str| match shape {
        WIDE => wide_cells(row, &columns),
        _ => word_cells(row, columns.len()),
    };
    let rows = block.lines().skip(1).filter(|(_, row)| *row != header && !row.trim().is_empty());
    rows.take(MAX_EVENTS)
        .map(|(index, row)| (index, row.trim(), cut(row)))
        .map(|(index, row, cells)| block.event(row_event(&columns, &cells, row, context), index, index + 1))
        .collect()
}

/// The events of a table with drawn lines.
fn box_events(block: &Block, context: &Context) -> Vec<StateEvent> {
    let mut rows = block.lines().filter_map(|(index, line)| Some((index, line, box_cells(line)?)));
    let Some((_, _, titles)) = rows.next() else { return Vec::new() };
    let columns: Vec<Column> = titles.iter().map(|title| Column::new(0, title)).collect();
    if columns.len() < 2 {
        return Vec::new();
    }
    rows.take(MAX_EVENTS)
        .map(|(index, line, cells)| {
            let row = line.trim_matches([' ', '│', '|']);
            block.event(row_event(&columns, &cells, row, context), index, index + 1)
        })
        .collect()
}

/// The cells between drawn lines; nothing for lines that only draw.
fn box_cells(line: &str) -> Option<Vec<String>> {
    let line = line.trim();
    let (first, mark) = if line.starts_with('│') { ("│", '│') } else { ("|", '|') };
    let inner = line.strip_prefix(first)?.trim_end_matches(mark);
    Some(inner.split(mark).map(|c| c.trim().to_owned()).collect())
}

/// The titles of a header whose columns are parted by single blanks; a unit belongs to the word before it.
fn titles(header: &str) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for word in header.split_whitespace() {
        match out.last_mut() {
            Some(last) if word.starts_with('(') => {
                last.push(' ');
                last.push_str(word);
            }
            _ => out.push(word.to_owned()),
        }
    }
    out
}

/// Cells of a row whose columns are parted by any blanks.
fn word_cells(row: &str, count: usize) -> Vec<String> {
    row.split_whitespace().take(count).map(str::to_owned).collect()
}

/// Cells of a row whose columns are parted by wide gaps and may be empty.
fn wide_cells(row: &str, columns: &[Column]) -> Vec<String> {
    if let Some(cells) = aligned_cells(row, columns) {
        return cells;
    }
    let found = fields(row);
    let starts: Vec<usize> = found.iter().take(columns.len()).map(|(start, _)| *start).collect();
    let mut shifts: Vec<i64> = starts.last().map_or(Vec::new(), |last| {
        columns.iter().skip(starts.len().saturating_sub(1)).map(|c| signed(*last) - signed(c.start)).collect()
    });
    shifts.push(0);
    let best = shifts.iter().map(|shift| assign(&starts, columns, *shift)).min_by_key(|(cost, _)| *cost);
    let places = best.map(|(_, places)| places).unwrap_or_default();
    let mut cells = vec![String::new(); columns.len()];
    for (index, (_, text)) in found.iter().enumerate() {
        let place = places.get(index).copied().unwrap_or(columns.len().saturating_sub(1));
        let Some(cell) = cells.get_mut(place) else { break };
        if !cell.is_empty() {
            cell.push_str("  ");
        }
        cell.push_str(text);
    }
    cells
}

/// A column as a number that can be negative.
fn signed(column: usize) -> i64 {
    i64::try_from(column).unwrap_or(i64::MAX)
}

/// Puts fields into columns in their order, so that they stand as near to them as can be when the row (but for its
/// first field) is shifted by `shift`: the distance in all, and the column of each field.
fn assign(starts: &[usize], columns: &[Column], shift: i64) -> (i64, Vec<usize>) {
    // costs[i][j]: the smallest distance of the first i fields in the first j columns.
    let mut costs: Vec<Vec<i64>> = vec![vec![0; columns.len() + 1]];
    for (index, start) in starts.iter().enumerate() {
        let by = if index == 0 { 0 } else { shift };
        let above = costs.last().map(Vec::as_slice).unwrap_or_default();
        let mut least = FAR;
        let mut row = vec![FAR];
        for (column, before) in columns.iter().zip(above) {
            least = least.min(before.saturating_add((signed(*start) - signed(column.start) - by).abs()));
            row.push(least);
        }
        costs.push(row);
    }
    let cost = |fields: usize, place: usize| costs.get(fields).and_then(|r| r.get(place)).copied().unwrap_or(FAR);
    let mut places = vec![0; starts.len()];
    let mut place = columns.len();
    for (index, slot) in places.iter_mut().enumerate().rev() {
        while place > 1 && cost(index + 1, place - 1) == cost(index + 1, place) {
            place -= 1;
        }
        place = place.saturating_sub(1);
        *slot = place;
    }
    (cost(starts.len(), columns.len()), places)
}

/// Cells of a row that stands under its header.
fn aligned_cells(row: &str, columns: &[Column]) -> Option<Vec<String>> {
    if row.contains('\t') {
        return None;
    }
    let places: Vec<usize> = row.char_indices().map(|(at, _)| at).collect();
    let byte = |column: usize| places.get(column).copied().unwrap_or(row.len());
    let mut cells = Vec::with_capacity(columns.len());
    for (index, column) in columns.iter().enumerate() {
        let from = if index == 0 { 0 } else { column.start };
        let to = columns.get(index + 1).map_or(usize::MAX, |c| c.start);
        let cell = row.get(byte(from)..byte(to)).unwrap_or_default();
        let last = to == usize::MAX;
        if !last && (!(cell.is_empty() || cell.ends_with(' ')) || cell.trim().contains("  ")) {
            return None;
        }
        cells.push(cell.trim().to_owned());
    }
    Some(cells)
}

/// The event of a row.
fn row_event(columns: &[Column], cells: &[String], row: &str, context: &Context) -> Event<'static> {
    let (table, service) = table_of(columns, cells);
    let mut event = event("table", service, row);
    attribute(&mut event, "table", &table);
    for (index, column) in columns.iter().enumerate() {
        let cell = cells.get(index).map(String::as_str).unwrap_or_default();
        attribute(&mut event, column.name.clone(), cell);
        // `mem(mb)`, `total_(kib)`: also without the unit.
        if let Some((name, _)) = column.name.split_once('(') {
            attribute(&mut event, name.trim_end_matches('_'), cell);
        }
        if matches!(column.name.as_str(), "%" | "percent_used") {
            attribute(&mut event, "used_percent", cell.trim_end_matches('%'));
        }
    }
    add_meaning(&mut event, &table, context);
    event
}

/// The name of a table by its columns, and who printed it.
fn table_of(columns: &[Column], cells: &[String]) -> (String, Service) {
    let has = |name: &str| columns.iter().any(|c| c.name == name);
    let first = columns.first().map_or("", |c| c.name.as_str());
    let resource = ["namespace", "type", "id", "version"].iter().all(|c| has(c));
    let by_columns: &[(bool, &str, Service)] = &[
        (has("service") && has("state"), "talosctl-services", Service::Talosctl),
        (has("peer_urls"), "etcd-members", Service::Talosctl),
        (has("raft_term") || has("db_size"), "etcd-status", Service::Talosctl),
        (has("member") && has("alarm"), "etcd-alarms", Service::Talosctl),
        (has("reason") && has("object"), "kubectl-events", Service::Kubernetes),
        (has("ready") && has("restarts"), "kubectl-pods", Service::Kubernetes),
        (has("roles") && has("version"), "kubectl-nodes", Service::Kubernetes),
        (has("signername"), "kubectl-csr", Service::Kubernetes),
        (first == "vmid", "qm-list", Service::PveConfig),
        (first == "name" && has("total") || has("total_(kib)"), "pvesm-status", Service::PveConfig),
        (first == "id" && has("connected"), "infraprovider-list", Service::Omnictl),
        (first == "upid", "pvenode-tasks", Service::PveTaskIndex),
        (has("mounted_on"), "talosctl-mounts", Service::Talosctl),
        (has("virtmem"), "talosctl-processes", Service::Talosctl),
        (has("io_time"), "talosctl-io", Service::Talosctl),
        (first == "container_id" && has("image"), "docker-ps", Service::State),
    ];
    if resource {
        let at = columns.iter().position(|c| c.name == "type").unwrap_or_default();
        let service = if has("node") { Service::Talosctl } else { Service::Omnictl };
        return (cells.get(at).cloned().unwrap_or_default(), service);
    }
    let found = by_columns.iter().find(|(fits, ..)| *fits);
    found.map_or(("other".to_owned(), Service::State), |(_, name, service)| ((*name).to_owned(), *service))
}

/// Entities, time and severity of a row.
fn add_meaning(event: &mut Event<'static>, table: &str, context: &Context) {
    let cell = |event: &Event, name: &str| event.get(name).unwrap_or_default().to_owned();
    let name = cell(event, "name");
    match table {
        "qm-list" => {
            let vmid = cell(event, "vmid");
            entity(event, "pve.vmid", &vmid);
            entity(event, "pve.vm_name", &name);
            context.pve_node.into_iter().for_each(|n| entity(event, "pve.node", n));
        }
        "pvesm-status" => entity(event, "pve.storage", &name),
        "infraprovider-list" => {
            let id = cell(event, "id");
            entity(event, "omni.provider", &id);
        }
        "kubectl-nodes" => {
            let address = cell(event, "internal-ip");
            entity(event, "k8s.node", &name);
            entity(event, "node.address", if address == "<none>" { "" } else { &address });
        }
        "kubectl-pods" | "kubectl-csr" => add_kubernetes_node(event),
        "kubectl-events" => {
            event.severity = Severity::from_word(cell(event, "type").as_bytes());
            add_kubernetes_node(event);
        }
        "pvenode-tasks" => add_task(event),
        "etcd-members" => {
            let (host, member) = (cell(event, "hostname"), cell(event, "id"));
            entity(event, "k8s.node", &host);
            entity(event, "etcd.member", &member);
            // The column NODE tells who answered, not whose row it is.
            event.node = event.get("node").or(context.node).map(|n| n.to_owned().into());
        }
        "etcd-status" => {
            let member = cell(event, "member");
            entity(event, "etcd.member", &member);
            add_node(event, context);
        }
        "docker-ps" | "other" => {}
        _ => add_resource(event, table, context),
    }
}

/// The node of a row of `talosctl`.
fn add_node(event: &mut Event<'static>, context: &Context) {
    let name = event.get("node").filter(|n| !n.is_empty()).or(context.node).unwrap_or_default().to_owned();
    node(event, &name);
}

/// A row of a resource table.
fn add_resource(event: &mut Event<'static>, table: &str, context: &Context) {
    let omni = event.service == Some(Service::Omnictl);
    let id = event.get("id").unwrap_or_default().to_owned();
    if !omni {
        return add_node(event, context);
    }
    match of_id(&singular(table)) {
        Some("omni.machine") if !is_machine_id(&id) => {}
        Some("omni.machine") => {
            let address = event.get("address").unwrap_or_default().to_owned();
            entity(event, "omni.machine", &id);
            entity(event, "siderolink.address", &address);
        }
        Some(name) => entity(event, name, &id),
        None => {}
    }
}

/// The Kubernetes node that a row names: the column `node`, or `node/NAME`, or `system:node:NAME`.
fn add_kubernetes_node(event: &mut Event<'static>) {
    let column = |name: &str| event.get(name).unwrap_or_default();
    let named = [
        Some(column("node")).filter(|n| *n != "<none>"),
        column("object").strip_prefix("node/"),
        column("requestor").strip_prefix("system:node:"),
    ];
    for name in named.into_iter().flatten().map(str::to_owned).collect::<Vec<_>>() {
        entity(event, "k8s.node", &name);
    }
}

/// What the UPID of a task says, under the names that other lists of tasks use.
fn add_task(event: &mut Event<'static>) {
    let upid = event.get("upid").unwrap_or_default().to_owned();
    let status = event.get("status").unwrap_or_default().to_owned();
    let parts: Vec<&str> = upid.split(':').collect();
    let [_, node, _, _, start, kind, id, user, ..] = parts.as_slice() else { return };
    if let Ok(seconds) = i64::from_str_radix(start, 16) {
        event.time = RawTime::Utc(seconds.saturating_mul(1_000_000));
    }
    let named = [
        ("pve.upid", upid.as_str()),
        ("pve.node", node),
        ("pve.task.type", kind),
        ("pve.vmid", if super::block::is_vmid(id) { id } else { "" }),
        ("pve.user", user),
    ];
    for (name, value) in named.iter().filter(|(_, v)| !v.is_empty()) {
        attribute(event, *name, value);
        entity(event, name, value);
    }
    attribute(event, "pve.task.status", &status);
}

const SAMPLES: &[Sample] = &[
    Sample {
        text: "NODE         NAMESPACE   TYPE           ID          VERSION   TYPE        PHASE     LOCATION    SIZE
192.0.2.11   runtime     VolumeStatus   EPHEMERAL   6         partition   ready     /dev/sda4   32 GB
192.0.2.11   runtime     VolumeStatus   STATE       4         partition   missing
             runtime     VolumeStatus   META        3         partition   ready     /dev/sda2   1.0 MB
",
        path: "",
        events: 3,
        has: &[
            (0, "#format", "table"),
            (0, "table", "VolumeStatus"),
            (0, "type", "partition"),
            (0, "size", "32 GB"),
            (0, "@talos.node", "192.0.2.11"),
            (1, "id", "STATE"),
            (1, "phase", "missing"),
            (1, "location", ""),
            (2, "node", ""),
            (2, "location", "/dev/sda2"),
        ],
    },
    Sample {
        // Shifted by a shorter name; the last column holds wide gaps.
        text: "NODE            SERVICE   STATE     HEALTH   LAST CHANGE   LAST EVENT
cp-1   etcd      Running   Fail     18m24s ago    Health check failed:  learner
cp-1   kubelet   Waiting   ?        12s ago       Error running Containerd(kubelet), going to restart
",
        path: "",
        events: 2,
        has: &[
            (0, "table", "talosctl-services"),
            (0, "service", "etcd"),
            (0, "health", "Fail"),
            (0, "last_event", "Health check failed:  learner"),
            (1, "state", "Waiting"),
            (1, "health", "?"),
            (1, "last_change", "12s ago"),
            (1, "@talos.node", "cp-1"),
        ],
    },
    Sample {
        text: "NODE         ID                 HOSTNAME   PEER URLS                 CLIENT URLS               LEARNER
192.0.2.11   ff344252ef51bdb3   cp-1       https://192.0.2.11:2380   https://192.0.2.11:2379   false
",
        path: "",
        events: 1,
        has: &[(0, "table", "etcd-members"), (0, "learner", "false"), (0, "@k8s.node", "cp-1")],
    },
    Sample {
        text: "NODE         MEMBER             DB SIZE   IN USE            LEADER             RAFT INDEX   RAFT TERM   RAFT APPLIED INDEX   LEARNER   ERRORS
192.0.2.11   b7047d84356e689d   6.6 MB    5.0 MB (75.23%)   b7047d84356e689d   14532        4           14532                false
",
        path: "",
        events: 1,
        has: &[(0, "table", "etcd-status"), (0, "@etcd.member", "b7047d84356e689d"), (0, "@talos.node", "192.0.2.11"), (0, "in_use", "5.0 MB (75.23%)"), (0, "errors", ""), (0, "learner", "false")],
    },
    Sample {
        text: "NAMESPACE   TYPE      ID                                     VERSION   ADDRESS                 CONNECTED
default     Machine   7f1c2d3e-0000-4000-8000-000000000001   12        fdae:41e4:649b:9303::1  false
",
        path: "",
        events: 1,
        has: &[
            (0, "table", "Machine"),
            (0, "connected", "false"),
            (0, "#service", "omnictl"),
            (0, "@omni.machine", "7f1c2d3e-0000-4000-8000-000000000001"),
        ],
    },
    Sample {
        text: "NAMESPACE     LAST SEEN   TYPE      REASON         OBJECT          MESSAGE
default       10m         Warning   NodeNotReady   node/worker-1   Node worker-1 status is now: NodeNotReady
kube-system   51m         Normal    Pulled         pod/dns-x2p     Container image already present
",
        path: "",
        events: 2,
        has: &[
            (0, "table", "kubectl-events"),
            (0, "reason", "NodeNotReady"),
            (0, "last_seen", "10m"),
            (0, "@k8s.node", "worker-1"),
            (1, "message", "Container image already present"),
        ],
    },
    Sample {
        text: "NAME       STATUS     ROLES           AGE   VERSION   INTERNAL-IP   EXTERNAL-IP   OS-IMAGE          KERNEL-VERSION   CONTAINER-RUNTIME
worker-1   NotReady   <none>          35d   v1.35.2   192.0.2.14    <none>        Talos (v1.12.8)   6.18.5-talos     containerd://2.1.6
",
        path: "",
        events: 1,
        has: &[(0, "table", "kubectl-nodes"), (0, "status", "NotReady"), (0, "os-image", "Talos (v1.12.8)"), (0, "@k8s.node", "worker-1")],
    },
    Sample {
        text: "NAME      READY   STATUS             RESTARTS        AGE   IP         NODE
dns-x2p   0/1     CrashLoopBackOff   5 (2m ago)      3d    10.0.0.4   worker-1
",
        path: "",
        events: 1,
        has: &[(0, "table", "kubectl-pods"), (0, "restarts", "5 (2m ago)"), (0, "@k8s.node", "worker-1")],
    },
    Sample {
        text: "NAME        AGE   SIGNERNAME                      REQUESTOR              REQUESTEDDURATION   CONDITION
csr-2x4     5m    kubernetes.io/kubelet-serving   system:node:worker-1   <none>              Pending
",
        path: "",
        events: 1,
        has: &[(0, "table", "kubectl-csr"), (0, "condition", "Pending"), (0, "@k8s.node", "worker-1")],
    },
    Sample {
        text: "      VMID NAME                 STATUS     MEM(MB)    BOOTDISK(GB) PID
       100 demo-control-planes-9zc9tb running    8192              40.00 2737980
       204 jump                 stopped    4096              32.00 0
",
        path: "",
        events: 2,
        has: &[
            (0, "table", "qm-list"),
            (0, "name", "demo-control-planes-9zc9tb"),
            (0, "mem(mb)", "8192"),
            (0, "mem", "8192"),
            (0, "@pve.vmid", "100"),
            (1, "status", "stopped"),
            (1, "pid", "0"),
        ],
    },
    Sample {
        text: "Name                Type     Status    Total (KiB)     Used (KiB)   Available (KiB)        %
local-lvm        lvmthin     active      832888832      221311677         611577155   26.57%
nfs-vm               nfs   inactive              0              0                 0    0.00%
",
        path: "",
        events: 2,
        has: &[
            (0, "table", "pvesm-status"),
            (0, "type", "lvmthin"),
            (0, "available", "611577155"),
            (1, "status", "inactive"),
            (1, "%", "0.00%"),
            (1, "used_percent", "0.00"),
            (1, "@pve.storage", "nfs-vm"),
        ],
    },
    Sample {
        text: "ID             NAME       VERSION    DESCRIPTION                        CONNECTED    ERROR
proxmox-lab    Proxmox    v0.1.0     Proxmox infrastructure provider    false
",
        path: "",
        events: 1,
        has: &[(0, "table", "infraprovider-list"), (0, "connected", "false"), (0, "@omni.provider", "proxmox-lab")],
    },
    Sample {
        text: "┌──────────────────────────────────────────────────────────┬──────────┬─────┬──────────┬────────────┬────────────┬────────┐
│ UPID                                                     │ Type     │ ID  │ User     │ Starttime  │ Endtime    │ Status │
╞══════════════════════════════════════════════════════════╪══════════╪═════╪══════════╪════════════╪════════════╪════════╡
│ UPID:pve1:0004D2A0:0321F2CA:6718A3D0:qmcreate:100:root@pam: │ qmcreate │ 100 │ root@pam │ 1729668048 │ 1729668053 │ ERROR  │
└──────────────────────────────────────────────────────────┴──────────┴─────┴──────────┴────────────┴────────────┴────────┘
",
        path: "",
        events: 1,
        has: &[
            (0, "table", "pvenode-tasks"),
            (0, "status", "ERROR"),
            (0, "pve.task.type", "qmcreate"),
            (0, "@pve.vmid", "100"),
            (0, "@pve.node", "pve1"),
            (0, "#service", "pve-task-index"),
        ],
    },
    Sample {
        text: "FILESYSTEM                 SIZE(GB)   USED(GB)   AVAILABLE(GB)   PERCENT USED   MOUNTED ON
/dev/sda4                  38.00      12.40      24.00           31.20%         /var
",
        path: "",
        events: 1,
        has: &[(0, "table", "talosctl-mounts"), (0, "percent_used", "31.20%"), (0, "mounted_on", "/var")],
    },
];

#[cfg(test)]
mod tests {
    use super::super::testing::events;

    #[test]
    fn an_empty_cell_in_a_shifted_row_is_left_empty() {
        let text = "NODE            NAMESPACE   TYPE               ID     VERSION   TYPE        SIZE     DISCOVERED   LABEL   PARTITIONLABEL\n\
                    cp   runtime     DiscoveredVolume   sda4   1         partition   1.0 MB                        META\n";
        let found = events(text);
        let row = found.first().expect("a row");
        assert_eq!(row.get("partitionlabel"), Some("META"));
        assert_eq!(row.get("discovered"), Some(""));
    }

    #[test]
    fn two_tables_in_a_row_are_two_tables() {
        let text = "NAME   READY   STATUS    RESTARTS   AGE\na      1/1     Running   0          1d\nNAME   STATUS   ROLES    AGE   VERSION\nb      Ready    <none>   1d    v1.35.2\n";
        let found = events(text);
        let tables: Vec<_> = found.iter().map(|e| e.get("table").unwrap_or_default().to_owned()).collect();
        assert_eq!(tables, ["kubectl-pods", "kubectl-nodes"]);
    }
}
