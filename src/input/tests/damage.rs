//! Containers that are cut, changed or hostile: what is still read of them, and what is told.

use super::*;

#[test]
fn a_truncated_compressed_file_gives_its_beginning_and_a_problem() {
    let text = log(3_000_000);
    for layer in LAYERS {
        let bytes = compress(layer.name(), &text);
        let found = visit_bytes("a.log", bytes.get(..bytes.len() / 2).unwrap(), whole());
        assert_eq!(found.kinds(), kinds(&[(Kind::Truncated, "a.log")]), "{}: {:?}", layer.name(), found.problems);
        assert!(found.problems.iter().all(|problem| problem.lost));
        let seen = found.seen.first().unwrap();
        assert!(seen.bytes.len() > 200_000 && text.starts_with(&seen.bytes), "{}", layer.name());
    }
}

#[test]
fn a_compressed_tar_that_is_cut_is_told_once_for_it_and_once_for_the_member() {
    let text = log(1_500_000);
    for layer in LAYERS {
        let bytes = compress(layer.name(), &tar(&[("a", &text), ("b", &text)]));
        let found = visit_bytes("x", bytes.get(..bytes.len() / 2).unwrap(), whole());
        assert!(!found.seen.is_empty(), "{}", layer.name());
        let told: Vec<String> = found.kinds().into_iter().map(|(kind, of)| format!("{kind:?} {of}")).collect();
        let mut once = told.clone();
        once.dedup();
        assert_eq!(told, once, "{}: {:?}", layer.name(), found.problems);
    }
}

#[test]
fn a_truncated_tar_gives_what_is_there() {
    let text = log(10_000);
    let bytes = tar(&[("a", &text), ("b", &text)]);
    let found = visit_bytes("x", bytes.get(..bytes.len() - 8_000).unwrap(), whole());
    assert_eq!(found.labels(), ["x!/a", "x!/b"]);
    assert_eq!(found.kinds(), kinds(&[(Kind::Truncated, "x"), (Kind::Truncated, "x!/b")]));
    assert!(text.starts_with(&found.seen.last().unwrap().bytes));
}

#[test]
fn a_damaged_tar_header_costs_one_member() {
    let text = log(10_000);
    let mut bytes = tar(&[("a", &text), ("b", &text), ("c", &text)]);
    let second = 512 + text.len().next_multiple_of(512);
    bytes.get_mut(second..second + 100).unwrap().fill(b'x');
    let found = visit_bytes("x", &bytes, whole());
    assert_eq!(found.labels(), ["x!/a", "x!/c"]);
    assert_eq!(found.kinds(), kinds(&[(Kind::Damaged, "x")]));
}

#[test]
fn a_truncated_zip_is_read_by_the_headers_of_its_members() {
    let text = log(10_000);
    let mut members: Vec<_> = ["a", "b", "c"].map(|name| RawMember::new(name, 8, &text)).into();
    for flags in [0, 8] {
        members.iter_mut().for_each(|member| member.flags = flags);
        let bytes = raw_zip(&members);
        let cut = bytes.get(..bytes.len() / 2).unwrap();
        for (name, found) in [("x", visit_bytes("x", cut, whole())), ("pipe", visit_piped(cut, whole()))] {
            assert_eq!(found.labels(), [format!("{name}!/a"), format!("{name}!/b")], "{flags}");
            let expected = [(Kind::Truncated, name.to_owned()), (Kind::Truncated, format!("{name}!/b"))];
            assert_eq!(found.kinds(), expected, "{flags}");
            assert!(found.seen.first().unwrap().bytes == text);
        }
    }
}

#[test]
fn a_damaged_zip_member_costs_only_itself() {
    let text = log(10_000);
    let mut members: Vec<_> = ["a", "b", "c"].map(|name| RawMember::new(name, 0, &text)).into();
    members.get_mut(1).unwrap().packed.get_mut(9_000..9_100).unwrap().fill(b'#');
    let found = visit_bytes("x", &raw_zip(&members), whole());
    assert_eq!(found.labels(), ["x!/a", "x!/b", "x!/c"]);
    assert_eq!(found.kinds(), kinds(&[(Kind::Damaged, "x!/b")]));
    assert!(found.message(Kind::Damaged).contains("check sum"));
}

