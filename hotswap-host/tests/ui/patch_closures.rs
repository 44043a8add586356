//! Closures that do not fit the function that they replace, or that would keep what a caller lends.
use hotswap_host::prelude::*;
use std::sync::Mutex;

fn keeps_a_parameter(swapper: &Swapper) {
    let kept = Mutex::new(Vec::<&'static str>::new());
    let body = move |name: &str| kept.lock().unwrap().push(name);
    let _ = swapper.patch("world").rewrite::<fn(&str), _>("greet", body);
}

fn has_another_parameter(swapper: &Swapper) {
    let body = |times: u64| times.to_string();
    let patch = swapper.patch("world");
    let _ = patch.rewrite::<fn(u32) -> String, _>("hum", body);
}

fn borrows_from_its_surroundings(swapper: &Swapper) {
    let text = String::from("hum");
    let body = |_: u32| text.clone();
    let patch = swapper.patch("world");
    let _ = patch.rewrite::<fn(u32) -> String, _>("hum", body);
}

fn takes_a_mock_to_another_thread(swapper: &Swapper) {
    let mock = swapper.mock::<fn() -> u32, _>("clock", "hour", || 23).unwrap();
    std::thread::spawn(move || drop(mock));
}

fn main() {}
