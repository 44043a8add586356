//! How a replaced plugin stands on its way out of memory.
use crate::artifact::BuildId;
use crate::error::Hook;
use serde::Serialize;
use std::fmt;

/// A replaced plugin on its way out of memory.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Retirement {
    /// The plugin.
    pub plugin: String,
    /// The build.
    pub build_id: BuildId,
    /// The last generation that it was part of; `None` when it never became live.
    pub generation: Option<u64>,
    /// How far it has come.
    pub state: RetirementState,
    /// What holds it up. Filled when a state has lasted longer than the limit, and when it is kept.
    pub held_by: Vec<Holder>,
    /// Destructors of thread-locals that have run.
    pub destructors_run: usize,
    /// Destructors of thread-locals that were skipped: their values are leaked.
    pub destructors_skipped: usize,
}

/// How far a replaced plugin has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RetirementState {
    /// Calls, pins or holds still use it, or the free delay is running.
    InUse,
    /// Its instance is being dropped, or its threads and destructors are waited for.
    Freeing,
    /// It has left memory.
    Gone,
    /// It stays mapped, for the reasons named.
    Kept,
    /// Its instance is gone. Its code is linked into the program.
    Freed,
}

impl RetirementState {
    /// Whether nothing more will happen.
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

/// What keeps a replaced plugin in memory, or would keep a live one: see [`Swapper::holders`](crate::Swapper::holders).
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
        /// The thread that made it.
        thread: String,
        /// Where in the host's source.
        at: String,
    },
    /// Holds, which may be anywhere.
    Holds {
        /// How many.
        count: usize,
    },
    /// Async calls whose futures are neither ready nor dropped.
    AsyncCalls {
        /// The plugin.
        plugin: String,
        /// The function, or the interface.
        function: String,
        /// How many.
        count: usize,
    },
    /// A plugin that imports it. Of one that was replaced, a plugin that is itself on its way out.
    User {
        /// Its name.
        plugin: String,
    },
    /// Objects of the plugin that somebody else owns: see [`Held`](crate::Held).
    Objects {
        /// What they are: the interface they were made for.
        interface: String,
        /// The plugin that has them, or `the host`.
        owner: String,
        /// How many.
        count: usize,
    },
    /// Futures of `async` methods of such objects, neither ready nor dropped.
    Futures {
        /// What the objects are: the interface they were made for.
        interface: String,
        /// The plugin that has the futures, or `the host`.
        owner: String,
        /// How many.
        count: usize,
    },
    /// A hook that has not returned: in time for a hand-over, see [`Builder::gate_limit`](crate::Builder::gate_limit), or
    /// within its own limit, see [`Builder::hook_limit`](crate::Builder::hook_limit).
    Hook {
        /// Its plugin.
        plugin: String,
        /// Which.
        hook: Hook,
    },
    /// The plugin's `on_free` or `Drop`, or that of one of its objects, which has not returned.
    Drop,
    /// Tasks that the plugin spawned through hotswap, and that have not ended.
    Tasks {
        /// Their names.
        names: Vec<String>,
    },
    /// Threads that the plugin started.
    Threads {
        /// Their ids and names.
        names: Vec<String>,
    },
    /// Values of the plugin's thread-locals, on threads that have not come back to run their destructors.
    Destructors {
        /// How many.
        count: usize,
        /// The threads.
        threads: Vec<String>,
    },
    /// A signal handler in the library that is in no chain of the host's: one that the kernel is to remove when it is called, that
    /// `sigset` or a system call has installed, or for which there was no place.
    SignalHandler {
        /// The signal's number.
        signal: i32,
    },
    /// The dynamic linker kept it, and does not say why.
    StillMapped,
    /// Something else.
    Other {
        /// What.
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
