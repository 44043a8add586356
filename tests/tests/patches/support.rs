//! A host with a plugin that has one function, and its builds.
use hotswap_host::prelude::*;
use hotswap_host::{Builder, PatchError, PatchVersion};
use hotswap_tests::Stage;
use hotswap_tests::fixture::{Build, variant};

/// The type of the guest's function.
pub type Visit = fn(u32) -> String;

/// Returns a build of `guest`. There are up to a hundred.
pub fn guest(number: u8) -> Vec<u8> {
    let text = format!("days {number:02}");
    variant(&Build::First.bytes("guest"), "days 00", &text)
}

/// Opens a host with the first build of the guest.
pub fn stage() -> Stage {
    stage_with(|builder| builder)
}

/// Opens a host with the first build of the guest, and settings.
pub fn stage_with(settings: impl FnOnce(Builder) -> Builder) -> Stage {
    Stage::with(&[("guest", &guest(0))], settings)
}

/// Returns a handle of the guest's function.
pub fn visit(stage: &Stage) -> Function<Visit> {
    stage.swapper.function("guest", "visit").unwrap()
}

/// Makes the guest answer with this text.
pub fn answer(stage: &Stage, text: &str) -> Result<PatchVersion, PatchError> {
    let text = text.to_owned();
    let patch = stage.swapper.patch("guest");
    patch
        .rewrite::<Visit, _>("visit", move |_: u32| text.clone())
        .apply()
}

/// Puts a text behind the guest's answer.
pub fn append(stage: &Stage, text: &str) -> Result<PatchVersion, PatchError> {
    let text = text.to_owned();
    let patch = stage.swapper.patch("guest");
    patch
        .after::<Visit, _>("visit", move |answer: String, _: u32| answer + &text)
        .apply()
}
