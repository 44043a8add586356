//! State that cannot be saved and restored.
use hotswap_plugin::prelude::*;

#[live_data]
struct State {
    count: u64,
}

#[derive(Default)]
struct Half;

#[plugin]
impl Half {
    fn save(&self) -> u64 {
        0
    }
}

#[derive(Default)]
struct OtherHalf;

#[plugin]
impl OtherHalf {
    fn restore(&mut self, state: u64) {}
}

#[derive(Default)]
struct Borrowed;

#[plugin]
impl Borrowed {
    fn save(&self) -> u64 {
        0
    }
    fn restore(&mut self, state: &u64) {}
}

#[derive(Default)]
struct Different;

#[plugin]
impl Different {
    fn save(&self) -> Result<u64> {
        Ok(0)
    }
    fn restore(&mut self, state: State) -> Result<()> {
        Ok(())
    }
}

struct Plain;

#[derive(Default)]
struct NotLive;

#[plugin]
impl NotLive {
    fn save(&self) -> Plain {
        Plain
    }
    fn restore(&mut self, state: Plain) {}
}

fn main() {}
