//! Random graphs of plugins and random things that happen to them: real libraries in a real host, compared with a model.
//!
//! `HOTSWAP_TEST_CASES` says how many stories are told, and `HOTSWAP_TEST_SEED` which: the same seed, the same stories.
mod book;
mod library;
mod story;
mod world;

use hotswap_tests::setting;
use proptest::test_runner::{Config, FileFailurePersistence, RngSeed, TestRunner};
use story::stories;
use world::World;

#[test]
fn a_host_does_what_the_model_says() {
    let seed = setting("HOTSWAP_TEST_SEED", 1);
    let cases = setting("HOTSWAP_TEST_CASES", 48);
    println!("HOTSWAP_TEST_SEED={seed} HOTSWAP_TEST_CASES={cases}");
    let config = Config {
        cases: cases.try_into().expect("so many cases are too many"),
        rng_seed: RngSeed::Fixed(seed),
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct(
            "tests/graphs/regressions.txt",
        ))),
        // In milliseconds.
        max_shrink_time: 60_000,
        ..Config::default()
    };
    let told = TestRunner::new(config).run(&stories(), |story| {
        World::open(&story).tell(&story.steps);
        Ok(())
    });
    told.unwrap_or_else(|error| panic!("{error}"));
}
