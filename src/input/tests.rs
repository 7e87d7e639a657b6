//! What a visit brings for each kind of container, whole, cut, damaged and hostile.

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

// ---- Files and folders ----

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

// ---- Round trips ----

#[test]
fn every_container_gives_the_same_text() {
    let text = log(200_000);
    let mut archives: Vec<(String, Vec<u8>, Vec<&str>)> = Vec::new();
    for layer in LAYERS.iter().map(|layer| layer.name()) {
        archives.push((layer.to_owned(), compress(layer, &text), vec![layer]));
        let bytes = compress(layer, &tar(&[("n/a.log", &text)]));
        archives.push((format!("tar and {layer}"), bytes, vec![layer, "tar"]));
    }
    archives.push(("tar".into(), tar(&[("n/a.log", &text)]), vec!["tar"]));
    archives.push(("zip".into(), zip(&[("n/a.log", &text)]), vec!["zip"]));
    let inner = compress("gzip", &tar(&[("n/b.log", &text)]));
    archives.push(("nested".into(), zip(&[("x/in.tgz", &inner)]), vec!["zip", "gzip", "tar"]));
    for (name, bytes, layers) in archives {
        for found in [visit_bytes("any.name", &bytes, whole()), visit_piped(&bytes, whole())] {
            assert!(found.problems.is_empty(), "{name}: {:?}", found.problems);
            let seen = found.seen.first().unwrap();
            assert!(seen.bytes == text, "{name}");
            assert_eq!(seen.source.layers, layers, "{name}");
        }
    }
}

#[test]
fn labels_and_hints_go_through_nested_archives() {
    let tasks = "UPID:pve1:0012D687:0A3F21C4:692189A0:qmstart:100:root@pam!omni:";
    let inner = gzip(&tar(&[(&format!("./var/log/pve/tasks/0/{tasks}"), b"TASK OK\n")]));
    let found = visit_bytes("ticket.zip", &zip(&[("pve1/tasks.tar.gz", &inner)]), whole());
    let source = &found.seen.first().unwrap().source;
    let label = format!("ticket.zip!/pve1/tasks.tar.gz!/var/log/pve/tasks/0/{tasks}");
    assert_eq!(found.labels(), [label]);
    assert_eq!(source.hints.upid.as_deref(), Some(tasks));
    assert_eq!(source.modified, Some(1_767_322_800));
    assert_eq!(source.bytes, Some(8));
    assert_eq!(source.order, [0, 0, 1]);
}

#[test]
fn zip_members_of_every_method_are_read() {
    let text = log(50_000);
    let members: Vec<_> = [("stored", 0), ("deflate", 8), ("bzip2", 12), ("zstd", 93), ("xz", 95)]
        .map(|(name, method)| RawMember::new(name, method, &text))
        .into();
    let found = visit_bytes("a.zip", &raw_zip(&members), whole());
    assert!(found.problems.is_empty(), "{:?}", found.problems);
    assert_eq!(found.labels(), ["a.zip!/stored", "a.zip!/deflate", "a.zip!/bzip2", "a.zip!/zstd", "a.zip!/xz"]);
    assert!(found.seen.iter().all(|seen| seen.bytes == text));
}

#[test]
fn zip_members_that_cannot_be_read_are_told_and_the_rest_is_read() {
    let mut locked = RawMember::new("locked", 8, b"text");
    locked.flags = 1;
    let mut link = RawMember::new("link", 0, b"/etc/passwd");
    link.mode = 0o120_777;
    let mut fifo = RawMember::new("fifo", 0, b"");
    fifo.mode = 0o010_644;
    let odd = RawMember::new("odd", 97, b"text");
    let good = RawMember::new("good", 8, b"good\n");
    let found = visit_bytes("a.zip", &raw_zip(&[locked, link, fifo, odd, good]), whole());
    assert_eq!(found.texts(), pairs(&[("a.zip!/good", "good\n")]));
    let expected = [
        (Kind::Skipped, "a.zip"),
        (Kind::Skipped, "a.zip"),
        (Kind::Encrypted, "a.zip!/locked"),
        (Kind::Unsupported, "a.zip!/odd"),
    ];
    assert_eq!(found.kinds(), kinds(&expected));
}

