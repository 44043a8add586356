//! Plugins that need each other, and a host that must not notice what it refuses.
pub use hotswap_tests::links::*;

use hotswap_host::prelude::*;
use hotswap_host::{Builder, RetirementState};
use hotswap_tests::{Desk, Stage};
use std::fs;
use std::sync::Arc;

/// The summit imports the middle, which imports the bottom.
pub fn chain() -> [(&'static str, Vec<u8>); 3] {
    [
        ("bottom", bottom()),
        ("middle", middle()),
        ("summit", summit()),
    ]
}

/// A host that serves a set of plugins.
pub struct Set {
    pub stage: Stage,
    plugins: Vec<(&'static str, Vec<u8>)>,
    before: Look,
}

/// What must be the same before and after.
#[derive(Debug, PartialEq)]
struct Look {
    listing: serde_json::Value,
    /// What the plugins answer that can trace what they import.
    answers: Vec<String>,
}

impl Set {
    pub fn open(plugins: &[(&'static str, Vec<u8>)]) -> Self {
        Set::with(plugins, |builder| builder)
    }

    /// The same with settings.
    pub fn with(
        plugins: &[(&'static str, Vec<u8>)],
        settings: impl FnOnce(Builder) -> Builder,
    ) -> Self {
        let borrowed: Vec<_> = plugins
            .iter()
            .map(|(name, file)| (*name, &**file))
            .collect();
        let stage = Stage::with(&borrowed, settings);
        stage.desk.told();
        Set {
            before: look(&stage.swapper),
            plugins: plugins.to_vec(),
            stage,
        }
    }

    /// Serves the [`chain`].
    pub fn chain() -> Self {
        Set::open(&chain())
    }

    pub fn install(&self, name: &str, library: &[u8]) {
        self.stage.install(name, library);
    }

    pub fn remove(&self, name: &str) {
        fs::remove_file(self.stage.file(name)).expect("it is there");
    }

    /// What the last of a chain answers.
    pub fn trace(&self, plugin: &str) -> String {
        let answer = self.stage.swapper.invoke(plugin, "trace", &[]);
        answer.expect("it answers").to_string()
    }

    /// The error of a reload, and its text. A host that opens the directory as it is now says the same.
    pub fn refuses(&self) -> (ReloadError, String) {
        let (error, text) = self.refuses_to(|swapper| swapper.reload());
        let desk = Arc::new(Desk::default());
        let opened = Swapper::builder()
            .plugin_dir(self.stage.dir())
            .provide::<dyn shapes::Desk>(desk.clone())
            .open();
        let at_open = opened.err().expect("it is refused");
        assert_eq!(self.redacted(&at_open), text);
        freed_in_reverse(&desk.told(), 1);
        (error, text)
    }

    /// The error of something else that makes a generation, and its text. Nothing has changed, and nothing is left.
    pub fn refuses_to(
        &self,
        make: impl FnOnce(&Swapper) -> Result<Report, ReloadError>,
    ) -> (ReloadError, String) {
        self.stage.desk.told();
        let error = make(&self.stage.swapper).expect_err("it is refused");
        let text = self.redacted(&error);
        assert_eq!(look(&self.stage.swapper), self.before, "{text}");
        assert!(text.lines().count() <= 6, "{text}");
        // Without a wait: the reload has waited.
        for retirement in self.stage.swapper.retirements() {
            assert_eq!(retirement.state, RetirementState::Gone, "{retirement}");
        }
        self.stage.settle();
        freed_in_reverse(&self.stage.desk.told(), self.stage.swapper.generation() + 1);
        (error, text)
    }

    /// What an error says, without what differs from run to run.
    pub fn redacted(&self, error: &dyn std::error::Error) -> String {
        let dir = self.stage.dir().to_str().expect("a path that is text");
        error.to_string().replace(dir, "<dir>")
    }

    /// Puts back what was there at first: the host goes on as if nothing had been.
    pub fn restored(self) {
        let files = fs::read_dir(self.stage.dir()).expect("it can be listed");
        for file in files {
            fs::remove_file(file.expect("it can be listed").path()).expect("it can be removed");
        }
        for (name, library) in &self.plugins {
            self.install(name, library);
        }
        let report = self.stage.swapper.reload().expect("all is well again");
        assert!(!report.changed(), "{report}");
        assert_eq!(look(&self.stage.swapper), self.before);
        self.stage.close();
    }
}

fn look(swapper: &Swapper) -> Look {
    let listing = swapper.listing();
    let answer = |name: &str| format!("{name}: {:?}", swapper.invoke(name, "trace", &[]));
    Look {
        answers: listing
            .plugins
            .iter()
            .map(|plugin| answer(plugin.name.as_str()))
            .collect(),
        listing: serde_json::to_value(listing).expect("it can be written"),
    }
}

/// The plugins that told of this hook, in this order.
pub fn told_of<'t>(told: &'t [String], hook: &str) -> Vec<&'t str> {
    let words = told.iter().map(|told| told.splitn(3, ' '));
    let plugins = words.filter_map(|mut words| Some((words.nth(1)?, words.next()?)));
    let these = plugins.filter(|(_, told)| *told == hook);
    these.map(|(name, _)| name).collect()
}

/// Those that were made for this generation have been freed, the last first, and have not been live; no others have
/// noticed anything.
fn freed_in_reverse(told: &[String], generation: u64) {
    let these = format!("{generation} ");
    assert!(told.iter().all(|told| told.starts_with(&these)), "{told:?}");
    let mut made = told_of(told, "new");
    made.reverse();
    assert_eq!(told_of(told, "on_free"), made, "{told:?}");
    assert_eq!(told_of(told, "drop"), made, "{told:?}");
    for hook in ["on_start", "on_stop"] {
        assert_eq!(told_of(told, hook), [""; 0], "{told:?}");
    }
}
