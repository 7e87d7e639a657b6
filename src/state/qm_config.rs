//! Configurations of virtual machines: `qm config`, `qm pending`, `/etc/pve/qemu-server/N.conf`, also inside
//! `pvereport`. Only the live part counts: snapshots are left out, pending changes are told apart.

use super::block::{
    Block, attribute, command, conf_vmid, entity, event, is_boundary, is_vmid, pair, pair_bytes, path_node,
};
use super::{Context, Document, Progress, Sample, StateEvent, secret};
use crate::event::{Event, Service};

/// Keys of a configuration; disks and the like carry a number.
#[rustfmt::skip]
const KEYS: &[&str] = &[
    "acpi", "affinity", "agent", "allow-ksm", "amd-sev", "arch", "args", "audio", "autostart", "balloon", "bios",
    "boot", "bootdisk", "cdrom", "cicustom", "cipassword", "citype", "ciupgrade", "ciuser", "cores", "cpu",
    "cpulimit", "cpuunits", "description", "digest", "efidisk", "freeze", "hookscript", "hostpci", "hotplug",
    "hugepages", "ide", "import-working-storage", "intel-tdx", "ipconfig", "ivshmem", "keephugepages", "keyboard",
    "kvm", "localtime", "lock", "machine", "memory", "meta", "migrate_downtime", "migrate_speed", "name",
    "nameserver", "net", "numa", "onboot", "ostype", "parallel", "parent", "pool", "protection", "reboot", "rng",
    "running-nets-host-mtu", "runningcpu", "runningmachine", "sata", "scsi", "scsihw", "searchdomain", "serial",
    "shares", "smbios", "smp", "snapshot", "snaptime", "sockets", "spice_enhancements", "sshkeys", "startdate",
    "startup", "tablet", "tags", "tdf", "template", "tpmstate", "unused", "usb", "vcpus", "vga", "virtio", "virtiofs",
    "vmgenid", "vmstate", "vmstatestorage", "watchdog",
];

/// Keys that hardly stand anywhere else; with none of them a block is no configuration.
const TELLING: &[&str] = &[
    "scsihw", "ostype", "smbios1", "vmgenid", "net0", "scsi0", "virtio0", "sata0", "ide2", "bootdisk", "onboot",
    "meta", "boot", "sockets",
];

/// What an absent key means.
const DEFAULTS: &[(&str, &str)] = &[
    ("agent", "0"),
    ("bios", "seabios"),
    ("cores", "1"),
    ("cpu", "kvm64"),
    ("machine", "pc"),
    ("memory", "512"),
    ("ostype", "other"),
    ("scsihw", "lsi"),
    ("sockets", "1"),
    ("vga", "std"),
];

/// A configuration.
pub(super) struct QmConfig;

impl Document for QmConfig {
    fn name(&self) -> &'static str {
        "qm_config"
    }

    fn begins_with(&self, byte: u8) -> bool {
        byte.is_ascii_lowercase() || matches!(byte, b'#' | b'$')
    }

    fn begins(&self, line: &[u8]) -> bool {
        if is_config_line(line) || is_pending_line(line) {
            return true;
        }
        let candidate = match line.first() {
            Some(b'#') => line.starts_with(b"# cat /etc/pve/") || line.starts_with(b"# qm "),
            Some(b'$') => line.starts_with(b"$ "),
            // `root@pve1:~# qm config 100`
            _ => memchr::memchr(b'@', line.get(..line.len().min(40)).unwrap_or_default()).is_some(),
        };
        candidate && std::str::from_utf8(line).is_ok_and(|line| heading(line).is_some())
    }

    fn continues(&self, progress: &mut Progress, line: &[u8]) -> bool {
        let was_blank = progress.blanks > 0;
        if let Some(more) = progress.blank(line, 1) {
            return more;
        }
        if is_boundary(line) {
            return false;
        }
        match line.first() {
            // Sections stand behind a blank line.
            Some(b'[') => is_section(line),
            Some(b'#') => !was_blank && !line.starts_with(b"# cat ") && !line.starts_with(b"# qm "),
            _ if was_blank => false,
            _ => is_config_line(line) || is_pending_line(line) || line.starts_with(b"delete: "),
        }
    }

    fn events(&self, block: &str, context: &Context) -> Vec<StateEvent> {
        let block = Block::new(block);
        let config = read(&block);
        let telling = config.live.iter().filter(|(key, _)| TELLING.contains(key)).count();
        let whole = config.whole(context);
        if telling == 0 || (config.live.len() < 3 && !whole) {
            return Vec::new();
        }
        vec![block.event(config.event(whole, context), 0, block.len())]
    }

    fn samples(&self) -> &'static [Sample] {
        SAMPLES
    }
}