#[test]
fn duplicate_names_are_all_read() {
    let [one, two] = [b"one\n", b"two\n"].map(|text| RawMember::new("n/kube-proxy-exited.log", 8, text));
    let expected = [("n/kube-proxy-exited.log", "one\n"), ("n/kube-proxy-exited.log", "two\n")];
    let in_archive = |name: &str| expected.map(|(label, text)| (format!("{name}!/{label}"), text.to_owned()));
    let zip = raw_zip(&[one, two]);
    assert_eq!(visit_bytes("a.zip", &zip, whole()).texts(), in_archive("a.zip"));
    let members = [("n/kube-proxy-exited.log", &b"one\n"[..]), ("n/kube-proxy-exited.log", b"two\n")];
    assert_eq!(visit_bytes("a.tar", &tar(&members), whole()).texts(), in_archive("a.tar"));
}

#[test]
fn a_zip_behind_other_bytes_or_with_a_comment_is_found() {
    let mut commented = zip(&[("a", b"text\n")]);
    let end = commented.len();
    commented.get_mut(end - 2..).unwrap().copy_from_slice(&5_u16.to_le_bytes());
    commented.extend(b"PK\x05\x06.");
    assert_eq!(visit_bytes("a.zip", &commented, whole()).texts(), pairs(&[("a.zip!/a", "text\n")]));
    let shifted = [b"PK\x03\x04 some stub in front".to_vec(), zip(&[("a", b"text\n")])].concat();
    let found = visit_bytes("a.zip", &shifted, whole());
    assert_eq!(found.texts(), pairs(&[("a.zip!/a", "text\n")]), "{:?}", found.problems);
}

#[test]
fn many_members_keep_their_order() {
    let names: Vec<String> = (0..1000).map(|index| format!("{}.log", (index * 7919) % 1000)).collect();
    let members: Vec<_> = names.iter().map(|name| (name.as_str(), name.as_bytes())).collect();
    let labels: Vec<String> = names.iter().map(|name| format!("a!/{name}")).collect();
    for bytes in [zip(&members), tar(&members)] {
        let found = visit_bytes("a", &bytes, whole());
        assert_eq!(found.labels(), labels);
        assert!(found.seen.iter().all(|seen| { seen.source.label.ends_with(&*String::from_utf8_lossy(&seen.bytes)) }));
    }
}

#[test]
fn utf16_and_marks_are_decoded_inside_and_outside_of_archives() {
    let utf16: Vec<u8> = "größe\r\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let marked = [&b"\xff\xfe"[..], &utf16].concat();
    let found = visit_bytes("a.tgz", &gzip(&tar(&[("a", &marked), ("b", b"\xef\xbb\xbfplain\n")])), whole());
    assert_eq!(found.texts(), pairs(&[("a.tgz!/a", "größe\r\n"), ("a.tgz!/b", "plain\n")]));
    let found = visit_bytes("a.txt", &marked, whole());
    assert_eq!(found.texts(), pairs(&[("a.txt", "größe\r\n")]));
    assert_eq!(found.seen.first().unwrap().source.layers, ["utf-16le"]);
}

#[test]
fn bad_bytes_and_nul_bytes_reach_the_visitor_untouched() {
    let text = b"a\xff\xfe\0\0\0b\nlast line without end";
    for found in [visit_bytes("a.log", text, whole()), visit_bytes("a.gz", &gzip(text), whole())] {
        assert_eq!(found.seen.first().unwrap().bytes, text);
        assert!(found.problems.is_empty());
    }
}

#[test]
fn tars_that_were_joined_and_long_names_are_read() {
    let long = format!("{}/deep.log", "folder/".repeat(40));
    let joined = [tar(&[("a", b"one\n")]), tar(&[(&long, b"two\n")])].concat();
    let found = visit_bytes("a.tar", &joined, whole());
    let label = format!("a.tar!/{}deep.log", "folder/".repeat(40));
    assert_eq!(found.texts(), pairs(&[("a.tar!/a", "one\n"), (&label, "two\n")]));
    assert!(found.problems.is_empty(), "{:?}", found.problems);
}

