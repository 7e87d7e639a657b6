//! One HTML file that explains itself: opened from disk, shown to colleagues, printed, read on a phone.
//!
//! Everything comes from the model. The file loads nothing and names its own style and script by digest (see `csp`); all
//! text passes one border (see `page`). Without JavaScript it reads in full; the script adds zoom, copy buttons and themes.
//! Lists end with a note before the file reaches 5 MB.

mod cause;
mod csp;
mod page;
mod tables;
mod time;
mod timeline;
mod view;

use std::io::{self, Write};

use page::Page;
use view::View;

use super::model::{Report, RootCause};
use super::words::{MORE, UNDECIDED, counted, nothing_left};
use super::{PSEUDONYMS, Renderer, Style};

/// One self-contained HTML file.
pub struct Html;

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");

/// Lines of the log around each line of evidence, unless told otherwise.
const CONTEXT: u64 = 3;

impl Renderer for Html {
    fn name(&self) -> &'static str {
        "html"
    }

    fn context(&self) -> u64 {
        CONTEXT
    }

    fn render(&self, report: &Report, style: &Style, out: &mut dyn Write) -> io::Result<()> {
        out.write_all(document(&View::new(report, style.all)).as_bytes())
    }
}

/// The whole document.
fn document(view: &View<'_>) -> String {
    let mut page = Page::default();
    head(&mut page, view);
    summary(&mut page, view);
    timeline::section(&mut page, view);
    causes(&mut page, view);
    tables::unexplained(&mut page, view);
    tables::coverage(&mut page, view);
    foot(&mut page, view);
    page.finish()
}

