//! The types that can be live data.
use serde::Serialize;
use serde::de::DeserializeOwned;

/// A type that can be live data. Put `#[live_data]` on a struct or an enum.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be live data",
    label = "not a live type",
    note = "put `#[live_data]` on the definition of `{Self}`"
)]
pub trait LiveType: Serialize + DeserializeOwned {
    /// The name of the type.
    const NAME: &'static str;
    /// Its schema version.
    const VERSION: u32;
}

/// What a field of live data may be.
pub trait LiveField: Serialize + DeserializeOwned {}

#[diagnostic::do_not_recommend]
impl<T: Serialize + DeserializeOwned> LiveField for T {}

macro_rules! plain {
    ($($ty:ty),*) => {$(
        impl LiveType for $ty {
            const NAME: &'static str = stringify!($ty);
            const VERSION: u32 = 0;
        }
    )*};
}
plain!(u8, u16, u32, u64, u128, usize, i8, i16, i32, i64, i128, isize, f32, f64, bool, char, (), String);

impl<T: LiveType> LiveType for Vec<T> {
    const NAME: &'static str = "Vec";
    const VERSION: u32 = 0;
}