#[test]
fn attributes_of_a_tar_give_name_and_time() {
    let mut builder = ::tar::Builder::new(Vec::new());
    let attributes = [("path", &b"n/gr\xc3\xb6\xc3\x9fe.log"[..]), ("mtime", b"1767322801.5"), ("comment", b"x=y z")];
    builder.append_pax_extensions(attributes).unwrap();
    let mut header = ::tar::Header::new_ustar();
    header.set_size(5);
    builder.append_data(&mut header, "short", &b"text\n"[..]).unwrap();
    let found = visit_bytes("a.tar", &builder.into_inner().unwrap(), whole());
    assert_eq!(found.texts(), pairs(&[("a.tar!/n/größe.log", "text\n")]));
    assert_eq!(found.seen.first().unwrap().source.modified, Some(1_767_322_801));
}

// ---- Encryption ----

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

#[test]
fn an_encrypted_bundle_is_read_with_a_key_and_told_without() {
    let text = log(200_000);
    let (bytes, key) = encrypted(&zip(&[("node-1/dmesg.log", &text)]));
    let folder = Folder::new();
    let path = folder.add("support.zip.age", &bytes);
    let without = visit_paths(std::slice::from_ref(&path), &Options::default());
    assert_eq!(without.kinds(), kinds(&[(Kind::Encrypted, "support.zip.age")]));
    assert!(without.message(Kind::Encrypted).contains("X25519"));

    let mut options = Options::default();
    options.add_identity_file(&folder.add("key.txt", key.as_bytes())).unwrap();
    let with = visit_paths(&[path], &options);
    assert_eq!(with.labels(), ["support.zip.age!/node-1/dmesg.log"]);
    let seen = with.seen.first().unwrap();
    assert!(seen.bytes == text);
    assert_eq!(seen.source.layers, ["age", "zip"]);

    let cut = folder.add("cut.age", bytes.get(..bytes.len() / 2).unwrap());
    let cut = visit_paths(&[cut], &options);
    assert_eq!(cut.kinds(), kinds(&[(Kind::Truncated, "cut.age")]));
    assert!(!cut.visited.any());
    let error = options.add_identity_file(&folder.path.join("none")).unwrap_err().to_string();
    assert!(error.ends_with("none: no such file or directory"), "{error}");
}

// ---- Truncation and damage ----

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

// ---- Hostile archives ----

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
fn a_bomb_is_stopped_by_its_ratio_at_the_edge() {
    let zeros = vec![b'0'; 1 << 20];
    let bytes = gzip(&zeros);
    let ratio = zeros.len() as u64 / bytes.len() as u64 + 1;
    let limited = |ratio| visit_bytes("x", &bytes, Limits { ratio, ratio_after: 1000, ..whole() });
    // Decoders give out in steps, so the ratio is a little above its last value on the way.
    assert!(limited(ratio * 2).problems.is_empty());
    let stopped = limited(ratio / 2);
    assert_eq!(stopped.kinds(), kinds(&[(Kind::Limit, "x")]));
    assert!(stopped.seen.iter().all(|seen| seen.bytes.len() < zeros.len()));
    let young = visit_bytes("x", &bytes, Limits { ratio: 100, ratio_after: 1 << 20, ..whole() });
    assert!(young.problems.is_empty());
}

#[test]
fn a_bomb_in_every_container_is_stopped() {
    let zeros = vec![b'0'; 4 << 20];
    let limits = Limits { ratio: 20, ratio_after: 1 << 20, ..whole() };
    for layer in LAYERS.iter().map(|layer| layer.name()) {
        let found = visit_bytes("x", &compress(layer, &zeros), limits.clone());
        assert_eq!(found.kinds(), kinds(&[(Kind::Limit, "x")]), "{layer}");
        let found = visit_bytes("x", &compress(layer, &tar(&[("a", &zeros)])), limits.clone());
        assert!(found.kinds().contains(&(Kind::Limit, "x".into())), "{layer}");
    }
    let found = visit_bytes("x", &zip(&[("a", &zeros), ("b", b"text\n")]), limits);
    assert!(found.kinds().contains(&(Kind::Limit, "x!/a".into())));
    assert_eq!(found.labels(), ["x!/a", "x!/b"]);
}

