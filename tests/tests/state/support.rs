//! A host whose plugins have state.
use hotswap_host::Signature;
use hotswap_host::prelude::*;
use hotswap_host::{Builder, Hold};
use hotswap_tests::Stage;
use hotswap_tests::fixture::{Build, ordered, renamed, variant};
use std::collections::HashMap;
use std::ops::Deref;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Calls functions of plugins through handles, on behalf of plugins.
#[derive(Default)]
pub struct Porter {
    swapper: Mutex<Option<Swapper>>,
    handles: Mutex<HashMap<(String, String), Function<fn() -> u64>>>,
    hold: Mutex<Option<Hold>>,
    stop: AtomicBool,
}

impl shapes::tills::Porter for Porter {
    fn call(&self, plugin: &str, function: &str) -> u64 {
        match function {
            "stop" => return self.stop.load(SeqCst).into(),
            "hold" => return self.hold(),
            _ => {}
        }
        let key = (plugin.to_owned(), function.to_owned());
        let known = self.handles.lock().unwrap().get(&key).cloned();
        let handle = known.unwrap_or_else(|| {
            let swapper = self.swapper.lock().unwrap().clone().unwrap();
            let handle: Function<fn() -> u64> = swapper.function(plugin, function).unwrap();
            self.handles.lock().unwrap().insert(key, handle.clone());
            handle
        });
        handle.call().expect("the call succeeds")
    }
}

impl Porter {
    /// Holds the live generation in place of the one that was held before.
    fn hold(&self) -> u64 {
        let swapper = self.swapper.lock().unwrap().clone().unwrap();
        let hold = swapper.pin().hold();
        let number = hold.number();
        *self.hold.lock().unwrap() = Some(hold);
        number
    }
}

/// A host with a [`Porter`].
pub struct House {
    stage: Stage,
    porter: Arc<Porter>,
}

impl Deref for House {
    type Target = Stage;
    fn deref(&self) -> &Stage {
        &self.stage
    }
}

impl House {
    pub fn open(plugins: &[(&str, &[u8])]) -> Self {
        House::with(plugins, |builder| builder.gate_limit(hotswap_tests::LIMIT))
    }

    pub fn with(plugins: &[(&str, &[u8])], settings: impl FnOnce(Builder) -> Builder) -> Self {
        let porter = Arc::new(Porter::default());
        let provided = porter.clone();
        let stage = Stage::with(plugins, |builder| {
            settings(builder.provide::<dyn shapes::tills::Porter>(provided))
        });
        *porter.swapper.lock().unwrap() = Some(stage.swapper.clone());
        House { stage, porter }
    }

    /// Opens a host with a gate that gives up soon.
    pub fn impatient(plugins: &[(&str, &[u8])]) -> Self {
        House::with(plugins, |builder| {
            builder.gate_limit(Duration::from_millis(30))
        })
    }

    /// Ends the calls that go on until they are told to stop.
    pub fn stop(&self) {
        self.porter.stop.store(true, SeqCst);
    }

    /// Returns true if a plugin has asked the host to hold a generation.
    pub fn holds(&self) -> bool {
        self.porter.hold.lock().unwrap().is_some()
    }

    /// Drops that hold.
    pub fn let_go(&self) {
        self.porter.hold.lock().unwrap().take();
    }

    /// Returns a handle of a function of the stateful plugin.
    pub fn stateful<F: Signature<A>, A>(&self, function: &str) -> Function<F> {
        self.function("stateful", function)
    }

    pub fn function<F: Signature<A>, A>(&self, plugin: &str, function: &str) -> Function<F> {
        self.swapper.function(plugin, function).unwrap()
    }

    pub fn count(&self) -> u64 {
        self.stateful::<fn() -> u64, _>("count").call().unwrap()
    }

    /// Returns the error of a refused reload.
    pub fn refuses(&self, name: &str, library: &[u8]) -> ReloadError {
        self.install(name, library);
        let live = || {
            let listing = self.swapper.listing();
            let builds = listing.plugins.iter().map(|plugin| plugin.build_id);
            (listing.generation, builds.collect::<Vec<_>>())
        };
        let before = live();
        let error = self.swapper.reload().expect_err("the reload is refused");
        assert_eq!(live(), before, "{error}");
        error
    }

    /// Shuts the host down, and checks that nothing is left of it.
    pub fn close(self) {
        self.stop();
        // The porter's swapper and handles would keep the host alive.
        self.porter.swapper.lock().unwrap().take();
        self.porter.handles.lock().unwrap().clear();
        self.stage.close();
    }
}

impl Drop for Porter {
    fn drop(&mut self) {
        self.stop.store(true, SeqCst);
    }
}

/// Returns a build of the stateful plugin.
pub fn stateful(build: u8) -> Vec<u8> {
    numbered(&Build::Stateful.bytes("stateful"), build)
}

/// Returns a build with this number, of a stateful plugin from another [`Build`].
pub fn numbered(stateful: &[u8], build: u8) -> Vec<u8> {
    variant(stateful, "build 00", &format!("build {build:02}"))
}

/// Returns a build of the stateful plugin with orders, like those of the probe.
pub fn told(build: u8, orders: &str) -> Vec<u8> {
    ordered(&stateful(build), orders)
}

/// Returns a copy of the stateful plugin that does not import it and is not imported by it.
pub fn separate(build: u8) -> Vec<u8> {
    renamed(&stateful(build), "stateful", "separate")
}

pub fn visitor(build: u8) -> Vec<u8> {
    let visitor = Build::Stateful.bytes("visitor");
    variant(&visitor, "visitor 00", &format!("visitor {build:02}"))
}

/// Returns a visitor that calls the stateful plugin all the time, from its construction on.
pub fn busy_visitor(build: u8) -> Vec<u8> {
    variant(&visitor(build), "idle visitor", "busy visitor")
}

/// Returns a plugin without state that uses the stateful plugin.
pub fn importer() -> Vec<u8> {
    Build::Stateful.bytes("importer")
}
