//! What people expect of any tool: a pager, a configuration file, help with examples, suggestions, passphrases without echo.

use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize};

use crate::support::{Dir, FULL, none, omnilog};

const FULL_ID: &str = "proxmox-storage/storage-full";
const PATIENCE: Duration = Duration::from_mins(1);

/// A run of the binary on a terminal of its own.
struct Terminal {
    master: File,
    child: Child,
    shown: Receiver<Vec<u8>>,
    text: String,
}

/// Starts the binary on a terminal; `piped` leads standard output elsewhere.
fn terminal(args: &[&str], folder: &Path, environment: &[(&str, &str)], piped: bool) -> Terminal {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
    grantpt(&master).and_then(|()| unlockpt(&master)).expect("a terminal");
    tcsetwinsize(&master, Winsize { ws_row: 24, ws_col: 80, ws_xpixel: 0, ws_ypixel: 0 }).expect("a size");
    let name = PathBuf::from(ptsname(&master, Vec::new()).expect("a name").to_str().expect("UTF-8"));
    let slave = || File::options().read(true).write(true).open(&name).expect("a terminal");
    // A session of its own, with this terminal as the one that controls it.
    let mut command = Command::new("setsid");
    command.args(["--ctty", "--wait", env!("CARGO_BIN_EXE_omnilog")]).args(args).current_dir(folder).env_clear();
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default()).envs(environment.iter().copied());
    let stdout = if piped { Stdio::piped() } else { slave().into() };
    let child = command.stdin(slave()).stdout(stdout).stderr(slave()).spawn().expect("setsid of util-linux");
    let (sender, shown) = channel();
    let mut reader = File::from(master.try_clone().expect("a terminal"));
    std::thread::spawn(move || {
        let mut buffer = [0; 4096];
        // When the last writer is gone, Linux answers with an error.
        while let Ok(count @ 1..) = reader.read(&mut buffer) {
            if sender.send(buffer[..count].to_vec()).is_err() {
                return;
            }
        }
    });
    Terminal { master: File::from(master), child, shown, text: String::new() }
}

impl Drop for Terminal {
    /// A test that fails leaves nothing behind.
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Terminal {
    fn waits_for(&mut self, text: &str) {
        while !self.text.contains(text) {
            let bytes = self.shown.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("no `{text}` in {:?}", self.text));
            self.text.push_str(&String::from_utf8_lossy(&bytes));
        }
    }

    /// Types a line once the terminal no longer shows what is typed.
    fn types_unseen(&mut self, line: &str) {
        let mut looks = 0;
        while tcgetattr(&self.master).expect("a terminal").local_modes.contains(LocalModes::ECHO) {
            std::thread::yield_now();
            looks += 1;
            assert!(looks < 100_000_000, "what is typed would be shown");
        }
        self.master.write_all(line.as_bytes()).expect("a terminal");
    }

    /// Everything on the terminal, and standard output if that was led elsewhere.
    fn ends(mut self) -> (String, String) {
        let mut stdout = String::new();
        if let Some(mut pipe) = self.child.stdout.take() {
            pipe.read_to_string(&mut stdout).expect("UTF-8");
        }
        self.child.wait().expect("it ends");
        while let Ok(bytes) = self.shown.recv_timeout(Duration::from_millis(500)) {
            self.text.push_str(&String::from_utf8_lossy(&bytes));
        }
        (std::mem::take(&mut self.text), stdout)
    }
}

fn protected(passphrase: &str, plain: &[u8]) -> Vec<u8> {
    let mut recipient = age::scrypt::Recipient::new(age::secrecy::SecretString::from(passphrase.to_owned()));
    recipient.set_work_factor(2);
    let recipients = std::iter::once(&recipient as &dyn age::Recipient);
    let mut bytes = Vec::new();
    let mut writer =
        age::Encryptor::with_recipients(recipients).expect("a recipient").wrap_output(&mut bytes).expect("memory");
    writer.write_all(plain).expect("memory");
    writer.finish().expect("memory");
    bytes
}

#[test]
fn a_passphrase_is_asked_for_on_the_terminal_and_never_shown() {
    let dir = Dir::new();
    dir.write("secret.age", &protected("open sesame", FULL.as_bytes()));
    let mut run = terminal(&["--format", "json", "secret.age"], dir.path(), &[("TERM", "xterm")], true);
    run.waits_for("passphrase of secret.age");
    run.types_unseen("wrong\n");
    run.waits_for("did not fit");
    run.types_unseen("open sesame\n");
    let (shown, stdout) = run.ends();
    assert!(stdout.contains(FULL_ID), "{stdout}\n{shown}");
    assert!(!shown.contains("sesame") && !shown.contains("wrong"), "{shown}");
}

