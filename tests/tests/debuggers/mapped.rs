//! Tests the data that profilers use: the mapped file, and its GNU build id, which tells builds apart after they have
//! left.
use hotswap_tests::fixture::Build;
use hotswap_tests::{Stage, process};
use object::Object;
use std::fs;
use std::path::PathBuf;

/// Returns the files that are mapped as code, by the names that the system gives to profilers.
fn mapped(stage: &Stage) -> Vec<PathBuf> {
    let lines = process::mapped_from(&process::host_dir_of(stage.dir()));
    let name = |line: String| {
        PathBuf::from(
            line.split_whitespace()
                .nth(5)
                .expect("the mapping has a name"),
        )
    };
    lines.into_iter().map(name).collect()
}

fn gnu_build_id(library: &[u8]) -> Vec<u8> {
    let file = object::File::parse(library).expect("the file is a library");
    let id = file.build_id().expect("its notes can be read");
    id.expect("the linker has given it a build id").to_owned()
}

#[test]
fn a_build_is_mapped_from_a_file_that_has_its_build_id() {
    let [first, later] = [Build::First, Build::Later].map(|build| build.bytes("guest"));
    assert_ne!(gnu_build_id(&first), gnu_build_id(&later));
    let stage = Stage::open(&[("guest", &first)]);
    // Both builds are mapped as long as the first one is held.
    let hold = stage.swapper.pin().hold();
    stage.swap("guest", &later);
    let mut ids: Vec<_> = mapped(&stage)
        .iter()
        .map(|file| gnu_build_id(&fs::read(file).unwrap()))
        .collect();
    ids.sort();
    let mut expected = [&first, &later].map(|library| gnu_build_id(library));
    expected.sort();
    assert_eq!(ids, expected);
    drop(hold);
    stage.close();
}
