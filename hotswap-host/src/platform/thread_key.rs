//! The host's only key for thread-specific values. Its destructor runs after all thread-locals of a thread.
//!
//! Unsafe code: the C library calls the destructor with an address.
#![allow(unsafe_code)]
use std::any::TypeId;
use std::ffi::c_void;
use std::mem::transmute;
use std::sync::OnceLock;

/// Runs `run(value)` on this thread when all its thread-locals are gone. All calls have to pass the same `run`. This also
/// works while keys are being destroyed: the C library then makes another round, up to four in total.
///
/// # Panics
/// Panics if the process has used all keys, or if the first call was made with a value of another type.
pub(crate) fn after_thread_locals<T: 'static>(run: extern "C" fn(&'static T), value: &'static T) {
    static KEY: OnceLock<(libc::pthread_key_t, TypeId)> = OnceLock::new();
    let (key, ty) = *KEY.get_or_init(|| {
        let mut key = 0;
        // SAFETY: references and raw pointers to sized types are passed to C functions in the same way. The values of
        // the key are references to a `T`: this is checked below, where they are set.
        let result = unsafe {
            let run =
                transmute::<extern "C" fn(&'static T), unsafe extern "C" fn(*mut c_void)>(run);
            libc::pthread_key_create(&mut key, Some(run))
        };
        assert_eq!(
            result, 0,
            "out of thread-specific keys: the process has used all of them"
        );
        (key, TypeId::of::<T>())
    });
    assert_eq!(ty, TypeId::of::<T>(), "the key has values of one type");
    // SAFETY: `pthread_key_create` has made the key, and its destructor takes a `&'static T`.
    unsafe { libc::pthread_setspecific(key, (&raw const *value).cast()) };
}
