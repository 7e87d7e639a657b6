//! Text, Markdown and JSON reports, over the samples of the catalogue and over what the binary prints.

use omnilog::report::model::Report;
use omnilog::report::{Style, renderer};
use pulldown_cmark::{Event, Options, Parser, Tag};
use unicode_width::UnicodeWidthStr;

use crate::lab::{self, GUIDE};
use crate::support::{Dir, FULL, QUIET, files, harmful, none, omnilog, read, samples};
use crate::{contract, support};

/// Widths of terminals.
const WIDTHS: [usize; 4] = [60, 80, 100, 160];

fn render(report: &Report, format: &str, width: usize) -> String {
    let style = Style { width, ..Style::default() };
    render_with(report, format, &style)
}

fn render_with(report: &Report, format: &str, style: &Style) -> String {
    let mut out = Vec::new();
    renderer(format).expect("a format").render(report, style, &mut out).expect("memory");
    String::from_utf8(out).expect("UTF-8")
}

/// One report for each positive sample, computed once.
fn reports() -> &'static [(String, Report)] {
    static REPORTS: std::sync::OnceLock<Vec<(String, Report)>> = std::sync::OnceLock::new();
    REPORTS.get_or_init(|| {
        let positive = lab::cases().iter().filter(|c| c.sample.kind == "positive");
        positive.map(|c| (c.name(), c.report())).collect()
    })
}

/// Every command that a report offers.
fn commands(report: &Report) -> Vec<&str> {
    let causes = report.root_causes.iter();
    let runs = causes.flat_map(|c| c.remediation.iter().map(|r| &r.run).chain(c.collect.iter().map(|c| &c.run)));
    runs.flat_map(|run| run.lines()).map(str::trim).filter(|l| !l.is_empty()).collect()
}

#[test]
fn what_cannot_be_undone_names_a_machine_only_where_the_evidence_names_no_other() {
    let panic = |node: &str| {
        format!(
            "{node}: {{\"level\":\"panic\",\"ts\":\"2026-09-15T12:00:19.000000Z\",\"logger\":\"raft\",\
             \"caller\":\"etcdserver/zap_raft.go:101\",\"msg\":\"tocommit(1204) is out of range [lastIndex(1100)]. \
             Was the raft log corrupted, truncated, or lost?\"}}\n"
        )
    };
    let resets = |log: &str| {
        let report = omnilog(["-"]).input(log).report();
        let steps = report["root_causes"][0]["remediation"].as_array().expect("steps").clone();
        let step = steps.iter().find(|s| s["risk"] == "destructive").expect("a step").clone();
        step["run"].as_str().expect("a command").to_owned()
    };
    let one = resets(&panic("192.0.2.51"));
    assert!(one.contains("-n 192.0.2.51 reset"), "{one}");
    let two = resets(&[panic("192.0.2.51"), panic("192.0.2.52")].concat());
    assert!(two.contains("-n <NODE> reset") && !two.contains("192.0.2.5"), "{two}");
}

#[test]
fn json_keeps_to_its_schema_and_to_its_second_declaration() {
    let schema: serde_json::Value = serde_json::from_str(&read("docs/report.schema.json")).expect("JSON");
    let validator = jsonschema::draft202012::new(&schema).expect("a schema");
    let mut complaints = Vec::new();
    let empty = lab::scanner();
    let nothing = omnilog::pipeline::read_texts(empty, [("quiet.log", QUIET)]).report(lab::catalogue());
    let all = reports().iter().map(|(n, r)| (n.as_str(), r)).chain([("nothing found", &nothing)]);
    for (name, report) in all {
        let text = render(report, "json", 80);
        let value: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        complaints.extend(validator.iter_errors(&value).map(|e| format!("{name}: {}: {e}", e.instance_path())));
        if let Err(error) = serde_json::from_str::<contract::Report>(&text) {
            complaints.push(format!("{name}: {error}"));
        }
    }
    none(&complaints);
}

#[test]
fn the_schema_is_closed_and_describes_every_key() {
    fn visit(path: &str, schema: &serde_json::Value, complaints: &mut Vec<String>) {
        if schema["properties"].is_object() {
            let properties = schema["properties"].as_object().expect("an object");
            let required = schema["required"].as_array().map_or(0, Vec::len);
            if schema["additionalProperties"] != false || required != properties.len() {
                complaints.push(format!("{path}: every key must be required and no other allowed"));
            }
            for (key, property) in properties {
                if property["description"].as_str().is_none_or(str::is_empty) && property["$ref"].is_null() {
                    complaints.push(format!("{path}.{key} has no description"));
                }
                visit(&format!("{path}.{key}"), property, complaints);
            }
        }
        for (name, definition) in schema["$defs"].as_object().into_iter().flatten() {
            visit(name, definition, complaints);
        }
    }
    let schema: serde_json::Value = serde_json::from_str(&read("docs/report.schema.json")).expect("JSON");
    let mut complaints = Vec::new();
    visit("report", &schema, &mut complaints);
    none(&complaints);
}

