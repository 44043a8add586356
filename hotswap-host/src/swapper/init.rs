//! [`init`], in which a child process of the host turns into a probe.
use super::probe::{CAN_PROBE, Limits, Request, VARIABLE};
use crate::environment::text_of;
use crate::error::ReloadError;
use crate::swapper::builder::Builder;
use crate::swapper::reload::Probed;
use rustix::process::{Resource, Rlimit, setrlimit};
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::sync::atomic::Ordering::Relaxed;

/// Has to be the first line of the `main` of a host whose [options](crate::ReloadOptions) ask for a probe.
///
/// A probe is this program, started once more, which loads the new builds and ends. In such a process this function does
/// not return. Otherwise it does nothing.
///
/// ```no_run
/// # use hotswap_host::prelude::*;
/// # use hotswap_host::ReloadOptions;
/// fn main() -> Result<(), ReloadError> {
///     hotswap_host::init();
///     let mut options = ReloadOptions::production();
///     options.probe = true;
///     let swapper = Swapper::builder().reload_options(options).open()?;
///     // …
/// #   Ok(())
/// }
/// ```
pub fn init() {
    init_with(|builder| builder);
}

/// Does the same as [`init`] for a host that provides objects or extensions: `settings` gives the probe what plugins need
/// in order to load. It may provide other objects than the host does, which have no effect on anything.
///
/// ```no_run
/// # use hotswap_host::prelude::*;
/// # use std::sync::Arc;
/// fn main() {
///     hotswap_host::init_with(|probe| probe.load_data("nothing is real here".to_owned()));
///     // …
/// }
/// ```
pub fn init_with(settings: impl FnOnce(Builder) -> Builder) {
    CAN_PROBE.store(true, Relaxed);
    if text_of(VARIABLE).is_some() {
        run(settings(Builder::new()));
    }
}

/// Carries out the request in the file that is the standard input. The parent ends the process.
fn run(builder: Builder) -> ! {
    if let Err(error) = answer(builder) {
        eprintln!("this process was started as a probe, which only a host does: {error}");
        std::process::exit(2);
    }
    // The outcome has been told. What the plugins would do while the process ends proves nothing.
    loop {
        std::thread::park();
    }
}

fn answer(builder: Builder) -> io::Result<()> {
    let mut socket = UnixStream::from(io::stdout().as_fd().try_clone_to_owned()?);
    // What plugins print is no answer.
    rustix::stdio::dup2_stdout(io::stderr())?;
    // The parent prepares the request while this process starts.
    socket.read_exact(&mut [0])?;
    let request = Request::read(&mut File::from(io::stdin().as_fd().try_clone_to_owned()?))?;
    end_with_parent(&socket)?;
    limit(request.limits)?;
    let mut tell = |line: String| socket.write_all(line.as_bytes());
    let probed = probe(builder, request, &mut |step| {
        // If the parent is gone, so is this process.
        let _ = tell(format!("step {step}\n"));
    });
    let outcome = match probed {
        Ok(()) => "ok\n".into(),
        Err(error) => format!("error {}\n", serde_json::to_string(&error.to_string())?),
    };
    tell(outcome)
}

/// Makes the kernel end this process when the thread ends that has started it and waits for it.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn end_with_parent(_: &UnixStream) -> io::Result<()> {
    use rustix::process::{Signal, getppid, set_parent_process_death_signal};
    set_parent_process_death_signal(Some(Signal::KILL))?;
    match getppid().is_none_or(|parent| parent.is_init()) {
        true => Err(io::Error::other("its parent has ended")),
        false => Ok(()),
    }
}

/// Starts a thread that ends this process when its parent has ended. That closes the socket, on which the parent says
/// nothing.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn end_with_parent(socket: &UnixStream) -> io::Result<()> {
    let mut socket = socket.try_clone()?;
    let parent = std::thread::Builder::new().name("hotswap-parent".into());
    parent.spawn(move || {
        let _ = io::Read::read(&mut socket, &mut [0]);
        std::process::abort();
    })?;
    Ok(())
}

/// Takes away what a probe does not need. A probe that fails leaves no core dump.
fn limit(limits: Limits) -> io::Result<()> {
    let to = |resource, limit| {
        let limit = Some(limit);
        let limit = Rlimit {
            current: limit,
            maximum: limit,
        };
        setrlimit(resource, limit)
    };
    to(Resource::Core, 0)?;
    to(Resource::Cpu, limits.seconds)?;
    to(Resource::As, limits.memory)?;
    to(Resource::Nofile, 256)?;
    Ok(())
}

fn probe(
    builder: Builder,
    request: Request,
    step: &mut dyn FnMut(&str),
) -> Result<(), ReloadError> {
    let swapper = builder.probing()?;
    swapper.0.run_probe(
        Probed {
            builds: request.builds,
            states: request.states,
            deep: request.deep,
        },
        step,
    )
}
