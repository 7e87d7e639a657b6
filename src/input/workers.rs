//! Works on many things at once, on no more threads than there may be, however deep the things lie in each other.
//!
//! These threads are not those of rayon: one of those, when it waits for a part of its work, begins with another thing
//! and holds the buffers of both, of a third, and so on. Invariant: as many things are open at once as there are threads.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// The threads that may still be started.
#[derive(Debug)]
pub(super) struct Workers {
    threads: Option<usize>,
    /// Counted when more than one thing is to be worked on: asking rayon starts its threads.
    free: OnceLock<AtomicUsize>,
}

impl Workers {
    /// So many threads at the most, that of the caller among them; else as many as rayon has.
    pub fn new(threads: Option<usize>) -> Self {
        Self { threads, free: OnceLock::new() }
    }

    /// Calls `work` once for each of `items`, on this thread and on as many others as are free.
    pub fn each<T: Sync>(&self, items: &[T], work: impl Fn(usize, &T) + Sync) {
        let next = AtomicUsize::new(0);
        let run = || {
            loop {
                let index = next.fetch_add(1, Ordering::Relaxed);
                let Some(item) = items.get(index) else { return };
                work(index, item);
            }
        };
        thread::scope(|scope| {
            for _ in 1..items.len() {
                if !self.take() {
                    break;
                }
                let help = || {
                    run();
                    self.give_back();
                };
                // Without another thread it only takes longer.
                if thread::Builder::new().name("read".into()).spawn_scoped(scope, help).is_err() {
                    self.give_back();
                    break;
                }
            }
            run();
        });
    }

    fn free(&self) -> &AtomicUsize {
        self.free.get_or_init(|| {
            let threads = self.threads.unwrap_or_else(rayon::current_num_threads);
            AtomicUsize::new(threads.saturating_sub(1))
        })
    }

    fn take(&self) -> bool {
        self.free().fetch_update(Ordering::Relaxed, Ordering::Relaxed, |free| free.checked_sub(1)).is_ok()
    }

    fn give_back(&self) {
        self.free().fetch_add(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    /// The most things that were worked on at once, and how often each was.
    fn count(threads: usize, items: usize) -> (usize, Vec<usize>) {
        let workers = Workers::new(Some(threads));
        let numbers: Vec<usize> = (0..items).collect();
        let (open, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let seen = Mutex::new(vec![0; items * items]);
        workers.each(&numbers, |_, outer| {
            workers.each(&numbers, |_, inner| {
                most.fetch_max(open.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                rayon::join(thread::yield_now, thread::yield_now);
                seen.lock().unwrap()[outer * items + inner] += 1;
                open.fetch_sub(1, Ordering::SeqCst);
            });
        });
        assert_eq!(workers.free().load(Ordering::Relaxed), threads.max(1) - 1, "threads were lost");
        (most.into_inner(), seen.into_inner().unwrap())
    }

    #[test]
    fn everything_is_done_once_on_no_more_threads_than_there_may_be() {
        for threads in [0, 1, 2, 5] {
            let (most, seen) = count(threads, 12);
            assert!(most <= threads.max(1), "{most} at once on {threads} threads");
            assert!(seen.iter().all(|n| *n == 1), "{seen:?}");
        }
    }
}
