//! Calls through the C functions that the macros generate: results, errors and panics arrive, and nothing unwinds out.
use hotswap_plugin::Plugin;
use hotswap_plugin::boundary::{
    Arena, Arg, Crossed, DynamicResult, FunctionDesc, HookError, InvokeError, Out, Shared,
    Signature, Status, StrView, call_dynamic, chain, collect, guard, try_receive,
};
use hotswap_plugin::prelude::*;
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};

#[shared]
#[derive(Clone, Debug, PartialEq)]
struct Vector {
    x: i64,
    label: String,
}

#[shared]
#[derive(Clone, Debug, PartialEq)]
enum Refused {
    TooFar { limit: i64 },
}

/// Panics when it is dropped, once it is armed.
#[shared]
struct Fuse {
    armed: bool,
}

/// The same, with something that the view borrows.
#[shared]
struct LongFuse {
    armed: bool,
    text: String,
}

impl Drop for Fuse {
    fn drop(&mut self) {
        assert!(!self.armed, "the fuse blew");
    }
}
impl Drop for LongFuse {
    fn drop(&mut self) {
        assert!(!self.armed, "the fuse blew: {}", self.text);
    }
}

#[interface]
trait Faulty: Send + Sync {
    fn turn(&self, text: &str, at: Vector, by: &[Vector]) -> Result<Vector, Refused>;
    fn twice(&self, number: u64) -> u64 {
        number * 2
    }
    fn panic(&self, how: u32);
    fn look(&self, fuse: &Fuse) -> u32;
    fn light(&self) -> Fuse;
    fn light_long(&self) -> LongFuse;
}

#[derive(Default)]
struct World;

impl Faulty for World {
    fn turn(&self, text: &str, at: Vector, by: &[Vector]) -> Result<Vector, Refused> {
        if at.x > 100 {
            return Err(Refused::TooFar { limit: 100 });
        }
        let label = by.iter().fold(text.to_owned(), |all, by| all + &by.label);
        Ok(Vector { x: -at.x, label })
    }
    fn panic(&self, how: u32) {
        struct Payload;
        impl Drop for Payload {
            fn drop(&mut self) {
                panic_any(Payload);
            }
        }
        match how {
            0 => panic!("a text"),
            1 => panic!("a text with {how}"),
            2 => panic_any(7_u8),
            _ => panic_any(Payload),
        }
    }
    fn look(&self, fuse: &Fuse) -> u32 {
        u32::from(fuse.armed)
    }
    fn light(&self) -> Fuse {
        Fuse { armed: true }
    }
    fn light_long(&self) -> LongFuse {
        LongFuse {
            armed: true,
            text: "long".into(),
        }
    }
}

#[plugin(exports(Faulty), version = "1.2.3")]
impl World {
    #[invoke]
    fn hum(&self, times: u32) -> String {
        "hum ".repeat(times as usize)
    }
    #[invoke]
    fn describe(&self, at: &Vector, words: &[String], word: &str) -> Result<String, Refused> {
        match at.x {
            0..=100 => Ok(format!("{} {} {word}", at.label, words.join(" "))),
            _ => Err(Refused::TooFar { limit: 100 }),
        }
    }
    #[invoke]
    fn turn(&self, at: Vector, more: Option<Vector>) -> Vector {
        Vector {
            x: -at.x - more.map_or(0, |more| more.x),
            ..at
        }
    }
    #[invoke]
    fn fail(&self) -> Result<()> {
        Err(Error::from("no"))
    }
    #[invoke]
    fn boom(&self) {
        panic!("gave up");
    }
    #[invoke]
    #[allow(clippy::too_many_arguments, reason = "as many as there may be")]
    fn eight(
        &self,
        a: u8,
        b: i8,
        c: char,
        d: bool,
        e: f64,
        f: String,
        g: Option<u8>,
        h: (u8, u8),
    ) -> String {
        format!("{a} {b} {c} {d} {e} {f} {g:?} {h:?}")
    }
}

/// The first parameter of its functions.
const THIS: *const () = std::ptr::from_ref(&World).cast();

fn function(name: &str) -> &'static FunctionDesc {
    World::FUNCTIONS
        .iter()
        .find(|function| function.name == name)
        .unwrap()
}

fn dynamic(name: &str, args: &[Value]) -> Result<DynamicResult, String> {
    let call = |args, out| {
        // SAFETY: a function of `World`, and an instance of it.
        unsafe { (function(name).dynamic)(THIS, args, out) }
    };
    // SAFETY: as above.
    match unsafe { call_dynamic(args, call, |refused| refused) } {
        Ok(value) => Ok(Ok(value)),
        Err(Ok(refused)) => Ok(Err(refused)),
        Err(Err(panicked)) => Err(panicked.to_string()),
    }
}

fn text(payload: Box<dyn Any + Send>) -> String {
    payload
        .downcast::<Crossed>()
        .expect("a panic that crossed")
        .text
}

