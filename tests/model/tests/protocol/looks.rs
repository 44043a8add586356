//! Tests that no code of a library runs after a look that found nothing: not on its threads, not in its objects, and
//! not in destructors of its thread-locals.
use crate::load::library::Library;
use crate::reclaim::code::Code;
use crate::reclaim::pin::Live;
use crate::reclaim::quiet::{are_quiet, is_quiet};
use crate::reclaim::record;
use crate::{check, platform, thread};
use loom::sync::Mutex;
use loom::sync::atomic::{AtomicBool, Ordering::*};
use loom::thread::JoinHandle;
use std::ffi::c_void;
use std::sync::Arc;

/// A library, and the actions of its destructors.
struct Plugin {
    library: Arc<Library>,
    live: Live<()>,
    /// Set while an object waits that its code has given away.
    given: Mutex<bool>,
    /// The thread that its code has started.
    started: Mutex<Option<JoinHandle<()>>>,
    /// The action of its destructor.
    then: fn(&Arc<Plugin>),
    /// The plugin that it imports.
    imported: Option<Arc<Plugin>>,
}

impl Plugin {
    fn new(then: fn(&Arc<Plugin>)) -> Arc<Self> {
        Arc::new(Plugin {
            library: Arc::new(Library::new()),
            live: Live::new(()),
            given: Mutex::new(false),
            started: Mutex::new(None),
            then,
            imported: None,
        })
    }

    /// Returns a plugin whose destructor calls the imported one, whose code then lists a destructor.
    fn importing(imported: Arc<Plugin>) -> Arc<Self> {
        let this = Plugin::new(|plugin| plugin.imported.as_ref().unwrap().list_own());
        let this = Arc::into_inner(this).expect("the plugin has no other owner");
        Arc::new(Plugin {
            imported: Some(imported),
            ..this
        })
    }

    /// Runs code of the plugin that lists a destructor on this thread.
    fn list(self: &Arc<Self>, destructor: unsafe extern "C" fn(*mut c_void), object: *mut c_void) {
        self.library.run();
        assert!(!self.library.activity().is_barred());
        record::mine().add_destructor(self.library.clone(), destructor, object);
    }

    /// Lists the destructor that does `then`.
    fn list_own(self: &Arc<Self>) {
        self.list(destructor, Arc::into_raw(self.clone()).cast_mut().cast());
    }

    /// Looks, and unmaps the library if nothing is left.
    fn retire(&self) -> bool {
        let quiet = is_quiet(&self.library);
        if quiet {
            self.library.activity().bar();
            self.library.close();
        }
        quiet
    }

    /// Pins and unpins, as threads do that live on.
    fn pin(&self) {
        drop(self.live.pin());
    }
}

unsafe extern "C" fn destructor(plugin: *mut c_void) {
    // SAFETY: `list_own` has listed the destructor with a pointer from `Arc::into_raw`, and it runs once.
    let plugin = unsafe { Arc::from_raw(plugin.cast::<Plugin>()) };
    plugin.library.run();
    (plugin.then)(&plugin);
    plugin.library.run();
}

fn nothing(_: &Arc<Plugin>) {}

#[test]
fn an_object_without_destructors() {
    check(None, || {
        let plugin = Plugin::new(nothing);
        plugin.library.activity().object_made();
        let caller = thread({
            let plugin = plugin.clone();
            move || {
                plugin.library.run();
                plugin.library.activity().object_gone();
            }
        });
        let done = plugin.retire();
        caller.join().unwrap();
        assert!(done || plugin.retire());
    });
}

/// An object is called, and lists a destructor for the calling thread. Then the object is dropped.
#[test]
fn a_destructor_that_an_object_lists() {
    check(None, || {
        let plugin = Plugin::new(nothing);
        plugin.library.activity().object_made();
        let caller = thread({
            let plugin = plugin.clone();
            move || {
                plugin.list_own();
                plugin.library.activity().object_gone();
            }
        });
        let done = plugin.retire();
        caller.join().unwrap();
        assert!(done || plugin.retire());
    });
}

/// The destructor is listed in a thread that lives on, and pins.
#[test]
fn a_destructor_that_waits_for_a_pin() {
    check(Some(3), || {
        let plugin = Plugin::new(nothing);
        plugin.library.activity().object_made();
        let caller = thread({
            let plugin = plugin.clone();
            move || {
                plugin.list_own();
                plugin.library.activity().object_gone();
                plugin.pin();
            }
        });
        let done = plugin.retire() || plugin.retire();
        caller.join().unwrap();
        assert!(done || plugin.retire());
    });
}

#[test]
fn a_destructor_that_starts_a_thread() {
    check(Some(3), || {
        let plugin = Plugin::new(|plugin| {
            plugin.library.activity().thread_made();
            let starter = plugin.clone();
            let started = thread(move || {
                record::mine().set_started_by(starter.library.clone());
                starter.library.run();
            });
            *plugin.started.lock().unwrap() = Some(started);
        });
        let caller = thread({
            let plugin = plugin.clone();
            plugin.library.activity().object_made();
            move || {
                plugin.list_own();
                plugin.library.activity().object_gone();
            }
        });
        let done = plugin.retire() || plugin.retire();
        caller.join().unwrap();
        let started = plugin.started.lock().unwrap().take();
        started.expect("the thread has ended").join().unwrap();
        assert!(done || plugin.retire());
    });
}

