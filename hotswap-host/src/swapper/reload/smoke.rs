//! Runs smoke tests on a copy of the next generation. The copy that becomes live is made afterwards, and has never been
//! called.
use super::arrange::Arranged;
use super::stage::Staged;
use crate::artifact::SmokeTime;
use crate::base::fail_point;
use crate::error::{HookFailure, ReloadError};
use crate::generation::Generation;
use crate::hook_thread::{self, HookThread};
use crate::instance::Instance;
use crate::invoke;
use crate::swapper::hooks::refused;
use crate::swapper::inner::Inner;
use crate::swapper::plan::Plan;
use crate::swapper::smoke::SmokeTest;
use crate::telemetry::{caught, guarded};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Arc, Weak};
use std::time::Duration;

/// Returns true if there is a smoke test to run before this generation becomes live.
pub(super) fn is_wanted(inner: &Inner, arranged: &Arranged, plan: &Plan) -> bool {
    let of_host = || !inner.smoke.is_empty() || !plan.smoke.is_empty();
    let of_plugins = || {
        let mut candidates = arranged.candidates.iter();
        candidates.any(|(name, candidate)| {
            let is_new = candidate.live().is_none() || arranged.followers.contains_key(name);
            let mut tests = candidate.metadata().smoke_tests(SmokeTime::Staged);
            is_new && tests.next().is_some()
        })
    };
    plan.options.smoke && (of_host() || of_plugins())
}

/// Runs the smoke tests of the new plugins, each after those that it imports, and then those of the host.
///
/// # Errors
/// The first test that returns an error, panics, or does not return in time.
pub(super) fn run(inner: &Inner, trial: Staged, plan: &Plan) -> Result<(), ReloadError> {
    let limit = plan.options.smoke_limit;
    of_plugins(inner, &trial, SmokeTime::Staged, limit)?;
    let generation = Arc::new(trial.generation());
    let mut tests = inner.smoke.iter().chain(plan.smoke.iter());
    tests.try_for_each(|test| of_host(test, &generation, limit))
}

/// Runs the smoke tests of the new plugins that are for this time, each after those that it imports.
///
/// # Errors
/// The first test that returns an error, panics, or does not return in time.
pub(super) fn of_plugins(
    inner: &Inner,
    staged: &Staged,
    time: SmokeTime,
    limit: Duration,
) -> Result<(), ReloadError> {
    let mut thread = HookThread::new(limit).interrupted_by(&inner.interrupt);
    for instance in staged.fresh_instances() {
        for test in instance.metadata().smoke_tests(time) {
            plugin_test(inner, &mut thread, instance, test)?;
        }
    }
    Ok(())
}

/// Runs a test of a plugin.
///
/// # Errors
/// It returned an error, panicked, or did not return in time.
pub(super) fn plugin_test(
    inner: &Inner,
    thread: &mut HookThread,
    instance: &Arc<Instance>,
    test: &str,
) -> Result<(), ReloadError> {
    let (weak, name) = (Arc::downgrade(instance), test.to_owned());
    let job =
        move || Weak::upgrade(&weak).map_or(Ok(()), |instance| invoke::smoke(&instance, &name));
    let ran = thread.run(job, drop::<Result<(), HookFailure>>);
    let ran = ran.map_err(|not_run| {
        inner.hangs(&not_run);
        refused(not_run, thread.limit())
    });
    Ok(ran??)
}

/// Runs a test of the host on a thread of its own, which is left to itself if the test takes too long. It then keeps the
/// copy.
fn of_host(
    test: &SmokeTest,
    generation: &Arc<Generation>,
    limit: Duration,
) -> Result<(), ReloadError> {
    let failed = |message: String| ReloadError::Smoke {
        test: test.name.clone(),
        message,
    };
    let (reply, outcome) = channel();
    let (run, generation) = (test.run.clone(), generation.clone());
    let job = move || {
        fail_point::reach("hotswap-smoke");
        let ran = hook_thread::run_here(|| caught(|| run(&generation)));
        // What the test has left on this thread goes with the thread, and the copy goes first.
        drop(generation);
        let _ = reply.send(ran);
    };
    let thread = std::thread::Builder::new().name("hotswap-smoke".into());
    let thread = thread
        .spawn(|| guarded("hotswap-smoke", job))
        .map_err(ReloadError::Thread)?;
    match outcome.recv_timeout(limit) {
        Ok(ran) => {
            // The join waits for the destructors of the thread.
            drop(thread.join());
            ran.unwrap_or_else(|message| Err(format!("panicked: {message}")))
                .map_err(failed)
        }
        Err(RecvTimeoutError::Timeout) => Err(failed(format!(
            "it has not returned within {limit:?}, and its copy of the plugins stays in memory until it does"
        ))),
        Err(RecvTimeoutError::Disconnected) => Err(failed("its thread has ended".into())),
    }
}
