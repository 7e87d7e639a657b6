//! Files and folders: what is read, in which order, what is passed over and told.

use super::*;

#[test]
fn a_plain_file_is_handed_over_as_a_file() {
    let found = visit_bytes("provider.log", b"one\ntwo\n", whole());
    let seen = found.seen.first().unwrap();
    assert!(seen.is_file && found.problems.is_empty());
    assert_eq!(seen.bytes, b"one\ntwo\n");
    assert_eq!((seen.source.bytes, seen.source.layers.len()), (Some(8), 0));
    assert!(seen.source.modified.is_some_and(|seconds| seconds > 1_700_000_000));
    assert_eq!(seen.source.hints.service.as_deref(), Some("omni-provider"));
}

#[test]
fn a_folder_is_read_in_the_order_of_names_whatever_the_arguments() {
    let folder = Folder::new();
    for name in ["b.log", "a/z.log", "a/b/c.log", "B.log", "a.log", "tasks/index", "tasks/active"] {
        folder.add(name, name.as_bytes());
    }
    let expected = ["B.log", "a.log", "a/b/c.log", "a/z.log", "b.log", "tasks/active", "tasks/index"];
    assert_eq!(visit_folder(&folder.path).labels(), expected);
    let [one, two, three] = ["tasks", "a", "b.log"].map(|name| folder.path.join(name));
    let forth = visit_paths(&[one.clone(), two.clone(), three.clone()], &Options::default());
    let back = visit_paths(&[three, two, one], &Options::default());
    assert_eq!(forth.texts(), back.texts());
    assert_eq!(forth.seen.len(), 5);
}

#[test]
fn what_is_taken_of_containers_adds_up_to_what_they_take_on_disk() {
    let text = log(40_000);
    let packed = gzip(&text);
    let inputs: [(&str, Vec<u8>); 4] = [
        ("a.log.gz", packed.clone()),
        ("b.zip", zip(&[("a.log", &text), ("picture.png", b"\x89PNG\r\n\x1a\n\0\0"), ("c.log", b"one\n")])),
        ("c.tar", tar(&[("a.log", &text), ("b.log.gz", &packed)])),
        ("d.bin", vec![0x02; 100_000]),
    ];
    let all = Folder::new();
    for (name, bytes) in &inputs {
        let options = Options::default();
        let path = all.add(name, bytes);
        visit_paths(std::slice::from_ref(&path), &options);
        assert_eq!(Some(options.taken.load(Ordering::Relaxed)), size(&[path]), "{name}");
    }
    all.add("plain.log", &text);
    let options = Options::default();
    visit_paths(std::slice::from_ref(&all.path), &options);
    // Plain text is counted by who reads it.
    let whole = options.taken.load(Ordering::Relaxed) + text.len() as u64;
    assert_eq!(Some(whole), size(std::slice::from_ref(&all.path)));
    assert_eq!(size(&[PathBuf::from("-")]), None);
}

#[test]
fn a_file_named_twice_is_read_once() {
    let folder = Folder::new();
    let path = folder.add("a.log", b"text");
    let found = visit_paths(&[path.clone(), folder.path.clone(), path], &Options::default());
    assert_eq!(found.labels(), ["a.log"]);
    assert_eq!(found.kinds(), kinds(&[(Kind::Duplicate, "a.log")]));
}

#[test]
fn a_missing_file_does_not_stop_the_others() {
    let folder = Folder::new();
    let path = folder.add("a.log", b"text");
    let found = visit_paths(&[folder.path.join("missing.log"), path], &Options::default());
    assert_eq!(found.labels(), ["a.log"]);
    assert_eq!(found.message(Kind::Open), "no such file or directory; check the path");
    assert!(found.visited.any());
    let found = visit_paths(&[folder.path.join("missing.log")], &Options::default());
    assert!(!found.visited.any() && found.problems.iter().all(|problem| problem.lost));
}

#[cfg(unix)]
#[test]
fn links_and_sockets_in_folders_are_not_followed() {
    use std::os::unix::fs::symlink;
    let folder = Folder::new();
    folder.add("logs/a.log", b"text");
    symlink("a.log", folder.path.join("logs/current.log")).unwrap();
    symlink("..", folder.path.join("logs/up")).unwrap();
    symlink("/etc/hostname", folder.path.join("logs/outside")).unwrap();
    symlink("gone", folder.path.join("logs/dangling")).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(folder.path.join("logs/socket")).unwrap();
    let found = visit_folder(&folder.path);
    assert_eq!(found.labels(), ["logs/a.log"]);
    let expected = [(Kind::Skipped, "logs/dangling"), (Kind::Skipped, "logs/outside"), (Kind::Skipped, "logs/socket")];
    assert_eq!(found.kinds(), kinds(&expected));
    let link = visit_paths(&[folder.path.join("logs/current.log")], &Options::default());
    assert_eq!(link.labels(), ["logs/current.log"]);
}

#[test]
fn empty_and_binary_files_are_told_and_never_sources() {
    let folder = Folder::new();
    folder.add("empty.log", b"");
    folder.add("talosctl", b"\x7fELF\x02\x01\x01\0\0\0");
    folder.add("screen.png", b"\x89PNG\r\n\x1a\n\0\0\0");
    folder.add("system.journal", b"LPKSHHRH\0\0\0");
    let found = visit_folder(&folder.path);
    assert!(found.seen.is_empty());
    let expected = [
        (Kind::Empty, "empty.log"),
        (Kind::Skipped, "screen.png"),
        (Kind::Unsupported, "system.journal"),
        (Kind::Skipped, "talosctl"),
    ];
    assert_eq!(found.kinds(), kinds(&expected));
    assert!(found.message(Kind::Unsupported).contains("journalctl --file"));
    assert_eq!((found.visited.empty, found.visited.any()), (1, true));
}

#[test]
fn the_limit_of_files_holds_at_its_edge() {
    let folder = Folder::new();
    for name in ["a", "b", "c"] {
        folder.add(name, b"text");
    }
    let limited = |files| {
        let limits = Limits { files, ..whole() };
        visit_paths(std::slice::from_ref(&folder.path), &Options { limits, ..Options::default() })
    };
    assert_eq!((limited(3).seen.len(), limited(3).problems.len()), (3, 0));
    assert_eq!((limited(2).seen.len(), limited(2).problems.len()), (2, 1));
}

#[test]
fn an_input_that_was_read_in_part_goes_on_where_it_stands() {
    use std::io::Seek;
    let folder = Folder::new();
    let path = folder.add("a.log", b"head\nrest\n");
    let mut file = fs::File::open(path).unwrap();
    file.seek(std::io::SeekFrom::Start(5)).unwrap();
    let bytes = {
        let mut all = Vec::new();
        file.read_to_end(&mut all).unwrap();
        all
    };
    assert_eq!(visit_piped(&bytes, whole()).texts(), pairs(&[("pipe", "rest\n")]));
}
