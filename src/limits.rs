//! Every cap on what is read, in one struct, so that hostile input ends in a report and never in a dead process.
//!
//! The limits are values: nothing here reads, counts or reports. Whoever enforces one of them says so in a
//! problem, with the number. Invariant: a source within all limits is read whole; a source that breaks one
//! keeps what was read up to that point.

/// The caps on reading. `Limits::default()` holds the values for production; tests set small ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one line that are kept; the rest of a longer line is skipped.
    pub line: usize,
    /// Bytes of one state document (YAML, JSON) that is read as a document.
    pub document: usize,
    /// Bytes that one member of an archive, or one compressed or encrypted file, may unfold to.
    pub member: u64,
    /// Bytes that all decoders together may produce in one run.
    pub total: u64,
    /// How many bytes a decoder may produce for each byte it takes in.
    pub ratio: u64,
    /// Bytes of output before [`Limits::ratio`] is judged.
    pub ratio_after: u64,
    /// Members read from one archive.
    pub members: usize,
    /// Containers within containers. An archive directly inside a compression or an encryption is one level
    /// together with it: `tar.gz` and `zip.age` count once.
    pub nesting: usize,
    /// Bytes of a source's label; a longer one is shortened, its content is read all the same.
    pub path: usize,
    /// Files taken from the directories and paths of one run.
    pub files: usize,
    /// Bytes of a zip that are held in memory when it cannot be read by seeking (standard input, or inside
    /// another container). A bigger one is read in one pass, member by member.
    pub zip_buffer: usize,
    /// Bytes of an e-mail, attachments included. It is held in memory.
    pub mail: usize,
    /// Bytes of memory that a decoder may ask for its window (xz, zstd).
    pub window: u64,
    /// Bytes of a long-name or attribute record of a tar that are kept.
    pub tar_record: usize,
    /// Notes of one kind (empty members, say) made for one archive one by one; the others are only counted.
    pub notes: usize,
    /// The greatest work factor (log2 of N) accepted for a passphrase: 20 asks for 1 GiB of memory.
    pub passphrase_work: u8,
}

const KIB: u64 = 1 << 10;
const MIB: u64 = KIB << 10;
const GIB: u64 = MIB << 10;

impl Default for Limits {
    fn default() -> Self {
        Self {
            line: 1 << 20,
            document: 8 << 20,
            member: 4 * GIB,
            total: 16 * GIB,
            ratio: 1000,
            ratio_after: 64 * MIB,
            members: 100_000,
            nesting: 6,
            path: 4096,
            files: 1_000_000,
            zip_buffer: 8 << 20,
            mail: 64 << 20,
            window: 128 * MIB,
            tar_record: 64 << 10,
            notes: 100,
            passphrase_work: 20,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_default_to_the_documented_values() {
        let limits = Limits::default();
        assert_eq!(limits.line, 1024 * 1024);
        assert_eq!(limits.document, 8 * 1024 * 1024);
        assert_eq!(limits.member, 4 * 1024 * 1024 * 1024);
        assert_eq!(limits.total, 16 * 1024 * 1024 * 1024);
        assert_eq!((limits.ratio, limits.ratio_after), (1000, 64 * 1024 * 1024));
        assert_eq!((limits.members, limits.nesting, limits.path), (100_000, 6, 4096));
    }
}