/// A key, its number left out.
fn is_known(key: &[u8]) -> bool {
    let digits = key.iter().rev().take_while(|b| b.is_ascii_digit()).count();
    let stem = key.get(..key.len() - digits).unwrap_or_default();
    digits <= 3 && KEYS.binary_search_by(|k| k.as_bytes().cmp(stem)).is_ok()
}

/// `key: value` with a key of a configuration and a value like one.
fn is_config_line(line: &[u8]) -> bool {
    let Some((key, value)) = pair_bytes(line) else { return false };
    // A configuration has one blank behind the colon; texts after `memory:` or `name:` have further words.
    let free_text = matches!(key, b"description" | b"args" | b"sshkeys" | b"tags" | b"name");
    // `qm status --verbose` begins with it in bytes.
    let is_status = key == b"balloon" && value.len() >= 8;
    // Texts refuse most lines, and the list of keys is long.
    !is_status
        && !value.is_empty()
        && !matches!(value.first(), Some(b'{' | b'[' | b'"' | b'|' | b'>'))
        && (free_text || !value.contains(&b' '))
        && is_known(key)
}

/// A line of `qm pending`.
fn is_pending_line(line: &[u8]) -> bool {
    let rest = line.split_first_chunk::<4>().filter(|(word, _)| matches!(*word, b"cur " | b"new " | b"del "));
    rest.map(|(_, rest)| rest).is_some_and(|rest| is_config_line(rest) || is_known(rest.trim_ascii()))
}

/// `[snapshot]`, `[PENDING]`, `[special:cloudinit]`.
fn is_section(line: &[u8]) -> bool {
    let inner = line.trim_ascii_end().strip_prefix(b"[").and_then(|l| l.strip_suffix(b"]"));
    inner.is_some_and(|name| {
        !name.is_empty() && name.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b':'))
    })
}

/// A line above a configuration that tells whose it is: the VMID, and the node when it stands there.
fn heading(line: &str) -> Option<(&str, Option<&str>)> {
    let command = command(line)?;
    if let Some(path) = command.strip_prefix("cat ") {
        let path = path.trim().trim_matches(['\'', '"']);
        return path.contains("qemu-server/").then(|| conf_vmid(path)).flatten().map(|vmid| (vmid, path_node(path)));
    }
    let command = command.strip_prefix("sudo ").unwrap_or(command);
    let rest = command.strip_prefix("qm config ").or_else(|| command.strip_prefix("qm pending "))?;
    let vmid = rest.split_whitespace().find(|w| is_vmid(w))?;
    let host = line.split_once('@').and_then(|(_, rest)| rest.split_once(':')).map(|(host, _)| host);
    Some((vmid, host.filter(|h| !h.is_empty())))
}

/// What a block says.
#[derive(Default)]
struct Config<'t> {
    heading: Option<(&'t str, Option<&'t str>)>,
    live: Vec<(&'t str, &'t str)>,
    pending: Vec<(&'t str, &'t str)>,
    delete: Vec<&'t str>,
    snapshots: Vec<&'t str>,
}

