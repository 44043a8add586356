//! Runs the hooks of a reload, one instance after the other, and deals with hooks that do not return.
use super::inner::Inner;
use crate::base::fail_point;
use crate::base::name::PluginName;
use crate::error::{HookFailure, PluginErrorKind, ReloadError};
use crate::hook_thread::{self, HookThread, NotRun};
use crate::instance::Instance;
use crate::shown;
use crate::telemetry::contain;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Runs a hook of each instance, even if it fails in others. Logs which hooks have failed and which have not returned
/// in time. Returns the plugins of the latter.
pub(super) fn each_in_turn(
    hooks: &mut HookThread,
    instances: Vec<Arc<Instance>>,
    hook: fn(&Instance) -> Result<(), HookFailure>,
) -> Vec<PluginName> {
    // The list is shared, because a hook that hangs keeps everything that its job owns.
    let left = Arc::new(Mutex::new(VecDeque::from(instances)));
    let run = move |left: &Mutex<VecDeque<Arc<Instance>>>| {
        let next = || {
            // The next job runs the hooks of the instances that are left.
            let mut left = left.lock().unwrap_or_else(PoisonError::into_inner);
            (!hook_thread::is_given_up()).then(|| left.pop_front())?
        };
        while let Some(instance) = next() {
            fail_point::reach("hooks after the switch");
            if let Err(failure) = hook(&instance) {
                contain((), || tracing::error!(target: "hotswap", "{failure}"));
            }
        }
    };
    let lock = || left.lock().unwrap_or_else(PoisonError::into_inner);
    let mut late = Vec::new();
    loop {
        let before = lock().len();
        if before == 0 {
            return late;
        }
        let of_job = left.clone();
        match hooks.run(move || run(&of_job), drop) {
            Ok(()) => {}
            Err(NotRun::Panicked(message)) => {
                contain((), || {
                    tracing::error!(
                        target: "hotswap",
                        "the host panicked while it ran a hook, which is a bug in hotswap: {message}; please report it"
                    );
                });
                // A panic before the hook of the first one would come again.
                let mut left = lock();
                if left.len() == before {
                    left.pop_front();
                }
            }
            Err(NotRun::Late(hung) | NotRun::Interrupted(hung)) => {
                contain((), || {
                    tracing::error!(
                        target: "hotswap",
                        "{}: {} has not returned within {:?} ({}); it goes on running on its thread, and the build stays in memory until it returns",
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
                    || tracing::error!(target: "hotswap", "cannot start a thread for hooks, so they have not run: {error}"),
                );
                return late;
            }
            Err(NotRun::NoThread(error)) => {
                contain((), || {
                    tracing::warn!(target: "hotswap", "cannot start a thread for hooks, so they run without a limit: {error}");
                });
                hook_thread::run_here(|| run(&left));
            }
        }
    }
}

impl Inner {
    /// Names the library whose hook is left to itself, if there is one.
    pub(super) fn hangs(&self, not_run: &NotRun) {
        if let NotRun::Late(run) | NotRun::Interrupted(run) = not_run {
            self.retirer.hangs(run.library.clone());
        }
    }
}

/// Returns the error of a reload whose hooks did not all run to their end.
pub(super) fn refused(not_run: NotRun, limit: Duration) -> ReloadError {
    match not_run {
        NotRun::Late(run) => {
            let kind = PluginErrorKind::HookTimeout {
                hook: run.hook,
                limit,
            };
            kind.of(&run.plugin, run.file).into()
        }
        NotRun::Interrupted(_) => ReloadError::ShutDown,
        NotRun::NoThread(error) => ReloadError::Thread(error),
        NotRun::Panicked(message) => ReloadError::Panicked { message },
    }
}
