#[repr(C)]
/// A place, and what it is called.
#[derive(Clone)]
pub struct Vector {
    pub x: i64,
    pub label: String,
}
#[allow(clippy::all, clippy::pedantic)]
#[allow(trivial_bounds, unused_unsafe, unused_variables)]
const _: () = {
    use ::hotswap_plugin::boundary as __hotswap;
    #[doc(hidden)]
    #[repr(C)]
    pub struct __VectorView {
        x: <i64 as __hotswap::Shared>::View,
        label: <String as __hotswap::Shared>::View,
    }
    #[automatically_derived]
    impl ::core::clone::Clone for __VectorView {
        #[inline]
        fn clone(&self) -> Self {
            *self
        }
    }
    #[automatically_derived]
    impl ::core::marker::Copy for __VectorView {}
    #[automatically_derived]
    unsafe impl __hotswap::Shared for Vector {
        const TYPE: &'static __hotswap::TypeDesc = &__hotswap::TypeDesc::new::<
            __VectorView,
        >(
            ::core::env!("CARGO_PKG_NAME"),
            "Vector",
            __hotswap::Kind::Struct,
            &[
                __hotswap::FieldDesc::new("x", <i64 as __hotswap::Shared>::TYPE),
                __hotswap::FieldDesc::new("label", <String as __hotswap::Shared>::TYPE),
            ],
        );
        type View = __VectorView;
        const BORROWS: bool = <i64 as __hotswap::Shared>::BORROWS
            || <String as __hotswap::Shared>::BORROWS;
        const PLAIN: bool = !::core::mem::needs_drop::<Self>()
            && ::core::mem::size_of::<Self>() == ::core::mem::size_of::<__VectorView>()
            && ::core::mem::align_of::<Self>() == ::core::mem::align_of::<__VectorView>()
            && <i64 as __hotswap::Shared>::PLAIN && <String as __hotswap::Shared>::PLAIN;
        #[inline]
        fn view(&self, arena: &__hotswap::Arena) -> __VectorView {
            __VectorView {
                x: <i64 as __hotswap::Shared>::view(&self.x, arena),
                label: <String as __hotswap::Shared>::view(&self.label, arena),
            }
        }
        #[inline]
        unsafe fn from_view(view: __VectorView) -> Self {
            unsafe {
                Self {
                    x: <i64 as __hotswap::Shared>::from_view(view.x),
                    label: <String as __hotswap::Shared>::from_view(view.label),
                }
            }
        }
        fn to_value(&self) -> __hotswap::Value {
            __hotswap::value_shape::map([
                ("x", <i64 as __hotswap::Shared>::to_value(&self.x)),
                ("label", <String as __hotswap::Shared>::to_value(&self.label)),
            ])
        }
        fn from_value(
            value: __hotswap::Value,
        ) -> ::core::result::Result<Self, __hotswap::ValueError> {
            let mut fields = __hotswap::value_shape::into_fields(value, "Vector")?;
            let this = Self {
                x: fields.take("x", <i64 as __hotswap::Shared>::from_value)?,
                label: fields.take("label", <String as __hotswap::Shared>::from_value)?,
            };
            fields.end()?;
            ::core::result::Result::Ok(this)
        }
    }
    ::hotswap_plugin::__returned!([] Vector);
    ::hotswap_plugin::__arg!([] Vector);
};
enum Event {
    Came(Vector, u8),
    Went { r#where: Option<Vector> },
    Nothing,
}
#[allow(clippy::all, clippy::pedantic)]
#[allow(trivial_bounds, unused_unsafe, unused_variables)]
const _: () = {
    use renamed::boundary as __hotswap;
    #[doc(hidden)]
    #[repr(u32)]
    pub enum __EventView
    where
        Vector: __hotswap::Shared,
    {
        Came(<Vector as __hotswap::Shared>::View, <u8 as __hotswap::Shared>::View),
        Went { r#where: <Option<Vector> as __hotswap::Shared>::View },
        Nothing,
    }
    #[automatically_derived]
    impl ::core::clone::Clone for __EventView
    where
        Vector: __hotswap::Shared,
    {
        #[inline]
        fn clone(&self) -> Self {
            *self
        }
    }
    #[automatically_derived]
    impl ::core::marker::Copy for __EventView
    where
        Vector: __hotswap::Shared,
    {}
    #[automatically_derived]
    unsafe impl __hotswap::Shared for Event
    where
        Vector: __hotswap::Shared,
    {
        const TYPE: &'static __hotswap::TypeDesc = &__hotswap::TypeDesc::new::<
            __EventView,
        >(
            ::core::env!("CARGO_PKG_NAME"),
            "Event",
            __hotswap::Kind::Enum,
            &[
                __hotswap::FieldDesc::new(
                    "Came",
                    &__hotswap::TypeDesc::variant(
                        &[
                            __hotswap::FieldDesc::new(
                                "0",
                                <Vector as __hotswap::Shared>::TYPE,
                            ),
                            __hotswap::FieldDesc::new(
                                "1",
                                <u8 as __hotswap::Shared>::TYPE,
                            ),
                        ],
                    ),
                ),
                __hotswap::FieldDesc::new(
                    "Went",
                    &__hotswap::TypeDesc::variant(
                        &[
                            __hotswap::FieldDesc::new(
                                "where",
                                <Option<Vector> as __hotswap::Shared>::TYPE,
                            ),
                        ],
                    ),
                ),
                __hotswap::FieldDesc::new("Nothing", &__hotswap::TypeDesc::variant(&[])),
            ],
        );
        type View = __EventView;
        const BORROWS: bool = <Vector as __hotswap::Shared>::BORROWS
            || <u8 as __hotswap::Shared>::BORROWS
            || <Option<Vector> as __hotswap::Shared>::BORROWS;
        const PLAIN: bool = false;
        #[inline]
        fn view(&self, arena: &__hotswap::Arena) -> __EventView {
            match self {
                Self::Came(item0, item1) => {
                    __EventView::Came(
                        <Vector as __hotswap::Shared>::view(item0, arena),
                        <u8 as __hotswap::Shared>::view(item1, arena),
                    )
                }
                Self::Went { r#where } => {
                    __EventView::Went {
                        r#where: <Option<
                            Vector,
                        > as __hotswap::Shared>::view(r#where, arena),
                    }
                }
                Self::Nothing => __EventView::Nothing,
            }
        }
        #[inline]
        unsafe fn from_view(view: __EventView) -> Self {
            unsafe {
                match view {
                    __EventView::Came(item0, item1) => {
                        Self::Came(
                            <Vector as __hotswap::Shared>::from_view(item0),
                            <u8 as __hotswap::Shared>::from_view(item1),
                        )
                    }
                    __EventView::Went { r#where } => {
                        Self::Went {
                            r#where: <Option<
                                Vector,
                            > as __hotswap::Shared>::from_view(r#where),
                        }
                    }
                    __EventView::Nothing => Self::Nothing,
                }
            }
        }
        fn to_value(&self) -> __hotswap::Value {
            match self {
                Self::Came(item0, item1) => {
                    __hotswap::value_shape::variant(
                        "Came",
                        __hotswap::Value::List(
                            ::std::vec::Vec::from([
                                <Vector as __hotswap::Shared>::to_value(item0),
                                <u8 as __hotswap::Shared>::to_value(item1),
                            ]),
                        ),
                    )
                }
                Self::Went { r#where } => {
                    __hotswap::value_shape::variant(
                        "Went",
                        __hotswap::value_shape::map([
                            (
                                "where",
                                <Option<Vector> as __hotswap::Shared>::to_value(r#where),
                            ),
                        ]),
                    )
                }
                Self::Nothing => __hotswap::Value::from("Nothing"),
            }
        }
        fn from_value(
            value: __hotswap::Value,
        ) -> ::core::result::Result<Self, __hotswap::ValueError> {
            let (name, value) = __hotswap::value_shape::into_variant(value, "Event")?;
            match name.as_str() {
                "Came" => {
                    __hotswap::value_shape::within(
                        "Came",
                        || {
                            let mut items = __hotswap::value_shape::into_items(
                                value,
                                "Came",
                                2usize,
                            )?;
                            ::core::result::Result::Ok(
                                Self::Came(
                                    items.take(<Vector as __hotswap::Shared>::from_value)?,
                                    items.take(<u8 as __hotswap::Shared>::from_value)?,
                                ),
                            )
                        },
                    )
                }
                "Went" => {
                    __hotswap::value_shape::within(
                        "Went",
                        || {
                            let mut fields = __hotswap::value_shape::into_fields(
                                value,
                                "Went",
                            )?;
                            let this = Self::Went {
                                r#where: fields
                                    .take(
                                        "where",
                                        <Option<Vector> as __hotswap::Shared>::from_value,
                                    )?,
                            };
                            fields.end()?;
                            ::core::result::Result::Ok(this)
                        },
                    )
                }
                "Nothing" => {
                    __hotswap::value_shape::within(
                        "Nothing",
                        || {
                            __hotswap::value_shape::into_nothing(value)
                                .map(|()| Self::Nothing)
                        },
                    )
                }
                _ => __hotswap::value_shape::unknown_variant("Event", name),
            }
        }
    }
    renamed::__returned!([] Event where Vector : __hotswap::Shared);
    renamed::__arg!([] Event where Vector : __hotswap::Shared);
};