/// Reads the lines of a block.
fn read<'t>(block: &Block<'t>) -> Config<'t> {
    let mut config = Config::default();
    let mut section = "";
    for (_, line) in block.lines() {
        if config.heading.is_none() && config.live.is_empty() {
            config.heading = heading(line);
        }
        if let Some(name) = line.trim_end().strip_prefix('[').and_then(|l| l.strip_suffix(']')) {
            section = name;
            if name != "PENDING" && !name.starts_with("special:") {
                config.snapshots.push(name);
            }
            continue;
        }
        match section {
            "" => config.line(line),
            "PENDING" => config.pending_line(line),
            _ => {}
        }
    }
    config
}

impl<'t> Config<'t> {
    /// A line of the live part, or of `qm pending`.
    fn line(&mut self, line: &'t str) {
        if let Some(rest) = line.strip_prefix("new ") {
            self.pending.extend(pair(rest));
        } else if let Some(rest) = line.strip_prefix("del ") {
            self.delete.push(rest.split(':').next().unwrap_or(rest).trim());
        } else {
            self.live.extend(pair(line.strip_prefix("cur ").unwrap_or(line)));
        }
    }

    /// A line of the section with pending changes.
    fn pending_line(&mut self, line: &'t str) {
        match pair(line) {
            Some(("delete", keys)) => self.delete.extend(keys.split([',', ';', ' ']).filter(|k| !k.is_empty())),
            Some(change) => self.pending.push(change),
            None => {}
        }
    }

