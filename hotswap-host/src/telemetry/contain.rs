//! Contains panics of the host's logger or subscriber, so that they reach neither the plugin that called it nor the
//! work of the host after a switch.
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

static LOST: AtomicU64 = AtomicU64::new(0);

/// Returns the number of calls, for plugins' records, spans, and panics, that ended in a panic of the host's own logger
/// or subscriber.
///
/// The host's panic hook has reported the panics themselves.
pub fn lost() -> u64 {
    LOST.load(Relaxed)
}

/// Returns the result of `run`, or `fallback` if it panics.
pub(crate) fn contain<R>(fallback: R, run: impl FnOnce() -> R) -> R {
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|payload| {
        LOST.fetch_add(1, Relaxed);
        // A payload may panic when it is dropped. What that leaves behind is not touched again.
        if let Err(again) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
            std::mem::forget(again);
        }
        fallback
    })
}

/// Returns the result of `run`, or the message of its panic.
pub(crate) fn caught<R>(run: impl FnOnce() -> R) -> Result<R, String> {
    catch_unwind(AssertUnwindSafe(run)).map_err(|payload| {
        let text = payload
            .downcast_ref::<&str>()
            .map(|text| (*text).to_owned())
            .or_else(|| payload.downcast_ref::<String>().cloned())
            .unwrap_or_else(|| "non-string panic payload".into());
        contain((), || drop(payload));
        text
    })
}

/// Runs code of the host's own on one of its threads, which goes on after a panic. The panic is logged.
///
/// # Errors
/// The code panicked, with this message.
pub(crate) fn guarded<R>(thread: &str, run: impl FnOnce() -> R) -> Result<R, String> {
    caught(run).inspect_err(|message| {
        contain((), || {
            tracing::error!(
                target: "hotswap",
                "the host's thread {thread} has panicked, which is a bug in hotswap: {message}; please report it"
            );
        });
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    struct PanicsWhenDropped;

    impl Drop for PanicsWhenDropped {
        fn drop(&mut self) {
            panic!("again");
        }
    }

    #[test]
    fn a_panic_becomes_the_fallback() {
        let before = lost();
        assert_eq!(contain(1, || std::panic::panic_any(PanicsWhenDropped)), 1);
        assert_eq!(contain(1, || 2), 2);
        assert!(lost() > before);
    }
}
