use std::cell::Cell;
use std::fs::OpenOptions;
use std::io::Write;
use std::rc::Rc;

use super::*;
use crate::catalog::load;
use crate::rank::Verdict;

const FULL: &str = "TASK ERROR: unable to create VM 104 - Cannot create new thin volume, free space in thin pool \
                    pve/data reached threshold.\n";

#[test]
fn what_is_older_than_a_day_is_forgotten_and_told_anew_when_it_comes_back() {
    let (catalogue, _) = load::builtin();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("task.log");
    let time = Rc::new(Cell::new(Duration::ZERO));
    let clock = {
        let time = Rc::clone(&time);
        Box::new(move || time.get())
    };
    let paths = [path.clone()];
    let mut follower = Follower::new(Scanner::new(&catalogue, 0), &paths, Options::default(), clock).unwrap();
    let mut told: Vec<(Verdict, Option<Verdict>)> = Vec::new();
    let mut append = |text: &str, pause: Duration| {
        let mut file = OpenOptions::new().append(true).create(true).open(&path).unwrap();
        file.write_all(text.as_bytes()).unwrap();
        // Found, scanned once it is quiet, judged; a lower verdict is told when it has settled.
        for _ in 0..6 {
            time.set(time.get() + pause / 6);
            if let Some(update) = follower.step(Duration::ZERO) {
                told.extend(update.changes.iter().map(|c| (c.verdict, c.was)));
            }
        }
        told.clone()
    };
    let first = append(FULL, Duration::from_mins(1));
    assert_eq!(first, [(Verdict::Confirmed, None)]);
    for _ in 0..30 {
        append("TASK OK\n", Duration::from_hours(1));
    }
    let later = append("TASK OK\n", Duration::from_mins(1));
    assert_eq!(later, [(Verdict::Confirmed, None), (Verdict::Weak, Some(Verdict::Confirmed))]);
    let last = append(FULL, Duration::from_mins(1));
    assert_eq!(last.last(), Some(&(Verdict::Confirmed, None)));
    assert_eq!(last.len(), 3);
    let report = follower.finish().report;
    assert!(report.problems.iter().any(|p| p.message.contains("forgotten")), "{:?}", report.problems);
    assert_eq!(report.inputs.first().map(|i| i.lines), Some(33));
}
