//! JUnit XML for pipelines: a suite for each scenario, a test case for each root cause, a failure for each likely one.
//!
//! Kept to what both common descriptions of the format allow (the one of Ant's `junitreport` and the one of Jenkins):
//! every attribute that one of them requires is there, and nothing that one of them forbids.

use std::collections::BTreeMap;
use std::io::{self, Write};

use super::coverage;
use super::model::{ProblemEntry, Report, RootCause};
use super::{PSEUDONYMS, Renderer, Style, sanitize};

/// JUnit XML.
pub struct Junit;

/// A case that did not pass: its element, with a message, a type and a text.
struct Outcome {
    element: &'static str,
    message: String,
    kind: String,
    text: String,
}

struct Case {
    class: String,
    name: String,
    outcome: Option<Outcome>,
}

impl Renderer for Junit {
    fn name(&self) -> &'static str {
        "junit"
    }

    fn render(&self, report: &Report, style: &Style, out: &mut dyn Write) -> io::Result<()> {
        let mut suites: BTreeMap<String, (Vec<Case>, Vec<String>)> = BTreeMap::new();
        for cause in report.root_causes.iter().filter(|c| style.all || c.confidence >= super::NAMED) {
            let (cases, notes) = suites.entry(cause.scenario.clone()).or_default();
            cases.push(case(cause));
            // Only possible, so no failure; still worth a look.
            if cause.confidence < super::LIKELY {
                notes.push(format!("{}: {}", cause.id, summary(cause)));
            }
        }
        if suites.is_empty() {
            let passed = Case { class: "omnilog".into(), name: "no known root cause".into(), outcome: None };
            suites.insert("omnilog".into(), (vec![passed], Vec::new()));
        }
        let lost: Vec<Case> = report.problems.iter().filter(|p| coverage::is_loss(p)).map(unread).collect();
        if !lost.is_empty() {
            suites.insert("input".into(), (lost, Vec::new()));
        }
        writeln!(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>")?;
        for (id, (name, (cases, mut notes))) in suites.into_iter().enumerate() {
            if report.redacted {
                notes.push(PSEUDONYMS.into());
            }
            suite(report, id, &name, &cases, &notes.join("\n"), out)?;
        }
        writeln!(out, "</testsuites>")
    }
}

fn case(cause: &RootCause) -> Case {
    let failure = (cause.confidence >= super::LIKELY).then(|| Outcome {
        element: "failure",
        message: summary(cause),
        kind: cause.verdict.clone(),
        text: text(cause),
    });
    Case { class: cause.scenario.clone(), name: cause.cause.clone(), outcome: failure }
}

/// A source that could not be read: nothing can be said of it.
fn unread(problem: &ProblemEntry) -> Case {
    let outcome =
        Outcome { element: "skipped", message: problem.message.clone(), kind: String::new(), text: String::new() };
    Case { class: "input".into(), name: problem.source.clone(), outcome: Some(outcome) }
}

fn summary(cause: &RootCause) -> String {
    let since = cause.first_seen.as_ref().map(|t| format!(", since {t}")).unwrap_or_default();
    format!("{} ({} {:.2}{since})", cause.title, cause.verdict, cause.confidence)
}

/// Evidence and steps.
fn text(cause: &RootCause) -> String {
    let mut text = String::new();
    for line in &cause.evidence {
        let against = if line.role == "supports" { "" } else { "against it: " };
        text.push_str(&format!("{}:{} {against}{}\n", line.source, line.line, line.says));
        text.push_str(&format!("    {}\n", sanitize::line(&line.excerpt)));
    }
    for (number, step) in (1..).zip(&cause.remediation) {
        text.push_str(&format!("{number}. {} (risk: {})\n", step.title, step.risk));
        if !step.precondition.is_empty() {
            text.push_str(&format!("    only if: {}\n", step.precondition));
        }
        step.run.lines().for_each(|run| text.push_str(&format!("    {run}\n")));
    }
    text
}

fn suite(report: &Report, id: usize, name: &str, cases: &[Case], notes: &str, out: &mut dyn Write) -> io::Result<()> {
    let count =
        |element: &str| cases.iter().filter(|c| c.outcome.as_ref().is_some_and(|o| o.element == element)).count();
    // The end of what was read: a report does not depend on when it was made. The format knows no zone.
    let stamp = report.coverage.last.as_deref().and_then(|t| t.get(..19)).unwrap_or("1970-01-01T00:00:00");
    writeln!(
        out,
        "  <testsuite id=\"{id}\" package=\"omnilog\" name=\"{}\" hostname=\"localhost\" timestamp=\"{stamp}\" tests=\"{}\" \
         failures=\"{}\" errors=\"0\" skipped=\"{}\" time=\"0\">",
        escape(name),
        cases.len(),
        count("failure"),
        count("skipped"),
    )?;
    writeln!(out, "    <properties>")?;
    writeln!(out, "      <property name=\"catalogue\" value=\"{}\"/>", escape(&report.tool.catalogue.digest))?;
    writeln!(out, "    </properties>")?;
    for case in cases {
        write(case, out)?;
    }
    writeln!(out, "    <system-out>{}</system-out>\n    <system-err></system-err>\n  </testsuite>", escape(notes))
}

fn write(case: &Case, out: &mut dyn Write) -> io::Result<()> {
    let head = format!("<testcase classname=\"{}\" name=\"{}\" time=\"0\"", escape(&case.class), escape(&case.name));
    let Some(outcome) = &case.outcome else { return writeln!(out, "    {head}/>") };
    let (element, message) = (outcome.element, escape(&outcome.message));
    let kind = if outcome.kind.is_empty() { String::new() } else { format!(" type=\"{}\"", escape(&outcome.kind)) };
    writeln!(out, "    {head}>")?;
    writeln!(out, "      <{element} message=\"{message}\"{kind}>{}</{element}>", escape(&outcome.text))?;
    writeln!(out, "    </testcase>")
}

/// Text for elements and attributes: markup is escaped, what XML 1.0 does not allow is replaced.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in sanitize::text(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_and_forbidden_characters_are_escaped() {
        assert_eq!(escape("<a b=\"c\">&'\u{ffff}"), "&lt;a b=&quot;c&quot;&gt;&amp;&apos;\u{fffd}");
    }
}
