//! Tables that commands print: `talosctl`, `omnictl`, `kubectl`, `qm list`, `pvesm status`, `pvenode task list`.
//!
//! The header tells the columns. Rows are cut at the header's columns, since cells may be empty; rows that were
//! shifted by pasting are cut at wide gaps.

use super::block::{Block, MAX_EVENTS, fields, is_boundary};
use super::{Context, Document, Progress, Sample, StateEvent};
use cells::{Column, box_cells, titles, wide_cells, word_cells};
use meaning::row_event;
use samples::SAMPLES;

mod cells;
mod meaning;
mod samples;

/// Columns are parted by wide gaps.
const WIDE: u8 = 0;
/// `qm list`: columns are parted by any blanks.
const QM: u8 = 1;
/// `pvesm status`: the same.
const PVESM: u8 = 2;
/// Columns are parted by drawn lines.
const BOX: u8 = 3;

/// First words of headers, besides those of `qm list` and `pvesm status`.
const FIRST: &[&[u8]] = &[
    b"NODE",
    b"NAMESPACE",
    b"NAME",
    b"ID",
    b"LAST",
    b"SERVICE",
    b"FILESYSTEM",
    b"PID",
    b"CONTAINER",
    b"REPOSITORY",
    b"IMAGE",
];

/// A header and rows.
pub(super) struct Table;

impl Document for Table {
    fn name(&self) -> &'static str {
        "table"
    }

    fn begins_with(&self, byte: u8) -> bool {
        matches!(byte, b'N' | b'I' | b'L' | b'S' | b'F' | b'P' | b'C' | b'R' | b'V' | b' ' | b'+' | 0xE2)
    }

    fn begins(&self, line: &[u8]) -> bool {
        header_shape(line).is_some()
    }

    fn start(&self, line: &[u8]) -> Progress {
        Progress { shape: header_shape(line).unwrap_or(WIDE), ..Progress::first() }
    }

    fn continues(&self, progress: &mut Progress, line: &[u8]) -> bool {
        progress.lines = progress.lines.saturating_add(1);
        match progress.shape {
            QM => is_qm_row(line),
            PVESM => is_pvesm_row(line),
            BOX => is_box_line(line),
            _ => is_wide_row(line) && !is_wide_header(line.trim_ascii()),
        }
    }

    fn events(&self, block: &str, context: &Context) -> Vec<StateEvent> {
        let block = Block::new(block);
        match header_shape(block.line(0).as_bytes()) {
            Some(BOX) => box_events(&block, context),
            Some(shape) => wide_events(&block, shape, context),
            None => Vec::new(),
        }
    }

    fn samples(&self) -> &'static [Sample] {
        SAMPLES
    }
}

/// The shape of the table whose header this is.
fn header_shape(line: &[u8]) -> Option<u8> {
    let text = line.trim_ascii();
    match text.first()? {
        b'+' => (text.len() > 4 && text.iter().all(|b| matches!(b, b'+' | b'-'))).then_some(BOX),
        0xE2 => text.starts_with("┌─".as_bytes()).then_some(BOX),
        b'V' => (text.starts_with(b"VMID ") && memchr::memmem::find(text, b" NAME ").is_some()).then_some(QM),
        b'N' if text.starts_with(b"Name ") => is_pvesm_header(text).then_some(PVESM),
        _ => is_wide_header(text).then_some(WIDE),
    }
}

fn is_pvesm_header(text: &[u8]) -> bool {
    [&b" Type "[..], b" Status ", b" Total "].iter().all(|w| memchr::memmem::find(text, w).is_some())
}

/// Capitals only, and three columns or more.
fn is_wide_header(text: &[u8]) -> bool {
    let word = text.split(|b| matches!(b, b' ' | b'\t')).next().unwrap_or_default();
    FIRST.contains(&word)
        && text.len() < 1000
        && text.iter().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b" \t()*-_/%".contains(b))
        && wide_fields(text) >= 3
}

