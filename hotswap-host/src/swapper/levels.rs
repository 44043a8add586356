//! Tells the plugins the levels of the host's log and trace, whenever these change.
use super::inner::Inner;
use crate::base::fail_point;
use crate::reclaim::record;
use crate::telemetry::{self, Levels, guarded};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::sync::{Arc, Weak};
use std::time::Duration;

/// The interval between two looks at the levels. `log` has no notification for a changed level.
const PERIOD: Duration = Duration::from_millis(200);

/// Follows the host's levels for as long as the swapper lives, on a thread of its own. `told` was read before the
/// plugins were told anything, so that no change is missed between then and the start of the thread.
///
/// # Errors
/// The thread cannot be started.
pub(super) fn follow(inner: &Arc<Inner>, told: Levels) -> std::io::Result<()> {
    let (wake, woken) = sync_channel(1);
    let inner = Arc::downgrade(inner);
    let run = move || {
        let _watch = telemetry::watch(move || {
            // If the channel is full, the thread has already been woken.
            let _ = wake.try_send(());
        });
        follow_until_dropped(&inner, told, &woken);
    };
    std::thread::Builder::new()
        .name("hotswap-levels".into())
        .spawn(run)
        .map(drop)
}

fn follow_until_dropped(inner: &Weak<Inner>, mut told: Levels, woken: &Receiver<()>) {
    while inner.strong_count() != 0 {
        let look = || {
            fail_point::reach("hotswap-levels");
            // Telling a plugin may have left values of it in thread-locals here.
            record::mine().run_pending_destructors();
            // A swapper is borrowed only when there is something to tell, because the thread that drops the last one
            // should be the one that retires its plugins.
            if told != telemetry::levels()
                && let Some(inner) = inner.upgrade()
            {
                told = tell(&inner, told);
            }
        };
        // After a panic, it looks again.
        let _ = guarded("hotswap-levels", look);
        if woken.recv_timeout(PERIOD) == Err(RecvTimeoutError::Disconnected) {
            return;
        }
    }
}

/// Pushes the host's levels to the live plugins, unless `told` says that they have them. Repeats this if the levels
/// have changed during the push, because another thread may have pushed newer ones in between. Returns the levels that
/// the plugins were told last.
pub(super) fn tell(inner: &Inner, mut told: Levels) -> Levels {
    loop {
        let now = telemetry::levels();
        if now == told {
            return told;
        }
        inner.set_levels(now);
        told = now;
    }
}
