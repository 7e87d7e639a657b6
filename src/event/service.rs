//! Which software wrote an event: the closed list that rules name as `service`.

/// The software behind an event or a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Service {
    /// The infrastructure provider of Omni.
    OmniProvider,
    /// The Omni server.
    Omni,
    /// What `omnictl` prints.
    Omnictl,
    /// Talos itself: dmesg, machined, controller-runtime, console.
    Talos,
    /// What `talosctl` prints.
    Talosctl,
    /// A Linux kernel, of a guest or of the host.
    Kernel,
    /// etcd.
    Etcd,
    /// The kubelet.
    Kubelet,
    /// containerd.
    Containerd,
    /// API server, scheduler, controllers, CNI, events.
    Kubernetes,
    /// CoreDNS.
    Coredns,
    /// The output of a Proxmox task.
    PveTask,
    /// Proxmox's lists of tasks (index, active) and the UPID lines of its journal.
    PveTaskIndex,
    /// The journal or syslog of a Proxmox host.
    PveJournal,
    /// The access log of pveproxy.
    PveAccess,
    /// Configuration and inventory of Proxmox.
    PveConfig,
    /// Terraform, Packer and other clients of Proxmox.
    Terraform,
    /// State documents.
    State,
}

const ALL: &[(&str, Service)] = &[
    ("omni-provider", Service::OmniProvider),
    ("omni", Service::Omni),
    ("omnictl", Service::Omnictl),
    ("talos", Service::Talos),
    ("talosctl", Service::Talosctl),
    ("kernel", Service::Kernel),
    ("etcd", Service::Etcd),
    ("kubelet", Service::Kubelet),
    ("containerd", Service::Containerd),
    ("kubernetes", Service::Kubernetes),
    ("coredns", Service::Coredns),
    ("pve-task", Service::PveTask),
    ("pve-task-index", Service::PveTaskIndex),
    ("pve-journal", Service::PveJournal),
    ("pve-access", Service::PveAccess),
    ("pve-config", Service::PveConfig),
    ("terraform", Service::Terraform),
    ("state", Service::State),
];

impl Service {
    /// All services with their names.
    pub fn all() -> &'static [(&'static str, Self)] {
        ALL
    }

    /// The service of that name, as rules and paths write it.
    pub fn from_name(name: &str) -> Option<Self> {
        ALL.iter().find(|(n, _)| *n == name).map(|(_, s)| *s)
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        ALL.iter().find(|(_, s)| *s == self).map_or("", |(n, _)| *n)
    }
}
