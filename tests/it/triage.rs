//! `omnilog triage`: one row for each ticket, whatever is in it, in every format.

use crate::support::{Dir, FULL, QUIET, gzip, omnilog, tar, zip};

/// Tickets of every shape, the broken ones among them, in turn.
fn tickets(count: usize) -> Dir {
    let dir = Dir::new();
    let packed = gzip(&tar(&[("pve1/task.log", FULL.as_bytes())]));
    for number in 0..count {
        let name = |end: &str| format!("tickets/{number:04}{end}");
        match number % 10 {
            0 => dir.write(&name("/provider.log"), QUIET.as_bytes()),
            1 => dir.write(&name(".tar.gz"), &packed),
            2 => dir.write(&name(".zip"), &zip(&[("a/task.log", FULL.as_bytes()), ("a/notes.txt", b"see log\n")])),
            3 => dir.write(&name(".tgz"), &packed[..packed.len() / 2]),
            4 => dir.write(&name(".bin"), &[0x7f, b'E', b'L', b'F', 2, 1, 1, 0]),
            5 => dir.write(&name("/empty.log"), b""),
            6 => dir.write(&name(".log"), b"=cmd|' /C calc'!A0\x1b[2J | a | b\n\xff\xfe\n"),
            7 => dir.write(&name("/deep/er/task.log"), FULL.as_bytes()),
            8 => dir.write(&name(".txt"), b"nothing works since Tuesday\n"),
            _ => dir.write(&name(".log"), FULL.as_bytes()),
        };
    }
    dir
}

/// Runs the command on the tickets.
fn triage(dir: &Dir, format: &str) -> String {
    omnilog(["triage", "tickets", "--format", format]).within(dir.path()).exits(0).stdout
}

#[test]
fn a_thousand_tickets_give_a_thousand_rows_whatever_is_in_them() {
    let dir = tickets(1000);
    let text = triage(&dir, "json");
    let rows: Vec<serde_json::Value> = serde_json::from_str(&text).expect("JSON");
    assert_eq!(rows.len(), 1000);
    let full = |row: &&serde_json::Value| row["root_cause"] == "proxmox-storage/storage-full";
    assert_eq!(rows.iter().filter(full).count(), 400);
    // The worst come first, and among equals the name decides.
    assert!(rows.iter().take(400).all(|row| full(&row)));
    let names: Vec<&str> = rows.iter().take(400).map(|row| row["ticket"].as_str().expect("a name")).collect();
    assert!(names.is_sorted(), "{names:?}");
    let cut = rows.iter().find(|row| row["ticket"] == "0003.tgz").expect("the ticket that is cut off");
    assert!(cut["problems"].to_string().contains("fetch it again"), "{cut}");
}

#[test]
fn every_format_has_a_row_for_every_ticket() {
    let dir = tickets(30);
    let lines = |format: &str| triage(&dir, format).lines().map(str::to_owned).collect::<Vec<_>>();
    let ndjson = lines("ndjson");
    assert_eq!(ndjson.len(), 30);
    for line in &ndjson {
        let row: serde_json::Value = serde_json::from_str(line).expect("JSON");
        let keys =
            ["ticket", "verdict", "root_cause", "confidence", "source", "line", "excerpt", "next_step", "problems"];
        assert!(keys.iter().all(|key| row.get(key).is_some()), "{line}");
    }
    let csv = lines("csv");
    assert_eq!(csv.len(), 31);
    assert!(csv.iter().all(|line| line.starts_with('"') && !line.contains('\u{1b}')), "{csv:#?}");
    assert!(!csv.iter().any(|line| line.contains("\"=")), "a cell could run as a formula: {csv:#?}");
    let markdown = lines("markdown");
    // Behind the table stands that names are pseudonyms.
    let markdown: Vec<String> = markdown.into_iter().filter(|line| line.starts_with('|')).collect();
    assert_eq!(markdown.len(), 32);
    let columns = |line: &String| line.replace("\\|", "").matches('|').count();
    assert!(markdown.iter().all(|line| columns(line) == 7), "{markdown:#?}");
    let table = triage(&dir, "text");
    assert!((0..30).all(|number| table.contains(&format!("{number:04}"))), "{table}");
}

#[test]
fn a_narrow_terminal_shows_ticket_verdict_and_root_cause_on_one_line() {
    let dir = Dir::new();
    dir.write("tickets/one/task.log", FULL.as_bytes());
    let text = omnilog(["triage", "tickets"]).within(dir.path()).exits(0).stdout;
    let mut lines = text.lines();
    let first = lines.next().unwrap_or_default();
    assert!(first.starts_with("one  ") && first.contains("proxmox-storage/storage-full"), "{text}");
    assert!(lines.next().is_some_and(|l| l.starts_with("    ") && FULL.contains(l.trim_matches([' ', '…']))), "{text}");
    assert!(text.lines().any(|l| l.starts_with("  > ")), "{text}");
}

#[test]
fn in_a_pane_of_forty_columns_only_commands_are_longer() {
    use unicode_width::UnicodeWidthStr;
    let dir = tickets(30);
    let done = omnilog(["triage", "tickets"]).env("COLUMNS", "40").within(dir.path()).exits(0);
    let long = |line: &&str| line.width() > 40 && !line.starts_with("  > collect: ");
    let wide: Vec<&str> = done.stdout.lines().filter(long).collect();
    assert!(wide.is_empty() && done.stdout.contains("    proxmox-storage/storage-full"), "{wide:#?}\n{done}");
}
