//! Names of hosts and clusters: learned from what records tell of them, never guessed from words of a sentence.

use std::collections::HashSet;
use std::sync::LazyLock;

use regex::Regex;

use super::Plain;
use super::value::{Form, Pair};
use crate::event::Event;
use crate::parse;

/// What a name names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A host, a VM, a node.
    Host,
    /// A cluster.
    Cluster,
}

/// Names that identify nobody: products, defaults, words of paths and addresses.
const GENERIC: &[&str] = &[
    "localhost",
    "localdomain",
    "talos",
    "omni",
    "omnictl",
    "proxmox",
    "pve",
    "kubernetes",
    "k8s",
    "kube",
    "sidero",
    "docker",
    "linux",
    "debian",
    "kernel",
    "node",
    "nodes",
    "host",
    "hosts",
    "cluster",
    "clusters",
    "machine",
    "machines",
    "server",
    "worker",
    "workers",
    "control",
    "plane",
    "control-plane",
    "control-planes",
    "controlplane",
    "master",
    "default",
    "local",
    "admin",
    "root",
    "system",
    "true",
    "false",
    "null",
    "none",
    "unknown",
    "all",
    "any",
    "self",
    "other",
    "status",
    "stats",
    "metrics",
    "proxy",
    "config",
    "configz",
    "log",
    "logs",
    "healthz",
    "spec",
    "qemu",
    "lxc",
    "storage",
    "network",
    "tasks",
    "task",
    "version",
    "api",
    "api2",
    "json",
    "data",
    "internal",
    "external",
    "public",
    "private",
    "ready",
    "notready",
    "running",
    "stopped",
    "error",
    "failed",
    "cri",
    "etcd",
    "kubelet",
    "containerd",
    "apid",
    "trustd",
    "machined",
    "provider",
    "infra",
    "stdout",
    "stderr",
    "invalid",
    "disabled",
    "enabled",
    "missing",
    "apt",
    "certificates",
    "hardware",
    "services",
    "ceph",
    "disks",
    "firewall",
    "scan",
    "dns",
    "time",
    "syslog",
    "journal",
    "report",
    "subscription",
    "vzdump",
    "replication",
    "capabilities",
    "pods",
    "svc",
    "service",
];

/// Kinds of entities and attributes (the last part of their key, without separators) that are names.
const HOSTS: &[&str] = &[
    "host",
    "hostname",
    "node",
    "nodename",
    "pvenode",
    "talosnode",
    "k8snode",
    "machine",
    "machinerequest",
    "server",
    "servername",
    "targetnode",
    "sourcenode",
    "vmname",
    "fqdn",
    "searchdomain",
    "instance",
    "member",
    "peer",
    "nodeid",
];

/// As [`HOSTS`], for clusters and their parts.
const CLUSTERS: &[&str] = &["cluster", "clustername", "machineset", "clusterid", "machinerequestset"];

/// Hosts of projects that everybody uses: their names tell nothing about who runs them.
const PUBLIC: &[&str] = &[
    "sidero.dev",
    "siderolabs.com",
    "siderolabs.io",
    "talos.dev",
    "k8s.io",
    "kubernetes.io",
    "x-k8s.io",
    "cluster.local",
    "svc",
    "ghcr.io",
    "gcr.io",
    "docker.io",
    "docker.com",
    "quay.io",
    "pkg.dev",
    "proxmox.com",
    "github.com",
    "githubusercontent.com",
    "gitlab.com",
    "debian.org",
    "ubuntu.com",
    "ntp.org",
    "google.com",
    "googleapis.com",
    "golang.org",
    "gopkg.in",
    "cloudflare.com",
    "letsencrypt.org",
    "coreos.com",
    "cilium.io",
    "prometheus.io",
    "amazonaws.com",
    "azurecr.io",
    "microsoft.com",
    "aws",
    "hashicorp.com",
    "terraform.io",
    "kernel.org",
    "grafana.com",
    "istio.io",
    "projectcalico.org",
    "cert-manager.io",
    "helm.sh",
    "containerd.io",
    "opencontainers.org",
    "w3.org",
    "ietf.org",
    "openid.net",
    "auth0.com",
    "in-addr.arpa",
    "ip6.arpa",
    "go.uber.org",
    "etcd.io",
    "cncf.io",
    "longhorn.io",
    "rook.io",
    "fluxcd.io",
    "argoproj.io",
    "metallb.io",
    "universe.tf",
    "snapshot.storage",
];

