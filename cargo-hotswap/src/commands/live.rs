//! `cargo hotswap status`, `check`, `drain`, `resume`, and `logs`, and what `history`, `rollback`, and `confirm` ask a
//! running host.

use std::fmt::{self, Display};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hotswap_control::Notice;
use hotswap_control::api::{
    Attempt, DrainRequest, Event, LogRequest, Plugin, ReasonRequest, ReloadRequest,
    RollbackRequest, Status,
};

use super::table::{self, table};
use crate::Error;
use crate::chosen::client;
use crate::cli::{
    CheckArgs, DrainArgs, FreezeArgs, HostArgs, LogArgs, LogsArgs, ResumeArgs, StatusArgs, WhyArgs,
};
use crate::error::exit;
use crate::follow::follow;
use crate::session::Session;

/// Shows what a host runs.
pub(crate) fn status(session: &Session, args: &StatusArgs) -> Result<u8, Error> {
    let status = client(session, &args.host)?.status()?;
    match args.json {
        true => session.ui.json(&status),
        false => session.ui.result(StatusText(&status)),
    }
    Ok(exit::SUCCESS)
}

/// The status for people.
struct StatusText<'a>(&'a Status);

impl Display for StatusText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Status {
            host,
            generation,
            reloads,
            plugins,
            frozen,
            window,
            retirements,
            last_attempt,
            ..
        } = self.0;
        let program = Path::new(&host.executable).file_name().unwrap_or_default();
        write!(
            f,
            "{} (pid {}), up {}, generation {generation}, {reloads} {}, plugins in {}",
            program.display(),
            host.pid,
            length(host.uptime),
            if *reloads == 1 { "reload" } else { "reloads" },
            host.plugin_dir
        )?;
        let head = ["PLUGIN", "VERSION", "BUILD", "COMMIT", "LOADED", "CALLS"].map(str::to_owned);
        let rows: Vec<_> = std::iter::once(head)
            .chain(plugins.iter().map(row))
            .collect();
        write!(f, "\n{}", table(&rows))?;
        for plugin in plugins {
            if let Some(out) = &plugin.out_of_service {
                let since = length(now() - out.since);
                write!(
                    f,
                    "\n{} is out of service since {since} ago: {}",
                    plugin.name, out.reason
                )?;
            }
        }
        if let Some(frozen) = frozen {
            let since = length(now() - frozen.since);
            write!(f, "\nfrozen since {since} ago: {}", frozen.reason)?;
        }
        if let Some(window) = window {
            let kept = window.kept.join(", ");
            write!(
                f,
                "\nrollback window: {} left, keeps {kept}",
                length(window.left)
            )?;
        }
        for retirement in retirements {
            let build = short(&retirement.build_id);
            write!(
                f,
                "\nleaving: {} {build}, {}",
                retirement.plugin, retirement.state
            )?;
            if !retirement.held_by.is_empty() {
                write!(f, ", held by {}", retirement.held_by.join(", "))?;
            }
        }
        if let Some(last) = last_attempt {
            write!(f, "\nlast attempt: {}, by {}", last.text, last.cause)?;
        }
        Ok(())
    }
}

fn row(plugin: &Plugin) -> [String; 6] {
    let commit = plugin.commit.as_deref().unwrap_or_default();
    let commit = short(commit);
    let dirty = if plugin.dirty { "*" } else { "" };
    let calls: usize = plugin.in_flight.iter().map(|build| build.calls).sum();
    [
        plugin.name.clone(),
        plugin.version.clone(),
        short(&plugin.build_id).to_owned(),
        format!("{commit}{dirty}"),
        ago(plugin.loaded_at),
        calls.to_string(),
    ]
}

/// Returns the first digits of an id.
fn short(id: &str) -> &str {
    id.get(..8).unwrap_or(id)
}

fn now() -> f64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.unwrap_or_default().as_secs_f64()
}

/// Returns `7 s ago`, for a time in seconds since 1970.
pub(super) fn ago(then: f64) -> String {
    format!("{} ago", length(now() - then))
}

/// Returns a time for people.
fn length(seconds: f64) -> String {
    let time = Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or_default();
    table::length(time.as_secs())
}

/// Shows what a reload would do.
pub(crate) fn check(session: &Session, args: &CheckArgs) -> Result<u8, Error> {
    let mut request = ReloadRequest::default();
    for artifact in &args.artifacts {
        request.files.push(text_of(session.absolute(artifact))?);
    }
    let verdict = client(session, &args.host)?.check(&request)?;
    match args.json {
        true => session.ui.json(&verdict),
        false => session.ui.result(&verdict.text),
    }
    Ok(match verdict.is_breaking() {
        true => exit::FAILURE,
        false => exit::SUCCESS,
    })
}

fn because(why: &WhyArgs) -> ReasonRequest {
    let mut request = ReasonRequest::default();
    request.reason.clone_from(&why.reason);
    request.deployment.clone_from(&why.deployment);
    request
}

