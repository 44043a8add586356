//! Hooks of a reload: one instance after the other, and what a hook that does not return means.
use crate::base::name::PluginName;
use crate::error::{HookFailure, ReloadError};
use crate::hook_thread::{self, HookThread, NotRun};
use crate::instance::Instance;
use crate::shown;
use crate::telemetry::contain;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Runs a hook of each instance, whatever becomes of the others. Says in the log which have failed, and which have not
/// returned in time: their plugins are returned.
pub(super) fn each_in_turn(
    hooks: &mut HookThread,
    instances: Vec<Arc<Instance>>,
    hook: fn(&Instance) -> Result<(), HookFailure>,
) -> Vec<PluginName> {
    // Shared, since a hook that hangs keeps what its job has.
    let left = Arc::new(Mutex::new(VecDeque::from(instances)));
    let run = move |left: &Mutex<VecDeque<Arc<Instance>>>| {
        let next = || {
            // Those that are left are the next job's.
            let mut left = left.lock().unwrap_or_else(PoisonError::into_inner);
            (!hook_thread::is_given_up()).then(|| left.pop_front())?
        };
        while let Some(instance) = next() {
            if let Err(failure) = hook(&instance) {
                contain((), || tracing::error!(target: "hotswap", "{failure}"));
            }
        }
    };
    let is_empty = || {
        left.lock()
            .unwrap_or_else(PoisonError::into_inner)
            .is_empty()
    };
    let mut late = Vec::new();
    while !is_empty() {
        let of_job = left.clone();
        match hooks.run(move || run(&of_job), drop) {
            Ok(()) => {}
            Err(NotRun::Late(hung) | NotRun::Interrupted(hung)) => {
                contain((), || {
                    tracing::error!(
                        target: "hotswap",
                        "{}: {} has not returned within {:?} ({}): it is left to its thread, and the build stays in memory until it returns",
                        hung.plugin,
                        hung.hook,
                        hooks.limit(),
                        shown::path(&hung.file)
                    );
                });
                late.push(hung.plugin);
            }
            Err(NotRun::NoThread(error)) if hooks.is_over() => {
                contain(
                    (),
                    || tracing::error!(target: "hotswap", "hooks have not run, for want of a thread: {error}"),
                );
                break;
            }
            Err(NotRun::NoThread(error)) => {
                contain((), || {
                    tracing::warn!(target: "hotswap", "no thread to run hooks on, so they run without a limit: {error}");
                });
                hook_thread::run_here(|| run(&left));
            }
        }
    }
    late
}

/// The error of a reload whose hooks were not run to their end.
pub(super) fn refused(not_run: NotRun, limit: Duration) -> ReloadError {
    match not_run {
        NotRun::Late(run) => ReloadError::HookTimeout {
            plugin: run.plugin,
            file: run.file,
            hook: run.hook,
            limit,
        },
        NotRun::Interrupted(_) => ReloadError::ShutDown,
        NotRun::NoThread(error) => ReloadError::Thread(error),
    }
}
