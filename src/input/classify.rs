//! What a stream is, by its first bytes: container, text, or something that is no text.
//!
//! Opens and decodes nothing, knows no names. Invariant: when in doubt it is text; a log with bad bytes or
//! holes of NUL bytes must be read.

use super::mail;
use crate::decode::{self, Layer, age, text};

/// Bytes looked at; enough for a tar header and for a fair sample of text.
pub(super) const HEAD: usize = 4096;

/// What a stream is.
pub(super) enum Class {
    /// Nothing at all.
    Empty,
    /// A compression.
    Compressed(&'static dyn Layer),
    /// An age file.
    Age,
    /// A tar archive.
    Tar,
    /// A zip archive.
    Zip,
    /// An e-mail.
    Mail,
    /// Text in some encoding.
    Text(text::Encoding),
    /// No text: what it is, and what to do with it.
    Binary(&'static str),
    /// Compressed or encrypted in a way that is not read.
    Unsupported(&'static str),
}

/// Whether `head` suffices to classify. A line of plain text is enough, so that a live stream starts at once, unless it may
/// be the header of a mail.
pub(super) fn is_enough(head: &[u8]) -> bool {
    let plain = || std::str::from_utf8(head).is_ok_and(|text| text.chars().all(is_plain));
    head.len() >= HEAD || (head.len() >= 8 && head.ends_with(b"\n") && plain() && !mail::may_become_mail(head))
}

fn is_plain(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\r' | '\u{1b}') || !character.is_control()
}

/// Classifies a stream by its first bytes.
pub(super) fn classify(head: &[u8]) -> Class {
    if head.is_empty() {
        return Class::Empty;
    }
    if let Some(layer) = decode::sniff(head) {
        return Class::Compressed(layer);
    }
    if age::matches(head) {
        return Class::Age;
    }
    if is_zip(head) {
        return Class::Zip;
    }
    if is_tar(head) {
        return Class::Tar;
    }
    if mail::is_mail(head) {
        return Class::Mail;
    }
    match KNOWN.iter().find(|known| known.matches(head)) {
        Some(known) if known.is_container => Class::Unsupported(known.text),
        Some(known) => Class::Binary(known.text),
        None => classify_text(head),
    }
}

fn classify_text(head: &[u8]) -> Class {
    match text::sniff(head) {
        text::Encoding::Utf8 if is_binary(head) => Class::Binary("binary data, no text"),
        encoding => Class::Text(encoding),
    }
}

/// A member, the end of an empty archive, or the mark of a split one.
fn is_zip(head: &[u8]) -> bool {
    [&b"PK\x03\x04"[..], b"PK\x05\x06", b"PK\x07\x08PK"].iter().any(|magic| head.starts_with(magic))
}

/// The check sum of the first header decides, since old tars have no magic.
fn is_tar(head: &[u8]) -> bool {
    head.first_chunk().is_some_and(super::tar::is_header)
}

struct Known {
    at: usize,
    magic: &'static [u8],
    text: &'static str,
    /// Whether logs may be inside.
    is_container: bool,
}

impl Known {
    fn matches(&self, head: &[u8]) -> bool {
        head.get(self.at..).is_some_and(|rest| rest.starts_with(self.magic))
    }
}

const fn binary(magic: &'static [u8], text: &'static str) -> Known {
    Known { at: 0, magic, text, is_container: false }
}

const fn container(magic: &'static [u8], text: &'static str) -> Known {
    Known { at: 0, magic, text, is_container: true }
}

/// Kinds of files that turn up in bundles and are no text. Magics that could begin a text are left out.
static KNOWN: &[Known] = &[
    container(b"LPKSHHRH", "a binary journal; export it with `journalctl --file FILE -o short-iso-precise`"),
    container(b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive; unpack it first"),
    container(b"Rar!\x1a\x07", "a RAR archive; unpack it first"),
    container(b"\x04\x22\x4d\x18", "compressed with lz4; unpack it with `lz4 -d`"),
    container(b"LZIP\x01", "compressed with lzip; unpack it with `lzip -d`"),
    container(b"\x89LZO\0\r\n\x1a\n", "compressed with lzop; unpack it with `lzop -d`"),
    container(b"\xff\x06\0\0sNaPpY", "compressed with snappy; unpack it first"),
    container(b"\x1f\x9d", "compressed with compress; unpack it with `gzip -d`"),
    container(b"MSCF\0\0\0\0", "a cabinet archive; unpack it first"),
    container(b"\xed\xab\xee\xdb", "an RPM package"),
    container(b"!<arch>\ndebian", "a Debian package"),
    container(b"-----BEGIN PGP MESSAGE-----", "encrypted with OpenPGP; decrypt it with `gpg -d`"),
    container(b"\x85\x01\x0c\x03", "encrypted with OpenPGP; decrypt it with `gpg -d`"),
    container(b"\x85\x02\x0c\x03", "encrypted with OpenPGP; decrypt it with `gpg -d`"),
    container(b"Salted__", "encrypted with OpenSSL; decrypt it first"),
    container(b"VMA\0", "a Proxmox VE backup (vma), not a log"),
    container(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Office or Outlook file; save its text as a file"),
    container(b"ElfFile\0", "a Windows event log; export it as text"),
    binary(b"\x7fELF", "an ELF program"),
    binary(b"MZ\x90\0", "a Windows program"),
    binary(b"\xca\xfe\xba\xbe", "a program (Mach-O or Java class)"),
    binary(b"\xcf\xfa\xed\xfe", "a program (Mach-O)"),
    binary(b"\0asm", "a WebAssembly program"),
    binary(b"\x89PNG\r\n\x1a\n", "a PNG image; paste the text it shows into a file"),
    binary(b"\xff\xd8\xff", "a JPEG image; paste the text it shows into a file"),
    binary(b"GIF87a", "a GIF image; paste the text it shows into a file"),
    binary(b"GIF89a", "a GIF image; paste the text it shows into a file"),
    binary(b"II*\0", "a TIFF image; paste the text it shows into a file"),
    binary(b"MM\0*", "a TIFF image; paste the text it shows into a file"),
    Known { at: 8, magic: b"WEBPVP8", text: "a WebP image; paste the text it shows into a file", is_container: false },
    Known { at: 4, magic: b"ftyp", text: "a video; paste the text it shows into a file", is_container: false },
    binary(b"\x1a\x45\xdf\xa3", "a video; paste the text it shows into a file"),
    binary(b"%PDF-", "a PDF document; save its text as a file"),
    binary(b"SQLite format 3\0", "an SQLite database"),
    binary(b"\0\0\0\x01Bud1", "what macOS notes about a folder"),
    binary(b"\0\x05\x16\x07\0", "what macOS notes about a file"),
    binary(b"QFI\xfb", "a qcow2 disk image"),
    binary(b"KDMV", "a VMDK disk image"),
    binary(b"hsqs", "a squashfs image"),
    binary(b"\xd4\xc3\xb2\xa1", "a packet capture"),
    binary(b"\xa1\xb2\xc3\xd4", "a packet capture"),
    binary(b"\x0a\x0d\x0d\x0a", "a packet capture"),
    binary(b"\xff\xfe\0\0", "UTF-32 text; convert it with `iconv -f UTF-32 -t UTF-8`"),
    binary(b"\0\0\xfe\xff", "UTF-32 text; convert it with `iconv -f UTF-32 -t UTF-8`"),
];

/// Whether the bytes are hardly text. NUL bytes alone do not count: logs have holes after a crash.
fn is_binary(head: &[u8]) -> bool {
    let nuls = head.iter().filter(|byte| **byte == 0).count();
    let seen = head.len() - nuls;
    let controls = head.iter().filter(|byte| is_control(**byte)).count();
    let high = head.iter().filter(|byte| **byte >= 0x80).count();
    let odd = controls + if is_utf8(head) { 0 } else { high };
    match (nuls, controls) {
        (0, _) => controls * 20 > seen && odd * 4 > seen,
        (_, 0) => odd * 2 > seen,
        _ => odd * 4 > seen,
    }
}

fn is_control(byte: u8) -> bool {
    matches!(byte, 1..=7 | 0x0b | 0x0e..=0x1a | 0x1c..=0x1f | 0x7f)
}

/// Whether it is UTF-8, but for a character that is cut at the end.
fn is_utf8(head: &[u8]) -> bool {
    std::str::from_utf8(head).map_or_else(|error| error.error_len().is_none(), |_| true)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_text(head: &[u8]) -> bool {
        matches!(classify(head), Class::Text(_))
    }

    #[test]
    fn logs_with_holes_colours_and_bad_bytes_are_text() {
        let table: &[&[u8]] = &[
            b"plain\n",
            b"\x1b[31merror\x1b[0m caf\xe9\n",
            b"before\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0after\n",
            &[0; 4096],
            b"\xef\xf0\xe8\xe2\xe5\xf2 \xec\xe8\xf0\n",
            "подключение потеряно\n".as_bytes(),
            b"MZ is a country code\n",
            b"PK is short for primary key\n",
            b"\n",
            b"x",
        ];
        for head in table {
            assert!(is_text(head), "{head:?}");
        }
    }

    #[test]
    fn binary_files_are_told_by_content() {
        let mut noise = Vec::new();
        let mut state = 1_u32;
        for _ in 0..4096 {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            noise.extend(state.to_be_bytes().first());
        }
        for size in [64, 300, 4096] {
            assert!(matches!(classify(noise.get(..size).unwrap()), Class::Binary(_)), "{size}");
        }
        for known in KNOWN {
            let head = [vec![b'.'; known.at], known.magic.to_vec(), b"rest".to_vec()].concat();
            assert!(matches!(classify(&head), Class::Binary(_) | Class::Unsupported(_)), "{}", known.text);
        }
    }

    #[test]
    fn one_line_is_enough_for_text_and_nothing_else() {
        assert!(is_enough(b"level=info\n"));
        assert!(is_enough("getrennt: Gerät\n".as_bytes()));
        assert!(!is_enough(b"level=in"));
        assert!(!is_enough(b"a\n"));
        assert!(!is_enough(b"\x1f\x8b\x08\0\0\0\0\n"));
        assert!(is_enough(&[0; HEAD]));
    }
}
