//! E-mails as mail programs and ticket systems export them: the text and the attachments become members.
//!
//! MIME is taken apart by the `mail-parser` crate, which needs a message whole; so a message is held in memory up to
//! [`Limits::mail`](crate::limits::Limits::mail). Of alternatives the plain text is read; a message that is only HTML is read
//! without its markup. Attached messages and archives are opened like any other. Invariant: damage costs one part at most,
//! and what can be restored of that is read.

use std::borrow::Cow;
use std::io::Read;
use std::panic::{AssertUnwindSafe, catch_unwind};

use mail_parser::decoders::html::html_to_text;
use mail_parser::{Encoding, Message, MessageParser, MessagePart, MimeHeaders, PartType};

use super::label;
use super::nest::Place;
use super::tally::{Tally, What};
use super::{ProblemKind, Walk};

/// Header fields of mails, in lower case. No log format begins with three of them.
const FIELDS: &[&str] = &[
    "authentication-results",
    "cc",
    "content-transfer-encoding",
    "content-type",
    "date",
    "delivered-to",
    "dkim-signature",
    "from",
    "in-reply-to",
    "message-id",
    "mime-version",
    "received",
    "references",
    "reply-to",
    "return-path",
    "sender",
    "subject",
    "to",
    "user-agent",
    "x-mailer",
    "x-original-to",
];
/// One of these stands in every mail.
const TELLING: &[&str] = &["from", "message-id", "mime-version", "received", "return-path"];
/// Fields of [`FIELDS`] that must stand in a header.
const FEWEST: usize = 3;
/// The longest name of a field.
const NAME: usize = 70;
/// The line with which a mailbox file marks the beginning of a message.
const MAILBOX: &[u8] = b"From ";

/// Whether a stream that begins so is a mail.
pub(super) fn is_mail(head: &[u8]) -> bool {
    let fields = header(head).1;
    let mut known: Vec<&str> = fields.into_iter().filter(|f| FIELDS.contains(f)).collect();
    known.sort_unstable();
    known.dedup();
    known.len() >= FEWEST && known.iter().any(|field| TELLING.contains(field))
}

/// Whether more bytes may show that it is a mail: its header has begun and not ended.
pub(super) fn may_become_mail(head: &[u8]) -> bool {
    let (open, fields) = header(head);
    open && fields.first().is_some_and(|field| FIELDS.contains(field))
}

/// The known names of the fields at the beginning, an empty name for others; and whether the header may go on. Nothing when
/// a line stands there that no header holds.
fn header(head: &[u8]) -> (bool, Vec<&'static str>) {
    let mut fields = Vec::new();
    let lines = unmarked(head).split_inclusive(|byte| *byte == b'\n');
    for line in lines {
        let Some(line) = line.strip_suffix(b"\n") else { break };
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        match (line.first(), name(line)) {
            (None, _) => return (false, fields),
            (Some(b' ' | b'\t'), _) if !fields.is_empty() => {}
            (_, Some(name)) => {
                fields.push(FIELDS.iter().find(|f| name.eq_ignore_ascii_case(f.as_bytes())).unwrap_or(&""))
            }
            (_, None) => return (false, Vec::new()),
        }
    }
    (true, fields)
}

/// The name of a field: printable, without blanks, up to a colon.
fn name(line: &[u8]) -> Option<&[u8]> {
    let name = line.get(..memchr::memchr(b':', line)?)?;
    (1..=NAME).contains(&name.len()).then_some(name).filter(|n| n.iter().all(u8::is_ascii_graphic))
}

/// The message without the line that marks its beginning in a mailbox file.
fn unmarked(bytes: &[u8]) -> &[u8] {
    let marked = bytes.starts_with(MAILBOX);
    let end = memchr::memchr(b'\n', bytes).filter(|_| marked).map_or(0, |at| at + 1);
    bytes.get(end..).unwrap_or_default()
}

/// Visits the text and the attachments of the mail that `input` is.
pub(super) fn walk(walk: &Walk<'_>, place: &Place<'_>, input: &mut dyn Read) {
    let label = &place.source.label;
    let limit = walk.limits.mail;
    let mut bytes = Vec::new();
    if let Err(error) = input.take(limit as u64 + 1).read_to_end(&mut bytes) {
        walk.lost(label, ProblemKind::Open, format!("{}; what was read of it is used", label::reason(&error)));
    }
    if bytes.len() > limit {
        bytes.truncate(limit);
        let message = format!("a mail of more than {limit} bytes; the first {limit} were read, save its attachments");
        walk.lost(label, ProblemKind::Limit, message);
    }
    let raw = unmarked(&bytes);
    // A fault in the parser must not end the run.
    let parsed = catch_unwind(AssertUnwindSafe(|| MessageParser::default().parse(raw)));
    let Ok(Some(message)) = parsed else {
        walk.lost(label, ProblemKind::Damaged, "a mail that cannot be taken apart; read as text");
        let tally = Tally::default();
        return walk.plain(place.member(label::member(walk, label, "message"), 1, &tally), &bytes);
    };
    members(walk, place, raw, &message);
}

