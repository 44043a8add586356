//! The states of a retirement, and what each of them waits for.
use super::close::{self, Closed, Verdict, close, keep};
use super::free_order::FreeOrder;
use super::log::RetirementLog;
use super::own_thread::{free, spawn};
use super::settings::Settings;
use crate::generation::Generation;
use crate::hook_thread;
use crate::instance::{Instance, Uses};
use crate::load::exit;
use crate::load::library::Library;
use crate::load::objects;
use crate::load::signals::Withdrawn;
use crate::reclaim::code::Code;
use crate::reclaim::look::{Quiet, look};
use crate::reclaim::pin::Retired;
use crate::reclaim::record;
use crate::retirement::{Holder, RetirementState};
use crate::telemetry::contain;
use crate::vault::Contents;
use std::io;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

/// A generation that was replaced.
pub(super) struct Leaving {
    /// The generation. A hand-over that has closed a gate shares it.
    pub(super) generation: Arc<Retired<Generation>>,
    /// The instances that the live generation does not share, in the order of this one.
    pub(super) replaced: Vec<Arc<Instance>>,
}

impl Leaving {
    /// Returns the calls, pins, and holds that use it.
    fn holders(&self) -> Vec<Holder> {
        let mut holders = slot_holders(&self.generation);
        holders.extend(self.counted());
        holders
    }

    /// Returns the holds, and the async calls that have not ended. The result means nothing while a slot holds the
    /// generation.
    fn counted(&self) -> Vec<Holder> {
        let holds = match self.generation.holds() {
            0 => None,
            count => Some(Holder::Holds { count }),
        };
        let generation = self.generation.get();
        // The async calls come after the holds: see `async_call::count`.
        let async_calls = generation
            .async_calls
            .holders(&generation.plugins, |_| true);
        holds.into_iter().chain(async_calls).collect()
    }
}

/// One retired thing, and the condition that it waits for.
pub(super) enum RetireState {
    /// Waits until no slot holds the generation.
    Grace(Leaving),
    /// Waits until there are no counted holds of it, and no async calls that have not ended.
    Holds(Leaving),
    /// Waits for the delay that the operator has set before anything is freed.
    Delay(Leaving),
    /// Waits until no older generation and no importing instance has this one, and until the instances before it in the
    /// order have been freed.
    Shared {
        instance: Arc<Instance>,
        order: FreeOrder,
    },
    /// Waits for a hook that has not returned. Afterwards, the thread that runs the hook reports what is to be freed.
    Hanging { library: Arc<Library> },
    /// Waits for the plugin's own code: `on_free` and `Drop`.
    Freeing {
        library: Arc<Library>,
        thread: JoinHandle<Uses>,
    },
    /// Waits for objects of the plugin that others have.
    Objects { library: Arc<Library>, uses: Uses },
    /// Waits for code of the plugin that runs on a thread, and then goes on to `state`: see `cycles`.
    Aside {
        state: Box<RetireState>,
        thread: JoinHandle<()>,
    },
    /// Waits for threads that the plugin has started.
    Threads { library: Arc<Library>, uses: Uses },
    /// Waits for destructors of the plugin's thread-locals, on all threads.
    Destructors { library: Arc<Library>, uses: Uses },
    /// Waits for the plugin's exit functions: see `load::exit`.
    Exiting {
        library: Arc<Library>,
        uses: Uses,
        thread: JoinHandle<()>,
    },
    /// Runs code of plugins once, on a thread of its own that nothing waits for.
    Errand(Box<dyn FnOnce() + Send>),
}

/// The outcome of one step.
pub(super) enum Step {
    /// It has to wait for these holders.
    Wait(RetireState, Vec<Holder>),
    /// The states to continue with. There are none when the retirement has ended.
    Next(Vec<RetireState>),
}

