//! What the fuzz targets do with their bytes. Also called by the tests with generated input, so that stable builds replay
//! what a fuzzer finds. Each function must return, whatever the bytes.

use std::collections::BTreeMap;
use std::io::{Cursor, Read};
use std::sync::OnceLock;

use omnilog::catalog::compile::{self, Parsed};
use omnilog::catalog::{Catalogue, PatternText, check, load};
use omnilog::decode;
use omnilog::limits::Limits;
use omnilog::parse::{self, LockOn};
use omnilog::pipeline;
use omnilog::report::{RENDERERS, Style};
use omnilog::scan::{Scanner, SourceContext};
use omnilog::state;

fn catalogue() -> &'static Catalogue {
    static CATALOGUE: OnceLock<Catalogue> = OnceLock::new();
    CATALOGUE.get_or_init(|| load::builtin().0)
}

fn scanner() -> &'static Scanner<'static> {
    static SCANNER: OnceLock<Scanner<'static>> = OnceLock::new();
    SCANNER.get_or_init(|| Scanner::new(catalogue(), 1_793_491_200_000_000))
}

/// A line, cheaply and wholly: no panic, and the payload lies within the line.
pub fn parse_line(bytes: &[u8]) {
    let line = bytes.split(|b| *b == b'\n').next().unwrap_or_default();
    let classified = parse::classify(line, &mut LockOn::default());
    assert!(classified.payload <= line.len(), "the payload begins behind the line");
    let text = String::from_utf8_lossy(bytes);
    let event = parse::parse(&text);
    assert!(event.text().len() >= event.body.len(), "the text lacks the body");
}

/// Any bytes from scan to report: no panic, and all lines are counted.
pub fn scan_bytes(bytes: &[u8]) {
    let outcome = scanner().text(SourceContext::default(), bytes);
    let lines = bytes.split_inclusive(|b| *b == b'\n').count() as u64;
    assert_eq!(outcome.found.lines, lines, "lines are lost");
    let text = String::from_utf8_lossy(bytes);
    let report = pipeline::read_texts(scanner(), [("fuzz.log", text.as_ref())]).report(catalogue());
    for renderer in RENDERERS {
        renderer.render(&report, &Style::default(), &mut Vec::new()).expect("memory");
    }
}

/// Every decoder on any bytes: an end or an error, and no more output than the limits allow.
pub fn decode_layers(bytes: &[u8]) {
    let limits = Limits { window: 1 << 20, ..Limits::default() };
    for layer in decode::LAYERS {
        let mut plain = layer.open(Box::new(Cursor::new(bytes)), &limits).take(1 << 20);
        // Damage is an error of the reader; what matters is that it ends.
        drop(std::io::copy(&mut plain, &mut std::io::sink()));
    }
}

/// Any text as a pattern file: an error with a place, or a catalogue that the lints can read.
pub fn pattern_toml(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    for id in ["fuzz/cause", "fuzz/scenario", "benign/fuzz"] {
        let mut parsed = Parsed::default();
        if compile::parse_file(&mut parsed, id, "fuzz.toml", text).is_err() {
            continue;
        }
        let page = PatternText { path: "fuzz.toml".into(), text: text.to_owned().into() };
        let (catalogue, _) = compile::compile(&parsed, BTreeMap::from([(id.to_owned(), page)]), "");
        check::check(&catalogue);
    }
}

/// Any text as every state document: no panic, and events lie within the block.
pub fn state_document(bytes: &[u8]) {
    let block = String::from_utf8_lossy(bytes);
    for document in state::documents() {
        let mut lines = block.lines();
        let mut progress = document.start(lines.next().unwrap_or_default().as_bytes());
        while lines.next().is_some_and(|l| document.continues(&mut progress, l.as_bytes())) {}
        for event in document.events(&block, &state::Context::default()) {
            assert!(block.get(event.text.clone()).is_some(), "the text of an event lies outside of the block");
            assert!(block.get(event.extent.clone()).is_some(), "the extent of an event lies outside of the block");
        }
    }
}
