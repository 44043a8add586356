//! Tests that no memory of one allocator is given to another: the host and the plugin each have an allocator that ends
//! the process when it is asked to free foreign memory.
use hotswap_tests::fixture::{self, Build, ordered};
use shapes::heap::Tagged;

#[global_allocator]
static HEAP: Tagged = Tagged::new(0);

#[test]
fn each_library_frees_its_own_memory() {
    let probe = Build::Tagged.bytes("probe");
    let dir = tempfile::tempdir().unwrap();
    fixture::install(&probe, "probe", dir.path());
    let next = dir.path().join("next");
    std::fs::write(&next, ordered(&probe, "another build")).unwrap();
    script::run(dir.path(), &next);
    assert!(HEAP.live() > 0);
}
