//! The configuration file: defaults for flags, so that nobody types them each time.
//!
//! `$XDG_CONFIG_HOME/omnilog/config.toml` (else `~/.config/omnilog/config.toml`). A key is the long name of a flag; at the
//! top it holds for every command that has the flag, in a table for the command of that name. What is typed wins. Invariant:
//! a key that no flag has, or a value that its flag refuses, is an error that names the file; nothing is ignored.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::{Arg, ArgAction, Command};
use toml::{Table, Value};

use super::Usage;
use crate::input;
use crate::suggest;

/// Flags that make no sense as a default.
const NEVER: &[&str] = &["help", "version", "no-config"];

/// Puts the defaults of the configuration file into the arguments of `command`, unless `--no-config` is among `args`.
///
/// # Errors
/// The file cannot be read, is no TOML, or holds an unknown key or a wrong value.
pub fn apply(command: Command, args: &[OsString]) -> anyhow::Result<Command> {
    let refused = args.iter().take_while(|a| *a != "--").any(|a| a == "--no-config");
    let Some(path) = path().filter(|_| !refused) else { return Ok(command) };
    match std::fs::read_to_string(&path) {
        Ok(text) => with(command, &text, &path),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(command),
        Err(error) => anyhow::bail!(Usage(format!("{}: cannot be read: {}", path.display(), input::reason(&error)))),
    }
}

/// Where the file is, by the XDG base directory specification: relative paths count as unset.
fn path() -> Option<PathBuf> {
    let absolute = |key: &str| std::env::var_os(key).map(PathBuf::from).filter(|p| p.is_absolute());
    let folder = absolute("XDG_CONFIG_HOME").or_else(|| Some(absolute("HOME")?.join(".config")))?;
    Some(folder.join("omnilog").join("config.toml"))
}

fn with(mut command: Command, text: &str, path: &Path) -> anyhow::Result<Command> {
    let table: Table = text.parse().map_err(|e| Usage(format!("{}: {e}", path.display())))?;
    for (key, value) in &table {
        command = match value {
            Value::Table(flags) => for_one(command, key, flags, path)?,
            value => for_all(command, key, value, path)?,
        };
    }
    Ok(command)
}

/// A table: flags of one command.
fn for_one(mut command: Command, name: &str, flags: &Table, path: &Path) -> anyhow::Result<Command> {
    if command.find_subcommand(name).is_none() {
        let known: Vec<String> = command.get_subcommands().map(|c| c.get_name().to_owned()).collect();
        return Err(unknown(path, "table", name, &known));
    }
    for (key, value) in flags {
        let known = command.find_subcommand(name).map(flags_of).unwrap_or_default();
        if !known.contains(key) {
            return Err(unknown(path, "key", key, &known));
        }
        command = command.mut_subcommand(name, |sub| sub);
        let found = command.find_subcommand(name).and_then(|sub| flag(sub, key)).cloned();
        check(found.as_ref(), key, value, path)?;
        command = command.mut_subcommand(name, |sub| set(sub, key, value));
    }
    Ok(command)
}

/// A key at the top: every command that has the flag.
fn for_all(mut command: Command, key: &str, value: &Value, path: &Path) -> anyhow::Result<Command> {
    let names: Vec<String> = command.get_subcommands().map(|c| c.get_name().to_owned()).collect();
    let with_flag: Vec<&String> =
        names.iter().filter(|n| command.find_subcommand(n).is_some_and(|sub| flag(sub, key).is_some())).collect();
    let own = flag(&command, key).cloned();
    if own.is_none() && with_flag.is_empty() {
        let mut known: Vec<String> = flags_of(&command);
        known.extend(command.get_subcommands().flat_map(flags_of));
        known.sort();
        known.dedup();
        return Err(unknown(path, "key", key, &known));
    }
    if own.is_some() {
        check(own.as_ref(), key, value, path)?;
        command = set(command, key, value);
    }
    for name in with_flag {
        let found = command.find_subcommand(name).and_then(|sub| flag(sub, key)).cloned();
        // A value may be right for one command only: `format = "html"` says nothing to `triage`.
        if own.is_some() && check(found.as_ref(), key, value, path).is_err() {
            continue;
        }
        check(found.as_ref(), key, value, path)?;
        command = command.mut_subcommand(name, |sub| set(sub, key, value));
    }
    Ok(command)
}

/// The flag of that long name.
fn flag<'c>(command: &'c Command, key: &str) -> Option<&'c Arg> {
    command.get_arguments().find(|a| a.get_long() == Some(key) && !NEVER.contains(&key))
}

fn flags_of(command: &Command) -> Vec<String> {
    let long = command.get_arguments().filter_map(Arg::get_long);
    long.filter(|l| !NEVER.contains(l)).map(str::to_owned).collect()
}