fn head(page: &mut Page, view: &View<'_>) {
    page.raw("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">");
    page.raw("<meta http-equiv=\"Content-Security-Policy\" content=\"").text(&csp::policy(STYLE, SCRIPT)).raw("\">");
    page.raw("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">");
    page.raw("<meta name=\"color-scheme\" content=\"light dark\"><meta name=\"referrer\" content=\"no-referrer\">");
    page.raw("<title>").text(&title(view)).raw("</title><style>").raw(STYLE).raw("</style></head>\n<body>");
    page.raw("<a class=\"skip\" href=\"#main\">To the report</a>");
    page.raw(
        "<header class=\"top\"><div class=\"bar\"><span class=\"brand\">omnilog</span><nav aria-label=\"Sections\">",
    );
    page.raw("<a href=\"#summary\">Summary</a>");
    if timeline::has_marks(view) {
        page.raw("<a href=\"#timeline\">Timeline</a>");
    }
    if !view.report.root_causes.is_empty() {
        page.raw("<a href=\"#causes\">Root causes</a>");
    }
    if view.report.unexplained.events > 0 {
        page.raw("<a href=\"#unexplained\">Unexplained</a>");
    }
    page.raw("<a href=\"#coverage\">Coverage</a></nav>");
    page.raw("<button type=\"button\" id=\"unfold\" class=\"quiet\" hidden>Unfold all</button>");
    page.raw("<button type=\"button\" id=\"theme\" class=\"quiet\" hidden>Theme: auto</button></div></header>\n");
    page.raw("<main id=\"main\">");
}

fn title(view: &View<'_>) -> String {
    match view.best() {
        Some(best) if view.is_likely() => format!("{} ({}) · omnilog", best.title, best.verdict),
        _ => "No likely root cause · omnilog".into(),
    }
}

/// The answer, on the first screen.
fn summary(page: &mut Page, view: &View<'_>) {
    page.raw("<section id=\"summary\" aria-label=\"Summary\">");
    match view.best() {
        Some(best) if view.is_likely() => answer(page, view, best),
        best => no_answer(page, view, best),
    }
    page.raw("</section>\n");
}

fn answer(page: &mut Page, view: &View<'_>, best: &RootCause) {
    page.raw("<p class=\"kicker\">");
    cause::verdict(page, best);
    page.raw("<span class=\"level\">impact ").text(&best.level).raw("</span><code class=\"id\">").text(&best.id);
    page.raw("</code></p><h1>").prose(&best.title).raw("</h1>");
    cause::facts(page, best);
    pseudonyms(page, view);
    page.element("<p class=\"lead\">", &best.reason, "</p>");
    page.raw("<div class=\"pair\"><div>");
    if let Some((index, line)) = best.evidence.iter().enumerate().find(|(_, e)| e.role == "supports") {
        page.raw("<h2>What proves it</h2>");
        page.element("<p>", &line.says, "</p>");
        cause::quote(page, view, line);
        page.raw("<p class=\"go\"><a href=\"#").text(&view::line_anchor(best, index)).raw("\">All evidence</a></p>");
    }
    page.raw("</div><div>");
    if let Some(step) = best.remediation.first() {
        page.raw("<h2>What to do first</h2>");
        cause::step(page, step);
        page.raw("<p class=\"go\"><a href=\"#").text(&view::anchor(best)).raw("-steps\">");
        page.text(&format!("All {}", counted(best.remediation.len() as u64, "step", "steps"))).raw("</a></p>");
    }
    page.raw("</div></div>");
    also(page, &view.likely[1..]);
}

/// Says that names are not the real ones, before any command is copied.
fn pseudonyms(page: &mut Page, view: &View<'_>) {
    if view.report.redacted {
        page.raw("<p class=\"note\">").text(PSEUDONYMS).raw("</p>");
    }
}

/// Further root causes that are likely at the same time.
fn also(page: &mut Page, others: &[&RootCause]) {
    if others.is_empty() {
        return;
    }
    page.raw("<h2>At the same time</h2><ul class=\"also\">");
    for cause in others {
        page.raw("<li>");
        cause::verdict(page, cause);
        page.raw("<a href=\"#").text(&view::anchor(cause)).raw("\">").prose(&cause.title).raw("</a></li>");
    }
    page.raw("</ul>");
}

fn no_answer(page: &mut Page, view: &View<'_>, guess: Option<&RootCause>) {
    let report = view.report;
    let lines: u64 = report.inputs.iter().map(|i| i.lines).sum();
    let read = format!(
        "{} of {} were read.",
        counted(lines, "line", "lines"),
        counted(report.inputs.len() as u64, "source", "sources")
    );
    page.raw("<p class=\"kicker\"><span class=\"chip weak\">nothing likely</span></p>");
    page.raw("<h1>").text(if guess.is_some() { "No root cause is likely" } else { "No known root cause" }).raw("</h1>");
    page.raw("<p class=\"lead\">").text(&read);
    match report.unexplained.events {
        0 if report.symptoms.iter().any(|s| s.fault) => page
            .raw(" ")
            .text(UNDECIDED)
            .raw(" <a href=\"#symptoms\">see the symptoms</a>. Next, ")
            .text(MORE)
            .raw(".</p>"),
        0 => page.raw(" ").text(nothing_left(report)).raw("</p>"),
        1 => page.raw(" <a href=\"#unexplained\">One warning or error</a> is explained by nothing.</p>"),
        n => page
            .raw(" <a href=\"#unexplained\">")
            .text(&format!("{n} warnings and errors"))
            .raw("</a> are explained by nothing.</p>"),
    };
    pseudonyms(page, view);
    let Some(guess) = guess else { return };
    let heading = match guess.over {
        Some(_) => "This was put right, as the input shows",
        None => "The nearest guess, to be checked and not acted on",
    };
    page.raw("<h2>").text(heading).raw("</h2><p>");
    cause::verdict(page, guess);
    page.raw("<a href=\"#").text(&view::anchor(guess)).raw("\">").prose(&guess.title).raw("</a></p>");
    if let Some(collect) = guess.collect.first().filter(|_| guess.over.is_none()) {
        page.raw("<h2>What would tell more</h2><p>").prose(&collect.why).raw("</p>");
        cause::command(page, &collect.run);
    }
}

/// All root causes, those that are likely first.
fn causes(page: &mut Page, view: &View<'_>) {
    if view.report.root_causes.is_empty() {
        return;
    }
    page.raw("<section id=\"causes\" aria-labelledby=\"causes-title\"><h2 id=\"causes-title\">Root causes</h2>");
    for (index, cause) in view.likely.iter().enumerate() {
        cause::details(page, view, cause, index == 0);
    }
    group(page, view, "Seen as effects of these", &view.effects);
    let heading = if view.is_likely() { "Considered, and less likely" } else { "Considered, none of them likely" };
    group(page, view, heading, &view.others);
    if view.hidden > 0 {
        page.more(view.hidden, "below 0.10, shown with --all");
    }
    page.raw("</section>\n");
}

fn group(page: &mut Page, view: &View<'_>, heading: &'static str, causes: &[&RootCause]) {
    if causes.is_empty() {
        return;
    }
    page.raw("<h3>").raw(heading).raw("</h3>");
    for cause in causes {
        cause::details(page, view, cause, false);
    }
}

fn foot(page: &mut Page, view: &View<'_>) {
    let (tool, catalogue) = (&view.report.tool, &view.report.tool.catalogue);
    page.raw("</main>\n<footer><p>").text(&format!(
        "{} {} · catalogue {} with {} root causes · times in UTC",
        tool.name, tool.version, catalogue.digest, catalogue.root_causes
    ));
    page.raw("</p><p>This file loads nothing and sends nothing. It quotes log lines: read it before you share it.</p>");
    page.raw("</footer><p id=\"said\" class=\"unseen\" role=\"status\"></p>\n<script>").raw(SCRIPT);
    page.raw("</script></body></html>\n");
}
