//! What the raw bytes of a frame must hold for a signature: a look before the frame is parsed.
//!
//! Many signatures wait for words of ordinary lines (`reconcile succeeded`) and ask for more (`busy` above 30). The plain
//! runs of their other literals, of their regex and of the values they compare with stand unchanged in the raw bytes; where one is
//! missing, parsing would be in vain. Invariant: a signature that holds on the parsed event passes here.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use aho_corasick::AhoCorasick;
use memchr::memmem::{self, Finder};
use regex_syntax::hir::{Hir, HirKind};

use crate::catalog::anchor;
use crate::catalog::{FieldOp, FieldTest, Signature, ascii};

/// Runs shorter than this stand in almost every line.
const SHORTEST: usize = 3;
/// Alternatives from this number on are searched for together.
const TOGETHER: usize = 4;
/// The least numbers that have one digit more.
const POWERS: [f64; 6] = [10.0, 100.0, 1e3, 1e4, 1e5, 1e6];
/// How a task ended, which stands behind its identifier.
pub(super) const TASK_STATUS: &str = "pve.task.status";
/// Fields that are worked out and stand nowhere in the text as they are.
const DERIVED: &[&str] = &["body", "severity_number", "format", "service", "node", "table", "kind"];

/// The checks of one signature; all must hold.
#[derive(Debug, Default)]
pub struct RawChecks {
    checks: Vec<Check>,
    /// Which of them did not hold last: logs repeat themselves, so it is asked first.
    missing: AtomicUsize,
}

/// One check.
#[derive(Debug)]
enum Check {
    /// Something stands there.
    Need(Need),
    /// A number follows its key.
    Number(Box<Number>),
    /// The task that the record tells of did not end well.
    TaskFailed,
}

impl Check {
    fn holds(&self, raw: &[u8]) -> bool {
        match self {
            Self::Need(need) => need.holds(raw),
            Self::Number(number) => number.holds(raw),
            Self::TaskFailed => !only_task_is_ok(raw),
        }
    }
}

/// What must stand in the raw bytes.
#[derive(Debug)]
enum Need {
    /// This piece.
    Piece(Box<Finder<'static>>),
    /// All of these.
    All(Vec<Need>),
    /// One of these.
    Any(Vec<Need>),
    /// One of many pieces, looked for in one pass.
    OneOf(AhoCorasick),
}

impl Need {
    /// A need for the longest run of a literal, unless that is too short to tell anything.
    fn literal(literal: &str) -> Option<Self> {
        // Blanks at its ends may come from the joints of the parsed text.
        let run = anchor::longest_run(literal).trim_ascii();
        (run.len() >= SHORTEST).then(|| Self::piece(run))
    }

    /// A need for one of several; `None` when one of them needs nothing.
    fn any(needs: impl Iterator<Item = Option<Self>>) -> Option<Self> {
        let needs = needs.collect::<Option<Vec<_>>>()?;
        let shared: Vec<Self> =
            needs.first()?.pieces().filter(|p| needs.iter().all(|n| n.asks_for(p))).map(Self::piece).collect();
        if shared.is_empty() {
            return Some(Self::one_of(&needs).unwrap_or(Self::Any(needs)));
        }
        // Mostly it is what all of them ask for that is missing.
        Some(Self::All(shared.into_iter().chain([Self::Any(needs)]).collect()))
    }

    /// The same for many plain pieces.
    fn one_of(needs: &[Self]) -> Option<Self> {
        let pieces = needs.iter().map(|need| match need {
            Self::Piece(finder) => Some(finder.needle()),
            _ => None,
        });
        let pieces: Vec<&[u8]> = pieces.collect::<Option<_>>()?;
        (pieces.len() >= TOGETHER).then(|| AhoCorasick::new(pieces).ok().map(Self::OneOf)).flatten()
    }

    fn piece(piece: &[u8]) -> Self {
        Self::Piece(Box::new(Finder::new(piece).into_owned()))
    }

    /// The pieces without which it never holds, as far as they are seen at once.
    fn pieces(&self) -> impl Iterator<Item = &[u8]> {
        let list = match self {
            Self::All(needs) => needs.as_slice(),
            _ => std::slice::from_ref(self),
        };
        list.iter().filter_map(|need| match need {
            Self::Piece(finder) => Some(finder.needle()),
            _ => None,
        })
    }

    /// Whether it never holds without a piece.
    fn asks_for(&self, piece: &[u8]) -> bool {
        self.pieces().any(|own| memmem::find(own, piece).is_some())
    }

    /// Its parts, each of which must hold.
    fn parts(self) -> Vec<Self> {
        match self {
            Self::All(needs) => needs.into_iter().flat_map(Self::parts).collect(),
            other => vec![other],
        }
    }

