//! The thread functions of the C library, as the host lends them to a plugin.
//!
//! These types are frozen: they are read before the layouts of host and plugin have been compared.
use std::ffi::{c_int, c_void};

/// A thread-local's or key's destructor.
pub type Destructor = unsafe extern "C" fn(*mut c_void);
/// The start routine of a thread.
pub type StartRoutine = unsafe extern "C" fn(*mut c_void) -> *mut c_void;
/// `pthread_key_t`.
pub type Key = u32;
/// `pthread_t`.
pub type Thread = usize;
/// The host's name for one loaded library; the first argument of each function that it lends.
pub type Token = *const c_void;

/// The five functions, and the token they want.
#[repr(C)]
pub struct ShimTable {
    /// Names the library to the host.
    pub token: Token,
    /// `__cxa_thread_atexit_impl` without the `dso_handle`.
    pub thread_atexit: unsafe extern "C" fn(Token, Destructor, *mut c_void) -> c_int,
    /// `pthread_key_create`.
    pub key_create: unsafe extern "C" fn(Token, *mut Key, Option<Destructor>) -> c_int,
    /// `pthread_key_delete`.
    pub key_delete: unsafe extern "C" fn(Token, Key) -> c_int,
    /// `pthread_setspecific`.
    pub key_set: unsafe extern "C" fn(Token, Key, *const c_void) -> c_int,
    /// `pthread_create`.
    pub thread_create:
        unsafe extern "C" fn(Token, *mut Thread, *const c_void, StartRoutine, *mut c_void) -> c_int,
}

// SAFETY: a table of functions that may be called from any thread; the token is only handed back.
unsafe impl Send for ShimTable {}
// SAFETY: as above.
unsafe impl Sync for ShimTable {}

/// How often the plugin used one of the five before the host's table arrived, for instance from a constructor in
/// `.init_array`. What was registered then points into the library, so the library cannot leave memory.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Early {
    /// Destructors of thread-locals.
    pub destructors: u32,
    /// Keys with a destructor.
    pub keys: u32,
    /// Threads.
    pub threads: u32,
}

impl Early {
    /// Whether nothing was used early.
    pub const fn is_none(&self) -> bool {
        self.destructors == 0 && self.keys == 0 && self.threads == 0
    }
}

/// The type of the symbol [`ATTACH_SYMBOL`]. A null table asks for the counts alone.
pub type Attach = unsafe extern "C" fn(*const ShimTable) -> Early;

/// The name under which a plugin exports [`Attach`].
pub const ATTACH_SYMBOL: &[u8] = b"hotswap_attach\0";
