//! Secrets in a text: values of keys that hold them, and what is known by its shape.

use std::borrow::Cow;
use std::ops::Range;

use super::value::{self, Form, Pair};
use super::{Edit, MASK, Plain, apply, shape};

/// Endings of keys (lower case, without separators) whose value is a secret.
const ENDINGS: &[&str] = &[
    "password",
    "passwd",
    "passphrase",
    "passcode",
    "secret",
    "token",
    "privatekey",
    "presharedkey",
    "apikey",
    "accountkey",
    "secretkey",
    "accesskey",
    "encryptionkey",
    "signingkey",
    "clientkey",
    "keydata",
    "certificatedata",
    "authoritydata",
    "kubeconfig",
    "talosconfig",
    "authorization",
    "cookie",
    "pveticket",
];

/// Keys whose value is a secret when it is long, or looks as if it came from a generator.
const BARE: &[&str] =
    &["key", "crt", "ca", "cert", "certificate", "auth", "ticket", "psk", "pgpkey", "sshkey", "sshkeys", "pwd", "pass"];

/// Parameters of addresses that are secrets.
const PARAMETERS: &[&str] = &["sig", "signature", "xamzsignature", "xamzcredential", "key", "code"];

/// First words of an `Authorization` header.
const SCHEMES: &[&str] = &["bearer", "basic", "digest", "negotiate", "token", "apikey"];

/// Values that are no secrets, whatever the key.
const HARMLESS: &[&str] = &[
    "",
    "true",
    "false",
    "null",
    "nil",
    "none",
    "~",
    "{}",
    "[]",
    "yes",
    "no",
    "on",
    "off",
    "set",
    "unset",
    "empty",
    "invalid",
    "expired",
    "missing",
    "present",
    "unknown",
    "default",
    "redacted",
    "masked",
    "hidden",
    "sensitive",
    "required",
];

/// The text with every secret replaced by [`MASK`].
pub fn mask(text: &str) -> Cow<'_, str> {
    let found = find(text);
    if found.is_empty() { Cow::Borrowed(text) } else { Cow::Owned(apply(text, edits(found), &mut None)) }
}

/// As [`mask`]; a range of the text is carried over to the same piece of the result.
pub fn mask_with(text: &str, mark: &mut Option<Range<usize>>) -> String {
    apply(text, edits(find(text)), mark)
}

/// The value of an attribute as it may be shown: whole keys tell what the value is.
pub fn mask_attribute<'v>(key: &str, value: &'v str) -> Cow<'v, str> {
    let last = key.rsplit('.').next().unwrap_or(key);
    if is_key(last) && !harmless(value) && !prose(value) || is_bare(last) && opaque(value) {
        return Cow::Borrowed(MASK);
    }
    mask(value)
}

/// Whether a key (one part of a path) names a secret.
pub fn is_key(key: &str) -> bool {
    let plain = Plain::of(key);
    ENDINGS.iter().any(|ending| plain.as_str().ends_with(ending))
}

/// Where the secrets of a text stand.
pub(super) fn find(text: &str) -> Vec<Range<usize>> {
    find_among(text, &value::pairs(text))
}

/// As [`find`], in a text whose pairs are known.
pub(super) fn find_among(text: &str, pairs: &[Pair<'_>]) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    for pair in pairs {
        judge(text, pair, &mut found);
    }
    flags(text, &mut found);
    shape::find(text, &mut found);
    found.retain(|range| !is_masked(text, range));
    found
}

/// Whether nothing but a mask stands there.
fn is_masked(text: &str, range: &Range<usize>) -> bool {
    range.is_empty() || text.get(range.clone()).is_none_or(|t| t.trim() == MASK)
}

fn edits(found: Vec<Range<usize>>) -> Vec<Edit> {
    found.into_iter().map(|range| Edit { range, with: MASK.to_owned() }).collect()
}

fn is_bare(key: &str) -> bool {
    BARE.contains(&Plain::of(key).as_str())
}

/// Whether a value is no secret: a word for its state, a placeholder, stars.
fn harmless(value: &str) -> bool {
    let value = value.trim().trim_matches(['"', '\'', ',', '\\']);
    let placeholder = (value.starts_with('<') && value.ends_with('>'))
        || value.starts_with("${")
        || value.starts_with("{{")
        || value.starts_with("(sensitive");
    let stars = value.bytes().all(|b| matches!(b, b'*' | b'x' | b'X' | b'.' | b'-'));
    HARMLESS.iter().any(|h| value.eq_ignore_ascii_case(h)) || placeholder || stars
}

