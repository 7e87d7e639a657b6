//! Structured text (YAML, and JSON as a part of it) as a tree of plain strings with line numbers.
//!
//! Scalars keep their spelling: `1.10` stays `1.10`. Aliases are filled in within a budget of nodes, so a document
//! cannot grow beyond what it says; deeper nesting than [`MAX_DEPTH`] is an error.

use std::collections::HashMap;

use serde_saphyr::granit_parser::{Event, Parser, ScalarStyle, options};

/// The deepest nesting that is read.
pub(super) const MAX_DEPTH: usize = 64;
/// The most nodes of one document, aliases filled in.
const MAX_NODES: usize = 400_000;
/// The most values that one thing is flattened to.
const MAX_VALUES: usize = 4000;

/// A value and the line (0-based, in its text) where it or its key stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Node {
    /// The line.
    pub(super) line: usize,
    /// The value.
    pub(super) value: Value,
}

/// What a node holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    /// No value.
    Null,
    /// Text as written, without quotes and escapes.
    Scalar(String),
    /// A list.
    List(Vec<Node>),
    /// Keys and values in their order; keys may repeat.
    Map(Vec<(String, Node)>),
}

impl Node {
    /// The value of a key.
    pub(super) fn get(&self, key: &str) -> Option<&Node> {
        self.entries().iter().find(|(k, _)| k == key).map(|(_, v)| v)
    }

    /// The value behind several keys.
    pub(super) fn path(&self, keys: &[&str]) -> Option<&Node> {
        keys.iter().try_fold(self, |node, key| node.get(key))
    }

    /// The text of a scalar.
    pub(super) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar(text) => Some(text),
            _ => None,
        }
    }

    /// The text behind several keys.
    pub(super) fn text_at(&self, keys: &[&str]) -> Option<&str> {
        self.path(keys)?.text()
    }

    /// The entries of a map; nothing for other values.
    pub(super) fn entries(&self) -> &[(String, Node)] {
        match &self.value {
            Value::Map(entries) => entries,
            _ => &[],
        }
    }

    /// The items of a list; nothing for other values.
    pub(super) fn items(&self) -> &[Node] {
        match &self.value {
            Value::List(items) => items,
            _ => &[],
        }
    }

    /// All scalars below this node with their dotted paths; items of lists repeat the path. Nulls are left out.
    pub(super) fn flatten(&self, path: &str) -> Vec<(String, &str)> {
        let mut out = Vec::new();
        self.walk(&mut path.to_owned(), &mut out);
        out
    }

    fn walk<'n>(&'n self, path: &mut String, out: &mut Vec<(String, &'n str)>) {
        match &self.value {
            Value::Scalar(text) if out.len() < MAX_VALUES => out.push((path.clone(), text)),
            Value::Scalar(_) | Value::Null => {}
            Value::List(items) => items.iter().for_each(|item| item.walk(path, out)),
            Value::Map(entries) => {
                for (key, value) in entries {
                    let length = path.len();
                    if !path.is_empty() {
                        path.push('.');
                    }
                    path.push_str(key);
                    value.walk(path, out);
                    path.truncate(length);
                }
            }
        }
    }

    /// How many nodes this is.
    fn size(&self) -> usize {
        1 + match &self.value {
            Value::List(items) => items.iter().map(Self::size).sum(),
            Value::Map(entries) => entries.iter().map(|(_, v)| v.size()).sum(),
            _ => 0,
        }
    }
}

/// A container that is being filled.
struct Open {
    anchor: usize,
    node: Node,
    key: Option<(String, usize)>,
}

/// Builds a tree from parser events.
#[derive(Default)]
struct Builder {
    open: Vec<Open>,
    anchors: HashMap<usize, (Node, usize)>,
    nodes: usize,
    root: Option<Node>,
}

impl Builder {
    /// Takes one event; `None` when a limit is reached.
    fn take(&mut self, event: &Event<'_>, line: usize) -> Option<()> {
        match event {
            Event::Scalar(text, style, anchor, _) => self.put(Node { line, value: scalar(text, *style) }, *anchor),
            Event::SequenceStart(_, anchor, _) => self.push(Value::List(Vec::new()), *anchor, line),
            Event::MappingStart(_, anchor, _) => self.push(Value::Map(Vec::new()), *anchor, line),
            Event::SequenceEnd | Event::MappingEnd => {
                let done = self.open.pop()?;
                self.put(done.node, done.anchor)
            }
            Event::Alias(anchor) => self.alias(*anchor, line),
            _ => Some(()),
        }
    }

