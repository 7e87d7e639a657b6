//! What the path of a source tells about it: a table of the layouts in which logs are handed over.
//!
//! Looks at names only, so everything here is a hint: the content has the last word. Names that do not fit
//! give no hint, never a wrong one by force. To teach a layout, add a row to `RULES`.

/// What the path of a source tells.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hints {
    /// The Talos or Kubernetes node: machine UUID, address or name.
    pub node: Option<String>,
    /// One of the service words of the catalogue.
    pub service: Option<String>,
    /// Kubernetes namespace.
    pub namespace: Option<String>,
    /// Kubernetes pod.
    pub pod: Option<String>,
    /// Container name.
    pub container: Option<String>,
    /// Proxmox task id, whole.
    pub upid: Option<String>,
    /// Proxmox node.
    pub pve_node: Option<String>,
    /// Proxmox VM or container number.
    pub vmid: Option<String>,
    /// Kind of document: a resource type, or the command whose output it is.
    pub document: Option<String>,
}

/// One layout: the end of a path, the service, the kind of document. Each field that is still unknown takes
/// the first row that fits.
///
/// `*` stands for anything within one name. `{...}` captures:
/// - `{node}`, `{namespace}`, `{pod}`, `{container}`, `{pve_node}`, `{document}`: anything,
/// - `{machine}`: a node whose name looks like one (UUID, address, or with a word such as `worker`),
/// - `{pve}`: a Proxmox node whose name looks like one,
/// - `{service}`: a Talos service; `{known}`: the same, but only the well-known ones,
/// - `{workload}`: a container or pod of kube-system; `{upid}`, `{vmid}`: what they say,
/// - `{log}`, `{yaml}`: an extension of logs, of documents; `{id}`: anything, not kept.
///
/// Service `=` takes the one that was captured. A kind that was captured gets the third column behind it.
struct Rule(&'static str, &'static str, &'static str);

#[rustfmt::skip]
static RULES: &[Rule] = &[
    // Support bundles of talosctl (1.7 and later) and omnictl.
    Rule("omni/machine-logs/{node}.log", "talos", ""),
    Rule("omni/resources/{document}.sidero.dev-{id}.yaml", "state", ".sidero.dev"),
    Rule("omni/resources/{document}.yaml", "state", ""),
    Rule("kubernetesResources/{document}.yaml", "state", ""),
    Rule("{node}/service-logs/{service}.log", "=", ""),
    Rule("{node}/service-logs/{service}.state", "talosctl", "service-state"),
    Rule("{node}/kubernetes-logs/{namespace}/{workload}.log", "=", ""),
    Rule("{node}/resources/{document}.talos.dev.yaml", "state", ".talos.dev"),
    Rule("{machine}/controller-runtime.log", "talos", ""),
    Rule("{machine}/dns-resolve-cache.log", "talos", ""),
    Rule("{machine}/dependencies.dot", "talosctl", "dependencies"),
    Rule("{machine}/dmesg.log", "talos", ""),
    Rule("{machine}/mounts", "talosctl", "mounts"),
    Rule("{machine}/devices", "talosctl", "devices"),
    Rule("{machine}/io", "talosctl", "io"),
    Rule("{machine}/processes", "talosctl", "processes"),
    Rule("{machine}/summary", "talosctl", "version"),
    // talosctl up to 1.6.
    Rule("cluster/kubernetesResources/{document}.yaml", "state", ""),
    Rule("{node}/talosResources/{document}.yaml", "state", ""),
    Rule("{machine}/kube-system/{workload}.log", "=", ""),
    Rule("{machine}/{known}.log", "=", ""),
    Rule("{machine}/{known}.state", "talosctl", "service-state"),
    // Proxmox: task tree, configuration, journals.
    Rule("{upid}", "pve-task", ""),
    Rule("tasks/index", "pve-task-index", ""),
    Rule("tasks/index.*", "pve-task-index", ""),
    Rule("tasks/active", "pve-task-index", ""),
    Rule("pve-{pve_node}-index", "pve-task-index", ""),
    Rule("pve-{pve_node}-active", "pve-task-index", ""),
    Rule("nodes/{pve_node}/qemu-server/{vmid}.conf", "pve-config", "qm_config"),
    Rule("nodes/{pve_node}/lxc/{vmid}.conf", "pve-config", "pct_config"),
    Rule("qemu-server/{vmid}.conf", "pve-config", "qm_config"),
    Rule("lxc/{vmid}.conf", "pve-config", "pct_config"),
    Rule("pveproxy/access.log*", "pve-access", ""),
    Rule("pve*access.{log}", "pve-access", ""),
    Rule("pve/{pve_node}/access.{log}", "pve-access", ""),
    Rule("pve/{pve_node}/*journal*", "pve-journal", ""),
    Rule("pve/{pve_node}/syslog*", "pve-journal", ""),
    Rule("{pve}/journal.{log}", "pve-journal", ""),
    Rule("{pve}/syslog*", "pve-journal", ""),
    Rule("{pve}-journal.{log}", "pve-journal", ""),
    Rule("{pve}-syslog*", "pve-journal", ""),
    Rule("pve-journal*/{pve_node}.{log}", "pve-journal", ""),
    Rule("pve*journal*", "pve-journal", ""),
    Rule("{pve}-access.{log}", "pve-access", ""),
    Rule("pvedaemon*.{log}", "pve-journal", ""),
    Rule("pvestatd*.{log}", "pve-journal", ""),
    Rule("task.{log}", "pve-task", ""),
    Rule("vzdump*.{log}", "pve-task", ""),
    Rule("{pve}-qm-list.{log}", "pve-config", "qm-list"),
    Rule("*qm-list.{log}", "pve-config", "qm-list"),
    Rule("{pve}-qm-config*.{log}", "pve-config", "qm_config"),
    Rule("*qm-config*.{log}", "pve-config", "qm_config"),
    Rule("*pvesm-status*.{log}", "pve-config", "pvesm-status"),
    Rule("*pveversion*", "pve-config", "pveversion"),
    Rule("*pvereport*", "pve-config", "pvereport"),
    Rule("*pve-report*", "pve-config", "pvereport"),
    Rule("*pvesh-*", "pve-config", "pvesh"),
    Rule("storage.cfg", "pve-config", "storage_config"),
    Rule("user.cfg", "pve-config", "user_config"),
    Rule("datacenter.cfg", "pve-config", "datacenter_config"),
    Rule("corosync.conf", "pve-config", "corosync_config"),
    // What is around a Proxmox file tells its node.
    Rule("pve/nodes/{pve_node}/**", "", ""),
    Rule("pve/{pve}/**", "", ""),
    Rule("{pve}/tasks*/**", "", ""),
    Rule("pve/{pve_node}/tasks*/**", "", ""),
    Rule("pve/{pve_node}/*.txt", "", ""),
    Rule("pve/{pve}-*", "", ""),
    Rule("{pve}/**", "", ""),
    // Omni, its provider, its client.
    Rule("provider*config*.{yaml}", "state", "provider_config"),
    Rule("provider*.{log}", "omni-provider", ""),
    Rule("*infra-provider*.{log}", "omni-provider", ""),
    Rule("provider/docker-logs*", "omni-provider", ""),
    Rule("provider/*.log", "omni-provider", ""),
    Rule("omni.{log}", "omni", ""),
    Rule("omni-server*.{log}", "omni", ""),
    Rule("omni/omni*.log", "omni", ""),
    Rule("*omnictl*.{yaml}", "state", ""),
    Rule("omnictl/*.{yaml}", "state", ""),
    Rule("omni/*.{yaml}", "state", ""),
    Rule("*cluster-status*.txt", "omnictl", "cluster_status"),
    Rule("infraprovider*.txt", "omnictl", "infraprovider-list"),
    Rule("omnictl*.{log}", "omnictl", ""),
    Rule("omnictl/*.txt", "omnictl", ""),
    // Kubernetes: files of a node, cluster-info dump, must-gather.
    Rule("containers/{pod}_{namespace}_{container}-{id}.log", "kubernetes", ""),
    Rule("pods/{namespace}_{pod}_{id}/{container}/*.log*", "kubernetes", ""),
    Rule("namespaces/{namespace}/pods/{pod}/{container}/{id}/logs/*.log", "kubernetes", ""),
    Rule("namespaces/{namespace}/pods/{pod}/{id}.{yaml}", "state", "pods"),
    Rule("namespaces/{namespace}/{id}/{document}.{yaml}", "state", ""),
    Rule("namespaces/{namespace}/**", "", ""),
    Rule("cluster-scoped-resources/{id}/{document}.{yaml}", "state", ""),
    Rule("cluster-scoped-resources/{id}/{document}/*.{yaml}", "state", ""),
    Rule("{namespace}/{pod}/logs.txt", "kubernetes", ""),
    Rule("kube-system/{document}.{yaml}", "state", ""),
    Rule("kubectl-events*", "kubernetes", "kubectl-events"),
    Rule("kubectl-nodes*", "kubernetes", "kubectl-nodes"),
    Rule("kubectl-pods*", "kubernetes", "kubectl-pods"),
    Rule("kubectl*.{log}", "kubernetes", ""),
    Rule("kube-*.{log}", "kubernetes", ""),
    Rule("csi-*.{log}", "kubernetes", ""),
    Rule("*coredns*.{log}", "coredns", ""),
    Rule("*kube-apiserver*.{log}", "kubernetes", ""),
    Rule("*kube-controller-manager*.{log}", "kubernetes", ""),
    Rule("*kube-scheduler*.{log}", "kubernetes", ""),
    // Single files by their usual names.
    Rule("controller-runtime*.{log}", "talos", ""),
    Rule("dmesg*", "talos", ""),
    Rule("console*.{log}", "talos", ""),
    Rule("*-console.{log}", "talos", ""),
    Rule("console/*.log", "talos", ""),
    Rule("machine*.log", "talos", ""),
    Rule("machined*.{log}", "talos", ""),
    Rule("etcd-members*", "talosctl", "etcd-members"),
    Rule("etcd-status*", "talosctl", "etcd-status"),
    Rule("etcd*.log", "etcd", ""),
    Rule("kubelet*.{log}", "kubelet", ""),
    Rule("containerd*.{log}", "containerd", ""),
    Rule("discoveredvolumes*", "talosctl", "discoveredvolumes"),
    Rule("volumestatus*", "talosctl", "volumestatus"),
    Rule("services.txt", "talosctl", "talosctl-services"),
    Rule("talosctl*.{log}", "talosctl", ""),
    Rule("terraform*.{log}", "terraform", ""),
    Rule("packer*.{log}", "terraform", ""),
];

/// Services of Talos and the words of the catalogue for them.
static SERVICES: &[(&str, &str)] = &[
    ("apid", "talos"),
    ("auditd", "talos"),
    ("containerd", "containerd"),
    ("cri", "containerd"),
    ("dashboard", "talos"),
    ("etcd", "etcd"),
    ("kernel", "kernel"),
    ("kubelet", "kubelet"),
    ("machined", "talos"),
    ("syslogd", "talos"),
    ("trustd", "talos"),
    ("udevd", "talos"),
];

/// Containers of kube-system; their pods are called after them.
static WORKLOADS: &[(&str, &str)] = &[
    ("coredns", "coredns"),
    ("etcd", "etcd"),
    ("kube-apiserver", "kubernetes"),
    ("kube-controller-manager", "kubernetes"),
    ("kube-flannel", "kubernetes"),
    ("kube-proxy", "kubernetes"),
    ("kube-scheduler", "kubernetes"),
];

/// Suffixes of containers and encodings, which say nothing about the content.
const WRAPPERS: [&str; 9] = [".gz", ".bz2", ".xz", ".zst", ".age", ".tar", ".tgz", ".txz", ".zip"];
const LOG_EXTENSIONS: [&str; 6] = ["log", "txt", "out", "json", "jsonl", "ndjson"];
const DOCUMENT_EXTENSIONS: [&str; 3] = ["yaml", "yml", "json"];

/// Names longer than this match no layout; it bounds the work of matching.
const NAME: usize = 255;

impl Hints {
    /// What a label tells.
    #[must_use]
    pub fn of(label: &str) -> Self {
        let names: Vec<&str> = label.split('/').map(unwrapped).filter(|name| !matches!(*name, "" | ".")).collect();
        let mut hints = Self::default();
        for rule in RULES {
            let pattern: Vec<&str> = rule.0.split('/').collect();
            let mut found = Self::default();
            if ends_with(&names, &pattern, &mut found) {
                if rule.1 != "=" && !rule.1.is_empty() {
                    found.service = Some(rule.1.to_owned());
                }
                found.document = match found.document {
                    Some(document) => Some(document + rule.2),
                    None => some(rule.2),
                };
                hints.complete(found);
            }
        }
        hints
    }

    /// Takes over what is not known yet.
    fn complete(&mut self, found: Self) {
        // A document kind belongs to its service: a later row must not pair them anew.
        if self.service.is_none() {
            self.service = found.service;
            self.document = self.document.take().or(found.document);
        }
        let pairs = [
            (&mut self.node, found.node),
            (&mut self.namespace, found.namespace),
            (&mut self.pod, found.pod),
            (&mut self.container, found.container),
            (&mut self.upid, found.upid),
            (&mut self.pve_node, found.pve_node),
            (&mut self.vmid, found.vmid),
        ];
        for (known, new) in pairs {
            if known.is_none() {
                *known = new;
            }
        }
    }

    /// Takes a captured value; false when it does not fit.
    fn take(&mut self, class: &str, value: &str) -> bool {
        let slot = match class {
            "node" => &mut self.node,
            "machine" if looks_like_machine(value) => &mut self.node,
            "namespace" => &mut self.namespace,
            "pod" => &mut self.pod,
            "container" => &mut self.container,
            "pve_node" => &mut self.pve_node,
            "pve" if looks_like_pve(value) => &mut self.pve_node,
            "document" => &mut self.document,
            "vmid" if is_vmid(value) => &mut self.vmid,
            "id" => return true,
            "log" => return LOG_EXTENSIONS.contains(&value),
            "yaml" => return DOCUMENT_EXTENSIONS.contains(&value),
            "service" | "known" => return self.take_service(value, class == "service"),
            "workload" => return self.take_workload(value),
            "upid" => return self.take_upid(value),
            _ => return false,
        };
        *slot = Some(value.to_owned());
        true
    }

    /// What is not in the table is an extension service, or no service at all.
    fn take_service(&mut self, name: &str, or_extension: bool) -> bool {
        let known = SERVICES.iter().find(|(service, _)| *service == name).map(|(_, word)| *word);
        let word = known.or(or_extension.then_some("talos"));
        self.service = word.map(str::to_owned);
        word.is_some()
    }

    /// A file of kube-system is called after the container, or (since Talos 1.12) after the pod.
    fn take_workload(&mut self, name: &str) -> bool {
        let name = name.strip_suffix("-exited").unwrap_or(name);
        let of_pod = |workload: &str| name.strip_prefix(workload).is_some_and(|rest| rest.starts_with('-'));
        let found = WORKLOADS.iter().find(|(workload, _)| name == *workload || of_pod(workload));
        self.service = Some(found.map_or("kubernetes", |(_, word)| word).to_owned());
        match found {
            Some((workload, _)) if name != *workload => {
                self.container = Some((*workload).to_owned());
                self.pod = Some(name.to_owned());
            }
            _ => self.container = Some(name.to_owned()),
        }
        true
    }

    /// `UPID:node:pid:pstart:start:type:id:user:`
    fn take_upid(&mut self, name: &str) -> bool {
        let fields: Vec<&str> = name.split(':').collect();
        let ["UPID", node, _, _, _, _, id, ..] = fields.as_slice() else {
            return false;
        };
        self.pve_node = some(node);
        self.vmid = is_vmid(id).then(|| (*id).to_owned());
        self.upid = Some(name.to_owned());
        true
    }
}

fn some(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

/// A name without the mark of an archive and without suffixes of containers.
fn unwrapped(name: &str) -> &str {
    let mut name = name.strip_suffix('!').unwrap_or(name);
    while let Some(shorter) = WRAPPERS.iter().find_map(|suffix| name.strip_suffix(suffix)) {
        name = shorter;
    }
    name
}

fn is_vmid(value: &str) -> bool {
    (3..=9).contains(&value.len()) && value.bytes().all(|byte| byte.is_ascii_digit())
}

fn looks_like_machine(value: &str) -> bool {
    let is_address = value.parse::<std::net::IpAddr>().is_ok();
    let is_uuid = value.len() == 36 && value.bytes().filter(|byte| *byte == b'-').count() == 4;
    let words = ["node", "worker", "control", "machine", "master", "talos"];
    let is_role = words.iter().any(|word| value.contains(word));
    let is_short =
        value.strip_prefix("cp").is_some_and(|rest| rest.starts_with(|c: char| c == '-' || c.is_ascii_digit()));
    is_address || is_uuid || is_role || is_short
}

/// `pve1`, `proxmox-02.example.org`, but not `pve2-incident`.
fn looks_like_pve(value: &str) -> bool {
    let value = value.to_ascii_lowercase();
    let host = value.split('.').next().unwrap_or_default();
    let is_name = host.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let is_numbered = host.ends_with(|c: char| c.is_ascii_digit());
    is_name && is_numbered && (host.contains("pve") || host.contains("prox"))
}

/// Whether the last names fit the pattern; a last `**` stands for anything below, at least one name.
fn ends_with(names: &[&str], pattern: &[&str], found: &mut Hints) -> bool {
    if let [folders @ .., "**"] = pattern {
        return (folders.len()..names.len()).rev().any(|end| {
            let folder = names.get(end - folders.len()..end).unwrap_or_default();
            fits_all(folder, folders, found)
        });
    }
    let start = names.len().checked_sub(pattern.len());
    start.and_then(|start| names.get(start..)).is_some_and(|names| fits_all(names, pattern, found))
}

fn fits_all(names: &[&str], pattern: &[&str], found: &mut Hints) -> bool {
    let mut captured = Hints::default();
    let fit = names.iter().zip(pattern).all(|(name, pattern)| name.len() <= NAME && fits(name, pattern, &mut captured));
    if fit {
        *found = captured;
    }
    fit
}

/// Whether one name fits one pattern. Captures are as short as possible.
fn fits(name: &str, pattern: &str, found: &mut Hints) -> bool {
    let Some(at) = pattern.find(['*', '{']) else {
        return name == pattern;
    };
    let (literal, rest) = pattern.split_at(at);
    let Some(name) = name.strip_prefix(literal) else {
        return false;
    };
    let (class, rest) = match rest.strip_prefix('{').and_then(|rest| rest.split_once('}')) {
        Some((class, rest)) => (Some(class), rest),
        None => (None, rest.get(1..).unwrap_or_default()),
    };
    let shortest = usize::from(class.is_some());
    name.char_indices().map(|(at, _)| at).chain([name.len()]).filter(|at| *at >= shortest).any(|at| {
        let (value, behind) = name.split_at(at);
        if !fits(behind, rest, found) {
            return false;
        }
        class.is_none_or(|class| found.take(class, value))
    })
}

#[cfg(test)]
#[path = "bundle_tests.rs"]
mod tests;
