//! A gzip file that unfolds to itself, byte for byte, built here: whoever unpacks what is packed never ends.
//!
//! The construction is the one of Russ Cox, "Zip Files All The Way Down" (2010): a program of two instructions that are all of
//! one length, *literal* (a stored block) and *repeat* (a block that copies what was just written), prints itself together with
//! a header before it and a trailer behind it. The trailer holds the check sum of the whole file, itself included: since
//! the sum is linear in these bits, that is a system of 32 equations.

use std::io::Read;

use super::testing::{RawMember, raw_zip, visit_bytes, visit_piped};
use super::{Limits, ProblemKind, Visited};
use crate::decode::testing::gzip;

/// Bytes of an instruction.
const UNIT: usize = 5;

/// Prints the next `bytes` bytes of the program: a stored block begins.
fn literal(bytes: usize) -> Vec<u8> {
    let length = bytes as u16;
    [&[0][..], &length.to_le_bytes(), &(!length).to_le_bytes()].concat()
}

/// Prints the last `bytes` bytes once more, 17 to 20 of them: a block with fixed codes that is exactly one unit long.
fn repeat(bytes: usize) -> Vec<u8> {
    let (mut bits, mut used) = (0u64, 0);
    let mut put = |value: u64, width: u32| {
        bits |= value << used;
        used += width;
    };
    // Codes stand with their highest bit first, all other numbers with their lowest.
    let code = |value: u64, width: u32| value.reverse_bits() >> (64 - width);
    put(0b010, 3);
    for length in [10, bytes - 10] {
        // Lengths of 3 to 10 have the symbols 257 to 264, in 7 bits.
        put(code(length as u64 - 2, 7), 7);
        // Distances of 17 to 24 have the symbol 8, in 5 bits, and 3 bits more.
        put(code(8, 5), 5);
        put(bytes as u64 - 17, 3);
    }
    put(0, 7);
    assert_eq!(used as usize, UNIT * 8);
    bits.to_le_bytes().into_iter().take(UNIT).collect()
}

/// The file with this check sum in it.
fn with_sum(sum: u32) -> Vec<u8> {
    // A name makes the header as long as `repeat` wants it.
    let header = b"\x1f\x8b\x08\x08\0\0\0\0\0\xffq\0".to_vec();
    let file = |length: u32| {
        let trailer = [&b"\x01\0\0\xff\xff"[..], &sum.to_le_bytes(), &length.to_le_bytes()].concat();
        let (p, s) = (header.len() + UNIT, trailer.len() + UNIT);
        let (lp, rp, ls, rs) = (literal(p), repeat(p), literal(s), repeat(s));
        let (l0, l1, l4, r4) = (literal(0), literal(UNIT), literal(4 * UNIT), repeat(4 * UNIT));
        let program: [&[&[u8]]; 13] = [
            &[&header],
            &[&lp, &header, &lp],
            &[&rp],
            &[&l1, &rp],
            &[&l1, &l1],
            &[&l4, &rp, &l1, &l1, &l4],
            &[&r4],
            &[&l4, &r4, &l4, &r4, &l4],
            &[&r4],
            &[&l4, &r4, &l0, &l0, &ls],
            &[&r4],
            &[&l0, &l0, &ls, &rs, &trailer],
            &[&rs, &trailer],
        ];
        program.concat().concat()
    };
    let length = file(0).len() as u32;
    file(length)
}

/// The sum of the file in which `sum` stands.
fn sum_with(sum: u32) -> u32 {
    let mut crc = flate2::Crc::new();
    crc.update(&with_sum(sum));
    crc.sum()
}

/// The check sum that makes the file hold its own: `sum_with(x) = x`, solved bit by bit.
fn own_sum() -> u32 {
    let base = sum_with(0);
    // Each row: which bits of x add up, and to what.
    let column = |bit: u32| sum_with(1 << bit) ^ base ^ (1 << bit);
    let columns: Vec<u32> = (0..32).map(column).collect();
    let row = |bit: u32| {
        let holds = columns.iter().enumerate().filter(|(_, column)| *column >> bit & 1 == 1);
        (holds.fold(0u32, |row, (at, _)| row | 1 << at), base >> bit & 1)
    };
    let mut rows: Vec<(u32, u32)> = (0..32).map(row).collect();
    let mut solution = 0;
    for bit in 0..32 {
        let at = (bit..32).find(|at| rows[*at].0 >> bit & 1 == 1).expect("a solution");
        rows.swap(bit, at);
        let pivot = rows[bit];
        for (index, row) in rows.iter_mut().enumerate() {
            if index != bit && row.0 >> bit & 1 == 1 {
                *row = (row.0 ^ pivot.0, row.1 ^ pivot.1);
            }
        }
    }
    for (bit, (_, value)) in rows.iter().enumerate() {
        solution |= value << bit;
    }
    solution
}

fn quine() -> Vec<u8> {
    with_sum(own_sum())
}

#[test]
fn the_quine_unfolds_to_itself() {
    let bytes = quine();
    let mut plain = Vec::new();
    flate2::read::GzDecoder::new(&*bytes).read_to_end(&mut plain).expect("a whole gzip file");
    assert!(plain == bytes, "{} bytes unfold to {} others", bytes.len(), plain.len());
}

#[test]
fn a_quine_is_opened_up_to_the_limit_and_costs_nothing_beside_it() {
    let whole = Limits::default;
    let limit = [(ProblemKind::Limit, "x".to_owned())];
    let bytes = quine();
    for found in [visit_bytes("x", &bytes, whole()), visit_piped(&bytes, whole())] {
        assert_eq!(found.visited, Visited { sources: 0, empty: 0, problems: 1 });
        assert!(found.message(ProblemKind::Limit).contains("nested more than 6 deep"), "{:?}", found.problems);
    }
    assert_eq!(visit_bytes("x", &bytes, whole()).kinds(), limit);
    let members = [RawMember::new("a.gz", 0, &bytes), RawMember::new("b.log", 0, b"text\n")];
    let beside = visit_bytes("x", &raw_zip(&members), whole());
    assert_eq!(beside.labels(), ["x!/b.log"]);
    assert_eq!(beside.kinds(), [(ProblemKind::Limit, "x!/a.gz".to_owned())]);
    // Wrapped once more it is not another one.
    assert_eq!(visit_bytes("x", &gzip(&bytes), whole()).kinds(), limit);
}
