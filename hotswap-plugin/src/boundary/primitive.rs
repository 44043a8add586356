//! Numbers, `bool`, `char`, and `()` as values without a static type.
use crate::boundary::abi::ValueView;
use crate::boundary::value::{Value, ValueError};
use crate::boundary::value_shape::into_nothing;

/// Reads a primitive type from a value.
pub(super) trait Primitive: Sized {
    fn read(value: Value) -> Result<Self, ValueError>;
    /// Returns the value if the view has it directly.
    #[inline]
    fn glance(_: &ValueView) -> Option<Self> {
        None
    }
}

macro_rules! integer {
    ($($ty:ty),*) => {$(
        impl Primitive for $ty {
            fn read(value: Value) -> Result<$ty, ValueError> {
                let number = match &value {
                    Value::Int(number) => <$ty>::try_from(*number).ok(),
                    // A number that is too large for `Value::Int`.
                    Value::Str(text) if <$ty>::MAX as u128 == u128::MAX => text.parse().ok(),
                    _ => None,
                };
                number.ok_or_else(|| ValueError::new(stringify!($ty), &value))
            }
            #[inline]
            fn glance(view: &ValueView) -> Option<$ty> {
                match view {
                    ValueView::Int(number) => <$ty>::try_from(*number).ok(),
                    _ => None,
                }
            }
        }
    )*};
}
integer!(
    u8, u16, u32, u64, u128, usize, i8, i16, i32, i64, i128, isize
);

macro_rules! float {
    ($($ty:ty),*) => {$(
        impl Primitive for $ty {
            fn read(value: Value) -> Result<$ty, ValueError> {
                match value {
                    Value::Float(number) => Ok(number as $ty),
                    Value::Int(number) => Ok(number as $ty),
                    _ => Err(ValueError::new(stringify!($ty), &value)),
                }
            }
            #[inline]
            fn glance(view: &ValueView) -> Option<$ty> {
                match view {
                    ValueView::Float(number) => Some(*number as $ty),
                    _ => None,
                }
            }
        }
    )*};
}
float!(f32, f64);

impl Primitive for bool {
    fn read(value: Value) -> Result<bool, ValueError> {
        match value {
            Value::Bool(yes) => Ok(yes),
            _ => Err(ValueError::new("bool", &value)),
        }
    }
    #[inline]
    fn glance(view: &ValueView) -> Option<bool> {
        match view {
            ValueView::Bool(yes) => Some(*yes),
            _ => None,
        }
    }
}

impl Primitive for char {
    fn read(value: Value) -> Result<char, ValueError> {
        let mut chars = value.as_str().unwrap_or_default().chars();
        match (chars.next(), chars.next()) {
            (Some(char), None) => Ok(char),
            _ => Err(ValueError::new("char", &value)),
        }
    }
}

impl Primitive for () {
    fn read(value: Value) -> Result<(), ValueError> {
        into_nothing(value)
    }
}
