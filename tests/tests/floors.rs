//! Tests that the crates have floors: a file imports only from files below its own, and imports do not go round in a
//! circle.
//!
//! Two files that are one thought may import each other; `KNOWN` lists those pairs. A new circle fails the test, which
//! names the arrows that make it. `cargo test -p hotswap-tests --test floors -- --nocapture` prints all circles.
#[path = "floors/imports.rs"]
mod imports;
#[path = "floors/unsafe_host.rs"]
mod unsafe_host;
#[path = "floors/unsafe_plugin.rs"]
mod unsafe_plugin;

use imports::Crate;
use std::collections::BTreeSet;
use std::path::Path;

/// The circles that exist, each with its files. Each circle is one thought in several files.
const KNOWN: &[(&str, &[&[&str]])] = &[
    (
        "hotswap-host",
        &[
            // One file describes the metadata, and the other one the texts in it.
            &["artifact/metadata.rs", "artifact/texts.rs"],
            // The record of a thread is one type in two files.
            &["reclaim/record/entered.rs", "reclaim/record/mod.rs"],
            // `Swapper::builder` returns a builder, and `Builder::open` returns a swapper.
            &["swapper/builder.rs", "swapper/mod.rs"],
        ],
    ),
    (
        "hotswap-plugin",
        &[
            // A type may be an object of an interface, and an interface has functions of types.
            &["boundary/describe/calls.rs", "boundary/describe/types.rs"],
            // The two serializers share one format: one is for a value, and the other one for the parts in it.
            &["live_data/codec/compound.rs", "live_data/codec/encode.rs"],
            // A live type describes its earlier version (schema) and the way from there (migration), type by type.
            &[
                "live_data/migrate.rs",
                "live_data/schema.rs",
                "live_data/types.rs",
            ],
        ],
    ),
    ("hotswap-macros", &[]),
    ("cargo-hotswap", &[]),
];

#[test]
fn no_imports_go_round_in_a_circle() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut new = String::new();
    for (name, known) in KNOWN {
        let krate = Crate::read(&root.join(name).join("src"));
        assert!(krate.files() > 10, "{name} was not read");
        let known: BTreeSet<BTreeSet<&str>> = known
            .iter()
            .map(|files| files.iter().copied().collect())
            .collect();
        let circles = krate.circles();
        println!(
            "{name}: {} files, circles of {:?}",
            krate.files(),
            circles.iter().map(BTreeSet::len).collect::<Vec<_>>()
        );
        for circle in &circles {
            let files: BTreeSet<&str> = circle.iter().map(String::as_str).collect();
            if !known.contains(&files) {
                new += &format!("{name}: {} files import each other:\n", files.len());
                for arrow in krate.arrows_within(circle) {
                    new += &format!("  {arrow}\n");
                }
            }
        }
        for gone in known.iter().filter(|files| {
            !circles
                .iter()
                .any(|circle| circle.iter().map(String::as_str).eq(files.iter().copied()))
        }) {
            new += &format!("{name}: {gone:?} is no circle any more: take it out of the list\n");
        }
    }
    assert!(new.is_empty(), "{new}");
}
