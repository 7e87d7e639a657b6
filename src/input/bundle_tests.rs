//! One row per place in a layout that is handed over; hints that would be wrong are checked as well.

use super::*;

const UUID: &str = "472b2131-1d67-4857-ade4-e8b58eeee5e6";

/// Fields as `node=..., service=...`, in the order of the struct.
fn told(label: &str) -> String {
    let hints = Hints::of(label);
    let fields = [
        ("node", hints.node),
        ("service", hints.service),
        ("namespace", hints.namespace),
        ("pod", hints.pod),
        ("container", hints.container),
        ("upid", hints.upid),
        ("pve_node", hints.pve_node),
        ("vmid", hints.vmid),
        ("document", hints.document),
    ];
    let told = fields.into_iter().filter_map(|(name, value)| Some(format!("{name}={}", value?)));
    told.collect::<Vec<_>>().join(" ")
}

fn check(rows: &[(&str, &str)]) {
    for (label, expected) in rows {
        assert_eq!(told(label), *expected, "{label}");
    }
}

#[test]
fn support_bundles_of_today() {
    check(&[
        ("s.zip!/10.5.0.2/dmesg.log", "node=10.5.0.2 service=talos"),
        ("s.zip!/10.5.0.2/controller-runtime.log", "node=10.5.0.2 service=talos"),
        ("s.zip!/10.5.0.2/dns-resolve-cache.log", "node=10.5.0.2 service=talos"),
        ("s.zip!/10.5.0.2/dependencies.dot", "node=10.5.0.2 service=talosctl document=dependencies"),
        ("s.zip!/10.5.0.2/mounts", "node=10.5.0.2 service=talosctl document=mounts"),
        ("s.zip!/10.5.0.2/summary", "node=10.5.0.2 service=talosctl document=version"),
        ("s.zip!/cp1/service-logs/etcd.log", "node=cp1 service=etcd"),
        ("s.zip!/cp1/service-logs/cri.log", "node=cp1 service=containerd"),
        ("s.zip!/cp1/service-logs/kubelet.log", "node=cp1 service=kubelet"),
        ("s.zip!/cp1/service-logs/machined.log", "node=cp1 service=talos"),
        ("s.zip!/cp1/service-logs/ext-qemu-guest-agent.log", "node=cp1 service=talos"),
        ("s.zip!/cp1/service-logs/etcd.state", "node=cp1 service=talosctl document=service-state"),
        (
            "s.zip!/cp1/resources/volumestatuses.block.talos.dev.yaml",
            "node=cp1 service=state document=volumestatuses.block.talos.dev",
        ),
        (
            "s.zip!/cp1/kubernetes-logs/kube-system/kube-apiserver.log",
            "node=cp1 service=kubernetes namespace=kube-system container=kube-apiserver",
        ),
        (
            "s.zip!/cp1/kubernetes-logs/kube-system/kube-apiserver-cp1-exited.log",
            "node=cp1 service=kubernetes namespace=kube-system pod=kube-apiserver-cp1 container=kube-apiserver",
        ),
        (
            "s.zip!/cp1/kubernetes-logs/kube-system/coredns-e879c1ef0c-cmm8m.log",
            "node=cp1 service=coredns namespace=kube-system pod=coredns-e879c1ef0c-cmm8m container=coredns",
        ),
        ("s.zip!/kubernetesResources/nodes.yaml", "service=state document=nodes"),
        ("s.zip!/kubernetesResources/systemPods.yaml", "service=state document=systemPods"),
    ]);
    let node = |rest: &str| told(&format!("support.zip.age!/{rest}"));
    assert_eq!(node(&format!("omni/machine-logs/{UUID}.log")), format!("node={UUID} service=talos"));
    assert_eq!(
        node(&format!("omni/resources/Links.omni.sidero.dev-{UUID}.yaml")),
        "service=state document=Links.omni.sidero.dev"
    );
    assert_eq!(node(&format!("{UUID}/service-logs/apid.log")), format!("node={UUID} service=talos"));
}

