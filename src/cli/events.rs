//! `omnilog events [PATH]...`: the normalised events of all sources, merged by time.

use std::collections::BTreeSet;
use std::io::{self, Read, Write};
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};

use clap::Args;
use serde::Serialize;

use super::analyze::{InputArgs, nothing_read};
use super::terminal;
use super::{OK, Usage};
use crate::correlate::zone::Traces;
use crate::event::time::{DAY, SECOND};
use crate::event::{Event, RawTime, Service, Severity};
use crate::input::{self, Content, Problem, Source, Visitor};
use crate::pipeline;
use crate::redact::{self, Pseudonyms, Stream};
use crate::report::build::rfc3339;
use crate::report::sanitize;
use crate::scan::{Clock, SourceContext, TimeKind, walk};

/// Events held at the most; further ones are counted.
const LIMIT: usize = 1_000_000;

/// Arguments of `events`.
#[derive(Debug, Clone, Args)]
pub struct EventsArgs {
    /// What to read.
    #[command(flatten)]
    pub input: InputArgs,
    /// Only events at least this severe: debug, info, notice, warning, error, critical, fatal.
    #[arg(long, value_name = "LEVEL")]
    pub min_level: Option<String>,
    /// Only events of this service.
    #[arg(long, value_name = "SERVICE")]
    pub service: Option<String>,
    /// Only events whose text contains this.
    #[arg(long, value_name = "TEXT")]
    pub contains: Option<String>,
    /// Print one JSON object a line.
    #[arg(long, value_name = "FORMAT", default_value = "text", value_parser = ["text", "ndjson"])]
    pub format: String,
}

/// One event as it is printed.
#[derive(Debug, Serialize)]
struct Row {
    timestamp: Option<String>,
    #[serde(skip)]
    order: i64,
    /// Its stamp, and that of the event before.
    #[serde(skip)]
    raw: (RawTime, RawTime),
    severity_number: u8,
    severity: &'static str,
    service: Option<&'static str>,
    node: Option<String>,
    source: String,
    line: u64,
    format: &'static str,
    body: String,
    attributes: Vec<(String, String)>,
}

impl Row {
    /// Replaces what identifies somebody.
    fn redact(&mut self, pseudonyms: &mut Pseudonyms) {
        // A key may hold a name too: `contexts.prod.nodes`.
        let values = self.attributes.iter_mut().flat_map(|(key, value)| [key, value]);
        for text in self.node.iter_mut().chain([&mut self.source, &mut self.body]).chain(values) {
            *text = pseudonyms.redact(text);
        }
    }
}

/// Runs the command.
///
/// # Errors
/// Usage errors, write errors.
pub fn run(args: &EventsArgs, now: i64) -> anyhow::Result<ExitCode> {
    let (catalogue, _) = args.input.options.catalogue.load()?;
    let scanner = args.input.options.scanner(catalogue, now)?;
    let filter = Filter::new(args, scanner.since, scanner.until)?;
    let redaction = &args.input.options.redaction;
    let (pseudonyms, map) = (redaction.pseudonyms(false)?, redaction.open_map()?);
    let found = Mutex::new(Found { pseudonyms, ..Found::default() });
    let options = args.input.options.input_options()?;
    let collector = Collector { filter, options: &options, zone: scanner.zone.unwrap_or(0), now, found };
    let visited = input::visit(&args.input.paths, &options, &collector);
    let span = collector.filter.span;
    let mut found = collector.found.into_inner().unwrap_or_else(PoisonError::into_inner);
    if visited.sources == 0 {
        found.problems.sort();
        let problems: Vec<_> = std::mem::take(&mut found.problems).into_iter().map(pipeline::entry).collect();
        anyhow::bail!(nothing_read(&problems));
    }
    found.settle(scanner.zone.is_some(), span);
    for zone in &found.zones {
        terminal::note(&found.pseudonyms.as_mut().map_or(zone.clone(), |p| p.redact(zone)));
    }
    for problem in &found.problems {
        let message = format!("{}: {}", problem.source, problem.message);
        terminal::note(&found.pseudonyms.as_mut().map_or(message.clone(), |p| p.redact(&message)));
    }
    if found.left_out > 0 {
        terminal::note(&format!(
            "{} further events are left out; narrow with --since, --min-level or --contains",
            found.left_out
        ));
    }
    found.rows.sort_by(|a, b| (a.order, &a.source, a.line).cmp(&(b.order, &b.source, b.line)));
    if let Some(pseudonyms) = &mut found.pseudonyms {
        found.rows.iter_mut().for_each(|row| row.redact(pseudonyms));
        map.map_or(Ok(()), |map| map.write(pseudonyms))?;
    }
    terminal::print(|out| found.rows.iter().try_for_each(|row| write(out, row, args.format == "ndjson")))?;
    Ok(ExitCode::from(OK))
}

