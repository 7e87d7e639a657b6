//! A target for the fuzzer, and a `main` that replays files for every other build.

/// `target!(body)`: hands bytes to one function of `bodies.rs`.
macro_rules! target {
    ($body:path) => {
        #[cfg(fuzzing)]
        libfuzzer_sys::fuzz_target!(|bytes: &[u8]| $body(bytes));

        #[cfg(not(fuzzing))]
        fn main() {
            for path in std::env::args_os().skip(1) {
                let bytes = std::fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
                $body(&bytes);
            }
        }
    };
}
