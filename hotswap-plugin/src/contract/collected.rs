//! Lists of statics from many crates. The linker lays them side by side, so that all of them are found without their
//! names.
//!
//! On Linux, each static lies in a section whose name is also a C identifier, and the linker defines symbols for its
//! beginning and end. On other systems, [`linkme`] does the same in the way of each system.
//!
//! `linkme` is not used everywhere, since it takes two lists of one name for a mistake and panics. A program may
//! contain this crate more than once: see [`linked`](super::linked). Each copy then finds the items of all copies. That
//! is right if they have one layout, so the names of the sections carry the contract's version, or the layout is the
//! same in all versions. On other systems, such a program panics with `linkme`'s message when its plugins are opened.

/// Declares a list, and a function that returns it.
macro_rules! collected {
    (
        $(#[$attr:meta])*
        $vis:vis static $list:ident: [$item:ty] in $section:literal;
        $(#[$get_attr:meta])*
        $get_vis:vis fn $get:ident
    ) => {
        $(#[$attr])*
        #[doc(hidden)]
        #[cfg(not(target_os = "linux"))]
        #[linkme::distributed_slice]
        $vis static $list: [$item];

        $(#[$get_attr])*
        #[cfg(not(target_os = "linux"))]
        $get_vis fn $get() -> &'static [$item] {
            $list.static_slice()
        }

        $(#[$get_attr])*
        #[cfg(target_os = "linux")]
        $get_vis fn $get() -> &'static [$item] {
            unsafe extern "Rust" {
                #[link_name = concat!("__start_", $section)]
                static START: [$item; 0];
                #[link_name = concat!("__stop_", $section)]
                static STOP: [$item; 0];
            }
            // The section has to exist even without items. It is writable, like the sections of items, which the linker
            // relocates.
            #[used]
            #[unsafe(link_section = $section)]
            static mut NONE: [$item; 0] = [];
            let (start, stop) = (&raw const START, &raw const STOP);
            let count = (stop.addr() - start.addr()) / size_of::<$item>();
            // SAFETY: the linker lays the items, which all have one type, side by side between the two symbols.
            unsafe { std::slice::from_raw_parts(start.cast(), count) }
        }
    };
}

pub(super) use collected;

/// Puts a static into a list. Takes the name of the list's section, the list, and the static.
#[macro_export]
#[doc(hidden)]
macro_rules! __collect {
    ($section:literal, $list:path, static $name:ident: $ty:ty = $value:expr;) => {
        #[cfg_attr(target_os = "linux", used, unsafe(link_section = $section))]
        #[cfg_attr(
            not(target_os = "linux"),
            $crate::__private::linkme::distributed_slice($list)
        )]
        #[cfg_attr(not(target_os = "linux"), linkme(crate = $crate::__private::linkme))]
        static $name: $ty = $value;
    };
}
