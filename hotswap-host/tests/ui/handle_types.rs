use hotswap_host::HandleError;
use hotswap_host::prelude::*;

trait Both: Fn(u64) -> u64 + Fn(i64) -> String {}

fn handles(swapper: &Swapper) -> Result<(), HandleError> {
    let called: Function<Box<dyn Both>> = swapper.function("plain", "echo")?;
    let awaited: AsyncFunction<Box<dyn Both>> = swapper.async_function("plain", "echo")?;
    let live: Function<Box<dyn Both>> = swapper.live_function("echo")?;
    let thin: Function<&'static &'static dyn Both> = swapper.function("plain", "echo")?;
    let other: Function<fn(&str) -> Vec<fn()>> = swapper.function("plain", "echo")?;
    Ok(())
}

fn main() {}
