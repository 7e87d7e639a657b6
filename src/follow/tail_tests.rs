use std::fs::OpenOptions;
use std::io::Write;

use super::*;

/// A folder that is followed, its clock, and what was read so far: (file name when it began, text).
struct Folder {
    root: tempfile::TempDir,
    tails: Tails,
    now: Duration,
    begun: Vec<(usize, String, String)>,
    ended: Vec<usize>,
    other: Vec<Found>,
}

impl Folder {
    fn new() -> Self {
        Self::following(&[""])
    }

    fn following(names: &[&str]) -> Self {
        let root = tempfile::tempdir().unwrap();
        let paths: Vec<PathBuf> = names.iter().map(|n| root.path().join(n)).collect();
        let (begun, ended, other) = (Vec::new(), Vec::new(), Vec::new());
        Self { tails: Tails::new(&paths, 100), root, now: Duration::ZERO, begun, ended, other }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    fn append(&self, name: &str, text: &str) {
        let mut file = OpenOptions::new().append(true).create(true).open(self.path(name)).unwrap();
        file.write_all(text.as_bytes()).unwrap();
    }

    fn rename(&self, from: &str, to: &str) {
        std::fs::rename(self.path(from), self.path(to)).unwrap();
    }

    /// Looks after two seconds, until nothing more is there.
    fn look(&mut self) {
        self.now += Duration::from_secs(2);
        let (begun, ended, other) = (&mut self.begun, &mut self.ended, &mut self.other);
        let mut sink = |found| match found {
            Found::Begin { key, path, .. } => {
                begun.push((key, path.file_name().unwrap().to_string_lossy().into_owned(), String::new()));
            }
            Found::Bytes(key, bytes) => {
                let file = begun.iter_mut().find(|(k, ..)| *k == key).expect("it has begun");
                file.2.push_str(&String::from_utf8(bytes).unwrap());
            }
            Found::End(key) => ended.push(key),
            found => other.push(found),
        };
        while self.tails.look(self.now, &mut sink) {}
    }

    fn read(&self) -> Vec<(&str, &str)> {
        self.begun.iter().map(|(_, name, text)| (name.as_str(), text.as_str())).collect()
    }
}

/// A first line long enough to recognise a file by.
const FIRST: &str = "2026-09-15T08:00:00Z the first line of the log\n";

#[test]
fn what_is_appended_is_read_once() {
    let mut folder = Folder::new();
    folder.append("a.log", "one\n");
    folder.look();
    folder.append("a.log", "two\n");
    folder.look();
    folder.look();
    folder.append("b.log", "late\n");
    folder.look();
    assert_eq!(folder.read(), [("a.log", "one\ntwo\n"), ("b.log", "late\n")]);
    assert!(folder.other.is_empty(), "{:?}", folder.other);
}

#[test]
fn a_renamed_file_is_read_on_and_the_new_one_from_its_start() {
    let mut folder = Folder::new();
    folder.append("a.log", FIRST);
    folder.look();
    folder.append("a.log", "last words\n");
    folder.rename("a.log", "a.log.1");
    folder.append("a.log.1", "after the rename\n");
    folder.append("a.log", "fresh\n");
    folder.look();
    let whole = format!("{FIRST}last words\nafter the rename\n");
    assert_eq!(folder.read(), [("a.log", whole.as_str()), ("a.log", "fresh\n")]);
    let renamed = Found::Renamed(folder.begun[0].0, folder.path("a.log.1"));
    assert_eq!(folder.other, [renamed]);
}

#[test]
fn a_renamed_file_outside_of_what_is_followed_is_read_to_its_end() {
    let mut folder = Folder::following(&["a.log"]);
    folder.append("a.log", FIRST);
    folder.look();
    folder.rename("a.log", "elsewhere");
    folder.append("elsewhere", "last words\n");
    folder.append("a.log", "fresh\n");
    folder.look();
    let whole = format!("{FIRST}last words\n");
    assert_eq!(folder.read(), [("a.log", whole.as_str()), ("a.log", "fresh\n")]);
    for _ in 0..10 {
        folder.look();
    }
    assert_eq!(folder.ended, [folder.begun[0].0], "the old file is let go of");
}

#[test]
fn copy_and_truncate_loses_nothing_and_reads_nothing_twice() {
    let mut folder = Folder::new();
    folder.append("a.log", FIRST);
    folder.look();
    folder.append("a.log", "written just before\n");
    std::fs::copy(folder.path("a.log"), folder.path("a.log.1")).unwrap();
    std::fs::write(folder.path("a.log"), "fresh\n").unwrap();
    folder.look();
    folder.append("a.log", "more\n");
    folder.look();
    let whole = format!("{FIRST}written just before\n");
    assert_eq!(folder.read(), [("a.log", whole.as_str()), ("a.log", "fresh\nmore\n")]);
}

#[test]
fn a_file_truncated_and_grown_beyond_its_old_size_is_noticed() {
    let mut folder = Folder::new();
    folder.append("a.log", FIRST);
    folder.look();
    let other = "2026-09-16T08:00:00Z another log\n".repeat(10);
    std::fs::write(folder.path("a.log"), &other).unwrap();
    folder.look();
    assert_eq!(folder.read(), [("a.log", FIRST), ("a.log", other.as_str())]);
}

#[test]
fn containers_are_read_once_at_the_start_and_not_when_a_rotation_makes_them() {
    let mut folder = Folder::new();
    std::fs::write(folder.path("a.log.2.gz"), b"\x1f\x8b\x08\0\0\0\0\0\0\x03rest").unwrap();
    folder.look();
    assert_eq!(folder.other, [Found::Once(folder.path("a.log.2.gz"))]);
    std::fs::write(folder.path("a.log.3.gz"), b"\x1f\x8b\x08\0\0\0\0\0\0\x03rest").unwrap();
    folder.look();
    folder.look();
    let [_, Found::Problem(path, message)] = folder.other.as_slice() else { panic!("{:?}", folder.other) };
    assert!(path.ends_with("a.log.3.gz") && message.contains("not read"), "{message}");
}

#[test]
fn what_is_missing_is_waited_for_and_said_once() {
    let mut folder = Folder::following(&["late.log"]);
    folder.look();
    folder.look();
    assert!(matches!(folder.other.as_slice(), [Found::Problem(..)]), "{:?}", folder.other);
    folder.append("late.log", "here\n");
    folder.look();
    assert_eq!(folder.read(), [("late.log", "here\n")]);
    assert!(matches!(folder.other.as_slice(), [_, Found::Appeared(_)]), "{:?}", folder.other);
}

#[test]
fn more_files_than_the_limit_are_said_and_many_are_read_without_keeping_them_open() {
    let mut folder = Folder::new();
    for n in 0..150 {
        folder.append(&format!("{n:03}.log"), "text\n");
    }
    folder.look();
    assert_eq!(folder.begun.len(), 100);
    assert!(matches!(folder.other.as_slice(), [Found::Problem(..)]), "{:?}", folder.other);
    let mut many = Folder::new();
    many.tails = Tails::new(&[many.root.path().to_owned()], 1000);
    for n in 0..600 {
        many.append(&format!("{n:03}.log"), "text\n");
    }
    many.look();
    many.append("599.log", "more\n");
    many.look();
    assert_eq!(many.begun.iter().map(|(.., text)| text.len()).sum::<usize>(), 601 * 5);
    assert!(many.tails.open <= OPEN);
}
