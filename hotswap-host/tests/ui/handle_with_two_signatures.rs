//! Bound with one signature, to be called with another.
use hotswap_host::{AsyncFunction, Function, HandleError, Swapper};

trait Both: Fn(u64) -> u64 + Fn(i64) -> String {}
type Echo = Box<dyn Both>;

fn handles(
    swapper: &Swapper,
) -> Result<(Function<Echo>, Function<Echo>, AsyncFunction<Echo>), HandleError> {
    let called = swapper.function::<Echo, (u64,)>("plain", "echo")?;
    let live = swapper.live_function::<Echo, (u64,)>("echo")?;
    let awaited = swapper.async_function::<Echo, (u64,)>("plain", "echo")?;
    Ok((called, live, awaited))
}

fn main() {}
