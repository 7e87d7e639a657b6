//! How often pieces of text stand in ordinary logs; counted by `build.rs` over `samples/healthy`.

/// For each hash of a gram ([`super::anchor::slot`]) how often it stands in ordinary logs, logarithmic.
static COMMON: &[u8; 1 << 16] = include_bytes!(concat!(env!("OUT_DIR"), "/grams.bin"));

/// How common the grams with this hash are.
pub fn commonness(slot: u16) -> u8 {
    COMMON[usize::from(slot)]
}
