//! What people put into tickets: fences and quotes, exports, files of other programs, archives that cannot be opened. What can
//! be read is read, what cannot is named with what to do about it.

use crate::support::{Dir, FULL, gzip, ids, omnilog, tar, zip};

const FULL_ID: &str = "proxmox-storage/storage-full";

/// The report on a ticket of these files.
fn report(files: &[(&str, &[u8])]) -> serde_json::Value {
    let dir = Dir::new();
    for (name, bytes) in files {
        dir.write(&format!("ticket/{name}"), bytes);
    }
    omnilog(["ticket"]).within(dir.path()).report()
}

fn first(report: &serde_json::Value) -> Option<&str> {
    ids(report).first().copied()
}

/// Sources and why they were skipped.
fn skipped(report: &serde_json::Value) -> Vec<(String, String)> {
    let list = report["coverage"]["skipped"].as_array().expect("a list");
    let text = |value: &serde_json::Value| value.as_str().expect("a text").to_owned();
    list.iter().map(|gap| (text(&gap["source"]), text(&gap["why"]))).collect()
}

fn sources(report: &serde_json::Value) -> Vec<&str> {
    report["inputs"].as_array().expect("a list").iter().map(|i| i["source"].as_str().expect("a name")).collect()
}

#[test]
fn logs_in_a_note_with_fences_and_quotes_are_read() {
    let note = format!(
        "# VMs are not created\r\n\r\nHi, since this morning scaling up fails.\r\n\r\n```\r\n{}\r\n```\r\n\r\n\
         > second try: {}\r\n\r\nThanks!\r\n",
        FULL.trim_end(),
        FULL.trim_end()
    );
    let report = report(&[("note.md", note.as_bytes()), ("screen.png", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR")]);
    assert_eq!(first(&report), Some(FULL_ID));
    assert_eq!(report["root_causes"][0]["evidence"][0]["line"], 6);
    let why = "not read: a PNG image; paste the text it shows into a file";
    assert_eq!(skipped(&report), [("ticket/screen.png".to_owned(), why.to_owned())]);
}

#[test]
fn what_powershell_and_windows_write_is_read() {
    let crlf = FULL.replace('\n', "\r\n");
    let wide: Vec<u8> = crlf.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let marked = [&b"\xff\xfe"[..], &wide].concat();
    for (name, bytes) in [("marked.txt", marked), ("bare.txt", wide), ("crlf.txt", crlf.clone().into_bytes())] {
        let report = report(&[(name, &bytes)]);
        assert_eq!(first(&report), Some(FULL_ID), "{name}");
        assert_eq!(report["root_causes"][0]["evidence"][0]["line"], 1, "{name}");
    }
}

#[test]
fn a_row_of_a_csv_export_is_a_record_of_its_own() {
    let row = |second: u32, line: &str| format!("\"2026-09-15T08:00:0{second}Z\",\"178945920{second}\",\"{line}\"\r\n");
    let text = format!(
        "\"Time\",\"tsNs\",\"Line\"\r\n{}{}{}",
        row(1, "all is well"),
        row(2, FULL.trim_end()),
        row(3, "all is well again")
    );
    let report = report(&[("export.csv", text.as_bytes())]);
    assert_eq!(first(&report), Some(FULL_ID));
    assert_eq!(report["root_causes"][0]["evidence"][0]["line"], 3);
}

#[test]
fn archives_that_cannot_be_opened_are_named_with_what_to_do() {
    let locked = {
        // The flag of encryption in both headers.
        let mut bytes = zip(&[("a/task.log", FULL.as_bytes())]);
        let places: Vec<usize> = memchr::memmem::find_iter(&bytes, b"PK\x03\x04").map(|at| at + 6).collect();
        let more: Vec<usize> = memchr::memmem::find_iter(&bytes, b"PK\x01\x02").map(|at| at + 8).collect();
        places.into_iter().chain(more).for_each(|at| bytes[at] |= 1);
        bytes
    };
    let report = report(&[
        ("logs.7z", b"7z\xbc\xaf\x27\x1c\0\x04rest"),
        ("logs.rar", b"Rar!\x1a\x07\x01\0rest"),
        ("locked.zip", &locked),
        ("mail.msg", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1rest"),
        ("note.txt", FULL.as_bytes()),
    ]);
    assert_eq!(first(&report), Some(FULL_ID));
    let expected = [
        ("ticket/locked.zip!/a/task.log", "encrypted with a zip password; unpack it and pass the result"),
        ("ticket/logs.7z", "a 7-Zip archive; unpack it first"),
        ("ticket/logs.rar", "a RAR archive; unpack it first"),
        ("ticket/mail.msg", "an old Office or Outlook file; save its text as a file"),
    ];
    assert_eq!(skipped(&report), expected.map(|(source, why)| (source.to_owned(), why.to_owned())));
}

#[test]
fn what_office_programs_and_macos_leave_in_a_folder_does_no_harm() {
    let document = format!("<w:document><w:p><w:t>{}</w:t></w:p></w:document>", FULL.trim_end());
    let docx =
        zip(&[("word/document.xml", document.as_bytes()), ("word/media/image1.png", b"\x89PNG\r\n\x1a\n\0\0\0")]);
    let report = report(&[
        ("report.docx", &docx),
        (".DS_Store", b"\0\0\0\x01Bud1\0\0\x10\0\0\0\x08\0"),
        ("__MACOSX/._task.log", b"\0\x05\x16\x07\0\x02\0\0Mac OS X        \0\x02"),
    ]);
    assert_eq!(first(&report), Some(FULL_ID));
    assert_eq!(sources(&report), ["ticket/report.docx!/word/document.xml"]);
    assert_eq!(skipped(&report).len(), 3, "{:?}", skipped(&report));
}

#[test]
fn a_mail_with_a_zip_in_a_zip_is_opened() {
    use base64::Engine;
    let inner = zip(&[("inner.zip", &zip(&[("logs/task.log", FULL.as_bytes())]))]);
    let mail = format!(
        "From: a@example.com\r\nTo: b@example.com\r\nSubject: Provisioning\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/mixed; boundary=\"XX\"\r\n\r\n--XX\r\nContent-Type: text/html; charset=utf-8\r\n\
         Content-Transfer-Encoding: quoted-printable\r\n\r\n<p>etcd says:<br>etcdserver: mvcc: database space =\r\nexceeded</p>\r\n\
         --XX\r\nContent-Type: application/zip; name=\"logs.zip\"\r\nContent-Transfer-Encoding: base64\r\n\
         Content-Disposition: attachment; filename=\"logs.zip\"\r\n\r\n{}\r\n--XX--\r\n",
        base64::engine::general_purpose::STANDARD.encode(inner)
    );
    let report = report(&[("mail.eml", mail.as_bytes())]);
    let found = ids(&report);
    assert!(found.contains(&FULL_ID) && found.contains(&"etcd-unhealthy/etcd-space-quota-exceeded"), "{found:?}");
    assert!(
        sources(&report).contains(&"ticket/mail.eml!/logs.zip!/inner.zip!/logs/task.log"),
        "{:?}",
        sources(&report)
    );
}

#[test]
fn an_archive_that_is_cut_is_named_once() {
    let packed = gzip(&tar(&[("x/task.log", FULL.repeat(5000).as_bytes())]));
    let dir = Dir::new();
    dir.write("cut.tgz", &packed[..packed.len() / 2]);
    let text = omnilog(["cut.tgz"]).within(dir.path()).exits(0).stdout;
    let cut = text.lines().find(|line| line.trim_start().starts_with("cut ")).expect("a line about it");
    assert!(cut.contains("2 sources not wholly read: cut.tgz, cut.tgz!/x/task.log"), "{text}");
}

#[test]
fn a_ticket_of_which_nothing_can_be_read_is_not_called_healthy() {
    let dir = Dir::with(&[("tickets/note/note.txt", "all is well\n")]);
    dir.write("tickets/pictures/1.png", b"\x89PNG\r\n\x1a\n\0\0\0");
    dir.write("tickets/packed/logs.7z", b"7z\xbc\xaf\x27\x1c\0\x04rest");
    let rows = omnilog(["triage", "tickets", "--format", "json"]).within(dir.path()).exits(0).stdout;
    let rows: Vec<serde_json::Value> = serde_json::from_str(&rows).expect("JSON");
    let verdicts: Vec<(&str, &str)> =
        rows.iter().map(|r| (r["ticket"].as_str().expect("a name"), r["verdict"].as_str().expect("a word"))).collect();
    assert_eq!(verdicts, [("note", "none"), ("packed", "unread"), ("pictures", "unread")]);
    assert!(rows[1]["problems"].to_string().contains("a 7-Zip archive; unpack it first"), "{}", rows[1]);
}
