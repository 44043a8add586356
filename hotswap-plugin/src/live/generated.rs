//! Functions that the expansion of `#[live]` on a type refers to.
use super::{Handler, VaultHandle};
use crate::boundary::{Arg, Return, Status, answer};
use crate::contract::live::{Handle, Handled, HandledOut, LentData, LiveTypeDesc, Make, SavedOut};
use crate::live_data::Saved;
use crate::{LiveData, LiveType};
use abi_stable::std_types::{RSlice, RStr};
use std::marker::PhantomData;

/// The optional abilities of a type. A constant of [`Probe`] exists if the type has the ability. Otherwise the
/// compiler falls back to the constant of [`Absent`].
pub struct Probe<T>(PhantomData<T>);

impl<T: LiveType + Handler> Probe<T> {
    /// The handler of a type that has one.
    pub const HANDLE: Option<Handle> = Some(handle::<T>);
}

impl<T: LiveType + Default> Probe<T> {
    /// The default of a type that has one.
    pub const MAKE: Option<Make> = Some(make::<T>);
}

/// The fallback for [`Probe`].
pub trait Absent {
    /// The type has no handler.
    const HANDLE: Option<Handle> = None;
    /// The type has no default.
    const MAKE: Option<Make> = None;
}

impl<T> Absent for Probe<T> {}

/// Returns an earlier name of a type.
pub const fn earlier(name: &'static str) -> RStr<'static> {
    RStr::from_str(name)
}

/// Returns the description of a live type.
pub const fn describe<T: LiveType>(
    earlier: &'static [RStr<'static>],
    make: Option<Make>,
    handle: Option<Handle>,
) -> LiveTypeDesc {
    LiveTypeDesc {
        version: T::VERSION,
        earlier: RSlice::from_slice(earlier),
        renew: renew::<T>,
        lower: lower::<T>,
        make,
        handle,
    }
}

unsafe extern "C" fn renew<T: LiveType>(data: LentData, out: *mut SavedOut) -> Status {
    // SAFETY: the caller lends the data, and reads `out` after this has returned.
    unsafe {
        let data = || lent(data);
        answer(out, || -> Saved {
            Ok(LiveData::save(&data().restore::<T>()?)?)
        })
    }
}

unsafe extern "C" fn lower<T: LiveType>(
    data: LentData,
    version: u32,
    out: *mut SavedOut,
) -> Status {
    // SAFETY: the caller lends the data, and reads `out` after this has returned.
    unsafe {
        let data = || lent(data);
        answer(out, || -> Saved { Ok(data().lower::<T>(version)?) })
    }
}

unsafe extern "C" fn make<T: LiveType + Default>(out: *mut SavedOut) -> Status {
    // SAFETY: the caller reads `out` after this has returned.
    unsafe { answer(out, || -> Saved { Ok(LiveData::save(&T::default())?) }) }
}

unsafe extern "C" fn handle<T: LiveType + Handler>(data: LentData, out: *mut HandledOut) -> Status {
    // SAFETY: the caller lends the data, and reads `out` after this has returned.
    unsafe {
        let data = || lent(data);
        answer(out, || -> Handled {
            let value = data().restore::<T>()?;
            Ok(value.handle(&VaultHandle::new()).into_dynamic())
        })
    }
}

/// Returns a copy of the data.
///
/// # Safety
/// The caller of a function of [`LiveTypeDesc`] lends the data until the function returns.
unsafe fn lent(data: LentData) -> LiveData {
    // SAFETY: the caller guarantees that the data is lent until this returns.
    unsafe { <&LiveData as Arg>::take(data) }
}
