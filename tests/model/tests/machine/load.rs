//! A library that does nothing.
pub(crate) mod library {
    use crate::live::activity::Activity;
    use hotswap_plugin::contract::shim::{Destructor, Key};

    pub(crate) struct Library(Activity);

    impl Library {
        pub(crate) fn activity(&self) -> &Activity {
            &self.0
        }

        pub(crate) fn thread_ended(&self) {}

        pub(crate) fn key_destructor(&self, _: Key) -> Option<Destructor> {
            None
        }

        pub(crate) fn count_destructors_run(&self, _: usize) {}

        pub(crate) fn count_destructors_skipped(&self, _: usize) {}
    }
}
