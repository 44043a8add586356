//! Linux's `membarrier`, which makes all running threads of the process go through a full barrier.

/// Checkers that know only fences use fences.
#[cfg(all(target_os = "linux", not(miri)))]
mod system {
    const PRIVATE_EXPEDITED: libc::c_int = 1 << 3;
    const REGISTER_PRIVATE_EXPEDITED: libc::c_int = 1 << 4;

    fn call(command: libc::c_int) -> bool {
        // SAFETY: these commands take no pointer and change no memory.
        unsafe { libc::syscall(libc::SYS_membarrier, command, 0, 0) == 0 }
    }

    pub(super) fn register() -> bool {
        call(REGISTER_PRIVATE_EXPEDITED) && call(PRIVATE_EXPEDITED)
    }

    pub(super) fn run() -> bool {
        call(PRIVATE_EXPEDITED)
    }
}

#[cfg(not(all(target_os = "linux", not(miri))))]
mod system {
    pub(super) fn register() -> bool {
        false
    }

    pub(super) fn run() -> bool {
        false
    }
}

/// Registers this process. Returns true if the kernel supports the command for it.
pub(crate) fn register() -> bool {
    system::register()
}

/// Runs the command. Returns false if the kernel refuses.
pub(crate) fn run() -> bool {
    system::run()
}
