//! age keys and files are made at run time; the SSH keys below were made for these tests and open nothing else.

use std::io::Write;
use std::sync::atomic::{AtomicUsize, Ordering};

use age::secrecy::ExposeSecret;

use super::*;

/// An ed25519 key without a passphrase.
const SSH_KEY: &str = "\
b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtzc2gtZW\n\
QyNTUxOQAAACDXZo88MhVWs+75+9CRxdX2z0J0xxE9csjhOqEo4Jr42QAAAIhCeYorQnmK\n\
KwAAAAtzc2gtZWQyNTUxOQAAACDXZo88MhVWs+75+9CRxdX2z0J0xxE9csjhOqEo4Jr42Q\n\
AAAEAFZaA6WUkPBDtiitPnkRFAAaA37x8X6KdW1JkxYHKuZtdmjzwyFVaz7vn70JHF1fbP\n\
QnTHET1yyOE6oSjgmvjZAAAABHRlc3QB";
const SSH_PUBLIC: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINdmjzwyFVaz7vn70JHF1fbPQnTHET1yyOE6oSjgmvjZ";
/// An ed25519 key with the passphrase `secret`.
const SSH_LOCKED_KEY: &str = "\
b3BlbnNzaC1rZXktdjEAAAAACmFlczI1Ni1jdHIAAAAGYmNyeXB0AAAAGAAAABDrv5f3LJ\n\
LE2v9OvV+UXEYtAAAAAQAAAAEAAAAzAAAAC3NzaC1lZDI1NTE5AAAAIAgWZrgiXXYJdJjJ\n\
3GPsttOvVeo4hqvkOe0wdZK/sIJLAAAAkPB+tBXzzN0MAT7AaykCJ293CPA7VMvui1K6rT\n\
5rOH51ndglvMmzVZu5VUtt5OY7iDh2ngEvmclt7N9u9PlCxS6QqLRJ+CJli507uS5gJo3+\n\
WoSvfH94FjQjk1bcEGOu6GY0AeTyLIzxXuuSJYHMTnhEi9Op7yIO09vWv5YC2mR7LO7C8M\n\
AqHafDOWRtMSXvDQ==";
const SSH_LOCKED_PUBLIC: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAgWZrgiXXYJdJjJ3GPsttOvVeo4hqvkOe0wdZK/sIJL";
/// A kind of key that age cannot use.
const SSH_ECDSA_KEY: &str = "\
b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAaAAAABNlY2RzYS\n\
1zaGEyLW5pc3RwMjU2AAAACG5pc3RwMjU2AAAAQQQINLl2xZ/Ru9UXAeAQ93adiNoc97D2\n\
yfObt3AeQeOwDbAJQNRDIb64HNeUviqNQlUWmTWvCO4rEhw+7BJg1n/qAAAAoH0TQ7d9E0\n\
O3AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBAg0uXbFn9G71RcB\n\
4BD3dp2I2hz3sPbJ85u3cB5B47ANsAlA1EMhvrgc15S+Ko1CVRaZNa8I7isSHD7sEmDWf+\n\
oAAAAhANDCfC1Xy7l3UHHxMEYHUKsjELpVSL28D0WjXm1QdZV+AAAABHRlc3QBAgM=";

fn ssh_file(body: &str) -> Vec<u8> {
    format!("-----BEGIN OPENSSH {0}-----\n{body}\n-----END OPENSSH {0}-----\n", "PRIVATE KEY").into_bytes()
}

fn encrypt(recipient: &dyn age::Recipient, plain: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let encryptor = age::Encryptor::with_recipients(std::iter::once(recipient)).unwrap();
    let mut writer = encryptor.wrap_output(&mut bytes).unwrap();
    writer.write_all(plain).unwrap();
    writer.finish().unwrap();
    bytes
}

fn encrypt_with_passphrase(passphrase: &str, plain: &[u8]) -> Vec<u8> {
    let mut recipient = age::scrypt::Recipient::new(SecretString::from(passphrase.to_owned()));
    recipient.set_work_factor(2);
    encrypt(&recipient, plain)
}

fn key() -> (Vec<u8>, age::x25519::Recipient) {
    let key = age::x25519::Identity::generate();
    let file = format!("# created: today\n{}\n", key.to_string().expose_secret());
    (file.into_bytes(), key.to_public())
}

fn armored(bytes: &[u8]) -> Vec<u8> {
    let digit = |value: u32| match u8::try_from(value & 63).unwrap() {
        low @ 0..26 => b'A' + low,
        low @ 26..52 => b'a' + low - 26,
        low @ 52..62 => b'0' + low - 52,
        62 => b'+',
        _ => b'/',
    };
    let mut text = b"-----BEGIN AGE ENCRYPTED FILE-----\n".to_vec();
    for line in bytes.chunks(48) {
        for group in line.chunks(3) {
            let mut value = [0; 4];
            value[1..=group.len()].copy_from_slice(group);
            let value = u32::from_be_bytes(value);
            let digits = [18, 12, 6, 0].map(|shift| digit(value >> shift));
            text.extend(&digits[..=group.len()]);
            text.extend(b"==".iter().take(3 - group.len()));
        }
        text.push(b'\n');
    }
    text.extend(b"-----END AGE ENCRYPTED FILE-----\n");
    text
}

fn decrypt(bytes: &[u8], keys: &Identities) -> Result<Vec<u8>, Error> {
    let mut plain = Vec::new();
    open(Box::new(bytes), keys, "support.zip.age", &Limits::default())?.read_to_end(&mut plain)?;
    Ok(plain)
}

