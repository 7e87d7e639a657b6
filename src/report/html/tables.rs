//! What nothing explains, and what was read.

use std::collections::BTreeSet;

use crate::report::coverage;
use crate::report::model::{ClusterEntry, Input};
use crate::report::words::counted;

use super::page::Page;
use super::time;
use super::view::View;

/// Sources listed.
const SOURCES: usize = 500;
/// Problems listed.
const PROBLEMS: usize = 200;
/// Symptoms listed.
const SYMPTOMS: usize = 100;

/// The place of a cluster, by index.
pub fn cluster_anchor(index: usize) -> String {
    format!("u{}", index + 1)
}

/// Warnings and errors that nothing explains, and symptoms.
pub fn unexplained(page: &mut Page, view: &View<'_>) {
    let left = &view.report.unexplained;
    if left.events > 0 {
        page.raw("<section id=\"unexplained\" aria-labelledby=\"left\"><h2 id=\"left\">Unexplained</h2><p>");
        let share = if left.share < 0.005 { "less than 1".into() } else { format!("{:.0}", left.share * 100.0) };
        let count = counted(left.events, "warning or error", "warnings and errors");
        page.text(&format!("{count}, {share} % of all, are explained by nothing. Alike ones stand together."))
            .raw("</p>");
        for (index, cluster) in left.clusters.iter().enumerate() {
            if page.full() {
                page.more(left.clusters.len() - index, "kinds: the page is full");
                for index in index..left.clusters.len() {
                    page.raw("<span id=\"").text(&cluster_anchor(index)).raw("\"></span>");
                }
                break;
            }
            alike(page, view, cluster, index);
        }
        let shown: u64 = left.clusters.iter().map(|c| c.count).sum();
        let rest = left.events.saturating_sub(shown);
        page.more(usize::try_from(rest).unwrap_or(usize::MAX), "lines of other kinds, not shown");
        page.raw("</section>\n");
    }
    symptoms(page, view);
}

fn alike(page: &mut Page, view: &View<'_>, cluster: &ClusterEntry, index: usize) {
    page.raw("<div class=\"proof\" id=\"").text(&cluster_anchor(index)).raw("\" tabindex=\"-1\"><p class=\"at\">");
    page.raw("<span class=\"severity\">").text(&cluster.severity).raw("</span> ");
    page.text(&counted(cluster.count, "line", "lines")).raw(" <span title=\"").text(&cluster.source).raw("\">");
    page.text(&format!("{}:{}", view.short(&cluster.source), cluster.line)).raw("</span>");
    for stamp in cluster.first.iter().chain(cluster.last.iter().filter(|l| Some(*l) != cluster.first.as_ref())) {
        page.raw(" <time datetime=\"").text(stamp).raw("\">").text(&time::moment(stamp)).raw("</time>");
    }
    page.raw("</p><pre class=\"log\"><span class=\"row\" data-n=\"").text(&cluster.line.to_string()).raw("\">");
    page.text(cluster.sample.trim_end()).raw("\n</span></pre></div>");
}

fn symptoms(page: &mut Page, view: &View<'_>) {
    let symptoms = &view.report.symptoms;
    if symptoms.is_empty() {
        return;
    }
    page.raw("<section aria-labelledby=\"symptoms\"><h2 id=\"symptoms\">Symptoms</h2>");
    page.raw("<p>Signs that fit several root causes. By themselves they prove none.</p><ul class=\"plain\">");
    let mut shown = 0;
    for symptom in symptoms.iter().take(SYMPTOMS) {
        if page.full() {
            break;
        }
        shown += 1;
        page.raw("<li><p class=\"at\">").text(&symptom.title).raw(" <span>");
        page.text(&counted(symptom.count, "event", "events"))
            .raw("</span> <span title=\"")
            .text(&symptom.source)
            .raw("\">");
        page.text(&format!("{}:{}", view.short(&symptom.source), symptom.line)).raw("</span></p>");
        page.raw("<pre class=\"log\"><span class=\"row\" data-n=\"").text(&symptom.line.to_string()).raw("\">");
        page.text(symptom.excerpt.trim_end()).raw("\n</span></pre></li>");
    }
    page.raw("</ul>");
    page.more(symptoms.len() - shown, "symptoms");
    page.raw("</section>\n");
}

