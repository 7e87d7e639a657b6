//! omnilog: names the root cause in logs and support bundles of Talos Linux clusters that Sidero Omni runs on Proxmox VE.

pub mod decode;
pub mod input;
pub mod limits;