/// A started thread lists a destructor, which runs before the thread is counted as gone.
#[test]
fn a_thread_that_lists_a_destructor() {
    check(None, || {
        let plugin = Plugin::new(nothing);
        plugin.library.activity().thread_made();
        let started = thread({
            let plugin = plugin.clone();
            move || {
                record::mine().set_started_by(plugin.library.clone());
                plugin.list_own();
            }
        });
        let done = plugin.retire();
        started.join().unwrap();
        assert!(done || plugin.retire());
    });
}

#[test]
fn a_destructor_that_gives_an_object_away() {
    check(Some(3), || {
        let plugin = Plugin::new(|plugin| {
            plugin.library.activity().object_made();
            *plugin.given.lock().unwrap() = true;
        });
        let caller = thread({
            let plugin = plugin.clone();
            plugin.library.activity().object_made();
            move || {
                plugin.list_own();
                plugin.library.activity().object_gone();
            }
        });
        let owner = thread({
            let plugin = plugin.clone();
            move || take_and_call(&plugin, |plugin| plugin.library.run())
        });
        let _ = plugin.retire() || plugin.retire();
        caller.join().unwrap();
        owner.join().unwrap();
    });
}

/// Takes the object that was given away, if there is one, and calls it.
fn take_and_call(plugin: &Plugin, call: impl FnOnce(&Plugin)) {
    let given = std::mem::take(&mut *plugin.given.lock().unwrap());
    if given {
        call(plugin);
        plugin.library.activity().object_gone();
    }
}

/// A destructor of one plugin calls the plugin that it imports, whose code lists a destructor of its own. A look at
/// both comes to the imported one first.
#[test]
fn a_destructor_that_lists_one_of_another_library() {
    check(Some(4), || {
        let imported = Plugin::new(nothing);
        let importer = Plugin::importing(imported.clone());
        importer.library.activity().object_made();
        let caller = thread({
            let importer = importer.clone();
            move || {
                importer.list_own();
                importer.library.activity().object_gone();
            }
        });
        if are_quiet(&[&imported.library, &importer.library]) {
            imported.library.close();
            importer.library.close();
        }
        caller.join().unwrap();
    });
}

/// A thread-local, and whether code is using it.
struct Local {
    plugin: Arc<Plugin>,
    borrowed: AtomicBool,
    gone: AtomicBool,
}

unsafe extern "C" fn drop_local(local: *mut c_void) {
    // SAFETY: `Local::new` has listed the destructor with a pointer from `Arc::into_raw`, and it runs once.
    let local = unsafe { Arc::from_raw(local.cast::<Local>()) };
    local.plugin.library.run();
    assert!(
        !local.borrowed.load(Relaxed),
        "the thread-local is being used"
    );
    local.gone.store(true, Relaxed);
}

impl Local {
    /// Makes a thread-local of this thread.
    fn new(plugin: &Arc<Plugin>) -> Arc<Self> {
        let local = Arc::new(Local {
            plugin: plugin.clone(),
            borrowed: AtomicBool::new(false),
            gone: AtomicBool::new(false),
        });
        plugin.list(drop_local, Arc::into_raw(local.clone()).cast_mut().cast());
        local
    }

    /// Runs code of the plugin that pins while it uses the thread-local, because it calls a host that calls a plugin.
    fn use_it(&self) {
        if !self.gone.load(Relaxed) {
            self.borrowed.store(true, Relaxed);
            self.plugin.pin();
            self.borrowed.store(false, Relaxed);
        }
    }
}

/// A destructor gives an object to a thread that has a thread-local of the plugin. Calls of the object may use that
/// thread-local.
#[test]
fn a_thread_local_that_an_object_uses() {
    check(Some(2), || {
        let plugin = Plugin::new(|plugin| {
            plugin.library.activity().object_made();
            *plugin.given.lock().unwrap() = true;
        });
        plugin.list_own();
        let owner = thread({
            let plugin = plugin.clone();
            plugin.library.activity().object_made();
            move || {
                let local = Local::new(&plugin);
                plugin.library.activity().object_gone();
                take_and_call(&plugin, |_| local.use_it());
            }
        });
        assert!(!plugin.retire());
        // This runs the destructor of this thread, if the host has asked for it.
        plugin.pin();
        plugin.retire();
        owner.join().unwrap();
        platform::end_thread();
    });
}

/// A destructor pins while it uses another thread-local.
#[test]
fn a_thread_local_that_a_destructor_uses() {
    struct Outer {
        plugin: Arc<Plugin>,
        inner: Arc<Local>,
    }

    unsafe extern "C" fn drop_outer(outer: *mut c_void) {
        // SAFETY: the destructor is listed below with a pointer from `Box::into_raw`, and it runs once.
        let outer = unsafe { Box::from_raw(outer.cast::<Outer>()) };
        outer.plugin.library.run();
        outer.inner.use_it();
    }

    check(Some(3), || {
        let plugin = Plugin::new(nothing);
        let caller = thread({
            let plugin = plugin.clone();
            plugin.library.activity().object_made();
            move || {
                let outer = Box::new(Outer {
                    plugin: plugin.clone(),
                    inner: Local::new(&plugin),
                });
                plugin.list(drop_outer, Box::into_raw(outer).cast());
                plugin.library.activity().object_gone();
                plugin.pin();
            }
        });
        let done = plugin.retire() || plugin.retire() || plugin.retire();
        caller.join().unwrap();
        assert!(done || plugin.retire());
    });
}