#[test]
fn support_bundles_of_old() {
    check(&[
        ("s.zip!/10.5.0.2/apid.log", "node=10.5.0.2 service=talos"),
        ("s.zip!/10.5.0.2/etcd.log", "node=10.5.0.2 service=etcd"),
        ("s.zip!/10.5.0.2/apid.state", "node=10.5.0.2 service=talosctl document=service-state"),
        ("s.zip!/10.5.0.2/talosResources/members.yaml", "node=10.5.0.2 service=state document=members"),
        ("s.zip!/10.5.0.2/kube-system/kube-proxy-exited.log", "node=10.5.0.2 service=kubernetes container=kube-proxy"),
        ("s.zip!/cluster/kubernetesResources/nodes.yaml", "service=state document=nodes"),
    ]);
}

#[test]
fn proxmox_trees_and_single_files() {
    let upid = "UPID:pve1:0012D687:0A3F21C4:692189A0:qmstart:100:root@pam!omni:";
    let task = format!("service=pve-task upid={upid} pve_node=pve1 vmid=100");
    assert_eq!(told(&format!("/var/log/pve/tasks/0/{upid}")), task);
    assert_eq!(told(&format!("pve/pve1/tasks.tar.gz!/var/log/pve/tasks/0/{upid}")), task);
    let upid = "UPID:big1:00384435:12B769F8:6A98C691:vzdump::root@pam:";
    assert_eq!(told(upid), format!("service=pve-task upid={upid} pve_node=big1"));
    check(&[
        ("/var/log/pve/tasks/index", "service=pve-task-index"),
        ("/var/log/pve/tasks/index.1", "service=pve-task-index"),
        ("pve/big1/tasks.tar.gz!/var/log/pve/tasks/active", "service=pve-task-index pve_node=big1"),
        ("pve1/tasks.tar.gz!/var/log/pve/tasks/index", "service=pve-task-index pve_node=pve1"),
        ("pve-pve2-index", "service=pve-task-index pve_node=pve2"),
        ("/etc/pve/nodes/pve1/qemu-server/104.conf", "service=pve-config pve_node=pve1 vmid=104 document=qm_config"),
        ("/etc/pve/qemu-server/104.conf", "service=pve-config vmid=104 document=qm_config"),
        ("etc/pve/nodes/pve1/lxc/105.conf", "service=pve-config pve_node=pve1 vmid=105 document=pct_config"),
        ("pve/pve11/journal.log.gz", "service=pve-journal pve_node=pve11"),
        ("pve/big1/journal.log.gz", "service=pve-journal pve_node=big1"),
        ("pve/pve2-journal.txt.gz", "service=pve-journal pve_node=pve2"),
        ("pve1-journal.txt", "service=pve-journal pve_node=pve1"),
        ("pve1/journal.txt.gz", "service=pve-journal pve_node=pve1"),
        ("pve-journals.zip!/pve3.log", "service=pve-journal pve_node=pve3"),
        ("pve/pve11/access.log.gz", "service=pve-access pve_node=pve11"),
        ("pve1-access.log.gz", "service=pve-access pve_node=pve1"),
        ("/var/log/pveproxy/access.log.1", "service=pve-access"),
        ("pveproxy-access.log", "service=pve-access"),
        ("pve/pve1-qm-list.txt", "service=pve-config pve_node=pve1 document=qm-list"),
        ("qm-config.txt", "service=pve-config document=qm_config"),
        ("pve/storage.cfg", "service=pve-config document=storage_config"),
        ("pve/pvesm-status.txt", "service=pve-config document=pvesm-status"),
        ("pve/big2/free.txt", "pve_node=big2"),
    ]);
}

