//! Finds the items of a long list in JSON or YAML, so that each is read alone: the tree of a whole list takes ten times the
//! memory of its text.
//!
//! Looks at brackets, strings and indentation only. A list that is cut gives its items up to there, the last one cut.

use std::ops::Range;

/// A list, taken apart.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct List {
    /// What stands around the items, with an empty list in their place.
    pub(super) around: String,
    /// The bytes of each item.
    pub(super) items: Vec<Range<usize>>,
}

/// Takes a document apart whose outer level is a list, or has one under `items`. `None` for other documents.
pub(super) fn split(text: &str) -> Option<List> {
    let list = if text.trim_start().starts_with('{') { json(text) } else { Some(yaml(text)) };
    list.filter(|list| list.items.len() > 1)
}

/// Where the brackets of a JSON list of objects are.
#[derive(Default)]
struct Scan {
    depth: usize,
    /// The last string of the outer level.
    key: Range<usize>,
    open: Option<usize>,
    close: Option<usize>,
    item: Option<usize>,
    items: Vec<Range<usize>>,
}

/// `{"items": [{...}, {...}]}`.
fn json(text: &str) -> Option<List> {
    let mut scan = Scan::default();
    let (mut string, mut escaped) = (None, false);
    for (at, byte) in text.bytes().enumerate() {
        match (string, byte) {
            (Some(_), _) if escaped => escaped = false,
            (Some(_), b'\\') => escaped = true,
            (Some(start), b'"') => {
                if scan.depth == 1 {
                    scan.key = start..at;
                }
                string = None;
            }
            (Some(_), _) => {}
            (None, b'"') => string = Some(at + 1),
            (None, _) => scan.bracket(text, at, byte),
        }
    }
    let open = scan.open?;
    scan.items.extend(scan.item.map(|start| start..text.len()));
    let rest = scan.close.map_or("]}", |close| text.get(close..).unwrap_or_default());
    Some(List { around: format!("{}{rest}", text.get(..open)?), items: scan.items })
}

impl Scan {
    fn bracket(&mut self, text: &str, at: usize, byte: u8) {
        let inside = self.open.is_some() && self.close.is_none();
        match byte {
            b'{' | b'[' => {
                if inside && self.depth == 2 {
                    self.item = Some(at);
                } else if self.depth == 1 && byte == b'[' && self.open.is_none() && self.is_items(text, at) {
                    self.open = Some(at + 1);
                }
                self.depth += 1;
            }
            b'}' | b']' => {
                self.depth = self.depth.saturating_sub(1);
                match (inside, self.depth) {
                    (true, 2) => self.items.extend(self.item.take().map(|start| start..at + 1)),
                    (true, 1) => self.close = Some(at),
                    _ => {}
                }
            }
            _ => {}
        }
    }

    /// Whether the value that begins here is that of `items`.
    fn is_items(&self, text: &str, at: usize) -> bool {
        let between = text.get(self.key.end..at).unwrap_or_default();
        text.get(self.key.clone()) == Some("items") && between.trim_start_matches('"').trim() == ":"
    }
}

/// Where a line of YAML stands.
enum Place {
    Before,
    /// Among the items, whose dashes are indented by so much, once that is known.
    Inside(Option<usize>),
    Behind,
}

/// Items at `- `, below `items:` at the margin or from the first line on.
fn yaml(text: &str) -> List {
    let mut list = List { around: String::new(), items: Vec::new() };
    let (mut place, mut at) = (Place::Before, 0);
    for line in text.split_inclusive('\n') {
        let indent = line.len() - line.trim_start_matches(' ').len();
        let dash = line.get(indent..).is_some_and(|rest| rest.starts_with("- ") || rest.trim_end() == "-");
        let first = dash && indent == 0 && list.around.trim().is_empty();
        match place {
            Place::Before if line.trim_end() == "items:" => {
                place = Place::Inside(None);
                list.around.push_str("items: []\n");
            }
            Place::Before if first => {
                place = Place::Inside(Some(0));
                list.items.push(at..text.len());
            }
            Place::Inside(None) if dash => {
                place = Place::Inside(Some(indent));
                list.items.push(at..text.len());
            }
            Place::Inside(Some(margin)) if dash && indent == margin => {
                list.end(at);
                list.items.push(at..text.len());
            }
            Place::Inside(margin) if !line.trim().is_empty() && margin.is_none_or(|margin| indent <= margin) => {
                place = Place::Behind;
                list.end(at);
                list.around.push_str(line);
            }
            Place::Inside(_) => {}
            Place::Before | Place::Behind => list.around.push_str(line),
        }
        at += line.len();
    }
    list
}

impl List {
    /// Ends the last item here.
    fn end(&mut self, at: usize) {
        if let Some(item) = self.items.last_mut() {
            item.end = at;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &str) -> (String, Vec<&str>) {
        let list = split(text).expect("a list");
        (list.around.clone(), list.items.iter().map(|item| text.get(item.clone()).expect("inside")).collect())
    }

    #[test]
    fn items_of_json_are_found_whatever_stands_around_and_in_them() {
        let text =
            r#"{"a":{"items":[{"no":1}]}, "items" : [ {"x":"]}\"{","y":[1,{"z":{}}]},{"items":[{}]}],"kind":"List"}"#;
        let (around, items) = texts(text);
        assert_eq!(around, r#"{"a":{"items":[{"no":1}]}, "items" : [],"kind":"List"}"#);
        assert_eq!(items, [r#"{"x":"]}\"{","y":[1,{"z":{}}]}"#, r#"{"items":[{}]}"#]);
        let cut = r#"{"kind":"PodList","items":[{"a":1},{"b":"#;
        assert_eq!(texts(cut), (r#"{"kind":"PodList","items":[]}"#.into(), vec![r#"{"a":1}"#, r#"{"b":"#]));
        for other in [r#"{"items":"x"}"#, r#"{"x":"items","y":[{},{}]}"#, "{", r#"{"items":[]}"#, r#"{"items":[{}]}"#] {
            assert_eq!(split(other), None, "{other}");
        }
    }

    #[test]
    fn items_of_yaml_are_found_at_any_indentation() {
        for pad in ["", "  "] {
            let text = format!(
                "apiVersion: v1\nitems:\n{pad}- a: 1\n{pad}  b:\n{pad}    - c\n\n{pad}- d: |\n{pad}    e\nkind: List\nmetadata:\n  x: y\n"
            );
            let (around, items) = texts(&text);
            assert_eq!(around, "apiVersion: v1\nitems: []\nkind: List\nmetadata:\n  x: y\n");
            assert_eq!(
                items,
                [format!("{pad}- a: 1\n{pad}  b:\n{pad}    - c\n\n"), format!("{pad}- d: |\n{pad}    e\n")]
            );
        }
        assert_eq!(texts("- a: 1\n  b: 2\n- c\n").1, ["- a: 1\n  b: 2\n", "- c\n"]);
        for other in ["a: b\nc:\n- d\n- e\n", "items:\n- a\n", "", "items: x\n- b\n- c\n"] {
            assert_eq!(split(other), None, "{other}");
        }
    }
}
