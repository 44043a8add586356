//! `cargo hotswap run`
//!
//! The host runs, files are watched, and a thread [builds and reloads](crate::rebuild). All of them send [`Event`]s to
//! one loop, which passes signals on, asks for builds, and ends with the host.

use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ExitStatus};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::time::{Instant, SystemTime};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};
use signal_hook::consts::{SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2};

use crate::call::quoted;
use crate::cli::RunArgs;
use crate::error::{exit, io};
use crate::interrupt::Caught;
use crate::project::Project;
use crate::rebuild::{Job, Pending, Rebuilt, Worker};
use crate::session::Session;
use crate::ui::shown;
use crate::watch::{Change, Sources, Watcher};
use crate::workspace::directory;
use crate::{Error, host, linked};

enum Event {
    Signal(Caught),
    Changed(Vec<Change>),
    Rebuilt(Rebuilt),
    HostEnded,
}

/// Builds and runs the host, and reloads it until it ends.
pub(crate) fn execute(session: &Session, args: &RunArgs) -> Result<u8, Error> {
    let project = Project::open(session, args.host.as_deref(), &args.compile)?;
    let (host, group) = project.host()?;
    if args.linked {
        return run_linked(session, &project, args);
    }
    if group.plugins.is_empty() {
        let first = quoted(&directory(host).join("plugins/first").to_string_lossy());
        session.ui.warn(format_args!(
            "`{}` has no plugins yet; `cargo hotswap new --plugin {first}` makes one",
            host.name
        ));
    }
    let began = SystemTime::now();
    let outcome = project.build_plugins()?;
    let executable = host::build(&project.calls(), host, args.bin.as_deref())?;
    let sources = Sources::of(&project.workspace, &outcome.built);
    let host_sources = Sources::read(
        &project.workspace,
        [executable.with_extension("d")]
            .iter()
            .map(PathBuf::as_path),
    );

    let (sender, events) = mpsc::channel();
    let mut pending = None;
    if !args.no_watch {
        let changed = sender.clone();
        let watcher = Watcher::new(move |changes| drop(changed.send(Event::Changed(changes))))?;
        pending = Some(Pending::new(watcher, sources, host_sources, began)?);
    }
    let mut host = start(session, &project, &executable, args, &sender)?;
    let pid = Pid::from_child(&host);
    std::thread::scope(|scope| {
        let (jobs, work) = mpsc::channel();
        let rebuilt = sender.clone();
        scope.spawn(move || {
            Worker::new(session, project, host_id(pid))
                .serve(&work, |done| drop(rebuilt.send(Event::Rebuilt(done))));
        });
        scope.spawn(move || {
            wait_without_reaping(pid);
            drop(sender.send(Event::HostEnded));
        });
        let status = serve(session, &mut host, pending, &events, &jobs);
        session.interrupt.raise(SIGTERM);
        let status = status.map_err(io("wait for", &executable))?;
        Ok(exit_code(session, status))
    })
}

/// Builds the host with its plugins linked into it, and runs it until it ends. Nothing of it is rebuilt meanwhile.
fn run_linked(session: &Session, project: &Project<'_>, args: &RunArgs) -> Result<u8, Error> {
    let (_, group) = project.host()?;
    let program = linked::build(&project.calls(), &group, args.bin.as_deref())?;
    let (sender, events) = mpsc::channel();
    let mut host = start(session, project, &program.file, args, &sender)?;
    let pid = Pid::from_child(&host);
    let ended = std::thread::spawn(move || {
        wait_without_reaping(pid);
        drop(sender.send(Event::HostEnded));
    });
    let (jobs, _no_work) = mpsc::channel();
    let status = serve(session, &mut host, None, &events, &jobs);
    // It ends with the host.
    drop(ended.join());
    Ok(exit_code(
        session,
        status.map_err(io("wait for", &program.file))?,
    ))
}

/// Starts the host where the user is, as `cargo run` does. From now on signals are its own.
fn start(
    session: &Session,
    project: &Project<'_>,
    executable: &Path,
    args: &RunArgs,
    events: &Sender<Event>,
) -> Result<Child, Error> {
    let mut command = project.host_command(executable, args)?;
    command.env("HOTSWAP_PLUGIN_DIR", project.plugin_dir()?);
    session
        .ui
        .status("Running", shown(executable, &project.workspace.root));
    session.ui.share_terminal();
    session.interrupt.check()?;
    let (caught, signals) = mpsc::channel();
    let events = events.clone();
    session
        .interrupt
        .forward_to(caught, &[SIGQUIT, SIGUSR1, SIGUSR2])?;
    std::thread::spawn(move || {
        for signal in signals {
            if events.send(Event::Signal(signal)).is_err() {
                break;
            }
        }
    });
    command.spawn().map_err(|source| Error::StartHost {
        executable: executable.to_owned(),
        source,
    })
}

/// The loop, until the host ends.
fn serve(
    session: &Session,
    host: &mut Child,
    mut pending: Option<Pending>,
    events: &Receiver<Event>,
    jobs: &Sender<Job>,
) -> std::io::Result<ExitStatus> {
    let pid = Pid::from_child(host);
    loop {
        let event = match pending.as_ref().and_then(Pending::due) {
            Some(due) => events.recv_timeout(due.saturating_duration_since(Instant::now())),
            None => events.recv().map_err(RecvTimeoutError::from),
        };
        match (event, &mut pending) {
            (Ok(Event::HostEnded) | Err(RecvTimeoutError::Disconnected), _) => return host.wait(),
            (Ok(Event::Signal(caught)), _) => pass_on(pid, caught),
            (Ok(Event::Changed(changes)), Some(pending)) => pending.note(session, &changes),
            (Ok(Event::Rebuilt(rebuilt)), Some(pending)) => pending.finish(session, rebuilt),
            // The thread that takes it lives longer than this loop.
            (Err(RecvTimeoutError::Timeout), Some(pending)) => drop(jobs.send(pending.start())),
            (_, None) => {}
        }
    }
}

/// Passes a signal on to the host, unless the terminal sent it to both.
fn pass_on(host: Pid, caught: Caught) {
    if let Some(signal) = Signal::from_named_raw(caught.signal).filter(|_| !caught.from_terminal) {
        // It may be ending just now; it is not reaped yet, so that nobody else has its id.
        let _ = kill_process(host, signal);
    }
}

fn wait_without_reaping(pid: Pid) {
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
    while matches!(
        waitid(WaitId::Pid(pid), options),
        Err(rustix::io::Errno::INTR)
    ) {}
}

fn host_id(pid: Pid) -> u32 {
    pid.as_raw_nonzero().get().cast_unsigned()
}

fn exit_code(session: &Session, status: ExitStatus) -> u8 {
    if let Some(signal) = status.signal() {
        session
            .ui
            .info("Ended", format_args!("the host, by signal {signal}"));
        return exit::SIGNAL.wrapping_add(u8::try_from(signal).unwrap_or(0));
    }
    status
        .code()
        .and_then(|code| u8::try_from(code).ok())
        .unwrap_or(exit::FAILURE)
}
