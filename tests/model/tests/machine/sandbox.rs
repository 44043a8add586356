//! A sandbox that forbids `membarrier`.
use std::io;
use std::os::unix::process::CommandExt;
use std::process::Command;

const HERE: &str = "HOTSWAP_MODEL_SANDBOX";

/// Returns true if this process has been in the sandbox from its beginning.
pub(crate) fn is_here() -> bool {
    std::env::var_os(HERE).is_some()
}

/// Runs a test of this program in the sandbox.
pub(crate) fn run(test: &str) {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", test]).env(HERE, "1");
    // SAFETY: `enter` only calls `prctl`, which may be called between `fork` and `exec`.
    let status = unsafe { command.pre_exec(enter) }.status().unwrap();
    assert!(status.success(), "{test}: {status}");
}

/// From now on, the calling thread and the threads that it starts may not call `membarrier`.
pub(crate) fn enter() -> io::Result<()> {
    // The first field of the data that the filter looks at is the number of the system call.
    let instructions = [
        (libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, 0),
        (
            libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K,
            1,
            libc::SYS_membarrier as u32,
        ),
        (
            libc::BPF_RET | libc::BPF_K,
            0,
            libc::SECCOMP_RET_ERRNO | libc::EPERM as u32,
        ),
        (libc::BPF_RET | libc::BPF_K, 0, libc::SECCOMP_RET_ALLOW),
    ];
    let mut filter = instructions.map(|(code, jf, k)| libc::sock_filter {
        code: code as u16,
        jt: 0,
        jf,
        k,
    });
    let program = libc::sock_fprog {
        len: filter.len() as u16,
        filter: filter.as_mut_ptr(),
    };
    // SAFETY: `program` outlives the call, which reads it.
    let results = unsafe {
        [
            libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0),
            libc::prctl(
                libc::PR_SET_SECCOMP,
                libc::SECCOMP_MODE_FILTER,
                &raw const program,
            ),
        ]
    };
    match results {
        [0, 0] => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}
