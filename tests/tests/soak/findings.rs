//! The measurements of a host, and the limits that they have to keep.
use hotswap_host::UnloadMode;
use hotswap_tests::{LIMIT, Stage, process, setting};
use std::fmt;
use std::fs;

/// The number of MiB by which memory may grow, whatever the number of swaps, because threads and arenas of the
/// allocator come and go.
const GROWTH: u64 = 32;

/// The resources that a host uses while no build is on its way out of memory.
#[derive(Clone, Copy)]
pub struct Look {
    /// The number of libraries that are mapped and not live.
    left_mapped: usize,
    descriptors: usize,
    /// The number of files in the host's own directory.
    files: usize,
    memory: usize,
}

impl Look {
    pub fn at(stage: &Stage) -> Self {
        let late = stage.swapper.wait_retired(LIMIT);
        assert!(late.is_empty(), "{late:#?}");
        let host_dir = process::host_dir_of(stage.dir());
        let live = stage.swapper.listing().plugins.len();
        let files = fs::read_dir(&host_dir).expect("the directory can be read");
        Look {
            left_mapped: process::mapped_from(&host_dir).len() - live,
            descriptors: process::descriptors(),
            files: files.count(),
            memory: process::anonymous_memory(),
        }
    }
}

/// The results of a number of swaps.
pub struct Findings {
    pub mode: UnloadMode,
    pub swaps: u64,
    /// The number of calls by the threads that live on.
    pub answered: u64,
    /// The number of threads that were born, called, and died.
    pub born: u64,
    /// The number of calls that failed, and the first of them.
    pub failed: (u64, Vec<String>),
    /// The resources before the measured swaps.
    pub warm: Look,
    /// The resources after them.
    pub end: Look,
    /// The number of measured swaps.
    pub between: u64,
}

impl Findings {
    fn growth(&self) -> isize {
        self.end.memory as isize - self.warm.memory as isize
    }

    /// Checks the findings.
    ///
    /// # Panics
    /// Panics if a value is beyond its limit.
    pub fn check(&self) {
        let (warm, end) = (self.warm, self.end);
        assert_eq!(self.failed.0, 0, "{:#?}", self.failed.1);
        assert!(self.answered > self.swaps && self.born > self.swaps / 10);
        assert_eq!((warm.left_mapped, end.left_mapped), (0, 0));
        assert_eq!(end.descriptors, warm.descriptors);
        assert_eq!(end.files, warm.files);
        let limit = setting("HOTSWAP_TEST_GROWTH", GROWTH) << 20;
        assert!(self.growth() < limit as isize, "{} bytes", self.growth());
    }
}

impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (warm, end) = (self.warm, self.end);
        writeln!(
            f,
            "{:?}: {} swaps, {} calls, {} threads born",
            self.mode, self.swaps, self.answered, self.born
        )?;
        write!(
            f,
            "failed calls {}, left mapped {}, descriptors {} -> {}, files {} -> {}, resident memory {:+} bytes a swap",
            self.failed.0,
            end.left_mapped,
            warm.descriptors,
            end.descriptors,
            warm.files,
            end.files,
            self.growth() / self.between as isize
        )
    }
}
