//! One row of the table: a build is called, replaced, and watched, once for each way in which a thread may behave.
use crate::caller::Caller;
use crate::outcome::Outcome;
use hotswap_host::Retirement;
use hotswap_host::artifact::BuildId;
use hotswap_host::prelude::*;
use hotswap_tests::fixture::{Build, variant};
use hotswap_tests::{LIMIT, Stage, process};
use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Something that a plugin does, and the outcome.
#[derive(Clone, Copy)]
pub struct Row {
    /// The name of the row in calls of `act`.
    pub act: &'static str,
    /// The name of the row in the table.
    pub what: &'static str,
    /// The way in which the plugin is built.
    pub build: Build,
    /// The plugin.
    pub plugin: &'static str,
    /// The outcome while a thread that has called the plugin neither calls again nor ends.
    pub idle: Outcome,
    /// The outcome after all threads have done either.
    pub then: Outcome,
}

/// A host that replaces builds of the row's plugin.
struct Pen<'r> {
    row: &'r Row,
    stage: Stage,
    library: Vec<u8>,
    builds: usize,
}

/// The function that each plugin of the zoo has. Its answer names the build that was live.
type Act = Function<fn(&str, &str) -> hotswap_plugin::Result<String>>;

impl Row {
    /// Checks the row. Panics on any other outcome than that of the table.
    pub fn check(&self) {
        let library = self.build.bytes(self.plugin);
        let stage = Stage::with(&[(self.plugin, &library)], |builder| {
            builder.retire_limit(Duration::from_millis(20))
        });
        let mut pen = Pen {
            row: self,
            stage,
            library,
            builds: 0,
        };
        pen.thread_ends_before();
        pen.thread_ends_between_or_after();
        pen.thread_calls_again();
        pen.thread_calls_while_it_ends();
        pen.thread_calls_the_next_build_while_it_ends();
        pen.host_shuts_down();
    }
}