#[test]
fn zip_members_that_share_their_bytes_are_stopped_together() {
    let zeros = vec![b'0'; 1 << 20];
    let one = zip(&[("a", &zeros)]);
    let end = one.len();
    // The same directory entry a hundred times: each member is within its own ratio, all are not.
    let start = memchr::memmem::find(&one, b"PK\x01\x02").unwrap();
    let entry = one.get(start..end - 22).unwrap();
    let mut bytes = one.get(..start).unwrap().to_vec();
    bytes.extend(entry.repeat(100));
    bytes.extend(b"PK\x05\x06\0\0\0\0\x64\0\x64\0");
    bytes.extend((entry.len() as u32 * 100).to_le_bytes());
    bytes.extend((start as u32).to_le_bytes());
    bytes.extend([0, 0]);
    let found = visit_bytes("x", &bytes, Limits { ratio_after: 2 << 20, ..whole() });
    let read: usize = found.seen.iter().map(|seen| seen.bytes.len()).sum();
    assert!(read < 20 << 20, "{read}");
    assert_eq!(found.seen.len(), 100);
    assert!(found.kinds().iter().any(|(kind, _)| *kind == Kind::Limit));
}

#[test]
fn the_limit_of_a_member_holds_at_its_edge() {
    let text = log(1000);
    let bytes = text.len() as u64;
    for archive in [gzip(&text), tar(&[("a", &text)]), zip(&[("a", &text)])] {
        let at = |member| visit_bytes("x", &archive, Limits { member, ..whole() });
        assert!(at(bytes).problems.is_empty());
        let cut = at(bytes - 1);
        assert_eq!(cut.seen.first().unwrap().bytes.len() as u64, bytes - 1);
        assert!(cut.message(Kind::Limit).contains(&format!("the first {} bytes", bytes - 1)));
    }
    // What is no member of anything has no such limit.
    assert!(visit_bytes("x", &text, Limits { member: 10, ..whole() }).problems.is_empty());
}

#[test]
fn the_limit_of_the_whole_run_holds_at_its_edge() {
    let text = log(1000);
    let members = [("a", &text[..]), ("b", &text)];
    let bytes = 2 * text.len() as u64;
    let piped = |total| visit_piped(&zip(&members), Limits { total, zip_buffer: 10, ..whole() });
    assert!(piped(bytes).problems.is_empty(), "{:?}", piped(bytes).problems);
    let cut = piped(bytes - 1);
    assert_eq!(cut.kinds(), kinds(&[(Kind::Limit, "pipe!/b")]));
    assert_eq!(cut.seen.last().unwrap().bytes.len(), text.len() - 1);
}

#[test]
fn the_limit_of_members_holds_at_its_edge() {
    let members = [("a", &b"1\n"[..]), ("b", b"2\n"), ("c", b"3\n")];
    for bytes in [tar(&members), zip(&members)] {
        let at = |limit| visit_bytes("x", &bytes, Limits { members: limit, ..whole() });
        assert!(at(3).problems.is_empty());
        assert_eq!(at(2).labels(), ["x!/a", "x!/b"]);
        assert_eq!(at(2).kinds(), kinds(&[(Kind::Limit, "x")]));
    }
    let piped = visit_piped(&zip(&members), Limits { members: 2, zip_buffer: 10, ..whole() });
    assert_eq!(piped.kinds(), kinds(&[(Kind::Limit, "pipe")]));
    assert_eq!(piped.seen.len(), 2);
}

#[test]
fn the_limit_of_nesting_holds_at_its_edge() {
    let mut zips = b"core\n".to_vec();
    let mut streams = zips.clone();
    for _ in 0..3 {
        zips = zip(&[("in", &zips)]);
        streams = gzip(&streams);
    }
    let tgz = gzip(&tar(&[("in", &zips)]));
    for (bytes, levels) in [(zips, 3), (streams, 3), (tgz, 4)] {
        let at = |nesting| visit_bytes("x", &bytes, Limits { nesting, ..whole() });
        assert_eq!(at(levels).seen.len(), 1, "{:?}", at(levels).problems);
        assert!(at(levels).problems.is_empty());
        assert!(at(levels - 1).seen.is_empty());
        assert!(at(levels - 1).message(Kind::Limit).contains("deep"));
    }
}

