//! What the attribute itself refuses, all at once.
use hotswap_plugin::prelude::*;

#[live_data(version = 0)]
struct Zero;

#[live_data(versoin = 2)]
struct Misspelt;

#[live_data(version = 2, migrate(2, up = up), migrate(1, up = up), migrate(1, down = up))]
struct Steps;

#[live_data(version = 2, migrate(1))]
struct Nothing;

#[live_data(version = 2, migrate(1, over = up))]
struct Over;

#[live_data(version = 2, migrate(up = up))]
struct From;

fn up(_: &mut Fields) -> Result<()> {
    Ok(())
}

#[live_data]
struct Generic<T>(T);

#[live_data]
struct Fields_ {
    text: &'static str,
    list: Vec<&'static [u8]>,
    call: fn(),
    object: Box<dyn Send>,
    address: *const u8,
    #[live_data(defualt)]
    misspelt: u8,
    #[live_data(was = "object")]
    twice: u8,
    #[live_data(skip, was = "x")]
    skipped: u8,
    #[serde(default)]
    serde: u8,
    #[cfg(unix)]
    unix: u8,
}

#[live_data]
struct Tuple(#[live_data(default)] u8, u8);

#[live_data]
#[derive(Debug, Serialize)]
struct Derived;

#[live_data(default)]
enum Empty {}

#[live_data]
enum Names {
    A,
    #[live_data(was = "A", default)]
    B,
}

#[live_data]
union Either {
    a: u8,
    b: u8,
}

#[live_data]
fn function() {}

fn main() {}
