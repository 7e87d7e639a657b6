//! The import table of ARCHITECTURE.md holds, and so do the invariants that a search can show.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::support::{files, none, read, root};

/// Source files with the module they belong to (the first part of their path) and their text without tests.
fn sources() -> Vec<(String, String, String)> {
    let src = root().join("src");
    let mut found = Vec::new();
    for path in files(&src) {
        let relative = path.strip_prefix(&src).expect("below src").to_string_lossy().replace('\\', "/");
        let is_test =
            relative.contains("/tests/") || ["tests.rs", "testing.rs"].iter().any(|end| relative.ends_with(end));
        if Path::new(&relative).extension().is_none_or(|e| e != "rs") || is_test {
            continue;
        }
        let text = std::fs::read_to_string(&path).expect("UTF-8");
        let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default().to_owned();
        let module = relative.split('/').next().unwrap_or_default().trim_end_matches(".rs").to_owned();
        found.push((relative, module, text));
    }
    found
}

/// Code without comments: what stands before `//` in each line.
fn code(text: &str) -> String {
    text.lines().map(|l| l.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

/// The modules of the crate that a text names after `crate::`.
fn imports(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for rest in code(text).split("crate::").skip(1) {
        let names = match rest.strip_prefix('{') {
            // `use crate::{a, b::c};` names several, at depth one.
            Some(list) => list.split('}').next().unwrap_or_default().split(',').map(str::to_owned).collect(),
            None => vec![rest.to_owned()],
        };
        for name in names {
            let word: String = name.trim().chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
            if !word.is_empty() {
                found.insert(word);
            }
        }
    }
    found
}

/// Rows of the table under `## Who may import whom`: module and what it may use.
fn table() -> BTreeMap<String, BTreeSet<String>> {
    let text = read("ARCHITECTURE.md");
    let section =
        text.split("## Who may import whom").nth(1).expect("the section").split("\n## ").next().expect("a section");
    let words = |cell: &str| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect::<BTreeSet<String>>();
    let mut table = BTreeMap::new();
    for row in section.lines().filter(|l| l.starts_with("| `")) {
        let cells: Vec<&str> = row.trim_matches('|').split('|').collect();
        for module in words(cells[0]) {
            assert!(table.insert(module.clone(), words(cells[1])).is_none(), "{module} has two rows");
        }
    }
    table
}

#[test]
fn modules_import_only_what_the_table_allows() {
    let table = table();
    let mut complaints = Vec::new();
    for (path, module, text) in sources() {
        if ["lib", "main"].contains(&module.as_str()) {
            continue;
        }
        let Some(allowed) = table.get(&module) else {
            complaints.push(format!("`{module}` is missing in the table"));
            continue;
        };
        let wrong = imports(&text).into_iter().filter(|name| *name != module && !allowed.contains(name));
        complaints.extend(wrong.map(|name| format!("src/{path} uses `{name}`")));
    }
    complaints.dedup();
    none(&complaints);
}

#[test]
fn the_table_allows_nothing_that_nobody_uses_and_names_every_module() {
    let table = table();
    let mut used: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (_, module, text) in sources() {
        used.entry(module).or_default().extend(imports(&text));
    }
    let mut complaints = Vec::new();
    for (module, allowed) in &table {
        let Some(used) = used.get(module) else {
            complaints.push(format!("`{module}` is no module"));
            continue;
        };
        complaints.extend(allowed.difference(used).map(|name| format!("`{module}` may use `{name}` and does not")));
    }
    none(&complaints);
}

#[test]
fn the_table_has_no_cycle() {
    let table = table();
    let mut complaints = Vec::new();
    for start in table.keys() {
        let mut open: Vec<&String> = table[start].iter().collect();
        let mut seen = BTreeSet::new();
        while let Some(module) = open.pop() {
            if module == start {
                complaints.push(format!("`{start}` reaches itself"));
                break;
            }
            if seen.insert(module) {
                open.extend(table.get(module).into_iter().flatten());
            }
        }
    }
    none(&complaints);
}

/// Words that must not stand in the code of some modules.
fn forbid(words: &[&str], allowed: &[&str]) {
    let mut complaints = Vec::new();
    for (path, _, text) in sources() {
        if allowed.iter().any(|a| path.starts_with(a)) {
            continue;
        }
        let code = code(&text);
        complaints.extend(words.iter().filter(|w| code.contains(*w)).map(|w| format!("src/{path} holds `{w}`")));
    }
    none(&complaints);
}

#[test]
fn the_clock_is_read_in_main_alone() {
    forbid(&["Utc::now", "Local::now", "SystemTime::now"], &["main.rs"]);
    // Progress looks at how long it takes; no result depends on it.
    forbid(&["Instant::now"], &["main.rs", "cli/terminal.rs", "cli/follow.rs"]);
}

#[test]
fn unsafe_code_stands_in_one_place() {
    forbid(&["unsafe "], &["report/context.rs"]);
}

#[test]
fn only_the_command_line_prints() {
    forbid(&["println!", "print!(", "io::stdout", "io::stderr"], &["cli/", "main.rs"]);
}

#[test]
fn files_are_opened_in_few_places() {
    forbid(
        &["File::open", "fs::read", "fs::write", "File::create"],
        &["input/", "catalog/load.rs", "cli/", "follow/tail.rs", "report/context.rs"],
    );
}

#[test]
fn only_the_report_model_the_catalogue_and_the_command_line_are_serialised() {
    forbid(&["Serialize)", "Serialize,"], &["report/model.rs", "catalog/", "cli/"]);
}

#[test]
fn every_module_says_what_it_is_for() {
    let silent = sources().into_iter().filter(|(_, _, text)| !text.starts_with("//! "));
    none(&silent.map(|(path, ..)| format!("src/{path} has no head comment")).collect::<Vec<_>>());
}

#[test]
fn the_code_map_names_every_module() {
    let text = read("ARCHITECTURE.md");
    let modules: BTreeSet<String> = sources().into_iter().map(|(_, module, _)| module).collect();
    let missing = modules.into_iter().filter(|m| !m.contains(':') && !text.contains(&format!("`src/{m}")));
    none(&missing.map(|m| format!("`src/{m}` is missing in ARCHITECTURE.md")).collect::<Vec<_>>());
}
