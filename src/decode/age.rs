//! age: decrypts a stream with X25519 keys, SSH keys (ed25519, RSA) or a passphrase; binary and armored.
//!
//! Holds keys, asks for passphrases through a callback, never touches the terminal or a disk itself.
//! Invariant: without a fitting key nothing is decrypted and the error names the kinds of recipient.

use std::fmt::{self, Write as _};
use std::io::{self, Cursor, Read};
use std::sync::{Arc, Mutex, PoisonError};

use age::secrecy::SecretString;
use age::{Callbacks, DecryptError, Decryptor, Identity, IdentityFile};

use super::Input;
use super::armor::{self, Armor};
use super::peek::Peek;
use crate::limits::Limits;

const MAGIC: &[u8] = b"age-encryption.org/v1\n";
/// Bytes of the header in which the kinds of recipient are looked for.
const HEADER: usize = 64 << 10;
/// Bytes between the header and the encrypted data.
const NONCE: u64 = 16;
/// How often a passphrase is asked for.
const ATTEMPTS: usize = 3;

/// Whether `head` starts an age file, binary or armored.
#[must_use]
pub fn matches(head: &[u8]) -> bool {
    head.starts_with(MAGIC) || head.starts_with(armor::BEGIN)
}

/// Why an age file cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// None of the keys fits.
    #[error("encrypted for {wanted}; {help}")]
    NoKey {
        /// The kinds of recipient in the file.
        wanted: String,
        /// What to do.
        help: &'static str,
    },
    /// The passphrase is wrong.
    #[error("the passphrase does not fit")]
    WrongPassphrase,
    /// The passphrase protection asks for more work than allowed.
    #[error("its passphrase asks for too much work (2^{0}); decrypt it with `age -d` and pass the result")]
    TooMuchWork(u8),
    /// The header is damaged or of an unknown version.
    #[error("the age header is damaged or of an unknown version")]
    Header,
    /// A key file holds no key that can be used.
    #[error("{0}")]
    Key(String),
    /// Reading failed.
    #[error(transparent)]
    Io(#[from] io::Error),
}

type Ask = dyn Fn(&str) -> Option<String> + Send + Sync;

/// Where passphrases come from. One question at a time; the last good answer is tried on the next file.
#[derive(Clone, Default)]
pub struct Prompt {
    ask: Option<Arc<Mutex<Box<Ask>>>>,
    last_good: Arc<Mutex<Option<SecretString>>>,
}

impl Prompt {
    /// Asks through `ask`; the text it gets says for what. `None` when nobody can answer.
    pub fn new(ask: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> Self {
        Self { ask: Some(Arc::new(Mutex::new(Box::new(ask)))), last_good: Arc::default() }
    }

    fn request(&self, what: &str) -> Option<SecretString> {
        let ask = self.ask.as_ref()?.lock().unwrap_or_else(PoisonError::into_inner);
        ask(what).map(SecretString::from)
    }
}

impl fmt::Debug for Prompt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Prompt").field("asks", &self.ask.is_some()).finish_non_exhaustive()
    }
}

impl Callbacks for Prompt {
    fn display_message(&self, _: &str) {}

    fn confirm(&self, _: &str, _: &str, _: Option<&str>) -> Option<bool> {
        None
    }

    fn request_public_string(&self, _: &str) -> Option<String> {
        None
    }

    fn request_passphrase(&self, description: &str) -> Option<SecretString> {
        self.request(description)
    }
}

/// The keys at hand.
#[derive(Default)]
pub struct Identities {
    keys: Vec<Box<dyn Identity + Send + Sync>>,
    prompt: Prompt,
}

impl fmt::Debug for Identities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identities").field("keys", &self.keys.len()).field("prompt", &self.prompt).finish()
    }
}

impl Identities {
    /// No keys yet; passphrases come from `prompt`.
    #[must_use]
    pub fn new(prompt: Prompt) -> Self {
        Self { keys: Vec::new(), prompt }
    }

    /// Adds the keys of a file: made by `age-keygen`, the same protected by a passphrase, or an SSH private
    /// key. `name` is used in questions and messages.
    ///
    /// # Errors
    /// When the bytes hold no usable key; the message says what they are.
    pub fn add(&mut self, bytes: &[u8], name: &str) -> Result<(), Error> {
        if matches(bytes) {
            self.add_protected(bytes, name)
        } else if is_ssh(bytes) {
            self.add_ssh(bytes, name)
        } else {
            self.add_native(bytes, name)
        }
    }

