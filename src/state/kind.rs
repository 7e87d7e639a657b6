//! Kinds of structured documents: who makes events of a tree that was read from YAML or JSON.

use std::ops::Range;

use super::block::Block;
use super::list::List;
use super::tree::{self, Node, Value};
use super::{
    Context, Sample, StateEvent, cosi, kubernetes, list, loose, machine_config, provider_config, yaml_document,
};

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

/// Bytes of a document above which a list is read item by item: its tree would take ten times as much.
const LONG: usize = 64 << 10;

/// Reads one document (`text` stands in the lines `from..to` of the block) and hands over its events.
pub(super) fn each(
    block: &Block,
    text: &str,
    (from, to): (usize, usize),
    context: &Context,
    take: &mut dyn FnMut(StateEvent),
) {
    match Some(text).filter(|text| text.len() > LONG).and_then(list::split) {
        Some(list) => each_item(block, text, &list, (from, to), context, take),
        None => events(block, text, from, to, context).into_iter().for_each(take),
    }
}

/// Reads the items of a list, one at a time.
fn each_item(
    block: &Block,
    text: &str,
    list: &List,
    (from, to): (usize, usize),
    context: &Context,
    take: &mut dyn FnMut(StateEvent),
) {
    let around = tree::read(&list.around);
    let kind = around.as_ref().filter(|root| kubernetes::Kubernetes.takes(root)).and_then(|r| r.text_at(&["kind"]));
    let newlines =
        |range: Range<usize>| memchr::memchr_iter(b'\n', text.as_bytes().get(range).unwrap_or_default()).count();
    let (mut start, mut behind) = (from, 0);
    for (index, item) in list.items.iter().enumerate() {
        start += newlines(behind..item.start);
        behind = item.start;
        let end = list.items.get(index + 1).map_or(to, |next| start + newlines(item.start..next.start));
        let own = text.get(item.clone()).unwrap_or_default();
        let (root, trusted) = match tree::read(own) {
            Some(root) => (root, true),
            None => (loose::read(own).root, false),
        };
        // An item of YAML is a list of one.
        let root = match root.value {
            Value::List(items) => items.into_iter().next(),
            _ => Some(root),
        };
        let Some(root) = root.filter(|root| matches!(root.value, Value::Map(_))) else { continue };
        let piece = Piece { block, root, from: start, to: end };
        match kind {
            Some(kind) => take(kubernetes::item(&piece, kind)),
            None => of_tree(piece, trusted, context).into_iter().for_each(&mut *take),
        }
    }
}

/// Reads one document (`text` stands in the lines `from..to` of the block) and gives its events.
fn events(block: &Block, text: &str, from: usize, to: usize, context: &Context) -> Vec<StateEvent> {
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
        None if is_cut_list(&piece.root) => {
            let items = piece.root.get("items").map(|node| node.items().to_vec()).unwrap_or_default();
            of_items(piece.block, items, piece.from, piece.to, trusted, context)
        }
        None if trusted => yaml_document::fallback(&piece, context).into_iter().collect(),
        None => Vec::new(),
    }
}

/// A list of Kubernetes whose kind is not told: that stands behind the items, and was cut off.
fn is_cut_list(root: &Node) -> bool {
    let is_object = |item: &Node| item.text_at(&["kind"]).is_some() && item.text_at(&["apiVersion"]).is_some();
    let items = root.get("items").map(Node::items).unwrap_or_default();
    root.text_at(&["apiVersion"]).is_some() && root.get("kind").is_none() && items.first().is_some_and(is_object)
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

#[cfg(test)]
mod tests {
    use super::*;

    /// What events say and where, of a document read whole and item by item.
    fn both(text: &str) -> [Vec<String>; 2] {
        let block = Block::new(text);
        let shown = |e: &StateEvent| format!("{} {:?} {:?} {:?}", e.line, e.text, e.extent, e.event);
        let lines = (0, block.len());
        let whole = events(&block, text, lines.0, lines.1, &Context::default()).iter().map(shown).collect();
        let mut items = Vec::new();
        let list = list::split(text).expect("a list");
        each_item(&block, text, &list, lines, &Context::default(), &mut |e| items.push(shown(&e)));
        [whole, items]
    }

    #[test]
    fn lists_give_the_same_whole_and_item_by_item() {
        let pods = "{
    \"apiVersion\": \"v1\",
    \"items\": [
        {
            \"apiVersion\": \"v1\",
            \"kind\": \"Pod\",
            \"metadata\": {\"name\": \"a\"},
            \"status\": {\"phase\": \"Running\"}
        },
        {
            \"apiVersion\": \"v1\",
            \"kind\": \"Node\",
            \"metadata\": {\"name\": \"b\"},
            \"status\": {\"conditions\": [{\"type\": \"Ready\", \"status\": \"False\"}]}
        }
    ],
    \"kind\": \"List\"
}
";
        let nodes = "kind: NodeList
apiVersion: v1
items:
- metadata:
    name: a
  status:
    phase: x
- metadata:
    name: b
metadata: {}
";
        let resources = "- metadata:
    namespace: default
    type: Machines.omni.sidero.dev
    id: m-1
    phase: running
    version: 1
- metadata:
    namespace: default
    type: Machines.omni.sidero.dev
    id: m-2
    phase: tearingDown
    version: 1
";
        for text in [pods, nodes, resources] {
            let [whole, items] = both(text);
            assert_eq!(whole.len(), 2, "{text}");
            assert_eq!(items, whole, "{text}");
        }
    }
}
