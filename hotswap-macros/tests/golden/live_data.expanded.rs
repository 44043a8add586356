#[derive(
    ::hotswap_plugin::__private::serde::Serialize,
    ::hotswap_plugin::__private::serde::Deserialize
)]
#[serde(crate = "::hotswap_plugin::__private::serde")]
#[derive(Clone, Debug)]
pub struct Fire {
    pub name: String,
    #[serde(alias = "colour")]
    pub color: String,
    #[serde(default = "Fire::__live_default_shots")]
    shots: u32,
    #[serde(with = "::hotswap_plugin::live_data::bytes")]
    payload: Vec<u8>,
    #[serde(
        serialize_with = "Fire::__live_write_crew",
        deserialize_with = "Fire::__live_read_crew"
    )]
    crew: Vec<Man>,
    #[serde(
        serialize_with = "Fire::__live_write_leader",
        deserialize_with = "Fire::__live_read_leader"
    )]
    #[serde(default)]
    leader: Option<Man>,
    #[serde(default = "Fire::__live_default_cache")]
    #[serde(skip)]
    cache: Cache,
}
#[allow(clippy::all, clippy::pedantic)]
#[allow(non_snake_case, unused_variables)]
const _: () = {
    use ::hotswap_plugin::live_data::generated as __live;
    #[allow(unused_imports)]
    use __live::{Other as _, Unfit as _};
    const _: () = {
        __live::fits::<Man>();
        __live::fits::<Man>();
    };
    impl Fire {
        fn __live_default_shots() -> u32 {
            7
        }
        fn __live_write_crew<S: __live::Serializer>(
            value: &Vec<Man>,
            serializer: S,
        ) -> ::core::result::Result<S::Ok, S::Error> {
            __live::Stored::<Vec<Man>>::write(value, serializer)
        }
        fn __live_read_crew<'de, D: __live::Deserializer<'de>>(
            deserializer: D,
        ) -> ::core::result::Result<Vec<Man>, D::Error> {
            __live::Stored::<Vec<Man>>::read(deserializer)
        }
        fn __live_write_leader<S: __live::Serializer>(
            value: &Option<Man>,
            serializer: S,
        ) -> ::core::result::Result<S::Ok, S::Error> {
            __live::Stored::<Option<Man>>::write(value, serializer)
        }
        fn __live_read_leader<'de, D: __live::Deserializer<'de>>(
            deserializer: D,
        ) -> ::core::result::Result<Option<Man>, D::Error> {
            __live::Stored::<Option<Man>>::read(deserializer)
        }
        fn __live_default_cache() -> Cache {
            <Cache as ::core::default::Default>::default()
        }
    }
    #[automatically_derived]
    impl __live::LiveType for Fire {
        const NAME: &'static str = "Fire";
        const VERSION: u32 = 3u32;
        const EARLIER: &'static [&'static str] = &["Blaze"];
        const MIGRATIONS: &'static [__live::Migration] = &[
            __live::Migration {
                from: 1,
                up: {
                    let step: __live::Step = from_1;
                    ::core::option::Option::Some(step)
                },
                down: ::core::option::Option::None,
            },
            __live::Migration {
                from: 2,
                up: {
                    let step: __live::Step = from_2;
                    ::core::option::Option::Some(step)
                },
                down: {
                    let step: __live::Step = to_2;
                    ::core::option::Option::Some(step)
                },
            },
        ];
        const HISTORY: &'static str = "{\"migrations\":[{\"from\":1,\"up\":true,\"down\":false},{\"from\":2,\"up\":true,\"down\":true}],\"fields\":[{\"names\":[\"name\"],\"type\":\"String\",\"needed\":true},{\"names\":[\"color\",\"colour\"],\"type\":\"String\",\"needed\":true},{\"names\":[\"shots\"],\"type\":\"u32\",\"needed\":false},{\"names\":[\"payload\"],\"type\":\"Vec<u8>\",\"needed\":true},{\"names\":[\"crew\"],\"type\":\"Vec<Man>\",\"needed\":true},{\"names\":[\"leader\"],\"type\":\"Option<Man>\",\"needed\":false}]}";
        fn types(types: &mut __live::Types) {
            if types.enter::<Self>() {
                __live::Field::<Vec<Man>>::types(types);
                __live::Field::<Option<Man>>::types(types);
            }
        }
        fn migrate_within(
            node: &mut __live::Node,
            walk: &__live::Walk<'_>,
        ) -> ::core::result::Result<(), __live::LiveDataError> {
            walk.field(node, &["crew"], __live::Field::<Vec<Man>>::migrate)?;
            walk.field(node, &["leader"], __live::Field::<Option<Man>>::migrate)?;
            ::core::result::Result::Ok(())
        }
        fn overlay(
            &mut self,
            node: &__live::Node,
            write: bool,
        ) -> ::core::result::Result<(), __live::CodecError> {
            node.named()?;
            node.field(
                &["name"],
                |node| __live::Field::<
                    String,
                >::overlay(&mut self.name, node, write, __live::Stored::<String>::put),
            )?;
            node.field(
                &["color", "colour"],
                |node| __live::Field::<
                    String,
                >::overlay(&mut self.color, node, write, __live::Stored::<String>::put),
            )?;
            node.field(
                &["shots"],
                |node| __live::Field::<
                    u32,
                >::overlay(&mut self.shots, node, write, __live::Stored::<u32>::put),
            )?;
            node.field(
                &["payload"],
                |node| __live::Field::<
                    Vec<u8>,
                >::overlay(
                    &mut self.payload,
                    node,
                    write,
                    __live::Stored::<Vec<u8>>::put,
                ),
            )?;
            node.field(
                &["crew"],
                |node| __live::Field::<
                    Vec<Man>,
                >::overlay(&mut self.crew, node, write, __live::Stored::<Vec<Man>>::put),
            )?;
            node.field(
                &["leader"],
                |node| __live::Field::<
                    Option<Man>,
                >::overlay(
                    &mut self.leader,
                    node,
                    write,
                    __live::Stored::<Option<Man>>::put,
                ),
            )?;
            ::core::result::Result::Ok(())
        }
        fn check(&self) -> ::core::result::Result<(), __live::CodecError> {
            __live::Field::<
                Vec<Man>,
            >::check(&self.crew, __live::Stored::<Vec<Man>>::check)
                .map_err(|e| e.at("crew"))?;
            __live::Field::<
                Option<Man>,
            >::check(&self.leader, __live::Stored::<Option<Man>>::check)
                .map_err(|e| e.at("leader"))?;
            ::core::result::Result::Ok(())
        }
    }
};
#[derive(
    ::hotswap::plugin::__private::serde::Serialize,
    ::hotswap::plugin::__private::serde::Deserialize
)]
#[serde(crate = "::hotswap::plugin::__private::serde")]
pub struct Place(
    u8,
    #[serde(
        serialize_with = "Place::__live_write_1",
        deserialize_with = "Place::__live_read_1"
    )]
    Gun,
);
#[allow(clippy::all, clippy::pedantic)]
#[allow(non_snake_case, unused_variables)]
const _: () = {
    use ::hotswap::plugin::live_data::generated as __live;
    #[allow(unused_imports)]
    use __live::{Other as _, Unfit as _};
    const _: () = {
        __live::fits::<Gun>();
    };
    impl Place {
        fn __live_write_1<S: __live::Serializer>(
            value: &Gun,
            serializer: S,
        ) -> ::core::result::Result<S::Ok, S::Error> {
            __live::Stored::<Gun>::write(value, serializer)
        }
        fn __live_read_1<'de, D: __live::Deserializer<'de>>(
            deserializer: D,
        ) -> ::core::result::Result<Gun, D::Error> {
            __live::Stored::<Gun>::read(deserializer)
        }
    }
    #[automatically_derived]
    impl __live::LiveType for Place {
        const NAME: &'static str = "place";
        const VERSION: u32 = 1u32;
        const HISTORY: &'static str = "{\"migrations\":[]}";
        fn types(types: &mut __live::Types) {
            if types.enter::<Self>() {
                __live::Field::<Gun>::types(types);
            }
        }
        fn migrate_within(
            node: &mut __live::Node,
            walk: &__live::Walk<'_>,
        ) -> ::core::result::Result<(), __live::LiveDataError> {
            walk.item(node, 1usize, __live::Field::<Gun>::migrate)?;
            ::core::result::Result::Ok(())
        }
        fn check(&self) -> ::core::result::Result<(), __live::CodecError> {
            __live::Field::<Gun>::check(&self.1, __live::Stored::<Gun>::check)
                .map_err(|e| e.index(1usize))?;
            ::core::result::Result::Ok(())
        }
    }
};
#[derive(
    ::hotswap_plugin::__private::serde::Serialize,
    ::hotswap_plugin::__private::serde::Deserialize
)]
#[serde(crate = "::hotswap_plugin::__private::serde")]
enum State {
    Idle,
    #[serde(alias = "Busy")]
    Working {
        #[serde(default = "State::__live_default_Working_gun")]
        #[serde(
            serialize_with = "State::__live_write_Working_gun",
            deserialize_with = "State::__live_read_Working_gun"
        )]
        gun: Gun,
    },
    Both(
        #[serde(
            serialize_with = "State::__live_write_Both_0",
            deserialize_with = "State::__live_read_Both_0"
        )]
        Gun,
        u8,
    ),
}
#[allow(clippy::all, clippy::pedantic)]
#[allow(non_snake_case, unused_variables)]
const _: () = {
    use ::hotswap_plugin::live_data::generated as __live;
    #[allow(unused_imports)]
    use __live::{Other as _, Unfit as _};
    const _: () = {
        __live::fits::<Gun>();
        __live::fits::<Gun>();
    };
    impl State {
        fn __live_default_Working_gun() -> Gun {
            <Gun as ::core::default::Default>::default()
        }
        fn __live_write_Working_gun<S: __live::Serializer>(
            value: &Gun,
            serializer: S,
        ) -> ::core::result::Result<S::Ok, S::Error> {
            __live::Stored::<Gun>::write(value, serializer)
        }
        fn __live_read_Working_gun<'de, D: __live::Deserializer<'de>>(
            deserializer: D,
        ) -> ::core::result::Result<Gun, D::Error> {
            __live::Stored::<Gun>::read(deserializer)
        }
        fn __live_write_Both_0<S: __live::Serializer>(
            value: &Gun,
            serializer: S,
        ) -> ::core::result::Result<S::Ok, S::Error> {
            __live::Stored::<Gun>::write(value, serializer)
        }
        fn __live_read_Both_0<'de, D: __live::Deserializer<'de>>(
            deserializer: D,
        ) -> ::core::result::Result<Gun, D::Error> {
            __live::Stored::<Gun>::read(deserializer)
        }
    }
    #[automatically_derived]
    impl __live::LiveType for State {
        const NAME: &'static str = "State";
        const VERSION: u32 = 1u32;
        const IS_ENUM: bool = true;
        const HISTORY: &'static str = "{\"migrations\":[]}";
        fn types(types: &mut __live::Types) {
            if types.enter::<Self>() {
                __live::Field::<Gun>::types(types);
                __live::Field::<Gun>::types(types);
            }
        }
        fn migrate_within(
            node: &mut __live::Node,
            walk: &__live::Walk<'_>,
        ) -> ::core::result::Result<(), __live::LiveDataError> {
            match node.variant_mut() {
                ::core::option::Option::Some((name @ ("Working" | "Busy"), node)) => {
                    __live::variant(
                        name,
                        node,
                        |node| {
                            walk.field(node, &["gun"], __live::Field::<Gun>::migrate)?;
                            ::core::result::Result::Ok(())
                        },
                    )?
                }
                ::core::option::Option::Some((name @ ("Both"), node)) => {
                    __live::variant(
                        name,
                        node,
                        |node| {
                            walk.item(node, 0usize, __live::Field::<Gun>::migrate)?;
                            ::core::result::Result::Ok(())
                        },
                    )?
                }
                _ => {}
            }
            ::core::result::Result::Ok(())
        }
        fn check(&self) -> ::core::result::Result<(), __live::CodecError> {
            match self {
                Self::Working { gun: field0, .. } => {
                    let checked = || -> ::core::result::Result<(), __live::CodecError> {
                        __live::Field::<Gun>::check(field0, __live::Stored::<Gun>::check)
                            .map_err(|e| e.at("gun"))?;
                        ::core::result::Result::Ok(())
                    };
                    checked().map_err(|e| e.at("Working"))
                }
                Self::Both { 0: field0, .. } => {
                    let checked = || -> ::core::result::Result<(), __live::CodecError> {
                        __live::Field::<Gun>::check(field0, __live::Stored::<Gun>::check)
                            .map_err(|e| e.index(0usize))?;
                        ::core::result::Result::Ok(())
                    };
                    checked().map_err(|e| e.at("Both"))
                }
                _ => ::core::result::Result::Ok(()),
            }
        }
    }
};
