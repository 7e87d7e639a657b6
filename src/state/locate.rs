//! Finding the line of a document that says what an attribute says.

/// The line of `text` that shows the attribute `key` = `value` best: its number (0-based) and its text.
///
/// `text` is the part of a block that belongs to one event (`StateEvent::extent`).
pub fn locate<'t>(text: &'t str, key: &str, value: &str) -> Option<(u32, &'t str)> {
    if let Some(condition) = key.strip_prefix("condition.") {
        let name = condition.split('.').next().unwrap_or(condition);
        if let Some(found) = find(text, |line| has_key(line, "type") && has_value(line, name)) {
            return Some(found);
        }
    }
    let names: Vec<&str> = suffixes(key).collect();
    let by_both = names.iter().find_map(|k| find(text, |line| has_key(line, k) && has_value(line, value)));
    by_both
        .or_else(|| find(text, |line| is_item(line, value)))
        .or_else(|| (value.len() >= 3).then(|| find(text, |line| line.contains(value))).flatten())
        .or_else(|| names.iter().find_map(|k| find(text, |line| has_key(line, k))))
        .or_else(|| locate(text, key.strip_suffix(".name")?, ""))
}

/// The first line for which a test holds.
fn find(text: &str, test: impl Fn(&str) -> bool) -> Option<(u32, &str)> {
    (0u32..).zip(text.lines()).find(|(_, line)| test(line))
}

/// A dotted path and its endings: `a.b.c`, `b.c`, `c`.
fn suffixes(key: &str) -> impl Iterator<Item = &str> {
    let starts = std::iter::once(0).chain(key.match_indices('.').map(|(at, _)| at + 1));
    starts.filter_map(|at| key.get(at..)).filter(|k| !k.is_empty())
}

/// A line that begins with this key.
fn has_key(line: &str, key: &str) -> bool {
    let line = line.trim_start_matches([' ', '\t', '-', '"', '\'', '{', '[']);
    let rest = line.strip_prefix("cur ").or_else(|| line.strip_prefix("new ")).unwrap_or(line);
    let Some(rest) = rest.strip_prefix(key) else { return false };
    rest.is_empty() || rest.starts_with(['"', '\'', ':', '=', ' ', '\t'])
}

/// A line that ends with this value, or holds it when it is longer; only the first line of a longer text is looked for.
fn has_value(line: &str, value: &str) -> bool {
    let value = value.lines().next().unwrap_or_default();
    let bare = line.trim_end_matches(['"', '\'', ',', '}', ']', ' ']);
    bare.ends_with(value) || (value.len() >= 8 && line.contains(value))
}

/// A list item with this value.
fn is_item(line: &str, value: &str) -> bool {
    !value.is_empty() && line.trim_matches([' ', '\t', '-', '"', '\'', ',']) == value
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TEXT: &str = "metadata:
    id: x-1
    phase: tearingDown
    labels:
        omni.sidero.dev/cluster: demo
    finalizers:
        - ClusterMachineConfigController
spec:
    ready: false
    stage: 5
    conditions:
        - type: Ready
          status: \"False\"
";

    #[test]
    fn attributes_are_found() {
        for (key, value, line) in [
            ("metadata.phase", "tearingDown", 2),
            ("metadata.labels.omni.sidero.dev/cluster", "demo", 4),
            ("metadata.finalizers", "ClusterMachineConfigController", 6),
            ("spec.stage", "5", 9),
            ("spec.stage.name", "DESTROYING", 9),
            ("condition.Ready", "False", 11),
            ("resource.id", "x-1", 1),
        ] {
            assert_eq!(locate(TEXT, key, value).map(|(n, _)| n), Some(line), "{key}");
        }
        assert_eq!(locate("scsihw: lsi\n", "qm.scsihw", "lsi"), Some((0, "scsihw: lsi")));
        assert_eq!(locate("a: b\n", "qm.bios", "seabios"), None);
    }

    proptest! {
        #[test]
        fn any_text_is_searched(text in "\\PC*", key in "[a-z.]{0,12}", value in "\\PC{0,8}") {
            locate(&text, &key, &value);
        }
    }
}
