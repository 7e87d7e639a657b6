//! A seeded generator of mixed logs, after the shapes that the software really prints.
//!
//! Half of the lines come in short interleaved runs, half in long ones; one in a hundred is a warning or error that looks
//! like a signature and is none; `storm` of a thousand hold a signature.

use std::io::{self, Write};

/// Lines of ordinary logs. `{d}` a number, `{s}` seconds, `{h}` a hexadecimal word, `{u}` a UUID, `{i}` an address, `{w}` a name, `{t}` an RFC
/// 3339 time, `{e}` epoch seconds, `{m}` epoch milliseconds, `{k}` a klog time, `{j}` a journal time, `{b}` seconds since boot.
const ORDINARY: &[&[&str]] = &[
    &[
        r#"{"level":"info","ts":{e},"caller":"qruntime/qruntime.go:314","msg":"reconcile succeeded","controller":"proxmox.ProvisionController","namespace":"infra-provider","type":"MachineRequests.omni.sidero.dev","id":"{w}-{h}","job":"reconcile","busy":0.{d},"interval":10,"requeued":true}"#,
        r#"{"level":"info","ts":{e},"caller":"controllers/provision.go:316","msg":"running provision step","controller":"proxmox.ProvisionController","namespace":"infra-provider","type":"MachineRequests.omni.sidero.dev","id":"{w}-{h}","job":"reconcile","step":"uploadISO"}"#,
    ],
    &[
        r#"{"level":"info","ts":{e},"caller":"machineevent/handler.go:80","msg":"got machine status event","component":"siderolink","machine":"{u}","stage":"RUNNING","status":{"ready":true,"unmet_conditions":[]}}"#,
        r#"{"level":"info","ts":{e},"caller":"grpcutil/zap.go:31","msg":"finished unary call with code OK","component":"server","grpc.service":"cosi.resource.State","grpc.method":"Get","peer.address":"{i}:{d}","grpc.code":"OK","grpc.time_ms":{d}.{d}}"#,
    ],
    &[
        "INF qruntime/qruntime.go:310 > ts={e} msg=reconcile succeeded controller=proxmox.ProvisionController namespace=infra-provider type=MachineRequests.omni.sidero.dev id={w}-{h} job=reconcile busy=0.{d}",
    ],
    &[
        r#"{"clock":{d}{d},"facility":"user","msg":"[talos] created route {\"component\": \"controller-runtime\", \"controller\": \"network.RouteSpecController\", \"destination\": \"{i}/24\"}\n","priority":"warning","seq":{d},"talos-level":"warn","talos-time":"{t}"}"#,
    ],
    &[
        r#"{"level":"info","ts":"{t}","caller":"mvcc/hash.go:151","msg":"storing new hash","hash":{d}{d},"revision":{d},"compact-revision":{d}}"#,
        r#"{"level":"info","ts":"{t}","caller":"mvcc/kvstore_compaction.go:72","msg":"finished scheduled compaction","compact-revision":{d},"took":"{d}.{d}ms","hash":{d}{d},"current-db-size-bytes":{d}{d}}"#,
    ],
    &[
        r#"{"ts":{m},"caller":"kubelet/reconciler_common.go:251","msg":"operationExecutor.VerifyControllerAttachedVolume started for volume","v":0,"volume":{"name":"kube-api-access-{h}"},"pod":{"name":"{w}-{h}","namespace":"default"}}"#,
        r#"{"ts":{m},"caller":"pod_startup_latency_tracker.go:104","msg":"Observed pod startup duration","v":0,"pod":{"name":"{w}-{h}","namespace":"kube-system"},"podStartSLOduration":{d}.{d},"podCreationTimestamp":"{t}"}"#,
    ],
    &[
        r#"{"level":"info","msg":"StartContainer for \"{h}{h}\" returns successfully","time":"{t}"}"#,
        r#"time="{t}" level=info msg="ImageUpdate event name:\"registry.example.com/{w}:v{d}\" labels:{key:\"io.cri-containerd.image\" value:\"managed\"}""#,
    ],
    &[
        r#"I{k}       1 garbagecollector.go:501] "Deleting item" logger="garbage-collector-controller" item="[v1/Pod, namespace: default, name: {w}-{h}, uid: {u}]" propagationPolicy="Background""#,
        "{t} stderr F I{k}       1 leaderelection.go:271] successfully renewed lease kube-system/{w}",
        "[pod/{w}-{h}/controller] I{k}       1 main.go:{d}] \"Sync finished\" duration=\"{d}ms\"",
    ],
    &[
        r#"10.5.0.{d}: user: warning: [{t}]: [talos] volume status {"component": "controller-runtime", "controller": "block.VolumeManagerController", "volume": "EPHEMERAL", "phase": "waiting -> ready", "location": "/dev/sda4"}"#,
        "10.5.0.{d}: kern:    info: [{t}]: cni0: port {d}(veth{h}) entered forwarding state",
    ],
    &[
        "[{b}] [talos] service[kubelet](Running): Started task kubelet (PID {d}) for container kubelet",
        "[{b}] sd 0:0:0:{d}: [sda] {d} 512-byte logical blocks: ({d} GB)",
    ],
    &[
        "{j} pve{d} pvedaemon[{d}]: <root@pam!omni> end task UPID:pve1:0012D687:0A3F21C4:692189A0:qmstart:{d}:root@pam!omni: OK",
        "{j} pve{d} pmxcfs[{d}]: [status] notice: received log",
        "{t} pve{d} systemd[1]: Started session-{d}.scope - Session {d} of User root.",
    ],
    &[
        "scsi0: successfully created disk 'local-lvm:vm-{d}-disk-0,iothread=1,size={d}G'",
        "transferred {d}.0 GiB of {d}.0 GiB ({d}.{d}%)",
    ],
    &[
        "10.5.0.{d}: 2026/09/15 08:00:{s} [talos] service[etcd](Running): Health check successful",
        "10.5.0.{d}: 2026/09/15 08:00:00.123456 log.go:44: OK [/machine.MachineService/Version] {d}.{d}ms unary Success (:authority={i}:50000;user-agent=grpc-go/1.{d})",
    ],
    &[
        "10.5.0.{d}: {t} \x1b[34mINFO\x1b[0m assigned address {\"component\": \"controller-runtime\", \"controller\": \"network.AddressSpecController\", \"address\": \"{i}/24\", \"link\": \"eth{d}\"}",
    ],
    &[
        "::ffff:{i} - root@pam!omni [15/09/2026:08:00:{s} +0000] \"GET /api2/json/nodes/pve1/tasks/UPID:pve1:{h}:{h}:{h}:qmstart:{d}:root@pam!omni:/status HTTP/1.1\" 200 {d}",
    ],
    &[
        "\t/go/pkg/mod/github.com/cosi-project/runtime@v1.{d}.0/pkg/controller/runtime/internal/qruntime/qruntime.go:{d}",
        "github.com/siderolabs/omni/client/pkg/infra/controllers.(*ProvisionController[...]).reconcileRunning",
    ],
];

