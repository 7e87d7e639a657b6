//! Any bytes, from scan to every report.
#![cfg_attr(fuzzing, no_main)]

#[path = "../bodies.rs"]
#[allow(dead_code, reason = "each target uses one of them")]
mod bodies;
#[macro_use]
mod shim;

target!(bodies::scan_bytes);
