//! Tests random graphs of plugins, and random changes of them: a real host with real libraries is compared with a
//! model.
//!
//! `HOTSWAP_TEST_CASES` sets the number of stories, and `HOTSWAP_TEST_SEED` chooses them: the same seed gives the same
//! stories.
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
        cases: cases
            .try_into()
            .expect("the number of cases fits into 32 bits"),
        rng_seed: RngSeed::Fixed(seed),
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct(
            "tests/graphs/regressions.txt",
        ))),
        // This time is in milliseconds.
        max_shrink_time: 60_000,
        ..Config::default()
    };
    let told = TestRunner::new(config).run(&stories(), |story| {
        World::open(&story).tell(&story.steps);
        Ok(())
    });
    told.unwrap_or_else(|error| panic!("{error}"));
}
