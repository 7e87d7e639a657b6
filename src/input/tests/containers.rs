//! Archives, compression and encryption: that every kind gives the same text, names and attributes.

use super::*;

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