#[test]
fn an_empty_answer_skips_the_file() {
    let dir = Dir::new();
    dir.write("secret.age", &protected("open sesame", FULL.as_bytes()));
    dir.write("task.log", FULL.as_bytes());
    let mut run = terminal(&["--format", "json", "."], dir.path(), &[], true);
    run.waits_for("passphrase of ");
    run.types_unseen("\n");
    let (shown, stdout) = run.ends();
    assert!(stdout.contains(FULL_ID) && stdout.contains("encrypted"), "{stdout}\n{shown}");
}

#[test]
fn without_a_terminal_the_message_says_what_the_file_wants() {
    let dir = Dir::new();
    dir.write("secret.age", &protected("open sesame", FULL.as_bytes()));
    // A session without a terminal: nobody can be asked, whoever runs the tests.
    let mut command = Command::new("setsid");
    command.args(["--wait", env!("CARGO_BIN_EXE_omnilog"), "secret.age"]).current_dir(dir.path());
    let output = command.stdin(Stdio::null()).output().expect("setsid of util-linux");
    assert_eq!(output.status.code(), Some(2));
    let message = String::from_utf8_lossy(&output.stderr);
    assert!(message.contains("a passphrase") && message.contains("run it where"), "{message}");
}

#[test]
fn progress_keeps_to_one_line_of_any_width_and_is_taken_away() {
    for (columns, told) in [(80, "0 B read, "), (20, "0 B, ")] {
        let dir = Dir::new();
        let slow = dir.join("slow");
        assert!(Command::new("mkfifo").arg(&slow).status().expect("mkfifo").success());
        let args = ["--no-config", "--no-pager", "slow"];
        let mut run = terminal(&args, dir.path(), &[("TERM", "xterm"), ("NO_COLOR", "1")], false);
        tcsetwinsize(&run.master, Winsize { ws_row: 24, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 }).expect("a size");
        let mut pipe = File::options().write(true).open(&slow).expect("it is read");
        pipe.write_all(FULL.as_bytes()).expect("it is read");
        run.waits_for(told);
        drop(pipe);
        let (shown, _) = run.ends();
        let (progress, report) = shown.rsplit_once("\r\u{1b}[2K").expect("the line is cleared");
        assert!(report.contains("CONFIRMED") && !report.contains(told), "{columns}: {report}");
        let frames: Vec<&str> = progress.split("\r\u{1b}[2K").collect();
        let fits = |frame: &&str| !frame.contains(['\n', '\u{1b}']) && frame.chars().count() <= usize::from(columns);
        assert!(frames.iter().all(fits), "{columns}: {frames:?}");
    }
}

#[test]
fn long_text_goes_through_the_pager_on_a_terminal_only() {
    let dir = Dir::new();
    dir.write("task.log", FULL.as_bytes());
    let pager = dir.write("mark", b"#!/bin/sh\nwhile read -r line; do echo \"paged: $line\"; done\n");
    let mut mode = std::fs::metadata(&pager).expect("a file").permissions();
    std::os::unix::fs::PermissionsExt::set_mode(&mut mode, 0o755);
    std::fs::set_permissions(&pager, mode).expect("a file");
    let pager = pager.to_str().expect("UTF-8");
    let explain = ["explain", "storage-full"];
    let shown = |args: &[&str], environment: &[(&str, &str)]| terminal(args, dir.path(), environment, false).ends().0;
    assert!(shown(&explain, &[("PAGER", pager)]).contains("paged: "));
    assert!(shown(&explain, &[("OMNILOG_PAGER", pager), ("PAGER", "false")]).contains("paged: "));
    let plain = [
        shown(&["explain", "storage-full", "--no-pager"], &[("PAGER", pager)]),
        shown(&explain, &[("PAGER", "cat")]),
        shown(&explain, &[("PAGER", "/no/such/pager")]),
        shown(&["--version"], &[("PAGER", pager)]),
        shown(&["-q", "--format", "json", "task.log"], &[("PAGER", pager)]),
    ];
    for text in plain {
        assert!(!text.contains("paged: ") && text.contains("omnilog") | text.contains(FULL_ID), "{text}");
    }
    omnilog(explain).env("PAGER", pager).exits(0).says(FULL_ID);
}

#[test]
fn the_configuration_file_gives_defaults() {
    let dir = Dir::with(&[
        ("config/omnilog/config.toml", "format = \"json\"\n[triage]\nformat = \"csv\"\n"),
        ("t/a.log", FULL),
    ]);
    let folder = dir.join("config");
    let run = |args: &[&str]| omnilog(args).within(dir.path()).env("XDG_CONFIG_HOME", folder.to_str().expect("UTF-8"));
    run(&["t"]).exits(0).says("\"schema_version\"");
    run(&["triage", "t"]).exits(0).says("\"ticket\",");
    run(&["t", "--format", "ndjson"]).exits(0).says("{\"rank\":1");
    run(&["t", "--no-config"]).exits(0).says("CONFIRMED");
    omnilog(["t"]).within(dir.path()).env("HOME", "/nonexistent").exits(0).says("CONFIRMED");
    dir.write("config/omnilog/config.toml", b"formt = \"json\"\n");
    run(&["t"]).exits(2).warns("config.toml: unknown key `formt`").warns("did you mean `format`?");
    dir.write("config/omnilog/config.toml", b"timezone = [\n");
    run(&["t"]).exits(2).warns("config.toml");
}

