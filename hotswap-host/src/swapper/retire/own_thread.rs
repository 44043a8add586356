//! Runs code of plugins on threads of its own, so that it holds up no other retirement.
use crate::base::fail_point;
use crate::instance::{Instance, Uses};
use crate::load::loaded::Loaded;
use crate::reclaim::record;
use crate::telemetry::{contain, guarded};
use std::panic::resume_unwind;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

/// Frees an instance, and logs which of its hooks have failed.
pub(super) fn free(instance: Instance) -> (Loaded, Uses) {
    let (loaded, uses, failures) = instance.destroy();
    for failure in failures {
        contain((), || tracing::error!(target: "hotswap", "{failure}"));
    }
    (loaded, uses)
}

/// Runs code of a plugin on a thread of its own, so that it holds up nothing else.
///
/// # Errors
/// The thread could not be started. The error returns `with`, for another attempt.
pub(super) fn spawn<T, R>(
    with: T,
    run: impl FnOnce(T) -> R + Send + 'static,
) -> Result<JoinHandle<R>, (T, std::io::Error)>
where
    T: Send + 'static,
    R: Send + 'static,
{
    let slot = Arc::new(Mutex::new(Some(with)));
    let take = |slot: &Mutex<Option<T>>| {
        let with = slot.lock().unwrap_or_else(PoisonError::into_inner).take();
        with.expect("only the new thread takes it, or the caller if no thread was started")
    };
    let taken = slot.clone();
    let thread = std::thread::Builder::new().name("hotswap-free".into());
    let run = move || {
        let with = take(&taken);
        let ran = guarded("hotswap-free", || {
            fail_point::reach("hotswap-free");
            let result = run(with);
            // This happens before the thread counts as finished, so that joining it runs no code of plugins.
            record::mine().run_all();
            result
        });
        // Whoever joins the thread learns of a panic.
        ran.unwrap_or_else(|message| resume_unwind(Box::new(message)))
    };
    let thread = thread.spawn(run);
    thread.map_err(|error| (take(&slot), error))
}
