//! A library, as far as the protocol needs one.
pub(crate) mod library {
    use crate::reclaim::activity::Activity;
    use crate::reclaim::code::Code;
    use hotswap_plugin::contract::shim::{Destructor, Key};
    use loom::cell::UnsafeCell;

    pub(crate) struct Library {
        activity: Activity,
        /// The code of the library reads this, and unmapping the library writes it.
        mapped: UnsafeCell<bool>,
    }

    // SAFETY: the model checker reports accesses of `mapped` that are not ordered.
    unsafe impl Send for Library {}
    // SAFETY: the model checker reports accesses of `mapped` that are not ordered.
    unsafe impl Sync for Library {}

    impl Library {
        pub(crate) fn new() -> Self {
            Library {
                activity: Activity::new(),
                mapped: UnsafeCell::new(true),
            }
        }

        /// Runs some code of the library.
        pub(crate) fn run(&self) {
            // SAFETY: the model checker watches each access, and reports one that is not ordered.
            assert!(self.mapped.with(|mapped| unsafe { *mapped }));
        }

        /// Unmaps the library.
        pub(crate) fn close(&self) {
            // SAFETY: the model checker watches each access, and reports one that is not ordered.
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
