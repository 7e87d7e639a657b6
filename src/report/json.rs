//! JSON for scripts: the whole report, or one root cause a line.

use std::io::{self, Write};

use super::model::Report;
use super::{Renderer, Style};

/// The whole report as one indented object.
pub struct Json;

impl Renderer for Json {
    fn name(&self) -> &'static str {
        "json"
    }

    fn render(&self, report: &Report, _style: &Style, out: &mut dyn Write) -> io::Result<()> {
        serde_json::to_writer_pretty(&mut *out, report)?;
        writeln!(out)
    }
}

/// One root cause a line, best first.
pub struct Ndjson;

impl Renderer for Ndjson {
    fn name(&self) -> &'static str {
        "ndjson"
    }

    fn render(&self, report: &Report, _style: &Style, out: &mut dyn Write) -> io::Result<()> {
        for cause in &report.root_causes {
            serde_json::to_writer(&mut *out, cause)?;
            writeln!(out)?;
        }
        Ok(())
    }
}