/// Whether a value is a sentence: words of letters, and more than two of them.
fn prose(value: &str) -> bool {
    let words: Vec<&str> = value.split_whitespace().collect();
    words.len() > 2 && !words.iter().any(|w| shape::is_random(w))
}

/// Whether a value is one long word that nobody would type.
fn opaque(value: &str) -> bool {
    let value = value.trim();
    let word =
        value.bytes().all(|b| b.is_ascii_graphic()) && !value.contains("://") && !value.starts_with(['/', '[', '{']);
    value.len() >= 12 && word && shape::is_random(value) && !value.contains(".go:")
}

/// Whether what follows a key says that the key itself is not known: Proxmox's complaint about a line of its configuration
/// (`unable to parse value of 'x_password': unexpected property 'x_password'`, PVE::SectionConfig).
fn is_complaint(text: &str, pair: &Pair<'_>) -> bool {
    let told = text.get(pair.value.start..).and_then(|rest| rest.strip_prefix("unexpected property '"));
    told.and_then(|rest| rest.strip_prefix(pair.key)).is_some_and(|rest| rest.starts_with('\''))
}

fn judge(text: &str, pair: &Pair<'_>, found: &mut Vec<Range<usize>>) {
    let key = Plain::of(pair.key.rsplit(['.', '/']).next().unwrap_or(pair.key));
    let key = key.as_str();
    let value = text.get(pair.value.clone()).unwrap_or_default();
    if harmless(value) || is_complaint(text, pair) {
        return;
    }
    let secret = if key.ends_with("authorization") || key.ends_with("cookie") {
        let range = header(text, pair);
        let words = text.get(range.clone()).unwrap_or_default();
        let scheme = words.split_whitespace().next().is_some_and(|w| SCHEMES.iter().any(|s| w.eq_ignore_ascii_case(s)));
        if scheme || !prose(words) {
            found.push(range);
        }
        return;
    } else if ENDINGS.iter().any(|ending| key.ends_with(ending)) {
        is_secret_value(key, value, pair)
    } else if key == "value" {
        named_secret(text, pair.key_at)
    } else if parameter(text, pair.key_at) && PARAMETERS.contains(&key) {
        value.len() >= 8
    } else {
        // In a sentence, and in a row of hexadecimal pairs, `key:` and `ca:` name nothing.
        let told = pair.separator == b'=' || pair.form != Form::Word;
        let hexadecimal = text.as_bytes().get(pair.key_at.wrapping_sub(1)) == Some(&b':');
        BARE.contains(&key) && opaque(value) && told && !hexadecimal
    };
    if secret {
        found.push(credential(text, pair.value.clone()));
    }
}

/// A header's value goes to the end of its quotes or of its line.
fn header(text: &str, pair: &Pair<'_>) -> Range<usize> {
    if matches!(pair.form, Form::Quoted | Form::Block | Form::List) || pair.separator == b'=' {
        return pair.value.clone();
    }
    let rest = text.get(pair.value.start..).unwrap_or_default();
    let end = rest.find(['\n', '\r', '"', '\'', '`']).unwrap_or(rest.len());
    pair.value.start..pair.value.start + rest.get(..end).unwrap_or_default().trim_end_matches('\\').len()
}

/// Whether the value of a key that names a secret is one, and not a word about it (`invalid token: signature is wrong`).
fn is_secret_value(key: &str, value: &str, pair: &Pair<'_>) -> bool {
    let weak = matches!(key, "token" | "secret" | "cookie" | "kubeconfig" | "talosconfig") || key.ends_with("secret");
    match pair.form {
        Form::Quoted => !prose(value),
        Form::Block => !value.lines().next().is_some_and(|l| l.contains(": ") || l.trim_end().ends_with(':')),
        Form::List => !value.trim().is_empty(),
        Form::Line => !(prose(value) || (weak && value.starts_with('/'))),
        Form::Word if pair.separator == b'=' => !(weak && value.starts_with('/')),
        // In the middle of a sentence a word about a token is more likely than the token.
        Form::Word if key.ends_with("password") || key.ends_with("passphrase") || key.ends_with("passwd") => true,
        Form::Word => !value.starts_with('/') && (shape::is_random(value) && value.len() >= 6 || value.len() >= 24),
    }
}

