//! Tests of the whole: the binary as people run it, and the promises of the documents.
fn main() {}
