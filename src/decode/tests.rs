//! What holds for every compression: the tests loop over the registry.

use std::io::{self, Read};

use super::testing::{compress, log, zstd};
use super::*;

fn read(layer: &dyn Layer, bytes: &[u8]) -> (Vec<u8>, Option<io::Error>) {
    // A small buffer makes every header and magic straddle reads.
    let input = io::BufReader::with_capacity(5, bytes);
    let mut plain = Vec::new();
    let result = layer.open(Box::new(input), &Limits::default()).read_to_end(&mut plain);
    (plain, result.err())
}

#[test]
fn the_registry_is_sorted_and_found_by_name() {
    let names: Vec<_> = LAYERS.iter().map(|layer| layer.name()).collect();
    assert!(names.is_sorted());
    for name in names {
        assert_eq!(by_name(name).map(Layer::name), Some(name));
    }
}

#[test]
fn each_layer_recognises_its_own_bytes_only() {
    for layer in LAYERS {
        let bytes = compress(layer.name(), b"text");
        assert_eq!(sniff(&bytes).map(Layer::name), Some(layer.name()));
    }
    for text in [&b""[..], b"B", b"BZh9 is no bzip2\n", b"plain\n", b"\x1f\x8b"] {
        assert!(sniff(text).is_none(), "{text:?}");
    }
}

#[test]
fn a_stream_comes_back_whole() {
    for size in [0, 1, 100, 300_000] {
        let plain = log(size);
        let plain = plain.get(..size).unwrap();
        for layer in LAYERS {
            let (read, error) = read(*layer, &compress(layer.name(), plain));
            assert!(error.is_none(), "{} {size}: {error:?}", layer.name());
            assert!(read == plain, "{} {size}", layer.name());
        }
    }
}

#[test]
fn concatenated_streams_with_padding_come_back_as_one() {
    for layer in LAYERS {
        let one = compress(layer.name(), b"first\n");
        let two = compress(layer.name(), b"second\n");
        let empty = compress(layer.name(), b"");
        let bytes = [&one[..], &two, &empty, &one, &[0; 8]].concat();
        let (plain, error) = read(*layer, &bytes);
        assert!(error.is_none(), "{}: {error:?}", layer.name());
        assert_eq!(plain, b"first\nsecond\nfirst\n", "{}", layer.name());
    }
}

#[test]
fn many_small_streams_do_not_nest() {
    for layer in LAYERS {
        let bytes = compress(layer.name(), b"x\n").repeat(20_000);
        let (plain, error) = read(*layer, &bytes);
        assert!(error.is_none(), "{}: {error:?}", layer.name());
        assert_eq!(plain.len(), 40_000, "{}", layer.name());
    }
}

#[test]
fn a_truncated_stream_gives_what_it_has_and_an_error() {
    let plain = log(3_000_000);
    for layer in LAYERS {
        let bytes = compress(layer.name(), &plain);
        let (read, error) = read(*layer, bytes.get(..bytes.len() / 2).unwrap());
        assert!(error.is_some(), "{}", layer.name());
        assert!(read.len() > 200_000, "{}: only {} bytes", layer.name(), read.len());
        assert!(plain.starts_with(&read), "{}", layer.name());
    }
}

#[test]
fn a_stream_cut_anywhere_never_panics_and_never_invents() {
    let plain = log(2_000);
    for layer in LAYERS {
        let bytes = compress(layer.name(), &plain);
        for end in 6..bytes.len() {
            let (read, error) = read(*layer, bytes.get(..end).unwrap());
            assert!(error.is_some(), "{} cut at {end}", layer.name());
            assert!(plain.starts_with(&read), "{} cut at {end}", layer.name());
        }
    }
}

#[test]
fn a_flipped_byte_is_noticed_or_harmless_and_never_panics() {
    let plain = log(2_000);
    for layer in LAYERS {
        let bytes = compress(layer.name(), &plain);
        for place in 0..bytes.len() {
            let mut bytes = bytes.clone();
            *bytes.get_mut(place).unwrap() ^= 0x10;
            let (read, error) = read(*layer, &bytes);
            // gzip has header bytes (time, system) that carry no data and no check sum.
            assert!(error.is_some() || read == plain, "{} at {place}", layer.name());
        }
    }
}

#[test]
fn other_bytes_after_a_stream_are_an_error_after_the_data() {
    for layer in LAYERS {
        let bytes = [compress(layer.name(), b"data\n"), b"not compressed".to_vec()].concat();
        let (plain, error) = read(*layer, &bytes);
        assert_eq!(plain, b"data\n", "{}", layer.name());
        assert!(error.unwrap().to_string().contains("not read"), "{}", layer.name());
    }
}

#[test]
fn zstd_skippable_frames_are_skipped_wherever_they_stand() {
    let skippable = [&b"\x5f\x2a\x4d\x18\x03\0\0\0abc"[..]].concat();
    let bytes = [&skippable[..], &zstd(b"a\n"), &skippable, &zstd(b"b\n"), &skippable].concat();
    let layer = sniff(&bytes).unwrap();
    let (plain, error) = read(layer, &bytes);
    assert!(error.is_none(), "{error:?}");
    assert_eq!(plain, b"a\nb\n");
    let (_, error) = read(layer, bytes.get(..9).unwrap());
    assert_eq!(error.unwrap().kind(), io::ErrorKind::UnexpectedEof);
}

#[test]
fn a_window_beyond_the_limit_is_refused_before_it_is_allocated() {
    let limits = Limits { window: 64 << 10, ..Limits::default() };
    for name in ["xz", "zstd"] {
        let layer = by_name(name).unwrap();
        let bytes = compress(name, &log(3_000_000));
        let mut plain = Vec::new();
        let error = layer.open(Box::new(&bytes[..]), &limits).read_to_end(&mut plain).err();
        assert!(error.is_some() && plain.is_empty(), "{name}");
    }
}
