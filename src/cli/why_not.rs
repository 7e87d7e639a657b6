//! `omnilog why-not ID [PATH]...`: each item of evidence of a root cause, and what the input says of it.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Args;

use super::analyze::InputArgs;
use super::terminal;
use super::{OK, find_cause};
use crate::catalog::{Catalogue, Cause, Evidence, Term, Truth};
use crate::correlate::World;
use crate::rank;
use crate::redact;
use crate::report::{build, sanitize};

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
    let index = find_cause(&catalogue, &args.id)?;
    let scanner = args.input.options.scanner(&catalogue, now)?;
    let analysis = args.input.read(&scanner)?;
    let world = World::new(&catalogue, &analysis.sources);
    let Some(cause) = catalogue.causes.get(index) else { return Ok(ExitCode::from(OK)) };
    let redaction = &args.input.options.redaction;
    let (pseudonyms, map) = (redaction.pseudonyms(false)?, redaction.open_map()?);
    let mut page = Vec::new();
    write(&mut page, &world, index, cause)?;
    let mut text = redact::mask(&String::from_utf8_lossy(&page)).into_owned();
    if let Some(mut pseudonyms) = pseudonyms {
        build::names(&world).iter().for_each(|(key, name)| pseudonyms.learn_named(key, name));
        text = pseudonyms.redact(&text);
        map.map_or(Ok(()), |map| map.write(&pseudonyms))?;
    }
    terminal::page(|out| out.write_all(text.as_bytes()))?;
    Ok(ExitCode::from(OK))
}

fn write(out: &mut dyn Write, world: &World<'_>, index: usize, cause: &Cause) -> io::Result<()> {
    let candidates = rank::rank(world);
    match candidates.iter().position(|c| c.cause == index) {
        Some(position) => {
            let confidence = candidates.get(position).map_or(0.0, |c| c.confidence);
            writeln!(out, "{} has rank {} with confidence {confidence:.3}.", cause.id, position + 1)?;
        }
        None => writeln!(out, "{} was not considered: nothing that supports it was seen.", cause.id)?,
    }
    writeln!(out, "Prior {:.3}. Its evidence, and what the input says of it:\n", cause.prior)?;
    for item in &cause.evidence {
        let finding = world.find(&item.when);
        let word = match finding.truth {
            Truth::True => "seen",
            Truth::False if !item.needs.is_empty() && !world.has_service(item.needs) => "unknown",
            Truth::False => "not seen",
            Truth::Unknown => "unknown",
        };
        writeln!(out, "  {word:<9} ×{:<8.3} {}: {}", item.ratio(), item.id, item.says)?;
        detail(out, world, item, &finding)?;
    }
    Ok(())
}

/// Where it was seen, or which of its parts are missing.
fn detail(
    out: &mut dyn Write,
    world: &World<'_>,
    item: &Evidence,
    finding: &crate::correlate::Finding,
) -> io::Result<()> {
    if let Some(at) = finding.hits.first() {
        let source = world.sources.get(at.source).map_or("", |s| s.context.label.as_str());
        let line = world.hit(*at).map_or(0, |h| h.line);
        writeln!(out, "            {}:{line}", sanitize::line(source))?;
    }
    if finding.truth == Truth::True {
        return Ok(());
    }
    let missing: Vec<&str> = item.needs.names().collect();
    if !missing.is_empty() && !world.has_service(item.needs) {
        writeln!(out, "            the input holds nothing of {}", missing.join(" or "))?;
    }
    let mut parts = Vec::new();
    item.when.names(&mut |term, positive| parts.push((*term, positive)));
    for (term, positive) in parts {
        let truth = world.find(&crate::catalog::Expr::Name(term)).truth;
        let wanted = if positive { Truth::True } else { Truth::False };
        if truth != wanted {
            let state = if truth == Truth::Unknown {
                "cannot be told"
            } else if positive {
                "did not hold"
            } else {
                "held, and must not"
            };
            writeln!(out, "            {} {state}", term_name(world.catalogue, term))?;
        }
    }
    Ok(())
}

fn term_name(catalogue: &Catalogue, term: Term) -> &str {
    match term {
        Term::Signature(index) => catalogue.signatures.get(index).map_or("", |s| s.name.as_str()),
        Term::Correlation(index) => catalogue.correlations.get(index).map_or("", |c| c.name.as_str()),
    }
}
