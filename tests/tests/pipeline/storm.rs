//! Health checks, loads, unloads, and swaps as fast as they go. `HOTSWAP_TEST_STORM=60` makes it last for a minute.
use crate::health::{other, patient};
use hotswap_host::prelude::*;
use hotswap_operate::{HealthMonitor, HealthOptions};
use hotswap_tests::{LIMIT, Stage, fixture, setting};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::time::Duration;

#[test]
fn nothing_hangs_when_checks_loads_unloads_and_swaps_race() {
    let stage = Stage::open(&[("patient", &patient("well"))]);
    let elsewhere = tempfile::tempdir().unwrap();
    fixture::install(&other("well"), "patjent", elsewhere.path());
    let guest = elsewhere.path().join(fixture::file_name("patjent"));
    let mut options = HealthOptions::default();
    options.interval = Duration::from_millis(1);
    options.limit = LIMIT;
    options.degraded_after = LIMIT;
    let builder = HealthMonitor::builder(&stage.swapper);
    let monitor = builder.options(options).start().unwrap();
    let builds = [patient("well #1"), patient("well #2"), patient("slow #3")];
    let [checks, swaps, loads, calls, reports] = [const { AtomicU64::new(0) }; 5];
    let done = AtomicBool::new(false);
    let again = |count: &AtomicU64, work: &dyn Fn()| {
        while !done.load(SeqCst) {
            work();
            count.fetch_add(1, SeqCst);
        }
    };
    std::thread::scope(|scope| {
        scope.spawn(|| again(&checks, &|| drop(monitor.check_all_now().unwrap())));
        scope.spawn(|| again(&reports, &|| drop(monitor.health_report().to_json())));
        scope.spawn(|| {
            again(&swaps, &|| {
                let at = swaps.load(SeqCst) as usize % builds.len();
                stage.swap("patient", &builds[at]);
            });
        });
        scope.spawn(|| {
            again(&loads, &|| {
                stage.swapper.load(&guest).unwrap();
                stage.swapper.unload("patjent").unwrap();
            });
        });
        scope.spawn(|| {
            let add: Function<fn(u64, u64) -> Result<u64, String>> =
                stage.swapper.function("patient", "add").unwrap();
            again(&calls, &|| assert_eq!(add.call(2, 3).unwrap(), 5));
        });
        // The storm lasts as long as this.
        std::thread::sleep(Duration::from_secs(setting("HOTSWAP_TEST_STORM", 10)));
        done.store(true, SeqCst);
    });
    for (what, count) in [
        ("checks", &checks),
        ("swaps", &swaps),
        ("loads", &loads),
        ("calls", &calls),
        ("reports", &reports),
    ] {
        let count = count.load(SeqCst);
        println!("{count} {what}");
        assert!(count > 0, "{what}");
    }
    drop(monitor);
    stage.settle();
    stage.close();
}