    fn add_protected(&mut self, bytes: &[u8], name: &str) -> Result<(), Error> {
        let keys = Self::new(self.prompt.clone());
        let mut plain = Vec::new();
        open(Box::new(bytes), &keys, name, &Limits::default())?.take(1 << 20).read_to_end(&mut plain)?;
        self.add_native(&plain, name)
    }

    fn add_ssh(&mut self, bytes: &[u8], name: &str) -> Result<(), Error> {
        let key = age::ssh::Identity::from_buffer(bytes, Some(name.to_owned()))?;
        if let age::ssh::Identity::Unsupported(_) = key {
            return Err(Error::Key(format!("{name}: this kind of SSH key cannot decrypt; use ed25519 or RSA")));
        }
        self.keys.push(Box::new(key.with_callbacks(self.prompt.clone())));
        Ok(())
    }

    fn add_native(&mut self, bytes: &[u8], name: &str) -> Result<(), Error> {
        let unusable = || Error::Key(format!("{name}: no age identity and no SSH private key"));
        let file = IdentityFile::from_buffer(bytes).map_err(|_| unusable())?;
        let keys = file.with_callbacks(self.prompt.clone()).into_identities().map_err(|_| unusable())?;
        if keys.is_empty() {
            return Err(unusable());
        }
        self.keys.extend(keys);
        Ok(())
    }

    fn decrypt<'a>(
        &self,
        file: Decryptor<Rejoined<'a>>,
        file_again: impl Fn() -> Result<Decryptor<Rejoined<'a>>, DecryptError>,
        label: &str,
        limits: &Limits,
    ) -> Result<Box<dyn Read + Send + 'a>, DecryptError> {
        if file.is_scrypt() {
            let reader = self.try_passphrases(label, limits, |key| file_again()?.decrypt(std::iter::once(key)))?;
            return Ok(Box::new(reader));
        }
        let keys = self.keys.iter().map(|key| &**key as &dyn Identity);
        Ok(Box::new(file.decrypt(keys)?))
    }

    /// Tries the last good passphrase, then asks a few times. Only one file at a time does so: the work takes
    /// a second and up to a gigabyte, and the next file may have the same passphrase.
    fn try_passphrases<T>(
        &self,
        label: &str,
        limits: &Limits,
        attempt: impl Fn(&dyn Identity) -> Result<T, DecryptError>,
    ) -> Result<T, DecryptError> {
        let mut last_good = self.prompt.last_good.lock().unwrap_or_else(PoisonError::into_inner);
        let asked = (0..ATTEMPTS).map_while(|attempt| {
            let again = if attempt > 0 { "that did not fit; " } else { "" };
            self.prompt.request(&format!("{again}passphrase of {label}"))
        });
        let mut result = Err(DecryptError::NoMatchingKeys);
        for passphrase in last_good.clone().into_iter().chain(asked) {
            let mut key = age::scrypt::Identity::new(passphrase.clone());
            key.set_max_work_factor(limits.passphrase_work);
            result = attempt(&key);
            match result {
                Ok(_) => *last_good = Some(passphrase),
                Err(DecryptError::DecryptionFailed) => continue,
                Err(_) => {}
            }
            break;
        }
        result
    }
}

fn is_ssh(bytes: &[u8]) -> bool {
    let text = bytes.trim_ascii_start();
    text.starts_with(b"-----BEGIN OPENSSH PRIVATE KEY-----") || text.starts_with(b"-----BEGIN RSA PRIVATE KEY-----")
}

/// A reader of the plain bytes of an age file. `label` is used when a passphrase is asked for.
///
/// # Errors
/// When no key fits or the header is damaged. Damage behind the header comes from the reader.
pub fn open<'a>(
    input: Input<'a>,
    keys: &Identities,
    label: &str,
    limits: &Limits,
) -> Result<Box<dyn Read + Send + 'a>, Error> {
    let mut input = Peek::new(unarmored(input)?);
    let header = read_header(&mut input)?;
    let kinds = recipients(&header);
    let rest = Arc::new(Mutex::new(input));
    let file = || Decryptor::new(Cursor::new(header.clone()).chain(Shared(Arc::clone(&rest))));
    file().and_then(|first| keys.decrypt(first, file, label, limits)).map_err(|error| explain(error, &kinds))
}

