//! `omnilog events [PATH]...`: the normalised events of all sources, merged by time.

use std::io::{self, Read, Write};
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};

use clap::Args;
use serde::Serialize;

use super::analyze::InputArgs;
use super::terminal;
use super::{OK, Usage};
use crate::event::{Event, Service, Severity};
use crate::input::{self, Content, Problem, Source, Visitor};
use crate::pipeline;
use crate::redact::{self, Pseudonyms, Stream};
use crate::report::build::rfc3339;
use crate::report::sanitize;
use crate::scan::{Clock, SourceContext, walk};

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
    let scanner = args.input.options.scanner(&catalogue, now)?;
    let filter = Filter::new(args, scanner.since, scanner.until)?;
    let redaction = &args.input.options.redaction;
    let (pseudonyms, map) = (redaction.pseudonyms(false)?, redaction.open_map()?);
    let found = Mutex::new(Found { pseudonyms, ..Found::default() });
    let options = args.input.options.input_options()?;
    let collector = Collector { filter, options: &options, zone: scanner.zone.unwrap_or(0), now, found };
    input::visit(&args.input.paths, &options, &collector);
    let mut found = collector.found.into_inner().unwrap_or_else(PoisonError::into_inner);
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

    fn keeps(&self, event: &Event<'_>, time: Option<i64>) -> bool {
        event.severity >= self.level
            && (self.service.is_none() || event.service == self.service)
            && time.is_none_or(|t| (self.span.0..=self.span.1).contains(&t))
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

#[derive(Default)]
struct Found {
    rows: Vec<Row>,
    /// When names are to be hidden: those that were told so far.
    pseudonyms: Option<Pseudonyms>,
    problems: Vec<Problem>,
    left_out: u64,
}

impl Collector<'_> {
    fn collect(&self, context: &SourceContext, read: &mut dyn Read) {
        let clock =
            Clock { reference: context.modified.unwrap_or(self.now), zone: self.zone * crate::event::time::SECOND };
        let mut rows = Vec::new();
        let mut last = context.start.unwrap_or(i64::MIN);
        let mut left_out = 0;
        let mut secrets = Stream::default();
        let mut names = self.found.lock().unwrap_or_else(PoisonError::into_inner).pseudonyms.clone();
        let result = walk::events(context, &self.options.limits, read, &mut |line, event| {
            let own =
                clock.resolve(event.time).filter(|t| t.kind != crate::scan::TimeKind::SinceBoot).map(|t| t.micros);
            last = own.unwrap_or(last);
            if !self.filter.keeps(event, own) {
                secrets.skip(&event.body);
                return;
            }
            if rows.len() >= LIMIT {
                left_out += 1;
                return;
            }
            if let Some(names) = &mut names {
                names.learn_event(event);
                names.learn(&event.body);
            }
            rows.push(row(context, line, event, own, last, &mut secrets));
        });
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        if let (Some(all), Some(names)) = (&mut found.pseudonyms, names) {
            all.absorb(names);
        }
        if let Err(error) = result {
            terminal::note(&format!("{}: reading failed: {error}", context.label));
        }
        let room = LIMIT.saturating_sub(found.rows.len());
        found.left_out += left_out + rows.len().saturating_sub(room) as u64;
        found.rows.extend(rows.into_iter().take(room));
    }
}

fn row(
    context: &SourceContext,
    line: u64,
    event: &Event<'_>,
    time: Option<i64>,
    order: i64,
    secrets: &mut Stream,
) -> Row {
    let text = |s: &str| sanitize::text(&redact::mask(s)).into_owned();
    Row {
        timestamp: time.and_then(rfc3339),
        order,
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
