//! Tests over all formats at once.

use super::*;

/// All samples with the name of their format.
fn samples() -> impl Iterator<Item = (&'static str, &'static Sample)> {
    formats().iter().flat_map(|f| f.samples().iter().map(|s| (f.name(), s)))
}

/// The names of the layers of a classified line.
fn names(line: &Line) -> Vec<&'static str> {
    line.layers.iter().filter_map(|i| Some(formats().get(usize::from(*i))?.name())).collect()
}

fn first_line(text: &str) -> &[u8] {
    scan::first_line(text).0.as_bytes()
}

fn check_has(event: &Event<'_>, sample: &Sample) {
    for (key, value) in sample.has {
        let found = match key.split_at(1) {
            ("@", key) => event.entities.iter().any(|(k, v)| k == key && v == value),
            ("#", "service") => event.service.map(Service::name) == Some(*value),
            ("#", _) => event.node.as_deref() == Some(*value),
            _ => event.all(key).any(|v| v == *value),
        };
        assert!(found, "{key}={value} is missing in {event:#?}");
    }
}

#[test]
fn formats_are_sorted_and_have_samples() {
    let names: Vec<_> = formats().iter().map(|f| f.name()).collect();
    let mut sorted = names.clone();
    sorted.sort_unstable();
    sorted.dedup();
    assert_eq!(names, sorted);
    for format in formats() {
        assert!(!format.samples().is_empty(), "{} has no samples", format.name());
    }
}

#[test]
fn samples_are_parsed_as_they_say() {
    for (name, sample) in samples() {
        let event = parse(sample.text);
        assert!(event.formats.contains(&name), "{name} does not take {:?}, but {:?}", sample.text, event.formats);
        assert_eq!(event.time, sample.time, "time of {:?}", sample.text);
        assert_eq!(event.severity, sample.severity, "severity of {:?}", sample.text);
        assert_eq!(event.body, sample.body, "body of {:?}", sample.text);
        check_has(&event, sample);
    }
}

#[test]
fn samples_are_classified_as_they_are_parsed() {
    for (name, sample) in samples() {
        let line = classify(first_line(sample.text), &mut LockOn::default());
        assert!(names(&line).contains(&name), "{name} does not take {:?}, but {:?}", sample.text, names(&line));
        if !sample.text.contains('\n')
            && !matches!(name, "talos_json" | "kernel_json" | "docker_json" | "pvesh_task_log")
        {
            assert_eq!(line.time, sample.time, "time of {:?}", sample.text);
            assert_eq!(line.severity, sample.severity, "severity of {:?}", sample.text);
        }
    }
}

#[test]
fn at_most_one_format_takes_a_layer() {
    for (_, sample) in samples() {
        let line = first_line(sample.text);
        let mut rest = line;
        loop {
            let takers: Vec<_> = formats().iter().filter(|f| f.head(rest).is_some()).collect();
            let names: Vec<_> = takers.iter().map(|f| f.name()).collect();
            assert!(names.len() < 2, "{names:?} take {:?}", String::from_utf8_lossy(rest));
            let Some(format) = takers.first() else { break };
            assert!(format.begins_with(rest.first().copied().unwrap_or_default()), "{names:?} begins_with");
            let goes_on = |(at, byte): (usize, &u8)| format.goes_on_with(at, *byte);
            assert!((1..5).zip(rest.iter().skip(1)).all(goes_on), "{names:?} goes_on_with");
            let name = super::scan::name(rest);
            let behind = rest.get(name..).filter(|_| name > 0 && format.is_named()).unwrap_or_default();
            assert!((0..2).zip(behind).all(|(at, byte)| format.behind_name(at, *byte)), "{names:?} behind_name");
            match format.head(rest).and_then(|h| h.payload) {
                Some(at) => rest = &rest[at..],
                None => break,
            }
        }
    }
}

#[test]
fn formats_fit_the_set_of_a_holder() {
    assert!(formats().len() <= 64);
}

/// Samples of one line, each with the layers it has when it stands alone.
fn single_lines() -> Vec<(&'static [u8], Vec<&'static str>)> {
    let lines = samples().map(|(_, s)| first_line(s.text));
    lines.map(|line| (line, names(&classify(line, &mut LockOn::default())))).collect()
}

