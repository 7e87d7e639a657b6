//! Secrets that are known by their shape, whatever stands around them.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

/// Bytes of base64 in one piece from which on it is taken for a key, a certificate or a token.
const LONG: usize = 60;
/// As [`LONG`], for words in which kinds of characters change at random.
const SHORT: usize = 20;

/// Each expression with the group that holds the secret.
const SHAPES: &[&str] = &[
    // Authorization values outside of their header.
    r"(?i)\b(?:bearer|basic)(?: +|%20)([A-Za-z0-9._~+/=-]{8,})",
    // JSON web tokens and Omni service account keys: base64 of `{"`.
    r"\b(eyJ[A-Za-z0-9_/+=-]{12,}(?:\.[A-Za-z0-9_/+=-]+)*)",
    // Bootstrap tokens of Kubernetes and Talos: id.secret.
    r"(?:^|[^A-Za-z0-9.])([a-z0-9]{6}\.[a-z0-9]{16})(?:$|[^A-Za-z0-9.])",
    r"(?i)\b(AGE-(?:SECRET-KEY|PLUGIN-[A-Z0-9-]+)-1[A-Z0-9]{8,})",
    r"\b((?:AKIA|ASIA|AROA|AIDA)[A-Z0-9]{16})\b",
    r"\b((?:gh[pousr]_|github_pat_|glpat-|xox[abprs]-|sk_live_|hvs\.|dckr_pat_|npm_)[A-Za-z0-9_-]{16,})",
    // Base64 of `-----BEGIN `, also as JSON or a URL escapes it.
    r"(LS0tLS1CRUdJTi(?:[A-Za-z0-9+/_=-]|%2[BbFf]|%3[Dd]|\\u003[dD])*)",
    // Bodies of SSH keys, public (qm quotes them like a URL) and private.
    r"\b(AAAA[BCE](?:[A-Za-z0-9+/=]|%2[BbFf]|%3[Dd]){24,})",
    r"\b(b3BlbnNzaC1rZXkt[A-Za-z0-9+/=]+)",
    // Tickets of Proxmox VE.
    r#"\b((?:PVE|PMG|PBS)(?:VNC)?(?::|%3[Aa])[^\s"',;]+?(?::|%3[Aa])[0-9A-Fa-f]{8}(?::|%3[Aa]){1,2}[A-Za-z0-9+/=%]+)"#,
    // user@realm!tokenid=secret
    r#"\b[\w.-]+(?:@|%40)[\w.-]+(?:!|%21)[\w.-]+(?:=|:|%3[Dd])([^\s"'\\,;&]{8,})"#,
    // Credentials in an address.
    r#"://[^\s/@:"'<>]*:([^\s/"'<>]+)@"#,
    r#"://([^\s/@:"'<>]{16,})@"#,
    // curl -u user:password
    r#"(?:\s-u|\s--user)[ =]+["']?[^\s:"']+:([^\s"']+)"#,
    // Hashes of passwords.
    r"(\$(?:1|2[abxy]|5|6|y|7|gy|argon2id?)\$[A-Za-z0-9./$=,+]{8,})",
];

struct Shape {
    regex: Regex,
    /// Cheap to ask first: the text must hold one of these, in any case.
    hints: &'static [&'static str],
}

/// For each shape, what must stand in the text.
const HINTS: &[&[&str]] = &[
    &["bearer", "basic"],
    &["eyj"],
    &["."],
    &["age-"],
    &["akia", "asia", "aroa", "aida"],
    &["gh", "glpat", "xox", "sk_live", "hvs.", "dckr", "npm_"],
    &["ls0t"],
    &["aaaa"],
    &["b3blb"],
    &["pve", "pmg", "pbs"],
    &["!", "%21"],
    &["://"],
    &["://"],
    &[" -u", "--user"],
    &["$"],
];

static COMPILED: LazyLock<Vec<Shape>> = LazyLock::new(|| {
    let compile =
        |(shape, hints): (&&str, &&'static [&'static str])| Some(Shape { regex: Regex::new(shape).ok()?, hints });
    SHAPES.iter().zip(HINTS).filter_map(compile).collect()
});

/// Where secrets of a known shape stand.
pub fn find(text: &str, found: &mut Vec<Range<usize>>) {
    let lower = text.to_ascii_lowercase();
    for (index, shape) in COMPILED.iter().enumerate() {
        if !shape.hints.iter().any(|hint| lower.contains(hint)) {
            continue;
        }
        for captures in shape.regex.captures_iter(text) {
            let Some(group) = captures.get(1) else { continue };
            if index != 2 && index != 0 || is_random(group.as_str()) {
                found.push(group.range());
            }
        }
    }
    base64(text, found);
    pem(text, found);
}