#[test]
fn omni_its_provider_and_its_client() {
    check(&[
        ("provider.log", "service=omni-provider"),
        ("provider/provider-json.log.gz", "service=omni-provider"),
        ("provider/docker-logs.txt", "service=omni-provider"),
        ("omni-infra-provider-proxmox.log", "service=omni-provider"),
        ("provider-config.yaml", "service=state document=provider_config"),
        ("omni.log.gz", "service=omni"),
        ("omni/omni.log.gz", "service=omni"),
        ("cluster-status.txt", "service=omnictl document=cluster_status"),
        ("omnictl/cluster-status.txt", "service=omnictl document=cluster_status"),
        ("omnictl/get-machinerequeststatus.yaml", "service=state"),
        ("omnictl-get.yaml", "service=state"),
        ("omnictl/infraprovider.txt", "service=omnictl document=infraprovider-list"),
    ]);
}

#[test]
fn kubernetes_trees() {
    check(&[
        (
            "/var/log/containers/coredns-1_kube-system_coredns-0af1.log",
            "service=kubernetes namespace=kube-system pod=coredns-1 container=coredns",
        ),
        (
            "/var/log/pods/kube-system_etcd-cp1_77aa/etcd/0.log",
            "service=kubernetes namespace=kube-system pod=etcd-cp1 container=etcd",
        ),
        (
            "must-gather/namespaces/kube-system/pods/web-0/app/app/logs/current.log",
            "service=kubernetes namespace=kube-system pod=web-0 container=app",
        ),
        ("must-gather/cluster-scoped-resources/core/nodes.yaml", "service=state document=nodes"),
        ("must-gather/cluster-scoped-resources/core/nodes/cp1.yaml", "service=state document=nodes"),
        ("dump/kube-system/web-0/logs.txt", "service=kubernetes namespace=kube-system pod=web-0"),
        ("dump/kube-system/events.json", "service=state document=events"),
        ("kubectl-events.txt", "service=kubernetes document=kubectl-events"),
    ]);
}

#[test]
fn single_files_by_their_usual_names() {
    check(&[
        ("dmesg.log", "service=talos"),
        ("other-node/kubelet.log", "node=other-node service=kubelet"),
        ("other-node/controller-runtime.log", "node=other-node service=talos"),
        ("console/serial.log", "service=talos"),
        ("console-cp1.txt", "service=talos"),
        ("etcd.log", "service=etcd"),
        ("terraform.log", "service=terraform"),
        ("packer.log", "service=terraform"),
        ("services.txt", "service=talosctl document=talosctl-services"),
    ]);
}

#[test]
fn names_that_tell_nothing_give_no_hint() {
    for label in [
        "<stdin>",
        "",
        "/",
        "app.log",
        "gw-journal.txt",
        "bastion.txt",
        "question.md",
        "curl-as-provider.txt",
        "ui.txt",
        "pve2-incident/notes.txt",
    ] {
        assert_eq!(Hints::of(label), Hints::default(), "{label}");
    }
    assert_eq!(Hints::of(&"_".repeat(5000)), Hints::default());
    assert_eq!(Hints::of(&format!("containers/{}", "_-".repeat(2000))), Hints::default());
}

#[test]
fn every_service_in_the_table_is_a_word_of_the_catalogue() {
    let words = "omni-provider omni omnictl talos talosctl kernel etcd kubelet containerd kubernetes coredns \
                 pve-task pve-task-index pve-journal pve-access pve-config terraform state";
    let known: Vec<&str> = words.split_whitespace().collect();
    let in_rules = RULES.iter().map(|rule| rule.1).filter(|word| !matches!(*word, "" | "="));
    let in_tables = SERVICES.iter().chain(WORKLOADS).map(|(_, word)| *word);
    for word in in_rules.chain(in_tables) {
        assert!(known.contains(&word), "{word}");
    }
}

#[test]
fn every_capture_in_the_table_is_known() {
    let classes = [
        "node",
        "machine",
        "namespace",
        "pod",
        "container",
        "pve_node",
        "pve",
        "document",
        "vmid",
        "id",
        "log",
        "yaml",
        "service",
        "known",
        "workload",
        "upid",
    ];
    for rule in RULES {
        for class in rule.0.split('{').skip(1).filter_map(|rest| rest.split('}').next()) {
            assert!(classes.contains(&class), "{} in {}", class, rule.0);
        }
    }
}
