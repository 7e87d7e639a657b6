//! The configuration of the infrastructure provider for Proxmox (`config.yaml`). Its secrets are never shown.

use super::block::{attribute, entity, event};
use super::kind::{Kind, Piece};
use super::secret::{self, MASK};
use super::tree::Node;
use super::{Context, Sample, StateEvent};
use crate::event::Service;

/// Keys below `proxmox`.
const KEYS: &[&str] = &["url", "username", "password", "realm", "tokenID", "tokenSecret", "insecureSkipVerify"];

/// The configuration.
pub(super) struct ProviderConfig;

impl Kind for ProviderConfig {
    fn takes(&self, root: &Node) -> bool {
        let proxmox = root.get("proxmox").map(Node::entries).unwrap_or_default();
        proxmox.iter().any(|(key, _)| KEYS.iter().any(|k| k.eq_ignore_ascii_case(key)))
    }

    fn events(&self, piece: &Piece, _context: &Context) -> Vec<StateEvent> {
        let mut event = event("provider_config", Service::State, "configuration of the Proxmox provider");
        for (path, value) in piece.root.flatten("") {
            let secret = path.ends_with("assword") || path.to_ascii_lowercase().ends_with("tokensecret");
            let shown = if secret && !value.is_empty() { MASK } else { secret::masked(&path, value) };
            attribute(&mut event, path, shown);
        }
        let text = |key: &str| piece.root.text_at(&["proxmox", key]).unwrap_or_default();
        entity(&mut event, "pve.user", text("tokenID"));
        entity(&mut event, "pve.user", &user(text("username"), text("realm")));
        let host = text("url").split("//").nth(1).unwrap_or_default();
        entity(&mut event, "host", host.split(['/', ':']).next().unwrap_or_default());
        vec![piece.block.event(event, piece.from, piece.to)]
    }

    fn samples(&self) -> &'static [Sample] {
        SAMPLES
    }
}

/// `user@realm`.
fn user(name: &str, realm: &str) -> String {
    if name.is_empty() || name.contains('@') || realm.is_empty() { name.to_owned() } else { format!("{name}@{realm}") }
}

const SAMPLES: &[Sample] = &[Sample {
    text: "proxmox:
  url: https://192.0.2.10:8006/api2/json
  insecureSkipVerify: true
  username: root
  realm: pam
  password: hunter2
  tokenID: omni@pve!provider
  tokenSecret: 1b2c3d4e-0000-4000-8000-000000000001
",
    path: "config.yaml",
    events: 1,
    has: &[
        (0, "#format", "provider_config"),
        (0, "proxmox.url", "https://192.0.2.10:8006/api2/json"),
        (0, "proxmox.insecureSkipVerify", "true"),
        (0, "proxmox.tokenID", "omni@pve!provider"),
        (0, "proxmox.tokenSecret", "***"),
        (0, "proxmox.password", "***"),
        (0, "@pve.user", "omni@pve!provider"),
        (0, "@pve.user", "root@pam"),
        (0, "@host", "192.0.2.10"),
    ],
}];