/// What was read: sources, services, problems.
pub fn coverage(page: &mut Page, view: &View<'_>) {
    page.raw("<section id=\"coverage\" aria-labelledby=\"covered\"><h2 id=\"covered\">Coverage</h2><p>");
    page.raw("What is not in these sources counts neither for nor against a root cause.</p><dl class=\"read\">");
    for (label, text) in coverage::summary(view.report) {
        page.raw("<dt>").text(label).raw("</dt><dd>").text(&text).raw("</dd>");
    }
    page.raw("</dl>");
    if !view.folder.is_empty() {
        page.raw("<p>All paths begin with <code>").text(&view.folder).raw("</code></p>");
    }
    problems(page, view);
    services(page, view);
    sources(page, view);
    page.raw("</section>\n");
}

fn problems(page: &mut Page, view: &View<'_>) {
    let problems = &view.report.problems;
    if problems.is_empty() {
        return;
    }
    page.raw("<h3>Not read, or only in part</h3><ul>");
    let mut shown = 0;
    let (losses, harmless): (Vec<_>, Vec<_>) = problems.iter().partition(|p| coverage::is_loss(p));
    for problem in losses.into_iter().chain(harmless).take(PROBLEMS) {
        if page.full() {
            break;
        }
        page.raw("<li><code>").text(view.short(&problem.source)).raw("</code>: ").text(&problem.message).raw("</li>");
        shown += 1;
    }
    page.raw("</ul>");
    page.more(problems.len() - shown, "problems");
}

fn services(page: &mut Page, view: &View<'_>) {
    let services = &view.report.coverage.services;
    if services.is_empty() {
        return;
    }
    page.raw(
        "<h3>Services</h3><div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Services\"><table><thead>",
    );
    page.raw(
        "<tr><th scope=\"col\">service</th><th scope=\"col\">first</th><th scope=\"col\">last</th></tr></thead><tbody>",
    );
    for (name, span) in services {
        page.raw("<tr><th scope=\"row\">").text(name).raw("</th>");
        stamps(page, span.first.as_deref(), span.last.as_deref());
        page.raw("</tr>");
    }
    page.raw("</tbody></table></div>");
}

fn stamps(page: &mut Page, first: Option<&str>, last: Option<&str>) {
    for stamp in [first, last] {
        page.raw("<td class=\"time\">").text(&stamp.map(time::moment).unwrap_or_default()).raw("</td>");
    }
}

fn sources(page: &mut Page, view: &View<'_>) {
    let chosen = chosen(view);
    page.raw("<h3>Sources</h3><div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Sources\"><table><thead><tr>");
    page.raw("<th scope=\"col\">source</th><th scope=\"col\" class=\"number\">lines</th>");
    page.raw("<th scope=\"col\" class=\"number\">understood</th><th scope=\"col\">formats</th>");
    page.raw(
        "<th scope=\"col\">first</th><th scope=\"col\">last</th><th scope=\"col\">zone</th><th scope=\"col\">read</th>",
    );
    page.raw("</tr></thead><tbody>");
    let mut shown = 0;
    for input in &chosen {
        if page.full() {
            break;
        }
        shown += 1;
        page.raw("<tr><th scope=\"row\" class=\"path\">")
            .text(view.short(&input.source))
            .raw("</th><td class=\"number\">");
        page.text(&input.lines.to_string()).raw("</td><td class=\"number\">");
        page.text(&format!("{:.0} %", input.understood * 100.0))
            .raw("</td><td>")
            .text(&input.formats.join(", "))
            .raw("</td>");
        stamps(page, input.first.as_deref(), input.last.as_deref());
        page.raw("<td>").text(input.timezone.as_deref().unwrap_or_default());
        if let Some(off) = coverage::clock_off(input) {
            page.text(&format!("; {off}, corrected"));
        }
        page.raw("</td><td>").text(&input.status).raw("</td></tr>");
    }
    page.raw("</tbody></table></div>");
    page.more(view.report.inputs.len() - shown, "sources, listed by --format json");
}

/// The sources to list, in their order: all, or those with evidence or something to say first.
fn chosen<'r>(view: &View<'r>) -> Vec<&'r Input> {
    let inputs = &view.report.inputs;
    if inputs.len() <= SOURCES {
        return inputs.iter().collect();
    }
    let causes = view.report.root_causes.iter();
    let told: BTreeSet<&str> = causes.flat_map(|c| &c.evidence).map(|e| e.source.as_str()).collect();
    let (first, rest): (Vec<&Input>, Vec<&Input>) =
        inputs.iter().partition(|i| told.contains(i.source.as_str()) || i.status != "complete");
    let mut chosen: Vec<&Input> = first.into_iter().chain(rest).take(SOURCES).collect();
    chosen.sort_by(|a, b| a.source.cmp(&b.source));
    chosen
}