/// Whether the flag takes the value.
fn check(flag: Option<&Arg>, key: &str, value: &Value, path: &Path) -> anyhow::Result<()> {
    let Some(flag) = flag else { return Ok(()) };
    let wrong = |why: String| anyhow::Error::new(Usage(format!("{}: `{key} = {value}`: {why}", path.display())));
    if is_switch(flag) {
        return if value.is_bool() { Ok(()) } else { Err(wrong("expected true or false".into())) };
    }
    let words = words(value).ok_or_else(|| wrong("expected a text, a number or a list of them".into()))?;
    let typed = words.iter().map(|word| format!("--{key}={word}"));
    // The flag alone: what others it needs or excludes is no matter of its value.
    let alone = Command::new("omnilog").no_binary_name(true).disable_help_flag(true).arg(bare(flag, key));
    alone.try_get_matches_from(typed).map(drop).map_err(|error| {
        let text = error.to_string();
        let first = text.lines().next().unwrap_or_default();
        wrong(first.strip_prefix("error: ").unwrap_or(first).to_owned())
    })
}

/// The flag without its ties to others.
fn bare(flag: &Arg, key: &str) -> Arg {
    Arg::new(key.to_owned())
        .long(key.to_owned())
        .action(flag.get_action().clone())
        .value_parser(flag.get_value_parser().clone())
        .allow_hyphen_values(true)
}

fn is_switch(flag: &Arg) -> bool {
    matches!(flag.get_action(), ArgAction::SetTrue)
}

/// A value as it would be typed.
fn words(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::String(text) => Some(vec![text.clone()]),
        Value::Integer(number) => Some(vec![number.to_string()]),
        Value::Float(number) => Some(vec![number.to_string()]),
        Value::Boolean(truth) => Some(vec![truth.to_string()]),
        Value::Array(list) => list.iter().map(|v| words(v)?.pop()).collect(),
        Value::Datetime(time) => Some(vec![time.to_string()]),
        Value::Table(_) => None,
    }
}

fn set(command: Command, key: &str, value: &Value) -> Command {
    let Some(id) = flag(&command, key).map(|f| f.get_id().clone()) else { return command };
    let words = words(value).unwrap_or_default();
    command.mut_arg(id, |flag| flag.default_values(words))
}

fn unknown(path: &Path, what: &str, name: &str, known: &[String]) -> anyhow::Error {
    let help = suggest::did_you_mean(name, known.iter().map(String::as_str));
    let help = help.unwrap_or_else(|| match what {
        "table" => format!("tables are named after commands: {}", known.join(", ")),
        _ => format!("keys are long flags without their dashes: {}", known.join(", ")),
    });
    anyhow::Error::new(Usage(format!("{}: unknown {what} `{name}`\n  help: {help}", path.display())))
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, FromArgMatches};

    use super::super::{Cli, Command as Sub};
    use super::*;

    fn parsed(config: &str, args: &[&str]) -> anyhow::Result<Cli> {
        let command = with(Cli::command(), config, Path::new("config.toml"))?;
        let matches = command.try_get_matches_from(std::iter::once(&"omnilog").chain(args))?;
        Ok(Cli::from_arg_matches(&matches)?)
    }

    fn refused(config: &str) -> String {
        parsed(config, &[]).map(|_| "accepted".to_owned()).unwrap_or_else(|e| e.to_string())
    }

    #[test]
    fn keys_are_defaults_and_what_is_typed_wins() {
        let config =
            "format = \"markdown\"\ntimezone = \"+02:00\"\nall = true\ncontext = 3\nidentity = [\"a\", \"b\"]\n";
        let cli = parsed(config, &["x.log"]).expect("a configuration").analyze;
        assert_eq!((cli.format.as_str(), cli.all, cli.context), ("markdown", true, Some(3)));
        assert_eq!(cli.input.options.identity, ["a", "b"].map(PathBuf::from));
        let cli = parsed(config, &["x.log", "--format", "json", "-i", "c"]).expect("a configuration").analyze;
        assert_eq!(
            (cli.format.as_str(), cli.input.options.timezone.as_deref().unwrap_or_default()),
            ("json", "+02:00")
        );
        assert_eq!(cli.input.options.identity, [PathBuf::from("c")]);
    }

    #[test]
    fn tables_hold_for_one_command_and_the_top_for_all() {
        let config = "timezone = \"+02:00\"\nformat = \"markdown\"\n[triage]\nformat = \"csv\"\n";
        let cli = parsed(config, &["triage", "tickets"]).expect("a configuration");
        let Some(Sub::Triage(triage)) = cli.command else { panic!("triage") };
        assert_eq!((triage.format.as_str(), triage.options.timezone.as_deref().unwrap_or_default()), ("csv", "+02:00"));
        assert_eq!(parsed(config, &[]).expect("a configuration").analyze.format, "markdown");
    }

    #[test]
    fn unknown_keys_and_wrong_values_are_errors_with_help() {
        for (config, wanted) in [
            ("formt = \"json\"", "did you mean `format`?"),
            ("[triag]\nformat = \"csv\"", "did you mean `triage`?"),
            ("[triage]\nfromat = \"csv\"", "did you mean `format`?"),
            ("[triage]\nformat = \"pdf\"", "config.toml: `format = \"pdf\"`"),
            ("context = \"many\"", "`context = \"many\"`"),
            ("all = 1", "expected true or false"),
            ("no-config = true", "unknown key `no-config`"),
            ("format = ", "config.toml"),
        ] {
            let message = refused(config);
            assert!(message.contains(wanted), "{config}: {message}");
        }
    }
}