#[test]
fn an_import_calls_the_implementation() {
    let faulty = Imported::<dyn Faulty>::from_impl(World);
    let vector = |x, label: &str| Vector {
        x,
        label: label.into(),
    };
    let by = [vector(0, "b"), vector(0, "c")];
    assert_eq!(faulty.turn("a", vector(1, ""), &by), Ok(vector(-1, "abc")));
    assert_eq!(
        faulty.clone().turn("a", vector(101, ""), &[]),
        Err(Refused::TooFar { limit: 100 })
    );
    assert_eq!(faulty.twice(4), 8);

    fn takes(faulty: &impl Faulty) -> u64 {
        faulty.twice(2)
    }
    assert_eq!(takes(&*faulty), 4);
}

#[test]
fn panics_go_on_in_the_caller_as_text() {
    let faulty = Imported::<dyn Faulty>::from_impl(World);
    for (how, said) in [
        (0, "a text"),
        (1, "a text with 1"),
        (2, "non-string panic payload"),
        (3, "non-string panic payload"),
    ] {
        let payload = catch_unwind(AssertUnwindSafe(|| faulty.panic(how))).unwrap_err();
        assert_eq!(text(payload), said);
    }
    // And through two boundaries.
    struct Relay(Imported<dyn Faulty>);
    impl Faulty for Relay {
        fn turn(&self, _: &str, at: Vector, _: &[Vector]) -> Result<Vector, Refused> {
            Ok(at)
        }
        fn panic(&self, how: u32) {
            self.0.panic(how);
        }
        fn look(&self, _: &Fuse) -> u32 {
            0
        }
        fn light(&self) -> Fuse {
            Fuse { armed: false }
        }
        fn light_long(&self) -> LongFuse {
            LongFuse {
                armed: false,
                text: String::new(),
            }
        }
    }
    let relay = Imported::<dyn Faulty>::from_impl(Relay(faulty));
    let payload = catch_unwind(AssertUnwindSafe(|| relay.panic(1))).unwrap_err();
    assert_eq!(text(payload), "a text with 1");
}

#[test]
fn panics_in_the_drop_of_an_argument_or_a_result() {
    let faulty = Imported::<dyn Faulty>::from_impl(World);
    let fuse = Fuse { armed: true };
    let payload = catch_unwind(AssertUnwindSafe(|| faulty.look(&fuse))).unwrap_err();
    assert_eq!(text(payload), "the fuse blew");
    std::mem::forget(fuse);

    let payload = catch_unwind(AssertUnwindSafe(|| std::mem::forget(faulty.light()))).unwrap_err();
    assert_eq!(text(payload), "the fuse blew");
    let payload =
        catch_unwind(AssertUnwindSafe(|| std::mem::forget(faulty.light_long()))).unwrap_err();
    assert_eq!(text(payload), "the fuse blew: long");
}

#[test]
fn typed_calls() {
    assert_eq!(World::VERSION, "1.2.3");
    assert_eq!(World::NAME, "hotswap-plugin");
    assert_eq!(
        function("hum").hash,
        <fn(u32) -> String as Signature<(u32,)>>::HASH
    );
    assert_ne!(
        function("hum").hash,
        <fn(u64) -> String as Signature<(u64,)>>::HASH
    );
    assert_ne!(
        function("hum").hash,
        <fn(u32) -> Vec<u8> as Signature<(u32,)>>::HASH
    );

    type Hum = unsafe extern "C" fn(*const (), u32, *mut Out<StrView>) -> Status;
    // SAFETY: the hashes were compared above; an instance of `World`.
    let hum = unsafe {
        let typed: Hum = std::mem::transmute(function("hum").typed);
        try_receive::<String>(|out| typed(THIS, 3, out))
    };
    assert_eq!(hum.unwrap(), "hum hum hum ");

    type Describe = unsafe extern "C" fn(
        *const (),
        <&'static Vector as Arg>::Cross,
        <&'static [String] as Arg>::Cross,
        StrView,
        *mut Out<<Result<String, Refused> as Shared>::View>,
    ) -> Status;
    let describe = |x: i64| {
        let arena = Arena::new();
        let (at, words) = (
            Vector {
                x,
                label: "label".into(),
            },
            ["a".to_owned(), "b".to_owned()],
        );
        let (at, words) = (
            <&Vector>::lend(&&at, &arena),
            <&[String]>::lend(&&words[..], &arena),
        );
        // SAFETY: the types are those of the function; an instance of `World`; what was lent is alive.
        unsafe {
            let typed: Describe = std::mem::transmute(function("describe").typed);
            try_receive::<Result<String, Refused>>(|out| {
                typed(
                    THIS,
                    <&Vector>::cross(&at),
                    <&[String]>::cross(&words),
                    StrView::new("c"),
                    out,
                )
            })
        }
    };
    assert_eq!(describe(1).unwrap(), Ok("label a b c".into()));
    assert_eq!(describe(101).unwrap(), Err(Refused::TooFar { limit: 100 }));
}

