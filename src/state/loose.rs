//! A tolerant reader for YAML and indented JSON that a strict parser refuses: cut, pasted or slightly broken text.
//!
//! It goes by indentation alone: `key: value`, `key:` with deeper lines below, `- item`. What it does not understand
//! it leaves out. [`Loose::understood`] tells how much of the text it could read.

use super::tree::{MAX_DEPTH, Node, Value};

/// The outcome of a tolerant reading.
pub(super) struct Loose {
    /// The tree.
    pub(super) root: Node,
    /// The share of lines that were understood, in percent.
    pub(super) understood: usize,
}

/// What stands at one place of a line.
enum What {
    /// `- `, or a brace that opens an item.
    Item,
    /// `key: value` or `key:`.
    Pair(String, Option<String>),
    /// Other text.
    Text(String),
}

/// One thing and its place.
struct Entry {
    indent: usize,
    line: usize,
    what: What,
}

/// Reads a text as well as it goes.
pub(super) fn read(text: &str) -> Loose {
    let lexer = lex(text);
    let mut builder = Builder { entries: &lexer.entries, at: 0 };
    let mut root = Node { line: 0, value: Value::Null };
    while builder.at < builder.entries.len() {
        let next = builder.node(0);
        merge(&mut root, next);
    }
    Loose { root, understood: (lexer.understood * 100).checked_div(lexer.lines).unwrap_or(0) }
}

/// Adds a further value of the outermost level.
fn merge(root: &mut Node, next: Node) {
    match (&mut root.value, next.value) {
        (Value::Map(have), Value::Map(more)) => have.extend(more),
        (Value::List(have), Value::List(more)) => have.extend(more),
        (have @ (Value::Null | Value::Scalar(_)), more) => *have = more,
        _ => {}
    }
}

/// The lines as entries.
#[derive(Default)]
struct Lexer {
    entries: Vec<Entry>,
    lines: usize,
    understood: usize,
    /// The indentation of a key whose block of text is being read.
    block: Option<usize>,
}

fn lex(text: &str) -> Lexer {
    let mut lexer = Lexer::default();
    for (number, line) in text.lines().enumerate() {
        lexer.line(number, line.trim_end());
    }
    lexer
}

impl Lexer {
    fn line(&mut self, number: usize, line: &str) {
        let rest = line.trim_start();
        let indent = line.len() - rest.len();
        if rest.is_empty() || rest.starts_with('#') || rest == "---" {
            return;
        }
        self.lines += 1;
        if self.block.is_some_and(|b| indent > b) {
            self.understood += 1;
            return self.append(rest);
        }
        self.block = None;
        self.rest(number, indent, rest);
    }

    /// One more line for the text block of the last key.
    fn append(&mut self, text: &str) {
        if let Some(Entry { what: What::Pair(_, Some(value)), .. }) = self.entries.last_mut() {
            value.push_str(text);
            value.push('\n');
        }
    }

    /// What stands behind the indentation: list marks, then a pair or text.
    fn rest(&mut self, line: usize, mut indent: usize, mut rest: &str) {
        while let Some(after) = rest.strip_prefix("- ").or((rest == "-").then_some("")) {
            self.entries.push(Entry { indent, line, what: What::Item });
            let inner = after.trim_start();
            indent += rest.len() - inner.len();
            rest = inner;
        }
        let bare = rest.trim_end_matches(',');
        match bare {
            "" => self.understood += 1,
            "{" if self.entries.is_empty() => self.understood += 1,
            "{" => {
                self.understood += 1;
                self.entries.push(Entry { indent, line, what: What::Item });
            }
            "}" | "]" | "[" | "{}" | "[]" | "}{" => self.understood += 1,
            _ => self.content(line, indent, rest),
        }
    }

    fn content(&mut self, line: usize, indent: usize, rest: &str) {
        let what = match pair(rest) {
            Some((key, value)) => {
                self.understood += 1;
                let text_block = value.as_deref().is_some_and(is_block_mark);
                self.block = text_block.then_some(indent);
                What::Pair(key, if text_block { Some(String::new()) } else { value })
            }
            None if rest.starts_with('"') => {
                // An item of a JSON list.
                self.understood += 1;
                self.entries.push(Entry { indent, line, what: What::Item });
                self.entries.push(Entry { indent: indent + 1, line, what: What::Text(unquoted(rest)) });
                return;
            }
            None => What::Text(unquoted(rest)),
        };
        self.entries.push(Entry { indent, line, what });
    }
}

/// `|`, `>-` and the like.
fn is_block_mark(value: &str) -> bool {
    value.len() <= 3 && value.starts_with(['|', '>'])
}

/// Splits `key: value` (also with a quoted key); no value when it follows below.
fn pair(rest: &str) -> Option<(String, Option<String>)> {
    let (key, value) = match rest.strip_prefix(['"', '\'']) {
        Some(inner) => {
            let (key, value) = inner.split_once(['"', '\''])?;
            (key, value.trim_start().strip_prefix(':')?.trim_end_matches(','))
        }
        None => match rest.split_once(": ") {
            Some(parts) => parts,
            None => (rest.strip_suffix(':')?, ""),
        },
    };
    if key.is_empty() || key.len() > 200 || key.contains([' ', '\t', '{', '[', '"']) {
        return None;
    }
    let value = value.trim();
    let below = matches!(value.trim_end_matches(','), "" | "{" | "[" | "{}" | "[]" | "null" | "~");
    Some((key.to_owned(), (!below).then(|| unquoted(value))))
}

