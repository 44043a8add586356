//! Builds of the cat, and a host that has the slots for them.
use hotswap_host::{Builder, Pin};
use hotswap_tests::Stage;
use hotswap_tests::fixture::{Build, ordered, renamed, variant};
use sounds::Sounds;

/// Returns a build of one of the cats that does this in `on_init`: see `fixtures/cat`.
pub fn cat(number: u8, build: u8, orders: &str) -> Vec<u8> {
    of(Build::Cat, number, build, orders)
}

/// Returns the same, built with a later version of the extension's crate.
pub fn later_cat(number: u8, build: u8, orders: &str) -> Vec<u8> {
    of(Build::CatLater, number, build, orders)
}

fn of(source: Build, number: u8, build: u8, orders: &str) -> Vec<u8> {
    let library = variant(
        &source.bytes("cat"),
        "build 00",
        &format!("build {build:02}"),
    );
    let library = match number {
        0 => library,
        _ => renamed(&library, &name(0), &name(number)),
    };
    ordered(&library, orders)
}

/// Returns the name of a cat.
pub fn name(number: u8) -> String {
    format!("cat-number-{number}")
}

/// Opens a host with the extension, and with cats of build 0 that have these orders.
pub fn stage(orders: &[&str]) -> Stage {
    stage_with(orders, |builder| builder)
}

/// Does the same with settings.
pub fn stage_with(orders: &[&str], settings: impl FnOnce(Builder) -> Builder) -> Stage {
    let cats: Vec<_> = (0..).zip(orders).collect();
    let cats = cats
        .iter()
        .map(|(number, orders)| (name(*number), cat(*number, 0, orders)));
    let cats: Vec<_> = cats.collect();
    let cats: Vec<_> = cats
        .iter()
        .map(|(name, library)| (&**name, &**library))
        .collect();
    Stage::with(&cats, |builder| {
        settings(builder.allow_empty(true).extension::<Sounds>())
    })
}

/// Puts a cat into the directory, and reloads. Returns the report.
pub fn swap(stage: &Stage, number: u8, build: u8, orders: &str) -> String {
    let report = stage.swap(&name(number), &cat(number, build, orders));
    report.to_string()
}

/// Puts a cat into the directory, and reloads. Returns the error, without the names of directories.
pub fn refused(stage: &Stage, number: u8, cat: &[u8]) -> String {
    stage.install(&name(number), cat);
    let error = stage.swapper.reload().expect_err("the reload is refused");
    let dir = format!("{}/", stage.dir().display());
    error.to_string().replace(&dir, "")
}

/// Calls the `meow` slot of a generation.
pub fn meow(pin: &Pin<'_>) -> Option<String> {
    let sounds = pin
        .extension::<Sounds>()
        .expect("the host has the extension");
    let meow = sounds.meow.call(|cat| cat.meow(1));
    meow.expect("the slot's object does not panic")
}

/// Returns the plugin that answers in the scale's slot of a generation.
pub fn weighed(pin: &Pin<'_>) -> Option<String> {
    let sounds = pin
        .extension::<Sounds>()
        .expect("the host has the extension");
    let weighed = sounds.weigh.call(|cat| cat.weigh());
    let (kilograms, who) = weighed.expect("the slot's object does not panic")?;
    assert_eq!(kilograms, 4);
    Some(who)
}
