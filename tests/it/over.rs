use crate::support::{Dir, Run, omnilog};

/// A root cause that two things can put right, and one that follows from it.
const CAUSE: &str = r#"
title = "The gate is shut"
level = "low"
explains = ["x/queue"]
[signature.shut]
any = ["the gate was shut today"]
[signature.opened]
any = ["the gate was opened again"]
[signature.removed]
any = ["the gate was taken away"]
[cure.opened]
healthy = ["opened"]
says = "somebody opened it"
[cure.removed]
healthy = ["removed"]
says = "somebody took it away"
[[evidence]]
id = "shut"
when = "shut"
strength = "conclusive"
says = "the gate says that it is shut"
[[remediation]]
title = "Open it"
text = "It opens to the left."
risk = "none"
"#;
const EFFECT: &str = r#"
title = "There is a queue"
level = "low"
cures = ["x/gate#opened"]
[signature.queue]
any = ["a queue has formed here"]
[[evidence]]
id = "queue"
when = "queue"
strength = "conclusive"
"#;
const SHUT: &str = "2026-09-15T12:00:10Z error the gate was shut today\n";
const SHUT_AGAIN: &str = "2026-09-15T12:05:00Z error the gate was shut today\n";
const QUEUE: &str = "2026-09-15T12:00:12Z error a queue has formed here\n";
const OPENED: &str = "2026-09-15T12:03:00Z info the gate was opened again\n";

/// A folder with these rules.
fn rules() -> Dir {
    let scenario = "title = \"x\"\ndescription = \"x\"\n";
    Dir::with(&[("x/gate.toml", CAUSE), ("x/queue.toml", EFFECT), ("x/scenario.toml", scenario)])
}

/// A run with these rules on these lines.
fn on(rules: &Dir, lines: &[&str]) -> Run {
    omnilog(["--patterns".as_ref(), rules.path().as_os_str()]).input(lines.concat())
}

/// The root causes that were put right, with how sure it is that they were there.
fn over(report: &serde_json::Value) -> Vec<(&str, f64)> {
    let causes = report["root_causes"].as_array().expect("root causes");
    causes.iter().filter_map(|c| Some((c["id"].as_str()?, c["over"].as_f64()?))).collect()
}

#[test]
fn the_first_screen_tells_what_was_put_right_and_by_what() {
    let rules = rules();
    let done = on(&rules, &[SHUT, OPENED]).exits(0).says("This was put right, as the input shows:").says("OVER 0.9");
    assert!(!done.stdout.contains("nearest guess"), "{done}");
    let at = |text: &str| done.stdout.find(text).unwrap_or_else(|| panic!("no `{text}` in\n{done}"));
    assert!(at("the gate was shut today") < at("over     ") && at("over     ") < at("if again"), "{done}");
    // Only what happened is told of all that may put it right.
    assert!(at("it was put right: somebody opened it") < at("the gate was opened again"), "{done}");
    assert!(!done.stdout.contains("somebody took it away"), "{done}");
    let report = on(&rules, &[SHUT, OPENED]).report();
    assert_eq!(report["timeline"][0]["root_cause"], "x/gate", "{report:#}");
    let written = |format: &str| on(&rules, &[SHUT, OPENED]).args(["--format", format]).exits(0);
    written("markdown").says("(over, 0.9").says("**What put it right**").says("somebody opened it");
    written("html").says("over 0.9").says("What put it right").says("somebody opened it");
}

#[test]
fn what_only_followed_is_not_told_as_put_right() {
    let rules = rules();
    let both = on(&rules, &[SHUT, QUEUE, OPENED]).report();
    assert!(matches!(over(&both).as_slice(), [("x/gate", sure)] if *sure > 0.9), "{both:#}");
    // It stands before mere guesses, and does not claim to be there now.
    let first = &both["root_causes"][0];
    assert!(first["id"] == "x/gate" && first["confidence"].as_f64().is_some_and(|now| now < 0.5), "{both:#}");
    // Alone it is what was there.
    let alone = on(&rules, &[QUEUE, OPENED]).report();
    assert!(matches!(over(&alone).as_slice(), [("x/queue", sure)] if *sure > 0.9), "{alone:#}");
}

#[test]
fn a_ticket_of_what_was_put_right_asks_for_nothing() {
    let rules = rules();
    rules.write("tickets/a.log", [SHUT, OPENED].concat().as_bytes());
    let folder = rules.path().as_os_str();
    let args = ["triage".as_ref(), "tickets".as_ref(), "--format".as_ref(), "json".as_ref(), "--patterns".as_ref()];
    let rows = omnilog(args.into_iter().chain([folder])).within(rules.path()).exits(0).stdout;
    let rows: serde_json::Value = serde_json::from_str(&rows).expect("JSON");
    assert_eq!((&rows[0]["verdict"], &rows[0]["root_cause"]), (&"over".into(), &"x/gate".into()), "{rows:#}");
    assert!(
        rows[0]["confidence"].as_f64().is_some_and(|sure| sure > 0.9) && rows[0]["next_step"].is_null(),
        "{rows:#}"
    );
}

#[test]
fn what_lasts_or_never_was_is_not_over() {
    let rules = rules();
    for lines in [&[SHUT] as &[&str], &[SHUT, OPENED, SHUT_AGAIN], &[OPENED]] {
        let report = on(&rules, lines).report();
        assert_eq!(over(&report), [], "{lines:?}");
    }
}
