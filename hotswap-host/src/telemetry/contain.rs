//! Keeps a panic of the host's logger or subscriber out of the plugin that called it, and out of what the host does after a
//! switch.
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

static LOST: AtomicU64 = AtomicU64::new(0);

/// How many calls of plugins' records, spans and panics ended in a panic of the host's own logger or subscriber.
///
/// The panics themselves have been reported by the host's panic hook.
pub fn lost() -> u64 {
    LOST.load(Relaxed)
}

/// What `run` returns, or `fallback` if it panics.
pub(crate) fn contain<R>(fallback: R, run: impl FnOnce() -> R) -> R {
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|payload| {
        LOST.fetch_add(1, Relaxed);
        // A payload may panic when it is dropped; what that leaves behind is not touched again.
        if let Err(again) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
            std::mem::forget(again);
        }
        fallback
    })
}

/// What `run` returns, or what its panic said.
pub(crate) fn caught<R>(run: impl FnOnce() -> R) -> Result<R, String> {
    catch_unwind(AssertUnwindSafe(run)).map_err(|payload| {
        let text = payload
            .downcast_ref::<&str>()
            .map(|text| (*text).to_owned())
            .or_else(|| payload.downcast_ref::<String>().cloned())
            .unwrap_or_else(|| "a payload that is no text".into());
        contain((), || drop(payload));
        text
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
