//! Versions that log lines tell when a program starts, by the names of applications that root causes use.
//!
//! Knows a few lines of start-up only; documents that tell versions are read elsewhere. Invariant: a version is what the
//! running program says of itself, never one that it speaks of.

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
}

/// The lines. Talos and the kubelet write theirs at each start, as do etcd and Omni.
static LINES: &[Line] = &[
    Line { marker: "booting Talos v", version: Place::Behind, application: "talos" },
    Line { marker: "starting an etcd server", version: Place::Attribute("etcd-version"), application: "etcd" },
    Line { marker: "Kubelet version", version: Place::Attribute("kubeletVersion"), application: "kubernetes" },
    Line { marker: "starting Omni", version: Place::Attribute("version"), application: "omni" },
];

/// Texts that stand in the raw bytes of every line that tells a version.
pub fn markers() -> impl Iterator<Item = &'static str> {
    LINES.iter().map(|line| line.marker)
}

/// The application and its version (without `v`) that an event tells, if it does.
pub fn version(event: &Event<'_>) -> Option<(&'static str, String)> {
    let line = LINES.iter().find(|line| event.body.contains(line.marker))?;
    let text = match line.version {
        Place::Behind => event.body.split_once(line.marker)?.1,
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
        ] {
            assert_eq!(version(&parse(line)), None, "{line}");
        }
    }
}
