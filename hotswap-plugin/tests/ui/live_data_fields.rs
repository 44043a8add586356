//! Types that cannot be in live data, on the type; and values that cannot be saved.
use hotswap_plugin::prelude::*;
use std::sync::Mutex;

struct Plain;

#[live_data]
struct Holder {
    plain: Plain,
    optional: Option<Plain>,
    fine: u8,
    #[live_data(skip)]
    skipped: Plain,
}

#[live_data]
struct Behind {
    list: Vec<Mutex<Plain>>,
    fine: Vec<u8>,
}

#[live_data]
enum Either {
    A(Plain),
    B { b: (u8, Plain) },
}

#[live_data(default)]
struct NoDefault {
    #[live_data(default = "text")]
    number: u8,
}

#[live_data(version = 2, migrate(1, up = wrong))]
struct Wrong;

fn wrong(_: u8) {}

fn main() {
    let _ = LiveData::save(&Plain);
    let _ = LiveData::save(&"text");
}
