//! `omnilog why-not ID [PATH]...`: what kept a root cause from being named: the nearest miss, what would decide, and each
//! item of evidence with what the input says of it.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};
use std::process::ExitCode;

use clap::Args;

use super::analyze::{InputArgs, nothing_read};
use super::near_miss::{self, Lines, Nearness, Reason};
use super::terminal::{self, Color, Counters};
use super::{OK, find_cause};
use crate::catalog::version::Version;
use crate::catalog::{Cause, Evidence, Expr, Term, Truth};
use crate::correlate::{Finding, HitRef, World};
use crate::matcher::near::Near;
use crate::pipeline;
use crate::rank::{self, Candidate};
use crate::redact;
use crate::report::fill::fill;
use crate::report::text::{clip, wrap};
use crate::report::{NAMED, build, sanitize};

/// Bytes of each source in which lines are looked for that almost fit.
const LOOKED_AT: usize = 32 << 20;
/// Near misses shown in full.
const MISSES: usize = 3;
/// Width of the column of labels.
const LABEL: usize = 9;

/// Arguments of `why-not`.
#[derive(Debug, Clone, Args)]
pub struct WhyNotArgs {
    /// `scenario/cause`, or the part after the slash.
    pub id: String,
    /// What to read.
    #[command(flatten)]
    pub input: InputArgs,
}

/// Runs the command.
///
/// # Errors
/// Unknown id, nothing to read, write errors.
pub fn run(args: &WhyNotArgs, now: i64) -> anyhow::Result<ExitCode> {
    let (catalogue, errors) = args.input.options.catalogue.load()?;
    super::warn(&errors);
    let index = find_cause(catalogue, &args.id)?;
    let scanner = args.input.options.scanner(catalogue, now)?;
    let Some(cause) = catalogue.causes.get(index) else { return Ok(ExitCode::from(OK)) };
    let lines =
        Lines::new(Near::new(&scanner.matcher, near_miss::signatures(catalogue, cause)), scanner.limits.clone());
    let options = args.input.options.input_options()?;
    let read = || pipeline::read_and_look(&scanner, &args.input.paths, &options, LOOKED_AT, &|c, b| lines.look(c, b));
    let analysis = terminal::with_progress(Counters::new(&scanner, &options.taken), &args.input.paths, false, read);
    if analysis.sources.iter().all(|s| s.bytes == 0) {
        anyhow::bail!(nothing_read(&analysis.problems));
    }
    let world = World::new(catalogue, &analysis.sources);
    let redaction = &args.input.options.redaction;
    let (pseudonyms, map) = (redaction.pseudonyms(false)?, redaction.open_map()?);
    let mut page = Vec::new();
    let width = terminal::style(Color::Never, false, false).width.min(120);
    Page { out: &mut page, width, world: &world, lines: &lines, cause, index, entities: BTreeMap::new() }.write()?;
    let mut text = redact::mask(&String::from_utf8_lossy(&page)).into_owned();
    if let Some(mut pseudonyms) = pseudonyms {
        build::names(&world).iter().for_each(|(key, name)| pseudonyms.learn_named(key, name));
        text = pseudonyms.redact(&text);
        map.map_or(Ok(()), |map| map.write(&pseudonyms))?;
    }
    terminal::page(|out| out.write_all(text.as_bytes()))?;
    Ok(ExitCode::from(OK))
}

/// An item of evidence with what the input says of it.
struct Judged<'c> {
    item: &'c Evidence,
    finding: Finding,
    /// Whether the input could have shown it.
    known: bool,
}

struct Page<'p> {
    out: &'p mut dyn Write,
    width: usize,
    world: &'p World<'p>,
    lines: &'p Lines<'p>,
    cause: &'p Cause,
    index: usize,
    /// Names of the things concerned, for commands.
    entities: BTreeMap<String, Vec<String>>,
}

impl<'p> Page<'p> {
    fn write(&mut self) -> io::Result<()> {
        let candidates = rank::rank(self.world);
        self.standing(&candidates)?;
        self.versions()?;
        let judged = self.judge();
        for against in judged.iter().filter(|j| !j.item.supports() && j.finding.truth == Truth::True) {
            self.field("against", &format!("{} ({})", against.item.says, factor(against.item)))?;
            self.places(&against.finding.hits)?;
        }
        self.misses(&judged)?;
        self.table(&judged)
    }

