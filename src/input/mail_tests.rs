use std::io::Write;

use super::super::testing::{visit_bytes, visit_piped};
use super::*;
use crate::limits::Limits;

const HEADER: &str = "Return-Path: <ops@example.com>\r\nFrom: Ops <ops@example.com>\r\nTo: desk@example.com\r\n\
                      Subject: node does not come up\r\nDate: Tue, 15 Sep 2026 08:00:00 +0000\r\nMIME-Version: 1.0\r\n";

fn simple(encoding: &str, body: &str) -> String {
    format!("{HEADER}Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n{body}")
}

fn multipart(parts: &[String]) -> String {
    let parts = parts.join("\r\n--cut\r\n");
    format!("{HEADER}Content-Type: multipart/mixed; boundary=\"cut\"\r\n\r\n--cut\r\n{parts}\r\n--cut--\r\n")
}

fn attached(name: &str, base64: &str) -> String {
    format!(
        "Content-Type: application/octet-stream; name=\"{name}\"\r\nContent-Disposition: attachment; \
         filename=\"{name}\"\r\nContent-Transfer-Encoding: base64\r\n\r\n{base64}"
    )
}

fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for (index, three) in bytes.chunks(3).enumerate() {
        let word = three.iter().fold(0_u32, |word, byte| word << 8 | u32::from(*byte)) << (8 * (3 - three.len()));
        for place in 0..4 {
            let letter = LETTERS[(word >> (18 - 6 * place)) as usize & 63];
            text.push(if place <= three.len() { char::from(letter) } else { '=' });
        }
        if index % 19 == 18 {
            text.push_str("\r\n");
        }
    }
    text
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(bytes).unwrap();
    gzip.finish().unwrap()
}

fn texts(mail: &str) -> Vec<(String, String)> {
    let texts = visit_bytes("t.eml", mail.as_bytes(), Limits::default()).texts();
    texts.into_iter().map(|(label, text)| (label, text.replace("\r\n", "\n"))).collect()
}

fn pairs(list: &[(&str, &str)]) -> Vec<(String, String)> {
    list.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect()
}

#[test]
fn mails_are_told_by_their_header_and_logs_are_none() {
    assert!(is_mail(simple("7bit", "x").as_bytes()));
    assert!(is_mail(format!("From ops@example.com Tue Sep 15 08:00:00 2026\n{HEADER}\n").as_bytes()));
    assert!(is_mail(&HEADER.replace("\r\n", "\n").into_bytes()));
    let logs = [
        "From: here\nDate: there\nthis is a log: of something\nSubject: x\nTo: y\n",
        "Date: Tue, 15 Sep 2026 08:00:00 GMT\nContent-Type: text/plain\nServer: nginx\n\nbody",
        "Name: node-1\nRoles: control-plane\nSubject: x\nDate: y\n",
        "level=info msg=\"From: a\"\n",
        "",
    ];
    for log in logs {
        assert!(!is_mail(log.as_bytes()), "{log:?}");
    }
    assert!(may_become_mail(b"Return-Path: <ops@example.com>\r\n"));
    assert!(!may_become_mail(b"error: Date: x\n") && !may_become_mail(b"Date: x\n\nbody\n"));
}

#[test]
fn the_text_is_decoded() {
    let body = pairs(&[("t.eml!/text", "TASK ERROR: größer\n")]);
    assert_eq!(texts(&simple("quoted-printable", "TASK =\r\nERROR: gr=C3=B6=C3=9Fer\n")), body);
    assert_eq!(texts(&simple("base64", &base64("TASK ERROR: größer\n".as_bytes()))), body);
    assert_eq!(texts(&simple("8bit", "TASK ERROR: größer\n")), body);
    let latin = simple("quoted-printable", "gr=F6=DFer").replace("utf-8", "iso-8859-1");
    assert_eq!(texts(&latin), pairs(&[("t.eml!/text", "größer")]));
}

#[test]
fn of_alternatives_the_plain_text_is_read_and_html_alone_without_markup() {
    let html = "Content-Type: text/html\r\n\r\n<p>TASK <b>ERROR</b>: &lt;full&gt;</p>";
    let plain = "Content-Type: text/plain\r\n\r\nTASK ERROR: full";
    let both = multipart(&[plain.into(), html.into()]).replace("multipart/mixed", "multipart/alternative");
    assert_eq!(texts(&both), pairs(&[("t.eml!/text", "TASK ERROR: full")]));
    let alone = format!("{HEADER}{html}");
    let seen = texts(&alone);
    assert!(seen[0].1.contains("TASK ERROR: <full>"), "{seen:?}");
}

