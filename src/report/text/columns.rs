//! A heading and a row of a table, in a given width. Where they do not fit whole columns in the middle go, so that the last one,
//! which often decides, is not cut off.

use unicode_width::UnicodeWidthStr;

/// Blanks between columns.
const GAP: usize = 2;
/// What stands for columns that are left out.
const LEFT_OUT: &str = "…";

/// Heading and row below each other, in at most `room` columns; nothing where the two are no rows of one table.
pub(super) fn fit(heading: &str, row: &str, room: usize) -> Option<[String; 2]> {
    let columns = columns(heading, row)?;
    let width = |shown: &[usize]| {
        let cells: usize = shown.iter().filter_map(|c| columns.get(*c)).map(|(h, r)| h.width().max(r.width())).sum();
        let is_whole = shown.len() == columns.len();
        cells + GAP * shown.len().saturating_sub(1) + if is_whole { 0 } else { GAP + LEFT_OUT.width() }
    };
    let last = columns.len().checked_sub(1)?;
    let mut shown: Vec<usize> = vec![0, last];
    for column in 1..last {
        shown.insert(column, column);
        if width(&shown) > room {
            shown.remove(column);
            break;
        }
    }
    (width(&shown) <= room).then(|| [line(&columns, &shown, |c| c.0), line(&columns, &shown, |c| c.1)])
}

/// The cells of one of the two rows, below each other with those of the other.
fn line<'a>(columns: &[(&'a str, &'a str)], shown: &[usize], cell: impl Fn(&(&'a str, &'a str)) -> &'a str) -> String {
    let mut text = String::new();
    let mut next = 0;
    for index in shown {
        if *index > next {
            text.push_str(LEFT_OUT);
            text.push_str(&" ".repeat(GAP));
        }
        next = index + 1;
        let Some(column) = columns.get(*index) else { continue };
        let (told, room) = (cell(column), column.0.width().max(column.1.width()));
        text.push_str(told);
        text.push_str(&" ".repeat(room - told.width() + GAP));
    }
    text.trim_end().to_owned()
}

/// The columns: heading and cell. At least two, and as many cells as headings, or cells that begin where their headings do.
fn columns<'a>(heading: &'a str, row: &'a str) -> Option<Vec<(&'a str, &'a str)>> {
    let (heads, cells) = (pieces(heading), pieces(row));
    if heads.len() < 2 || heading.contains(['|', '\t']) || row.contains('\t') {
        return None;
    }
    if heads.len() == cells.len() {
        return Some(heads.iter().map(|(_, h)| *h).zip(cells.iter().map(|(_, c)| *c)).collect());
    }
    // A cell is empty: then it is told by the place.
    let ends = heads.iter().skip(1).map(|(at, _)| *at).chain([row.len().max(heading.len())]);
    let spans = heads.iter().zip(ends).map(|((from, head), end)| {
        let begins = *from == 0 || row.get(..*from)?.ends_with(' ') || row.len() <= *from;
        begins.then(|| (*head, row.get(*from..end.min(row.len())).unwrap_or_default().trim()))
    });
    spans.collect()
}

/// What stands between runs of two and more blanks, with its place.
fn pieces(text: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let mut at = 0;
    for piece in text.split("  ") {
        let lead = piece.len() - piece.trim_start().len();
        if !piece.trim().is_empty() {
            found.push((at + lead, piece.trim()));
        }
        at += piece.len() + 2;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADING: &str =
        "NODE         ID                 HOSTNAME   PEER URLS                 CLIENT URLS               LEARNER";
    const ROW: &str =
        "192.0.2.51   b1b2c3d4e5f60718   cp-2       https://192.0.2.52:2380   https://192.0.2.52:2379   true";

    #[test]
    fn the_last_column_stays_and_those_in_the_middle_go() {
        let [heading, row] = fit(HEADING, ROW, 67).expect("a table");
        assert_eq!(heading, "NODE        ID                HOSTNAME  …  LEARNER");
        assert_eq!(row, "192.0.2.51  b1b2c3d4e5f60718  cp-2      …  true");
        for room in 30..120 {
            let Some(lines) = fit(HEADING, ROW, room) else { continue };
            assert!(lines.iter().all(|l| l.width() <= room), "{room}: {lines:?}");
        }
        assert_eq!(fit(HEADING, ROW, 20), None);
    }

    #[test]
    fn empty_cells_keep_their_place() {
        let [heading, row] = fit("NAME   PHASE   ERROR   AGE", "w-1            boom    3m", 22).expect("a table");
        assert_eq!((heading.as_str(), row.as_str()), ("NAME  PHASE  …  AGE", "w-1          …  3m"));
    }

    #[test]
    fn what_is_no_table_is_left_alone() {
        assert_eq!(fit("one line of text", "and another one", 10), None);
        assert_eq!(fit("| ID  | NAME |", "| 1   | x    |", 10), None);
    }
}
