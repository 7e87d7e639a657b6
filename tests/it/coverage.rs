//! The coverage block: what was read, with its time span, what was not and why, what was cut, what is in no known format, and
//! which versions decided.

use serde_json::json;

use crate::support::{Dir, FULL, confidences, gzip, none, omnilog};

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

/// A rule of an application: its fault was mended in 2.0.
fn rule(application: &str) -> String {
    format!(
        "title = \"The gizmo is jammed\"\nstatus = \"stable\"\nlevel = \"high\"\ncomponents = [\"omni\"]\nprior = \"uncommon\"\n\
         description = \"It is jammed.\"\ncause = \"A fault of {application}.\"\nimpact = \"No gizmo.\"\n\n\
         [[applications]]\nname = \"{application}\"\naffected = \"<2.0.0\"\n\n\
         [signature.jammed]\nany = [\"the gizmo is jammed\"]\n\n\
         [[evidence]]\nid = \"jammed\"\nwhen = \"jammed\"\nstrength = \"strong\"\nsays = \"it says so\"\n\n\
         [[remediation]]\ntitle = \"Update\"\nrisk = \"none\"\nverify = \"It turns\"\n\n\
         [[collect]]\nrun = \"omnictl get machines\"\nwhy = \"it tells more\"\n"
    )
}

/// Where the version of an application stands: in what people hand over, X the version.
const DOCUMENTS: &[(&str, &[&str])] = &[
    (
        "omni-infra-provider-proxmox",
        &[
            "ID        NAME      VERSION   DESCRIPTION              CONNECTED   ERROR\n\
             proxmox   Proxmox   vX.Y.Z    Proxmox infrastructure   true        \n",
            "apiVersion: v1\nkind: Pod\nmetadata:\n  name: provider-0\nspec:\n  containers:\n  - name: provider\n    \
             image: ghcr.io/siderolabs/omni-infra-provider-proxmox:vX.Y.Z\n",
            "CONTAINER ID   IMAGE                                                     COMMAND       CREATED       STATUS       NAMES\n\
             3f2504e04f89   ghcr.io/siderolabs/omni-infra-provider-proxmox:vX.Y.Z     \"/provider\"   2 weeks ago   Up 2 weeks   provider\n",
            "- Provider version: vX.Y.Z\n",
        ],
    ),
    (
        "go-proxmox",
        &[
            "{\"level\":\"error\",\"ts\":1788553789.0,\"caller\":\"controllers/provision.go:349\",\"msg\":\"machine provision failed\",\
             \"error\":\"it failed\",\"stacktrace\":\"main.main\\n\\t/go/pkg/mod/github.com/luthermonson/go-proxmox@vX.Y.Z/proxmox.go:180\"}\n",
            "github.com/luthermonson/go-proxmox.(*Client).Req\n\
             \t/go/pkg/mod/github.com/luthermonson/go-proxmox@vX.Y.Z/proxmox.go:180\n",
        ],
    ),
    (
        "omni",
        &[
            "{\"level\":\"info\",\"ts\":1788553789.0,\"caller\":\"omni/start.go:61\",\"msg\":\"starting Omni\",\"version\":\"vX.Y.Z\"}\n",
            "metadata:\n    namespace: ephemeral\n    type: SysVersions.system.sidero.dev\n    id: current\n    version: 1\n    \
             owner:\n    phase: running\nspec:\n    backendversion: vX.Y.Z\n    instancename: demo\n",
            "services:\n  omni:\n    image: ghcr.io/siderolabs/omni:vX.Y.Z\n    network_mode: host\n",
            "[WARN] omnictl version \"v9.0.0\" differs from the backend version \"vX.Y.Z\".\n",
            "REPOSITORY                TAG       IMAGE ID       CREATED       SIZE\n\
             ghcr.io/siderolabs/omni   vX.Y.Z    0123456789ab   2 weeks ago   312MB\n",
            "2026-09-15T08:00:01.1Z stdout F time=\"2026-09-15T08:00:00Z\" level=info msg=\"PullImage \
             \\\"ghcr.io/siderolabs/omni:vX.Y.Z\\\" returns image reference \\\"sha256:00\\\"\"\n",
        ],
    ),
    (
        "talos",
        &[
            "Client:\n\tTag:         v9.0.0\n\tSHA:         fc8a8e3c\nServer:\n\tNODE:        192.0.2.5\n\tTag:         vX.Y.Z\n\
             \tSHA:         fc8a8e3c\n\tOS/Arch:     linux/amd64\n\tEnabled:     RBAC\n",
            "192.0.2.11: user: warning: [2026-09-15T08:00:01.1Z]: [talos] [initramfs] booting Talos vX.Y.Z\n",
            "NAME   STATUS   ROLES    AGE   VERSION   INTERNAL-IP   EXTERNAL-IP   OS-IMAGE          KERNEL-VERSION\n\
             w-1    Ready    <none>   1d    v9.35.2   192.0.2.5     <none>        Talos (vX.Y.Z)    6.18.5-talos\n",
            "metadata:\n    namespace: default\n    type: MachineStatuses.omni.sidero.dev\n    id: 7f1c2d3e-0000-4000-8000-000000000001\n    \
             version: 3\n    owner: MachineStatusController\n    phase: running\nspec:\n    talosversion: vX.Y.Z\n",
            "node: 192.0.2.5\nmetadata:\n    namespace: runtime\n    type: Versions.runtime.talos.dev\n    id: version\n    \
             version: 1\n    owner: runtime.VersionController\n    phase: running\nspec:\n    version: vX.Y.Z\n",
            "WARNING: 192.0.2.5: server version vX.Y.Z is older than client version v9.0.0\n",
        ],
    ),
    (
        "pve",
        &[
            "proxmox-ve: X.Y.Z (running kernel: 6.17.2-1-pve)\npve-manager: X.Y.Z (running version: X.Y.Z/42db4a6cf33dac83)\n\
             qemu-server: 9.1.4\nlvm2: 2.03.31-2+pmx1\n",
            "pve-manager/X.Y.Z/42db4a6cf33dac83 (running kernel: 6.17.2-1-pve)\n",
            "{\"pveversion\":\"pve-manager/X.Y.Z/42db4a6cf33dac83\",\"uptime\":1234}\n",
            "ii  pve-manager    X.Y.Z        all          Proxmox Virtual Environment Management Tools\n",
        ],
    ),
];

#[test]
fn wherever_the_version_of_any_application_stands_it_decides() {
    let mut complaints = Vec::new();
    for (application, documents) in DOCUMENTS {
        let rules =
            [("rules/mine/scenario.toml", "title = \"Mine\"\n"), ("rules/mine/jammed.toml", &rule(application))];
        for document in *documents {
            let confidence = |version: &str| {
                let dir = Dir::with(&rules);
                dir.write("in/a.log", b"2026-09-15T08:00:00Z the gizmo is jammed\n");
                dir.write("in/version.txt", document.replace("X.Y.Z", version).as_bytes());
                let run = omnilog(["--patterns", "rules", "in"]).within(dir.path());
                let found = confidences(&run.report());
                found.iter().find(|(id, _)| id == "mine/jammed").map_or(0.0, |(_, confidence)| *confidence)
            };
            let (old, mended, none) = (confidence("1.9.3"), confidence("2.0.1"), confidence("?.?.?"));
            if old <= none || mended > none - 0.1 {
                complaints
                    .push(format!("{application}: {old} with 1.9.3, {mended} with 2.0.1, {none} without: {document}"));
            }
        }
    }
    none(&complaints);
}
