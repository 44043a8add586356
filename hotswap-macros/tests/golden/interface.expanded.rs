/// What beta may ask of alpha.
pub trait Alpha: Send + Sync {
    /// Says the text there.
    #[must_use]
    fn say(&self, text: &str, at: Vector) -> Result<String, Refused>;
    fn ready(&self) -> bool {
        true
    }
    /// Later.
    fn wait(
        &self,
        text: &str,
    ) -> impl ::core::future::Future<Output = ()> + ::core::marker::Send
    where
        Self: ::core::marker::Sized;
    #[allow(clippy::manual_async_fn)]
    fn rest(&self) -> impl ::core::future::Future<Output = Vector> + ::core::marker::Send
    where
        Self: ::core::marker::Sized,
    {
        async move { Vector::default() }
    }
}
#[allow(clippy::all, clippy::pedantic)]
#[allow(improper_ctypes_definitions, trivial_bounds)]
const _: () = {
    use ::hotswap_plugin::boundary as __hotswap;
    #[doc(hidden)]
    #[repr(C)]
    pub struct __AlphaTable
    where
        Vector: __hotswap::Shared,
        Refused: __hotswap::Shared,
        for<'__a> Vector: __hotswap::Arg,
        for<'__a> Vector: __hotswap::Return,
    {
        say: unsafe extern "C" fn(
            *const (),
            <&str as __hotswap::Arg>::Cross,
            <Vector as __hotswap::Arg>::Cross,
            *mut __hotswap::Out<<Result<String, Refused> as __hotswap::Shared>::View>,
        ) -> __hotswap::Status,
        ready: unsafe extern "C" fn(
            *const (),
            *mut __hotswap::Out<<bool as __hotswap::Shared>::View>,
        ) -> __hotswap::Status,
        wait: unsafe extern "C" fn(
            *const (),
            <&str as __hotswap::Arg>::Cross,
            *mut __hotswap::Out<<__hotswap::Later<()> as __hotswap::Shared>::View>,
        ) -> __hotswap::Status,
        rest: unsafe extern "C" fn(
            *const (),
            *mut __hotswap::Out<<__hotswap::Later<Vector> as __hotswap::Shared>::View>,
        ) -> __hotswap::Status,
    }
    #[doc(hidden)]
    pub struct __AlphaProxy(
        __hotswap::Object<__AlphaTable>,
    )
    where
        Vector: __hotswap::Shared,
        Refused: __hotswap::Shared,
        for<'__a> Vector: __hotswap::Arg,
        for<'__a> Vector: __hotswap::Return;
    #[automatically_derived]
    unsafe impl<'__i> __hotswap::Interface for dyn Alpha + '__i
    where
        Vector: __hotswap::Shared,
        Refused: __hotswap::Shared,
        for<'__a> Vector: __hotswap::Arg,
        for<'__a> Vector: __hotswap::Return,
    {
        type Table = __AlphaTable;
        type Proxy = __AlphaProxy;
        const DESC: &'static __hotswap::InterfaceDesc = &__hotswap::InterfaceDesc::new(
            ::core::env!("CARGO_PKG_NAME"),
            "Alpha",
            &[
                __hotswap::MethodDesc::new(
                    "say",
                    &[
                        __hotswap::ParamDesc::new(
                            "text",
                            <&str as __hotswap::Arg>::TYPE,
                        ),
                        __hotswap::ParamDesc::new("at", <Vector as __hotswap::Arg>::TYPE),
                    ],
                    <Result<String, Refused> as __hotswap::Shared>::TYPE,
                ),
                __hotswap::MethodDesc::new(
                    "ready",
                    &[],
                    <bool as __hotswap::Shared>::TYPE,
                ),
                __hotswap::MethodDesc::new(
                    "wait",
                    &[__hotswap::ParamDesc::new("text", <&str as __hotswap::Arg>::TYPE)],
                    <__hotswap::Later<()> as __hotswap::Shared>::TYPE,
                ),
                __hotswap::MethodDesc::new(
                    "rest",
                    &[],
                    <__hotswap::Later<Vector> as __hotswap::Shared>::TYPE,
                ),
            ],
        );
        const SIGNATURE: &'static str = "fn say(&self, text: &str, at: Vector) -> Result<String, Refused>; fn ready(&self) -> bool; async fn wait(&self, text: &str); async fn rest(&self) -> Vector";
        const RELAYS: &'static __AlphaTable = &__AlphaTable {
            say: {
                unsafe extern "C" fn say(
                    this: *const (),
                    text: <&str as __hotswap::Arg>::Cross,
                    at: <Vector as __hotswap::Arg>::Cross,
                    out: *mut __hotswap::Out<
                        <Result<String, Refused> as __hotswap::Shared>::View,
                    >,
                ) -> __hotswap::Status
                where
                    Vector: __hotswap::Shared,
                    Refused: __hotswap::Shared,
                    for<'__a> Vector: __hotswap::Arg,
                {
                    unsafe {
                        let (call, this) = __hotswap::relayed::<
                            unsafe extern "C" fn(
                                *const (),
                                <&str as __hotswap::Arg>::Cross,
                                <Vector as __hotswap::Arg>::Cross,
                                *mut __hotswap::Out<
                                    <Result<String, Refused> as __hotswap::Shared>::View,
                                >,
                            ) -> __hotswap::Status,
                        >(this, 0usize);
                        call(this, text, at, out)
                    }
                }
                say
            },
            ready: {
                unsafe extern "C" fn ready(
                    this: *const (),
                    out: *mut __hotswap::Out<<bool as __hotswap::Shared>::View>,
                ) -> __hotswap::Status {
                    unsafe {
                        let (call, this) = __hotswap::relayed::<
                            unsafe extern "C" fn(
                                *const (),
                                *mut __hotswap::Out<<bool as __hotswap::Shared>::View>,
                            ) -> __hotswap::Status,
                        >(this, 1usize);
                        call(this, out)
                    }
                }
                ready
            },
            wait: {
                unsafe extern "C" fn wait(
                    this: *const (),
                    text: <&str as __hotswap::Arg>::Cross,
                    out: *mut __hotswap::Out<
                        <__hotswap::Later<()> as __hotswap::Shared>::View,
                    >,
                ) -> __hotswap::Status {
                    unsafe {
                        let (call, this) = __hotswap::relayed::<
                            unsafe extern "C" fn(
                                *const (),
                                <&str as __hotswap::Arg>::Cross,
                                *mut __hotswap::Out<
                                    <__hotswap::Later<()> as __hotswap::Shared>::View,
                                >,
                            ) -> __hotswap::Status,
                        >(this, 2usize);
                        call(this, text, out)
                    }
                }
                wait
            },
            rest: {
                unsafe extern "C" fn rest(
                    this: *const (),
                    out: *mut __hotswap::Out<
                        <__hotswap::Later<Vector> as __hotswap::Shared>::View,
                    >,
                ) -> __hotswap::Status
                where
                    Vector: __hotswap::Shared,
                    for<'__a> Vector: __hotswap::Return,
                {
                    unsafe {
                        let (call, this) = __hotswap::relayed::<
                            unsafe extern "C" fn(
                                *const (),
                                *mut __hotswap::Out<
                                    <__hotswap::Later<Vector> as __hotswap::Shared>::View,
                                >,
                            ) -> __hotswap::Status,
                        >(this, 3usize);
                        call(this, out)
                    }
                }
                rest
            },
        };
        fn proxy(object: __hotswap::Object<__AlphaTable>) -> __AlphaProxy {
            __AlphaProxy(object)
        }
        fn object(proxy: &__AlphaProxy) -> &__hotswap::Object<__AlphaTable> {
            &proxy.0
        }
    }
    #[automatically_derived]
    unsafe impl<'__i, __T: Alpha + 'static> __hotswap::Provides<__T> for dyn Alpha + '__i
    where
        Vector: __hotswap::Shared,
        Refused: __hotswap::Shared,
        for<'__a> Vector: __hotswap::Arg,
        for<'__a> Vector: __hotswap::Return,
    {
        const TABLE: &'static __AlphaTable = &__AlphaTable {
            say: {
                unsafe extern "C" fn say<__T: Alpha>(
                    this: *const (),
                    text: <&str as __hotswap::Arg>::Cross,
                    at: <Vector as __hotswap::Arg>::Cross,
                    out: *mut __hotswap::Out<
                        <Result<String, Refused> as __hotswap::Shared>::View,
                    >,
                ) -> __hotswap::Status
                where
                    Vector: __hotswap::Shared,
                    Refused: __hotswap::Shared,
                    for<'__a> Vector: __hotswap::Arg,
                {
                    unsafe {
                        __hotswap::answer(
                            out,
                            || {
                                let mut text = <&str as __hotswap::Arg>::take(text);
                                let mut at = __hotswap::arg::take_owned::<Vector>(at);
                                <__T as Alpha>::say(
                                    &*this.cast::<__T>(),
                                    <&str as __hotswap::Arg>::get(&mut text),
                                    <Vector as __hotswap::Arg>::get(&mut at),
                                )
                            },
                        )
                    }
                }
                say::<__T>
            },
            ready: {
                unsafe extern "C" fn ready<__T: Alpha>(
                    this: *const (),
                    out: *mut __hotswap::Out<<bool as __hotswap::Shared>::View>,
                ) -> __hotswap::Status {
                    unsafe {
                        __hotswap::answer(
                            out,
                            || { <__T as Alpha>::ready(&*this.cast::<__T>()) },
                        )
                    }
                }
                ready::<__T>
            },
            wait: {
                unsafe extern "C" fn wait<__T: Alpha + 'static>(
                    this: *const (),
                    text: <&str as __hotswap::Arg>::Cross,
                    out: *mut __hotswap::Out<
                        <__hotswap::Later<()> as __hotswap::Shared>::View,
                    >,
                ) -> __hotswap::Status {
                    unsafe {
                        __hotswap::answer(
                            out,
                            || {
                                let text = <&str as __hotswap::Arg>::keep(text);
                                let this: &'static __T = &*this.cast::<__T>();
                                __hotswap::Later::new(async move {
                                    <__T as Alpha>::wait(this, &text).await
                                })
                            },
                        )
                    }
                }
                wait::<__T>
            },
            rest: {
                unsafe extern "C" fn rest<__T: Alpha + 'static>(
                    this: *const (),
                    out: *mut __hotswap::Out<
                        <__hotswap::Later<Vector> as __hotswap::Shared>::View,
                    >,
                ) -> __hotswap::Status
                where
                    Vector: __hotswap::Shared,
                    for<'__a> Vector: __hotswap::Return,
                {
                    unsafe {
                        __hotswap::answer(
                            out,
                            || {
                                let this: &'static __T = &*this.cast::<__T>();
                                __hotswap::Later::new(async move {
                                    <__T as Alpha>::rest(this).await
                                })
                            },
                        )
                    }
                }
                rest::<__T>
            },
        };
    }
    #[automatically_derived]
    impl __AlphaProxy
    where
        Vector: __hotswap::Shared,
        Refused: __hotswap::Shared,
        for<'__a> Vector: __hotswap::Arg,
        for<'__a> Vector: __hotswap::Return,
    {
        /// Says the text there.
        #[must_use]
        #[inline]
        pub fn say(&self, text: &str, at: Vector) -> Result<String, Refused> {
            let arena = __hotswap::Arena::new();
            let text = <&str as __hotswap::Arg>::lend(&text, &arena);
            let at = <Vector as __hotswap::Arg>::lend(&at, &arena);
            let answer = unsafe {
                let (method, this) = self.0.method(|table| &raw const (*table).say);
                __hotswap::receive(|out| method(
                    this,
                    <&str as __hotswap::Arg>::cross(&text),
                    <Vector as __hotswap::Arg>::cross(&at),
                    out,
                ))
            };
            self.0.note(&answer);
            answer
        }
        #[inline]
        pub fn ready(&self) -> bool {
            let answer = unsafe {
                let (method, this) = self.0.method(|table| &raw const (*table).ready);
                __hotswap::receive(|out| method(this, out))
            };
            self.0.note(&answer);
            answer
        }
        /// Later.
        #[inline]
        pub fn wait<'__a>(&'__a self, text: &str) -> __hotswap::Awaited<'__a, ()> {
            let arena = __hotswap::Arena::new();
            let text = <&str as __hotswap::Arg>::lend(&text, &arena);
            unsafe {
                let (method, this) = self.0.method(|table| &raw const (*table).wait);
                __hotswap::Awaited::receive(
                    &self.0,
                    |out| method(this, <&str as __hotswap::Arg>::cross(&text), out),
                )
            }
        }
        #[inline]
        pub fn rest<'__a>(&'__a self) -> __hotswap::Awaited<'__a, Vector> {
            unsafe {
                let (method, this) = self.0.method(|table| &raw const (*table).rest);
                __hotswap::Awaited::receive(&self.0, |out| method(this, out))
            }
        }
    }
    #[automatically_derived]
    impl Alpha for __AlphaProxy
    where
        Vector: __hotswap::Shared,
        Refused: __hotswap::Shared,
        for<'__a> Vector: __hotswap::Arg,
        for<'__a> Vector: __hotswap::Return,
    {
        #[inline]
        fn say(&self, text: &str, at: Vector) -> Result<String, Refused> {
            __AlphaProxy::say(self, text, at)
        }
        #[inline]
        fn ready(&self) -> bool {
            __AlphaProxy::ready(self)
        }
        #[inline]
        fn wait(
            &self,
            text: &str,
        ) -> impl ::core::future::Future<Output = ()> + ::core::marker::Send {
            __AlphaProxy::wait(self, text)
        }
        #[inline]
        fn rest(
            &self,
        ) -> impl ::core::future::Future<Output = Vector> + ::core::marker::Send {
            __AlphaProxy::rest(self)
        }
    }
};