fn no_prompt(file: &[u8]) -> Identities {
    let mut keys = Identities::default();
    keys.add(file, "key.txt").unwrap();
    keys
}

#[test]
fn an_age_key_opens_binary_and_armored_files() {
    let (file, recipient) = key();
    for size in [0, 1, 2, 3, 100_000, 200_000] {
        let plain = vec![b'x'; size];
        let bytes = encrypt(&recipient, &plain);
        assert!(matches(&bytes) && matches(&armored(&bytes)));
        assert!(decrypt(&bytes, &no_prompt(&file)).unwrap() == plain, "{size}");
        assert!(decrypt(&armored(&bytes), &no_prompt(&file)).unwrap() == plain, "{size}, armored");
    }
}

#[test]
fn an_ssh_key_opens_a_file_and_may_have_a_passphrase() {
    let recipient: age::ssh::Recipient = SSH_PUBLIC.parse().unwrap();
    let bytes = encrypt(&recipient, b"text");
    assert_eq!(decrypt(&bytes, &no_prompt(&ssh_file(SSH_KEY))).unwrap(), b"text");

    let recipient: age::ssh::Recipient = SSH_LOCKED_PUBLIC.parse().unwrap();
    let bytes = encrypt(&recipient, b"text");
    let mut keys = Identities::new(Prompt::new(|_| Some("secret".to_owned())));
    keys.add(&ssh_file(SSH_LOCKED_KEY), "id_ed25519").unwrap();
    assert_eq!(decrypt(&bytes, &keys).unwrap(), b"text");
}

#[test]
fn a_file_that_holds_no_usable_key_is_refused_with_a_reason() {
    let refusal = |bytes: &[u8]| Identities::default().add(bytes, "k").unwrap_err().to_string();
    assert_eq!(refusal(b"hello\n"), "k: no age identity and no SSH private key");
    assert_eq!(refusal(b""), "k: no age identity and no SSH private key");
    assert!(refusal(&ssh_file(SSH_ECDSA_KEY)).contains("ed25519 or RSA"));
}

#[test]
fn a_passphrase_is_asked_for_again_when_wrong_and_remembered_when_right() {
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&asked);
    let prompt = Prompt::new(move |what| {
        assert!(what.ends_with("passphrase of support.zip.age"), "{what}");
        let right = counter.fetch_add(1, Ordering::Relaxed) == 1;
        Some(if right { "right" } else { "wrong" }.to_owned())
    });
    let keys = Identities::new(prompt);
    let bytes = encrypt_with_passphrase("right", &vec![b'y'; 100_000]);
    assert_eq!(decrypt(&bytes, &keys).unwrap().len(), 100_000);
    assert_eq!(asked.load(Ordering::Relaxed), 2);
    assert_eq!(decrypt(&bytes, &keys).unwrap().len(), 100_000);
    assert_eq!(asked.load(Ordering::Relaxed), 2);
    let other = encrypt_with_passphrase("other", b"text");
    assert!(matches!(decrypt(&other, &keys), Err(Error::WrongPassphrase)));
    assert_eq!(asked.load(Ordering::Relaxed), 2 + ATTEMPTS);
}

#[test]
fn a_key_file_may_itself_be_protected_by_a_passphrase() {
    let (file, recipient) = key();
    let locked = encrypt_with_passphrase("secret", &file);
    let mut keys = Identities::new(Prompt::new(|_| Some("secret".to_owned())));
    keys.add(&armored(&locked), "key.age").unwrap();
    assert_eq!(decrypt(&encrypt(&recipient, b"text"), &keys).unwrap(), b"text");
}

#[test]
fn without_a_fitting_key_the_message_names_the_kind_of_recipient() {
    let message = |bytes: &[u8]| decrypt(bytes, &Identities::default()).unwrap_err().to_string();
    let age = message(&encrypt(&key().1, b"text"));
    assert!(age.starts_with("encrypted for an age key (X25519)") && age.contains("--identity"), "{age}");
    let recipient: age::ssh::Recipient = SSH_PUBLIC.parse().unwrap();
    let ssh = message(&armored(&encrypt(&recipient, b"text")));
    assert!(ssh.starts_with("encrypted for an SSH ed25519 key;"), "{ssh}");
    let passphrase = message(&encrypt_with_passphrase("p", b"text"));
    assert!(passphrase.starts_with("encrypted for a passphrase;"), "{passphrase}");
}

#[test]
fn too_much_work_for_a_passphrase_is_refused() {
    let keys = Identities::new(Prompt::new(|_| Some("p".to_owned())));
    let bytes = encrypt_with_passphrase("p", b"text");
    let limited = |work| {
        let limits = Limits { passphrase_work: work, ..Limits::default() };
        open(Box::new(&bytes[..]), &keys, "f", &limits).map(|_| ())
    };
    assert!(limited(2).is_ok());
    assert!(matches!(limited(1), Err(Error::TooMuchWork(2))));
}

#[test]
fn a_truncated_file_gives_its_whole_chunks_and_an_error() {
    let (file, recipient) = key();
    let plain = vec![b'z'; 300_000];
    let bytes = encrypt(&recipient, &plain);
    let keys = no_prompt(&file);
    let cut = bytes.get(..bytes.len() - 10).unwrap();
    let mut reader = open(Box::new(cut), &keys, "f", &Limits::default()).unwrap();
    let mut read = Vec::new();
    assert!(reader.read_to_end(&mut read).is_err());
    assert_eq!(read.len(), 262_144);
    for end in 0..400 {
        assert!(decrypt(bytes.get(..end).unwrap(), &keys).is_err(), "cut at {end}");
    }
}