#[test]
fn a_zip_with_a_damaged_directory_is_read_all_the_same() {
    let text = log(10_000);
    let members: Vec<_> = ["a", "b"].map(|name| RawMember::new(name, 8, &text)).into();
    let mut bytes = raw_zip(&members);
    let end = bytes.len();
    bytes.truncate(end - 5);
    let found = visit_bytes("x", &bytes, whole());
    assert_eq!(found.labels(), ["x!/a", "x!/b"]);
    assert_eq!(found.kinds(), kinds(&[(Kind::Damaged, "x")]));
}

#[test]
fn the_end_of_a_zip_within_a_cut_zip_is_not_taken_for_its_own() {
    let inner = zip(&[("in.log", b"inner\n")]);
    let members = [
        RawMember::new("a.log", 0, b"outer\n"),
        RawMember::new("in.zip", 0, &inner),
        RawMember::new("b.log", 0, &log(10_000)),
    ];
    let bytes = raw_zip(&members);
    let found = visit_bytes("x", bytes.get(..2_000).unwrap(), whole());
    assert_eq!(found.labels(), ["x!/a.log", "x!/in.zip!/in.log", "x!/b.log"]);
    assert!(found.kinds().contains(&(Kind::Truncated, "x".into())));
}

#[test]
fn a_zip_too_big_to_hold_is_read_in_one_pass() {
    let text = log(100_000);
    let inner = raw_zip(&[RawMember { flags: 8, ..RawMember::new("in.log", 0, &text) }]);
    for method in [0, 8, 12, 93, 95] {
        for flags in [0, 8] {
            let mut members: Vec<_> = ["a", "b"].map(|name| RawMember::new(name, method, &text)).into();
            members.iter_mut().for_each(|member| member.flags = flags);
            // Its data holds headers and descriptors of its own.
            members.insert(1, RawMember { flags, ..RawMember::new("in.zip", method, &inner) });
            let bytes = raw_zip(&members);
            for zip_buffer in [100, bytes.len() - 1, bytes.len()] {
                let found = visit_piped(&bytes, Limits { zip_buffer, ..whole() });
                assert_eq!(found.labels(), ["pipe!/a", "pipe!/in.zip!/in.log", "pipe!/b"], "{method} {flags}");
                assert!(found.problems.is_empty(), "{method} {flags} {zip_buffer}: {:?}", found.problems);
                assert!(found.seen.iter().all(|seen| seen.bytes == text));
            }
        }
    }
}

#[test]
fn a_zip_read_in_one_pass_tells_of_links_and_of_members_it_cannot_read() {
    let text = log(1_000);
    let members = [
        RawMember { mode: 0o120_777, ..RawMember::new("current", 0, b"a.log") },
        RawMember { flags: 8 | 1, ..RawMember::new("secret", 8, &text) },
        RawMember::new("a.log", 8, &text),
    ];
    let found = visit_piped(&raw_zip(&members), Limits { zip_buffer: 10, ..whole() });
    assert_eq!(found.labels(), ["pipe!/current", "pipe!/a.log"]);
    assert_eq!(found.kinds(), kinds(&[(Kind::Skipped, "pipe"), (Kind::Encrypted, "pipe!/secret")]));
    assert!(found.message(Kind::Skipped).contains("for example current"), "{:?}", found.problems);
}

#[test]
fn archives_cut_or_changed_anywhere_never_panic() {
    let members = [("a.log", &b"first line\n"[..]), ("dir/b.log", b"second line\n")];
    let archives = [tar(&members), zip(&members), gzip(&tar(&members)), raw_zip(&[RawMember::new("a", 93, b"text\n")])];
    for bytes in archives {
        let step = (bytes.len() / 150).max(1);
        for place in (0..bytes.len()).step_by(step) {
            visit_piped(bytes.get(..place).unwrap(), whole());
            let mut changed = bytes.clone();
            *changed.get_mut(place).unwrap() ^= 0xff;
            visit_piped(&changed, whole());
        }
    }
}

