//! omnilog: names the root cause in logs and support bundles of Talos Linux clusters that Sidero Omni runs on Proxmox VE.

// Text is cut where that was checked; tests may cut where they like.
#![cfg_attr(not(test), warn(clippy::string_slice))]

pub mod catalog;
pub mod cli;
pub mod correlate;
pub mod decode;
pub mod event;
pub mod follow;
pub mod input;
pub mod limits;
pub mod matcher;
pub mod parse;
pub mod pipeline;
pub mod prove;
pub mod rank;
pub mod redact;
pub mod report;
pub mod scan;
pub mod state;
pub mod suggest;