#[test]
fn a_mistyped_path_is_corrected() {
    let dir = Dir::with(&[("tickets/provider.log", FULL)]);
    omnilog(["tickets/provder.log"]).within(dir.path()).exits(2).warns("did you mean `tickets/provider.log`?");
    omnilog(["tickest/provider.log"]).within(dir.path()).exits(2).warns("did you mean `tickets/provider.log`?");
    omnilog(["elsewhere.txt"]).within(dir.path()).exits(2).warns("check the path");
    omnilog(["detct", "elsewhere.txt"]).within(dir.path()).exits(2).warns("did you mean `detect`?");
    omnilog(["triage", "tickest"]).within(dir.path()).exits(2).warns("did you mean `tickets`?");
}

#[test]
fn every_command_shows_examples_that_name_commands_and_flags_that_exist() {
    let mut complaints = Vec::new();
    for command in ["triage", "events", "explain", "why-not", "detect", "patterns", "completions", "man"] {
        let help = omnilog([command, "--help"]).exits(0).stdout;
        let Some((_, examples)) = help.split_once("Examples:") else {
            complaints.push(format!("{command} has no examples"));
            continue;
        };
        for example in examples.lines().filter(|l| l.starts_with("  ") && l.contains("omnilog ")) {
            let typed = example.split("omnilog ").nth(1).unwrap_or_default();
            let own = typed.split(['|', '>']).next().unwrap_or_default();
            let words: Vec<&str> = own.split_whitespace().collect();
            if words.first() != Some(&command) {
                complaints.push(format!("{command}: {example}"));
            }
            let mut known =
                omnilog(words.iter().take_while(|w| !w.starts_with('-') && !w.contains(['/', '.'])).take(2))
                    .args(["--help"])
                    .done()
                    .stdout;
            known.push_str(&help);
            let missing = words.iter().filter(|w| w.starts_with("--") && !known.contains(**w));
            complaints.extend(missing.map(|w| format!("{command}: there is no {w}")));
        }
    }
    none(&complaints);
}

#[test]
fn as_a_plugin_of_kubectl_it_shows_how_it_is_called() {
    let dir = Dir::new();
    let plugin = dir.join("kubectl-omnilog");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_omnilog"), &plugin).expect("a link");
    let help = |args: &[&str]| {
        let output = Command::new(&plugin).args(args).env_clear().output().expect("the binary starts");
        String::from_utf8(output.stdout).expect("UTF-8")
    };
    let text = help(&["--help"]);
    assert!(text.contains("Usage: kubectl omnilog [OPTIONS]") && text.contains("| kubectl omnilog\n"), "{text}");
    let text = help(&["triage", "--help"]);
    assert!(
        text.contains("Usage: kubectl omnilog triage") && text.contains("  kubectl omnilog triage tickets/"),
        "{text}"
    );
}

#[test]
fn completions_and_the_manual_know_every_command_and_flag() {
    let root = omnilog(["--help"]).exits(0).stdout;
    let flags: Vec<&str> = root.split_whitespace().filter(|w| w.starts_with("--") && w.len() > 4).collect();
    let mut complaints = Vec::new();
    for shell in ["bash", "zsh", "fish", "powershell"] {
        let script = omnilog(["completions", shell]).exits(0).stdout;
        for command in ["triage", "events", "explain", "why-not", "detect", "patterns", "completions", "man"] {
            if !script.contains(command) {
                complaints.push(format!("{shell}: {command}"));
            }
        }
        let known = |flag: &&&str| script.contains(flag.trim_start_matches('-'));
        let word = |f: &&str| f.chars().all(|c| c.is_ascii_lowercase() || c == '-');
        complaints.extend(flags.iter().filter(|f| word(f)).filter(|f| !known(f)).map(|f| format!("{shell}: {f}")));
    }
    let triage = omnilog(["man", "triage"]).exits(0).says(".TH omnilog-triage").stdout.replace("\\-", "-");
    if !triage.contains("--format") || !triage.contains("omnilog triage tickets/") {
        complaints.push(format!("man triage:\n{triage}"));
    }
    omnilog(["man", "triag"]).exits(2).warns("did you mean `triage`?");
    let page = omnilog(["man"]).exits(0).stdout.replace("\\-", "-");
    let word = |f: &&&str| f.chars().all(|c| c.is_ascii_lowercase() || c == '-');
    complaints.extend(flags.iter().filter(word).filter(|f| !page.contains(**f)).map(|f| format!("man: {f}")));
    none(&complaints);
}