/// Whether a word could have come from a generator: it holds digits, or upper case after lower case.
pub fn is_random(word: &str) -> bool {
    word.bytes().any(|b| b.is_ascii_digit())
        || word.as_bytes().windows(2).any(|w| matches!(w, [a, b] if a.is_ascii_lowercase() && b.is_ascii_uppercase()))
}

fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=')
}

/// Words of base64: lines of keys and certificates, wrapped values. Digests (hexadecimal), paths and identifiers are none.
fn base64(text: &str, found: &mut Vec<Range<usize>>) {
    let mut start = 0;
    for run in text.as_bytes().split(|b| !is_base64(*b)) {
        let range = start..start + run.len();
        start += run.len() + 1;
        // By chance one byte of 64 is a slash; in a path every sixth or so is one.
        let path = run.iter().filter(|b| **b == b'/').count() * 10 > run.len() || run.first() == Some(&b'/');
        let fingerprint = text.get(..range.start).is_some_and(|before| before.ends_with("SHA256:"));
        if run.len() >= SHORT && !path && !fingerprint && (is_mixed(run) && run.len() >= LONG || is_noise(run)) {
            found.push(range);
        }
    }
}

fn is_mixed(run: &[u8]) -> bool {
    let has = |class: fn(&u8) -> bool| run.iter().any(class);
    has(u8::is_ascii_uppercase) && has(u8::is_ascii_lowercase) && has(u8::is_ascii_digit)
}

/// Whether the kind of character changes as often as chance does it: 64 of 100 times; names of code do it 25 of 100 times.
fn is_noise(run: &[u8]) -> bool {
    let class = |b: u8| match b {
        b'a'..=b'z' => 0,
        b'A'..=b'Z' => 1,
        b'0'..=b'9' => 2,
        _ => 3,
    };
    // Slashes part words of a path as well.
    let run: Vec<u8> = run.iter().copied().filter(|b| *b != b'/').collect();
    let changes = run.windows(2).filter(|w| matches!(w, [a, b] if class(*a) != class(*b))).count();
    is_mixed(&run) && changes * 5 >= run.len() * 2
}

/// Bodies between `-----BEGIN …-----` and `-----END`; to the end of the text when it does not end, from its start when
/// only the end stands in it.
fn pem(text: &str, found: &mut Vec<Range<usize>>) {
    let mut at = 0;
    while let Some(begin) = text.get(at..).and_then(|t| t.find("-----BEGIN ")).map(|n| at + n) {
        let head = begin + "-----BEGIN ".len();
        let Some(body) = text.get(head..).and_then(|t| t.find("-----")).map(|n| head + n + 5) else { return };
        let end = text.get(body..).and_then(|t| t.find("-----END")).map_or(text.len(), |n| body + n);
        found.push(body..end);
        at = end;
    }
    if let Some(end) = text.find("-----END ").filter(|end| text.get(..*end).is_some_and(|t| !t.contains("-----BEGIN ")))
    {
        let before = text.get(..end).unwrap_or_default();
        found.extend(words(before));
    }
}

/// Words of base64 characters, as far as they look like nothing else.
fn words(text: &str) -> impl Iterator<Item = Range<usize>> {
    let mut start = 0;
    text.as_bytes().split(|b| !is_base64(*b)).filter_map(move |run| {
        let range = start..start + run.len();
        start += run.len() + 1;
        let shown = std::str::from_utf8(run).unwrap_or_default();
        (run.len() >= 4 && (is_random(shown) || run.ends_with(b"=") || run.len() >= 16)).then_some(range)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shape_compiles_and_has_a_hint() {
        assert_eq!(SHAPES.len(), HINTS.len());
        assert_eq!(COMPILED.len(), SHAPES.len());
    }

    #[test]
    fn digests_paths_and_versions_have_no_secret_shape() {
        for text in [
            "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
            "/var/lib/kubelet/pods/0a1b2c3d/volumes/kubernetes/Abc/def/ghi/jkl/mno/pqr",
            "basic authentication failed, bearer authentication too",
            "system.containermanager v1.12.8 192.0.2.1:50000 https://pve1:8006/api2/json",
            "samples/join-a-stopped-upload-full/input/pve/pve1/tasks/D/UPID:pve1:00002186:39C0DED6:6AB0DD04:imgcopy::omni@pve!x:",
            "created v1/ServiceAccount/kube-system/kube-flannel",
            "ED25519 SHA256:abcDEF123ghiJKL456mnoPQR789stuVWX012yzABC34",
            "ConvertingKubernetesV1Beta1ToV1ResourceName of UserManagedMachineSetNodeStatusController2",
            "expected PEM data to begin with a BEGIN line",
        ] {
            let mut found = Vec::new();
            find(text, &mut found);
            assert!(found.is_empty(), "{text}: {found:?}");
        }
    }
}
