//! The HTML report as text: its structure, its policy, its size, and that log text stays text. `browser` opens it.

use std::collections::BTreeSet;

use base64::Engine as _;
use omnilog::report::model::{NearbyLine, ProblemEntry, Report};
use omnilog::report::{Style, renderer};
use sha2::{Digest, Sha256};

use crate::lab;
use crate::support::{Dir, FULL, QUIET, files, harmful, none, omnilog, samples};

/// Elements without an end tag.
const VOID: &[&str] = &["meta", "!doctype"];
/// Elements that a report is made of.
const ELEMENTS: &[&str] = &[
    "!doctype", "a", "b", "body", "button", "circle", "code", "dd", "details", "div", "dl", "dt", "footer", "g", "h1",
    "h2", "h3", "h4", "head", "header", "html", "li", "line", "main", "mark", "meta", "nav", "ol", "p", "path", "pre",
    "rect", "script", "section", "span", "strong", "style", "summary", "svg", "table", "tbody", "td", "text", "th",
    "thead", "time", "title", "tr", "ul",
];
/// Attributes that a report uses: none of them runs or loads anything.
const ATTRIBUTES: &[&str] = &[
    "aria-hidden",
    "aria-label",
    "aria-labelledby",
    "charset",
    "class",
    "content",
    "cx",
    "cy",
    "d",
    "data-a",
    "data-b",
    "data-from",
    "data-max",
    "data-min",
    "data-n",
    "data-says",
    "data-t",
    "data-text",
    "data-title",
    "data-to",
    "data-when",
    "data-where",
    "datetime",
    "display",
    "height",
    "hidden",
    "href",
    "html",
    "http-equiv",
    "id",
    "lang",
    "name",
    "open",
    "overflow",
    "r",
    "rel",
    "role",
    "rx",
    "scope",
    "tabindex",
    "title",
    "type",
    "viewbox",
    "width",
    "x",
    "x1",
    "x2",
    "y",
    "y1",
    "y2",
];

/// A page of these texts.
pub fn page(report: &Report) -> String {
    let mut out = Vec::new();
    renderer("html").expect("a format").render(report, &Style::default(), &mut out).expect("memory");
    String::from_utf8(out).expect("UTF-8")
}

/// A start or end tag: its name, its attributes, where it ends.
struct Element<'p> {
    name: String,
    closes: bool,
    attributes: Vec<(String, &'p str)>,
}

/// All tags of a page, read as strictly as it is written: quoted attributes, text without `<`.
fn elements(page: &str) -> Vec<Element<'_>> {
    let mut found = Vec::new();
    let mut rest = page;
    while let Some(at) = rest.find('<') {
        rest = &rest[at + 1..];
        let closes = rest.starts_with('/');
        let inner = rest.trim_start_matches('/');
        let length = inner.find(|c: char| c.is_whitespace() || c == '>' || c == '/').expect("a tag ends");
        let name = inner[..length].to_lowercase();
        let mut tail = &inner[length..];
        let mut attributes = Vec::new();
        loop {
            tail = tail.trim_start();
            if let Some(after) = tail.strip_prefix('>').or(tail.strip_prefix("/>")) {
                // What ends itself has no content.
                let ended = tail.starts_with('/');
                rest = after;
                found.push(Element { name: name.clone(), closes, attributes });
                if ended {
                    found.push(Element { name: name.clone(), closes: true, attributes: Vec::new() });
                }
                break;
            }
            let end = tail.find(['=', ' ', '>']).expect("an attribute ends");
            let key = tail[..end].to_lowercase();
            tail = &tail[end..];
            let value = match tail.strip_prefix("=\"") {
                Some(quoted) => {
                    let (value, after) = quoted.split_once('"').expect("a quote ends");
                    tail = after;
                    value
                }
                None => "",
            };
            attributes.push((key, value));
        }
        if !closes && ["style", "script"].contains(&name.as_str()) {
            rest = &rest[rest.find("</").expect("raw text ends")..];
        }
    }
    found
}

