//! What cannot cross, and what cannot be live data.
use hotswap_plugin::prelude::*;

struct Guest;

#[live]
fn greet(guest: &Guest) -> Guest {
    Guest
}

#[live]
struct Fire {
    guest: Guest,
}

fn main() {}