impl RetireState {
    /// Goes on if nothing holds it up. `waited` is the time that it has spent in this state.
    pub(super) fn step(self, waited: Duration, settings: &Settings, log: &RetirementLog) -> Step {
        match self {
            RetireState::Grace(leaving) if !leaving.generation.is_ordered() => {
                keep_all(leaving, log)
            }
            RetireState::Grace(leaving) => match slot_holders(&leaving.generation) {
                holders if holders.is_empty() => next(RetireState::Holds(leaving)),
                holders => Step::Wait(RetireState::Grace(leaving), holders),
            },
            RetireState::Holds(leaving) => match leaving.counted() {
                holders if holders.is_empty() => next(RetireState::Delay(leaving)),
                holders => Step::Wait(RetireState::Holds(leaving), holders),
            },
            RetireState::Delay(leaving) if waited < settings.free_delay => {
                Step::Wait(RetireState::Delay(leaving), Vec::new())
            }
            RetireState::Delay(Leaving {
                generation,
                replaced,
            }) => match Arc::try_unwrap(generation).map(Retired::into_inner) {
                Ok(Ok(generation)) => {
                    let mut states = let_go(generation.into_contents());
                    states.extend(in_turn(replaced));
                    Step::Next(states)
                }
                // This cannot happen, because it cannot be pinned or held again.
                Ok(Err(generation)) => next(RetireState::Grace(Leaving {
                    generation: generation.into(),
                    replaced,
                })),
                // A hand-over that has closed a gate shares the generation.
                Err(generation) => {
                    let leaving = Leaving {
                        generation,
                        replaced,
                    };
                    Step::Wait(RetireState::Delay(leaving), Vec::new())
                }
            },
            RetireState::Shared { instance, .. } if instance.needed_by().is_some() => {
                keep_needed(instance, log);
                Step::Next(Vec::new())
            }
            RetireState::Hanging { library } => match running_hook(&library) {
                holders if holders.is_empty() => Step::Next(Vec::new()),
                holders => Step::Wait(RetireState::Hanging { library }, holders),
            },
            RetireState::Shared { instance, order }
                if !order.is_due() && waited < settings.limit =>
            {
                Step::Wait(RetireState::Shared { instance, order }, Vec::new())
            }
            RetireState::Shared { instance, order } => match Arc::try_unwrap(instance) {
                Ok(instance) => start_freeing(instance, order, log),
                Err(instance) => {
                    let holders = running_hook(instance.library());
                    Step::Wait(RetireState::Shared { instance, order }, holders)
                }
            },
            RetireState::Freeing { library, thread } if !thread.is_finished() => {
                // The plugin waits for its tasks before it runs `on_free`.
                let holder = objects::tasks(&library).unwrap_or(Holder::Drop);
                Step::Wait(RetireState::Freeing { library, thread }, vec![holder])
            }
            // The join also waits for the destructors of the thread's own thread-locals.
            RetireState::Freeing { library, thread } => match thread.join() {
                Ok(uses) => next(RetireState::Objects { library, uses }),
                Err(payload) => {
                    contain((), || drop(payload));
                    let reason = "a panic of the host on the thread that freed it";
                    let reason = Holder::Other {
                        reason: reason.into(),
                    };
                    keep(&library, Uses::default(), vec![reason], log);
                    Step::Next(Vec::new())
                }
            },
            RetireState::Objects { library, uses } if library.activity().objects() != 0 => {
                let mut holders = objects::holders(&library);
                if holders.is_empty() {
                    // The drop of an object has not returned.
                    holders.push(Holder::Drop);
                }
                Step::Wait(RetireState::Objects { library, uses }, holders)
            }
            RetireState::Objects { library, uses } => next(RetireState::Threads { library, uses }),
            RetireState::Aside { state, thread } if !thread.is_finished() => {
                let libraries = state.libraries();
                let tasks = libraries.iter().find_map(|library| objects::tasks(library));
                let holder = tasks.unwrap_or(Holder::Drop);
                Step::Wait(RetireState::Aside { state, thread }, vec![holder])
            }
            RetireState::Aside { state, thread } => {
                // The panic was caught where it was thrown. The join waits for the destructors of the thread's
                // thread-locals.
                let _ = thread.join();
                next(*state)
            }
            RetireState::Threads { library, uses } if library.activity().threads() != 0 => {
                let holders = vec![Holder::Threads {
                    names: library.thread_names(),
                }];
                Step::Wait(RetireState::Threads { library, uses }, holders)
            }
            RetireState::Threads { library, uses } => {
                next(RetireState::Destructors { library, uses })
            }
            // A thread or a destructor has handed out another object.
            RetireState::Destructors { library, uses } if library.activity().objects() != 0 => {
                next(RetireState::Objects { library, uses })
            }
            RetireState::Destructors { library, uses } => {
                let handlers = match close::withdraw_handlers(&library, settings) {
                    Ok(handlers) => handlers,
                    Err(holder) => {
                        return Step::Wait(
                            RetireState::Destructors { library, uses },
                            vec![holder],
                        );
                    }
                };
                let skip = settings.skip_destructors && waited > settings.limit;
                match look(&*library, skip) {
                    Err(pending) => wait_for_destructors(library, uses, &pending),
                    Ok(quiet) => leave(library, uses, (handlers, quiet), settings, log),
                }
            }
            // The exit functions may have made objects, threads, or destructors.
            RetireState::Exiting {
                library,
                uses,
                thread,
            } if thread.is_finished() => {
                let _ = thread.join();
                next(RetireState::Objects { library, uses })
            }
            RetireState::Exiting {
                library,
                uses,
                thread,
            } => {
                let reason =
                    "an exit function of it (`atexit`, or a static of C++), which has not returned";
                let holder = Holder::Other {
                    reason: reason.into(),
                };
                Step::Wait(
                    RetireState::Exiting {
                        library,
                        uses,
                        thread,
                    },
                    vec![holder],
                )
            }
            RetireState::Errand(run) => match spawn(run, |run| run()) {
                Ok(_) => Step::Next(Vec::new()),
                Err((run, _)) => Step::Wait(RetireState::Errand(run), Vec::new()),
            },
        }
    }

