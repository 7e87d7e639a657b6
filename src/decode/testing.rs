//! Builders of compressed test data; the archives of tests are made at run time so that they stay readable.

use std::io::Write;

/// A compression by its layer name.
pub fn compress(layer: &str, plain: &[u8]) -> Vec<u8> {
    match layer {
        "gzip" => gzip(plain),
        "bzip2" => bzip2(plain),
        "xz" => xz(plain),
        "zstd" => zstd(plain),
        other => panic!("no builder for {other}"),
    }
}

pub fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(6));
    writer.write_all(plain).unwrap();
    writer.finish().unwrap()
}

pub fn bzip2(plain: &[u8]) -> Vec<u8> {
    let mut writer = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::new(1));
    writer.write_all(plain).unwrap();
    writer.finish().unwrap()
}

pub fn xz(plain: &[u8]) -> Vec<u8> {
    let options = lzma_rust2::XzOptions::with_preset(1);
    let mut writer = lzma_rust2::XzWriter::new(Vec::new(), options).unwrap();
    writer.write_all(plain).unwrap();
    writer.finish().unwrap()
}

pub fn zstd(plain: &[u8]) -> Vec<u8> {
    ruzstd::encoding::compress_to_vec(plain, ruzstd::encoding::CompressionLevel::Fastest)
}

/// Log-like text of about `bytes` bytes that compresses, but not without end.
pub fn log(bytes: usize) -> Vec<u8> {
    let mut text = Vec::with_capacity(bytes + 100);
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    while text.len() < bytes {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        writeln!(text, "2026-01-02T03:04:05Z node-{} task {state:x} done", state % 9).unwrap();
    }
    text
}
