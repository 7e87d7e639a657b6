//! The coverage block: what was read, with its time span, what was not and why, what was cut, what is in no known format, and
//! which versions decided.

use serde_json::json;

use crate::support::{Dir, FULL, gzip, omnilog};

/// Something of each kind.
fn mixed() -> Dir {
    let dir = Dir::new();
    dir.write("in/task.log", FULL.as_bytes());
    dir.write(
        "in/dmesg.log",
        b"192.0.2.11: user: warning: [2026-09-15T08:00:01.1Z]: [talos] [initramfs] booting Talos v1.12.4\n",
    );
    dir.write("in/pveversion.txt", b"pve-manager/9.1.1/42db4a6cf33dac83 (running kernel: 6.17.2-1-pve)\n");
    dir.write("in/question.txt", b"It broke on Tuesday.\nPlease help us.\n");
    dir.write("in/empty.log", b"");
    dir.write("in/screen.png", b"\x89PNG\r\n\x1a\n\0\0\0");
    let packed = gzip("time=\"2026-09-15T08:00:00Z\" level=info msg=\"all is well\"\n".repeat(1000).as_bytes());
    dir.write("in/cut.log.gz", &packed[..packed.len() / 2]);
    dir.write("in/secret.age", b"age-encryption.org/v1\n-> X25519 iVDFTbzaRZa+EMEXeuHXcSVZTxGnYvjXRu0hvC4zqBo\n");
    dir
}

fn names(list: &serde_json::Value, key: &str) -> Vec<String> {
    let list = list.as_array().expect("a list");
    list.iter().map(|entry| entry[key].as_str().expect("a text").to_owned()).collect()
}

#[test]
fn the_json_report_names_everything_that_was_handed_over() {
    let dir = mixed();
    let report = omnilog(["in"]).within(dir.path()).report();
    let coverage = &report["coverage"];
    assert_eq!(names(&coverage["skipped"], "source"), ["in/empty.log", "in/screen.png"]);
    assert_eq!(coverage["skipped"][0]["why"], "empty");
    assert_eq!(names(&coverage["cut"], "source"), ["in/cut.log.gz", "in/secret.age"]);
    assert_eq!(coverage["not_understood"], json!(["in/question.txt"]));
    assert_eq!(coverage["versions"], json!({"pve": ["9.1.1"], "talos": ["1.12.4"]}));
    let sources = names(&report["inputs"], "source");
    assert_eq!(sources, ["in/cut.log.gz", "in/dmesg.log", "in/pveversion.txt", "in/question.txt", "in/task.log"]);
    assert_eq!(report["inputs"][1]["first"], "2026-09-15T08:00:01.100Z");
    assert!(
        report["inputs"]
            .as_array()
            .expect("a list")
            .iter()
            .all(|i| !i["formats"].as_array().expect("a list").is_empty())
    );
}

#[test]
fn text_and_markdown_have_the_same_block() {
    let dir = mixed();
    let text = omnilog(["in"]).within(dir.path()).exits(0);
    let text = text.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    let markdown = omnilog(["in"]).args(["--format", "markdown"]).within(dir.path()).exits(0);
    let plain = markdown.stdout.replace('\\', "");
    for expected in [
        "versions pve 9.1.1, talos 1.12.4",
        "in/empty.log (empty), in/screen.png (not read: a PNG image; paste the text it shows into a file)",
        "2 sources not wholly read: in/cut.log.gz, in/secret.age",
        "1 source in no known format, searched as plain text: in/question.txt",
    ] {
        assert!(text.contains(expected), "{expected} is not in\n{text}");
        let expected = expected.replacen("versions ", "versions: ", 1);
        assert!(plain.contains(&expected), "{expected} is not in\n{plain}");
    }
    assert!(plain.contains("- `in/dmesg.log`: 1 lines, "), "{plain}");
    let all = omnilog(["in"]).args(["--all"]).within(dir.path()).exits(0);
    all.says("2026-09-15T08:00:01.100Z").says("in/task.log");
}

#[test]
fn a_version_decides_whether_a_root_cause_applies() {
    // The fault is in the provider before v0.1.0 only.
    let log = crate::lab::positives("provider-failure/api-session-expired");
    let case = log.iter().find(|c| c.leads() && c.sample.log.is_some()).expect("a sample");
    let confidence = |version: &str| {
        let table = format!(
            "ID        NAME      VERSION   DESCRIPTION              CONNECTED   ERROR\n\
             proxmox   Proxmox   {version}    Proxmox infrastructure   true        \n"
        );
        let log = case.sample.log.as_deref().expect("one source");
        let dir = Dir::with(&[("in/provider.log", log), ("in/infraprovider.txt", &table)]);
        let report = omnilog(["in"]).within(dir.path()).report();
        let causes = report["root_causes"].as_array().expect("a list").clone();
        let cause = causes.into_iter().find(|c| c["id"] == case.id).expect("the root cause");
        cause["confidence"].as_f64().expect("a number")
    };
    let (old, fixed) = (confidence("v0.0.9"), confidence("v0.2.0"));
    assert!(old >= 0.8 && fixed < 0.5, "{old} with an old version, {fixed} with a fixed one");
}