    /// What stands in every text that a regex matches.
    fn regex(hir: &Hir) -> Option<Self> {
        match hir.kind() {
            HirKind::Literal(literal) => Self::literal(std::str::from_utf8(&literal.0).ok()?),
            HirKind::Capture(capture) => Self::regex(&capture.sub),
            HirKind::Repetition(repetition) if repetition.min > 0 => Self::regex(&repetition.sub),
            HirKind::Concat(parts) => {
                let needs: Vec<Self> = parts.iter().filter_map(Self::regex).collect();
                (!needs.is_empty()).then_some(Self::All(needs))
            }
            HirKind::Alternation(branches) => Self::any(branches.iter().map(Self::regex)),
            _ => None,
        }
    }

    fn holds(&self, raw: &[u8]) -> bool {
        match self {
            Self::Piece(finder) => finder.find(raw).is_some(),
            Self::All(needs) => needs.iter().all(|n| n.holds(raw)),
            Self::Any(needs) => needs.iter().any(|n| n.holds(raw)),
            Self::OneOf(automaton) => automaton.is_match(raw),
        }
    }
}

/// A number behind a key.
#[derive(Debug)]
struct Number {
    key: Finder<'static>,
    op: FieldOp,
    bound: f64,
    /// Numbers of so many digits before the point lie below the bound.
    small: usize,
}

impl RawChecks {
    /// What the raw bytes must hold for this signature besides the anchor that was found in them: with the anchor of one
    /// of `any` these are settled.
    pub fn new(signature: &Signature) -> Self {
        let mut checks = Self::default();
        checks.need(signature.all.iter().filter_map(|l| Need::literal(l)));
        let settled = signature.all.is_empty() || !signature.is_anchored_in_all();
        let any = || Need::any(signature.any.iter().map(|l| Need::literal(l)));
        checks.need((!settled).then(any).flatten());
        let regex = signature.regex.as_ref().and_then(|r| regex_syntax::parse(&ascii(&r.source)).ok());
        checks.need(regex.as_ref().and_then(Need::regex));
        for test in signature.fields.iter().filter(|f| !is_derived(&f.key) || f.key == TASK_STATUS) {
            checks.field(test);
        }
        checks
    }

    fn need(&mut self, needs: impl IntoIterator<Item = Need>) {
        self.checks.extend(needs.into_iter().flat_map(Need::parts).map(Check::Need));
    }

    fn field(&mut self, test: &FieldTest) {
        match test.op {
            FieldOp::Eq | FieldOp::Contains | FieldOp::StartsWith | FieldOp::EndsWith => {
                self.need(Need::any(test.values.iter().map(|v| Need::literal(v))));
            }
            FieldOp::Neq if test.key == TASK_STATUS && test.values.iter().any(|v| v == "OK") => {
                self.checks.push(Check::TaskFailed);
            }
            FieldOp::Gt | FieldOp::Gte => {
                let bounds = test.values.iter().filter_map(|v| v.parse::<f64>().ok());
                if let Some(bound) = bounds.reduce(f64::min) {
                    let key = Finder::new(test.key.as_bytes()).into_owned();
                    let small = (1..).zip(POWERS).take_while(|(_, power)| *power <= bound).map(|(n, _)| n).last();
                    let number = Number { key, op: test.op, bound, small: small.unwrap_or(0) };
                    self.checks.push(Check::Number(Box::new(number)));
                }
            }
            _ => {}
        }
    }

    /// Whether a frame could fit.
    pub fn hold(&self, raw: &[u8]) -> bool {
        let last = self.missing.load(Ordering::Relaxed);
        if self.checks.get(last).is_some_and(|check| !check.holds(raw)) {
            return false;
        }
        let missing = (0..).zip(&self.checks).find(|(at, check)| *at != last && !check.holds(raw));
        if let Some((at, _)) = missing {
            self.missing.store(at, Ordering::Relaxed);
        }
        missing.is_none()
    }
}

/// Whether the only task of which a record tells ended well, as Proxmox's journal (`end task UPID:...: OK`) and its lists
/// (`UPID:...: 1 6AA81F82 OK`) say it.
fn only_task_is_ok(raw: &[u8]) -> bool {
    static UPID: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("UPID:"));
    let mut tasks = UPID.find_iter(raw);
    let (Some(at), None) = (tasks.next(), tasks.next()) else { return false };
    let words = raw.get(at..).unwrap_or_default().split(|b| *b == b' ').skip(1);
    let status =
        words.skip_while(|w| matches!(w, [b'0' | b'1'])).find(|w| w.len() != 8 || !w.iter().all(u8::is_ascii_hexdigit));
    match status {
        Some([b'O', b'K', rest @ ..]) => rest.iter().all(|b| matches!(b, b'"' | b'}' | b'\n' | b'\r')),
        _ => false,
    }
}

/// Whether a field's value may differ from what stands in the text.
fn is_derived(key: &str) -> bool {
    DERIVED.contains(&key) || (key.contains('.') && !key.starts_with("http."))
}

