//! Fuzzes calls by name with arguments of every type: right, nearly right, and wrong. The function gets the right
//! value, or the call returns the same error as reading the argument directly.
#![no_main]
use arbitrary::{Arbitrary, Result, Unstructured};
use hotswap_fuzz::any::{any, graft};
use hotswap_fuzz::echo::{Leaf, Story, Tree, call, call_by_name, eight, tell};
use hotswap_plugin::Value;
use hotswap_plugin::boundary::{Arena, DynamicResult, InvokeError, Return, Shared, ValueError};
use libfuzzer_sys::fuzz_target;
use std::fmt::Debug;

fuzz_target!(|bytes: &[u8]| {
    // An input that ends early has been used as far as it goes.
    let _ = run(&mut Unstructured::new(bytes));
});

fn run(u: &mut Unstructured<'_>) -> Result<()> {
    match u.int_in_range(0..=3)? {
        0 => by_name(u),
        1 => many(u),
        _ => {
            let which = u.arbitrary()?;
            tell(&mut Values(u), which)
        }
    }
}

struct Values<'a, 'b>(&'a mut Unstructured<'b>);

impl Story for Values<'_, '_> {
    fn of<T>(&mut self, function: &'static str) -> Result<()>
    where
        T: Return + PartialEq + Debug + for<'a> Arbitrary<'a>,
    {
        let typed: T = self.0.arbitrary()?;
        let arena = Arena::new();
        // SAFETY: `typed` and `arena`, which the view borrows, outlive it.
        same(&unsafe { T::from_view(typed.view(&arena)) }, &typed);
        let mut value = Value::encode(&typed);
        same(
            &value
                .clone()
                .decode()
                .expect("an encoded value can be decoded"),
            &typed,
        );
        check::<T>(function, value.clone());
        graft(&mut value, self.0)?;
        check::<T>(function, value);
        check::<T>(function, any(self.0, 4)?);
        Ok(())
    }
}

/// Checks that the call agrees with reading the value directly.
fn check<T: Return + PartialEq + Debug>(function: &str, value: Value) {
    let called = call(function, std::slice::from_ref(&value));
    match value.decode::<T>() {
        Ok(typed) => {
            let again = Value::encode(&typed)
                .decode()
                .expect("an encoded value can be decoded");
            same(&typed, &again);
            same(&called, &typed.into_dynamic());
        }
        Err(error) => refused(&called, 0, &error),
    }
}

/// Checks that two values are equal, where NaN counts as equal to itself.
fn same<T: PartialEq + Debug>(a: &T, b: &T) {
    assert!(a == b || lines(a) == lines(b), "{a:?}\n{b:?}");
}

/// Returns the debug text of a value, one line for each part, sorted, because a hash map shows its entries in any
/// order.
fn lines(value: &impl Debug) -> Vec<String> {
    let text = format!("{value:#?}");
    let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
    lines.sort();
    lines
}

fn refused(called: &DynamicResult, index: u32, error: &ValueError) {
    match called {
        Err(InvokeError::WrongType(wrong)) => {
            assert_eq!(wrong.index, index);
            assert_eq!(
                (&*wrong.path, &*wrong.expected, &*wrong.found),
                (error.path(), error.expected(), error.found())
            );
        }
        other => panic!("{error}: {other:?}"),
    }
}

/// Tests any number of arguments, including more than fit on the stack.
fn by_name(u: &mut Unstructured<'_>) -> Result<()> {
    let name: &str = u.arbitrary()?;
    let count = u.int_in_range(0..=12)?;
    let args: Vec<Value> = (0..count).map(|_| any(u, 3)).collect::<Result<_>>()?;
    let whole = Value::List(vec![name.into(), Value::List(args.clone())]);
    same(&call_by_name(name, &args), &Ok(whole));
    Ok(())
}

/// Tests a function of eight parameters.
fn many(u: &mut Unstructured<'_>) -> Result<()> {
    let mut args = vec![
        u.arbitrary::<u8>()?.into(),
        u.arbitrary::<&str>()?.into(),
        Value::encode(&u.arbitrary::<Vec<Leaf>>()?),
        Value::encode(&u.arbitrary::<Tree>()?),
        Value::encode(&u.arbitrary::<Option<f32>>()?),
        Value::encode(&u.arbitrary::<(i16, char)>()?),
        any(u, 2)?,
        Value::encode(&u.arbitrary::<Vec<u8>>()?),
    ];
    for _ in 0..u.int_in_range(0..=2)? {
        let at = u.choose_index(args.len())?;
        graft(&mut args[at], u)?;
    }
    if u.ratio(1, 8)? {
        args.truncate(u.int_in_range(0..=7)?);
    } else if u.ratio(1, 8)? {
        args.push(any(u, 1)?);
    }
    let called = call("eight", &args);
    match direct(&args) {
        _ if args.len() != 8 => {
            let found = args.len() as u32;
            assert_eq!(called, Err(InvokeError::WrongCount { expected: 8, found }));
        }
        Ok(text) => assert_eq!(called, Ok(text.into())),
        Err((index, error)) => refused(&called, index, &error),
    }
    Ok(())
}

/// Returns the result of `eight`, or the first argument that is wrong.
fn direct(args: &[Value]) -> std::result::Result<String, (u32, ValueError)> {
    fn arg<T: Shared>(args: &[Value], at: u32) -> std::result::Result<T, (u32, ValueError)> {
        let value = args.get(at as usize).cloned().unwrap_or_default();
        value.decode().map_err(|error| (at, error))
    }
    Ok(eight(
        arg(args, 0)?,
        &arg::<String>(args, 1)?,
        &arg::<Vec<Leaf>>(args, 2)?,
        &arg(args, 3)?,
        arg(args, 4)?,
        arg(args, 5)?,
        arg(args, 6)?,
        &arg::<Vec<u8>>(args, 7)?,
    ))
}