impl Pen<'_> {
    /// A thread calls and ends, and then the build is replaced.
    fn thread_ends_before(&mut self) {
        let caller = Caller::start();
        caller.run(self.call());
        caller.end();
        let old = self.swap();
        self.ends(old, "a thread that ended before");
    }

    /// A thread that has called ends after the build was replaced: also after it has left, unless the thread holds it.
    fn thread_ends_between_or_after(&mut self) {
        let caller = Caller::start();
        caller.run(self.call());
        let old = self.swap();
        self.expect(self.row.idle, old, "a thread that does nothing");
        caller.end();
        self.ends(old, "a thread that ended after");
    }

    /// A thread that has called calls the next build.
    fn thread_calls_again(&mut self) {
        let caller = Caller::start();
        caller.run(self.call());
        let old = self.swap();
        // One call is not enough if the host has not asked the thread yet.
        let pin = || {
            let swapper = self.stage.swapper.clone();
            caller.run(move || drop(swapper.pin()));
        };
        self.ends_while(old, "a thread that calls again", pin);
        caller.end();
    }

    /// A thread's first call, and its last one, comes from the destructor of one of the host's thread-locals.
    fn thread_calls_while_it_ends(&mut self) {
        let caller = Caller::start();
        caller.at_end(self.call());
        caller.end();
        let caller = Caller::start();
        caller.at_end(self.try_call());
        caller.run(self.call());
        caller.end();
        let old = self.swap();
        self.ends(old, "threads that called while they ended");
    }

    /// A thread that has called the replaced build calls the next one from such a destructor.
    fn thread_calls_the_next_build_while_it_ends(&mut self) {
        let caller = Caller::start();
        let swapper = self.stage.swapper.clone();
        caller.at_end(move || drop(swapper.pin()));
        caller.run(self.call());
        let old = self.swap();
        caller.end();
        self.ends(old, "a thread that called the next build while it ended");
    }

    /// A thread calls and ends, and then the host shuts down.
    fn host_shuts_down(self) {
        match self.row.then {
            // Each build was checked when it left.
            Outcome::Gone | Outcome::Debris => {
                let caller = Caller::start();
                caller.run(self.call());
                caller.end();
                self.stage.close();
            }
            // The last build was not called.
            Outcome::Locals | Outcome::Threads => self.stage.close(),
            Outcome::Kept(_) => {
                let late = self.stage.swapper.shutdown(LIMIT);
                assert_eq!(late.expect("the host shuts down").len(), 0);
            }
            // Nothing waits for those threads.
            Outcome::ForEver => {}
        }
    }

    /// Calls the live build, which has to answer.
    fn call(&self) -> impl FnOnce() + Send + use<> {
        let act = self.act();
        let (what, place) = (self.row.act, self.place());
        let number = format!("{} number {:04}", self.stage.live_build(), self.builds);
        move || assert_eq!(act.call(what, &place).expect("the call succeeds"), number)
    }

    /// Calls the live build, which may fail.
    fn try_call(&self) -> impl FnOnce() + Send + use<> {
        let act = self.act();
        let (what, place) = (self.row.act, self.place());
        // A thread-local that was dropped is not made again.
        move || _ = act.call(what, &place)
    }

    fn act(&self) -> Act {
        let act = self.stage.swapper.function(self.row.plugin, "act");
        act.expect("every plugin of the zoo has this function")
    }

    /// Makes a file for each build. Its name is also the name of a gate.
    fn place(&self) -> String {
        let place = self.place_of(self.builds);
        fs::write(&place, "").expect("the directory can be written");
        place.to_str().expect("the path is UTF-8").to_owned()
    }

    fn place_of(&self, build: usize) -> PathBuf {
        self.stage.dir().join(format!("{build}.place"))
    }

    /// Replaces the live build with the next one.
    fn swap(&mut self) -> BuildId {
        let old = self.stage.live_build();
        self.builds += 1;
        let next = variant(
            &self.library,
            "number 0000",
            &format!("number {:04}", self.builds),
        );
        self.stage.swap(self.row.plugin, &next);
        old
    }

    /// Checks that nothing but the row's outcome holds the build, until its cause ends.
    fn ends(&self, old: BuildId, why: &str) {
        self.ends_while(old, why, || {});
    }

    fn ends_while(&self, old: BuildId, why: &str, meanwhile: impl Fn()) {
        self.expect_while(self.row.then, old, why, &meanwhile);
        if self.row.then == Outcome::Threads {
            let gate = self.place_of(self.builds - 1);
            self.stage
                .desk
                .open(gate.to_str().expect("the path is UTF-8"));
            let why = format!("{why}, and threads of its own that ended");
            self.expect_while(Outcome::Gone, old, &why, &meanwhile);
        }
    }

    fn expect(&self, outcome: Outcome, old: BuildId, why: &str) {
        self.expect_while(outcome, old, why, &|| {});
    }

    fn expect_while(&self, outcome: Outcome, old: BuildId, why: &str, meanwhile: &impl Fn()) {
        let begin = Instant::now();
        loop {
            meanwhile();
            let now = self.retirement(old);
            if outcome.fits(&now) {
                break;
            }
            let never = now.state.is_end() || begin.elapsed() > LIMIT;
            assert!(!never, "with {why}: {now}; expected: {outcome}");
            std::thread::sleep(Duration::from_millis(1));
        }
        let left = self.left_of(old);
        match outcome {
            Outcome::Gone => assert_eq!(left, [""; 0], "with {why}"),
            Outcome::Debris => {
                let is_data =
                    |line: &String| line.contains(" r--p ") && line.ends_with("(deleted)");
                assert!(!left.is_empty() && left.iter().all(is_data), "{left:?}");
            }
            _ => {}
        }
    }

    fn retirement(&self, build: BuildId) -> Retirement {
        let all = self.stage.swapper.retirements();
        let this = all.into_iter().find(|r| r.build_id == build);
        this.expect("the build was replaced")
    }

    /// Returns the traces of a build that is gone: its mappings, its copy, and the files that it had opened.
    fn left_of(&self, build: BuildId) -> Vec<String> {
        let copy = format!("-{}-", build.short());
        let mapped = process::mapped_or_read_from(&process::host_dir_of(self.stage.dir()));
        let mapped = mapped.into_iter().chain(self.stage.copies());
        let mut left: Vec<_> = mapped.filter(|line| line.contains(&copy)).collect();
        let place = self.place_of(self.builds - 1);
        let open = fs::read_dir("/proc/self/fd").expect("descriptors can be listed");
        let open = open
            .flatten()
            .filter_map(|fd| fs::read_link(fd.path()).ok());
        left.extend(
            open.filter(|file| *file == place)
                .map(|file| file.display().to_string()),
        );
        left
    }
}
