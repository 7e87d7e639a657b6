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
            match format.head(rest).and_then(|h| h.payload) {
                Some(at) => rest = &rest[at..],
                None => break,
            }
        }
    }
}