fn members(walk: &Walk<'_>, place: &Place<'_>, raw: &[u8], message: &Message<'_>) {
    let tally = Tally::default();
    let label = &place.source.label;
    let sent = message.date().map(mail_parser::DateTime::to_timestamp);
    let mut parts: Vec<u32> = message.text_body.iter().chain(&message.attachments).copied().collect();
    parts.sort_unstable();
    parts.dedup();
    let limit = walk.limits.members;
    if parts.len() > limit {
        walk.lost(label, ProblemKind::Limit, format!("has more than {limit} parts; the first {limit} were read"));
        parts.truncate(limit);
    }
    for (index, id) in (1..).zip(&parts) {
        let Some(part) = message.parts.get(*id as usize) else { continue };
        let is_body = message.text_body.contains(id);
        let (name, hostile) = member_name(part, is_body, index);
        if hostile {
            tally.add(What::Hostile, &name);
        }
        let mut member = place.member(label::member(walk, label, &name), index, &tally);
        member.source.modified = sent.or(place.source.modified);
        let bytes = content(raw, part, is_body);
        member.source.bytes = Some(bytes.len() as u64);
        if part.is_encoding_problem {
            let message = "its encoding in the mail is damaged; what could be restored was read".to_owned();
            walk.lost(&member.source.label, ProblemKind::Damaged, message);
        }
        // The text is text, whatever it begins with: a reply may begin with quoted headers.
        if is_body {
            walk.plain(member, &bytes);
        } else {
            walk.stream(member, Box::new(&*bytes));
        }
    }
    if parts.is_empty() {
        walk.empty(label, "a mail without text and attachments", 1);
    }
    tally.report(walk, label);
}

/// The name of a part: its file name, or what it is.
fn member_name(part: &MessagePart<'_>, is_body: bool, index: usize) -> (String, bool) {
    match (part.attachment_name(), &part.body) {
        (Some(name), _) => label::clean(name.as_bytes()),
        (None, PartType::Message(_)) => (format!("message-{index}.eml"), false),
        (None, _) if is_body && index == 1 => ("text".into(), false),
        (None, _) if is_body => (format!("text-{index}"), false),
        (None, _) => (format!("part-{index}"), false),
    }
}

/// The bytes of a part, decoded.
fn content<'m>(raw: &'m [u8], part: &'m MessagePart<'_>, is_body: bool) -> Cow<'m, [u8]> {
    if part.is_encoding_problem
        && let Some(bytes) = restored(raw, part)
    {
        return bytes.into();
    }
    match &part.body {
        PartType::Html(html) if is_body => html_to_text(html).into_bytes().into(),
        PartType::Text(text) | PartType::Html(text) => text.as_bytes().into(),
        PartType::Binary(bytes) | PartType::InlineBinary(bytes) => bytes.as_ref().into(),
        PartType::Message(message) if part.encoding != Encoding::None => message.raw_message.as_ref().into(),
        PartType::Message(_) => body(raw, part).into(),
        PartType::Multipart(_) => Cow::default(),
    }
}

/// The bytes of a part as they stand in the mail.
fn body<'m>(raw: &'m [u8], part: &MessagePart<'_>) -> &'m [u8] {
    raw.get(part.offset_body as usize..part.offset_end as usize).unwrap_or_default()
}

/// What can be restored of damaged base64. Every line stands for itself: damage costs the rest of its line.
fn restored(raw: &[u8], part: &MessagePart<'_>) -> Option<Vec<u8>> {
    part.content_transfer_encoding().filter(|e| e.eq_ignore_ascii_case("base64"))?;
    let mut bytes = Vec::new();
    for line in body(raw, part).split(|byte| *byte == b'\n') {
        let (mut bits, mut count) = (0_u32, 0);
        for value in line.iter().map_while(|byte| sextet(*byte)) {
            bits = bits << 6 | value;
            count += 6;
            if count >= 8 {
                count -= 8;
                bytes.push((bits >> count) as u8);
            }
        }
    }
    Some(bytes)
}

/// The value of a letter of base64.
fn sextet(letter: u8) -> Option<u32> {
    let value = match letter {
        b'A'..=b'Z' => letter - b'A',
        b'a'..=b'z' => letter - b'a' + 26,
        b'0'..=b'9' => letter - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    };
    Some(u32::from(value))
}

#[cfg(test)]
#[path = "mail_tests.rs"]
mod tests;