#[test]
fn the_binary_prints_json_that_keeps_to_the_contract() {
    let dir = Dir::with(&[("task.log", FULL), ("quiet.log", QUIET)]);
    let done = omnilog(["--format", "json", ".", "nowhere.log"]).within(dir.path()).exits(0);
    let report: contract::Report = serde_json::from_str(&done.stdout).unwrap_or_else(|e| panic!("{e}\n{done}"));
    assert_eq!(report.schema_version, 1);
    assert_eq!(report.inputs.len(), 2);
    assert_eq!(report.problems.len(), 1);
    assert_eq!(report.root_causes[0].verdict, contract::Verdict::Confirmed);
}

#[test]
fn ndjson_is_one_root_cause_a_line() {
    let done = omnilog(["--format", "ndjson"]).input(FULL).exits(0);
    let causes: Vec<contract::RootCause> =
        done.stdout.lines().map(|l| serde_json::from_str(l).unwrap_or_else(|e| panic!("{e}\n{done}"))).collect();
    assert_eq!(causes[0].id, "proxmox-storage/storage-full");
    assert!(causes.iter().zip(1..).all(|(c, rank)| c.rank == rank), "{done}");
}

#[test]
fn ranks_confidences_and_verdicts_agree() {
    let mut complaints = Vec::new();
    for (name, report) in reports() {
        let mut before = 1.0;
        for (cause, rank) in report.root_causes.iter().zip(1..) {
            let verdict = match (cause.verdict.as_str(), cause.confidence) {
                ("confirmed", c) => c >= 0.95,
                ("likely", c) => c >= 0.8,
                ("possible", c) => (0.5..0.8).contains(&c),
                ("weak", c) => c < 0.5,
                _ => false,
            };
            if !verdict || cause.rank != rank || cause.confidence > before || !(0.0..=1.0).contains(&cause.confidence) {
                complaints.push(format!("{name}: {} {} {} {}", cause.rank, cause.id, cause.verdict, cause.confidence));
            }
            before = cause.confidence;
        }
    }
    none(&complaints);
}

#[test]
fn every_claim_points_to_a_line_that_holds_it() {
    let mut complaints = Vec::new();
    for case in lab::cases().iter().filter(|c| c.leads()) {
        let report = case.report();
        let Some(first) = report.root_causes.first() else { continue };
        if first.evidence.is_empty() {
            complaints.push(format!("{}: {} without evidence", case.name(), first.id));
        }
        for line in &first.evidence {
            let source = case.texts().into_iter().find(|(name, _)| *name == line.source);
            let wanted = usize::try_from(line.line).expect("a line number");
            let there = source.is_some_and(|(_, text)| (1..=text.lines().count()).contains(&wanted));
            if !there || line.excerpt.trim().is_empty() {
                complaints.push(format!("{}: {}:{} is not there", case.name(), line.source, line.line));
            }
        }
    }
    none(&complaints);
}

#[test]
fn text_fits_the_width_but_for_commands() {
    let mut complaints = Vec::new();
    for (name, report) in reports() {
        let explain = report.root_causes.iter().map(|c| format!("omnilog explain {}", c.id)).collect::<Vec<_>>();
        let commands = [commands(report), explain.iter().map(String::as_str).collect()].concat();
        for width in WIDTHS {
            for all in [false, true] {
                let text = render_with(report, "text", &Style { width, all, ..Style::default() });
                let wide =
                    text.lines().filter(|l| l.width() > width && !commands.iter().any(|c| l.trim_end().ends_with(c)));
                complaints.extend(wide.map(|l| format!("{name} at {width}: {} columns: {l}", l.width())));
            }
        }
    }
    none(&complaints);
}

#[test]
fn the_binary_fits_the_width_that_columns_tells() {
    for width in WIDTHS {
        let done = omnilog(["--all"]).env("COLUMNS", &width.to_string()).input(QUIET.repeat(3)).exits(0);
        let wide: Vec<&str> = done.stdout.lines().filter(|l| l.width() > width).collect();
        assert!(wide.is_empty(), "{wide:#?}");
    }
}

#[test]
fn text_holds_no_control_characters() {
    let mut complaints = Vec::new();
    for (name, report) in reports() {
        for format in ["text", "markdown"] {
            let found = harmful(&render(report, format, 80).replace('\t', " "));
            if !found.is_empty() {
                complaints.push(format!("{name} as {format}: {found:?}"));
            }
        }
        if render(report, "text", 80).contains('\t') {
            complaints.push(format!("{name}: a tab moves the columns"));
        }
    }
    none(&complaints);
}

