#[cfg(feature = "calls")]
fn roll_call(department: &str, day: u8) -> Result<Vec<String>, Refused> {
    Err(Refused)
}
#[cfg(feature = "calls")]
#[allow(clippy::all, clippy::pedantic)]
#[allow(improper_ctypes_definitions, trivial_bounds, unexpected_cfgs)]
const _: () = {
    use ::hotswap_plugin::boundary as __hotswap;
    struct Listed;
    impl Listed
    where
        Refused: __hotswap::Shared,
    {
        const FUNCTION: __hotswap::FunctionDesc = {
            unsafe extern "C" fn typed(
                this: *const (),
                department: <&str as __hotswap::Arg>::Cross,
                day: <u8 as __hotswap::Arg>::Cross,
                out: *mut __hotswap::Out<
                    <Result<Vec<String>, Refused> as __hotswap::Shared>::View,
                >,
            ) -> __hotswap::Status
            where
                Refused: __hotswap::Shared,
            {
                unsafe {
                    __hotswap::answer(
                        out,
                        || {
                            let mut department = <&str as __hotswap::Arg>::take(
                                department,
                            );
                            let mut day = __hotswap::arg::take_owned::<u8>(day);
                            self::roll_call(
                                <&str as __hotswap::Arg>::get(&mut department),
                                <u8 as __hotswap::Arg>::get(&mut day),
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
                Refused: __hotswap::Shared,
            {
                unsafe {
                    __hotswap::dynamic::answer_dynamic(
                        out,
                        || {
                            let mut args = __hotswap::dynamic::arguments(args, 2u32)?;
                            let department = args
                                .next::<<&str as __hotswap::Arg>::Owned>("department")?;
                            let day = args.next::<u8>("day")?;
                            let result: Result<Vec<String>, Refused> = self::roll_call(
                                &department,
                                day,
                            );
                            __hotswap::Return::into_dynamic(result)
                        },
                    )
                }
            }
            unsafe {
                __hotswap::FunctionDesc::new(
                    "roll_call",
                    &[
                        __hotswap::ParamDesc::new(
                            "department",
                            <&str as __hotswap::Arg>::TYPE,
                        ),
                        __hotswap::ParamDesc::new("day", <u8 as __hotswap::Arg>::TYPE),
                    ],
                    <Result<Vec<String>, Refused> as __hotswap::Shared>::TYPE,
                    typed as *const (),
                    dynamic,
                )
            }
        };
    }
    ::hotswap_plugin::__live!(
        "{\"kind\":\"function\",\"name\":\"roll_call\",\"signature\":\"fn(department: &str, day: u8) -> Result<Vec<String>, Refused>\",\"module\":\"",
        "roll_call", "fn(department: &str, day: u8) -> Result<Vec<String>, Refused>",
        Function(& Listed::FUNCTION), Listed::FUNCTION.hash
    );
};
#[derive(renamed::__private::serde::Serialize, renamed::__private::serde::Deserialize)]
#[serde(crate = "renamed::__private::serde")]
struct Fire {
    shots: u32,
}
#[allow(clippy::all, clippy::pedantic)]
#[allow(non_snake_case, unused_variables)]
const _: () = {
    use renamed::live_data::generated as __live;
    #[allow(unused_imports)]
    use __live::{Other as _, Unfit as _};
    #[automatically_derived]
    impl __live::LiveType for Fire {
        const NAME: &'static str = "Fire";
        const VERSION: u32 = 2u32;
        const EARLIER: &'static [&'static str] = &["Blaze"];
        const HISTORY: &'static str = "{\"migrations\":[],\"fields\":[{\"names\":[\"shots\"],\"type\":\"u32\",\"needed\":true}]}";
        fn types(types: &mut __live::Types) {
            if types.enter::<Self>() {}
        }
        fn overlay(
            &mut self,
            node: &__live::Node,
            write: bool,
        ) -> ::core::result::Result<(), __live::CodecError> {
            node.named()?;
            node.field(
                &["shots"],
                |node| __live::Field::<
                    u32,
                >::overlay(&mut self.shots, node, write, __live::Stored::<u32>::put),
            )?;
            ::core::result::Result::Ok(())
        }
        fn check(&self) -> ::core::result::Result<(), __live::CodecError> {
            ::core::result::Result::Ok(())
        }
    }
};
#[allow(clippy::all, clippy::pedantic)]
#[allow(improper_ctypes_definitions, trivial_bounds, unexpected_cfgs)]
const _: () = {
    #[allow(unused_imports)]
    use renamed::live::generated::Absent as _;
    const TYPE: renamed::contract::live::LiveTypeDesc = renamed::live::generated::describe::<
        Fire,
    >(
        &[renamed::live::generated::earlier("Blaze")],
        renamed::live::generated::Probe::<Fire>::MAKE,
        renamed::live::generated::Probe::<Fire>::HANDLE,
    );
    renamed::__live!(
        "{\"kind\":\"type\",\"name\":\"Fire\",\"signature\":\"struct Fire { shots: u32 }\",\"version\":2,\"was\":[\"Blaze\"],\"history\":{\"migrations\":[],\"fields\":[{\"names\":[\"shots\"],\"type\":\"u32\",\"needed\":true}]},\"module\":\"",
        "Fire", "struct Fire { shots: u32 }", Type(& TYPE), [0; 2]
    );
};
mod jobs {
    #[::hotswap_plugin::live(crate = ::hotswap_plugin)]
    fn job_one() {}
    fn two() {}
    #[::hotswap_plugin::live(crate = ::hotswap_plugin)]
    struct JobThree(u8);
    mod nested {
        #[live]
        fn four() {}
        #[::hotswap_plugin::live(crate = ::hotswap_plugin)]
        enum Job_five {
            Now,
            At { day: u8 },
        }
    }
}
