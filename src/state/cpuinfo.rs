//! `/proc/cpuinfo`: which processor a machine sees, and which level of x86-64 it reaches.

use super::block::{Block, attribute, event, is_boundary};
use super::{Context, Document, Progress, Sample, StateEvent};
use crate::event::{Event, Service};

/// The flags that each level of x86-64 adds, from level 2 on.
const LEVELS: &[&[&str]] = &[
    &["cx16", "lahf_lm", "popcnt", "pni", "sse4_1", "sse4_2", "ssse3"],
    &["abm", "avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "movbe", "xsave"],
    &["avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"],
];

/// Keys that are told.
const KEYS: &[&str] =
    &["vendor_id", "cpu family", "model", "model name", "microcode", "flags", "cpu cores", "siblings"];

/// Blocks of `key : value`, one for each processor.
pub(super) struct CpuInfo;

impl Document for CpuInfo {
    fn name(&self) -> &'static str {
        "cpuinfo"
    }

    fn begins_with(&self, byte: u8) -> bool {
        byte == b'p'
    }

    fn begins(&self, line: &[u8]) -> bool {
        let Some(rest) = line.strip_prefix(b"processor") else { return false };
        let value = rest.trim_ascii_start().strip_prefix(b":").map(|v| v.trim_ascii());
        rest.first().is_some_and(u8::is_ascii_whitespace)
            && value.is_some_and(|v| !v.is_empty() && v.iter().all(u8::is_ascii_digit))
    }

    fn continues(&self, progress: &mut Progress, line: &[u8]) -> bool {
        if let Some(more) = progress.blank(line, 1) {
            return more;
        }
        let Some(colon) = memchr::memchr(b':', line.get(..line.len().min(40)).unwrap_or_default()) else {
            return false;
        };
        let key = line.get(..colon).unwrap_or_default();
        let spaced = key.last().is_some_and(u8::is_ascii_whitespace) || key == b"power management";
        spaced
            && !is_boundary(line)
            && key.first().is_some_and(u8::is_ascii_alphabetic)
            && key.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b' ' | b'\t' | b'_' | b'-' | b'/'))
    }

    fn events(&self, block: &str, context: &Context) -> Vec<StateEvent> {
        let block = Block::new(block);
        let mut starts: Vec<usize> =
            block.lines().filter(|(_, l)| self.begins(l.as_bytes())).map(|(index, _)| index).collect();
        starts.push(block.len());
        let mut events: Vec<StateEvent> = Vec::new();
        for pair in starts.windows(2) {
            let [from, to] = pair else { continue };
            let event = processor(&block, *from, *to, context);
            // All processors of a machine are mostly alike: each kind is told once.
            if event.attributes.len() > 1 && !events.iter().any(|e| e.event.attributes == event.attributes) {
                events.push(block.event(event, *from, *to));
            }
        }
        events
    }

    fn samples(&self) -> &'static [Sample] {
        SAMPLES
    }
}

/// The event of one processor.
fn processor(block: &Block, from: usize, to: usize, context: &Context) -> Event<'static> {
    let lines = (from..to).filter_map(|i| block.line(i).split_once(':'));
    let values: Vec<(&str, &str)> = lines.map(|(key, value)| (key.trim(), value.trim())).collect();
    let get = |key: &str| values.iter().find(|(k, _)| *k == key).map(|(_, v)| *v);
    let mut event = event("cpuinfo", Service::State, get("model name").unwrap_or("processor"));
    for (key, value) in values.iter().filter(|(key, _)| KEYS.contains(key)) {
        attribute(&mut event, key.replace(' ', "_"), value);
    }
    if let Some(flags) = get("flags") {
        attribute(&mut event, "x86_64_level", &level(flags).to_string());
    }
    if let Some(node) = context.node {
        super::entity::node(&mut event, node);
    }
    event
}

/// The level of x86-64, 1 to 4.
pub(super) fn level(flags: &str) -> usize {
    let have: Vec<&str> = flags.split_whitespace().collect();
    1 + LEVELS.iter().take_while(|needed| needed.iter().all(|f| have.contains(f))).count()
}

const SAMPLES: &[Sample] = &[Sample {
    text: "processor\t: 0
vendor_id\t: GenuineIntel
cpu family\t: 15
model\t\t: 6
model name\t: Common KVM processor
flags\t\t: fpu vme de pse tsc msr pni cx16 x2apic hypervisor lahf_lm
power management:

processor\t: 1
vendor_id\t: GenuineIntel
cpu family\t: 15
model\t\t: 6
model name\t: Common KVM processor
flags\t\t: fpu vme de pse tsc msr pni cx16 x2apic hypervisor lahf_lm
power management:

",
    path: "",
    events: 1,
    has: &[
        (0, "#format", "cpuinfo"),
        (0, "model_name", "Common KVM processor"),
        (0, "vendor_id", "GenuineIntel"),
        (0, "x86_64_level", "1"),
    ],
}];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_build_on_each_other() {
        let v2 = "pni cx16 lahf_lm popcnt sse4_1 sse4_2 ssse3";
        assert_eq!(level("avx avx2"), 1);
        assert_eq!(level(v2), 2);
        assert_eq!(level(&format!("{v2} abm avx avx2 bmi1 bmi2 f16c fma movbe xsave")), 3);
    }
}
