//! Fills `{{ name }}` in commands and texts with captured values.

use std::collections::BTreeMap;

/// The text with every `{{ name }}` replaced by the first value of that name, or by a placeholder such as `<VMID>`.
///
/// Values are used only when they are plain words: what comes from a log never brings shell syntax into a command.
pub fn fill(template: &str, values: &BTreeMap<String, Vec<String>>) -> String {
    let mut out = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("{{") {
        let Some((name, tail)) = after.split_once("}}") else { break };
        out.push_str(before);
        let name = name.trim();
        match values.get(name).and_then(|v| v.iter().find(|v| is_plain_word(v))) {
            Some(value) => out.push_str(value),
            None => out.push_str(&placeholder(name)),
        }
        rest = tail;
    }
    out.push_str(rest);
    out
}

/// The values that leave no choice: those of names with a single one.
pub fn unambiguous(values: &BTreeMap<String, Vec<String>>) -> BTreeMap<String, Vec<String>> {
    values.iter().filter(|(_, v)| v.len() == 1).map(|(name, v)| (name.clone(), v.clone())).collect()
}

/// `pve.vmid` becomes `<VMID>`.
fn placeholder(name: &str) -> String {
    let word = name.rsplit('.').next().unwrap_or(name);
    format!("<{}>", word.to_uppercase().replace('_', "-"))
}

/// Whether a value may stand in a command line unquoted.
fn is_plain_word(value: &str) -> bool {
    let plain =
        |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | ':' | '/' | '@' | '!' | '=' | ',' | '+');
    !value.is_empty() && !value.starts_with('-') && value.len() <= 200 && value.chars().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(pairs: &[(&str, &str)]) -> BTreeMap<String, Vec<String>> {
        pairs.iter().map(|(k, v)| ((*k).to_owned(), vec![(*v).to_owned()])).collect()
    }

    #[test]
    fn known_values_are_filled_in_and_others_are_placeholders() {
        let known = values(&[("pve.vmid", "104")]);
        assert_eq!(fill("qm unlock {{ pve.vmid }} on {{pve.node}}", &known), "qm unlock 104 on <NODE>");
    }

    #[test]
    fn a_hostile_value_never_reaches_a_command() {
        for value in ["1; reboot", "$(reboot)", "-rf", "a b", "`x`"] {
            assert_eq!(fill("qm stop {{ pve.vmid }}", &values(&[("pve.vmid", value)])), "qm stop <VMID>");
        }
    }
}