#[test]
fn dynamic_calls() {
    assert_eq!(dynamic("hum", &[2.into()]), Ok(Ok("hum hum ".into())));
    let vector = Vector {
        x: 1,
        label: "label".into(),
    };
    let args = [vector.to_value(), vec!["a", "b"].into(), "c".into()];
    assert_eq!(dynamic("describe", &args), Ok(Ok("label a b c".into())));
    let args = [
        Vector { x: 101, ..vector }.to_value(),
        Value::List(vec![]),
        "c".into(),
    ];
    let refused = dynamic("describe", &args).unwrap().unwrap_err();
    assert_eq!(
        refused,
        InvokeError::Returned(Refused::TooFar { limit: 100 }.to_value())
    );
    assert_eq!(refused.to_string(), "{TooFar: {limit: 100}}");
    assert_eq!(
        dynamic("fail", &[]),
        Ok(Err(InvokeError::Returned("no".into())))
    );
    assert_eq!(dynamic("boom", &[]), Err("panicked: gave up".into()));
    let args: [Value; 8] = [
        1.into(),
        (-1).into(),
        'c'.into(),
        true.into(),
        0.5.into(),
        "f".into(),
        ().into(),
        vec![1, 2].into(),
    ];
    assert_eq!(
        dynamic("eight", &args),
        Ok(Ok("1 -1 c true 0.5 f None (1, 2)".into()))
    );
}

#[test]
fn dynamic_calls_with_wrong_arguments() {
    let error = |name, args: &[Value]| dynamic(name, args).unwrap().unwrap_err().to_string();
    assert_eq!(error("hum", &[]), "expected 1 argument, found 0");
    assert_eq!(
        error("hum", &vec![Value::Nil; 20]),
        "expected 1 argument, found 20"
    );
    assert_eq!(
        error("hum", &["2".into()]),
        "argument 1 at times: expected u32, found the string \"2\""
    );
    assert_eq!(
        error("hum", &[(-1).into()]),
        "argument 1 at times: expected u32, found the integer -1"
    );
    let vector = Value::Map([("x".to_owned(), "far".into())].into());
    assert_eq!(
        error("describe", &[vector, Value::Nil, Value::Nil]),
        "argument 1 at at.x: expected i64, found the string \"far\""
    );
}

#[test]
fn hooks() {
    // SAFETY: the sink is alive during `collect`.
    let run = |f: fn() -> Result<()>| collect(|sink| unsafe { guard(sink, f) });
    assert_eq!(run(|| Ok(())), Ok(()));
    assert_eq!(
        run(|| Err("no".into())),
        Err(HookError::Failed("no".into()))
    );
    assert_eq!(
        run(|| panic!("gave up")),
        Err(HookError::Panicked("gave up".into()))
    );
    assert_eq!(
        run(|| Err("x".parse::<u8>().unwrap_err().into())),
        Err(HookError::Failed(chain(&"x".parse::<u8>().unwrap_err())))
    );

    #[derive(Debug)]
    struct Bad(&'static str);
    impl std::fmt::Display for Bad {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            assert_ne!(self.0, "display");
            f.write_str(self.0)
        }
    }
    impl std::error::Error for Bad {}
    impl Drop for Bad {
        fn drop(&mut self) {
            assert_ne!(self.0, "drop");
        }
    }
    assert_eq!(
        run(|| Err(Bad("drop").into())),
        Err(HookError::Failed("drop".into()))
    );
    assert!(matches!(
        run(|| Err(Bad("display").into())),
        Err(HookError::Panicked(_))
    ));
}

#[test]
fn hooks_of_the_trait() {
    struct Hooked(Vec<&'static str>, String);
    #[plugin(name = "hooked", reloadable = false)]
    impl Hooked {
        fn new(cx: &Context) -> Self {
            Hooked(Vec::new(), cx.name().to_owned())
        }
        fn on_load(&mut self) {
            self.0.push("on_load");
        }
        fn on_init(&mut self, vault: &Vault<'_>) -> Result<(), std::num::ParseIntError> {
            self.0.push("on_init");
            vault.generation().to_string().parse::<u64>().map(drop)
        }
        fn on_free(&mut self) {
            self.0.push("on_free");
        }
        fn invoke_func(&self, name: &str, args: &[Value]) -> Result<Value> {
            Ok(format!("{name} {}", args.len()).into())
        }
    }
    let cx = Context::for_test();
    let mut hooked = <Hooked as Plugin>::construct(&cx, ()).unwrap();
    assert!(!<Hooked as Plugin>::reloadable(&cx));
    Plugin::on_load((&mut hooked).into(), &LoadData::none()).unwrap();
    Plugin::on_init((&mut hooked).into(), &Vault::for_test()).unwrap();
    Plugin::on_start(&hooked).unwrap();
    Plugin::on_free(&mut hooked);
    assert_eq!(
        (hooked.0.join(" "), &*hooked.1),
        ("on_load on_init on_free".into(), "test")
    );
    let answer = Plugin::invoke_func(&hooked, "any", &[Value::Nil]).unwrap();
    assert_eq!(answer.unwrap(), "any 1".into());
    assert_eq!(<Hooked as Plugin>::NAME, "hooked");
}