#[test]
fn the_limit_of_a_path_shortens_the_label_only() {
    let name = format!("{}.log", "n".repeat(200));
    let bytes = zip(&[(&name, b"text\n")]);
    let label_bytes = visit_bytes("x", &bytes, whole()).seen.first().unwrap().source.label.len();
    let at = |path| visit_bytes("x", &bytes, Limits { path, ..whole() });
    // Each visit has a folder of its own whose path has the same length.
    assert!(at(label_bytes).problems.is_empty());
    let short = at(label_bytes - 1);
    assert_eq!(short.seen.first().unwrap().bytes, b"text\n");
    let label = &short.seen.first().unwrap().source.label;
    assert!(label.len() < label_bytes && label.ends_with("nnn.log"), "{label}");
    assert!(matches!(short.problems.as_slice(), [Problem { kind: Kind::Name, lost: false, .. }]));
}

#[test]
fn many_empty_members_are_told_one_by_one_up_to_a_limit() {
    let names: Vec<String> = (0..50).map(|index| format!("{index:02}.log")).collect();
    let members: Vec<_> = names.iter().map(|name| (name.as_str(), &b""[..])).collect();
    for bytes in [tar(&members), zip(&members)] {
        let at = |notes| visit_bytes("x", &bytes, Limits { notes, ..whole() });
        assert_eq!(at(50).problems.len(), 50);
        let few = at(10);
        assert_eq!((few.problems.len(), few.visited.empty), (11, 50));
        assert_eq!(few.message(Kind::Empty), "40 more members are empty");
    }
}

#[test]
fn a_huge_attribute_record_does_not_grow_in_memory() {
    let mut header = ::tar::Header::new_gnu();
    header.set_entry_type(::tar::EntryType::GNULongName);
    header.set_size(1 << 20);
    header.set_cksum();
    let mut bytes = header.as_bytes().to_vec();
    bytes.extend(vec![b'n'; 1 << 20]);
    bytes.extend(tar(&[("a", b"text\n")]));
    let found = visit_bytes("x", &bytes, whole());
    let seen = found.seen.first().unwrap();
    assert_eq!(seen.bytes, b"text\n");
    assert!(seen.source.label.len() <= 4096);
    assert_eq!(found.problems.len(), 1, "{:?}", found.problems);
}

#[test]
fn archives_without_members_are_told() {
    let found = visit_bytes("x", &zip(&[]), whole());
    assert_eq!(found.kinds(), kinds(&[(Kind::Empty, "x")]));
    let found = visit_bytes("x", &gzip(b""), whole());
    assert_eq!(found.kinds(), kinds(&[(Kind::Empty, "x")]));
}

// ---- Every container, cut and without end ----

