//! Documents cannot rot: commands of the README run, generated parts are up to date, links lead somewhere.
//!
//! `OMNILOG_WRITE_DOCS=1 cargo test --test it docs` writes what is generated; otherwise it is compared.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use omnilog::catalog::Cause;
use omnilog::catalog::file::CauseFile;

use crate::lab;
use crate::support::{Dir, FULL, files, none, omnilog, read, root};

/// Whether to write what is generated.
fn writes() -> bool {
    std::env::var_os("OMNILOG_WRITE_DOCS").is_some()
}

/// Writes a generated file, or says how it differs.
pub fn settle(path: &str, wanted: &str) -> Option<String> {
    let full = root().join(path);
    if writes() {
        std::fs::create_dir_all(full.parent().expect("a parent")).expect("a folder");
        std::fs::write(&full, wanted).expect("a file");
        return None;
    }
    let have = std::fs::read_to_string(&full).unwrap_or_default();
    let line = have
        .lines()
        .zip(wanted.lines())
        .position(|(h, w)| h != w)
        .unwrap_or(have.lines().count().min(wanted.lines().count()));
    (have != wanted).then(|| {
        let (h, w) = (have.lines().nth(line).unwrap_or("(end)"), wanted.lines().nth(line).unwrap_or("(end)"));
        format!(
            "{path}:{} is out of date; run OMNILOG_WRITE_DOCS=1 cargo test --test it docs\n  have {h}\n  want {w}",
            line + 1
        )
    })
}