/// How many fields with wide gaps between them.
fn wide_fields(text: &[u8]) -> usize {
    let (mut count, mut gap) = (0, 2);
    for byte in text {
        match byte {
            b'\t' => gap = 2,
            b' ' => gap += 1,
            _ => {
                count += usize::from(gap >= 2);
                gap = 0;
            }
        }
    }
    count
}

fn is_wide_row(line: &[u8]) -> bool {
    let dated = line.get(..5).is_some_and(|d| d.iter().take(4).all(u8::is_ascii_digit) && d.ends_with(b"-"));
    !dated && !is_boundary(line) && !matches!(line.first(), Some(b'{' | b'[' | b'`') | None) && wide_fields(line) >= 3
}

fn is_qm_row(line: &[u8]) -> bool {
    let mut words = line.split(u8::is_ascii_whitespace).filter(|w| !w.is_empty());
    words.next().is_some_and(|w| w.len() <= 9 && w.iter().all(u8::is_ascii_digit)) && words.count() >= 2
}

fn is_pvesm_row(line: &[u8]) -> bool {
    let mut words = line.split(u8::is_ascii_whitespace).filter(|w| !w.is_empty());
    words.nth(2).is_some_and(|w| matches!(w, b"active" | b"inactive" | b"disabled" | b"unknown"))
}

fn is_box_line(line: &[u8]) -> bool {
    let text = line.trim_ascii();
    ["│", "├", "╞", "└", "|", "+"].iter().any(|c| text.starts_with(c.as_bytes())) && !text.starts_with("├──".as_bytes())
}

/// The events of a table without drawn lines.
fn wide_events(block: &Block, shape: u8, context: &Context) -> Vec<StateEvent> {
    let header = block.line(0);
    let columns: Vec<Column> = match shape {
        WIDE => fields(header).into_iter().map(|(start, title)| Column::new(start, title)).collect(),
        _ => titles(header).into_iter().map(|title| Column::new(0, &title)).collect(),
    };
    let cut = |row: &str| match shape {
        WIDE => wide_cells(row, &columns),
        _ => word_cells(row, columns.len()),
    };
    let rows = block.lines().skip(1).filter(|(_, row)| *row != header && !row.trim().is_empty());
    rows.take(MAX_EVENTS)
        .map(|(index, row)| (index, row.trim(), cut(row)))
        .map(|(index, row, cells)| block.event(row_event(&columns, &cells, row, context), index, index + 1))
        .collect()
}

/// The events of a table with drawn lines.
fn box_events(block: &Block, context: &Context) -> Vec<StateEvent> {
    let mut rows = block.lines().filter_map(|(index, line)| Some((index, line, box_cells(line)?)));
    let Some((_, _, titles)) = rows.next() else { return Vec::new() };
    let columns: Vec<Column> = titles.iter().map(|title| Column::new(0, title)).collect();
    if columns.len() < 2 {
        return Vec::new();
    }
    rows.take(MAX_EVENTS)
        .map(|(index, line, cells)| {
            let row = line.trim_matches([' ', '│', '|']);
            block.event(row_event(&columns, &cells, row, context), index, index + 1)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use crate::state::testing::events;

    #[test]
    fn an_empty_cell_in_a_shifted_row_is_left_empty() {
        let text = "NODE            NAMESPACE   TYPE               ID     VERSION   TYPE        SIZE     DISCOVERED   LABEL   PARTITIONLABEL\n\
                    cp   runtime     DiscoveredVolume   sda4   1         partition   1.0 MB                        META\n";
        let found = events(text);
        let row = found.first().expect("a row");
        assert_eq!(row.get("partitionlabel"), Some("META"));
        assert_eq!(row.get("discovered"), Some(""));
    }

    #[test]
    fn two_tables_in_a_row_are_two_tables() {
        let text = "NAME   READY   STATUS    RESTARTS   AGE\na      1/1     Running   0          1d\nNAME   STATUS   ROLES    AGE   VERSION\nb      Ready    <none>   1d    v1.35.2\n";
        let found = events(text);
        let tables: Vec<_> = found.iter().map(|e| e.get("table").unwrap_or_default().to_owned()).collect();
        assert_eq!(tables, ["kubectl-pods", "kubectl-nodes"]);
    }
}
