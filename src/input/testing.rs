//! Builders of archives and a visitor that records; the archives of tests are made at run time.

use std::fs;
use std::io::{Cursor, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use super::*;

/// A source and what was read from it.
pub struct Seen {
    pub source: Source,
    pub bytes: Vec<u8>,
    pub is_file: bool,
}

/// Everything a visit brought, sorted.
pub struct Found {
    pub seen: Vec<Seen>,
    pub problems: Vec<Problem>,
    pub visited: Visited,
}

impl Found {
    /// Labels behind the path of the input, with the first bytes of their text.
    pub fn texts(&self) -> Vec<(String, String)> {
        let text = |seen: &Seen| String::from_utf8_lossy(seen.bytes.get(..60).unwrap_or(&seen.bytes)).into_owned();
        self.seen.iter().map(|seen| (short(&seen.source.label), text(seen))).collect()
    }

    pub fn labels(&self) -> Vec<String> {
        self.seen.iter().map(|seen| short(&seen.source.label)).collect()
    }

    pub fn kinds(&self) -> Vec<(ProblemKind, String)> {
        self.problems.iter().map(|problem| (problem.kind, short(&problem.source))).collect()
    }

    pub fn message(&self, kind: ProblemKind) -> &str {
        &self.problems.iter().find(|problem| problem.kind == kind).unwrap().message
    }
}

fn short(label: &str) -> String {
    label.split_once("/in/").map_or(label, |(_, rest)| rest).to_owned()
}

#[derive(Default)]
struct Recorder {
    seen: Mutex<Vec<Seen>>,
    problems: Mutex<Vec<Problem>>,
}

impl Visitor for Recorder {
    fn source(&self, source: &Source, content: Content<'_>) {
        let mut bytes = Vec::new();
        let is_file = matches!(content, Content::File(_));
        match content {
            Content::File(mut file) => file.read_to_end(&mut bytes).unwrap(),
            Content::Stream(stream) => stream.read_to_end(&mut bytes).unwrap(),
        };
        let seen = Seen { source: source.clone(), bytes, is_file };
        self.seen.lock().unwrap().push(seen);
    }

    fn problem(&self, problem: Problem) {
        self.problems.lock().unwrap().push(problem);
    }
}

/// A folder to visit; its name ends in `in`, so that labels can be cut there.
pub struct Folder {
    _root: tempfile::TempDir,
    pub path: PathBuf,
}

impl Folder {
    pub fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("in");
        fs::create_dir(&path).unwrap();
        Self { _root: root, path }
    }

    pub fn add(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.path.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        path
    }
}

pub fn visit_paths(paths: &[PathBuf], options: &Options) -> Found {
    let recorder = Recorder::default();
    let visited = visit(paths, options, &recorder);
    let mut seen = recorder.seen.into_inner().unwrap();
    seen.sort_by(|a, b| a.source.order.cmp(&b.source.order));
    let mut problems = recorder.problems.into_inner().unwrap();
    problems.sort();
    for problem in &problems {
        assert!(!problem.message.ends_with('.') && !problem.message.is_empty(), "{problem:?}");
    }
    assert_eq!(visited.sources, seen.len() as u64);
    Found { seen, problems, visited }
}

/// Visits one file with these bytes.
pub fn visit_bytes(name: &str, bytes: &[u8], limits: Limits) -> Found {
    let folder = Folder::new();
    let path = folder.add(name, bytes);
    visit_paths(&[path], &Options { limits, ..Options::default() })
}

pub fn visit_folder(path: &Path) -> Found {
    visit_paths(&[path.to_owned()], &Options::default())
}

/// A reader that cannot seek, as a pipe is.
pub fn visit_piped(bytes: &[u8], limits: Limits) -> Found {
    let recorder = Recorder::default();
    let options = Options { limits, ..Options::default() };
    let walk = Walk::new(&options, &recorder);
    walk.stream(nest::Place::top("pipe".into(), 0), Box::new(std::io::BufReader::with_capacity(1000, bytes)));
    let visited = walk.counts.visited();
    let mut seen = recorder.seen.into_inner().unwrap();
    seen.sort_by(|a, b| a.source.order.cmp(&b.source.order));
    let mut problems = recorder.problems.into_inner().unwrap();
    problems.sort();
    Found { seen, problems, visited }
}

