//! Versions that documents tell, by the names of applications that root causes use.

use crate::event::Event;

/// The provider's name as an application.
const PROVIDER: &str = "omni-infra-provider-proxmox";

/// Formats, an attribute that must have a value (or none), an attribute with a version, and the application.
type Source = (&'static str, Option<(&'static str, &'static str)>, &'static str, &'static str);

/// Where versions stand.
const SOURCES: &[Source] = &[
    ("pveversion", None, "pve-manager", "pve"),
    ("pveversion", None, "qemu-server", "qemu-server"),
    ("talos_version", None, "server", "talos"),
    ("talos_version", None, "kubernetes", "kubernetes"),
    ("talos_version", None, "omni", "omni"),
    ("talos_version", None, "pve", "pve"),
    ("talos_version", None, "provider", PROVIDER),
    ("cosi_resource", Some(("resource.type", "MachineStatuses.omni.sidero.dev")), "spec.talosversion", "talos"),
    ("cosi_resource", Some(("resource.type", "Clusters.omni.sidero.dev")), "spec.talosversion", "talos"),
    ("cosi_resource", Some(("resource.type", "Clusters.omni.sidero.dev")), "spec.kubernetesversion", "kubernetes"),
    (
        "cosi_resource",
        Some(("resource.type", "ClusterMachines.omni.sidero.dev")),
        "spec.kubernetes_version",
        "kubernetes",
    ),
    ("cosi_resource", Some(("resource.type", "Members.cluster.talos.dev")), "spec.operatingSystem", "talos"),
    ("cosi_resource", Some(("resource.type", "Versions.runtime.talos.dev")), "spec.version", "talos"),
    ("cosi_resource", Some(("resource.type", "SysVersions.system.sidero.dev")), "spec.backendversion", "omni"),
    (
        "cosi_resource",
        Some(("resource.type", "InfraProviderCombinedStatuses.omni.sidero.dev")),
        "spec.version",
        PROVIDER,
    ),
    ("cosi_resource", Some(("resource.type", "InfraProviderStatuses.omni.sidero.dev")), "spec.version", PROVIDER),
    ("k8s_object", Some(("kind", "Node")), "status.nodeInfo.kubeletVersion", "kubernetes"),
    ("k8s_object", Some(("kind", "Node")), "status.nodeInfo.osImage", "talos"),
    ("table", Some(("table", "kubectl-nodes")), "version", "kubernetes"),
    ("table", Some(("table", "kubectl-nodes")), "os-image", "talos"),
    ("table", Some(("table", "Member")), "os", "talos"),
    ("table", Some(("table", "Version")), "version", "talos"),
    ("table", Some(("table", "infraprovider-list")), "version", PROVIDER),
    ("yaml_document", Some(("kind", "Cluster")), "talos.version", "talos"),
    ("yaml_document", Some(("kind", "Cluster")), "kubernetes.version", "kubernetes"),
];

/// Names of container images (without registry) and the application in them.
const IMAGES: &[(&str, &str)] = &[
    (PROVIDER, PROVIDER),
    ("omni", "omni"),
    ("installer", "talos"),
    ("installer-secureboot", "talos"),
    ("talos", "talos"),
    ("kubelet", "kubernetes"),
    ("kube-apiserver", "kubernetes"),
    ("etcd", "etcd"),
];

/// Releases of the provider (their first two numbers) and the go-proxmox that is built into them, from its `go.mod`. What is
/// older than the first had several.
const BUILT_IN: &[(&str, &str)] = &[("0.1.", "0.4.1"), ("0.2.", "0.7.1"), ("0.3.", "0.8.1")];

/// The applications and versions (without `v`) that an event of a document tells.
pub fn versions(event: &Event) -> Vec<(&'static str, String)> {
    let mut out: Vec<(&'static str, String)> = Vec::new();
    let mut add = |name: &'static str, version: Option<&str>| {
        let new = version.filter(|v| !out.iter().any(|(n, have)| *n == name && have == v));
        if let Some(version) = new {
            out.push((name, version.to_owned()));
        }
    };
    let format = event.format();
    for (_, condition, key, name) in SOURCES.iter().filter(|(f, ..)| *f == format) {
        let fits = condition.is_none_or(|(key, value)| event.all(key).any(|v| v == value));
        if fits && (*name != PROVIDER || format == "talos_version" || is_proxmox(event)) {
            event.all(key).filter_map(version).for_each(|v| add(name, Some(v)));
        }
    }
    let is_image = |key: &str| matches!(key.rsplit('.').next(), Some("image" | "images"));
    let images = event.attributes.iter().filter(|(key, _)| is_image(key));
    for image in images.flat_map(|(_, list)| list.split(',')) {
        if let Some((name, version)) = of_image(image) {
            add(name, Some(version));
        }
    }
    // `docker images`, `crictl images` and `helm list` name image and version in columns of their own.
    let cells = [("repository", "tag"), ("image", "tag"), ("chart", "app_version")].map(|(name, version)| {
        let name = event.get(name).and_then(|name| application(chart(name)))?;
        Some((name, self::version(event.get(version)?)?))
    });
    cells.into_iter().flatten().for_each(|(name, version)| add(name, Some(version)));
    let provider = out.iter().find(|(name, _)| *name == PROVIDER).map(|(_, version)| version.clone());
    let built_in = provider.and_then(|v| BUILT_IN.iter().find(|(release, _)| v.starts_with(release)));
    out.extend(built_in.map(|(_, version)| ("go-proxmox", (*version).to_owned())));
    out
}

/// Whether a provider is the one for Proxmox, as far as its names tell.
fn is_proxmox(event: &Event) -> bool {
    let names = ["resource.id", "spec.name", "spec.description", "id", "name", "description"];
    names.iter().any(|key| event.all(key).any(|v| v.to_ascii_lowercase().contains("proxmox")))
}

/// The version in a text: `v1.2.3`, `1.2.3`, `Talos (v1.2.3)`.
fn version(text: &str) -> Option<&str> {
    let inner = text.split_once('(').map_or(text, |(_, rest)| rest.trim_end_matches(')'));
    let bare = inner.strip_prefix('v').unwrap_or(inner);
    let number = bare.split(['+', ' ', '@']).next().unwrap_or(bare);
    (number.starts_with(|c: char| c.is_ascii_digit()) && number.contains('.')).then_some(number)
}

/// The application and version of a container image.
fn of_image(image: &str) -> Option<(&'static str, &str)> {
    let tagged = image.trim().split('@').next()?;
    let (path, tag) = tagged.rsplit_once(':')?;
    Some((application(path)?, version(tag)?))
}

/// The application in an image without its tag. The image factory has an installer for each platform
/// (`nocloud-installer/SCHEMATIC`), the schematic behind its name.
fn application(path: &str) -> Option<&'static str> {
    let mut names = path.rsplit('/');
    let known = |name: &str| {
        let name = name.find("installer").and_then(|at| name.get(at..)).unwrap_or(name);
        IMAGES.iter().find(|(n, _)| *n == name).map(|(_, application)| *application)
    };
    let last = names.next()?;
    let is_schematic = last.len() == 64 && last.bytes().all(|b| b.is_ascii_hexdigit());
    if is_schematic { known(names.next()?) } else { known(last) }
}

