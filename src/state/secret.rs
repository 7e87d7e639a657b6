//! Secrets in documents: which keys hold them, and what is shown instead.

/// What is shown instead of a secret.
pub(super) const MASK: &str = "***";

/// Endings of keys (lower case, without separators) whose value is a secret.
const ENDINGS: &[&str] = &[
    "password",
    "passphrase",
    "secret",
    "token",
    "privatekey",
    "apikey",
    "accountkey",
    "secretkey",
    "encryptionkey",
    "cipassword",
    "kubeconfig",
];

/// Values that are no secrets, whatever the key.
const HARMLESS: &[&str] = &["", "true", "false", "null", "~", "{}", "[]", "<REDACTED>", MASK];

/// Whether a key (the last part of a path) holds a secret with this value.
fn is_secret(key: &str, value: &str) -> bool {
    let value = value.trim_matches(['"', '\'', ',', ' ']);
    if HARMLESS.contains(&value) || value.eq_ignore_ascii_case("redacted") {
        return false;
    }
    let lower: String = key.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
    // A certificate's private key is `key` next to `crt`; short values of `key` are selectors and the like.
    let bare_key = matches!(lower.as_str(), "key" | "secretboxencryptionsecret" | "aescbcencryptionsecret");
    ENDINGS.iter().any(|e| lower.ends_with(e)) || (bare_key && value.len() >= 32)
}

/// The value of a path as it may be shown.
pub(super) fn masked<'v>(path: &str, value: &'v str) -> &'v str {
    let key = path.rsplit('.').next().unwrap_or(path);
    let pem = value.contains("PRIVATE KEY-----") || value.contains("AGE-SECRET-KEY-");
    if pem || is_secret(key, value) { MASK } else { value }
}

/// Whether a line of a document shows a secret.
pub(super) fn in_line(line: &str) -> bool {
    let line = line.trim_start_matches([' ', '\t', '-', '"']);
    let Some((key, value)) = line.split_once(':') else { return false };
    key.len() < 80 && is_secret(key, value.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_masked_and_names_are_not() {
        let cases = [
            ("proxmox.tokenSecret", "0a1b2c3d", MASK),
            ("proxmox.tokenID", "omni@pve!x", "omni@pve!x"),
            ("services.provider.environment.OMNI_SERVICE_ACCOUNT_KEY", "eyJ", MASK),
            ("machine.token", "abc.def", MASK),
            ("machine.ca.key", "LS0tLS1CRUdJTiBFRDI1NTE5IFBSSVZBVEUgS0VZ", MASK),
            ("spec.tolerations.key", "node-role", "node-role"),
            ("proxmox.password", "", ""),
        ];
        for (path, value, shown) in cases {
            assert_eq!(masked(path, value), shown, "{path}");
        }
        assert!(in_line("  tokenSecret: 0a1b2c3d"));
        assert!(!in_line("  tokenSecret: REDACTED"));
    }
}