    /// Returns the holders in this retirement that keep `instance`, which waits for it.
    pub(super) fn holders_of(&self, instance: &Arc<Instance>) -> Vec<Holder> {
        let has = |instances: &[Arc<Instance>]| instances.iter().any(|i| Arc::ptr_eq(i, instance));
        let (user, imports) = match self {
            RetireState::Grace(leaving)
            | RetireState::Holds(leaving)
            | RetireState::Delay(leaving) => {
                return match has(&leaving.generation.get().plugins) {
                    true => leaving.holders(),
                    false => Vec::new(),
                };
            }
            RetireState::Shared { instance: user, .. } => (user.library(), user.imports()),
            // The thread owns its imports: see `Instance::users`.
            RetireState::Freeing { .. } | RetireState::Hanging { .. } | RetireState::Errand(_) => {
                return Vec::new();
            }
            RetireState::Aside { state, .. } => return state.holders_of(instance),
            RetireState::Objects { library, uses }
            | RetireState::Exiting { library, uses, .. }
            | RetireState::Threads { library, uses }
            | RetireState::Destructors { library, uses } => (library, uses.imports()),
        };
        let plugin = || user.plugin().to_owned();
        has(imports)
            .then(|| Holder::User { plugin: plugin() })
            .into_iter()
            .collect()
    }

    /// Returns the libraries that wait.
    pub(super) fn libraries(&self) -> Vec<Arc<Library>> {
        match self {
            RetireState::Grace(leaving)
            | RetireState::Holds(leaving)
            | RetireState::Delay(leaving) => {
                let plugins = leaving.generation.get().plugins.iter();
                plugins.map(|plugin| plugin.library().clone()).collect()
            }
            RetireState::Shared { instance, .. } => vec![instance.library().clone()],
            RetireState::Aside { state, .. } => state.libraries(),
            RetireState::Errand(_) => Vec::new(),
            RetireState::Freeing { library, .. }
            | RetireState::Hanging { library }
            | RetireState::Exiting { library, .. }
            | RetireState::Objects { library, .. }
            | RetireState::Threads { library, .. }
            | RetireState::Destructors { library, .. } => vec![library.clone()],
        }
    }
}

fn next(state: RetireState) -> Step {
    Step::Next(vec![state])
}

fn wait_for_destructors(library: Arc<Library>, uses: Uses, pending: &record::Pending) -> Step {
    // Threads that run hooks come back when they are asked.
    hook_thread::run_pending_destructors_on_all();
    let holders = late_destructors(&library, pending);
    Step::Wait(RetireState::Destructors { library, uses }, holders)
}

/// Unmaps a library for which a look has found nothing, or keeps it.
fn leave(
    library: Arc<Library>,
    uses: Uses,
    looked: (Withdrawn, Quiet),
    settings: &Settings,
    log: &RetirementLog,
) -> Step {
    match Verdict::of(&library, settings) {
        Verdict::Linked => close::freed(&library, uses, log),
        Verdict::Stays(reasons) => keep(&library, uses, reasons, log),
        Verdict::Leaves if exit::has_functions(&library) => {
            return run_exit_functions(library, uses);
        }
        Verdict::Leaves => match close(&library, looked, settings) {
            Err(pending) => return wait_for_destructors(library, uses, &pending),
            Ok(Closed::StillMapped) => keep(&library, uses, vec![Holder::StillMapped], log),
            Ok(Closed::Gone) => {
                close::gone(&library, uses, log);
                if objects::has_counts(&library) {
                    let forget = move || objects::forget_library(&library);
                    return next(RetireState::Errand(Box::new(forget)));
                }
            }
        },
    }
    Step::Next(Vec::new())
}

