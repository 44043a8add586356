//! A future of a plugin, and the count that keeps its build.
use hotswap_plugin::boundary::{Later, Panicked, Shared};
use std::sync::Arc;
use std::task::{Context, Poll};

/// A count that keeps the generation in which it was made, with everything that belongs to the generation's plugins.
pub(crate) trait Keeps {
    /// Runs code of the plugin that the count is for.
    fn within<R>(&self, run: impl FnOnce() -> R) -> R;
}

impl<K: Keeps> Keeps for Arc<K> {
    fn within<R>(&self, run: impl FnOnce() -> R) -> R {
        (**self).within(run)
    }
}

/// A plugin's future, and the count that keeps its build. The future goes first.
pub(crate) struct Begun<R, K: Keeps> {
    /// The future, or `None` once it was dropped.
    later: Option<Later<R>>,
    keeps: K,
}

impl<R, K: Keeps> Begun<R, K> {
    #[inline]
    pub(crate) fn new(later: Later<R>, keeps: K) -> Self {
        Begun {
            later: Some(later),
            keeps,
        }
    }

    /// The count.
    #[inline]
    pub(crate) fn keeps(&self) -> &K {
        &self.keeps
    }
}

impl<R: Shared, K: Keeps> Begun<R, K> {
    /// Polls the future.
    #[inline]
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<R, Panicked>> {
        let later = self.later.as_mut();
        let later = later.expect("the future is there until this is dropped");
        self.keeps.within(|| later.try_poll(cx))
    }
}

impl<R, K: Keeps> Drop for Begun<R, K> {
    fn drop(&mut self) {
        let later = self.later.take();
        // Most often it has ended, and there is nothing of the plugin to drop.
        if later.as_ref().is_some_and(Later::has_ended) {
            return;
        }
        self.keeps.within(|| drop(later));
    }
}