#[test]
fn order_and_lock_change_nothing() {
    let lines = single_lines();
    for step in [1, 3, 7, 11, 17, lines.len() - 1] {
        let mut lock = LockOn::default();
        for turn in 0..lines.len() {
            let (line, expected) = &lines[(turn * step) % lines.len()];
            assert_eq!(&names(&classify(line, &mut lock)), expected, "{:?}", String::from_utf8_lossy(line));
        }
    }
}

/// What stands in front of each line, and how many layers it adds.
const ENVELOPES: &[(&str, &str)] = &[
    ("compose", "omni-infra-provider-proxmox-1  | "),
    ("compose", "[omni] | "),
    ("cri", "2026-09-15T08:00:00.123456789Z stderr F "),
    ("docker_timestamp", "2026-09-15T08:00:00.123456789Z "),
    ("kubectl_prefix", "[pod/omni-6d8f9c7b54-x2x8p/omni] "),
    ("syslog_3164", "Sep 15 08:00:00 amber-srv app[812]: "),
    ("syslog_5424", "<27>1 2026-09-15T08:00:00Z amber-srv app 812 - - "),
    ("terraform_box", "│ "),
];

/// Formats of whole records, as any envelope may wrap them.
const PAYLOADS: &[&str] = &[
    "audit_json",
    "cli_error",
    "containerd_json",
    "coredns",
    "go_log",
    "kernel_json",
    "klog",
    "kubelet_json",
    "logfmt",
    "portainer",
    "pve_task",
    "pve_task_index",
    "talos_json",
    "zap_console",
    "zap_json",
    "zerolog_console",
];

/// Samples of one line that are one payload and nothing else.
fn payloads() -> impl Iterator<Item = &'static Sample> {
    samples().filter(|(name, s)| PAYLOADS.contains(name) && parse(s.text).formats.first() == Some(name)).map(|(_, s)| s)
}

#[test]
fn envelopes_keep_what_they_wrap() {
    for sample in payloads() {
        for (name, prefix) in ENVELOPES {
            let text: Vec<String> = sample.text.split('\n').map(|line| format!("{prefix}{line}")).collect();
            let text = text.join("\n");
            let event = parse(&text);
            assert_eq!(event.formats.first(), Some(name), "{text:?}");
            assert_eq!(event.body, sample.body, "body of {text:?}");
            assert_eq!(event.severity, sample.severity.max(outer_severity(name, sample)), "severity of {text:?}");
        }
    }
}

/// The severity of an envelope that tells one counts when the payload tells none.
fn outer_severity(envelope: &str, sample: &Sample) -> Severity {
    let tells = envelope == "syslog_5424" && sample.severity == Severity::UNKNOWN;
    if tells { Severity::ERROR } else { Severity::UNKNOWN }
}

#[test]
fn node_prefix_and_quote_keep_what_they_wrap() {
    for sample in payloads().filter(|s| !s.text.contains('\n')) {
        let quoted = format!("> {}", sample.text);
        let event = parse(&quoted);
        if event.formats.first() == Some(&"markdown_quote") {
            assert_eq!((event.body.as_ref(), event.severity), (sample.body, sample.severity), "{quoted:?}");
        }
        let noded = format!("10.5.0.2: {}", sample.text);
        let event = parse(&noded);
        if event.formats.first() == Some(&"node_prefix") {
            assert_eq!((event.body.as_ref(), event.severity), (sample.body, sample.severity), "{noded:?}");
            assert_eq!(event.node.as_deref(), Some("10.5.0.2"));
        }
    }
}