fn run_exit_functions(library: Arc<Library>, uses: Uses) -> Step {
    // The library's code runs again without being counted.
    library.activity().unretire();
    let run = |library: Arc<Library>| {
        while let Some(function) = exit::take(&library) {
            function.run();
        }
    };
    match spawn(library.clone(), run) {
        Ok(thread) => next(RetireState::Exiting {
            library,
            uses,
            thread,
        }),
        Err((library, error)) => {
            let holder = no_thread(&error);
            Step::Wait(RetireState::Destructors { library, uses }, vec![holder])
        }
    }
}

/// Returns the hook of the plugin that has not returned, if there is one.
fn running_hook(library: &Library) -> Vec<Holder> {
    let hook = library.running_hook().map(|hook| Holder::Hook {
        plugin: library.plugin().to_owned(),
        hook,
    });
    hook.into_iter().collect()
}

fn no_thread(error: &io::Error) -> Holder {
    Holder::Other {
        reason: format!("a failure to start the thread that frees it: {error}"),
    }
}

/// Leaves an instance to a plugin that imports it and stays mapped.
fn keep_needed(instance: Arc<Instance>, log: &RetirementLog) {
    let user = instance.needed_by().unwrap_or_default();
    let reason = format!("{user}, which imports it and stays mapped");
    // The instance is never freed, so it goes on owning what it uses.
    keep(
        instance.library(),
        Uses::default(),
        vec![Holder::Other { reason }],
        log,
    );
    std::mem::forget(instance);
}

/// Leaks a generation, because the host cannot tell whether it is still used.
fn keep_all(leaving: Leaving, log: &RetirementLog) -> Step {
    for instance in &leaving.replaced {
        let reason = "the process may no longer call membarrier, so the host cannot tell whether it is still used";
        keep(
            instance.library(),
            Uses::default(),
            vec![Holder::Other {
                reason: reason.into(),
            }],
            log,
        );
    }
    for instance in &leaving.generation.get().plugins {
        instance.set_needed_by("a generation that may still be used");
    }
    std::mem::forget(leaving);
    Step::Next(Vec::new())
}

/// Returns the instances, each with its place in the order.
pub(super) fn in_turn(replaced: Vec<Arc<Instance>>) -> Vec<RetireState> {
    let mut order = FreeOrder::first();
    let states = replaced.into_iter().rev().map(|instance| {
        let next = order.next();
        RetireState::Shared {
            instance,
            order: std::mem::replace(&mut order, next),
        }
    });
    states.collect()
}

fn start_freeing(instance: Instance, order: FreeOrder, log: &RetirementLog) -> Step {
    let library = instance.library().clone();
    library.activity().unretire();
    let run = |(instance, _turn): (Instance, FreeOrder)| {
        // `Arc::try_unwrap` returned the instance, so no generation, no import, and no call has it.
        free(instance).1
    };
    match spawn((instance, order), run) {
        Ok(thread) => {
            log.update(&library, |r| r.advance(RetirementState::Freeing));
            next(RetireState::Freeing { library, thread })
        }
        Err(((instance, order), error)) => {
            let instance = Arc::new(instance);
            Step::Wait(
                RetireState::Shared { instance, order },
                vec![no_thread(&error)],
            )
        }
    }
}

fn slot_holders(generation: &Retired<Generation>) -> Vec<Holder> {
    let holders = record::slot_holders(generation.address()).into_iter();
    holders
        .map(|inside| generation.get().holder_of(inside))
        .collect()
}

fn late_destructors(library: &Library, pending: &record::Pending) -> Vec<Holder> {
    let mut holders = Vec::new();
    if pending.destructors != 0 {
        let threads = pending.threads.iter().map(ToString::to_string).collect();
        holders.push(Holder::Destructors {
            count: pending.destructors,
            threads,
        });
    }
    if library.activity().threads() != 0 {
        holders.push(Holder::Threads {
            names: library.thread_names(),
        });
    }
    holders
}

/// Releases the objects that only this generation has. If the drop of an object in a slot is the last one, it runs its
/// plugin's `Drop`. Each plugin's objects are dropped on a thread of their own, so that a `Drop` that hangs holds up no
/// other. Nothing waits for these threads, since each object is counted until its drop has returned.
pub(super) fn let_go(contents: Arc<Contents>) -> Vec<RetireState> {
    let objects = Arc::into_inner(contents).map(Contents::into_objects);
    let objects = objects.into_iter().flatten();
    objects
        .map(|(_, objects)| RetireState::Errand(Box::new(move || drop(objects))))
        .collect()
}