#[test]
fn the_first_screen_answers_for_the_root_causes_of_the_guide() {
    let mut complaints = Vec::new();
    for id in GUIDE {
        // Weak cases, where one line is all there is, answer with what to collect instead.
        let strong = |r: &Report| r.root_causes.first().is_some_and(|c| c.id == *id && c.confidence >= 0.5);
        let Some((case, report)) =
            lab::positives(id).into_iter().map(|c| (c, c.report())).find(|(c, r)| c.leads() && strong(r))
        else {
            complaints.push(format!("{id} has no positive sample that names it"));
            continue;
        };
        let text = render(&report, "text", 80);
        let screen: Vec<&str> = text.lines().take(24).collect();
        let first = &report.root_causes[0];
        let verdict = format!("{} {:.2}", first.verdict.to_uppercase(), first.confidence);
        let holds = |part: &str| screen.iter().any(|l| l.contains(part));
        let proof = first.evidence.iter().any(|e| holds(&format!("{}:{}", e.source, e.line)));
        let command = commands(&report).iter().any(|c| screen.iter().any(|l| l.trim_end().ends_with(c)));
        let step = first.remediation.first().is_some_and(|r| r.title.split_whitespace().next().is_some_and(holds));
        for (what, there) in [
            ("verdict", holds(&verdict)),
            ("cause", holds(id)),
            ("evidence", proof),
            ("first step", step),
            ("command", command),
        ] {
            if !there {
                complaints.push(format!("{}: no {what} on the first screen:\n{}\n", case.name(), screen.join("\n")));
            }
        }
    }
    none(&complaints);
}

#[test]
fn a_guess_is_called_one_and_offers_nothing_to_do_in_haste() {
    let mut complaints = Vec::new();
    let mut guesses = 0;
    for case in lab::cases() {
        let report = case.report();
        let Some(first) = report.unlikely().into_iter().next().filter(|_| report.root_causes[0].confidence < 0.5)
        else {
            continue;
        };
        guesses += 1;
        let opening = match first.over {
            Some(_) => "No root cause is likely any more. This was put right",
            None => "No root cause is likely. The nearest guess",
        };
        let text = render(&report, "text", 80);
        // One step, the first with a command: what comes behind it would change something.
        let runs = first.remediation.iter().filter(|r| text.lines().any(|l| !r.run.is_empty() && l.trim() == r.run));
        if !text.starts_with(opening) || text.contains("  do now") || runs.count() > 1 {
            complaints.push(format!("{}:\n{text}", case.name()));
        }
    }
    assert!(guesses > 10, "{guesses}");
    none(&complaints);
}

#[test]
fn known_errors_that_name_no_root_cause_stand_on_the_first_screen_with_the_next_step() {
    let log = read("samples/incidents/first-run/input/provider.log");
    let done = omnilog::<&str>([]).input(&log).exits(0).says("No known root cause").says("several root causes");
    assert!(!done.stdout.contains("No warning or error is left unexplained"), "{}", done.stdout);
    assert_eq!(done.stdout.matches("<stdin>:5").count(), 1, "{}", done.stdout);
    assert!(done.stdout.contains("reconcile failed") && done.stdout.contains("/var/log/pve/tasks"), "{}", done.stdout);
    for format in ["markdown", "html"] {
        omnilog(["--format", format]).input(&log).exits(0).says("several root causes").says("reconcile failed");
    }
}

#[test]
fn a_healthy_log_reads_as_healthy() {
    omnilog::<&str>([]).input(QUIET).exits(0).says("No known root cause in 2 lines");
}

#[test]
fn an_unknown_error_is_not_a_dead_end() {
    let line = "{\"level\":\"error\",\"ts\":1789459200.5,\"caller\":\"x/y.go:1\",\"msg\":\"the gizmo went astray\"}\n";
    omnilog::<&str>([]).input(line).exits(0).says("the gizmo went astray").says("explained by nothing");
}

#[test]
fn markdown_stays_what_it_is_on_hostile_input() {
    let folder = samples("hostile");
    let mut complaints = Vec::new();
    for path in files(&folder) {
        let done = omnilog(["--format", "markdown", "--all"]).args([&path]).done();
        if done.status == 0 {
            complaints.extend(markup(&done.stdout).into_iter().map(|m| format!("{}: {m}", path.display())));
        } else if done.status != 2 {
            complaints.push(format!("{done}"));
        }
    }
    none(&complaints);
}

