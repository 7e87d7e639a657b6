//! Tests on single fields of an event.

use std::borrow::Cow;

use crate::catalog::{FieldOp, FieldTest};
use crate::event::Event;

/// Whether a test holds: one occurrence of the field that fits is enough.
pub fn holds(test: &FieldTest, event: &Event<'_>) -> bool {
    let values = values(event, &test.key);
    match test.op {
        FieldOp::Exists => values.is_empty() != test.values.iter().any(|v| v == "true"),
        FieldOp::Neq => !values.is_empty() && !values.iter().any(|v| test.values.iter().any(|w| v == w)),
        _ => values.iter().any(|value| compare(test, value)),
    }
}

/// The values of a field by the names that rules use.
pub(super) fn values<'e>(event: &'e Event<'_>, key: &str) -> Vec<Cow<'e, str>> {
    let borrowed = |value: Option<&'e str>| value.map(Cow::Borrowed).into_iter().collect();
    match key {
        "body" => vec![Cow::Borrowed(event.body.as_ref())],
        "severity_number" => vec![Cow::Owned(event.severity.0.to_string())],
        "format" => event.formats.iter().map(|f| Cow::Borrowed(*f)).collect(),
        "service" => borrowed(event.service.map(|s| s.name())),
        "node" => borrowed(event.node.as_deref()),
        _ => {
            let own: Vec<Cow<'e, str>> =
                event.attributes.iter().filter(|(k, _)| k == key).map(|(_, v)| Cow::Borrowed(v.as_ref())).collect();
            if !own.is_empty() {
                return own;
            }
            event.entities.iter().filter(|(k, _)| k == key).map(|(_, v)| Cow::Borrowed(v.as_ref())).collect()
        }
    }
}

fn compare(test: &FieldTest, value: &str) -> bool {
    let any = |holds: &dyn Fn(&str) -> bool| test.values.iter().any(|v| holds(v));
    let number = |holds: &dyn Fn(f64, f64) -> bool| {
        let Ok(value) = value.trim_end_matches('%').trim().parse::<f64>() else { return false };
        any(&|wanted| wanted.parse::<f64>().is_ok_and(|wanted| holds(value, wanted)))
    };
    match test.op {
        FieldOp::Eq => any(&|v| v == value),
        FieldOp::Contains => any(&|v| value.contains(v)),
        FieldOp::StartsWith => any(&|v| value.starts_with(v)),
        FieldOp::EndsWith => any(&|v| value.ends_with(v)),
        FieldOp::Re => test.regexes.iter().any(|r| r.get().is_some_and(|r| r.is_match(value))),
        FieldOp::Gt => number(&|a, b| a > b),
        FieldOp::Gte => number(&|a, b| a >= b),
        FieldOp::Lt => number(&|a, b| a < b),
        FieldOp::Lte => number(&|a, b| a <= b),
        FieldOp::Neq | FieldOp::Exists => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn test(key: &str, op: FieldOp, value: &str) -> FieldTest {
        FieldTest { key: key.into(), op, values: vec![value.into()], regexes: Vec::new() }
    }

    #[test]
    fn fields_are_compared_as_rules_say() {
        let mut event = Event::default();
        event.attribute("finalizers", "A");
        event.attribute("finalizers", "proxmox.ProvisionController");
        event.attribute("stage", "5");
        for (key, op, value, expected) in [
            ("finalizers", FieldOp::EndsWith, ".ProvisionController", true),
            ("finalizers", FieldOp::Eq, "B", false),
            ("finalizers", FieldOp::Neq, "A", false),
            ("stage", FieldOp::Gte, "5", true),
            ("stage", FieldOp::Lt, "5", false),
            ("absent", FieldOp::Exists, "false", true),
            ("stage", FieldOp::Exists, "true", true),
        ] {
            assert_eq!(holds(&test(key, op, value), &event), expected, "{key} {op:?} {value}");
        }
    }
}
