//! Functions that the expansion of `#[live]` on a type refers to.
use super::{Handler, VaultHandle};
use crate::boundary::Return;
use crate::contract::live::{
    self, Handle, HandleCode, Handled, LiveTypeCode, LiveTypeDesc, Make, MakeCode,
};
use crate::live_data::Saved;
use crate::{LiveData, LiveType};
use abi_stable::std_types::RStr;
use std::marker::PhantomData;

/// The optional abilities of a type. A constant of [`Probe`] exists if the type has the ability. Otherwise the
/// compiler falls back to the constant of [`Absent`].
pub struct Probe<T>(PhantomData<T>);

impl<T: LiveType + Handler> Probe<T> {
    /// The handler of a type that has one.
    pub const HANDLE: Option<Handle> = Some(live::handle::<Code<T>>);
}

impl<T: LiveType + Default> Probe<T> {
    /// The default of a type that has one.
    pub const MAKE: Option<Make> = Some(live::make::<Code<T>>);
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
    LiveTypeDesc::new::<Code<T>>(earlier, make, handle)
}

/// The code of the live type `T`, for its C functions.
struct Code<T>(PhantomData<T>);

impl<T: LiveType> LiveTypeCode for Code<T> {
    const VERSION: u32 = T::VERSION;

    fn renew(data: &LiveData) -> Saved {
        Ok(LiveData::save(&data.restore::<T>()?)?)
    }

    fn lower(data: &LiveData, version: u32) -> Saved {
        Ok(data.lower::<T>(version)?)
    }
}

impl<T: LiveType + Default> MakeCode for Code<T> {
    fn make() -> Saved {
        Ok(LiveData::save(&T::default())?)
    }
}

impl<T: LiveType + Handler> HandleCode for Code<T> {
    fn handle(data: &LiveData) -> Handled {
        let value = data.restore::<T>()?;
        Ok(value.handle(&VaultHandle::new()).into_dynamic())
    }
}