/// Warnings and errors that resemble signatures and are none.
const NEAR: &[&str] = &[
    r#"{"level":"error","ts":{e},"caller":"proxy/handler.go:{d}","msg":"request to {w} failed with unexpected status","component":"workload_proxy_handler","status":{d},"error":"upstream {i} said not today"}"#,
    r#"{"level":"warn","ts":"{t}","caller":"rafthttp/stream.go:{d}","msg":"established TCP streaming connection with remote peer after retries","remote-peer-id":"{h}"}"#,
    "W{k}       1 reflector.go:{d}] watch of *v1.{w} ended with: too old resource version: {d} ({d})",
    "{j} pve{d} pvestatd[{d}]: status update of {w} took longer than usual, {d}.{d} seconds",
];

/// xorshift64*: small, seeded, good enough for filler.
pub struct Random(u64);

impl Random {
    /// A generator with this seed.
    pub fn new(seed: u64) -> Self {
        Self(seed.max(1))
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() >> 33) as usize % n.max(1)
    }
}

/// Writes about `bytes` of log; `per_thousand` of a thousand lines hold one of `signatures`.
pub fn generate(
    out: &mut dyn Write,
    bytes: u64,
    signatures: &[String],
    per_hundred_thousand: usize,
) -> io::Result<u64> {
    let mut random = Random::new(42);
    let (mut written, mut lines, mut run, mut source) = (0u64, 0u64, 0usize, 0usize);
    let mut line = Vec::with_capacity(512);
    while written < bytes {
        if run == 0 {
            run = if random.below(2) == 0 { 1 + random.below(6) } else { 200 + random.below(400) };
            source = random.below(ORDINARY.len());
        }
        run -= 1;
        line.clear();
        let dice = random.below(100_000);
        if dice < per_hundred_thousand {
            let signature = &signatures[random.below(signatures.len())];
            let template =
                r#"{"level":"error","ts":{e},"caller":"x/y.go:{d}","msg":"it failed","id":"{w}-{h}","error":""#;
            fill(&mut line, template, &mut random, lines);
            line.extend_from_slice(signature.replace('\\', "\\\\").replace('"', "\\\"").as_bytes());
            line.extend_from_slice(b"\"}");
        } else if dice < per_hundred_thousand + 1_000 {
            fill(&mut line, NEAR[random.below(NEAR.len())], &mut random, lines);
        } else {
            let shapes = ORDINARY[source];
            fill(&mut line, shapes[random.below(shapes.len())], &mut random, lines);
        }
        line.push(b'\n');
        out.write_all(&line)?;
        written += line.len() as u64;
        lines += 1;
    }
    Ok(lines)
}