/// The header, kept for a second attempt, and everything behind it.
type Rejoined<'a> = io::Chain<Cursor<Vec<u8>>, Shared<'a>>;

/// The input behind the header. Attempts read only the header until one of them succeeds.
struct Shared<'a>(Arc<Mutex<Peek<'a>>>);

impl Read for Shared<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).read(buf)
    }
}

/// Takes the header and the nonce behind it: everything that an attempt to find the key reads.
fn read_header(input: &mut Peek<'_>) -> io::Result<Vec<u8>> {
    let head = input.peek_until(|head| header_length(head).is_some() || head.len() > HEADER)?;
    let length = header_length(head).unwrap_or(head.len()) as u64;
    let mut header = Vec::new();
    input.take(length + NONCE).read_to_end(&mut header)?;
    Ok(header)
}

/// Where the header ends: behind the line that starts with `---`.
fn header_length(head: &[u8]) -> Option<usize> {
    let line = memchr::memmem::find(head, b"\n---")? + 1;
    let end = memchr::memchr(b'\n', head.get(line..)?)?;
    Some(line + end + 1)
}

fn unarmored(input: Input<'_>) -> io::Result<Input<'_>> {
    let mut input = Peek::new(input);
    let armored = input.peek(armor::BEGIN.len())?.starts_with(armor::BEGIN);
    if !armored {
        return Ok(Box::new(input));
    }
    Ok(Box::new(io::BufReader::new(Armor::new(Box::new(input)))))
}

/// The kinds of recipient in a header, each once, in their order.
fn recipients(head: &[u8]) -> Vec<String> {
    let mut kinds: Vec<String> = Vec::new();
    for line in head.split(|byte| *byte == b'\n').take_while(|line| !line.starts_with(b"---")) {
        let Some(stanza) = line.strip_prefix(b"-> ") else {
            continue;
        };
        let word = stanza.split(|byte| *byte == b' ').next().unwrap_or_default();
        let kind: String = String::from_utf8_lossy(word).chars().filter(|c| c.is_ascii_graphic()).take(32).collect();
        // Words that end in "-grease" are noise by design of the format.
        if !kind.is_empty() && !kind.ends_with("-grease") && !kinds.contains(&kind) {
            kinds.push(kind);
        }
    }
    kinds
}

fn explain(error: DecryptError, kinds: &[String]) -> Error {
    let is_passphrase = kinds.iter().any(|kind| kind == "scrypt");
    match error {
        DecryptError::Io(error) => Error::Io(error),
        DecryptError::ExcessiveWork { required, .. } => Error::TooMuchWork(required),
        DecryptError::DecryptionFailed | DecryptError::KeyDecryptionFailed if is_passphrase => Error::WrongPassphrase,
        DecryptError::NoMatchingKeys | DecryptError::DecryptionFailed | DecryptError::KeyDecryptionFailed => {
            Error::NoKey { wanted: describe(kinds), help: help(kinds) }
        }
        _ => Error::Header,
    }
}

fn describe(kinds: &[String]) -> String {
    let mut text = String::new();
    for kind in kinds {
        let words = match kind.as_str() {
            "X25519" => "an age key (X25519)",
            "ssh-ed25519" => "an SSH ed25519 key",
            "ssh-rsa" => "an SSH RSA key",
            "scrypt" => "a passphrase",
            "mlkem768x25519" => "a post-quantum age key (mlkem768x25519)",
            other => other,
        };
        let comma = if text.is_empty() { "" } else { ", " };
        let _ = write!(text, "{comma}{words}");
    }
    if text.is_empty() { "an unknown kind of recipient".to_owned() } else { text }
}

fn help(kinds: &[String]) -> &'static str {
    let has = |word: &str| kinds.iter().any(|kind| kind == word);
    if has("scrypt") {
        "run it where the passphrase can be asked for"
    } else if has("X25519") || has("ssh-ed25519") || has("ssh-rsa") {
        "pass a fitting private key with `--identity`, or collect the bundle again with `--no-encryption`"
    } else {
        "decrypt it with its own tool, or collect the bundle again with `--no-encryption`"
    }
}

#[cfg(test)]
#[path = "age_tests.rs"]
mod tests;