/// Last labels of names that are hosts and no files or types.
const TOP: &[&str] = &[
    "com",
    "net",
    "org",
    "edu",
    "gov",
    "mil",
    "int",
    "info",
    "biz",
    "cloud",
    "dev",
    "app",
    "tech",
    "online",
    "site",
    "xyz",
    "systems",
    "solutions",
    "services",
    "company",
    "group",
    "agency",
    "studio",
    "digital",
    "network",
    "email",
    "eu",
    "de",
    "at",
    "ch",
    "nl",
    "be",
    "fr",
    "it",
    "es",
    "pt",
    "uk",
    "ie",
    "dk",
    "se",
    "fi",
    "cz",
    "sk",
    "hu",
    "ro",
    "bg",
    "gr",
    "hr",
    "si",
    "lt",
    "lv",
    "ee",
    "lu",
    "us",
    "ca",
    "au",
    "nz",
    "jp",
    "cn",
    "kr",
    "br",
    "mx",
    "ar",
    "cl",
    "tr",
    "ua",
    "ru",
    "il",
    "za",
    "sg",
    "hk",
    "tw",
    "th",
    "vn",
    "lan",
    "local",
    "internal",
    "intranet",
    "intern",
    "corp",
    "home",
    "arpa",
    "localdomain",
    "private",
    "test",
    "example",
    "invalid",
    "io",
    "ai",
    "me",
    "tv",
    "co",
    "priv",
    "lab",
    "domain",
    "office",
];

/// Where names stand: in an address, in a UPID, behind the word for what they name, behind `lookup`, or with dots. Its own
/// text tells which one matched, since groups would have to be searched for once more.
static ADDRESS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r#"(?i)://(?:[^\s/@"'<>]*@)?[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?|UPID:[a-z0-9-]+:|(?-u:\b)(?:nodes?|clusters?|machines?)(?:/| \\*["'`])[a-z0-9][a-z0-9._-]*|lookup [a-z0-9][a-z0-9.-]+|(?-u:\b)(?:[a-z0-9_](?:[a-z0-9_-]*[a-z0-9])?\.)+[a-z]{2,12}(?-u:\b)"#).ok()
});

