//! The platforms on which plugins have no hidden functions. The host sees nothing that a library does, and no library
//! leaves memory.

pub(crate) mod watched_functions {
    use crate::load::table::Table;
    use hotswap_plugin::contract::shim::Token;

    pub(crate) fn table(token: Token) -> Table {
        Table::new(token)
    }
}

pub(crate) mod signals {
    use crate::load::library::Library;
    use std::ffi::c_int;
    use std::ops::Range;
    use std::sync::Arc;

    /// No handler is in a chain.
    #[derive(Clone, Copy, Debug)]
    pub(crate) struct Withdrawn;

    impl Withdrawn {
        pub(crate) fn nothing() -> Self {
            Withdrawn
        }

        pub(crate) fn are_all_of(self, _: &Library) -> bool {
            true
        }
    }

    pub(crate) fn withdraw(_: &Arc<Library>) -> Result<Withdrawn, c_int> {
        Ok(Withdrawn)
    }

    pub(crate) fn forget(_: &Arc<Library>) {}

    pub(crate) fn is_below_others(_: &Range<usize>) -> bool {
        false
    }
}

pub(crate) mod fork {
    use crate::load::library::Library;
    use std::convert::Infallible;
    use std::sync::Arc;

    /// There are no handlers.
    pub(crate) type Handlers = Infallible;

    pub(crate) fn take(_: &Arc<Library>) -> Vec<Handlers> {
        Vec::new()
    }

    pub(crate) fn give_back(_: &Arc<Library>, _: Vec<Handlers>) {}
}