fn write(out: &mut dyn Write, row: &Row, json: bool) -> io::Result<()> {
    if json {
        serde_json::to_writer(&mut *out, row)?;
        return writeln!(out);
    }
    let time = row.timestamp.as_deref().unwrap_or("-");
    let place = row.node.as_deref().unwrap_or("-");
    let service = row.service.unwrap_or(row.format);
    let mut text = sanitize::line(&row.body);
    for (key, value) in &row.attributes {
        text.push_str(&format!(" {key}={}", sanitize::line(value)));
    }
    writeln!(out, "{time:<24} {:<8} {place:<16} {service:<14} {}:{}  {text}", row.severity, row.source, row.line)
}

struct Filter {
    level: Severity,
    service: Option<Service>,
    contains: Option<String>,
    span: (i64, i64),
}

impl Filter {
    fn new(args: &EventsArgs, since: Option<i64>, until: Option<i64>) -> anyhow::Result<Self> {
        let level = args.min_level.as_deref().map_or(Severity::UNKNOWN, |l| Severity::from_word(l.as_bytes()));
        if let Some(word) = args.min_level.as_deref().filter(|_| level == Severity::UNKNOWN) {
            anyhow::bail!(Usage(format!("--min-level {word}: expected for example `warning` or `error`")));
        }
        let service = match args.service.as_deref() {
            None => None,
            Some(name) => Some(Service::from_name(name).ok_or_else(|| {
                let known = Service::all().iter().map(|(n, _)| *n);
                let help = crate::suggest::did_you_mean(name, known).unwrap_or_default();
                Usage(format!("unknown service `{name}`; {help}"))
            })?),
        };
        let span = (since.unwrap_or(i64::MIN), until.unwrap_or(i64::MAX));
        Ok(Self { level, service, contains: args.contains.clone(), span })
    }

    /// Whether an event is asked for; its zone may yet turn out to be another one.
    fn keeps(&self, event: &Event<'_>, time: Option<i64>) -> bool {
        let span = self.span.0.saturating_sub(DAY)..=self.span.1.saturating_add(DAY);
        event.severity >= self.level
            && (self.service.is_none() || event.service == self.service)
            && time.is_none_or(|t| span.contains(&t))
            && self.contains.as_ref().is_none_or(|c| event.text().contains(c.as_str()))
    }
}

struct Collector<'o> {
    options: &'o input::Options,
    filter: Filter,
    zone: i64,
    now: i64,
    found: Mutex<Found>,
}

/// The events of one source, until its zone is known.
struct Part {
    label: String,
    clock: Clock,
    start: Option<i64>,
    rows: Vec<Row>,
    traces: Traces,
    /// Whether it has stamps without a zone.
    open: bool,
    journal: bool,
}

#[derive(Default)]
struct Found {
    rows: Vec<Row>,
    parts: Vec<Part>,
    /// The zones that were found, in words.
    zones: Vec<String>,
    /// When names are to be hidden: those that were told so far.
    pseudonyms: Option<Pseudonyms>,
    problems: Vec<Problem>,
    left_out: u64,
}

impl Collector<'_> {
    fn collect(&self, context: &SourceContext, read: &mut dyn Read) {
        let clock = Clock { reference: context.modified.unwrap_or(self.now), zone: self.zone * SECOND };
        let label = sanitize::line(&redact::mask(&context.label));
        let mut part = Part {
            label,
            clock,
            start: context.start,
            rows: Vec::new(),
            traces: Traces::default(),
            open: false,
            journal: context.service == Some(Service::PveJournal),
        };
        let mut before = RawTime::None;
        let mut left_out = 0;
        let mut secrets = Stream::default();
        let mut names = self.found.lock().unwrap_or_else(PoisonError::into_inner).pseudonyms.clone();
        let result = walk::events(context, &self.options.limits, read, &mut |line, event| {
            let time = clock.resolve(event.time).filter(|t| t.kind != TimeKind::SinceBoot).map(|t| t.micros);
            part.learn(event, time);
            let raw = (event.time, before);
            before = if time.is_some() { event.time } else { before };
            if !self.filter.keeps(event, time) {
                secrets.skip(&event.body);
                return;
            }
            if part.rows.len() >= LIMIT {
                left_out += 1;
                return;
            }
            if let Some(names) = &mut names {
                names.learn_event(event);
                names.learn(&event.body);
            }
            part.rows.push(row(context, line, event, raw, &mut secrets));
        });
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        if let (Some(all), Some(names)) = (&mut found.pseudonyms, names) {
            all.absorb(names);
        }
        if let Err(error) = result {
            terminal::note(&format!("{}: reading failed: {error}", context.label));
        }
        let held: usize = found.parts.iter().map(|p| p.rows.len()).sum();
        let room = LIMIT.saturating_sub(held);
        found.left_out += left_out + part.rows.len().saturating_sub(room) as u64;
        part.rows.truncate(room);
        found.parts.push(part);
    }
}

