//! `cargo hotswap run`

use std::sync::mpsc;

#[cfg(feature = "control")]
use crate::attached::Attached;
use crate::cli::RunArgs;
use crate::error::exit;
use crate::host_process::{Host, Told, forward_signals};
use crate::manifest::find_manifest;
use crate::project::Project;
use crate::session::Session;
use crate::worker::Program;
use crate::{Error, host, linked, supervisor};

/// Builds and runs the host, and reloads it until it ends.
pub(crate) fn execute(session: &Session, args: &RunArgs) -> Result<u8, Error> {
    if args.linked || args.no_watch {
        return run_once(session, args);
    }
    let named = args.compile.manifest_path.as_deref();
    let manifest = match named.or(args.of.as_deref()) {
        Some(path) => find_manifest(session, &session.absolute(path), false)?,
        None => find_manifest(session, &session.dir, true)?,
    };
    #[cfg(feature = "control")]
    if args.attach.attach {
        let project = Project::open(session, Some(&manifest), &args.compile)?;
        let host = Attached::find(session, &args.attach, &project)?;
        return supervisor::attach(session, args, manifest, host);
    }
    supervisor::run(session, args, manifest)
}

/// Builds everything, and runs the host until it ends, without further builds.
fn run_once(session: &Session, args: &RunArgs) -> Result<u8, Error> {
    let project = Project::open(session, args.of.as_deref(), &args.compile)?.with_host();
    let (host, group) = project.host()?;
    let bin = args.bin.as_deref();
    let executable = if args.linked {
        linked::build(&project.calls(), &group, bin)?.file
    } else {
        project.build_plugins()?;
        host::build(&project.calls(), host, bin)?
    };
    let mut program = Program::of(&project, executable, args)?;
    let (sender, told) = mpsc::channel();
    let signals = forward_signals(session, &sender)?;
    let mut host = Host::start(session, &mut program, signals, &sender)?;
    for told in told {
        match told {
            Told::Signal(caught) => host.pass_on(caught),
            Told::HostEnded => return host.exit_code(session),
        }
    }
    Ok(exit::FAILURE)
}