#[test]
fn hostile_names_are_only_labels_and_told_once() {
    let members = [("../../etc/passwd", &b"a\n"[..]), ("/etc/shadow", b"b\n"), ("ok.log", b"c\n")];
    let expected = pairs(&[("x!/etc/passwd", "a\n"), ("x!/etc/shadow", "b\n"), ("x!/ok.log", "c\n")]);
    let raw: Vec<_> = members.iter().map(|(name, bytes)| RawMember::new(name, 8, bytes)).collect();
    for bytes in [tar(&members), raw_zip(&raw)] {
        let found = visit_bytes("x", &bytes, whole());
        assert_eq!(found.texts(), expected);
        assert_eq!(found.kinds(), kinds(&[(Kind::Name, "x")]));
        assert!(found.message(Kind::Name).starts_with("2 members"));
        assert!(found.problems.iter().all(|problem| !problem.lost));
    }
}

#[test]
fn links_and_devices_in_a_tar_are_counted_and_not_followed() {
    use ::tar::EntryType;
    let bytes = [
        tar_special(EntryType::Symlink, "current.log", "/etc/passwd"),
        tar_special(EntryType::Link, "hard.log", "a.log"),
        tar_special(EntryType::Block, "sda", "x"),
        tar(&[("a.log", b"text\n")]),
    ]
    .concat();
    let found = visit_bytes("x", &bytes, whole());
    assert_eq!(found.labels(), ["x!/a.log"]);
    assert_eq!(found.kinds(), kinds(&[(Kind::Skipped, "x"), (Kind::Skipped, "x")]));
    assert!(found.message(Kind::Skipped).starts_with("1 device"));
}

#[test]
fn archives_without_members_are_told() {
    let found = visit_bytes("x", &zip(&[]), whole());
    assert_eq!(found.kinds(), kinds(&[(Kind::Empty, "x")]));
    let found = visit_bytes("x", &gzip(b""), whole());
    assert_eq!(found.kinds(), kinds(&[(Kind::Empty, "x")]));
}

#[test]
fn a_zip_member_of_any_method_that_is_cut_gives_its_beginning_and_a_problem() {
    let text = log(3_000_000);
    for method in METHODS {
        let bytes = raw_zip(&[RawMember::new("first", 8, b"first\n"), RawMember::new("a.log", method, &text)]);
        let cut = bytes.get(..bytes.len() * 2 / 3).unwrap();
        for (name, found) in [("x", visit_bytes("x", cut, whole())), ("pipe", visit_piped(cut, whole()))] {
            assert_eq!(found.labels(), [format!("{name}!/first"), format!("{name}!/a.log")], "{method}");
            let seen = &found.seen.last().unwrap().bytes;
            assert!(seen.len() > 200_000 && text.starts_with(seen), "{method}: {} bytes", seen.len());
            assert!(found.kinds().contains(&(Kind::Truncated, format!("{name}!/a.log"))), "{:?}", found.problems);
        }
    }
}

#[test]
fn an_encrypted_stream_that_is_cut_or_a_bomb_is_told() {
    let text = log(1_000_000);
    let folder = Folder::new();
    let visit = |plain: &[u8], cut: Option<usize>, limits: Limits| {
        let (bytes, key) = encrypted(plain);
        let mut options = Options { limits, ..Options::default() };
        options.add_identity_file(&folder.add("key.txt", key.as_bytes())).unwrap();
        let path = folder.add("x.age", bytes.get(..cut.unwrap_or(bytes.len())).unwrap());
        visit_paths(&[path], &options)
    };
    let round = visit(&text, None, whole());
    assert!(round.problems.is_empty() && round.seen.first().unwrap().bytes == text);
    let cut = visit(&text, Some(500_000), whole());
    assert_eq!(cut.kinds(), kinds(&[(Kind::Truncated, "x.age")]));
    let seen = &cut.seen.first().unwrap().bytes;
    assert!(seen.len() > 400_000 && text.starts_with(seen), "{} bytes", seen.len());
    let bomb = visit(&gzip(&vec![b'0'; 4 << 20]), None, Limits { ratio: 20, ratio_after: 1 << 20, ..whole() });
    assert_eq!(bomb.kinds(), kinds(&[(Kind::Limit, "x.age")]));
    let long = visit(&text, None, Limits { total: 100_000, ..whole() });
    assert_eq!(long.kinds(), kinds(&[(Kind::Limit, "x.age")]));
}