impl Part {
    /// Notes what an event tells of the zone of its source.
    fn learn(&mut self, event: &Event<'_>, time: Option<i64>) {
        self.open |= matches!(event.time, RawTime::Local(_) | RawTime::Yearless(_));
        self.journal |= event.service == Some(Service::PveJournal);
        let upid = event.entities.iter().find(|(key, _)| key == "pve.upid");
        if let (Some((_, upid)), Some(time)) = (upid, time) {
            self.traces.note(event.time, time, upid, event.body.contains("starting task UPID:"));
        }
    }

    /// Reads the stamps in a zone, seconds east of UTC.
    fn settle(&mut self, east: i64) {
        self.clock.zone = east * SECOND;
        let (clock, start) = (self.clock, self.start);
        let time = |raw| clock.resolve(raw).filter(|t| t.kind != TimeKind::SinceBoot).map(|t| t.micros);
        for row in &mut self.rows {
            let own = time(row.raw.0);
            row.timestamp = own.and_then(rfc3339);
            row.order = own.or_else(|| time(row.raw.1)).or(start).unwrap_or(i64::MIN);
        }
    }
}

impl Found {
    /// Takes the zones that sources tell, as the analysis does, and keeps what lies in the time that is asked for.
    fn settle(&mut self, given: bool, span: (i64, i64)) {
        self.parts.sort_by(|a, b| a.label.cmp(&b.label));
        let mut parts = std::mem::take(&mut self.parts);
        let mut zones: Vec<Option<i64>> =
            parts.iter_mut().map(|p| if p.open && !given { p.traces.east() } else { None }).collect();
        let known: BTreeSet<i64> = zones.iter().flatten().copied().collect();
        for (part, zone) in parts.iter_mut().zip(&mut zones).filter(|(p, _)| !given && p.open) {
            let how = match (&zone, known.first()) {
                (Some(_), _) => "by the start times of tasks in it",
                (None, Some(common)) if part.journal && known.len() == 1 => {
                    *zone = Some(*common);
                    "as in the other journals"
                }
                _ => "which is a guess; --timezone says it",
            };
            let name = east(zone.unwrap_or(0));
            self.zones.push(format!("{}: stamps without a zone are read as {name}, {how}", part.label));
        }
        for (mut part, zone) in parts.into_iter().zip(zones) {
            let zone = zone.unwrap_or(part.clock.zone / SECOND);
            part.settle(zone);
            let inside = |row: &Row| row.timestamp.is_none() || (span.0..=span.1).contains(&row.order);
            self.rows.extend(part.rows.into_iter().filter(inside));
        }
    }
}

/// A zone by its seconds east of UTC: `+02:00`.
fn east(seconds: i64) -> String {
    let sign = if seconds < 0 { '-' } else { '+' };
    let minutes = seconds.abs() / 60;
    if minutes == 0 { "UTC".to_owned() } else { format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60) }
}

fn row(context: &SourceContext, line: u64, event: &Event<'_>, raw: (RawTime, RawTime), secrets: &mut Stream) -> Row {
    let text = |s: &str| sanitize::text(&redact::mask(s)).into_owned();
    Row {
        timestamp: None,
        order: i64::MIN,
        raw,
        severity_number: event.severity.0,
        severity: event.severity.word(),
        service: event.service.map(Service::name),
        node: event.node.as_deref().map(text),
        source: text(&context.label),
        line,
        format: event.format(),
        body: sanitize::text(&secrets.mask(&event.body)).into_owned(),
        attributes: event.attributes.iter().map(|(k, v)| (text(k), attribute(event, k, v))).collect(),
    }
}

/// The value of an attribute as it may be shown; `env.0.value` is judged by what `env.0.name` says.
fn attribute(event: &Event<'_>, key: &str, value: &str) -> String {
    let name = key.strip_suffix("value").and_then(|head| event.get(&format!("{head}name")));
    sanitize::text(&redact::mask_attribute(name.unwrap_or(key), value)).into_owned()
}

impl Visitor for Collector<'_> {
    fn source(&self, source: &Source, content: Content<'_>) {
        let context = pipeline::context(source);
        match content {
            Content::File(file) => {
                let mut file = file;
                self.collect(&context, &mut file);
            }
            Content::Stream(stream) => self.collect(&context, stream),
        }
    }

    fn problem(&self, problem: Problem) {
        self.found.lock().unwrap_or_else(PoisonError::into_inner).problems.push(problem);
    }
}