/// Text that Markdown must not read as markup, on one line.
pub fn plain(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut out = String::new();
    let mut code = false;
    for c in line.chars() {
        code ^= c == '`';
        if !code && matches!(c, '<' | '>' | '*' | '_' | '[' | ']' | '|' | '\\') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// The page of a root cause.
fn page(cause: &Cause, page: &CauseFile) -> String {
    let catalogue = lab::catalogue();
    let mut out = format!("<!-- Generated from patterns/{}.toml. -->\n\n# {}\n\n", cause.id, plain(&page.title));
    let components = page.components.join(", ");
    let _ = writeln!(
        out,
        "`{}` · impact: {} · status: {} · concerns: {components}\n",
        cause.id,
        cause.level.name(),
        cause.status
    );
    for (heading, text) in [("What happens", &page.description), ("Why", &page.cause), ("Impact", &page.impact)] {
        let _ = writeln!(out, "## {heading}\n\n{}\n", plain(text));
    }
    let _ = writeln!(out, "## Evidence\n\n| it | ratio | tells |\n| --- | ---: | --- |");
    for item in &cause.evidence {
        let role = if item.supports() { "supports" } else { "contradicts" };
        let _ = writeln!(out, "| {role} | {} | {} |", ratio(item.ratio()), plain(&item.says));
    }
    let _ = writeln!(
        out,
        "\nPrior {}. A ratio says how much more likely the evidence is with this cause than without it.\n",
        cause.prior
    );
    steps(&mut out, page);
    if !page.collect.is_empty() {
        let _ = writeln!(out, "## Collect next\n");
        for collect in &page.collect {
            let _ = writeln!(out, "{}\n\n```sh\n{}\n```\n", plain(&collect.why), collect.run.trim());
        }
    }
    let explained: Vec<String> =
        cause.explains.iter().filter_map(|i| catalogue.causes.get(*i)).map(|c| link(&c.id)).collect();
    if !explained.is_empty() {
        let _ = writeln!(out, "## Can bring about\n\n{}\n", explained.join(", "));
    }
    if !page.falsepositives.is_empty() {
        let _ = writeln!(out, "## Look-alikes\n");
        page.falsepositives.iter().for_each(|f| out.push_str(&format!("- {}\n", plain(&f.text))));
        out.push('\n');
    }
    let _ = writeln!(out, "## References\n");
    for reference in &page.references {
        let url = if reference.url.starts_with("http") {
            format!("<{}>", reference.url)
        } else {
            format!("`{}`", reference.url)
        };
        let _ = writeln!(out, "- {url}: {}", plain(&reference.shows));
    }
    out
}

fn steps(out: &mut String, page: &CauseFile) {
    let _ = writeln!(out, "## What to do\n");
    for (number, step) in (1..).zip(&page.remediation) {
        let risk = if step.risk.is_empty() { "none" } else { &step.risk };
        let _ = writeln!(out, "### {number}. {}\n\nRisk: {risk}.", plain(&step.title));
        for (label, text) in [("", &step.text), ("Only if: ", &step.precondition)] {
            if !text.trim().is_empty() {
                let _ = writeln!(out, "\n{label}{}", plain(text));
            }
        }
        if !step.run.trim().is_empty() {
            let _ = writeln!(out, "\n```sh\n{}\n```", step.run.trim());
        }
        for (label, text) in [("Verify", &step.verify), ("Undo", &step.rollback), ("The guide", &step.guide)] {
            if !text.trim().is_empty() {
                let _ = writeln!(out, "\n{label}: {}", plain(text));
            }
        }
        out.push('\n');
    }
}

/// A likelihood ratio for people.
fn ratio(ratio: f64) -> String {
    if ratio >= 10.0 { format!("{ratio:.0}") } else { format!("{ratio:.2}") }
}

/// A link from one page to another.
fn link(id: &str) -> String {
    format!("[{id}](../{id}.md)")
}

/// The list of all pages.
fn index() -> String {
    let mut out = String::from(
        "<!-- Generated from patterns/. -->\n\n# Root causes\n\nEvery root cause that omnilog names, by scenario. \
         `omnilog explain ID` shows the same page.\n",
    );
    for scenario in &lab::catalogue().scenarios {
        let _ = writeln!(out, "\n## {}: {}\n\n{}\n", scenario.id, plain(&scenario.title), plain(&scenario.description));
        for cause in lab::catalogue().causes.iter().filter(|c| c.scenario() == scenario.id) {
            let _ = writeln!(out, "- [{}]({}.md): {}", cause.slug(), cause.id, plain(&cause.title));
        }
    }
    out
}

#[test]
fn the_page_of_every_root_cause_is_up_to_date() {
    let mut wanted = BTreeMap::from([("docs/causes/README.md".to_owned(), index())]);
    for cause in &lab::catalogue().causes {
        let file = lab::catalogue().page(&cause.id).expect("a page");
        wanted.insert(format!("docs/causes/{}.md", cause.id), page(cause, &file));
    }
    let mut complaints: Vec<String> = wanted.iter().filter_map(|(path, text)| settle(path, text)).collect();
    for path in files(&root().join("docs/causes")) {
        let relative = path.strip_prefix(root()).expect("below the root").to_string_lossy().replace('\\', "/");
        if !wanted.contains_key(&relative) {
            if writes() {
                std::fs::remove_file(&path).expect("a file");
            } else {
                complaints.push(format!("{relative} belongs to no root cause"));
            }
        }
    }
    none(&complaints);
}

/// What stands between the marks of a generated part of the README.
fn generated(name: &str) -> String {
    match name {
        "run" => transcript(),
        "formats" => formats(),
        "documents" => documents(),
        "scenarios" => scenarios(),
        other => panic!("nobody generates `{other}`"),
    }
}

/// The first command of the README with what it prints.
fn transcript() -> String {
    let text = read("README.md");
    let command = commands(&text).into_iter().find(|c| c.contains(CARGO_RUN)).expect("the README begins with a run");
    let arguments = command.split_once(CARGO_RUN).expect("a run").1.trim();
    let done = omnilog(arguments.split_whitespace()).env("COLUMNS", "100").exits(0);
    format!("```console\n$ omnilog {arguments}\n{}```\n", done.stdout)
}

/// The first sentence of the head comment of the module in this folder that has this name.
fn purpose(folder: &str, name: &str) -> String {
    let says = format!("fn name(&self) -> &'static str {{\n        \"{name}\"");
    let texts = files(&root().join(folder)).into_iter().map(|p| std::fs::read_to_string(p).expect("UTF-8"));
    let text = texts.into_iter().find(|t| t.contains(&says)).unwrap_or_else(|| panic!("{folder} has no {name}"));
    let head: Vec<&str> =
        text.lines().take_while(|l| l.starts_with("//!")).map(|l| l.trim_start_matches("//!").trim()).collect();
    let head = head.split(|l| l.is_empty()).next().unwrap_or_default().join(" ");
    // "`name`: what it is. More."
    let head = head.split_once("`: ").filter(|(name, _)| name.starts_with('`')).map_or(head.as_str(), |(_, rest)| rest);
    let end = head.match_indices(". ").map(|(at, _)| at).find(|at| !head[..*at].ends_with('.')).unwrap_or(head.len());
    head[..end].trim_end_matches('.').replace('|', "\\|")
}

fn formats() -> String {
    let mut out = String::from("| format | what it is |\n| --- | --- |\n");
    for format in omnilog::parse::formats() {
        let _ = writeln!(out, "| `{0}` | {1} |", format.name(), purpose("src/parse", format.name()));
    }
    out
}

fn documents() -> String {
    let mut out = String::from("| document | what it is |\n| --- | --- |\n");
    for document in omnilog::state::documents() {
        let _ = writeln!(out, "| `{0}` | {1} |", document.name(), purpose("src/state", document.name()));
    }
    out
}

fn scenarios() -> String {
    let mut out = String::from("| scenario | root causes |\n| --- | --- |\n");
    for scenario in &lab::catalogue().scenarios {
        let causes = lab::catalogue().causes.iter().filter(|c| c.scenario() == scenario.id);
        let links: Vec<String> = causes.map(|c| format!("[{}](docs/causes/{}.md)", c.slug(), c.id)).collect();
        let _ = writeln!(out, "| **{}**: {} | {} |", scenario.id, plain(&scenario.title), links.join(", "));
    }
    out
}

#[test]
fn the_generated_parts_of_the_readme_are_up_to_date() {
    let text = read("README.md");
    let mut wanted = String::new();
    let mut rest = text.as_str();
    let mut parts = 0;
    while let Some((before, after)) = rest.split_once("<!-- generated: ") {
        let (name, after) = after.split_once(" -->\n").expect("a mark");
        let (_, after) = after.split_once("<!-- end -->").expect("an end");
        let _ = write!(wanted, "{before}<!-- generated: {name} -->\n{}<!-- end -->", generated(name));
        rest = after;
        parts += 1;
    }
    assert!(parts >= 4, "only {parts} generated parts");
    wanted.push_str(rest);
    none(&settle("README.md", &wanted).into_iter().collect::<Vec<_>>());
}

/// How the README calls the binary before it is installed.
const CARGO_RUN: &str = "cargo run --release -- ";

/// Commands that tests do not start, because they would start the tests.
const BUILDS: &[&str] = &[
    ".ci/run",
    ".ci/screenshots",
    "OMNILOG_WRITE_DOCS=1 cargo test --test it docs",
    "cargo bench --bench throughput",
    "cargo install --path .",
    "cargo test",
    "cargo test --lib parse",
    "cargo test --lib state",
    "cargo test --test it patterns",
    "cargo test --test it reports",
];

/// All commands in the `sh` blocks of a Markdown text; lines that end in `\` go on.
fn commands(text: &str) -> Vec<String> {
    let blocks = text.split("```sh\n").skip(1).map(|b| b.split("```").next().unwrap_or_default());
    let joined: String = blocks.map(|b| b.replace("\\\n", " ")).collect();
    let lines = joined.lines().map(|l| l.split(" #").next().unwrap_or_default().trim().to_owned());
    lines.filter(|l| !l.is_empty() && !l.starts_with('#')).collect()
}

/// A folder with what the commands of the documents speak of.
fn stage() -> Dir {
    let dir = Dir::with(&[
        ("provider.log", FULL),
        (
            "dmesg.log",
            "10.5.0.2: kern:    info: [2026-09-15T08:00:00.000000000Z]: cni0: port 1 entered forwarding state\n",
        ),
        ("ticket/provider.log", FULL),
        ("tickets/4711/provider.log", FULL),
        ("ticket/notes.txt", "It fails since this morning.\n"),
    ]);
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    zip.start_file("provider.log", zip::write::SimpleFileOptions::default()).expect("memory");
    std::io::Write::write_all(&mut zip, FULL.as_bytes()).expect("memory");
    let bytes = zip.finish().expect("memory").into_inner();
    dir.write("support.zip", &bytes);
    dir.write(
        "ticket.eml",
        format!("From: a@example.com\nSubject: x\nDate: x\nMIME-Version: 1.0\n\n{FULL}").as_bytes(),
    );
    let key = age::x25519::Identity::generate();
    dir.write("key.txt", age::secrecy::ExposeSecret::expose_secret(&key.to_string()).as_bytes());
    dir.write("support.zip.age", &age::encrypt(&key.to_public(), &bytes).expect("memory"));
    for folder in ["samples", "patterns"] {
        copy(&root().join(folder), &dir.join(folder));
    }
    dir
}

fn copy(from: &Path, to: &Path) {
    for path in files(from) {
        let target = to.join(path.strip_prefix(from).expect("below"));
        std::fs::create_dir_all(target.parent().expect("a parent")).expect("a folder");
        std::fs::copy(&path, target).expect("a file");
    }
}

/// The words of a command; quotes hold blanks together.
fn words(command: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quote = None;
    for c in command.chars() {
        match (quote, c) {
            (Some(q), c) if c == q => quote = None,
            (None, '\'' | '"') => quote = Some(c),
            (None, ' ') => words.push(String::new()),
            (_, c) => words.last_mut().expect("a word").push(c),
        }
    }
    words.retain(|w| !w.is_empty());
    words
}

/// Runs the part of a command that calls omnilog; what is piped into it is a sample.
fn run(command: &str, dir: &Dir) -> Option<String> {
    let parts: Vec<&str> = command.split(" | ").map(str::trim).collect();
    let call = |p: &&&str| p.starts_with("omnilog") || p.starts_with(CARGO_RUN);
    let Some(own) = parts.iter().find(call) else { return Some(format!("`{command}` is not known to the tests")) };
    let arguments = own.strip_prefix(CARGO_RUN).or(own.strip_prefix("omnilog")).unwrap_or_default();
    let arguments = arguments.split(" > ").next().unwrap_or_default();
    let run = omnilog(words(arguments)).within(dir.path());
    let piped = !call(&&parts[0]);
    let done = if piped { run.input(FULL).done() } else { run.done() };
    let good = done.status == 0 || (done.status == 1 && command.contains("--fail-on"));
    (!good).then(|| format!("`{command}`\n{done}"))
}

#[test]
fn every_command_of_the_documents_runs() {
    let dir = stage();
    let mut complaints = Vec::new();
    for document in ["README.md", "CONTRIBUTING.md"] {
        let commands = commands(&read(document));
        assert!(!commands.is_empty(), "{document} has no commands");
        for command in commands.iter().filter(|c| !BUILDS.contains(&c.as_str())) {
            complaints.extend(run(command, &dir).map(|c| format!("{document}: {c}")));
        }
    }
    none(&complaints);
}

#[test]
fn the_readme_begins_with_the_two_commands_that_do_everything() {
    let commands = commands(&read("README.md"));
    assert!(commands[0].starts_with(CARGO_RUN), "{}", commands[0]);
    assert!(commands[0].contains("samples/"), "{}", commands[0]);
    assert_eq!(commands[1], "cargo test");
}

#[test]
fn the_readme_names_every_command_option_and_exit_status() {
    let text = read("README.md");
    let mut complaints = Vec::new();
    for args in [vec!["--help"], vec!["events", "--help"], vec!["detect", "--help"], vec!["triage", "--help"]] {
        let help = omnilog(args).exits(0).stdout;
        let words = help.split([' ', '\n', '=', ',', '`', '[', ']']).filter(|w| w.starts_with("--") && w.len() > 3);
        let missing = words.filter(|w| !["--help", "--version"].contains(w) && !text.contains(*w));
        complaints.extend(missing.map(|w| format!("README.md does not name {w}")));
    }
    for command in ["triage", "events", "explain", "why-not", "detect", "patterns", "completions", "man"] {
        if !text.contains(&format!("omnilog {command}")) {
            complaints.push(format!("README.md does not name `omnilog {command}`"));
        }
    }
    for (status, _) in [(0, "analysed"), (1, "fail-on"), (2, "usage"), (3, "internal")] {
        if !text.contains(&format!("| {status} |")) {
            complaints.push(format!("README.md does not name exit status {status}"));
        }
    }
    complaints.sort();
    complaints.dedup();
    none(&complaints);
}

#[test]
fn links_between_documents_lead_somewhere() {
    let mut complaints = Vec::new();
    let top =
        ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", "patterns/README.md"].map(PathBuf::from);
    let pages = files(&root().join("docs")).into_iter().filter(|p| p.extension().is_some_and(|e| e == "md"));
    for path in top.into_iter().map(|p| root().join(p)).chain(pages) {
        let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let target = target.split('#').next().unwrap_or_default();
            let local = !target.is_empty() && !target.contains("://") && !target.contains(' ');
            if local && !path.parent().expect("a parent").join(target).exists() {
                complaints.push(format!("{}: {target} is not there", path.display()));
            }
        }
    }
    none(&complaints);
}

#[test]
fn the_changelog_has_a_section_for_what_comes_next() {
    assert!(read("CHANGELOG.md").contains("\n## Unreleased\n"));
}
