//! Users, tokens, roles and rights of Proxmox (`/etc/pve/user.cfg`).

use super::block::{Block, attribute, entity, event};
use super::{Context, Document, Progress, Sample, StateEvent};
use crate::event::{Event, Service};

/// Kinds of lines and the names of their fields; `+` marks a list.
const KINDS: &[(&str, &[&str])] = &[
    ("user", &["user", "enabled", "expire"]),
    ("token", &["token", "expire", "privsep"]),
    ("group", &["group", "user+"]),
    ("pool", &["pool"]),
    ("role", &["role", "privilege+"]),
    ("acl", &["propagate", "path", "subject+", "role+"]),
];

/// Lines `kind:field:field:`.
pub(super) struct UserCfg;

impl Document for UserCfg {
    fn name(&self) -> &'static str {
        "user_cfg"
    }

    fn begins_with(&self, byte: u8) -> bool {
        KINDS.iter().any(|(kind, _)| kind.as_bytes().first() == Some(&byte))
    }

    fn begins(&self, line: &[u8]) -> bool {
        let kind = KINDS.iter().find(|(k, _)| line.strip_prefix(k.as_bytes()).is_some_and(|r| r.starts_with(b":")));
        let Some((kind, _)) = kind else { return false };
        let rest = line.get(kind.len() + 1..).unwrap_or_default();
        let colons = memchr::memchr_iter(b':', rest).count();
        let name = rest.split(|b| *b == b':').next().unwrap_or_default();
        let account = memchr::memchr(b'@', name).is_some_and(|at| at > 0);
        let token = memchr::memchr(b'!', name).is_some();
        !name.contains(&b' ')
            && match *kind {
                "user" => account && colons >= 6,
                "token" => account && token && colons >= 3,
                "acl" => matches!(name, b"0" | b"1") && colons >= 3 && rest.get(1..3) == Some(b":/"),
                "role" => !name.is_empty() && colons >= 1 && memchr::memchr(b' ', rest).is_none(),
                _ => !name.is_empty() && colons >= 2 && memchr::memchr(b' ', rest).is_none(),
            }
    }

    fn continues(&self, progress: &mut Progress, line: &[u8]) -> bool {
        progress.blank(line, 3).unwrap_or_else(|| self.begins(line))
    }

    fn events(&self, block: &str, _context: &Context) -> Vec<StateEvent> {
        let block = Block::new(block);
        let lines = block.lines().filter(|(_, line)| self.begins(line.as_bytes()));
        lines.filter_map(|(index, line)| Some(block.event(entry(line)?, index, index + 1))).collect()
    }

    fn samples(&self) -> &'static [Sample] {
        SAMPLES
    }
}

/// The event of a line.
fn entry(line: &str) -> Option<Event<'static>> {
    let (kind, rest) = line.split_once(':')?;
    let (_, names) = KINDS.iter().find(|(k, _)| *k == kind)?;
    let mut event = event("pve_user_cfg", Service::PveConfig, line);
    attribute(&mut event, "kind", kind);
    for (name, value) in names.iter().zip(rest.split(':')) {
        match name.strip_suffix('+') {
            Some(name) => value.split(',').filter(|v| !v.is_empty()).for_each(|v| attribute(&mut event, name, v)),
            None => attribute(&mut event, *name, value),
        }
    }
    for name in ["user", "token", "subject"] {
        let named: Vec<String> = event.all(name).filter(|v| v.contains('@')).map(str::to_owned).collect();
        named.iter().for_each(|value| entity(&mut event, "pve.user", value.trim_start_matches('@')));
    }
    Some(event)
}

const SAMPLES: &[Sample] = &[Sample {
    text: "user:root@pam:1:0:::admin@example.com::::
user:omni@pve:1:0::::Omni provider:::
token:omni@pve!provider:0:1::

role:OmniProvider:Datastore.Audit,VM.Audit,VM.PowerMgmt:


acl:1:/vms:omni@pve,omni@pve!provider:OmniProvider:
",
    path: "user.cfg",
    events: 5,
    has: &[
        (0, "#format", "pve_user_cfg"),
        (1, "kind", "user"),
        (1, "enabled", "1"),
        (1, "@pve.user", "omni@pve"),
        (2, "token", "omni@pve!provider"),
        (2, "privsep", "1"),
        (3, "role", "OmniProvider"),
        (3, "privilege", "VM.PowerMgmt"),
        (4, "path", "/vms"),
        (4, "subject", "omni@pve!provider"),
        (4, "role", "OmniProvider"),
    ],
}];
