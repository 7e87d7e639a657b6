//! Versions that log lines tell, by the names of applications that root causes use: at the start of a program, in the paths of
//! its stack traces, where its image was pulled, where a client compares itself with its server.
//!
//! Documents that tell versions are read elsewhere. Invariant: a version is that of the running program, never one that it
//! only speaks of: an image that could not be pulled tells nothing.

use crate::event::Event;

/// A start-up line: text that stands in its message, where the version is, and the application.
struct Line {
    marker: &'static str,
    version: Place,
    application: &'static str,
}

/// Where the version stands.
enum Place {
    /// Right behind the marker.
    Behind,
    /// In an attribute.
    Attribute(&'static str),
    /// Right behind the marker, in a line that tells that an image is there.
    Pulled,
}

/// What containerd and the kubelet say when an image is there.
const PULLED: &[&str] = &["returns image reference", "Successfully pulled image", "already present on machine"];

/// The lines. Talos and the kubelet write theirs at each start, as do etcd and Omni; Go puts the version of a module into the paths
/// of stack traces; `pve-manager/` stands in what Proxmox VE tells of itself.
static LINES: &[Line] = &[
    Line { marker: "booting Talos v", version: Place::Behind, application: "talos" },
    Line { marker: "starting an etcd server", version: Place::Attribute("etcd-version"), application: "etcd" },
    Line { marker: "Kubelet version", version: Place::Attribute("kubeletVersion"), application: "kubernetes" },
    Line { marker: "starting Omni", version: Place::Attribute("version"), application: "omni" },
    Line { marker: "differs from the backend version \"", version: Place::Behind, application: "omni" },
    Line { marker: "siderolabs/omni:v", version: Place::Pulled, application: "omni" },
    Line {
        marker: "omni-infra-provider-proxmox:v",
        version: Place::Pulled,
        application: "omni-infra-provider-proxmox",
    },
    Line { marker: ": server version v", version: Place::Behind, application: "talos" },
    Line { marker: "luthermonson/go-proxmox@v", version: Place::Behind, application: "go-proxmox" },
    Line { marker: "pve-manager/", version: Place::Behind, application: "pve" },
    Line { marker: "ii  pve-manager ", version: Place::Behind, application: "pve" },
    Line { marker: "ii  qemu-server ", version: Place::Behind, application: "qemu-server" },
];

/// Texts that stand in the raw bytes of every line that tells a version.
pub fn markers() -> impl Iterator<Item = &'static str> {
    LINES.iter().map(|line| line.marker)
}

/// The application and its version (without `v`) that an event tells, if it does.
pub fn version(event: &Event<'_>) -> Option<(&'static str, String)> {
    let texts = || [Some(&*event.body), event.get("stacktrace"), event.get("error")].into_iter().flatten();
    let found = |line: &'static Line| Some((line, texts().find_map(|text| text.split_once(line.marker))?));
    let (line, (before, behind)) = LINES.iter().find_map(found)?;
    let is_pulled = || PULLED.iter().any(|said| before.contains(said) || behind.contains(said));
    let text = match line.version {
        Place::Behind => behind.trim_start(),
        Place::Pulled => Some(behind).filter(|_| is_pulled())?,
        Place::Attribute(key) => event.get(key)?,
    };
    let text = text.strip_prefix('v').unwrap_or(text);
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '.' | '-')).unwrap_or(text.len());
    let version = text.get(..end)?;
    let is_version = version.starts_with(|c: char| c.is_ascii_digit()) && version.contains('.');
    is_version.then(|| (line.application, version.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::parse;

    #[test]
    fn start_up_lines_tell_versions_in_every_wrapping() {
        for (line, application, expected) in [
            ("[    1.234567] [talos] [initramfs] booting Talos v1.12.4", "talos", "1.12.4"),
            (
                "192.0.2.11: user: warning: [2026-09-15T08:00:01.1Z]: [talos] [initramfs] booting Talos v1.13.0-beta.1",
                "talos",
                "1.13.0-beta.1",
            ),
            (
                r#"192.0.2.11: {"level":"info","ts":"2026-09-14T05:13:07.807923Z","caller":"embed/etcd.go:323","msg":"starting an etcd server","etcd-version":"3.6.5","git-sha":"a061450"}"#,
                "etcd",
                "3.6.5",
            ),
            (
                r#"{"ts":1789362780715.9211,"caller":"server/server.go:212","msg":"Kubelet version","v":0,"kubeletVersion":"v1.34.2"}"#,
                "kubernetes",
                "1.34.2",
            ),
            (
                r#"{"level":"info","ts":1788553789.0,"caller":"omni/start.go:61","msg":"starting Omni","version":"v1.8.2"}"#,
                "omni",
                "1.8.2",
            ),
            (r#"[WARN] omnictl version "v1.9.0" differs from the backend version "v1.10.2"."#, "omni", "1.10.2"),
            ("WARNING: 192.0.2.5: server version v1.11.6 is older than client version v1.12.4", "talos", "1.11.6"),
            (
                r#"{"level":"error","ts":1788553789.0,"caller":"controllers/provision.go:349","msg":"machine provision failed","error":"boom","stacktrace":"main.main\n\t/go/pkg/mod/github.com/luthermonson/go-proxmox@v0.3.2/proxmox.go:180"}"#,
                "go-proxmox",
                "0.3.2",
            ),
            (
                r#"2026-09-15T08:00:01.1Z stdout F time="2026-09-15T08:00:00Z" level=info msg="PullImage \"ghcr.io/siderolabs/omni:v1.10.2\" returns image reference \"sha256:00\" ""#,
                "omni",
                "1.10.2",
            ),
            (
                "Container image \"x/omni-infra-provider-proxmox:v0.3.0\" already present on machine",
                "omni-infra-provider-proxmox",
                "0.3.0",
            ),
            (r#"{"pveversion":"pve-manager/9.1.1/42db4a6cf33dac83","uptime":1234}"#, "pve", "9.1.1"),
            (
                "ii  pve-manager    9.1.1        all          Proxmox Virtual Environment Management Tools",
                "pve",
                "9.1.1",
            ),
        ] {
            assert_eq!(version(&parse(line)), Some((application, expected.to_owned())), "{line}");
        }
    }

    #[test]
    fn what_only_speaks_of_a_version_tells_none() {
        for line in [
            "[talos] booting Talos variants is not supported",
            r#"{"level":"info","ts":1788553789.0,"msg":"starting Omni"}"#,
            "host Talos version: v1.11.6",
            "Failed to pull image \"x/omni-infra-provider-proxmox:v0.3.0\": not found",
        ] {
            assert_eq!(version(&parse(line)), None, "{line}");
        }
    }
}
