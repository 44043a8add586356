//! The host's only key for thread-specific values. Its destructor runs after all thread-locals of a thread.
use std::ffi::c_void;
use std::sync::OnceLock;

/// Runs `run(argument)` on this thread when all its thread-locals are gone. All calls have to pass the same `run`. This
/// also works while keys are being destroyed: the C library then makes another round, up to four in total.
///
/// # Panics
/// Panics if the process has used all keys.
///
/// # Safety
/// `run` may be called with `argument` at the end of the thread, and `argument` stays valid until then.
pub(crate) unsafe fn after_thread_locals(
    run: unsafe extern "C" fn(*mut c_void),
    argument: *const c_void,
) {
    static KEY: OnceLock<libc::pthread_key_t> = OnceLock::new();
    let key = *KEY.get_or_init(|| {
        let mut key = 0;
        // SAFETY: the key's values are the arguments that are set below, which `run` accepts.
        let result = unsafe { libc::pthread_key_create(&mut key, Some(run)) };
        assert_eq!(
            result, 0,
            "out of thread-specific keys: the process has used all of them"
        );
        key
    });
    // SAFETY: the key exists, and its destructor accepts this argument.
    unsafe { libc::pthread_setspecific(key, argument) };
}