/// What is wrong with the structure of a page.
fn faults(page: &str) -> Vec<String> {
    let mut faults = Vec::new();
    let mut open: Vec<String> = Vec::new();
    let (mut ids, mut links) = (BTreeSet::new(), Vec::new());
    for element in elements(page) {
        let Element { name, closes, attributes } = element;
        if !ELEMENTS.contains(&name.as_str()) {
            faults.push(format!("<{name}>"));
        }
        for (key, value) in attributes {
            match key.as_str() {
                "id" if !ids.insert(value) => faults.push(format!("two elements are `{value}`")),
                "href" if value.starts_with('#') => links.push(&value[1..]),
                "href" if !value.starts_with("https://") => faults.push(format!("a link to {value}")),
                key if !ATTRIBUTES.contains(&key) => faults.push(format!("<{name} {key}=\"{value}\">")),
                _ => {}
            }
        }
        match (closes, VOID.contains(&name.as_str())) {
            (false, false) => open.push(name),
            (true, _) if open.pop().as_ref() != Some(&name) => faults.push(format!("</{name}> closes nothing")),
            _ => {}
        }
    }
    faults.extend(open.into_iter().map(|name| format!("<{name}> is not closed")));
    faults.extend(links.into_iter().filter(|l| !ids.contains(l)).map(|l| format!("a link to #{l} leads nowhere")));
    faults.extend(harmful(&page.replace('\t', " ")).into_iter().map(|c| format!("{c:?}")));
    faults
}

/// The content of the only element of a name.
fn content<'p>(page: &'p str, name: &str) -> &'p str {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    assert_eq!((page.matches(&open).count(), page.matches(&close).count()), (1, 1), "one <{name}>");
    page.split(&open).nth(1).and_then(|rest| rest.split(&close).next()).expect("its content")
}

/// A report on a full storage.
fn full() -> Report {
    omnilog::pipeline::read_texts(lab::scanner(), [("task.log", FULL)]).report(lab::catalogue())
}

#[test]
fn pages_of_all_samples_are_well_formed_and_their_links_lead_somewhere() {
    let mut complaints = Vec::new();
    for case in lab::cases().iter().filter(|c| c.sample.kind == "positive") {
        complaints.extend(faults(&page(&case.report())).into_iter().map(|f| format!("{}: {f}", case.name())));
    }
    let quiet = omnilog::pipeline::read_texts(lab::scanner(), [("quiet.log", QUIET)]).report(lab::catalogue());
    complaints.extend(faults(&page(&quiet)));
    none(&complaints);
}

#[test]
fn the_policy_forbids_everything_but_the_style_and_script_of_the_page() {
    let page = page(&full());
    let policy = page.split("http-equiv=\"Content-Security-Policy\" content=\"").nth(1).expect("a policy");
    let policy = policy.split('"').next().expect("its end").replace("&#39;", "'");
    assert!(policy.starts_with("default-src 'none';") && !policy.contains("unsafe"), "{policy}");
    for (name, directive) in [("style", "style-src"), ("script", "script-src")] {
        let digest = Sha256::digest(content(&page, name).as_bytes());
        let wanted = format!("{directive} 'sha256-{}';", base64::engine::general_purpose::STANDARD.encode(digest));
        assert!(policy.contains(&wanted), "{wanted} is not in {policy}");
    }
    // The policy stands before anything that it could stop.
    assert!(page.find("Content-Security-Policy") < page.find("<style>"));
}

#[test]
fn the_answer_comes_first() {
    let report = full();
    let best = &report.root_causes[0];
    let page = page(&report);
    let place = |text: &str| page.find(text).unwrap_or_else(|| panic!("`{text}` is not on the page"));
    let verdict = place(&format!("{} {:.2}", best.verdict, best.confidence));
    assert!(verdict < place(&best.title[..20]) || place("<h1>") > verdict);
    assert!(place("<h1>") < place("id=\"causes\"") && place("id=\"causes\"") < place("id=\"coverage\""));
    assert!(page.contains("<mark>Cannot create new thin volume"), "the decisive piece is marked");
}

#[test]
fn a_weak_guess_is_no_answer_and_brings_no_remedy_to_the_top() {
    let mut report = full();
    report.root_causes.truncate(1);
    report.root_causes[0].confidence = 0.2;
    report.root_causes[0].verdict = "weak".into();
    report.redacted = true;
    let page = page(&report);
    let summary = page.split("id=\"summary\"").nth(1).and_then(|s| s.split("</section>").next()).expect("a summary");
    assert!(summary.contains("No root cause is likely"), "{summary}");
    assert!(!summary.contains("What to do first"), "{summary}");
    assert!(summary.contains("are pseudonyms"), "{summary}");
}