fn fill(line: &mut Vec<u8>, template: &str, random: &mut Random, tick: u64) {
    const NAMES: &[&str] =
        &["workers", "control-planes", "ingress", "metrics", "storage", "registry", "coredns", "build"];
    let mut rest = template;
    while let Some(at) = rest.find('{') {
        line.extend_from_slice(&rest.as_bytes()[..at]);
        let key = rest.as_bytes().get(at + 1).copied().unwrap_or(b'{');
        if rest.as_bytes().get(at + 2) != Some(&b'}') {
            line.push(b'{');
            rest = &rest[at + 1..];
            continue;
        }
        rest = &rest[at + 3..];
        let n = random.next();
        let seconds = 1_789_459_200 + tick / 50;
        let (minute, second) = (tick / 3000 % 60, tick / 50 % 60);
        let _ = match key {
            b'd' => write!(line, "{}", n % 1000),
            b's' => write!(line, "{second:02}"),
            b'h' => write!(line, "{:08x}", n as u32),
            b'u' => write!(line, "{:08x}-{:04x}-4{:03x}-8{:03x}-{:012x}", n as u32, n >> 48, n >> 52, n >> 53, n >> 16),
            b'i' => write!(line, "192.0.2.{}", n % 255),
            b'w' => write!(line, "{}", NAMES[(n % 8) as usize]),
            b't' => write!(line, "2026-09-15T08:{minute:02}:{second:02}.{:06}Z", n % 1_000_000),
            b'e' => write!(line, "{seconds}.{:06}", n % 1_000_000),
            b'm' => write!(line, "{seconds}{:03}.{:03}", n % 1000, n % 997),
            b'k' => write!(line, "0915 08:{minute:02}:{second:02}.{:06}", n % 1_000_000),
            b'j' => write!(line, "Sep 15 08:{minute:02}:{second:02}"),
            b'b' => write!(line, "{:5}.{:06}", tick % 90_000, n % 1_000_000),
            other => write!(line, "{{{}}}", other as char),
        };
    }
    line.extend_from_slice(rest.as_bytes());
}
