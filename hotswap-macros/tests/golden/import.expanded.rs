#[allow(clippy::all, clippy::pedantic)]
#[allow(trivial_bounds)]
const _: () = {
    use ::hotswap_plugin::boundary as __hotswap;
    #[automatically_derived]
    impl ::hotswap_plugin::Import for Deps
    where
        dyn Alpha: __hotswap::Interface,
        dyn jobs::JobQueue: __hotswap::Interface,
        dyn Beta: __hotswap::Interface,
    {
        const IMPORTS: &'static [__hotswap::ImportDesc] = &[
            __hotswap::ImportDesc::plugin::<dyn Alpha>("alpha", "alpha", false),
            __hotswap::ImportDesc::host::<dyn jobs::JobQueue>("queue", false),
            __hotswap::ImportDesc::plugin::<dyn Beta>("beta", "beta-plugin", true),
            __hotswap::ImportDesc::order_only("gamma", "gamma"),
        ];
        const METADATA: &'static str = "[{\"field\":\"alpha\",\"from\":\"alpha\",\"interface\":\"Alpha\",\"kind\":\"plugin\",\"optional\":false},{\"field\":\"queue\",\"from\":null,\"interface\":\"JobQueue\",\"kind\":\"host\",\"optional\":false},{\"field\":\"beta\",\"from\":\"beta-plugin\",\"interface\":\"Beta\",\"kind\":\"plugin\",\"optional\":true},{\"field\":\"gamma\",\"from\":\"gamma\",\"interface\":null,\"kind\":\"order_only\",\"optional\":false}]";
        fn bind(objects: &__hotswap::Bindings<'_>) -> Self {
            let _ = |imports: &Self| imports.gamma;
            Self {
                alpha: objects.required::<dyn Alpha>(0usize),
                queue: objects.required::<dyn jobs::JobQueue>(1usize),
                beta: objects.optional::<dyn Beta>(2usize),
                gamma: (),
                cache: ::core::default::Default::default(),
            }
        }
    }
};
