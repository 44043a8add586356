//! A library, as far as the protocol goes.
pub(crate) mod library {
    use crate::reclaim::activity::Activity;
    use crate::reclaim::code::Code;
    use hotswap_plugin::contract::shim::{Destructor, Key};
    use loom::cell::UnsafeCell;

    pub(crate) struct Library {
        activity: Activity,
        /// Read by its code; written by whoever unmaps it.
        mapped: UnsafeCell<bool>,
    }

    // SAFETY: the checker reports whoever uses `mapped` at the wrong time.
    unsafe impl Send for Library {}
    // SAFETY: as above.
    unsafe impl Sync for Library {}

    impl Library {
        pub(crate) fn new() -> Self {
            Library {
                activity: Activity::new(),
                mapped: UnsafeCell::new(true),
            }
        }

        /// Runs some of its code.
        pub(crate) fn run(&self) {
            // SAFETY: the checker watches.
            assert!(self.mapped.with(|mapped| unsafe { *mapped }));
        }

        /// Unmaps it.
        pub(crate) fn close(&self) {
            // SAFETY: the checker watches.
            self.mapped.with_mut(|mapped| unsafe { *mapped = false });
        }
    }

    impl Code for Library {
        fn activity(&self) -> &Activity {
            &self.activity
        }

        fn thread_ended(&self) {
            self.activity.thread_gone();
        }

        fn key_destructor(&self, _: Key) -> Option<Destructor> {
            None
        }

        fn count_destructors_run(&self, _: usize) {}

        fn count_destructors_skipped(&self, _: usize) {
            unreachable!("all threads are alive")
        }
    }
}