pub fn tar(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = ::tar::Builder::new(Vec::new());
    for (name, bytes) in members {
        let mut header = ::tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        header.set_mtime(1_767_322_800);
        if name.starts_with('/') || name.contains("..") {
            // The builder refuses hostile names, so they are written past it.
            let field = header.as_gnu_mut().unwrap();
            field.name.get_mut(..name.len()).unwrap().copy_from_slice(name.as_bytes());
            header.set_cksum();
            builder.append(&header, *bytes).unwrap();
        } else {
            builder.append_data(&mut header, name, *bytes).unwrap();
        }
    }
    builder.into_inner().unwrap()
}

/// An entry of a kind without data.
pub fn tar_special(kind: ::tar::EntryType, name: &str, target: &str) -> Vec<u8> {
    let mut builder = ::tar::Builder::new(Vec::new());
    let mut header = ::tar::Header::new_gnu();
    header.set_entry_type(kind);
    header.set_size(0);
    builder.append_link(&mut header, name, target).unwrap();
    builder.into_inner().unwrap()
}

/// A zip as an ordinary tool writes it.
pub fn zip(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = ::zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = ::zip::write::SimpleFileOptions::default().compression_method(::zip::CompressionMethod::Deflated);
    for (name, bytes) in members {
        writer.start_file(*name, options).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// A member as tools may write it that the zip crate does not imitate.
#[derive(Clone)]
pub struct RawMember {
    pub name: &'static str,
    pub method: u16,
    pub flags: u16,
    pub mode: u32,
    pub plain: Vec<u8>,
    pub packed: Vec<u8>,
}

impl RawMember {
    pub fn new(name: &'static str, method: u16, plain: &[u8]) -> Self {
        use crate::decode::testing::compress;
        let packed = match method {
            8 => deflate(plain),
            12 => compress("bzip2", plain),
            93 => compress("zstd", plain),
            95 => compress("xz", plain),
            _ => plain.to_vec(),
        };
        Self { name, method, flags: 0, mode: 0o100_644, plain: plain.to_vec(), packed }
    }
}

pub fn deflate(plain: &[u8]) -> Vec<u8> {
    let mut writer = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::new(6));
    writer.write_all(plain).unwrap();
    writer.finish().unwrap()
}

/// A zip from raw members; flag 8 puts sizes behind the data, as Go does.
pub fn raw_zip(members: &[RawMember]) -> Vec<u8> {
    let (mut zip, mut directory) = (Vec::new(), Vec::new());
    for member in members {
        let mut crc = flate2::Crc::new();
        crc.update(&member.plain);
        let sizes = [crc.sum(), member.packed.len() as u32, member.plain.len() as u32];
        let behind = member.flags & 8 != 0;
        let offset = zip.len() as u32;
        zip.extend(b"PK\x03\x04");
        put(&mut zip, &[20, member.flags, member.method, 0, 0]);
        put32(&mut zip, &if behind { [0; 3] } else { sizes });
        put(&mut zip, &[member.name.len() as u16, 0]);
        zip.extend(member.name.as_bytes());
        zip.extend(&member.packed);
        if behind {
            zip.extend(b"PK\x07\x08");
            put32(&mut zip, &sizes);
        }
        directory.extend(b"PK\x01\x02");
        put(&mut directory, &[0x0314, 20, member.flags, member.method, 0, 0]);
        put32(&mut directory, &sizes);
        put(&mut directory, &[member.name.len() as u16, 0, 0, 0, 0]);
        put32(&mut directory, &[member.mode << 16, offset]);
        directory.extend(member.name.as_bytes());
    }
    let (start, count) = (zip.len() as u32, members.len() as u16);
    zip.extend(&directory);
    zip.extend(b"PK\x05\x06");
    put(&mut zip, &[0, 0, count, count]);
    put32(&mut zip, &[directory.len() as u32, start]);
    put(&mut zip, &[0]);
    zip
}

fn put(bytes: &mut Vec<u8>, fields: &[u16]) {
    bytes.extend(fields.iter().flat_map(|field| field.to_le_bytes()));
}

fn put32(bytes: &mut Vec<u8>, fields: &[u32]) {
    bytes.extend(fields.iter().flat_map(|field| field.to_le_bytes()));
}
