//! Linux's `membarrier`, which makes all running threads of the process go through a full barrier.

/// Checkers that know only fences use fences.
#[cfg(all(target_os = "linux", not(miri)))]
mod system {
    use rustix::thread::{MembarrierCommand, membarrier};

    pub(super) fn register() -> bool {
        membarrier(MembarrierCommand::RegisterPrivateExpedited).is_ok() && run()
    }

    pub(super) fn run() -> bool {
        membarrier(MembarrierCommand::PrivateExpedited).is_ok()
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