/// Of `user@realm!id=secret` only the secret goes.
fn credential(text: &str, range: Range<usize>) -> Range<usize> {
    let value = text.get(range.clone()).unwrap_or_default();
    match value.split_once('!').and_then(|(user, rest)| Some((user.len() + 1, rest.find('=')?))) {
        Some((user, id)) if value.contains('@') => range.start + user + id + 1..range.end,
        _ => range,
    }
}

/// Whether a key is a parameter of an address.
fn parameter(text: &str, key_at: usize) -> bool {
    matches!(text.as_bytes().get(key_at.wrapping_sub(1)), Some(b'?' | b'&'))
}

/// `name: DB_PASSWORD` before `value: …`, on one line or on two.
fn named_secret(text: &str, key_at: usize) -> bool {
    let from = text.floor_char_boundary(key_at.saturating_sub(200));
    let before = text.get(from..key_at).unwrap_or_default();
    let pairs = value::pairs(before);
    let name = pairs.iter().rev().find(|p| matches!(Plain::of(p.key).as_str(), "name" | "key"));
    name.and_then(|p| before.get(p.value.clone())).is_some_and(|name| {
        let name = name.lines().next().unwrap_or_default().trim().trim_matches(['"', '\\', ',']);
        is_key(name)
    })
}

/// `--password value`: flags whose value is the next word.
fn flags(text: &str, found: &mut Vec<Range<usize>>) {
    let bytes = text.as_bytes();
    for at in memchr::memmem::find_iter(bytes, b"--") {
        let name = text.get(at + 2..).unwrap_or_default();
        let length = name.bytes().take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_')).count();
        let (flag, rest) = name.split_at_checked(length).unwrap_or_default();
        let Some(rest) = rest.strip_prefix(' ').filter(|_| is_key(flag)) else { continue };
        let lead = rest.len() - rest.trim_start_matches([' ', '"', '\'', '\\']).len();
        let start = at + 2 + length + 1 + lead;
        let quoted = lead > 0 && matches!(bytes.get(start - 1), Some(b'"' | b'\''));
        let value = text.get(start..).unwrap_or_default();
        let ends = |c: char| matches!(c, '"' | '\'' | '\\' | '\n') || (!quoted && c.is_whitespace());
        let value = value.get(..value.find(ends).unwrap_or(value.len())).unwrap_or_default();
        if !value.starts_with('-') && !harmless(value) {
            found.push(credential(text, start..start + value.len()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lines that hold `S3CRET`, or whatever stands after the arrow, as a secret.
    const SECRET: &[&str] = &[
        "Authorization: PVEAPIToken=root@pam!omni=S3CRETab-0000-4000-8000-000000000001",
        "PVEAPIToken=root@pam!omni=S3CRETab-0000",
        "  proxmox_api_token_secret = \"S3CRET\"",
        "Cookie: PVEAuthCookie=S3CRET; other=S3CRET",
        "Cookie:PVEAuthCookie=S3CRET",
        "set-cookie: session=S3CRET; Path=/",
        "{\"headers\":{\"Cookie\":[\"a=S3CRET\"]}}",
        "CSRFPreventionToken: 65F3A1B2:S3CRET+/x",
        "\"CSRFPreventionToken\":\"65F3A1B2:S3CRET\"",
        "siderolink.api=grpc://omni.example.org:8090?jointoken=S3CRET talos.platform=metal",
        "https://omni.example.org:8090?grpc_tunnel=1&jointoken=S3CRET&x=1",
        "jointoken%3DS3CRET%26x",
        "{\"msg\":\"config\",\"extra\":\"{\\\"password\\\":\\\"S3CRET\\\"}\"}",
        "{\"a\":\"{\\\"b\\\":\\\"{\\\\\\\"apiToken\\\\\\\":\\\\\\\"S3CRET\\\\\\\"}\\\"}\"}",
        "Authorization: Bearer S3CRETabcdefgh",
        "authorization: Basic S3CRET=",
        "\"Authorization\": \"Digest username=S3CRET\"",
        "got Bearer S3CRETabcdefgh from client",
        "password: S3CRET with blanks",
        "failed login with password: S3CRET",
        "password=S3CRET,S3CRET",
        "curl -k -u root@pam:S3CRET https://pve1:8006",
        "https://user:S3CRET@registry.example.org/v2/",
        "https://user:p@S3CRET@registry.example.org/v2/",
        "    token: S3CRET.0123",
        "  aescbcEncryptionSecret: S3CRET=",
        "secretboxEncryptionSecret: S3CRET",
        "    secret: S3CRET=",
        "omnictl --service-account-key S3CRET get machines",
        "qm set 104 --cipassword 'S3CRET two'",
        "OMNI_SERVICE_ACCOUNT_KEY=S3CRET",
        "- name: PROXMOX_PASSWORD\n  value: S3CRET",
        "{\"name\":\"DB_PASSWORD\",\"value\":\"S3CRET\"}",
        "token: |\n  S3CRET\n  S3CRET\nuser: x",
        "password:\n    S3CRET",
        "client-key-data: S3CRET=",
        "client-certificate-data: S3CRET=",
        "aws_secret_access_key = S3CRET/abc",
        "X-Amz-Security-Token=S3CRET",
        "?X-Amz-Signature=S3CRETabc&x",
        "\"auth\": \"S3CRETabcdef1=\"",
        "-----BEGIN RSA PRIVATE KEY-----\nS3CRET\nS3CRET=\n-----END RSA PRIVATE KEY-----",
        "\"-----BEGIN CERTIFICATE-----\\nS3CRET\\n-----END CERTIFICATE-----\\n\"",
        "-----BEGIN OPENSSH PRIVATE KEY-----\nS3CRET cut here",
        "MIIS3CRET=\n-----END PRIVATE KEY-----",
        "token: [S3CRET, S3CRET]",
        "AGE-SECRET-KEY-1S3CRETQQQQ",
        "ticket: PVE:root@pam:65F3A1B2::S3CRET==",
    ];

    #[test]
    fn secrets_are_masked_in_every_form() {
        let mut complaints = Vec::new();
        for text in SECRET {
            let shown = mask(text);
            if shown.contains("S3CRET") || (text.contains("S3CRET") && !shown.contains(MASK)) {
                complaints.push(format!("{text}\n    {shown}"));
            }
            if mask(&shown) != shown {
                complaints.push(format!("not stable: {shown}\n    {}", mask(&shown)));
            }
        }
        assert!(complaints.is_empty(), "{}", complaints.join("\n"));
    }

    #[test]
    fn words_about_secrets_stay() {
        for text in [
            "invalid token: signature is wrong",
            "rpc error: code = Unauthenticated desc = invalid join token: not found",
            "secret \"regcred\" not found",
            "failed to get secrets: \"regcred\" is forbidden",
            "MAC=6c:e5:ca:7f:00:11:22:33:44:55:66:77:08:00 SRC=192.0.2.191",
            "Build time throw-away kernel key: 3f1c0a9b8d7e6f5a4b3c2d1e0f9a8b7c6d5e4f3a",
            "secretName: tls",
            "token_id: root@pam!omni",
            "password: ***",
            "tokenSecret: <REDACTED>",
            "cipassword: **********",
            "authentication failure; user=root@pam msg=no such user",
            "key: node-role.kubernetes.io/control-plane",
            "x509: certificate signed by unknown authority",
            "certificate: has expired or is not yet valid",
            "(section 'x') - unable to parse value of 'nas_password': unexpected property 'nas_password'",
            "volumes:\n- name: token\n  secret:\n    secretName: regcred",
            "may require authorization: server message: insufficient_scope: authorization failed",
            "token file: /var/run/secrets/token",
            "PVE::Storage::LVMPlugin::alloc_image",
            "TASK ERROR: unable to create VM 104 - lvcreate 'pve/vm-104-disk-0' error: Cannot create",
        ] {
            assert_eq!(mask(text), text);
        }
    }

    #[test]
    fn the_id_of_a_token_stays_and_its_secret_goes() {
        let text = "Authorization: x, token root@pam!omni=0a1b2c3d-0000-4000-8000-000000000001";
        assert!(!mask(text).contains("0a1b2c3d"));
        let flag = "PVE_TOKEN=root@pam!omni=0a1b2c3d-0000";
        assert_eq!(mask(flag), "PVE_TOKEN=root@pam!omni=***");
    }

    #[test]
    fn attributes_are_judged_by_their_key() {
        for (key, value, shown) in [
            ("machine.token", "abc.def", MASK),
            ("machine.ca.key", "LS0tLS1CRUdJTiBFRDI1NTE5", MASK),
            ("spec.tolerations.key", "node-role", "node-role"),
            ("proxmox.tokenID", "omni@pve!x", "omni@pve!x"),
            ("msg", "x token=abc1", "x token=***"),
        ] {
            assert_eq!(mask_attribute(key, value), shown, "{key}");
        }
    }
}
