//! Any other YAML or JSON document: its values under dotted paths.

use super::block::{attribute, entity, event};
use super::kind::Piece;
use super::tree::{Node, Value};
use super::{Context, StateEvent, secret};
use crate::event::{Event, Service};

/// The event of a document of no other kind; `None` when it has too little structure to be one, or is a log record.
pub(super) fn fallback(piece: &Piece, context: &Context) -> Option<StateEvent> {
    if !is_structured(&piece.root) || is_record(&piece.root) {
        return None;
    }
    let mut found = document(piece, "document".to_owned(), context);
    // Who wrote it is not known: a client may have printed an answer.
    found.event.service = None;
    add_proxmox(&mut found.event, &piece.root);
    Some(found)
}

/// Two values at least, and something below a key.
fn is_structured(root: &Node) -> bool {
    let deep = root.entries().iter().any(|(_, v)| matches!(v.value, Value::Map(_) | Value::List(_)));
    let json = root.entries().len() > 2;
    (deep || json) && root.flatten("").len() >= 2
}

/// A log record, written over several lines.
fn is_record(root: &Node) -> bool {
    let any = |keys: &[&str]| keys.iter().any(|key| root.text_at(&[key]).is_some());
    any(&["msg", "message", "log"]) && any(&["level", "severity", "ts", "time", "timestamp"])
}

/// Names in answers of the API of Proxmox.
fn add_proxmox(event: &mut Event<'static>, root: &Node) {
    let names = [("vmid", "pve.vmid"), ("upid", "pve.upid"), ("storage", "pve.storage"), ("node", "pve.node")];
    let like = ["vmid", "upid", "storage", "maxcpu", "pveversion"].iter().any(|key| root.get(key).is_some());
    for (key, name) in names.iter().filter(|_| like) {
        entity(event, name, root.text_at(&[key]).unwrap_or_default());
    }
}

/// The event of a document with this title.
pub(super) fn document(piece: &Piece, title: String, context: &Context) -> StateEvent {
    let mut event = event("yaml_document", Service::State, title);
    for (path, value) in piece.root.flatten("") {
        attribute(&mut event, path.clone(), secret::masked(&path, value));
    }
    event.node = context.node.map(|n| n.to_owned().into());
    piece.block.event(event, piece.from, piece.to)
}
