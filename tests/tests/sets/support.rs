//! Plugins that import each other, and a host that must stay the same whenever it refuses something.
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

/// The properties that have to be the same before and after a refusal.
#[derive(Debug, PartialEq)]
struct Look {
    listing: serde_json::Value,
    /// The answers of those plugins that can trace their imports.
    answers: Vec<String>,
}

impl Set {
    pub fn open(plugins: &[(&'static str, Vec<u8>)]) -> Self {
        Set::with(plugins, |builder| builder)
    }

    /// Does the same with settings.
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
        fs::remove_file(self.stage.file(name)).expect("the plugin is installed");
    }

    /// Returns the answer of the last plugin of a chain.
    pub fn trace(&self, plugin: &str) -> String {
        let answer = self.stage.swapper.invoke(plugin, "trace", &[]);
        answer.expect("the call succeeds").to_string()
    }

    /// Returns the error of a reload, and its text. A host that opens the directory now gets the same error.
    pub fn refuses(&self) -> (ReloadError, String) {
        let (error, text) = self.refuses_to(|swapper| swapper.reload());
        let desk = Arc::new(Desk::default());
        let opened = Swapper::builder()
            .plugin_dir(self.stage.dir())
            .provide::<dyn shapes::Desk>(desk.clone())
            .open();
        let at_open = opened.err().expect("the directory is refused");
        assert_eq!(self.redacted(&at_open), text);
        freed_in_reverse(&desk.told(), 1);
        (error, text)
    }

    /// Returns the error of another action that makes a generation, and its text. Checks that nothing has changed, and
    /// that nothing is left.
    pub fn refuses_to(
        &self,
        make: impl FnOnce(&Swapper) -> Result<Report, ReloadError>,
    ) -> (ReloadError, String) {
        self.stage.desk.told();
        let error = make(&self.stage.swapper).expect_err("the reload is refused");
        let text = self.redacted(&error);
        assert_eq!(look(&self.stage.swapper), self.before, "{text}");
        assert!(text.lines().count() <= 6, "{text}");
        // The reload has waited, so the test does not have to.
        for retirement in self.stage.swapper.retirements() {
            assert_eq!(retirement.state, RetirementState::Gone, "{retirement}");
        }
        self.stage.settle();
        freed_in_reverse(&self.stage.desk.told(), self.stage.swapper.generation() + 1);
        (error, text)
    }

    /// Returns the text of an error, without the parts that differ from run to run.
    pub fn redacted(&self, error: &dyn std::error::Error) -> String {
        let dir = self.stage.dir().to_str().expect("the path is UTF-8");
        error.to_string().replace(dir, "<dir>")
    }

    /// Puts the first builds back, and checks that the host goes on as before.
    pub fn restored(self) {
        let files = fs::read_dir(self.stage.dir()).expect("the directory can be listed");
        for file in files {
            fs::remove_file(file.expect("the directory can be listed").path())
                .expect("the file can be removed");
        }
        for (name, library) in &self.plugins {
            self.install(name, library);
        }
        let report = self
            .stage
            .swapper
            .reload()
            .expect("the restored set is accepted");
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
        listing: serde_json::to_value(listing).expect("the listing can be serialized"),
    }
}

/// Returns the plugins that told of this hook, in this order.
pub fn told_of<'t>(told: &'t [String], hook: &str) -> Vec<&'t str> {
    let words = told.iter().map(|told| told.splitn(3, ' '));
    let plugins = words.filter_map(|mut words| Some((words.nth(1)?, words.next()?)));
    let these = plugins.filter(|(_, told)| *told == hook);
    these.map(|(name, _)| name).collect()
}

/// Checks that the instances of this generation have been freed, the last one first, without having been live, and that
/// no other instance has run a hook.
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