#[test]
fn escaped_records_are_read_like_bare_ones() {
    for sample in payloads() {
        let message = serde_json::to_string(sample.text).expect("JSON");
        let docker = format!(r#"{{"log":{message},"stream":"stderr","time":"2026-09-15T08:00:00Z"}}"#);
        let journal = format!(r#"{{"__REALTIME_TIMESTAMP":"1789459200000000","MESSAGE":{message}}}"#);
        for text in [docker, journal] {
            let event = parse(&text);
            assert_eq!(event.body, sample.body, "{text}");
            assert_eq!(event.severity, sample.severity, "{text}");
            assert!(event.time.is_some());
        }
    }
}

#[test]
fn ordinary_text_is_left_alone() {
    for text in [
        "Error from server (NotFound): pods \"a\" not found",
        "Warning: something: else",
        "user: nobody",
        "name   | status | age",
        "> \"10.5.0.2\": pre-pulling an image",
        "note: see below",
        "goroutine 1 [running]:",
        "main.main()",
        "\t/src/main.go:12 +0x1d",
        "│   ├── Load Balancer Ready",
        "│ UPID:pve1 │ qmstart │ 104 │",
        "http://example.org: not found",
        "In the beginning",
        "Mar the surface",
        "E: Unable to locate package",
        "{}",
        "[1] 2 3",
        "12:30 lunch",
        "\"ts\":1789459200,",
        "}",
        "",
    ] {
        let line = classify(text.as_bytes(), &mut LockOn::default());
        assert_eq!(names(&line), Vec::<&str>::new(), "{text:?}");
        assert_eq!(parse(text).body, text);
    }
}

#[test]
fn formats_tell_the_service() {
    let hint = |text: &str| service_hint(&classify(text.as_bytes(), &mut LockOn::default()));
    assert_eq!(hint("TASK OK"), Some(Service::PveTask));
    assert_eq!(hint("Sep 15 08:00:00 pve1 qm[1]: update VM 104: -lock"), None);
    assert_eq!(hint("10.5.0.2: user: warning: [2026-09-15T08:00:00Z]: [talos] x"), Some(Service::Talos));
    assert_eq!(hint("some text"), None);
}

#[test]
fn deep_nesting_ends() {
    let text = format!("{}TASK OK", "> ".repeat(1000));
    assert_eq!(names(&classify(text.as_bytes(), &mut LockOn::default())).len(), 0);
    let text = format!("{}TASK OK", "[web] | ".repeat(1000));
    assert_eq!(names(&classify(text.as_bytes(), &mut LockOn::default())).len(), MAX_LAYERS);
    assert_eq!(parse(&text).formats.len(), MAX_LAYERS);
    let mut text = "TASK OK".to_owned();
    for _ in 0..12 {
        let message = serde_json::to_string(&text).expect("JSON");
        text = format!(r#"{{"log":{message},"stream":"stderr","time":"2026-09-15T08:00:00Z"}}"#);
    }
    assert!(parse(&text).time.is_some());
}

/// Checks what holds for any bytes whatever.
fn check_any(bytes: &[u8], lock: &mut LockOn) {
    for line in bytes.split(|b| *b == b'\n') {
        let seen = classify(line, lock);
        assert!(seen.payload <= line.len());
        assert_eq!(names(&seen), names(&classify(line, &mut LockOn::default())));
    }
    let text = String::from_utf8_lossy(bytes);
    let event = parse(&text);
    let line = classify(first_line(&text), &mut LockOn::default());
    assert_eq!(event.formats.first(), names(&line).first());
}

/// A sample with some bytes cut out, doubled or overwritten.
fn damaged() -> impl proptest::strategy::Strategy<Value = Vec<u8>> {
    use proptest::prelude::*;
    let texts: Vec<&'static str> = samples().map(|(_, s)| s.text).collect();
    let edit = (any::<prop::sample::Index>(), 0usize..12, prop::collection::vec(any::<u8>(), 0..4));
    (prop::sample::select(texts), prop::collection::vec(edit, 0..4)).prop_map(|(text, edits)| {
        let mut bytes = text.as_bytes().to_vec();
        for (at, length, new) in edits {
            let at = at.index(bytes.len() + 1);
            let end = (at + length).min(bytes.len());
            bytes.splice(at..end, new);
        }
        bytes
    })
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(2000))]

    #[test]
    fn damaged_samples_never_panic(bytes in damaged()) {
        check_any(&bytes, &mut LockOn::default());
    }

    #[test]
    fn any_bytes_never_panic(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200)) {
        check_any(&bytes, &mut LockOn::default());
    }

    #[test]
    fn any_text_of_log_characters_never_panics(text in "[\\[\\]{}\"<>|:0-9TZ./ a-zEIWF=\\-\\\\│\n]{0,120}") {
        check_any(text.as_bytes(), &mut LockOn::default());
    }
}
