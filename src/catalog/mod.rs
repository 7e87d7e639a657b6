//! The catalogue: what is known about root causes, ready to be matched and ranked.
//!
//! Pattern files ([`mod@file`]) are read by [`load`] and turned into the types of [`model`] by [`mod@compile`] (and `over`); [`check`] holds the
//! lints. The prose of a root cause (remedies, references, samples) is read only when it is shown, see [`Catalogue::page`].
//! `build.rs` compiles the built-in files with the same code, so that a start only decodes what came out.
//! A catalogue knows no logs: it is tested against events by `matcher`. Invariant: a broken pattern file costs only
//! itself; it is reported with path and line.

pub mod anchor;
pub mod check;
mod common;
pub mod compile;
pub mod discern;
pub mod expr;
pub mod file;
mod lazy;
pub mod load;
pub mod model;
mod over;
pub mod version;

pub use expr::{Expr, Truth};
pub use lazy::{LazyRegex, ascii, build_regex};
pub use model::*;
