//! A log that panics.
use crate::{alone, registrar};
use hotswap_tests::Stage;
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::registry::Registry;

/// Panics when a retirement is reported.
struct Panics;

impl<S: Subscriber> Layer<S> for Panics {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        struct Look;
        impl Visit for Look {
            fn record_debug(&mut self, _: &Field, value: &dyn std::fmt::Debug) {
                let text = format!("{value:?}");
                assert!(!text.contains("has left memory"), "no more of that");
            }
        }
        event.record(&mut Look);
    }
}

#[test]
fn a_subscriber_that_panics_keeps_no_build() {
    let output = alone("log::panics");
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(told.contains("no more of that"), "{told}");
}

#[test]
#[ignore = "runs in a process of its own, which the test above starts"]
fn panics() {
    tracing::subscriber::set_global_default(Registry::default().with(Panics)).unwrap();
    let stage = Stage::open(&[("registrar", &registrar(0))]);
    for number in 1..4 {
        stage.swap("registrar", &registrar(number));
        assert_eq!(stage.settle().len(), usize::from(number));
    }
    stage.close();
}
