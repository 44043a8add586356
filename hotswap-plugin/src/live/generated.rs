//! What the expansion of `#[live]` on a type names.
use super::{Handler, VaultHandle};
use crate::boundary::{Arg, Return, Status, answer};
use crate::contract::live::{Handle, Handled, HandledOut, LentData, LiveTypeDesc, Make, SavedOut};
use crate::live_data::Saved;
use crate::{LiveData, LiveType};
use abi_stable::std_types::{RSlice, RStr};
use std::marker::PhantomData;

/// What else a type can do: a constant of [`Probe`] where it can, otherwise that of [`Absent`], which the compiler takes
/// where it finds no other.
pub struct Probe<T>(PhantomData<T>);

impl<T: LiveType + Handler> Probe<T> {
    /// It has a handler.
    pub const HANDLE: Option<Handle> = Some(handle::<T>);
}

impl<T: LiveType + Default> Probe<T> {
    /// It has a default.
    pub const MAKE: Option<Make> = Some(make::<T>);
}

/// See [`Probe`].
pub trait Absent {
    /// There is no handler.
    const HANDLE: Option<Handle> = None;
    /// There is no default.
    const MAKE: Option<Make> = None;
}

impl<T> Absent for Probe<T> {}

/// A name that a type had earlier.
pub const fn earlier(name: &'static str) -> RStr<'static> {
    RStr::from_str(name)
}

/// The description of a live type.
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
    // SAFETY: the caller lends the data and waits for the answer.
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
    // SAFETY: as above.
    unsafe {
        let data = || lent(data);
        answer(out, || -> Saved { Ok(data().lower::<T>(version)?) })
    }
}

unsafe extern "C" fn make<T: LiveType + Default>(out: *mut SavedOut) -> Status {
    // SAFETY: the caller waits for the answer.
    unsafe { answer(out, || -> Saved { Ok(LiveData::save(&T::default())?) }) }
}

unsafe extern "C" fn handle<T: LiveType + Handler>(data: LentData, out: *mut HandledOut) -> Status {
    // SAFETY: the caller lends the data and waits for the answer.
    unsafe {
        let data = || lent(data);
        answer(out, || -> Handled {
            let value = data().restore::<T>()?;
            Ok(value.handle(&VaultHandle::new()).into_dynamic())
        })
    }
}

/// A copy of the data.
///
/// # Safety
/// The caller of a function of [`LiveTypeDesc`] lends it until the answer.
unsafe fn lent(data: LentData) -> LiveData {
    // SAFETY: the caller's promise.
    unsafe { <&LiveData as Arg>::take(data) }
}
