//! Reports: from candidates to what people and machines read.
//!
//! [`build`] makes the [`model::Report`]; each renderer is one file and turns it into one format. Renderers see only the
//! model. Invariant: every claim in a report points to a source and line.

pub mod border;
pub mod build;
pub mod context;
pub mod coverage;
pub mod fill;
pub mod html;
pub mod json;
pub mod junit;
pub mod markdown;
pub mod model;
pub mod notice;
pub mod sanitize;
pub mod sarif;
mod steps;
pub mod text;
mod timeline;
mod unexplained;
mod words;

use std::io::{self, Write};

use model::Report;

/// How a renderer may show things.
#[derive(Debug, Clone, Copy)]
pub struct Style {
    /// Columns of the output.
    pub width: usize,
    /// Whether colours may be used.
    pub color: bool,
    /// Which colours, if any.
    pub theme: Theme,
    /// Whether to show everything, weak root causes too.
    pub all: bool,
}

impl Default for Style {
    fn default() -> Self {
        Self { width: 100, color: false, theme: Theme::Neutral, all: false }
    }
}

/// From this confidence on a root cause is named; what is below is a guess to be checked.
pub const NAMED: f64 = crate::rank::POSSIBLE;
/// From this confidence on a pipeline should stop.
pub const LIKELY: f64 = crate::rank::LIKELY;

/// Colours that are readable on a background.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Theme {
    /// Nothing is known of the background: only what is readable on both.
    #[default]
    Neutral,
    /// Light letters on a dark background.
    Dark,
    /// Dark letters on a light background.
    Light,
}

/// What a report with pseudonyms says of them.
pub const PSEUDONYMS: &str = "Names, addresses and ids (host-1, ip-2) are pseudonyms: put the real ones into commands.";

/// One output format.
pub trait Renderer: Sync {
    /// Its name, as `--format` takes it.
    fn name(&self) -> &'static str;

    /// How many lines of the log around each line of evidence it shows unless told otherwise (see [`context`]).
    fn context(&self) -> u64 {
        0
    }

    /// Writes the report.
    ///
    /// # Errors
    /// Those of the writer.
    fn render(&self, report: &Report, style: &Style, out: &mut dyn Write) -> io::Result<()>;
}

/// All output formats, sorted by name.
pub static RENDERERS: &[&dyn Renderer] =
    &[&html::Html, &json::Json, &junit::Junit, &markdown::Markdown, &json::Ndjson, &sarif::Sarif, &text::Text];

/// The renderer of that name.
pub fn renderer(name: &str) -> Option<&'static dyn Renderer> {
    RENDERERS.iter().find(|r| r.name() == name).copied()
}

/// Whether a format is made to be handed on: names, addresses and ids are hidden in it unless they are asked for.
pub fn hides_names(format: &str) -> bool {
    matches!(format, "markdown" | "html")
}
