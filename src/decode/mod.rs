//! Turns compressed, encrypted or re-encoded bytes into plain bytes: `Read` in, `Read` out.
//!
//! Knows neither files nor paths nor what the bytes mean. Which decoder fits is decided by the first bytes,
//! never by a name. Invariant: a decoder hands out every byte it could restore before it returns an error, so
//! damaged and truncated input loses only what is really gone.

use std::io::{BufRead, Read};

use crate::limits::Limits;

pub mod age;
mod armor;
mod bzip2;
mod concat;
mod gzip;
pub mod peek;
pub mod text;
mod xz;
mod zstd;

/// What a decoder reads from.
pub type Input<'a> = Box<dyn BufRead + Send + 'a>;

/// A compression that is recognised by its first bytes and read as a stream.
pub trait Layer: Sync {
    /// The name as shown to people: `gzip`.
    fn name(&self) -> &'static str;

    /// Whether `head`, the first bytes of a stream, starts this compression.
    fn matches(&self, head: &[u8]) -> bool;

    /// A reader of the plain bytes. Concatenated streams come out as one. Errors of the data come from the
    /// reader, after everything that could be restored.
    fn open<'a>(&self, input: Input<'a>, limits: &Limits) -> Box<dyn Read + Send + 'a>;
}

/// Data that is complete but not what it was when it was packed.
#[derive(Debug, thiserror::Error)]
#[error("the check sum does not match")]
pub struct Mismatch;

/// All compressions, sorted by name.
pub static LAYERS: &[&dyn Layer] = &[&bzip2::Bzip2, &gzip::Gzip, &xz::Xz, &zstd::Zstd];

/// The compression that starts with `head`, if one does.
#[must_use]
pub fn sniff(head: &[u8]) -> Option<&'static dyn Layer> {
    LAYERS.iter().copied().find(|layer| layer.matches(head))
}

/// The compression of that name: `gzip`, `bzip2`, `xz`, `zstd`.
#[must_use]
pub fn by_name(name: &str) -> Option<&'static dyn Layer> {
    LAYERS.iter().copied().find(|layer| layer.name() == name)
}

#[cfg(test)]
pub(crate) mod testing;

#[cfg(test)]
mod tests;
