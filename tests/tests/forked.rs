//! A forked child of a host. In a process of its own: a child has only the thread that forked, and none of the locks that
//! other tests have taken.
use hotswap_host::prelude::*;
use hotswap_tests::Stage;
use hotswap_tests::fixture::Build;

#[test]
fn a_forked_child_opens_no_swapper() {
    let stage = Stage::open(&[("guest", &Build::First.bytes("guest"))]);
    let dir = stage.dir();
    // SAFETY: the child runs what follows, on memory of its own, and ends with `_exit`.
    let child = unsafe { libc::fork() };
    if child == 0 {
        let opened = Swapper::builder().plugin_dir(dir).open();
        let refused = matches!(opened, Err(ReloadError::Forked));
        // SAFETY: ends the child, without what its parent has registered for the end.
        unsafe { libc::_exit(if refused { 0 } else { 1 }) };
    }
    let mut status = -1;
    // SAFETY: waits for the child, and writes into `status`.
    assert_eq!(unsafe { libc::waitpid(child, &mut status, 0) }, child);
    assert_eq!(status, 0);
    stage.close();
}