#[test]
fn markdown_stays_what_it_is_when_evidence_is_hostile() {
    let attacks = [
        "```\n<script>alert(1)</script>\n```",
        "<img src=x onerror=alert(1)>",
        "[click](javascript:alert(1)) ![x](http://192.0.2.1/x.png)",
        "</details></summary><h1>",
        "| a | b |\n|---|---|",
        "# heading **bold** ~~~",
        "````text\nx\n````",
        "\u{202e}gnp.exe\u{1b}[2J\u{7}",
    ];
    let mut complaints = Vec::new();
    for attack in attacks {
        let text = format!("{} {attack}\n{attack}\n", FULL.trim_end());
        let done = omnilog(["--format", "markdown", "--all"]).input(&text).exits(0).says("storage-full");
        complaints.extend(markup(&done.stdout).into_iter().map(|m| format!("{attack:?}: {m}")));
    }
    none(&complaints);
}

#[test]
fn markdown_never_outgrows_a_ticket() {
    let line = |n: usize| format!("{} {}\n", FULL.trim_end(), format!("word{n} ").repeat(400));
    let dir = Dir::new();
    for n in 0..60 {
        let name = format!("{}/{n}.log", "folder-with-a-long-name-".repeat(8));
        dir.write(&name, line(n).repeat(20).as_bytes());
    }
    for sample in [
        "etcd-unhealthy--slow-disk",
        "node-join--join-token-invalid",
        "node-memory--oom",
        "install--install-disk-not-found",
    ] {
        for path in files(&samples("incidents").join(sample)) {
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            dir.write(&format!("{sample}/{name}"), &std::fs::read(&path).expect("a file"));
        }
    }
    let done = omnilog(["--format", "markdown", "--all", "."]).within(dir.path()).exits(0).says("storage-full");
    assert!(done.stdout.len() < 60_000, "{} bytes", done.stdout.len());
    assert!(done.stdout.contains("<details>"), "{done}");
    let (open, closed) = (done.stdout.matches("<details>").count(), done.stdout.matches("</details>").count());
    assert_eq!(open, closed, "{done}");
}

/// Markup in a Markdown text that a report never makes itself.
fn markup(text: &str) -> Vec<String> {
    let mut found: Vec<String> = support::harmful(&text.replace('\t', " ")).iter().map(|c| format!("{c:?}")).collect();
    for event in Parser::new_ext(text, Options::all()) {
        match event {
            Event::Start(Tag::Link { .. } | Tag::Image { .. } | Tag::Table(_) | Tag::FootnoteDefinition(_)) => {
                found.push(format!("{event:?}"));
            }
            Event::Html(html) | Event::InlineHtml(html) => {
                let rest = html
                    .replace("<details>", "")
                    .replace("<summary>", "")
                    .replace("</summary>", "")
                    .replace("</details>", "");
                if rest.contains('<') {
                    found.push(html.to_string());
                }
            }
            _ => {}
        }
    }
    found
}

/// The titles of the remedies for the best root cause of a log.
fn remedies(log: &str, cause: &str) -> Vec<String> {
    let report = omnilog(["-"]).input(log).report();
    let best = &report["root_causes"][0];
    assert_eq!(best["id"], cause);
    let steps = best["remediation"].as_array().expect("steps");
    steps.iter().map(|s| s["title"].as_str().expect("a title").to_owned()).collect()
}

#[test]
fn the_remedy_that_fits_what_was_seen_comes_first() {
    let cause = "proxmox-storage/storage-misconfigured";
    let share =
        remedies("TASK ERROR: unable to create VM 104 - mkdir /mnt/pve/nas/images/104: Permission denied\n", cause);
    assert!(share[0].starts_with("A share that refuses writes"), "{share:#?}");
    let refused = "TASK ERROR: unable to create VM 104 - storage 'local' does not support content-type 'images'\n";
    let content = remedies(refused, cause);
    assert!(content[0].starts_with("Look at the definition"), "a look comes before a change: {content:#?}");
    assert!(content[1].starts_with("Allow the missing content type"), "{content:#?}");
    assert!(!content.iter().any(|s| s.starts_with("A share")), "it would not help: {content:#?}");
    // Of two that count once, the one that stands first in the file.
    let peers = "{\"level\":\"warn\",\"ts\":\"2026-09-15T10:00:05.289Z\",\"caller\":\"rafthttp/probing_status.go:68\",\
                 \"msg\":\"prober detected unhealthy status\",\"remote-peer-id\":\"bac29e825bf921c2\",\
                 \"error\":\"x509: certificate is valid for 198.51.100.12, not 192.0.2.12\"}\n";
    let etcd = remedies(peers, "certificates/name-not-covered");
    assert!(etcd[0].starts_with("etcd: tell it"), "{etcd:#?}");
}