#[test]
fn the_lines_around_evidence_stand_beside_it() {
    let dir = Dir::with(&[("task.log", &format!("far\nbefore 1\nbefore 2\nbefore 3\n{FULL}after <1>\n"))]);
    let done = omnilog(["--format", "html", "task.log"]).within(dir.path()).exits(0);
    let done = done.says("data-n=\"2\">before 1\n").says("data-n=\"6\">after &lt;1&gt;\n");
    assert!(!done.stdout.contains("data-n=\"1\""), "three lines are enough");
    let done = omnilog(["--format", "html", "--context", "0", "task.log"]).within(dir.path()).exits(0);
    assert!(!done.stdout.contains("before 1"), "{done}");
}

#[test]
fn hostile_text_stays_text() {
    let attacks = [
        "<script>alert(1)</script>",
        "</pre></details></style></script><img src=x onerror=alert(1)>",
        "\" onmouseover=\"alert(1)\" x=\"",
        "' autofocus onfocus='alert(1)",
        "<!-- --><svg onload=alert(1)>",
        "&lt;script&gt; &#x3c;b&#x3e;",
        "\u{202e}gnp.exe\u{1b}[2J\u{7}\u{0}",
    ];
    let mut complaints = Vec::new();
    for attack in attacks {
        let text = format!("{attack}\n{} {attack}\n{attack}\nERROR: {attack} failed\n", FULL.trim_end());
        let dir = Dir::with(&[("task.log", &text)]);
        let done = omnilog(["--format", "html", "--all", "."]).within(dir.path()).exits(0).says("storage-full");
        complaints.extend(faults(&done.stdout).into_iter().map(|f| format!("{attack:?}: {f}")));
    }
    for path in files(&samples("hostile")) {
        let done = omnilog(["--format", "html", "--all"]).args([&path]).done();
        if done.status == 0 {
            complaints.extend(faults(&done.stdout).into_iter().map(|f| format!("{}: {f}", path.display())));
        } else if done.status != 2 {
            complaints.push(format!("{done}"));
        }
    }
    none(&complaints);
}

#[cfg(unix)]
#[test]
fn hostile_names_stay_text() {
    let dir = Dir::new();
    dir.write("a\"><script>alert(1)<\u{202e}.log", FULL.as_bytes());
    dir.write("b.log", QUIET.as_bytes());
    let done = omnilog(["--format", "html", "."]).within(dir.path()).exits(0);
    none(&faults(&done.stdout));
}

/// A report with far more of everything than any run makes, all of it text that grows when it is escaped.
pub fn endless() -> Report {
    let mut report = full();
    let quotes = "\"'<&>".repeat(400);
    let best = &mut report.root_causes[0];
    let mut line = best.evidence[0].clone();
    line.excerpt = format!("{} {quotes}", line.excerpt);
    line.timestamp = Some("2026-09-15T08:00:00Z".into());
    line.nearby = (0..2_000).map(|n| NearbyLine { line: n, text: quotes[..400].to_owned() }).collect();
    best.entities.insert("pve.vmid".into(), (0..100_000).map(|n| n.to_string()).collect());
    best.evidence = (0..400)
        .map(|n| {
            let mut line = line.clone();
            line.line = n;
            line.timestamp = Some(format!("2026-09-15T08:{:02}:{:02}Z", n / 60 % 60, n % 60));
            line
        })
        .collect();
    let input = report.inputs[0].clone();
    report.inputs = (0..50_000)
        .map(|n| {
            let mut input = input.clone();
            input.source = format!("bundle/<{n}>/{quotes}");
            input
        })
        .collect();
    let message = quotes.clone();
    report.problems = (0..50_000)
        .map(|n| ProblemEntry { source: format!("bundle/{n}"), kind: "read".into(), message: message.clone() })
        .collect();
    report
}

#[test]
fn a_page_stays_below_five_megabytes_and_says_what_it_leaves_out() {
    let page = page(&endless());
    assert!(page.len() < 5_000_000, "{} bytes", page.len());
    for note in ["lines of evidence: the page is full", "and 99996 more", "more problems", "more sources"] {
        assert!(page.contains(note), "`{note}` is not on the page");
    }
    none(&faults(&page));
}
