//! The smoke tests of the host.
use crate::generation::Generation;
use std::fmt;
use std::sync::Arc;

/// The smoke tests of the host, in the order in which they were added.
#[derive(Clone, Default)]
pub(super) struct SmokeTests(Vec<SmokeTest>);

/// A smoke test of the host.
#[derive(Clone)]
pub(super) struct SmokeTest {
    pub(super) name: String,
    pub(super) run: Arc<dyn Fn(&Generation) -> Result<(), String> + Send + Sync>,
}

impl SmokeTests {
    pub(super) fn add<E: fmt::Display>(
        &mut self,
        name: &str,
        test: impl Fn(&Generation) -> Result<(), E> + Send + Sync + 'static,
    ) {
        self.0.push(SmokeTest {
            name: name.to_owned(),
            run: Arc::new(move |next| test(next).map_err(|error| error.to_string())),
        });
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &SmokeTest> {
        self.0.iter()
    }
}