/// The name of a chart without its version: `omni-1.2.0`. Any other name as it is.
fn chart(name: &str) -> &str {
    name.rsplit_once('-').filter(|(_, version)| self::version(version).is_some()).map_or(name, |(name, _)| name)
}

#[cfg(test)]
mod tests {
    use super::super::testing::events;
    use super::*;

    #[test]
    fn versions_are_found_in_documents() {
        for (text, name, version) in [
            ("pve-manager/9.1.1/42db (running kernel: 6.17.2-1-pve)\n", "pve", "9.1.1"),
            ("Server:\n\tTag:  v1.12.8\n", "talos", "1.12.8"),
            (
                "ID        NAME      VERSION   DESCRIPTION   CONNECTED   ERROR\nproxmox   Proxmox   v0.2.0    x             true\n",
                PROVIDER,
                "0.2.0",
            ),
            (
                "NAME   STATUS   ROLES    AGE   VERSION   OS-IMAGE\nw-1    Ready    <none>   1d    v1.35.2   Talos (v1.12.8)\n",
                "talos",
                "1.12.8",
            ),
            (
                "services:\n  provider:\n    image: x/omni-infra-provider-proxmox:v0.1.1\n    restart: always\n",
                PROVIDER,
                "0.1.1",
            ),
            (
                "services:\n  provider:\n    image: x/omni-infra-provider-proxmox:v0.1.1\n    restart: always\n",
                "go-proxmox",
                "0.4.1",
            ),
            (
                "apiVersion: v1\nkind: Pod\nmetadata:\n  name: p\nspec:\n  containers:\n  - name: p\n    \
                 image: x/omni:v1.10.2@sha256:00\n",
                "omni",
                "1.10.2",
            ),
            (
                "NAME   READY   UP-TO-DATE   AVAILABLE   AGE   CONTAINERS   IMAGES                                         SELECTOR\n\
                 omni   1/1     1            1           90d   omni,sh      ghcr.io/siderolabs/omni:v1.10.2,busybox:1.36   app=omni\n",
                "omni",
                "1.10.2",
            ),
            (
                "REPOSITORY                TAG       IMAGE ID       CREATED       SIZE\n\
                 ghcr.io/siderolabs/omni   v1.10.2   0123456789ab   2 weeks ago   312MB\n",
                "omni",
                "1.10.2",
            ),
            (
                "NAME   NAMESPACE   REVISION   UPDATED                   STATUS     CHART        APP VERSION\n\
                 omni   omni        3          2026-09-15 07:36:01 UTC   deployed   omni-1.2.0   v1.10.2\n",
                "omni",
                "1.10.2",
            ),
            (
                "machine:\n  install:\n    disk: /dev/sda\n    image: factory.talos.dev/nocloud-installer/\
                 376567988ad370138ad8b2698212367b8edcb69b5fd68c80be1f2ec7d603b4ba:v1.12.4\n",
                "talos",
                "1.12.4",
            ),
            (
                "metadata:\n    namespace: ephemeral\n    type: SysVersions.system.sidero.dev\n    id: current\n    version: 1\n    \
                 owner:\n    phase: running\nspec:\n    backendversion: v1.10.2\n    instancename: demo\n",
                "omni",
                "1.10.2",
            ),
            (
                "node: 192.0.2.5\nmetadata:\n    namespace: runtime\n    type: Versions.runtime.talos.dev\n    id: version\n    \
                 version: 1\n    owner: runtime.VersionController\n    phase: running\nspec:\n    version: v1.12.4\n",
                "talos",
                "1.12.4",
            ),
            (
                "NODE        NAMESPACE   TYPE      ID        VERSION   VERSION\n192.0.2.5   runtime     Version   version   1         v1.12.4\n",
                "talos",
                "1.12.4",
            ),
            ("- Talos version: v1.12.4\n- Provider version: v0.1.1\n", "talos", "1.12.4"),
            ("- Talos version: v1.12.4\n- Provider version: v0.1.1\n", "go-proxmox", "0.4.1"),
            ("Proxmox VE version: 9.1.1\n", "pve", "9.1.1"),
        ] {
            let found: Vec<_> = events(text).iter().flat_map(versions).collect();
            assert!(found.contains(&(name, version.to_owned())), "{found:?} in {text}");
        }
    }
}