    /// The value of a live key.
    fn get(&self, key: &str) -> Option<&'t str> {
        self.live.iter().find(|(k, _)| *k == key).map(|(_, v)| *v)
    }

    /// Whether this is all of a configuration, so that absent keys have their defaults.
    fn whole(&self, context: &Context) -> bool {
        let ends = self.get("smbios1").is_some() || self.get("vmgenid").is_some();
        let told = self.heading.is_some() || context.path.contains("qemu-server/");
        (told || ends) && self.live.len() >= 4
    }

    /// The VMID: of the line above, the path, or the ISO that the provider makes for each VM.
    fn vmid(&self, context: &Context<'t>) -> Option<&'t str> {
        let iso = |value: &'t str| value.split_once("iso/user-data-").and_then(|(_, rest)| rest.split('.').next());
        self.heading
            .map(|(vmid, _)| vmid)
            .or_else(|| conf_vmid(context.path))
            .or(context.vmid)
            .or_else(|| vmid_of_name(context.path))
            .or_else(|| self.live.iter().find_map(|(_, v)| iso(v)).filter(|v| is_vmid(v)))
    }

    /// The event.
    fn event(&self, whole: bool, context: &Context<'t>) -> Event<'static> {
        let vmid = self.vmid(context);
        let node = self.heading.and_then(|(_, node)| node).or_else(|| path_node(context.path)).or(context.pve_node);
        let body = format!("configuration of VM {}", vmid.unwrap_or("?"));
        let mut event = event("qm_config", Service::PveConfig, body);
        for (key, value) in &self.live {
            attribute(&mut event, format!("qm.{key}"), secret::masked(key, value));
        }
        let absent = DEFAULTS.iter().filter(|(key, _)| whole && self.get(key).is_none());
        absent.for_each(|(key, value)| attribute(&mut event, format!("qm.{key}"), value));
        for (key, value) in &self.pending {
            attribute(&mut event, format!("qm.pending.{key}"), secret::masked(key, value));
        }
        self.delete.iter().for_each(|key| attribute(&mut event, "qm.pending.delete", key));
        self.snapshots.iter().for_each(|name| attribute(&mut event, "qm.snapshots", name));
        for (key, value) in [("pve.vmid", vmid), ("pve.node", node)] {
            if let Some(value) = value {
                attribute(&mut event, key, value);
                entity(&mut event, key, value);
            }
        }
        for (key, volume) in vmid.into_iter().flat_map(|vmid| self.foreign(vmid)) {
            attribute(&mut event, "qm.foreign_volume", &format!("{key}: {volume}"));
        }
        self.add_entities(&mut event);
        event
    }

    /// Disks whose volume belongs to another VM by its name.
    fn foreign(&self, vmid: &str) -> Vec<(&'t str, &'t str)> {
        let disks = self.live.iter().filter(|(key, _)| is_disk(key));
        let volumes = disks.map(|(key, value)| (*key, value.split(',').next().unwrap_or(value)));
        volumes.filter(|(_, volume)| owner(volume).is_some_and(|owner| owner != vmid)).collect()
    }

    /// The machine, its request and its storages.
    fn add_entities(&self, event: &mut Event<'static>) {
        let option = |text: &'t str, key: &str| text.split(',').find_map(|o| o.strip_prefix(key));
        if let Some(uuid) = self.get("smbios1").and_then(|s| option(s, "uuid=")) {
            entity(event, "omni.machine", &uuid.to_ascii_lowercase());
        }
        if self.get("tags").is_some_and(|tags| tags.contains("machine-request.")) {
            entity(event, "omni.machine_request", self.get("name").unwrap_or_default());
        }
        for (_, value) in self.live.iter().filter(|(key, _)| is_disk(key)) {
            if let Some((storage, _)) = value.split_once(':').filter(|(s, _)| !s.contains([',', '/', '='])) {
                entity(event, "pve.storage", storage);
            }
        }
    }
}

/// A key whose value names a volume.
fn is_disk(key: &str) -> bool {
    let stem = key.trim_end_matches(|c: char| c.is_ascii_digit());
    stem.len() < key.len() && matches!(stem, "scsi" | "virtio" | "sata" | "ide" | "efidisk" | "tpmstate" | "unused")
}

/// The VM that a volume belongs to: `104` for `local-lvm:vm-104-disk-0`.
fn owner(volume: &str) -> Option<&str> {
    let name = volume.rsplit([':', '/']).next()?.strip_prefix("vm-")?;
    name.split('-').next().filter(|id| !id.is_empty() && id.bytes().all(|b| b.is_ascii_digit()))
}

/// The VMID in names like `qm-config-105.txt` or `vm105.conf`.
fn vmid_of_name(path: &str) -> Option<&str> {
    let name = path.rsplit('/').next()?;
    let lower = name.to_ascii_lowercase();
    if !(lower.contains("qm") || lower.contains("vm") || lower.ends_with(".conf")) {
        return None;
    }
    name.split(|c: char| !c.is_ascii_digit()).find(|part| is_vmid(part))
}

const SAMPLES: &[Sample] = &[
    Sample {
        text: "agent: enabled=true
boot: order=scsi0;ide2;net0;ide0
cores: 4
cpu: x86-64-v2-AES
ide0: local:iso/user-data-105.iso,media=cdrom,size=366K
memory: 8192
meta: creation-qemu=9.2.0,ctime=1765307760
name: demo-workers-v7sfrj
net0: virtio=BC:24:11:22:88:7E,bridge=vmbr0,firewall=1
ostype: l26
scsi0: local-lvm:vm-105-disk-0,iothread=1,size=40G,ssd=1
scsi1: local-lvm:vm-193-disk-0,size=32G
scsihw: virtio-scsi-single
smbios1: uuid=caffc816-8938-4b4a-afb3-dfff5ab26e33
tags: go-proxmox+cloud-init;machine-request.demo-workers
vmgenid: 5f62ef4a-10c1-4698-8e68-be2ee4b180c0
",
        path: "config.txt",
        events: 1,
        has: &[
            (0, "#format", "qm_config"),
            (0, "qm.scsihw", "virtio-scsi-single"),
            (0, "qm.bios", "seabios"),
            (0, "qm.cpu", "x86-64-v2-AES"),
            (0, "qm.net0", "virtio=BC:24:11:22:88:7E,bridge=vmbr0,firewall=1"),
            (0, "pve.vmid", "105"),
            (0, "qm.foreign_volume", "scsi1: local-lvm:vm-193-disk-0"),
            (0, "@pve.vmid", "105"),
            (0, "@pve.storage", "local-lvm"),
            (0, "@omni.machine", "caffc816-8938-4b4a-afb3-dfff5ab26e33"),
            (0, "@omni.machine_request", "demo-workers-v7sfrj"),
        ],
    },
    Sample {
        text: "#made by hand
bios: ovmf
boot: order=scsi0
memory: 2048
name: db
net0: virtio=BC:24:11:22:88:7F,bridge=vmbr0
parent: before
scsi0: local-zfs:vm-101-disk-0,size=32G

[PENDING]
cores: 8
delete: balloon

[before]
bios: seabios
memory: 1024
scsihw: virtio-scsi-pci
snaptime: 1765307760
",
        path: "etc/pve/nodes/pve2/qemu-server/101.conf",
        events: 1,
        has: &[
            (0, "qm.bios", "ovmf"),
            (0, "qm.memory", "2048"),
            (0, "qm.scsihw", "lsi"),
            (0, "qm.cpu", "kvm64"),
            (0, "qm.pending.cores", "8"),
            (0, "qm.pending.delete", "balloon"),
            (0, "qm.snapshots", "before"),
            (0, "@pve.vmid", "101"),
            (0, "@pve.node", "pve2"),
        ],
    },
    Sample {
        text: "# cat /etc/pve/qemu-server/102.conf
boot: order=virtio0
cores: 2
net0: e1000=BC:24:11:22:88:70,bridge=vmbr0
virtio0: local:102/vm-102-disk-0.qcow2,size=8G

# cat /etc/pve/qemu-server/103.conf
boot: order=virtio0
cores: 2
net0: e1000=BC:24:11:22:88:71,bridge=vmbr0
virtio0: local:103/vm-103-disk-0.qcow2,size=8G
",
        path: "pvereport.txt",
        events: 2,
        has: &[(0, "pve.vmid", "102"), (0, "qm.scsihw", "lsi"), (1, "pve.vmid", "103")],
    },
    Sample {
        text: "root@pve1:/etc/pve# qm pending 104
cur cores: 2
new cores: 4
cur memory: 4096
cur net0: virtio=BC:24:11:22:88:72,bridge=vmbr0
del serial0
cur scsihw: virtio-scsi-pci
cur smbios1: uuid=7f1c2d3e-0000-4000-8000-000000000001
",
        path: "",
        events: 1,
        has: &[
            (0, "qm.cores", "2"),
            (0, "qm.pending.cores", "4"),
            (0, "qm.pending.delete", "serial0"),
            (0, "pve.node", "pve1"),
            (0, "pve.vmid", "104"),
        ],
    },
];

#[cfg(test)]
mod tests {
    use super::super::testing::events;
    use super::*;

    #[test]
    fn keys_are_sorted() {
        assert!(KEYS.is_sorted_by(|a, b| a < b));
    }

    #[test]
    fn a_piece_of_a_configuration_gets_no_defaults() {
        let found = events("net0: virtio=BC:24:11:22:88:7E,bridge=vmbr0\nnuma: 0\nonboot: 1\nostype: l26\n");
        let config = found.first().expect("a configuration");
        assert_eq!(config.get("qm.ostype"), Some("l26"));
        assert_eq!(config.get("qm.scsihw"), None);
    }

    #[test]
    fn prose_is_no_configuration() {
        assert!(events("name: Proxmox\nversion: 3\nmemory: 12 GB used\n").is_empty());
        assert!(
            events("$ qm config 100\nConfiguration file 'nodes/pve1/qemu-server/100.conf' does not exist\n").is_empty()
        );
    }
}