/// Hands every name that a record with these pairs tells of to `learn`.
pub fn learn(text: &str, pairs: &[Pair<'_>], learn: &mut dyn FnMut(Kind, &str)) {
    let first = text.lines().next().unwrap_or_default();
    event(&parse::parse(first), learn);
    for pair in pairs {
        let Some(kind) = kind_of_key(pair.key) else { continue };
        let word = text.get(pair.value.clone()).unwrap_or_default();
        // After a colon in a sentence stands a word of the sentence.
        let told = pair.separator == b'=' || pair.form != Form::Word;
        if told {
            candidate(kind, word, learn);
        }
    }
    let Some(regex) = ADDRESS.as_ref() else { return };
    regex.find_iter(text).for_each(|found| address(found.as_str(), learn));
}

/// Hands the name in a match of [`ADDRESS`] to `learn`.
fn address(found: &str, learn: &mut dyn FnMut(Kind, &str)) {
    if let Some(rest) = found.strip_prefix("://") {
        candidate(Kind::Host, rest.rsplit('@').next().unwrap_or(rest), learn);
    } else if let Some(upid) = found.strip_suffix(':') {
        candidate(Kind::Host, upid.rsplit(':').next().unwrap_or(upid), learn);
    } else if let Some((word, name)) = found.split_once(['/', ' ']) {
        let word = word.to_ascii_lowercase();
        let kind = if word.starts_with("cluster") { Kind::Cluster } else { Kind::Host };
        candidate(kind, name.trim_start_matches(['\\', '"', '\'', '`']), learn);
    } else if is_host(found) {
        candidate(Kind::Host, found, learn);
    }
}

/// Hands the names of an event to `learn`.
pub fn event(event: &Event<'_>, learn: &mut dyn FnMut(Kind, &str)) {
    if let Some(node) = event.node.as_deref() {
        candidate(Kind::Host, node, learn);
    }
    for (key, value) in event.entities.iter().chain(&event.attributes) {
        named(key, value, learn);
    }
}

/// Hands a value to `learn` when its key says that it is a name.
pub fn named(key: &str, value: &str, learn: &mut dyn FnMut(Kind, &str)) {
    if let Some(kind) = kind_of_key(key) {
        candidate(kind, value, learn);
    }
}

/// What a key names, by its last parts.
fn kind_of_key(key: &str) -> Option<Kind> {
    let last = Plain::of(key.rsplit(['.', '/']).next().unwrap_or(key));
    if HOSTS.contains(&last.as_str()) {
        return Some(Kind::Host);
    }
    if CLUSTERS.contains(&last.as_str()) {
        return Some(Kind::Cluster);
    }
    let whole = Plain::of(key);
    (HOSTS.contains(&whole.as_str()) || matches!(key, "host.name" | "k8s.node.name")).then_some(Kind::Host)
}

fn candidate(kind: Kind, value: &str, learn: &mut dyn FnMut(Kind, &str)) {
    let value = value.trim().trim_end_matches('.');
    // `host:port` tells the host.
    let value =
        value.rsplit_once(':').filter(|(h, p)| !h.contains(':') && p.parse::<u16>().is_ok()).map_or(value, |(h, _)| h);
    if is_name(value) {
        learn(kind, value);
    }
}

/// Whether a word can be a name that tells who somebody is.
fn is_name(word: &str) -> bool {
    let plain = word.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_'));
    let digits = word.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    let lower = word.to_ascii_lowercase();
    plain
        && !digits
        && (3..=253).contains(&word.len())
        && !GENERIC_WORDS.contains(lower.as_str())
        && !is_public(&lower)
        && !is_file(&lower)
}

static GENERIC_WORDS: LazyLock<HashSet<&str>> = LazyLock::new(|| GENERIC.iter().copied().collect());
static PUBLIC_NAMES: LazyLock<HashSet<&str>> = LazyLock::new(|| PUBLIC.iter().copied().collect());

/// Whether a name, or what stands behind one of its dots, is that of a public project.
fn is_public(lower: &str) -> bool {
    let behind_dots = lower.match_indices('.').filter_map(|(at, _)| lower.get(at + 1..));
    std::iter::once(lower).chain(behind_dots).any(|name| PUBLIC_NAMES.contains(name))
}

fn is_file(lower: &str) -> bool {
    [".go", ".yaml", ".yml", ".json", ".log", ".conf", ".sock", ".service", ".toml", ".tf", ".pm"]
        .iter()
        .any(|end| lower.ends_with(end))
}

/// Whether a word with dots ends like the name of a host.
fn is_host(word: &str) -> bool {
    let lower = word.to_ascii_lowercase();
    let top = lower.rsplit('.').next().unwrap_or_default();
    let first = lower.split('.').next().unwrap_or_default();
    TOP.contains(&top)
        && !is_public(&lower)
        && !matches!(first, "metadata" | "spec" | "status" | "machine" | "service" | "omni" | "talos")
        || (TOP.contains(&top) && !is_public(&lower) && lower.matches('.').count() >= 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<String> {
        let mut found = Vec::new();
        learn(text, &crate::redact::value::pairs(text), &mut |_, name| found.push(name.to_owned()));
        found.sort();
        found.dedup();
        found
    }

    #[test]
    fn names_are_learned_where_a_record_tells_them() {
        assert_eq!(names("Sep 15 08:00:00 acme-pve7 pvedaemon[99]: starting"), ["acme-pve7"]);
        assert_eq!(names("UPID:acme7:0003A1B2:0012C3D4:65F3A1B2:qmstart:104:root@pam:"), ["acme7"]);
        assert_eq!(names("GET https://pve.acme.de:8006/api2/json/nodes/acme7/qemu"), ["acme7", "pve.acme.de"]);
        assert_eq!(names(r#"{"cluster":"acme-prod","machine":"w-1x"}"#), ["acme-prod", "w-1x"]);
        assert_eq!(names("nodes \"acme-cp-1\" not found"), ["acme-cp-1"]);
        assert_eq!(names("dial tcp: lookup omni.acme.internal on 10.0.0.53:53: no such host"), ["omni.acme.internal"]);
    }

    #[test]
    fn words_of_sentences_files_and_products_are_no_names() {
        for text in [
            "node: failed to reach the server: timeout",
            "provisioner.go:123 controller.runtime MachineRequestStatuses.omni.sidero.dev",
            "pulling ghcr.io/siderolabs/installer:v1.12.8 from https://factory.talos.dev/x",
            "nodes/proxy is forbidden; host=localhost node=ready",
            "see /etc/pve/qemu-server/104.conf and journal.log",
        ] {
            assert_eq!(names(text), [""; 0], "{text}");
        }
    }
}
