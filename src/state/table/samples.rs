//! Samples of all tables.

use super::super::Sample;

/// One of each command.
pub(super) const SAMPLES: &[Sample] = &[
    Sample {
        text: "NODE         NAMESPACE   TYPE           ID          VERSION   TYPE        PHASE     LOCATION    SIZE
192.0.2.11   runtime     VolumeStatus   EPHEMERAL   6         partition   ready     /dev/sda4   32 GB
192.0.2.11   runtime     VolumeStatus   STATE       4         partition   missing
             runtime     VolumeStatus   META        3         partition   ready     /dev/sda2   1.0 MB
",
        path: "",
        events: 3,
        has: &[
            (0, "#format", "table"),
            (0, "table", "VolumeStatus"),
            (0, "type", "partition"),
            (0, "size", "32 GB"),
            (0, "@talos.node", "192.0.2.11"),
            (1, "id", "STATE"),
            (1, "phase", "missing"),
            (1, "location", ""),
            (2, "node", ""),
            (2, "location", "/dev/sda2"),
        ],
    },
    Sample {
        // Shifted by a shorter name; the last column holds wide gaps.
        text: "NODE            SERVICE   STATE     HEALTH   LAST CHANGE   LAST EVENT
cp-1   etcd      Running   Fail     18m24s ago    Health check failed:  learner
cp-1   kubelet   Waiting   ?        12s ago       Error running Containerd(kubelet), going to restart
",
        path: "",
        events: 2,
        has: &[
            (0, "table", "talosctl-services"),
            (0, "service", "etcd"),
            (0, "health", "Fail"),
            (0, "last_event", "Health check failed:  learner"),
            (1, "state", "Waiting"),
            (1, "health", "?"),
            (1, "last_change", "12s ago"),
            (1, "@talos.node", "cp-1"),
        ],
    },
    Sample {
        text: "NODE         ID                 HOSTNAME   PEER URLS                 CLIENT URLS               LEARNER
192.0.2.11   ff344252ef51bdb3   cp-1       https://192.0.2.11:2380   https://192.0.2.11:2379   false
",
        path: "",
        events: 1,
        has: &[(0, "table", "etcd-members"), (0, "learner", "false"), (0, "@k8s.node", "cp-1")],
    },
    Sample {
        text: "NODE         MEMBER             DB SIZE   IN USE            LEADER             RAFT INDEX   RAFT TERM   RAFT APPLIED INDEX   LEARNER   ERRORS
192.0.2.11   b7047d84356e689d   6.6 MB    5.0 MB (75.23%)   b7047d84356e689d   14532        4           14532                false
",
        path: "",
        events: 1,
        has: &[(0, "table", "etcd-status"), (0, "@etcd.member", "b7047d84356e689d"), (0, "@talos.node", "192.0.2.11"), (0, "in_use", "5.0 MB (75.23%)"), (0, "errors", ""), (0, "learner", "false")],
    },
    Sample {
        text: "NAMESPACE   TYPE      ID                                     VERSION   ADDRESS                 CONNECTED
default     Machine   7f1c2d3e-0000-4000-8000-000000000001   12        fdae:41e4:649b:9303::1  false
",
        path: "",
        events: 1,
        has: &[
            (0, "table", "Machine"),
            (0, "connected", "false"),
            (0, "#service", "omnictl"),
            (0, "@omni.machine", "7f1c2d3e-0000-4000-8000-000000000001"),
        ],
    },
    Sample {
        text: "NAMESPACE     LAST SEEN   TYPE      REASON         OBJECT          MESSAGE
default       10m         Warning   NodeNotReady   node/worker-1   Node worker-1 status is now: NodeNotReady
kube-system   51m         Normal    Pulled         pod/dns-x2p     Container image already present
",
        path: "",
        events: 2,
        has: &[
            (0, "table", "kubectl-events"),
            (0, "reason", "NodeNotReady"),
            (0, "last_seen", "10m"),
            (0, "@k8s.node", "worker-1"),
            (1, "message", "Container image already present"),
        ],
    },
    Sample {
        text: "NAME       STATUS     ROLES           AGE   VERSION   INTERNAL-IP   EXTERNAL-IP   OS-IMAGE          KERNEL-VERSION   CONTAINER-RUNTIME
worker-1   NotReady   <none>          35d   v1.35.2   192.0.2.14    <none>        Talos (v1.12.8)   6.18.5-talos     containerd://2.1.6
",
        path: "",
        events: 1,
        has: &[(0, "table", "kubectl-nodes"), (0, "status", "NotReady"), (0, "os-image", "Talos (v1.12.8)"), (0, "@k8s.node", "worker-1")],
    },
    Sample {
        text: "NAME      READY   STATUS             RESTARTS        AGE   IP         NODE
dns-x2p   0/1     CrashLoopBackOff   5 (2m ago)      3d    10.0.0.4   worker-1
",
        path: "",
        events: 1,
        has: &[(0, "table", "kubectl-pods"), (0, "restarts", "5 (2m ago)"), (0, "@k8s.node", "worker-1")],
    },
    Sample {
        text: "NAME        AGE   SIGNERNAME                      REQUESTOR              REQUESTEDDURATION   CONDITION
csr-2x4     5m    kubernetes.io/kubelet-serving   system:node:worker-1   <none>              Pending
",
        path: "",
        events: 1,
        has: &[(0, "table", "kubectl-csr"), (0, "condition", "Pending"), (0, "@k8s.node", "worker-1")],
    },
    Sample {
        text: "      VMID NAME                 STATUS     MEM(MB)    BOOTDISK(GB) PID
       100 demo-control-planes-9zc9tb running    8192              40.00 2737980
       204 jump                 stopped    4096              32.00 0
",
        path: "",
        events: 2,
        has: &[
            (0, "table", "qm-list"),
            (0, "name", "demo-control-planes-9zc9tb"),
            (0, "mem(mb)", "8192"),
            (0, "mem", "8192"),
            (0, "@pve.vmid", "100"),
            (1, "status", "stopped"),
            (1, "pid", "0"),
        ],
    },
    Sample {
        text: "Name                Type     Status    Total (KiB)     Used (KiB)   Available (KiB)        %
local-lvm        lvmthin     active      832888832      221311677         611577155   26.57%
nfs-vm               nfs   inactive              0              0                 0    0.00%
",
        path: "",
        events: 2,
        has: &[
            (0, "table", "pvesm-status"),
            (0, "type", "lvmthin"),
            (0, "available", "611577155"),
            (1, "status", "inactive"),
            (1, "%", "0.00%"),
            (1, "used_percent", "0.00"),
            (1, "@pve.storage", "nfs-vm"),
        ],
    },
    Sample {
        text: "ID             NAME       VERSION    DESCRIPTION                        CONNECTED    ERROR
proxmox-lab    Proxmox    v0.1.0     Proxmox infrastructure provider    false
",
        path: "",
        events: 1,
        has: &[(0, "table", "infraprovider-list"), (0, "connected", "false"), (0, "@omni.provider", "proxmox-lab")],
    },
    Sample {
        text: "┌──────────────────────────────────────────────────────────┬──────────┬─────┬──────────┬────────────┬────────────┬────────┐
│ UPID                                                     │ Type     │ ID  │ User     │ Starttime  │ Endtime    │ Status │
╞══════════════════════════════════════════════════════════╪══════════╪═════╪══════════╪════════════╪════════════╪════════╡
│ UPID:pve1:0004D2A0:0321F2CA:6718A3D0:qmcreate:100:root@pam: │ qmcreate │ 100 │ root@pam │ 1729668048 │ 1729668053 │ ERROR  │
└──────────────────────────────────────────────────────────┴──────────┴─────┴──────────┴────────────┴────────────┴────────┘
",
        path: "",
        events: 1,
        has: &[
            (0, "table", "pvenode-tasks"),
            (0, "status", "ERROR"),
            (0, "pve.task.type", "qmcreate"),
            (0, "@pve.vmid", "100"),
            (0, "@pve.node", "pve1"),
            (0, "#service", "pve-task-index"),
        ],
    },
    Sample {
        text: "FILESYSTEM                 SIZE(GB)   USED(GB)   AVAILABLE(GB)   PERCENT USED   MOUNTED ON
/dev/sda4                  38.00      12.40      24.00           31.20%         /var
",
        path: "",
        events: 1,
        has: &[(0, "table", "talosctl-mounts"), (0, "percent_used", "31.20%"), (0, "mounted_on", "/var")],
    },
    Sample {
        text: "+------------------+---------+------+-------------------------+-------------------------+------------+
|        ID        | STATUS  | NAME |       PEER ADDRS        |      CLIENT ADDRS       | IS LEARNER |
+------------------+---------+------+-------------------------+-------------------------+------------+
| 8211f1d0f64f3269 | started | cp-1 | https://192.0.2.21:2380 | https://192.0.2.21:2379 |       true |
+------------------+---------+------+-------------------------+-------------------------+------------+
",
        path: "",
        events: 1,
        has: &[
            (0, "table", "etcd-members"),
            (0, "learner", "true"),
            (0, "@etcd.member", "8211f1d0f64f3269"),
            (0, "@k8s.node", "cp-1"),
        ],
    },
];
