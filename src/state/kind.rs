//! Kinds of structured documents: who makes events of a tree that was read from YAML or JSON.

use super::block::Block;
use super::tree::{self, Node, Value};
use super::{Context, Sample, StateEvent, cosi, kubernetes, loose, machine_config, provider_config, yaml_document};

/// The share of lines (percent) that a tolerant reading must have understood for a document of no known kind.
const UNDERSTOOD: usize = 80;

/// One document of a block, read.
pub(super) struct Piece<'b, 't> {
    /// The block it stands in.
    pub(super) block: &'b Block<'t>,
    /// Its content; lines count from [`Piece::from`].
    pub(super) root: Node,
    /// Its first line in the block.
    pub(super) from: usize,
    /// The line behind its last one.
    pub(super) to: usize,
}

/// A kind of structured document.
pub(super) trait Kind: Sync {
    /// Whether the tree is of this kind.
    fn takes(&self, root: &Node) -> bool;

    /// The events of a tree of this kind.
    fn events(&self, piece: &Piece, context: &Context) -> Vec<StateEvent>;

    /// Documents of this kind.
    fn samples(&self) -> &'static [Sample];
}

/// All kinds, in the order in which they are asked.
static KINDS: &[&dyn Kind] =
    &[&cosi::Cosi, &kubernetes::Kubernetes, &machine_config::MachineConfig, &provider_config::ProviderConfig];

/// The kinds.
pub(super) fn kinds() -> &'static [&'static dyn Kind] {
    KINDS
}

/// Reads one document (`text` stands in the lines `from..to` of the block) and gives its events.
pub(super) fn events(block: &Block, text: &str, from: usize, to: usize, context: &Context) -> Vec<StateEvent> {
    if let Some(root) = tree::read(text) {
        return of_tree(Piece { block, root, from, to }, true, context);
    }
    let loose = loose::read(text);
    of_tree(Piece { block, root: loose.root, from, to }, loose.understood >= UNDERSTOOD, context)
}

/// The events of a tree; the items of a list are documents of their own. A tree of no known kind counts when its
/// reading can be `trusted`.
fn of_tree(piece: Piece, trusted: bool, context: &Context) -> Vec<StateEvent> {
    if let Value::List(items) = piece.root.value {
        return of_items(piece.block, items, piece.from, piece.to, trusted, context);
    }
    match KINDS.iter().find(|k| k.takes(&piece.root)) {
        Some(kind) => kind.events(&piece, context),
        None if trusted => yaml_document::fallback(&piece, context).into_iter().collect(),
        None => Vec::new(),
    }
}

/// The events of a list's items.
fn of_items(
    block: &Block,
    items: Vec<Node>,
    from: usize,
    to: usize,
    trusted: bool,
    context: &Context,
) -> Vec<StateEvent> {
    let starts: Vec<usize> = items.iter().map(|i| from + i.line).collect();
    let mut events = Vec::new();
    for (index, item) in items.into_iter().enumerate() {
        let start = starts.get(index).copied().unwrap_or(from);
        let end = starts.get(index + 1).copied().unwrap_or(to);
        let piece = Piece { block, root: shifted(item, start - from), from: start, to: end };
        if matches!(piece.root.value, Value::Map(_)) {
            events.extend(of_tree(piece, trusted, context));
        }
    }
    events
}

/// The same node with lines that count from its own start.
pub(super) fn shifted(mut node: Node, by: usize) -> Node {
    node.line = node.line.saturating_sub(by);
    node.value = match node.value {
        Value::List(items) => Value::List(items.into_iter().map(|i| shifted(i, by)).collect()),
        Value::Map(entries) => Value::Map(entries.into_iter().map(|(k, v)| (k, shifted(v, by))).collect()),
        other => other,
    };
    node
}
