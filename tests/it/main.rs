//! Tests of the whole: the binary as people run it, and the promises of the documents.
//!
//! One binary, so that it is linked once. Each module says what belongs there. A case is added by adding a file or a row;
//! nothing here needs a network, sleeps, or looks at the clock.

/// Runs the binary; temporary folders; where things stand in the repository.
mod support;

/// What the library says of samples, computed once.
mod lab;

/// A headless Chromium, driven by the tests.
mod chromium;

/// `use crate::` lines against the table of ARCHITECTURE.md.
mod architecture;
/// The HTML report in a browser: rendering, interaction, contrast, time to open.
mod browser;
/// samples/bundles: every layout is packed, read and leads to its root cause.
mod bundles;
/// The command line: input, arguments, messages, exit status.
mod cli;
/// The JSON report declared once more, so that a changed output breaks a test.
mod contract;
/// The coverage block: what was read, what not and why, versions.
mod coverage;
/// README, CONTRIBUTING, docs/: commands run, generated parts are up to date.
mod docs;
/// A line keeps its root cause whatever it is wrapped in.
mod envelopes;
/// `--follow`: verdicts on open pipes, rotation, signals, memory.
#[cfg(unix)]
mod follow;
/// samples/formats: `detect` names the format.
mod formats;
/// Pager, configuration file, examples, suggestions, passphrases.
#[cfg(unix)]
mod habits;
/// samples/healthy: nothing is named.
mod healthy;
/// samples/hostile: every output is harmless.
mod hostile;
/// The HTML report as text: structure, policy, size, hostile text.
mod html;
/// samples/incidents: the expected root cause stands first.
mod incidents;
/// samples/twins: an innocent look-alike for each join of sources is not blamed; the joins show their chain.
mod joins;
/// Lines and documents at their limits, and what the report says then.
mod limits;
/// Every text that the software is known to print: which rule knows it, or why none does.
mod literals;
/// Correlations agree with a naive reading of what they mean.
mod moments;
/// The first filter loses nothing: every signature on every event finds the same.
mod oracle;
/// Every way to print something of an input, read off the command line.
mod outputs;
/// Root causes that were put right are told as such.
mod over;
/// The catalogue: lints, samples, cross-talk, errors of broken files.
mod patterns;
/// SARIF and JUnit keep to what their readers take.
mod pipelines;
/// No bytes end a run: generated input through the bodies of the fuzz targets.
mod properties;
/// Text, Markdown and JSON reports.
mod reports;
/// A missing source, another order, one file for all, a clock that is off: the answer holds.
mod robust;
/// The same input gives the same answer, however it comes and however many threads there are.
mod same;
/// The text report as people see it: snapshots, first screens, themes.
mod screens;
/// docs/images: pictures of the reports.
mod screenshots;
/// samples/secrets: what must not come out does not.
mod secrets;
/// samples/state: each kind of state document is read, and what it tells is used.
mod state;
/// One story over all sources: clocks, zones, coverage, machines that are never merged.
mod story;
/// What people put into tickets beside logs: exports, documents, archives that cannot be opened.
mod tickets;
/// Triage: a row for each ticket, in every format.
mod triage;