#[test]
fn attachments_are_members_and_archives_in_them_are_opened() {
    let mail = multipart(&[
        "Content-Type: text/plain\r\n\r\nsee attached".into(),
        attached("pve1/task.log.gz", &base64(&gzip(b"TASK ERROR: full\n"))),
        "Content-Type: text/x-log; name=\"omni.log\"\r\nContent-Disposition: attachment\r\n\r\nlevel=error\r\n".into(),
    ]);
    let wanted = [
        ("t.eml!/text", "see attached"),
        ("t.eml!/pve1/task.log.gz", "TASK ERROR: full\n"),
        ("t.eml!/omni.log", "level=error"),
    ];
    let seen = texts(&mail);
    for ((label, text), (have, got)) in wanted.iter().zip(&seen) {
        assert_eq!((label, text.trim_end()), (&have.as_str(), got.trim_end()));
    }
    assert_eq!(seen.len(), wanted.len());
    let piped = visit_piped(mail.as_bytes(), Limits::default());
    assert_eq!(piped.seen.len(), wanted.len());
    let times: Vec<_> = piped.seen.iter().map(|s| s.source.modified).collect();
    assert_eq!(times, [Some(1_789_459_200); 3]);
}

#[test]
fn attached_messages_are_opened_and_counted_as_levels() {
    let inner = simple("7bit", "TASK ERROR: full\r\n");
    let mail = multipart(&[
        "Content-Type: text/plain\r\n\r\nforwarded".into(),
        format!("Content-Type: message/rfc822\r\n\r\n{inner}"),
    ]);
    let seen = texts(&mail);
    assert_eq!(seen.len(), 2, "{seen:?}");
    assert_eq!(seen[1].0, "t.eml!/message-2.eml!/text");
    assert_eq!(seen[1].1.trim_end(), "TASK ERROR: full");
    let found = visit_bytes("t.eml", mail.as_bytes(), Limits { nesting: 1, ..Limits::default() });
    assert_eq!(found.seen.len(), 1);
    assert_eq!(found.problems[0].kind, ProblemKind::Limit);
}

#[test]
fn damaged_mime_costs_one_part_and_what_can_be_restored_is_read() {
    let good = base64(b"first line\nsecond line\nthird line\n");
    let damaged = format!("{}!*{}", &good[..20], &good[21..]);
    let mail = multipart(&[attached("bad.log", &damaged), attached("good.log", &good)]);
    let found = visit_bytes("t.eml", mail.as_bytes(), Limits::default());
    let texts = found.texts();
    assert!(texts.iter().any(|(label, text)| label.ends_with("good.log") && text.contains("third line")), "{texts:?}");
    assert!(texts.iter().any(|(label, text)| label.ends_with("bad.log") && text.starts_with("first")), "{texts:?}");
    // The mail ends within an attachment.
    let cut = mail.get(..mail.len() - 20).unwrap();
    let texts = visit_bytes("t.eml", cut.as_bytes(), Limits::default()).texts();
    assert!(texts.iter().any(|(_, text)| text.starts_with("first line")), "{texts:?}");
    // A boundary that never comes.
    let lost = mail.replace("--cut", "--gone");
    let texts = visit_bytes("t.eml", lost.as_bytes(), Limits::default()).texts();
    assert!(!texts.is_empty());
}

#[test]
fn hostile_names_are_cleaned() {
    let mail = multipart(&[attached("../../etc/passwd", &base64(b"a line of text\n"))]);
    let found = visit_bytes("t.eml", mail.as_bytes(), Limits::default());
    assert_eq!(found.labels(), ["t.eml!/etc/passwd"]);
    assert!(found.problems.iter().any(|p| p.kind == ProblemKind::Name), "{:?}", found.problems);
}

#[test]
fn a_mail_at_the_limit_is_whole_and_one_beyond_is_said() {
    let mail = simple("7bit", &"TASK ERROR: full\r\n".repeat(1000));
    let limits = |mail: usize| Limits { mail, ..Limits::default() };
    let whole = visit_bytes("t.eml", mail.as_bytes(), limits(mail.len()));
    assert!(whole.problems.is_empty(), "{:?}", whole.problems);
    let cut = visit_bytes("t.eml", mail.as_bytes(), limits(mail.len() - 1));
    assert!(cut.message(ProblemKind::Limit).contains("save its attachments"));
    assert!(!cut.seen.is_empty());
    let many =
        multipart(&(0..5).map(|n| attached(&format!("{n}.log"), &base64(b"a line of text\n"))).collect::<Vec<_>>());
    let found = visit_bytes("t.eml", many.as_bytes(), Limits { members: 3, ..Limits::default() });
    assert_eq!(found.seen.len(), 3);
    assert!(found.message(ProblemKind::Limit).contains("parts"));
}
