pub struct Sounds {
    /// What cats say.
    pub meow: Slot<dyn Meow>,
    weigh: Slot<dyn scales::Weigh>,
}
#[allow(clippy::all, clippy::pedantic)]
#[allow(trivial_bounds)]
const _: () = {
    use ::hotswap_plugin::boundary as __hotswap;
    #[automatically_derived]
    impl ::core::default::Default for Sounds
    where
        dyn Meow: __hotswap::Interface,
        dyn scales::Weigh: __hotswap::Interface,
    {
        fn default() -> Self {
            Self {
                meow: ::core::default::Default::default(),
                weigh: ::core::default::Default::default(),
            }
        }
    }
    #[automatically_derived]
    impl ::hotswap_plugin::Extension for Sounds
    where
        dyn Meow: __hotswap::Interface,
        dyn scales::Weigh: __hotswap::Interface,
    {
        const DESC: &'static __hotswap::ExtensionDesc = &__hotswap::ExtensionDesc::new(
            ::core::env!("CARGO_PKG_NAME"),
            "Sounds",
            &[
                __hotswap::SlotDesc::new(
                    "meow",
                    <dyn Meow as __hotswap::Interface>::DESC,
                ),
                __hotswap::SlotDesc::new(
                    "weigh",
                    <dyn scales::Weigh as __hotswap::Interface>::DESC,
                ),
            ],
        );
        fn slots(&self) -> ::std::vec::Vec<&dyn ::hotswap_plugin::extension::AnySlot> {
            ::std::vec![
                { let slot : & ::hotswap_plugin::Slot < dyn Meow > = & self.meow; slot },
                { let slot : & ::hotswap_plugin::Slot < dyn scales::Weigh > = & self
                .weigh; slot }
            ]
        }
        fn slots_mut(
            &mut self,
        ) -> ::std::vec::Vec<&mut dyn ::hotswap_plugin::extension::AnySlot> {
            ::std::vec![
                { let slot : & mut ::hotswap_plugin::Slot < dyn Meow > = & mut self.meow;
                slot }, { let slot : & mut ::hotswap_plugin::Slot < dyn scales::Weigh > =
                & mut self.weigh; slot }
            ]
        }
    }
};
