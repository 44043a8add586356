//! The statics that lead to the entry points: of a library of its own, and of a plugin that is linked into the program
//! (see [`linked`](crate::contract::linked)).

/// Exports the entry points of the plugin `$plugin` from the crate that uses this macro.
#[doc(hidden)]
#[macro_export]
macro_rules! __entry {
    ($plugin:ty) => {
        const PLUGIN: $crate::expand::glue::Parts = $crate::expand::glue::Parts::of::<$plugin>();

        #[unsafe(no_mangle)]
        static hotswap_root_module: $crate::__private::abi_stable::library::LibHeader =
            PLUGIN.header();

        #[used]
        #[unsafe(no_mangle)]
        #[cfg_attr(not(target_vendor = "apple"), unsafe(link_section = ".hotswap"))]
        #[cfg_attr(target_vendor = "apple", unsafe(link_section = "__DATA,__hotswap"))]
        static HOTSWAP_METADATA: Metadata = METADATA;
    };
}

/// Lists the plugin `$plugin` among those that are linked into the program. [`__metadata!`](crate::__metadata) is used
/// for it, too.
#[doc(hidden)]
#[macro_export]
macro_rules! __linked {
    ($plugin:ty) => {
        const PLUGIN: $crate::expand::glue::Parts =
            $crate::expand::glue::Parts::linked::<$plugin>();

        // The section in which tools find the metadata, as in a library.
        #[cfg_attr(not(target_vendor = "apple"), unsafe(link_section = ".hotswap"))]
        #[cfg_attr(target_vendor = "apple", unsafe(link_section = "__DATA,__hotswap"))]
        static HOTSWAP_METADATA: Metadata = METADATA;

        static HEADER: $crate::__private::abi_stable::library::LibHeader = PLUGIN.header();

        // SAFETY: the metadata and the header are made from the same `PLUGIN`, and the parts of a `Section` consist of
        // bytes only.
        static LINKED: $crate::contract::linked::Linked = unsafe {
            $crate::contract::linked::Linked::new(
                ::core::env!("CARGO_PKG_NAME"),
                &HOTSWAP_METADATA,
                &HEADER,
            )
        };

        $crate::__collect! {
            "hotswap_linked", $crate::contract::linked::HOTSWAP_LINKED,
            static LISTED: &$crate::contract::linked::Linked = &LINKED;
        }
    };
}
