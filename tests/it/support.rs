//! Runs the binary in a clean environment and shows everything about a run that failed.

use std::ffi::OsStr;
use std::fmt;
use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use flate2::Compression;
use flate2::write::GzEncoder;
use tempfile::TempDir;

/// A log of one root cause, for tests that need some input.
pub const FULL: &str = "TASK ERROR: unable to create VM 104 - lvcreate 'pve/vm-104-disk-0' error: Cannot create new thin volume, \
     free space in thin pool pve/data reached threshold.\n";

/// A log with nothing wrong in it.
pub const QUIET: &str = "scsi0: successfully created disk 'local-lvm:vm-104-disk-0,iothread=1,size=20G'\nTASK OK\n";

/// The folder of the repository.
pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// A folder of `samples/`, which must be there.
pub fn samples(name: &str) -> PathBuf {
    let folder = root().join("samples").join(name);
    assert!(folder.is_dir(), "{} is missing", folder.display());
    folder
}

/// The entries of a folder, sorted.
pub fn entries(folder: &Path) -> Vec<PathBuf> {
    let list = std::fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let mut paths: Vec<PathBuf> = list.map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    paths
}

/// All files below a folder, sorted.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for path in entries(folder) {
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found
}

/// A file of the repository as text.
pub fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
}

/// A folder that is removed at the end, with files in it.
pub struct Dir(TempDir);

impl Dir {
    /// An empty one.
    pub fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary folder"))
    }

    /// One with these files.
    pub fn with(files: &[(&str, &str)]) -> Self {
        let dir = Self::new();
        for (name, text) in files {
            dir.write(name, text.as_bytes());
        }
        dir
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// The path of something in it.
    pub fn join(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    /// Writes a file, folders included.
    pub fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.join(name);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        std::fs::write(&path, bytes).expect("a file");
        path
    }
}

/// One run of the binary, not started yet.
pub struct Run {
    command: Command,
    input: Option<Vec<u8>>,
}

/// Prepares `omnilog` with arguments: nothing of the caller's environment, standard input empty.
pub fn omnilog<S: AsRef<OsStr>>(args: impl IntoIterator<Item = S>) -> Run {
    let mut command = Command::new(env!("CARGO_BIN_EXE_omnilog"));
    command.env_clear().args(args).current_dir(root());
    Run { command, input: None }
}

/// What came of a run.
pub struct Done {
    shown: String,
    /// The exit status; -1 for a signal.
    pub status: i32,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Run {
    /// Adds arguments.
    pub fn args<S: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = S>) -> Self {
        self.command.args(args);
        self
    }

    /// Runs in this folder.
    pub fn within(mut self, folder: &Path) -> Self {
        self.command.current_dir(folder);
        self
    }

    /// Sets a variable.
    pub fn env(mut self, key: &str, value: &str) -> Self {
        self.command.env(key, value);
        self
    }

    /// Gives standard input.
    pub fn input(mut self, bytes: impl AsRef<[u8]>) -> Self {
        self.input = Some(bytes.as_ref().to_vec());
        self
    }

    /// The command itself.
    pub fn command(self) -> Command {
        self.command
    }

    /// Runs to the end.
    pub fn done(mut self) -> Done {
        let shown = format!("{:?}", self.command);
        let stdin = if self.input.is_some() { Stdio::piped() } else { Stdio::null() };
        let mut child =
            self.command.stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary starts");
        let writer = self.input.map(|bytes| {
            let mut pipe = child.stdin.take().expect("a pipe");
            // The binary may end before it has read everything.
            std::thread::spawn(move || drop(pipe.write_all(&bytes)))
        });
        let output = child.wait_with_output().expect("the binary ends");
        if let Some(writer) = writer {
            writer.join().expect("the writer ends");
        }
        Done {
            shown,
            status: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).expect("standard output is UTF-8"),
            stderr: String::from_utf8(output.stderr).expect("standard error is UTF-8"),
        }
    }

    /// Runs to the end; the exit status must be this one.
    pub fn exits(self, status: i32) -> Done {
        let done = self.done();
        assert_eq!(done.status, status, "{done}");
        done
    }

    /// Runs with `--format json` and gives the report.
    pub fn report(self) -> serde_json::Value {
        let done = self.args(["--format", "json"]).exits(0);
        serde_json::from_str(&done.stdout).unwrap_or_else(|e| panic!("{e}\n{done}"))
    }
}

impl Done {
    /// Standard output must hold this.
    pub fn says(self, text: &str) -> Self {
        assert!(self.stdout.contains(text), "`{text}` is not in standard output of\n{self}");
        self
    }

    /// Standard error must hold this.
    pub fn warns(self, text: &str) -> Self {
        assert!(self.stderr.contains(text), "`{text}` is not in standard error of\n{self}");
        self
    }
}

impl fmt::Display for Done {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { shown, status, stdout, stderr } = self;
        write!(f, "{shown}\nexit status {status}\n--- standard output\n{stdout}\n--- standard error\n{stderr}")
    }
}

/// The ids of the root causes of a JSON report, best first.
pub fn ids(report: &serde_json::Value) -> Vec<&str> {
    let causes = report["root_causes"].as_array().expect("root causes");
    causes.iter().map(|c| c["id"].as_str().expect("an id")).collect()
}

/// The root causes of a JSON report with their confidence, best first.
pub fn confidences(report: &serde_json::Value) -> Vec<(String, f64)> {
    let causes = report["root_causes"].as_array().expect("root causes");
    let pair = |c: &serde_json::Value| {
        (c["id"].as_str().expect("an id").to_owned(), c["confidence"].as_f64().expect("a confidence"))
    };
    causes.iter().map(pair).collect()
}

/// Characters that change how other text is shown, or that a terminal takes as commands.
pub fn harmful(text: &str) -> Vec<char> {
    let harmful = |c: &char| match c {
        '\n' => false,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{feff}' => true,
        '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' => true,
        '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}' => true,
        c => c.is_control(),
    };
    let mut found: Vec<char> = text.chars().filter(harmful).collect();
    found.sort_unstable();
    found.dedup();
    found
}

/// Fails with all complaints at once, if there are any.
pub fn none(complaints: &[String]) {
    assert!(complaints.is_empty(), "{} complaints:\n{}", complaints.len(), complaints.join("\n"));
}

/// A gzip file.
pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).expect("memory");
    encoder.finish().expect("memory")
}

/// A tar archive.
pub fn tar(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, bytes) in members {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        builder.append_data(&mut header, name, *bytes).expect("memory");
    }
    builder.into_inner().expect("memory")
}

/// A zip archive.
pub fn zip(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in members {
        writer.start_file(*name, zip::write::SimpleFileOptions::default()).expect("memory");
        writer.write_all(bytes).expect("memory");
    }
    writer.finish().expect("memory").into_inner()
}

/// An encrypted file and the identity that opens it.
pub fn age(bytes: &[u8]) -> (Vec<u8>, String) {
    use ::age::secrecy::ExposeSecret;
    let key = ::age::x25519::Identity::generate();
    let recipient = key.to_public();
    let encryptor = ::age::Encryptor::with_recipients(std::iter::once(&recipient as &dyn ::age::Recipient));
    let mut encrypted = Vec::new();
    let mut writer = encryptor.expect("a recipient").wrap_output(&mut encrypted).expect("memory");
    writer.write_all(bytes).expect("memory");
    writer.finish().expect("memory");
    (encrypted, key.to_string().expose_secret().to_owned())
}