impl Number {
    /// Whether some number that follows the key is large enough, or something that is no plain number follows it.
    fn holds(&self, raw: &[u8]) -> bool {
        self.key.find_iter(raw).any(|at| {
            let rest = raw.get(at + self.key.needle().len()..).unwrap_or_default();
            let skip = rest.iter().take_while(|b| matches!(b, b'"' | b'\\' | b':' | b'=' | b' ')).count();
            let rest = rest.get(skip..).unwrap_or_default();
            // Most numbers are small, and told by their digits before the point.
            let whole = rest.iter().take_while(|b| b.is_ascii_digit()).count();
            if (1..=self.small).contains(&whole) && !matches!(rest.get(whole), Some(b'e' | b'E')) {
                return false;
            }
            let digits = rest.iter().take_while(|b| b.is_ascii_digit() || **b == b'.').count();
            let number = std::str::from_utf8(rest.get(..digits).unwrap_or_default()).unwrap_or_default();
            match number.parse::<f64>() {
                Ok(value) if self.op == FieldOp::Gt => value > self.bound,
                Ok(value) => value >= self.bound,
                Err(_) => true,
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::{LazyRegex, Signature};
    use crate::event::Severity;

    fn signature(all: &[&str], fields: Vec<FieldTest>) -> Signature {
        Signature {
            name: String::new(),
            any: Vec::new(),
            all: all.iter().map(|s| (*s).to_owned()).collect(),
            none: Vec::new(),
            regex: None,
            services: Default::default(),
            formats: Vec::new(),
            fields,
            background: false,
            of_another: false,
            benign: false,
            correlated: false,
            least_severity: Severity::UNKNOWN,
            attention: crate::catalog::Attention::Some,
            partners: Vec::new(),
            keep: Vec::new(),
            anchors: Vec::new(),
        }
    }

    fn test(key: &str, op: FieldOp, value: &str) -> FieldTest {
        FieldTest { key: key.into(), op, values: vec![value.into()], regexes: Vec::new() }
    }

    #[test]
    fn frames_that_lack_a_literal_or_a_value_are_refused() {
        let checks =
            RawChecks::new(&signature(&["created route", "default"], vec![test("step", FieldOp::Eq, "pickNode")]));
        assert!(checks.hold(br#"{"msg":"created route","to":"default","step":"pickNode"}"#));
        assert!(!checks.hold(br#"{"msg":"created route","to":"192.0.2.0/24","step":"pickNode"}"#));
        assert!(!checks.hold(br#"{"msg":"created route","to":"default","step":"syncVM"}"#));
    }

    #[test]
    fn a_regex_needs_its_literals_in_one_branch_at_least() {
        let mut regex = signature(&[], Vec::new());
        regex.regex =
            Some(LazyRegex::new(r"volume=META\b.*-> missing|(?:STATE|\d+) (?P<x>stage)+ \w* missing".to_owned()));
        let checks = RawChecks::new(&regex);
        assert!(checks.hold(br#"{"volume":"META","phase":"ready -> missing"}"#));
        assert!(checks.hold(b"17 stage is missing"));
        assert!(!checks.hold(br#"{"volume":"EPHEMERAL","phase":"ready -> missing"}"#));
        assert!(!checks.hold(b"STATE stage is there"));
        let joint =
            Signature { regex: Some(LazyRegex::new("596 |timed out".to_owned())), ..signature(&[], Vec::new()) };
        assert!(RawChecks::new(&joint).hold(br#"{"error":"596","requeued":true}"#));
    }

    #[test]
    fn one_of_many_values_is_enough() {
        let op = FieldOp::Eq;
        let values = ["running", "stopped", "paused", "prelaunch"].map(str::to_owned).to_vec();
        let many = FieldTest { key: "status".into(), op, values, regexes: Vec::new() };
        let checks = RawChecks::new(&signature(&[], vec![many]));
        assert!(checks.hold(br#"{"status":"prelaunch"}"#) && checks.hold(b"status=paused"));
        assert!(!checks.hold(br#"{"status":"suspended"}"#));
    }

    #[test]
    fn numbers_are_compared_in_every_notation() {
        let checks = RawChecks::new(&signature(&[], vec![test("busy", FieldOp::Gte, "30")]));
        for (raw, expected) in [
            (r#"{"busy":31.5}"#, true),
            (r#"{\"busy\": 31}"#, true),
            ("busy=0.7 job=reconcile", false),
            (r#"{"busy":0.2,"busy":44}"#, true),
            ("no such key", false),
        ] {
            assert_eq!(checks.hold(raw.as_bytes()), expected, "{raw}");
        }
    }

    #[test]
    fn a_task_that_ended_well_is_told_from_others() {
        const UPID: &str = "UPID:pve1:0012D687:0A3F21C4:6AA81F80:qmstart:104:root@pam!omni:";
        for end in [format!("end task {UPID} OK"), format!("{UPID} 1 6AA81F82 OK"), format!("{{\"M\":\"{UPID} OK\"}}")]
        {
            assert!(only_task_is_ok(end.as_bytes()), "{end}");
        }
        let other = format!("{UPID} OK\n{UPID} 6AA81F82 start failed");
        for end in [format!("end task {UPID} OKAY"), format!("{UPID} WARNINGS: 1"), UPID.to_owned(), other] {
            assert!(!only_task_is_ok(end.as_bytes()), "{end}");
        }
    }
}
