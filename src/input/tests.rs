//! What a visit brings for each kind of container, whole, cut, damaged and hostile.

mod containers;
mod damage;
mod files;
mod limits;

use std::fs;

use super::testing::*;
use super::*;
use crate::decode::LAYERS;
use crate::decode::testing::{compress, gzip, log};
use ProblemKind as Kind;

fn whole() -> Limits {
    Limits::default()
}

fn pairs(rows: &[(&str, &str)]) -> Vec<(String, String)> {
    rows.iter().map(|(label, text)| ((*label).to_owned(), (*text).to_owned())).collect()
}

fn kinds(rows: &[(Kind, &str)]) -> Vec<(Kind, String)> {
    rows.iter().map(|(kind, label)| (*kind, (*label).to_owned())).collect()
}

fn encrypted(plain: &[u8]) -> (Vec<u8>, String) {
    use ::age::secrecy::ExposeSecret;
    use std::io::Write;
    let key = ::age::x25519::Identity::generate();
    let recipient = key.to_public();
    let encryptor = ::age::Encryptor::with_recipients(std::iter::once(&recipient as &dyn ::age::Recipient)).unwrap();
    let mut bytes = Vec::new();
    let mut writer = encryptor.wrap_output(&mut bytes).unwrap();
    writer.write_all(plain).unwrap();
    writer.finish().unwrap();
    (bytes, key.to_string().expose_secret().to_owned())
}

/// The numbers of all compressions of zip members.
const METHODS: [u16; 5] = [0, 8, 12, 93, 95];