/// A scalar without quotes, trailing comma and simple escapes.
fn unquoted(value: &str) -> String {
    let bare = value.trim_end_matches(',');
    for quote in ['"', '\''] {
        if let Some(inner) = bare.strip_prefix(quote) {
            let inner = inner.strip_suffix(quote).unwrap_or(inner);
            let escaped = quote == '"' && inner.contains('\\');
            return if escaped { unescaped(inner) } else { inner.to_owned() };
        }
    }
    value.to_owned()
}

fn unescaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match (c, c == '\\') {
            (_, true) => match chars.next() {
                Some('n') => out.push('\n'),
                Some('t') => out.push('\t'),
                Some(other) => out.push(other),
                None => {}
            },
            (c, false) => out.push(c),
        }
    }
    out
}

/// Builds the tree from entries.
struct Builder<'e> {
    entries: &'e [Entry],
    at: usize,
}

impl Builder<'_> {
    /// The node that begins at the current entry; takes one entry at least.
    fn node(&mut self, depth: usize) -> Node {
        let Some(entry) = self.entries.get(self.at) else {
            return Node { line: 0, value: Value::Null };
        };
        let (indent, line) = (entry.indent, entry.line);
        let value = match &entry.what {
            _ if depth >= MAX_DEPTH => {
                self.at += 1;
                Value::Null
            }
            What::Item => self.list(indent, depth),
            What::Pair(..) => self.map(indent, depth),
            What::Text(text) => {
                self.at += 1;
                Value::Scalar(text.clone())
            }
        };
        Node { line, value }
    }

    fn list(&mut self, indent: usize, depth: usize) -> Value {
        let mut items = Vec::new();
        while let Some(Entry { indent: at, what: What::Item, line }) = self.entries.get(self.at) {
            if *at != indent {
                break;
            }
            self.at += 1;
            let deeper = self.entries.get(self.at).is_some_and(|e| e.indent > indent);
            let value = if deeper { self.node(depth + 1).value } else { Value::Null };
            items.push(Node { line: *line, value });
            self.skip_below(indent);
        }
        Value::List(items)
    }

    fn map(&mut self, indent: usize, depth: usize) -> Value {
        let mut entries = Vec::new();
        while let Some(Entry { indent: at, what: What::Pair(key, value), line }) = self.entries.get(self.at) {
            if *at != indent {
                break;
            }
            self.at += 1;
            let value = match value {
                Some(text) => Value::Scalar(text.clone()),
                None => self.child(indent, depth),
            };
            entries.push((key.clone(), Node { line: *line, value }));
            self.skip_below(indent);
        }
        Value::Map(entries)
    }

    /// What stands below a key; list items may stand at the column of the key.
    fn child(&mut self, indent: usize, depth: usize) -> Value {
        let below = self
            .entries
            .get(self.at)
            .is_some_and(|e| e.indent > indent || (e.indent == indent && matches!(e.what, What::Item)));
        if below { self.node(depth + 1).value } else { Value::Null }
    }

    /// Leaves out what stands deeper and found no place.
    fn skip_below(&mut self, indent: usize) {
        while self.entries.get(self.at).is_some_and(|e| e.indent > indent) {
            self.at += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn flat(text: &str) -> Vec<(String, String)> {
        read(text).root.flatten("").into_iter().map(|(k, v)| (k, v.to_owned())).collect()
    }

    fn pairs(list: &[(&str, &str)]) -> Vec<(String, String)> {
        list.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
    }

    #[test]
    fn broken_yaml_still_gives_its_values() {
        let text = "metadata:\n    id: \"m-1\n    finalizers:\n    - A\n    - B\nspec:\n  error: a: b: c\n  list:\n    - name: x\n      on: true\n";
        let want = [
            ("metadata.id", "m-1"),
            ("metadata.finalizers", "A"),
            ("metadata.finalizers", "B"),
            ("spec.error", "a: b: c"),
            ("spec.list.name", "x"),
            ("spec.list.on", "true"),
        ];
        assert_eq!(flat(text), pairs(&want));
    }

    #[test]
    fn cut_json_still_gives_its_values() {
        let text = "{\n  \"metadata\": {\n    \"finalizers\": [\n      \"A\",\n      \"B\"\n    ],\n    \"id\": \"x\",\n  \"spec\": {\n    \"n\": 3,\n    \"s\": \"say \\\"hi";
        let want = [
            ("metadata.finalizers", "A"),
            ("metadata.finalizers", "B"),
            ("metadata.id", "x"),
            ("spec.n", "3"),
            ("spec.s", "say \"hi"),
        ];
        assert_eq!(flat(text), pairs(&want));
    }

    #[test]
    fn blocks_of_text_are_kept_together() {
        let text = "spec:\n  data: |\n    cores: 4\n    memory: 8\n  next: [\n";
        assert_eq!(flat(text), pairs(&[("spec.data", "cores: 4\nmemory: 8\n")]));
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in "([ -]{0,4}[a-z\"{}\\[\\]:|, ]{0,12}\n){0,20}") {
            read(&text);
        }
    }
}
