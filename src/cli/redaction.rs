//! `--redact`, `--no-redact` and the private map of pseudonyms: the same for every command that prints something of an input.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::Args;

use super::Usage;
use crate::input;
use crate::redact::Pseudonyms;

/// What is hidden beside secrets, which are masked always.
#[derive(Debug, Clone, Default, Args)]
pub struct RedactArgs {
    /// Replace names, addresses, ids and e-mails by pseudonyms; the default for Markdown, HTML and triage with -o.
    #[arg(long, overrides_with = "no_redact")]
    pub redact: bool,
    /// Keep names, addresses and ids as they are. Secrets are masked all the same.
    #[arg(long)]
    pub no_redact: bool,
    /// Write what stands behind the pseudonyms to this file, readable for its owner alone.
    #[arg(long, value_name = "FILE")]
    pub redact_map: Option<PathBuf>,
    /// Let --redact-map replace a file that is there.
    #[arg(long, requires = "redact_map")]
    pub redact_map_overwrite: bool,
}

impl RedactArgs {
    /// The pseudonyms of a run, when there are to be any; `default` tells whether the output asks for them by itself.
    ///
    /// # Errors
    /// A map is asked for and nothing is replaced.
    pub fn pseudonyms(&self, default: bool) -> anyhow::Result<Option<Pseudonyms>> {
        let wanted = self.redact || (default && !self.no_redact);
        if self.redact_map.is_some() && !wanted {
            anyhow::bail!(Usage("--redact-map needs --redact: without it there are no pseudonyms".into()));
        }
        Ok(wanted.then(Pseudonyms::default))
    }

    /// Opens the file of the map before anything is read, so that a mistake costs no time.
    ///
    /// # Errors
    /// The file exists, or cannot be written.
    pub fn open_map(&self) -> anyhow::Result<Option<Map>> {
        let Some(path) = &self.redact_map else { return Ok(None) };
        let file = private(path, self.redact_map_overwrite).map_err(|error| {
            let help = match error.kind() {
                io::ErrorKind::AlreadyExists => "\n  help: --redact-map-overwrite replaces it",
                _ => "",
            };
            Usage(format!("--redact-map {}: {error}{help}", path.display()))
        })?;
        Ok(Some(Map { file, path: path.clone() }))
    }
}

/// A new file that only its owner may read, whatever the mask of the process is.
fn private(path: &Path, overwrite: bool) -> io::Result<File> {
    if overwrite {
        // A new file, so that nobody who has the old one open reads along, and no link leads elsewhere.
        match std::fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// The opened file of a map.
pub struct Map {
    file: File,
    path: PathBuf,
}

impl Map {
    /// Writes pseudonyms and values as one JSON object.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write(mut self, pseudonyms: &Pseudonyms) -> anyhow::Result<()> {
        let text = serde_json::to_string_pretty(&pseudonyms.map())?;
        let cannot = |e: io::Error| {
            Usage(format!("--redact-map {}: cannot be written: {}", self.path.display(), input::reason(&e)))
        };
        writeln!(self.file, "{text}").map_err(cannot)?;
        Ok(())
    }
}
