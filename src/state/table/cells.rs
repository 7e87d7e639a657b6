//! Cuts the lines of a table into cells: at the columns of the header, at blanks, or at drawn lines.

use super::super::block::fields;

/// A distance that no field has.
const FAR: i64 = i64::MAX / 2;

/// A column: where it starts (in characters) and its name.
pub(super) struct Column {
    start: usize,
    pub(super) name: String,
}

impl Column {
    pub(super) fn new(start: usize, title: &str) -> Self {
        let name = match title {
            "*" => "event".to_owned(),
            _ => title.to_lowercase().replace(' ', "_"),
        };
        Self { start, name }
    }
}

/// The cells between drawn lines; nothing for lines that only draw.
pub(super) fn box_cells(line: &str) -> Option<Vec<String>> {
    let line = line.trim();
    let (first, mark) = if line.starts_with('│') { ("│", '│') } else { ("|", '|') };
    let inner = line.strip_prefix(first)?.trim_end_matches(mark);
    Some(inner.split(mark).map(|c| c.trim().to_owned()).collect())
}

/// The titles of a header whose columns are parted by single blanks; a unit belongs to the word before it.
pub(super) fn titles(header: &str) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for word in header.split_whitespace() {
        match out.last_mut() {
            Some(last) if word.starts_with('(') => {
                last.push(' ');
                last.push_str(word);
            }
            _ => out.push(word.to_owned()),
        }
    }
    out
}

/// Cells of a row whose columns are parted by any blanks.
pub(super) fn word_cells(row: &str, count: usize) -> Vec<String> {
    row.split_whitespace().take(count).map(str::to_owned).collect()
}

/// Cells of a row whose columns are parted by wide gaps and may be empty.
pub(super) fn wide_cells(row: &str, columns: &[Column]) -> Vec<String> {
    if let Some(cells) = aligned_cells(row, columns) {
        return cells;
    }
    let found = fields(row);
    let starts: Vec<usize> = found.iter().take(columns.len()).map(|(start, _)| *start).collect();
    let mut shifts: Vec<i64> = starts.last().map_or(Vec::new(), |last| {
        columns.iter().skip(starts.len().saturating_sub(1)).map(|c| signed(*last) - signed(c.start)).collect()
    });
    shifts.push(0);
    let best = shifts.iter().map(|shift| assign(&starts, columns, *shift)).min_by_key(|(cost, _)| *cost);
    let places = best.map(|(_, places)| places).unwrap_or_default();
    let mut cells = vec![String::new(); columns.len()];
    for (index, (_, text)) in found.iter().enumerate() {
        let place = places.get(index).copied().unwrap_or(columns.len().saturating_sub(1));
        let Some(cell) = cells.get_mut(place) else { break };
        if !cell.is_empty() {
            cell.push_str("  ");
        }
        cell.push_str(text);
    }
    cells
}

/// A column as a number that can be negative.
fn signed(column: usize) -> i64 {
    i64::try_from(column).unwrap_or(i64::MAX)
}

/// Puts fields into columns in their order, so that they stand as near to them as can be when the row (but for its
/// first field) is shifted by `shift`: the distance in all, and the column of each field.
fn assign(starts: &[usize], columns: &[Column], shift: i64) -> (i64, Vec<usize>) {
    // costs[i][j]: the smallest distance of the first i fields in the first j columns.
    let mut costs: Vec<Vec<i64>> = vec![vec![0; columns.len() + 1]];
    for (index, start) in starts.iter().enumerate() {
        let by = if index == 0 { 0 } else { shift };
        let above = costs.last().map(Vec::as_slice).unwrap_or_default();
        let mut least = FAR;
        let mut row = vec![FAR];
        for (column, before) in columns.iter().zip(above) {
            least = least.min(before.saturating_add((signed(*start) - signed(column.start) - by).abs()));
            row.push(least);
        }
        costs.push(row);
    }
    let cost = |fields: usize, place: usize| costs.get(fields).and_then(|r| r.get(place)).copied().unwrap_or(FAR);
    let mut places = vec![0; starts.len()];
    let mut place = columns.len();
    for (index, slot) in places.iter_mut().enumerate().rev() {
        while place > 1 && cost(index + 1, place - 1) == cost(index + 1, place) {
            place -= 1;
        }
        place = place.saturating_sub(1);
        *slot = place;
    }
    (cost(starts.len(), columns.len()), places)
}

/// Cells of a row that stands under its header.
fn aligned_cells(row: &str, columns: &[Column]) -> Option<Vec<String>> {
    if row.contains('\t') {
        return None;
    }
    let places: Vec<usize> = row.char_indices().map(|(at, _)| at).collect();
    let byte = |column: usize| places.get(column).copied().unwrap_or(row.len());
    let mut cells = Vec::with_capacity(columns.len());
    for (index, column) in columns.iter().enumerate() {
        let from = if index == 0 { 0 } else { column.start };
        let to = columns.get(index + 1).map_or(usize::MAX, |c| c.start);
        let cell = row.get(byte(from)..byte(to)).unwrap_or_default();
        let last = to == usize::MAX;
        if !last && (!(cell.is_empty() || cell.ends_with(' ')) || cell.trim().contains("  ")) {
            return None;
        }
        cells.push(cell.trim().to_owned());
    }
    Some(cells)
}
