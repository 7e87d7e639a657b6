//! Every limit at its edge: ratios, members, sizes, nesting, names.

use super::*;

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