    /// Whether it was considered, how sure it is, and what stands before it.
    fn standing(&mut self, candidates: &[Candidate]) -> io::Result<()> {
        let cause = self.cause;
        let Some(rank) = candidates.iter().position(|c| c.cause == self.index) else {
            self.line(&format!("{} was not considered: nothing that supports it was seen.", cause.id))?;
            return self.line(&cause.title);
        };
        self.entities = candidates.get(rank).map(|c| c.entities.clone()).unwrap_or_default();
        let confidence = candidates.get(rank).map_or(0.0, |c| c.confidence);
        let named = if confidence >= NAMED { "is named" } else { "is not named" };
        self.line(&format!("{} {named}: rank {} with confidence {confidence:.3}.", cause.id, rank + 1))?;
        self.line(&cause.title)?;
        self.field("prior", &format!("{:.3} before anything was seen", cause.prior))?;
        for before in candidates.iter().take(rank).filter(|c| c.confidence >= NAMED).take(MISSES) {
            let id = self.world.catalogue.causes.get(before.cause).map_or("", |c| c.id.as_str());
            let how = if before.explains.contains(&self.index) { "it brings this one about" } else { "more likely" };
            let shared =
                if self.shares_lines(before, candidates.get(rank)) { ", and explains the same lines" } else { "" };
            self.field("behind", &format!("{id} {:.2}: {how}{shared}", before.confidence))?;
        }
        Ok(())
    }

    /// Whether two root causes rest on a line in common.
    fn shares_lines(&self, one: &Candidate, other: Option<&Candidate>) -> bool {
        let places = |candidate: &Candidate| {
            let hits = candidate.items.iter().flat_map(|i| i.hits.clone()).collect::<Vec<_>>();
            hits.into_iter().filter_map(|at| Some((at.source, self.world.hit(at)?.line))).collect::<Vec<_>>()
        };
        let own = places(one);
        other.is_some_and(|other| places(other).iter().any(|place| own.contains(place)))
    }

    /// Versions in the input that do not have this fault.
    fn versions(&mut self) -> io::Result<()> {
        for affected in &self.cause.applications {
            let seen = || {
                let versions = self.world.sources.iter().flat_map(|s| s.found.versions.iter().map(move |v| (s, v)));
                versions.filter(|(_, (name, _))| *name == affected.name)
            };
            let has = |version: &str| Version::parse(version).is_some_and(|v| affected.covers(&v));
            if seen().any(|(_, (_, version))| has(version)) {
                continue;
            }
            if let Some((source, (name, version))) = seen().next() {
                let place = sanitize::line(&source.context.label);
                let told = format!("{name} is {} ({place}); only {affected} has this fault", sanitize::line(version));
                self.field("version", &told)?;
            }
        }
        Ok(())
    }