/// The numbers of all compressions of zip members.
const METHODS: [u16; 5] = [0, 8, 12, 93, 95];

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
fn a_bomb_in_a_zip_member_of_any_method_is_stopped() {
    let zeros = vec![b'0'; 4 << 20];
    let limits = Limits { ratio: 20, ratio_after: 1 << 20, ..whole() };
    for method in METHODS.into_iter().filter(|method| *method > 0) {
        for flags in [0, 8] {
            let bomb = RawMember { flags, ..RawMember::new("a", method, &zeros) };
            let bytes = raw_zip(&[bomb, RawMember::new("b", 8, b"text\n")]);
            let streamed = Limits { zip_buffer: 10, ..limits.clone() };
            for found in [visit_bytes("x", &bytes, limits.clone()), visit_piped(&bytes, streamed)] {
                let stopped = found.kinds().iter().any(|(kind, label)| *kind == Kind::Limit && label.ends_with("!/a"));
                assert!(stopped, "{method} {flags}: {:?}", found.problems);
                assert!(found.labels().last().is_some_and(|label| label.ends_with("!/b")), "{method} {flags}");
            }
        }
    }
    // Nothing is packed, so nothing unfolds; what it holds may be as long as any member.
    let plain = raw_zip(&[RawMember::new("a", 0, &zeros)]);
    assert!(visit_bytes("x", &plain, limits.clone()).problems.is_empty());
    let long = visit_bytes("x", &plain, Limits { member: 1 << 20, ..limits });
    assert_eq!(long.kinds(), kinds(&[(Kind::Limit, "x!/a")]));
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

#[test]
fn an_archive_in_itself_without_end_is_opened_up_to_the_limit_only() {
    // What a quine unfolds to is as deep as one cares to look; fifty levels stand for it.
    let mut zips = zip(&[("core.log", b"core\n")]);
    let mut streams = b"core\n".to_vec();
    for _ in 0..50 {
        zips = zip(&[("again.zip", &zips), ("beside.log", b"beside\n")]);
        streams = gzip(&streams);
    }
    let found = visit_bytes("x", &zips, whole());
    assert_eq!(found.seen.len(), whole().nesting, "one beside each archive that was opened");
    let deep = format!("x{}", "!/again.zip".repeat(whole().nesting));
    assert_eq!(found.kinds(), [(Kind::Limit, deep)]);
    let found = visit_bytes("x", &streams, whole());
    assert_eq!((found.seen.len(), found.kinds()), (0, kinds(&[(Kind::Limit, "x")])));
}

#[test]
fn more_empty_members_than_the_limit_are_counted_and_told() {
    let one = |name: &'static str| RawMember::new(name, 0, b"");
    let bytes = raw_zip(&vec![one("empty.log"); 60_000]);
    let limits = Limits { members: 50_000, ..whole() };
    let found = visit_bytes("x", &bytes, limits.clone());
    assert_eq!(found.visited.empty, 50_000);
    assert_eq!(found.problems.len(), limits.notes + 2, "notes, their sum and the limit");
    assert!(found.message(Kind::Limit).starts_with("50000 of 60000 members"));
    let piped = visit_piped(&bytes, Limits { zip_buffer: 1000, ..limits });
    assert_eq!((piped.visited.empty, piped.problems.len()), (50_000, whole().notes + 2));
}

/// A zip of so many members that all are the same empty one; its numbers need 64 bits.
fn million(count: u64) -> Vec<u8> {
    let one = raw_zip(&[RawMember::new("empty.log", 0, b"")]);
    let start = memchr::memmem::find(&one, b"PK\x01\x02").unwrap();
    let entry = one.get(start..one.len() - 22).unwrap();
    let mut bytes = [one.get(..start).unwrap(), &entry.repeat(count as usize)].concat();
    let end = bytes.len() as u64;
    bytes.extend(b"PK\x06\x06\x2c\0\0\0\0\0\0\0\x2d\0\x2d\0\0\0\0\0\0\0\0\0");
    for field in [count, count, end - start as u64, start as u64] {
        bytes.extend(field.to_le_bytes());
    }
    bytes.extend(b"PK\x06\x07\0\0\0\0");
    bytes.extend(end.to_le_bytes());
    bytes.extend(b"\x01\0\0\0PK\x05\x06\0\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\0\0");
    bytes
}

#[test]
fn a_million_empty_members_are_counted_and_told_in_few_words() {
    const MILLION: u64 = 1_000_000;
    let bytes = million(MILLION);
    let notes = whole().notes;
    let found = visit_bytes("x", &bytes, Limits { members: 1_000_000, ..whole() });
    assert_eq!((found.visited.empty, found.visited.sources), (MILLION, 0));
    assert_eq!(found.problems.len(), notes + 1, "notes and their sum");
    let found = visit_bytes("x", &bytes, whole());
    assert_eq!(found.visited.empty, whole().members as u64);
    assert!(found.message(Kind::Limit).starts_with("100000 of 1000000 members"), "{}", found.message(Kind::Limit));
    // Through a pipe the members themselves are read: their headers, one behind the other.
    let one = raw_zip(&[RawMember::new("empty.log", 0, b"")]);
    let header = one.get(..memchr::memmem::find(&one, b"PK\x01\x02").unwrap()).unwrap();
    let piped = visit_piped(&header.repeat(1_000_000), whole());
    assert_eq!((piped.visited.empty, piped.problems.len()), (whole().members as u64, notes + 2));
    assert!(piped.message(Kind::Limit).starts_with("has more than 100000 members"));
}

#[test]
fn the_limit_of_a_tar_record_holds_at_its_edge() {
    let name = format!("{}.log", "n".repeat(200));
    let bytes = tar(&[(&name, b"text\n")]);
    // The record of a long name ends in a NUL.
    let at = |tar_record| visit_bytes("x", &bytes, Limits { tar_record, ..whole() });
    assert_eq!(at(name.len() + 1).labels(), [format!("x!/{name}")]);
    assert_eq!(at(name.len() - 1).labels(), [format!("x!/{}", name.get(..name.len() - 1).unwrap())]);
}
