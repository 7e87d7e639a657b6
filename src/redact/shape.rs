//! Secrets that are known by their shape, whatever stands around them.

use std::ops::Range;
use std::sync::{LazyLock, OnceLock};

use aho_corasick::AhoCorasick;
use memchr::memmem;
use regex::{Match, Regex};

/// Bytes of base64 in one piece from which on it is taken for a key, a certificate or a token.
const LONG: usize = 60;
/// As [`LONG`], for words in which kinds of characters change at random.
const SHORT: usize = 20;

/// Secrets of one shape.
struct Shape {
    /// Its first group holds the secret.
    expression: &'static str,
    /// Cheap to ask first: of each of these (in lower case), a text in any case must hold one.
    hints: &'static [&'static [&'static str]],
    /// Compiled when the hints first stand in a text: most of them never do.
    regex: OnceLock<Option<Regex>>,
}

impl Shape {
    const fn new(expression: &'static str, hints: &'static [&'static [&'static str]]) -> Self {
        Self { expression, hints, regex: OnceLock::new() }
    }

    /// Where the secrets stand in a text that holds these hints.
    fn find<'t>(&self, text: &'t str, hints: &Hints) -> impl Iterator<Item = Match<'t>> {
        let holds = |hint: &&str| hints.hold(text, hint);
        let hinted = self.hints.iter().all(|any| any.iter().any(holds));
        let regex = hinted.then(|| self.regex.get_or_init(|| Regex::new(self.expression).ok()).as_ref()).flatten();
        regex.into_iter().flat_map(|r| r.captures_iter(text)).filter_map(|captures| captures.get(1))
    }
}

/// Finds all hints of more than one byte in one pass over a text, and their order.
static FINDER: LazyLock<Option<(AhoCorasick, Vec<&'static str>)>> = LazyLock::new(|| {
    let all = SHAPES.iter().chain([&AUTHORIZATION]).flat_map(|shape| shape.hints.iter().copied().flatten().copied());
    let mut hints: Vec<&str> = all.filter(|hint| hint.len() > 1).collect();
    hints.sort_unstable();
    hints.dedup();
    let finder = AhoCorasick::builder().ascii_case_insensitive(true).build(&hints).ok()?;
    Some((finder, hints))
});

/// Which hints stand in a text: a bit for each of the finder's.
struct Hints(u128);

impl Hints {
    fn of(text: &str) -> Self {
        let found = FINDER.as_ref().into_iter().flat_map(|(finder, _)| finder.find_overlapping_iter(text));
        Self(found.fold(0, |all, one| all | 1 << one.pattern().as_u32().min(127)))
    }

    fn hold(&self, text: &str, hint: &str) -> bool {
        if let [byte] = hint.as_bytes() {
            return memchr::memchr(*byte, text.as_bytes()).is_some();
        }
        // Nothing is missed where there is no finder.
        let Some((_, hints)) = FINDER.as_ref() else { return true };
        hints.binary_search(&hint).is_ok_and(|at| self.0 & 1 << at.min(127) != 0)
    }
}

/// Authorization values outside of their header. What follows the word may be a word of a sentence.
static AUTHORIZATION: Shape =
    Shape::new(r"(?i)\b(?:bearer|basic)(?: +|%20)([A-Za-z0-9._~+/=-]{8,})", &[&["bearer", "basic"]]);

