//! What a struct of imports cannot be.
use hotswap_plugin::prelude::*;

#[interface]
pub trait Alpha: Send + Sync {}

#[derive(Import)]
struct Deps<T> {
    plain: u32,
    concrete: Imported<u32>,
    maybe: Option<Imported<dyn Alpha>>,
    #[import(optional)]
    surely: Imported<dyn Alpha>,
    #[import(order_only)]
    ordered: Imported<dyn Alpha>,
    #[import(host, from = "alpha")]
    both: Imported<dyn Alpha>,
    #[import(skip, optional)]
    skipped: T,
    #[import(form = "alpha")]
    misspelt: Imported<dyn Alpha>,
}

#[derive(Import)]
struct Tuple(Imported<dyn Alpha>);

#[derive(Import)]
enum Choice {
    Alpha(Imported<dyn Alpha>),
}

fn main() {}
