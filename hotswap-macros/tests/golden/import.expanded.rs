#[allow(clippy::all, clippy::pedantic)]
#[allow(trivial_bounds, unsafe_code)]
const _: () = {
    use ::hotswap_plugin::boundary as __hotswap;
    #[automatically_derived]
    unsafe impl ::hotswap_plugin::Import for Deps
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
        unsafe fn bind(objects: &[__hotswap::RawObject]) -> Self {
            let _ = |imports: &Self| imports.gamma;
            unsafe {
                Self {
                    alpha: __hotswap::Imported::<dyn Alpha>::from_raw(objects[0usize]),
                    queue: __hotswap::Imported::<
                        dyn jobs::JobQueue,
                    >::from_raw(objects[1usize]),
                    beta: __hotswap::Imported::<
                        dyn Beta,
                    >::from_optional(objects[2usize]),
                    gamma: (),
                    cache: ::core::default::Default::default(),
                }
            }
        }
    }
};
