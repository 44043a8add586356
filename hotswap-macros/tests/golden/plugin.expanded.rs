impl World {
    fn new(cx: &Context, deps: Deps) -> Result<Self> {
        Ok(World { deps })
    }
    fn on_load(&self, data: &LoadData<'_>) -> Result<()> {
        Ok(())
    }
    fn on_start(&self) {}
    fn save(&self) -> State {
        State { hums: self.hums }
    }
    fn restore(&self, state: State) -> Result<()> {
        Ok(())
    }
    fn hum(&self, times: u32) -> String {
        "hum ".repeat(times as usize)
    }
    fn hums(&self) {}
    fn is_well(&self) -> Health {
        Health::Healthy
    }
    fn glow(&self, hours: u32) -> Vector {
        Vector::default()
    }
    async fn rest(&self, name: &str, times: u32) -> Option<Vector> {
        None
    }
    fn greet(&self, name: &str, at: Vector) -> Result<Vector, Refused> {
        Ok(at)
    }
}
#[allow(clippy::all, clippy::pedantic)]
#[allow(improper_ctypes_definitions, trivial_bounds, unexpected_cfgs)]
const _: () = {
    use ::hotswap_plugin::boundary as __hotswap;
    #[doc(hidden)]
    pub struct __Imports(Deps);
    #[automatically_derived]
    impl ::hotswap_plugin::Import for __Imports {
        const IMPORTS: &'static [__hotswap::ImportDesc] = <Deps as ::hotswap_plugin::Import>::IMPORTS;
        const METADATA: &'static str = <Deps as ::hotswap_plugin::Import>::METADATA;
        fn bind(objects: &__hotswap::Bindings<'_>) -> Self {
            Self(<Deps as ::hotswap_plugin::Import>::bind(objects))
        }
    }
    #[automatically_derived]
    impl ::hotswap_plugin::Plugin for World
    where
        Health: __hotswap::Shared,
        Vector: __hotswap::Shared,
        Refused: __hotswap::Shared,
        for<'__a> Vector: __hotswap::Arg,
        for<'__a> Health: __hotswap::Return,
        for<'__a> Vector: __hotswap::Return,
        State: ::hotswap_plugin::LiveType,
    {
        const NAME: &'static str = ::core::env!("CARGO_PKG_NAME");
        const VERSION: &'static str = ::core::env!("CARGO_PKG_VERSION");
        const FUNCTIONS: &'static [__hotswap::FunctionDesc] = &[
            {
                unsafe extern "C" fn typed(
                    this: *const (),
                    times: <u32 as __hotswap::Arg>::Cross,
                    out: *mut __hotswap::Out<<String as __hotswap::Shared>::View>,
                ) -> __hotswap::Status {
                    unsafe {
                        __hotswap::answer(
                            out,
                            || {
                                let mut times = __hotswap::arg::take_owned::<u32>(times);
                                World::hum(
                                    &*this.cast::<World>(),
                                    <u32 as __hotswap::Arg>::get(&mut times),
                                )
                            },
                        )
                    }
                }
                unsafe extern "C" fn dynamic(
                    this: *const (),
                    args: __hotswap::SliceView<__hotswap::ValueView>,
                    out: *mut __hotswap::DynamicOut,
                ) -> __hotswap::Status {
                    unsafe {
                        __hotswap::dynamic::answer_dynamic(
                            out,
                            || {
                                let mut args = __hotswap::dynamic::arguments(args, 1u32)?;
                                let times = args.next::<u32>("times")?;
                                let result: String = World::hum(
                                    &*this.cast::<World>(),
                                    times,
                                );
                                __hotswap::Return::into_dynamic(result)
                            },
                        )
                    }
                }
                unsafe {
                    __hotswap::FunctionDesc::new(
                        "hum",
                        &[
                            __hotswap::ParamDesc::new(
                                "times",
                                <u32 as __hotswap::Arg>::TYPE,
                            ),
                        ],
                        <String as __hotswap::Shared>::TYPE,
                        typed as *const (),
                        dynamic,
                    )
                }
            },
            {
                unsafe extern "C" fn typed(
                    this: *const (),
                    out: *mut __hotswap::Out<<() as __hotswap::Shared>::View>,
                ) -> __hotswap::Status {
                    unsafe {
                        __hotswap::answer(
                            out,
                            || { World::hums(&*this.cast::<World>()) },
                        )
                    }
                }
                unsafe extern "C" fn dynamic(
                    this: *const (),
                    args: __hotswap::SliceView<__hotswap::ValueView>,
                    out: *mut __hotswap::DynamicOut,
                ) -> __hotswap::Status {
                    unsafe {
                        __hotswap::dynamic::answer_dynamic(
                            out,
                            || {
                                __hotswap::dynamic::arguments(args, 0u32)?;
                                let result: () = World::hums(&*this.cast::<World>());
                                __hotswap::Return::into_dynamic(result)
                            },
                        )
                    }
                }
                unsafe {
                    __hotswap::FunctionDesc::new(
                        "hums",
                        &[],
                        <() as __hotswap::Shared>::TYPE,
                        typed as *const (),
                        dynamic,
                    )
                }
            },
            {
                unsafe extern "C" fn typed(
                    this: *const (),
                    out: *mut __hotswap::Out<<Health as __hotswap::Shared>::View>,
                ) -> __hotswap::Status
                where
                    Health: __hotswap::Shared,
                    for<'__a> Health: __hotswap::Return,
                {
                    unsafe {
                        __hotswap::answer(
                            out,
                            || { World::is_well(&*this.cast::<World>()) },
                        )
                    }
                }
                unsafe extern "C" fn dynamic(
                    this: *const (),
                    args: __hotswap::SliceView<__hotswap::ValueView>,
                    out: *mut __hotswap::DynamicOut,
                ) -> __hotswap::Status
                where
                    Health: __hotswap::Shared,
                    for<'__a> Health: __hotswap::Return,
                {
                    unsafe {
                        __hotswap::dynamic::answer_dynamic(
                            out,
                            || {
                                __hotswap::dynamic::arguments(args, 0u32)?;
                                let result: Health = World::is_well(&*this.cast::<World>());
                                __hotswap::Return::into_dynamic(result)
                            },
                        )
                    }
                }
                unsafe {
                    __hotswap::FunctionDesc::new(
                        "is_well",
                        &[],
                        <Health as __hotswap::Shared>::TYPE,
                        typed as *const (),
                        dynamic,
                    )
                }
            },
            {
                unsafe extern "C" fn typed(
                    this: *const (),
                    hours: <u32 as __hotswap::Arg>::Cross,
                    out: *mut __hotswap::Out<<Vector as __hotswap::Shared>::View>,
                ) -> __hotswap::Status
                where
                    Vector: __hotswap::Shared,
                    for<'__a> Vector: __hotswap::Return,
                {
                    unsafe {
                        __hotswap::answer(
                            out,
                            || {
                                let mut hours = __hotswap::arg::take_owned::<u32>(hours);
                                World::glow(
                                    &*this.cast::<World>(),
                                    <u32 as __hotswap::Arg>::get(&mut hours),
                                )
                            },
                        )
                    }
                }
                unsafe extern "C" fn dynamic(
                    this: *const (),
                    args: __hotswap::SliceView<__hotswap::ValueView>,
                    out: *mut __hotswap::DynamicOut,
                ) -> __hotswap::Status
                where
                    Vector: __hotswap::Shared,
                    for<'__a> Vector: __hotswap::Return,
                {
                    unsafe {
                        __hotswap::dynamic::answer_dynamic(
                            out,
                            || {
                                let mut args = __hotswap::dynamic::arguments(args, 1u32)?;
                                let hours = args.next::<u32>("hours")?;
                                let result: Vector = World::glow(
                                    &*this.cast::<World>(),
                                    hours,
                                );
                                __hotswap::Return::into_dynamic(result)
                            },
                        )
                    }
                }
                unsafe {
                    __hotswap::FunctionDesc::new(
                        "glow",
                        &[
                            __hotswap::ParamDesc::new(
                                "hours",
                                <u32 as __hotswap::Arg>::TYPE,
                            ),
                        ],
                        <Vector as __hotswap::Shared>::TYPE,
                        typed as *const (),
                        dynamic,
                    )
                }
            },
            {
                unsafe extern "C" fn typed(
                    this: *const (),
                    name: <&str as __hotswap::Arg>::Cross,
                    times: <u32 as __hotswap::Arg>::Cross,
                    out: *mut __hotswap::Out<
                        <__hotswap::Later<Option<Vector>> as __hotswap::Shared>::View,
                    >,
                ) -> __hotswap::Status
                where
                    Vector: __hotswap::Shared,
                {
                    unsafe {
                        __hotswap::answer(
                            out,
                            || {
                                let name = <&str as __hotswap::Arg>::keep(name);
                                let times = <u32 as __hotswap::Arg>::keep(times);
                                let this: &'static World = &*this.cast::<World>();
                                __hotswap::Later::new(async move {
                                    World::rest(this, &name, times).await
                                })
                            },
                        )
                    }
                }
                unsafe extern "C" fn dynamic(
                    this: *const (),
                    args: __hotswap::SliceView<__hotswap::ValueView>,
                    out: *mut __hotswap::Out<__hotswap::LaterView>,
                ) -> __hotswap::Status
                where
                    Vector: __hotswap::Shared,
                {
                    unsafe {
                        __hotswap::later::answer_later(
                            out,
                            || {
                                let mut args = __hotswap::dynamic::arguments(args, 2u32)?;
                                let name = args
                                    .next::<<&str as __hotswap::Arg>::Owned>("name")?;
                                let times = args.next::<u32>("times")?;
                                let this: &'static World = &*this.cast::<World>();
                                ::core::result::Result::Ok(
                                    __hotswap::Later::new(async move {
                                        let result: Option<Vector> = World::rest(this, &name, times)
                                            .await;
                                        __hotswap::Return::into_dynamic(result)
                                    }),
                                )
                            },
                        )
                    }
                }
                unsafe {
                    __hotswap::FunctionDesc::new_async(
                        "rest",
                        &[
                            __hotswap::ParamDesc::new(
                                "name",
                                <&str as __hotswap::Arg>::TYPE,
                            ),
                            __hotswap::ParamDesc::new(
                                "times",
                                <u32 as __hotswap::Arg>::TYPE,
                            ),
                        ],
                        <__hotswap::Later<Option<Vector>> as __hotswap::Shared>::TYPE,
                        typed as *const (),
                        dynamic,
                    )
                }
            },
            {
                unsafe extern "C" fn typed(
                    this: *const (),
                    name: <&str as __hotswap::Arg>::Cross,
                    at: <Vector as __hotswap::Arg>::Cross,
                    out: *mut __hotswap::Out<
                        <Result<Vector, Refused> as __hotswap::Shared>::View,
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
                                let mut name = <&str as __hotswap::Arg>::take(name);
                                let mut at = __hotswap::arg::take_owned::<Vector>(at);
                                World::greet(
                                    &*this.cast::<World>(),
                                    <&str as __hotswap::Arg>::get(&mut name),
                                    <Vector as __hotswap::Arg>::get(&mut at),
                                )
                            },
                        )
                    }
                }
                unsafe extern "C" fn dynamic(
                    this: *const (),
                    args: __hotswap::SliceView<__hotswap::ValueView>,
                    out: *mut __hotswap::DynamicOut,
                ) -> __hotswap::Status
                where
                    Vector: __hotswap::Shared,
                    Refused: __hotswap::Shared,
                    for<'__a> Vector: __hotswap::Arg,
                {
                    unsafe {
                        __hotswap::dynamic::answer_dynamic(
                            out,
                            || {
                                let mut args = __hotswap::dynamic::arguments(args, 2u32)?;
                                let name = args
                                    .next::<<&str as __hotswap::Arg>::Owned>("name")?;
                                let at = args.next::<Vector>("at")?;
                                let result: Result<Vector, Refused> = World::greet(
                                    &*this.cast::<World>(),
                                    &name,
                                    at,
                                );
                                __hotswap::Return::into_dynamic(result)
                            },
                        )
                    }
                }
                unsafe {
                    __hotswap::FunctionDesc::new(
                        "greet",
                        &[
                            __hotswap::ParamDesc::new(
                                "name",
                                <&str as __hotswap::Arg>::TYPE,
                            ),
                            __hotswap::ParamDesc::new(
                                "at",
                                <Vector as __hotswap::Arg>::TYPE,
                            ),
                        ],
                        <Result<Vector, Refused> as __hotswap::Shared>::TYPE,
                        typed as *const (),
                        dynamic,
                    )
                }
            },
        ];
        const EXPORTS: &'static [__hotswap::ExportDesc] = &[
            __hotswap::ExportDesc::new::<dyn Alpha, World>(),
        ];
        const TABLES: __hotswap::Tables<Self> = unsafe {
            __hotswap::Tables::new(Self::FUNCTIONS, Self::EXPORTS)
        };
        type Imports = __Imports;
        fn construct(
            cx: &::hotswap_plugin::Context,
            imports: Self::Imports,
        ) -> ::hotswap_plugin::Result<Self> {
            fn construct(
                cx: &::hotswap_plugin::Context,
                imports: __Imports,
            ) -> ::hotswap_plugin::Result<World> {
                ::core::result::Result::Ok(<World>::new(cx, imports.0)?)
            }
            const _: fn(
                &::hotswap_plugin::Context,
                __Imports,
            ) -> ::hotswap_plugin::Result<World> = construct;
            construct(cx, imports)
        }
        fn on_load(
            this: ::hotswap_plugin::Early<'_, Self>,
            data: &::hotswap_plugin::LoadData<'_>,
        ) -> ::hotswap_plugin::Result<()> {
            ::core::result::Result::Ok(Self::on_load(this.shared(), data)?)
        }
        fn on_start(&self) -> ::hotswap_plugin::Result<()> {
            Self::on_start(self);
            ::core::result::Result::Ok(())
        }
        const STATE: ::core::option::Option<
            &'static ::hotswap_plugin::contract::state::StateDesc,
        > = ::core::option::Option::Some(const {
            &::hotswap_plugin::state::describe::<State>()
        });
        const STATE_HISTORY: &'static str = <State as ::hotswap_plugin::LiveType>::HISTORY;
        fn save(
            &self,
            version: u32,
        ) -> ::hotswap_plugin::Result<::hotswap_plugin::LiveData> {
            let state: State = {
                let saved = Self::save(self);
                saved
            };
            ::hotswap_plugin::state::save_as(&state, version)
        }
        fn restore(
            this: ::hotswap_plugin::Early<'_, Self>,
            state: &::hotswap_plugin::live_data::LiveDataView<'_>,
        ) -> ::hotswap_plugin::Result<()> {
            Self::restore(this.shared(), state.restore::<State>()?)?;
            ::core::result::Result::Ok(())
        }
    }
    #[cfg(hotswap_dylib)]
    mod library {
        ::hotswap_plugin::__shim!();
        ::hotswap_plugin::__allocator!();
    }
    #[cfg(hotswap_dylib)]
    ::hotswap_plugin::__entry!(World);
    #[cfg(hotswap_static)]
    ::hotswap_plugin::__linked!(World);
    #[cfg(any(hotswap_dylib, hotswap_static))]
    ::hotswap_plugin::__metadata!(
        ::core::concat!(r#"{"name":""#, ::core::env!("CARGO_PKG_NAME"),
        r#"","version":""#, ::core::env!("CARGO_PKG_VERSION"), r#"","crate":""#,
        ::core::env!("CARGO_PKG_NAME"),
        "\",\"reloadable\":true,\"hooks\":[\"new\",\"on_load\",\"on_start\",\"save\",\"restore\"],\"functions\":[{\"name\":\"hum\",\"signature\":\"fn(times: u32) -> String\"},{\"name\":\"hums\",\"signature\":\"fn()\",\"smoke\":\"staged\"},{\"name\":\"is_well\",\"signature\":\"fn() -> Health\",\"health\":true},{\"name\":\"glow\",\"signature\":\"fn(hours: u32) -> Vector\",\"patch\":{\"plugin\":\"sun\",\"function\":\"shine\"}},{\"name\":\"rest\",\"signature\":\"async fn(name: &str, times: u32) -> Option<Vector>\"},{\"name\":\"greet\",\"signature\":\"fn(name: &str, at: Vector) -> Result<Vector, Refused>\"}]}",),
        ["[", "{\"interface\":\"Alpha\",\"signature\":\"", < dyn Alpha as
        __hotswap::Interface > ::SIGNATURE, "\"}", "]"]
    );
};
impl Moon {
    fn on_init(&mut self) {
        self.phase = 1;
    }
}
#[allow(clippy::all, clippy::pedantic)]
#[allow(improper_ctypes_definitions, trivial_bounds, unexpected_cfgs)]
const _: () = {
    use renamed::boundary as __hotswap;
    #[automatically_derived]
    impl renamed::Plugin for Moon {
        const NAME: &'static str = "moon";
        const VERSION: &'static str = "2";
        const FUNCTIONS: &'static [__hotswap::FunctionDesc] = &[];
        const EXPORTS: &'static [__hotswap::ExportDesc] = &[];
        const TABLES: __hotswap::Tables<Self> = unsafe {
            __hotswap::Tables::new(Self::FUNCTIONS, Self::EXPORTS)
        };
        type Imports = ();
        fn construct(
            cx: &renamed::Context,
            imports: Self::Imports,
        ) -> renamed::Result<Self> {
            fn construct(cx: &renamed::Context, imports: ()) -> renamed::Result<Moon> {
                let _ = cx;
                let _ = imports;
                ::core::result::Result::Ok(<Moon as ::core::default::Default>::default())
            }
            const _: fn(&renamed::Context, ()) -> renamed::Result<Moon> = construct;
            construct(cx, imports)
        }
        fn reloadable(cx: &renamed::Context) -> bool {
            let _ = cx;
            false
        }
        fn on_init(
            this: renamed::Early<'_, Self>,
            vault: &renamed::Vault<'_>,
        ) -> renamed::Result<()> {
            let _ = vault;
            Self::on_init(this.exclusive());
            ::core::result::Result::Ok(())
        }
    }
    #[cfg(hotswap_dylib)]
    mod library {
        renamed::__shim!();
    }
    #[cfg(hotswap_dylib)]
    renamed::__entry!(Moon);
    #[cfg(hotswap_static)]
    renamed::__linked!(Moon);
    #[cfg(any(hotswap_dylib, hotswap_static))]
    renamed::__metadata!(
        ::core::concat!(r#"{"name":""#, "moon", r#"","version":""#, "2",
        r#"","crate":""#, ::core::env!("CARGO_PKG_NAME"),
        "\",\"reloadable\":false,\"hooks\":[\"on_init\"],\"functions\":[]}",), ["[", "]"]
    );
};
