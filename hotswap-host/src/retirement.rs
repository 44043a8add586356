//! The progress of a replaced plugin on its way out of memory.
use crate::artifact::BuildId;
use crate::error::Hook;
use serde::Serialize;
use std::fmt;

/// A replaced plugin on its way out of memory.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Retirement {
    /// The name of the plugin.
    pub plugin: String,
    /// The build that was replaced.
    pub build_id: BuildId,
    /// The last generation that the build was part of, or `None` if it never became live.
    pub generation: Option<u64>,
    /// The progress so far.
    pub state: RetirementState,
    /// The holders that keep it. They are named when a state has lasted longer than the limit, and when the build is
    /// kept.
    pub held_by: Vec<Holder>,
    /// The number of destructors of thread-locals that have run.
    pub destructors_run: usize,
    /// The number of destructors of thread-locals that were skipped. Their values are leaked.
    pub destructors_skipped: usize,
}

/// The progress of a replaced plugin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RetirementState {
    /// Calls, pins, or holds still use it, or the free delay is running.
    InUse,
    /// Its instance is being dropped, or its threads and destructors are waited for.
    Freeing,
    /// It has left memory.
    Gone,
    /// It stays mapped, for the reasons that are named.
    Kept,
    /// Its instance is gone. Its code is linked into the program.
    Freed,
}

impl RetirementState {
    /// Returns true if nothing more will happen.
    pub fn is_end(self) -> bool {
        use RetirementState::{Freed, Gone, Kept};
        matches!(self, Gone | Kept | Freed)
    }
}

impl Retirement {
    pub(crate) fn new(plugin: &str, build_id: BuildId, generation: Option<u64>) -> Self {
        Retirement {
            plugin: plugin.to_owned(),
            build_id,
            generation,
            state: RetirementState::InUse,
            held_by: Vec::new(),
            destructors_run: 0,
            destructors_skipped: 0,
        }
    }

    pub(crate) fn advance(&mut self, state: RetirementState) {
        self.state = state;
        if state != RetirementState::Kept {
            self.held_by.clear();
        }
    }
}

impl fmt::Display for Retirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (build {}) ", self.plugin, self.build_id.short())?;
        f.write_str(match self.state {
            RetirementState::InUse => "is still in use",
            RetirementState::Freeing => "is being freed",
            RetirementState::Gone => "has left memory",
            RetirementState::Kept => "stays mapped",
            RetirementState::Freed => "has been freed; its code is part of the program",
        })?;
        for (i, holder) in self.held_by.iter().enumerate() {
            write!(f, "{}{holder}", if i == 0 { ": held by " } else { ", " })?;
        }
        Ok(())
    }
}

/// A reason why a replaced plugin stays in memory, or why a live one would: see
/// [`Swapper::holders`](crate::Swapper::holders).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Holder {
    /// A call that has not returned.
    Call {
        /// The plugin that was called first.
        plugin: Option<String>,
        /// The calling thread.
        thread: String,
    },
    /// A pin.
    Pin {
        /// The thread that made the pin.
        thread: String,
        /// The place in the host's source.
        at: String,
    },
    /// Holds, which may be anywhere.
    Holds {
        /// The number of holds.
        count: usize,
    },
    /// Async calls whose futures are neither ready nor dropped.
    AsyncCalls {
        /// The plugin.
        plugin: String,
        /// The function or the interface.
        function: String,
        /// The number of calls.
        count: usize,
    },
    /// A plugin that imports it. If the held plugin was replaced, this one is itself on its way out.
    User {
        /// The name of the importing plugin.
        plugin: String,
    },
    /// Objects of the plugin that the host or another plugin owns: see [`Held`](crate::Held).
    Objects {
        /// The interface that the objects were made for.
        interface: String,
        /// The plugin that has the objects, or `the host`.
        owner: String,
        /// The number of objects.
        count: usize,
    },
    /// Futures of `async` methods of such objects, neither ready nor dropped.
    Futures {
        /// The interface that the objects were made for.
        interface: String,
        /// The plugin that has the futures, or `the host`.
        owner: String,
        /// The number of futures.
        count: usize,
    },
    /// A hook that has not returned in time for a hand-over (see [`Builder::gate_limit`](crate::Builder::gate_limit)),
    /// or within its own limit (see [`Builder::hook_limit`](crate::Builder::hook_limit)).
    Hook {
        /// The plugin of the hook.
        plugin: String,
        /// The hook.
        hook: Hook,
    },
    /// The plugin's `on_free` or `Drop`, or the `Drop` of one of its objects, which has not returned.
    Drop,
    /// Tasks that the plugin spawned through hotswap, and that have not ended.
    Tasks {
        /// The names of the tasks.
        names: Vec<String>,
    },
    /// Threads that the plugin started.
    Threads {
        /// The ids and names of the threads.
        names: Vec<String>,
    },
    /// Values of the plugin's thread-locals, on threads that have not come back to run their destructors.
    Destructors {
        /// The number of values.
        count: usize,
        /// The threads.
        threads: Vec<String>,
    },
    /// A signal handler in the library that is in none of the host's chains: it is a handler that the kernel removes
    /// when it calls it, or `sigset` or a system call has installed it, or there was no place for it.
    SignalHandler {
        /// The number of the signal.
        signal: i32,
    },
    /// The dynamic linker kept the library and does not say why.
    StillMapped,
    /// Another reason.
    Other {
        /// The reason, in words.
        reason: String,
    },
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = |n: usize| if n == 1 { "" } else { "s" };
        match self {
            Holder::Call { plugin, thread } => match plugin {
                Some(plugin) => write!(f, "a call of {plugin} on {thread}"),
                None => write!(f, "a call on {thread}"),
            },
            Holder::Pin { thread, at } => write!(f, "a pin of {thread}, made at {at}"),
            Holder::Holds { count } => write!(f, "{count} hold{}", plural(*count)),
            Holder::AsyncCalls {
                plugin,
                function,
                count,
            } => write!(
                f,
                "{count} unfinished async call{} of {plugin}.{function}",
                plural(*count)
            ),
            Holder::Tasks { names } => write!(
                f,
                "{} task{}: {}",
                names.len(),
                plural(names.len()),
                names.join(", ")
            ),
            Holder::User { plugin } => write!(f, "{plugin}, which imports it"),
            Holder::Objects {
                interface,
                owner,
                count,
            } => {
                write!(
                    f,
                    "{count} object{} ({interface}) that {owner} has",
                    plural(*count)
                )
            }
            Holder::Futures {
                interface,
                owner,
                count,
            } => {
                write!(
                    f,
                    "{count} future{} of {interface} that {owner} has",
                    plural(*count)
                )
            }
            Holder::Hook { plugin, hook } => write!(f, "{hook} of {plugin}"),
            Holder::Drop => f.write_str("its on_free or Drop, which has not returned"),
            Holder::Threads { names } => {
                write!(
                    f,
                    "{} thread{}: {}",
                    names.len(),
                    plural(names.len()),
                    names.join(", ")
                )
            }
            Holder::Destructors { count, threads } => write!(
                f,
                "{count} thread-local value{} on {}",
                plural(*count),
                threads.join(", ")
            ),
            Holder::SignalHandler { signal } => write!(f, "its handler of signal {signal}"),
            Holder::StillMapped => f.write_str("the dynamic linker"),
            Holder::Other { reason } => f.write_str(reason),
        }
    }
}