    fn judge(&self) -> Vec<Judged<'p>> {
        let judge = |item: &'p Evidence| {
            let finding = self.world.find(&item.when);
            let blind = finding.truth == Truth::False && !item.needs.is_empty() && !self.world.has_service(item.needs);
            Judged { item, known: finding.truth != Truth::Unknown && !blind, finding }
        };
        self.cause.evidence.iter().map(judge).collect()
    }

    /// The items that came nearest to holding, and what was in the way.
    fn misses(&mut self, judged: &[Judged<'p>]) -> io::Result<()> {
        let strength = |j: &Judged<'p>| j.item.ratio();
        let held = |group: &str| {
            let holding =
                judged.iter().filter(|j| j.finding.truth == Truth::True && j.item.group.as_deref() == Some(group));
            holding.map(strength).fold(0.0, f64::max)
        };
        // Of one group only the strongest item counts: a weaker one than holds already would change nothing.
        let open = judged.iter().filter(|j| j.item.supports() && j.finding.truth != Truth::True);
        let open = open.filter(|j| j.item.group.as_deref().is_none_or(|group| strength(j) > held(group)));
        let mut near: Vec<(f64, &Judged<'p>, Vec<Reason>)> = open
            .map(|j| (near_miss::reasons(self.world, self.lines, j.item), j))
            .map(|(reasons, j)| (near_miss::nearness(&reasons).weight() * strength(j).ln(), j, reasons))
            .collect();
        near.sort_by(|a, b| b.0.total_cmp(&a.0).then(strength(b.1).total_cmp(&strength(a.1))));
        // What was in the way of one item needs not be told again for another.
        let mut told = BTreeSet::new();
        near.retain(|(_, _, reasons)| reasons.first().is_none_or(|r| told.insert(r.says.clone())));
        let telling = near.iter().filter(|n| n.0 > 0.0).count();
        let shown = telling.clamp(1, MISSES);
        for (index, (score, judged, reasons)) in near.iter().take(shown).enumerate() {
            self.line("")?;
            let head = match (index, *score > 0.0) {
                (0, true) => "The nearest miss:",
                (0, false) => "Nothing in the input comes near. The strongest item that would support it:",
                _ => "Next:",
            };
            self.line(head)?;
            self.miss(judged, reasons)?;
        }
        Ok(())
    }

    fn miss(&mut self, judged: &Judged<'p>, reasons: &[Reason]) -> io::Result<()> {
        let item = judged.item;
        self.field(
            "needs",
            &format!("{} ({})", if item.says.is_empty() { &item.id } else { &item.says }, factor(item)),
        )?;
        let missing: Vec<&str> = item.needs.names().collect();
        if !judged.known && !missing.is_empty() && !self.world.has_service(item.needs) {
            self.field("source", &format!("the input holds nothing of {}", missing.join(" or ")))?;
        }
        let near = reasons.iter().any(|r| r.nearness > Nearness::Nothing);
        for reason in reasons.iter().filter(|r| !near || r.nearness > Nearness::Nothing).take(MISSES) {
            self.field("but", &sanitize::line(&reason.says))?;
            self.places(&reason.hits)?;
            if let Some(line) = &reason.line {
                self.place(&line.source, line.number, &line.text, None)?;
            }
        }
        let page = self.world.catalogue.page(&self.cause.id).unwrap_or_default();
        if let Some(step) = page.collect.iter().find(|c| c.evidence == item.id) {
            self.field("collect", &step.why)?;
            for command in step.run.lines() {
                let command = fill(command.trim(), &self.entities);
                self.line(&format!("{}{command}", " ".repeat(LABEL + 4)))?;
            }
        }
        Ok(())
    }

    /// Each item with what the input says of it.
    fn table(&mut self, judged: &[Judged<'p>]) -> io::Result<()> {
        self.line("\nAll of its evidence, with the factor by which it changes the odds:")?;
        for one in judged {
            let word = match (one.finding.truth, one.known) {
                (Truth::True, _) => "seen",
                (_, true) => "not seen",
                _ => "unknown",
            };
            let item = one.item;
            let place = one.finding.hits.first().map(|at| format!("  {}", self.label(*at))).unwrap_or_default();
            let head = format!("  {word:<9}{:<8}", factor(item));
            let room = self.width.saturating_sub(head.chars().count());
            for (number, part) in wrap(&format!("{}: {}{place}", item.id, item.says), room).into_iter().enumerate() {
                let head = if number == 0 { head.clone() } else { " ".repeat(head.chars().count()) };
                self.line(&format!("{head}{part}"))?;
            }
        }
        Ok(())
    }

    fn label(&self, at: HitRef) -> String {
        let source = self.world.sources.get(at.source).map_or("", |s| s.context.label.as_str());
        format!("{}:{}", sanitize::line(source), self.world.hit(at).map_or(0, |h| h.line))
    }

    /// The first lines that show something.
    fn places(&mut self, hits: &[HitRef]) -> io::Result<()> {
        for at in hits.iter().take(MISSES) {
            let Some(hit) = self.world.hit(*at) else { continue };
            let source = self.world.sources.get(at.source).map_or("", |s| s.context.label.as_str());
            self.place(source, hit.line, &hit.excerpt, hit.decisive.as_deref())?;
        }
        Ok(())
    }

    fn place(&mut self, source: &str, line: u64, text: &str, decisive: Option<&str>) -> io::Result<()> {
        let indent = " ".repeat(LABEL + 2);
        self.line(&format!("{indent}{}:{line}", sanitize::line(source)))?;
        if text.is_empty() {
            return Ok(());
        }
        let text = clip(&sanitize::line(text), decisive, self.width.saturating_sub(LABEL + 4));
        self.line(&format!("{indent}  {text}"))
    }

    fn line(&mut self, text: &str) -> io::Result<()> {
        writeln!(self.out, "{}", text.trim_end())
    }

    fn field(&mut self, label: &str, text: &str) -> io::Result<()> {
        let parts = wrap(text, self.width.saturating_sub(LABEL + 2));
        for (number, part) in parts.iter().enumerate() {
            let label = if number == 0 { label } else { "" };
            self.line(&format!("  {label:<LABEL$}{part}"))?;
        }
        Ok(())
    }
}

/// By what an item changes the odds: `×100`, `÷20`.
pub(super) fn factor(item: &Evidence) -> String {
    let number = |n: f64| if n >= 10.0 { format!("{n:.0}") } else { format!("{n:.1}") };
    if item.supports() { format!("×{}", number(item.ratio())) } else { format!("÷{}", number(1.0 / item.ratio())) }
}

/// The terms of a condition that are not as they should be.
pub(super) fn failing(world: &World<'_>, when: &Expr<Term>) -> Vec<(Term, bool, Truth)> {
    let mut failing: Vec<(Term, bool, Truth)> = Vec::new();
    when.names(&mut |term, positive| {
        let truth = world.find(&Expr::Name(*term)).truth;
        let wanted = if positive { Truth::True } else { Truth::False };
        if truth != wanted && !failing.iter().any(|(t, ..)| t == term) {
            failing.push((*term, positive, truth));
        }
    });
    failing
}
