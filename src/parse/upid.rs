//! Proxmox's identifiers of tasks: `UPID:node:pid:pstart:start:type:id:user:`, and what they tell.

use memchr::memmem;

use super::scan::{hex, text_from, text_to};
use crate::event::Event;

/// A decoded identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Upid<'a> {
    /// All of it, with the last colon.
    pub text: &'a str,
    /// The node on which the task ran.
    pub node: &'a str,
    /// Seconds since the epoch at which the task started.
    pub start: i64,
    /// The type of worker, as `qmcreate`.
    pub kind: &'a str,
    /// What the task works on; may be empty.
    pub id: &'a str,
    /// User or token.
    pub user: &'a str,
}

/// Decodes the identifier at the start of `text`, of Proxmox VE (eight fields) or of the backup server (nine).
pub fn decode(text: &str) -> Option<Upid<'_>> {
    let mut fields = text.strip_prefix("UPID:")?.split(':');
    let node = fields.next()?;
    let (pid, pstart, third) = (fields.next()?, fields.next()?, fields.next()?);
    if !is_hex(pid) || !is_hex(pstart) || !is_hex(third) {
        return None;
    }
    let fourth = fields.next()?;
    let backup = is_hex(fourth);
    let (start, kind) = if backup { (fourth, fields.next()?) } else { (third, fourth) };
    let (id, user) = (fields.next()?, fields.next()?);
    let odd = |s: &str| s.contains(|c: char| c.is_whitespace() || c == '"' || c == '/');
    if node.is_empty() || [node, kind, id, user].into_iter().any(odd) {
        return None;
    }
    let (last, _) = text.match_indices(':').nth(if backup { 8 } else { 7 })?;
    Some(Upid { text: text_to(text, last + 1), node, start: hex(start.as_bytes())?, kind, id, user })
}

/// Eight or more hexadecimal digits.
fn is_hex(field: &str) -> bool {
    (8..=16).contains(&field.len()) && field.bytes().all(|b| b.is_ascii_hexdigit())
}

/// The first identifier anywhere in `text`.
pub fn find(text: &str) -> Option<Upid<'_>> {
    memmem::find_iter(text.as_bytes(), b"UPID:").find_map(|at| decode(text_from(text, at)))
}

impl<'a> Upid<'a> {
    /// The guest that the task works on. For `qmclone` it is the source.
    pub fn vmid(&self) -> Option<&'a str> {
        let guest = self.kind.starts_with("qm") || self.kind.starts_with("vz") || self.kind.starts_with("ha");
        let guest = guest || matches!(self.kind, "vncproxy" | "spiceproxy" | "move_volume" | "resize");
        let id = match self.id.split_once('@') {
            Some((id, _)) if self.kind == "imgdel" => id,
            _ if guest => self.id,
            _ => return None,
        };
        (!id.is_empty() && id.bytes().all(|b| b.is_ascii_digit())).then_some(id)
    }

    /// The name under which a download is stored, as the identifier has it (percent-encoded).
    pub fn file(&self) -> Option<&'a str> {
        (self.kind == "download" && !self.id.is_empty()).then_some(self.id)
    }

    /// Puts what the identifier tells into an event's entities.
    pub fn entities(&self, event: &mut Event<'a>) {
        event.entity("pve.upid", self.text);
        event.entity("pve.node", self.node);
        event.entity("pve.task.type", self.kind);
        event.entity("pve.vmid", self.vmid().unwrap_or_default());
        event.entity("pve.file", self.file().unwrap_or_default());
        event.entity("pve.user", self.user);
    }

    /// Puts what the identifier tells into an event's attributes.
    pub fn attributes(&self, event: &mut Event<'a>) {
        event.attribute("pve.upid", self.text);
        event.attribute("pve.node", self.node);
        event.attribute("pve.task.type", self.kind);
        if let Some(vmid) = self.vmid() {
            event.attribute("pve.vmid", vmid);
        }
        event.attribute("pve.user", self.user);
        event.attribute("pve.task.start", self.start.to_string());
    }
}

/// Adds the guests of which a text of Proxmox speaks as `VM 104` or `CT 104`.
pub fn guests<'a>(text: &'a str, event: &mut Event<'a>) {
    for at in memmem::find_iter(text.as_bytes(), b"VM ").chain(memmem::find_iter(text.as_bytes(), b"CT ")).take(4) {
        let rest = text_from(text, at + 3);
        let length = rest.bytes().take_while(u8::is_ascii_digit).count();
        if (3..=9).contains(&length) {
            event.entity("pve.vmid", text_to(rest, length));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_kinds_are_decoded() {
        let text = "UPID:pve1:0012D687:0A3F21C4:692189A0:qmstart:100:root@pam!omni: 692189A7 OK";
        let upid = decode(text).expect("a UPID");
        assert_eq!((upid.node, upid.start, upid.kind, upid.user), ("pve1", 0x6921_89A0, "qmstart", "root@pam!omni"));
        assert_eq!((upid.vmid(), upid.file()), (Some("100"), None));
        assert!(upid.text.ends_with("omni:"));
        let backup =
            decode("UPID:pbs:000004D2:0A3F21C4:00000007:692189A0:backup:store1\\x3avm-100:root@pam:").expect("one");
        assert_eq!((backup.start, backup.kind, backup.vmid()), (0x6921_89A0, "backup", None));
    }

    #[test]
    fn a_download_is_known_by_its_file() {
        let upid = decode("UPID:pve1:0012D687:0A3F21C4:692189A0:download:talos%2Damd64.iso:root@pam:").expect("one");
        assert_eq!((upid.vmid(), upid.file()), (None, Some("talos%2Damd64.iso")));
    }

    #[test]
    fn what_is_no_identifier_is_none() {
        for text in ["UPID:", "UPID:pve1:xyz", "UPID:pve1:0012D687:0A3F21C4:692189A0:qmstart:100:root@pam", "upid:"] {
            assert_eq!(decode(text), None, "{text}");
        }
        assert!(find("x UPID: y UPID:a:00000001:00000002:00000003:imgdel:104@local:u@pam:").is_some());
    }
}
