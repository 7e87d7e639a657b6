//! No bytes end a run: generated input, alone and mixed into real lines, through the bodies of the fuzz targets.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

#[path = "../../fuzz/bodies.rs"]
mod bodies;

/// Lines and blocks that the formats and documents take, to be mutated.
fn seeds() -> Vec<&'static str> {
    let formats = omnilog::parse::formats().iter().flat_map(|f| f.samples()).map(|s| s.text);
    let mut seeds: Vec<&str> = formats.chain(omnilog::state::samples().map(|s| s.text)).collect();
    seeds.extend(crate::lab::cases().iter().take(100).filter_map(|c| c.sample.log.as_deref()));
    seeds
}

/// A seed with some bytes replaced, cut out or put in.
fn mutated() -> impl Strategy<Value = Vec<u8>> {
    let edit = (any::<prop::sample::Index>(), 0usize..8, vec(any::<u8>(), 0..6));
    (select(seeds()), vec(edit, 0..5)).prop_map(|(seed, edits)| {
        let mut bytes = seed.as_bytes().to_vec();
        for (at, cut, put) in edits {
            let at = at.index(bytes.len() + 1);
            let end = (at + cut).min(bytes.len());
            bytes.splice(at..end, put);
        }
        bytes
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_line_is_parsed(bytes in prop_oneof![vec(any::<u8>(), 0..300), mutated()]) {
        bodies::parse_line(&bytes);
    }

    #[test]
    fn any_bytes_are_scanned_and_reported(bytes in prop_oneof![vec(any::<u8>(), 0..600), mutated()]) {
        bodies::scan_bytes(&bytes);
    }

    #[test]
    fn any_bytes_end_every_decoder(bytes in vec(any::<u8>(), 0..600), magic in select(vec![&b""[..], b"\x1f\x8b\x08", b"BZh9", b"\xfd7zXZ\0", b"\x28\xb5\x2f\xfd"])) {
        bodies::decode_layers(&[magic, &bytes].concat());
    }

    #[test]
    fn any_text_is_a_rule_or_an_error(text in "(title|any|when|\\[signature\\.a\\]|\\[\\[evidence\\]\\]|[ =\"'\\[\\]\n.a-z0-9#(){}|*+?]){0,60}") {
        bodies::pattern_toml(text.as_bytes());
    }

    #[test]
    fn any_block_is_read_by_every_document(bytes in prop_oneof![vec(any::<u8>(), 0..400), mutated()]) {
        bodies::state_document(&bytes);
    }

    #[test]
    fn noise_in_front_of_a_line_adds_no_root_cause(noise in "[a-z ]{1,40}: ", at in any::<prop::sample::Index>()) {
        let quiet = crate::support::QUIET.lines().collect::<Vec<_>>();
        let line = format!("{noise}{}\n", at.get(&quiet));
        let ranking = crate::lab::ranking(&[("sample.log", &line)]);
        prop_assert!(ranking.iter().all(|(_, confidence)| *confidence < 0.5), "{ranking:?}");
    }
}