/// What is a secret wherever it stands.
static SHAPES: [Shape; 13] = [
    // JSON web tokens and Omni service account keys: base64 of `{"`.
    Shape::new(r"\b(eyJ[A-Za-z0-9_/+=-]{12,}(?:\.[A-Za-z0-9_/+=-]+)*)", &[&["eyj"]]),
    Shape::new(r"(?i)\b(AGE-(?:SECRET-KEY|PLUGIN-[A-Z0-9-]+)-1[A-Z0-9]{8,})", &[&["age-secret-key", "age-plugin-"]]),
    Shape::new(r"\b((?:AKIA|ASIA|AROA|AIDA)[A-Z0-9]{16})\b", &[&["akia", "asia", "aroa", "aida"]]),
    Shape::new(
        r"\b((?:gh[pousr]_|github_pat_|glpat-|xox[abprs]-|sk_live_|hvs\.|dckr_pat_|npm_)[A-Za-z0-9_-]{16,})",
        &[&[
            "ghp_",
            "gho_",
            "ghu_",
            "ghs_",
            "ghr_",
            "github_pat_",
            "glpat-",
            "xox",
            "sk_live_",
            "hvs.",
            "dckr_pat_",
            "npm_",
        ]],
    ),
    // Base64 of `-----BEGIN `, also as JSON or a URL escapes it.
    Shape::new(r"(LS0tLS1CRUdJTi(?:[A-Za-z0-9+/_=-]|%2[BbFf]|%3[Dd]|\\u003[dD])*)", &[&["ls0tls1crudjti"]]),
    // Bodies of SSH keys, public (qm quotes them like a URL) and private.
    Shape::new(r"\b(AAAA[BCE](?:[A-Za-z0-9+/=]|%2[BbFf]|%3[Dd]){24,})", &[&["aaaab", "aaaac", "aaaae"]]),
    Shape::new(r"\b(b3BlbnNzaC1rZXkt[A-Za-z0-9+/=]+)", &[&["b3blbnnzac1rzxkt"]]),
    // Tickets of Proxmox VE.
    Shape::new(
        r#"\b((?:PVE|PMG|PBS)(?:VNC)?(?::|%3[Aa])[^\s"',;]+?(?::|%3[Aa])[0-9A-Fa-f]{8}(?::|%3[Aa]){1,2}[A-Za-z0-9+/=%]+)"#,
        &[&["pve:", "pmg:", "pbs:", "vnc:", "pve%3a", "pmg%3a", "pbs%3a", "vnc%3a"]],
    ),
    // user@realm!tokenid=secret
    Shape::new(
        r#"\b[\w.-]+(?:@|%40)[\w.-]+(?:!|%21)[\w.-]+(?:=|:|%3[Dd])([^\s"'\\,;&]{8,})"#,
        &[&["!", "%21"], &["@", "%40"], &["=", ":", "%3d"]],
    ),
    // Credentials in an address.
    Shape::new(r#"://[^\s/@:"'<>]*:([^\s/"'<>]+)@"#, &[&["://"], &["@"]]),
    Shape::new(r#"://([^\s/@:"'<>]{16,})@"#, &[&["://"], &["@"]]),
    // curl -u user:password
    Shape::new(r#"(?:\s-u|\s--user)[ =]+["']?[^\s:"']+:([^\s"']+)"#, &[&["-u ", "-u=", "--user ", "--user="], &[":"]]),
    // Hashes of passwords.
    Shape::new(
        r"(\$(?:1|2[abxy]|5|6|y|7|gy|argon2id?)\$[A-Za-z0-9./$=,+]{8,})",
        &[&["$1$", "$2", "$5$", "$6$", "$y$", "$7$", "$gy$", "$argon2"]],
    ),
];

/// Where secrets of a known shape stand.
pub fn find(text: &str, found: &mut Vec<Range<usize>>) {
    let hints = Hints::of(text);
    found.extend(AUTHORIZATION.find(text, &hints).filter(|m| is_random(m.as_str())).map(|m| m.range()));
    for shape in &SHAPES {
        found.extend(shape.find(text, &hints).map(|m| m.range()));
    }
    bootstrap(text, found);
    base64(text, found);
    pem(text, found);
}

/// Bootstrap tokens of Kubernetes and Talos: six and sixteen small letters and digits, joined by a dot.
fn bootstrap(text: &str, found: &mut Vec<Range<usize>>) {
    let is_part = |b: &u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let goes_on = |b: Option<&u8>| b.is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'.');
    let bytes = text.as_bytes();
    for dot in memchr::memchr_iter(b'.', bytes) {
        let (before, after) = (bytes.get(..dot).unwrap_or_default(), bytes.get(dot + 1..).unwrap_or_default());
        let id = before.iter().rev().take(7).take_while(|b| is_part(b)).count();
        let secret = after.iter().take(17).take_while(|b| is_part(b)).count();
        let free = !goes_on(dot.checked_sub(7).and_then(|at| bytes.get(at))) && !goes_on(after.get(16));
        if (id, secret) == (6, 16) && free {
            let range = dot - 6..dot + 17;
            if text.get(range.clone()).is_some_and(is_random) {
                found.push(range);
            }
        }
    }
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
        if run.len() < SHORT {
            continue;
        }
        // By chance one byte of 64 is a slash; in a path every sixth or so is one.
        let path = run.iter().filter(|b| **b == b'/').count() * 10 > run.len() || run.first() == Some(&b'/');
        let fingerprint = text.get(..range.start).is_some_and(|before| before.ends_with("SHA256:"));
        if !path && !fingerprint && (is_mixed(run) && run.len() >= LONG || is_noise(run)) {
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
    while let Some(begin) = text.get(at..).and_then(|t| memmem::find(t.as_bytes(), b"-----BEGIN ")).map(|n| at + n) {
        let head = begin + "-----BEGIN ".len();
        let Some(body) = text.get(head..).and_then(|t| t.find("-----")).map(|n| head + n + 5) else { return };
        let end = text.get(body..).and_then(|t| t.find("-----END")).map_or(text.len(), |n| body + n);
        found.push(body..end);
        at = end;
    }
    if let Some(end) = memmem::find(text.as_bytes(), b"-----END ")
        .filter(|end| text.get(..*end).is_some_and(|t| !t.contains("-----BEGIN ")))
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
    fn every_shape_compiles() {
        for shape in SHAPES.iter().chain([&AUTHORIZATION]) {
            assert!(Regex::new(shape.expression).is_ok(), "{}", shape.expression);
        }
    }

    #[test]
    fn hints_refuse_nothing_that_has_the_shape() {
        for text in [
            "Bearer abcDEF123456",
            "eyJhbGciOiJSUzI1NiIs",
            "age-secret-key-1qqqqqqqq",
            "AKIA0123456789ABCDEF",
            "glpat-0123456789abcdef",
            "LS0tLS1CRUdJTiBD",
            "AAAAB3NzaC1yc2EAAAADAQABAAABgQC7",
            "b3BlbnNzaC1rZXktdjE",
            "PVEVNC%3Aroot@pam%3A65F3A1B2%3A%3AabC",
            "root%40pam%21omni%3D01234567",
            "https://user:word@pve1/",
            "https://0123456789abcdef@pve1/",
            "curl --user=root:word",
            "$y$j9T$abcdefgh",
            "abc123.0123456789abcdef",
        ] {
            let mut found = Vec::new();
            find(text, &mut found);
            assert!(!found.is_empty(), "{text}");
        }
    }

    #[test]
    fn a_bootstrap_token_stands_alone() {
        let token = |text: &str| {
            let mut found = Vec::new();
            bootstrap(text, &mut found);
            found.first().and_then(|range| text.get(range.clone())).unwrap_or_default().to_owned()
        };
        assert_eq!(token("token abc123.0123456789abcdef,"), "abc123.0123456789abcdef");
        for text in [
            "abc123.0123456789abcdef0",
            "0abc123.0123456789abcdef",
            "a.abc123.0123456789abcdef",
            "abcdef.abcdefabcdefabcd",
            "abc123.0123456789abcdef.x",
        ] {
            assert!(token(text).is_empty(), "{text}");
        }
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
