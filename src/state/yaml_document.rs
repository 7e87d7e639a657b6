//! Any other YAML or JSON document: its values under dotted paths.

use super::block::{attribute, event};
use super::kind::Piece;
use super::tree::{Node, Value};
use super::{Context, StateEvent, secret};
use crate::event::Service;

/// The event of a document of no other kind; `None` when it has too little structure to be one.
pub(super) fn fallback(piece: &Piece, context: &Context) -> Option<StateEvent> {
    is_structured(&piece.root).then(|| document(piece, "document".to_owned(), context))
}

/// Two values at least, and something below a key.
fn is_structured(root: &Node) -> bool {
    let deep = root.entries().iter().any(|(_, v)| matches!(v.value, Value::Map(_) | Value::List(_)));
    let json = root.entries().len() > 2;
    (deep || json) && root.flatten("").len() >= 2
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