/// Takes a plugin out of service.
pub(crate) fn drain(session: &Session, args: &DrainArgs) -> Result<u8, Error> {
    let client = client(session, &args.host)?;
    if args.no_wait {
        client.take_out_of_service(&args.plugin, &because(&args.why))?;
    } else {
        let mut request = DrainRequest::default();
        request.limit = Some(args.limit);
        request.reason.clone_from(&args.why.reason);
        request.deployment.clone_from(&args.why.deployment);
        client.drain(&args.plugin, &request)?;
    }
    session
        .ui
        .result(format_args!("{} is out of service", args.plugin));
    Ok(exit::SUCCESS)
}

/// Puts a plugin back into service.
pub(crate) fn resume(session: &Session, args: &ResumeArgs) -> Result<u8, Error> {
    client(session, &args.host)?.resume(&args.plugin, &because(&args.why))?;
    session
        .ui
        .result(format_args!("{} is in service", args.plugin));
    Ok(exit::SUCCESS)
}

/// Makes a host refuse all changes.
pub(crate) fn freeze(session: &Session, args: &FreezeArgs) -> Result<u8, Error> {
    client(session, &args.host)?.freeze(&because(&args.why))?;
    session.ui.result("the host refuses all changes");
    Ok(exit::SUCCESS)
}

/// Makes a host accept changes again.
pub(crate) fn unfreeze(session: &Session, args: &FreezeArgs) -> Result<u8, Error> {
    client(session, &args.host)?.unfreeze(&because(&args.why))?;
    session.ui.result("the host accepts changes");
    Ok(exit::SUCCESS)
}

/// Shows or changes what a host logs.
pub(crate) fn log(session: &Session, args: &LogArgs) -> Result<u8, Error> {
    let mut request = LogRequest::default();
    request.filter.clone_from(&args.filter);
    request.console.clone_from(&args.console);
    request.rotation.clone_from(&args.rotation);
    request.keep = args.keep;
    request.file = match &args.file {
        Some(file) => Some(text_of(session.absolute(file))?),
        None => args.no_file.then(String::new),
    };
    let client = client(session, &args.host)?;
    let settings = if request == LogRequest::default() {
        client.log()?
    } else {
        request.reason.clone_from(&args.why.reason);
        request.deployment.clone_from(&args.why.deployment);
        client.set_log(&request)?
    };
    match args.json {
        true => session.ui.json(&settings),
        false => session.ui.result(&settings.text),
    }
    Ok(exit::SUCCESS)
}

/// Returns a path for a request.
fn text_of(path: PathBuf) -> Result<String, Error> {
    let text = path.into_os_string().into_string();
    text.map_err(|path| Error::NotText { path: path.into() })
}

/// Shows events.
pub(crate) fn logs(session: &Session, args: &LogsArgs) -> Result<u8, Error> {
    let client = client(session, &args.host)?;
    let last = client.status()?.last_event;
    if !args.follow && args.after >= last {
        return Ok(exit::SUCCESS);
    }
    let events = client.events(Some(args.after))?;
    follow(session, events, |notice| {
        match notice? {
            Notice::Event(event) => {
                show(session, &event, args.json);
                return Ok(args.follow || event.id < last);
            }
            Notice::Lost { up_to } => session.ui.warn(format_args!(
                "the events up to number {up_to} are not kept any more"
            )),
            _ => {}
        }
        Ok(true)
    })?;
    Ok(exit::SUCCESS)
}

fn show(session: &Session, event: &Event, json: bool) {
    match json {
        true => session.ui.json(event),
        false => session.ui.result(format_args!(
            "{:>6}  {}  {}",
            event.id,
            ago(event.at),
            event.text
        )),
    }
}

/// Shows the last attempts of a running host.
pub(crate) fn history(
    session: &Session,
    host: &HostArgs,
    limit: usize,
    steps: bool,
    json: bool,
) -> Result<u8, Error> {
    let attempts = client(session, host)?.history(limit)?;
    if json {
        session.ui.json(&attempts);
        return Ok(exit::SUCCESS);
    }
    for attempt in &attempts {
        let began = ago(attempt.began);
        session.ui.result(format_args!("{began}  {}", attempt.text));
        if steps {
            session.ui.result(steps_of(attempt));
        }
    }
    Ok(exit::SUCCESS)
}

fn steps_of(attempt: &Attempt) -> String {
    let took = |seconds: f64| Duration::try_from_secs_f64(seconds).unwrap_or_default();
    let steps = attempt.steps.iter().map(|step| {
        let failed = if step.failed { " (failed)" } else { "" };
        format!("{} {:.1?}{failed}", step.step, took(step.took))
    });
    let steps: Vec<_> = steps.collect();
    format!("  {}: {:.1?} in all", steps.join(", "), took(attempt.took))
}

/// Goes back in a running host.
pub(crate) fn rollback(
    session: &Session,
    host: &HostArgs,
    request: &RollbackRequest,
) -> Result<u8, Error> {
    let report = client(session, host)?.rollback(request)?;
    session.ui.result(&report.text);
    Ok(exit::SUCCESS)
}

/// Makes the reload permanent whose rollback window is open.
pub(crate) fn confirm(session: &Session, host: &HostArgs, why: &WhyArgs) -> Result<u8, Error> {
    let status = client(session, host)?.confirm(&because(why))?;
    session.ui.result(format_args!(
        "generation {} is permanent",
        status.generation
    ));
    Ok(exit::SUCCESS)
}