    fn push(&mut self, value: Value, anchor: usize, line: usize) -> Option<()> {
        if self.open.len() >= MAX_DEPTH {
            return None;
        }
        self.open.push(Open { anchor, node: Node { line, value }, key: None });
        Some(())
    }

    fn alias(&mut self, anchor: usize, line: usize) -> Option<()> {
        let (node, size) = self.anchors.get(&anchor)?;
        if self.nodes.saturating_add(*size) > MAX_NODES {
            return None;
        }
        self.nodes += size;
        let node = Node { line, value: node.value.clone() };
        self.put(node, 0)
    }

    /// Puts a finished node into the open container.
    fn put(&mut self, mut node: Node, anchor: usize) -> Option<()> {
        self.nodes += 1;
        if self.nodes > MAX_NODES {
            return None;
        }
        if anchor != 0 {
            let size = node.size();
            self.nodes += size;
            self.anchors.insert(anchor, (node.clone(), size));
        }
        let Some(parent) = self.open.last_mut() else {
            self.root = Some(node);
            return Some(());
        };
        match (&mut parent.node.value, parent.key.take()) {
            (Value::Map(entries), Some((key, line))) => {
                node.line = line;
                entries.push((key, node));
            }
            (Value::Map(_), None) => {
                let line = node.line;
                parent.key = Some((node.text().unwrap_or_default().to_owned(), line));
            }
            (Value::List(items), _) => items.push(node),
            _ => {}
        }
        Some(())
    }
}

/// A scalar, or null when it is plain and says so.
fn scalar(text: &str, style: ScalarStyle) -> Value {
    let null = matches!(text, "" | "null" | "~" | "Null" | "NULL");
    if null && style == ScalarStyle::Plain { Value::Null } else { Value::Scalar(text.to_owned()) }
}

/// Reads the first document of a text. `None` when it is broken, too deep or too large.
pub(super) fn read(text: &str) -> Option<Node> {
    let limits = options! {
        emit_comments: false,
        flow_nesting_limit: MAX_DEPTH,
        block_nesting_limit: MAX_DEPTH,
    };
    let mut builder = Builder::default();
    for step in Parser::new_from_str_with_options(text, limits) {
        let (event, span) = step.ok()?;
        if matches!(event, Event::DocumentEnd) {
            return builder.root;
        }
        builder.take(&event, span.start.line().saturating_sub(1))?;
    }
    builder.root
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scalars_keep_their_spelling_and_lines() {
        let node = read("a: 1.10\nb:\n  - c: 010\n  - d: 'x: y'\n").expect("a tree");
        assert_eq!(node.flatten(""), vec![("a".into(), "1.10"), ("b.c".into(), "010"), ("b.d".into(), "x: y")]);
        let lines: Vec<usize> = node.get("b").map(|b| b.items().iter().map(|i| i.line).collect()).unwrap_or_default();
        assert_eq!(lines, vec![2, 3]);
    }

    #[test]
    fn json_is_read_too() {
        let node = read("{\"a\": {\"b\": [1, null, \"x\\u00e9\\n\"]}}").expect("a tree");
        assert_eq!(node.flatten(""), vec![("a.b".into(), "1"), ("a.b".into(), "xé\n")]);
    }

    #[test]
    fn alias_bombs_and_deep_nesting_are_refused() {
        let mut bomb = String::from("a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n");
        for i in 1..12 {
            let all = vec![format!("*a{}", i - 1); 10].join(",");
            bomb.push_str(&format!("a{i}: &a{i} [{all}]\n"));
        }
        assert_eq!(read(&bomb), None);
        assert_eq!(read(&"[".repeat(100_000)), None);
        assert_eq!(read(&"- ".repeat(10_000)), None);
        assert!(read("a: &x {b: c}\nd: *x\n").is_some_and(|n| n.text_at(&["d", "b"]) == Some("c")));
    }
}
