//! `cargo hotswap history`, `rollback`, `confirm`, `unhold`, and `store`: the state directory of a host that is not
//! running. Without a directory, the first three ask a running host.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

#[cfg(feature = "control")]
use hotswap_control::api::RollbackRequest;
use hotswap_host::BuildSet;
#[cfg(feature = "control")]
use hotswap_host::Requester;
use hotswap_host::shown;
#[cfg(feature = "control")]
use hotswap_operate::EntryResult;
use hotswap_operate::{Entry, History, StoredSet};

use super::table::length;
use crate::Error;
#[cfg(feature = "control")]
use crate::cli::WhyArgs;
use crate::cli::{ConfirmArgs, HistoryArgs, HistoryOf, RollbackArgs, StoreAction, UnholdArgs};
#[cfg(feature = "control")]
use crate::commands::live;
use crate::error::exit;
use crate::session::Session;

/// Opens the history in a directory, which has to exist.
pub(super) fn open(session: &Session, state_dir: &Path) -> Result<Arc<History>, Error> {
    let directory = session.absolute(state_dir);
    if !directory.join("history.sqlite").is_file() {
        return Err(Error::NoHistory { directory });
    }
    Ok(History::open(&directory)?)
}

/// Returns the state directory, which is named if no running host is asked.
pub(super) fn directory(of: &HistoryOf) -> &Path {
    of.state_dir.as_deref().unwrap_or(Path::new("."))
}

/// Prints the last attempts, or their summary.
pub(crate) fn history(session: &Session, args: &HistoryArgs) -> Result<u8, Error> {
    #[cfg(feature = "control")]
    let Some(_) = &args.of.state_dir else {
        return live::history(session, &args.of.host, args.limit, args.steps, args.json);
    };
    let history = open(session, directory(&args.of))?;
    if let Some(hours) = args.summary {
        let summary = history.summary(Duration::from_secs(hours.saturating_mul(3600)))?;
        if args.json {
            session.ui.json(&summary);
            return Ok(exit::SUCCESS);
        }
        session.ui.result(format_args!(
            "{} attempts in {hours} h: {} permanent, {} refused, {} reverted; mean {:.3} s, longest {:.3} s",
            summary.attempts, summary.permanent, summary.refused, summary.reverted, summary.mean, summary.longest
        ));
        return Ok(exit::SUCCESS);
    }
    let entries = history.entries(args.limit)?;
    if args.json {
        session.ui.json(&entries);
    } else {
        for entry in entries {
            let text = format!("{} ago  {entry}", ago(entry.began));
            session.ui.result(shown::printable(&text));
            if args.steps {
                session.ui.result(shown::printable(&steps(&entry)));
            }
        }
    }
    Ok(exit::SUCCESS)
}

/// Returns `  validate 1.2ms, stage 3.4ms, switch 5.6µs: 7.8ms in all`.
fn steps(entry: &Entry) -> String {
    let took = |seconds: f64| Duration::try_from_secs_f64(seconds).unwrap_or_default();
    let steps = entry.steps.iter().map(|(step, seconds, failed)| {
        let failed = if *failed { " (failed)" } else { "" };
        format!("{step} {:.1?}{failed}", took(*seconds))
    });
    let steps: Vec<_> = steps.collect();
    format!("  {}: {:.1?} in all", steps.join(", "), took(entry.took))
}

/// Returns who changes the history of a host that is not running, and why.
#[cfg(feature = "control")]
fn by(why: &WhyArgs) -> Requester {
    let user = rustix::process::getuid().as_raw();
    let mut by = Requester::new(format!("process {} of user {user}", std::process::id()));
    if let Some(reason) = &why.reason {
        by = by.reason(reason);
    }
    if let Some(deployment) = &why.deployment {
        by = by.deployment(deployment.as_str());
    }
    by
}

/// Changes what the next start is on.
pub(crate) fn rollback(session: &Session, args: &RollbackArgs) -> Result<u8, Error> {
    #[cfg(feature = "control")]
    let Some(_) = &args.of.state_dir else {
        let mut request = RollbackRequest::default();
        request.steps = args.plugin.is_none().then_some(args.steps);
        request.plugin.clone_from(&args.plugin);
        request.build.clone_from(&args.build);
        request.reason.clone_from(&args.why.reason);
        request.deployment.clone_from(&args.why.deployment);
        return live::rollback(session, &args.of.host, &request);
    };
    let history = open(session, directory(&args.of))?;
    let set = match &args.plugin {
        Some(plugin) => history.roll_back_plugin_offline(plugin, args.build.as_deref())?,
        None => history.roll_back_offline(args.steps)?,
    };
    let builds = builds(&set.builds);
    #[cfg(feature = "control")]
    history.note_offline(by(&args.why), EntryResult::SetBack, &builds)?;
    session
        .ui
        .result(format_args!("the next start is on {builds}"));
    Ok(exit::SUCCESS)
}

/// Makes the set on trial permanent.
pub(crate) fn confirm(session: &Session, args: &ConfirmArgs) -> Result<u8, Error> {
    #[cfg(feature = "control")]
    let Some(_) = &args.of.state_dir else {
        return live::confirm(session, &args.of.host, &args.why);
    };
    let history = open(session, directory(&args.of))?;
    if !history.confirm_offline()? {
        return Err(Error::NothingOnTrial);
    }
    #[cfg(feature = "control")]
    history.note_offline(
        by(&args.why),
        EntryResult::Confirmed,
        "while the host was not running",
    )?;
    let sets = history.sets()?;
    let present = sets.iter().find(|set| set.steps == 0);
    let present = present.map(|set| builds(&set.builds)).unwrap_or_default();
    session
        .ui
        .result(format_args!("the next start is on {present}"));
    Ok(exit::SUCCESS)
}

/// Releases held sets.
pub(crate) fn unhold(session: &Session, args: &UnholdArgs) -> Result<u8, Error> {
    let history = open(session, &args.state.state_dir)?;
    let count = history.unhold(args.build.as_deref())?;
    let sets = if count == 1 { "set" } else { "sets" };
    let text = format!("{count} {sets} of builds allowed again");
    #[cfg(feature = "control")]
    history.note_offline(by(&args.why), EntryResult::Allowed, &text)?;
    session.ui.result(text);
    Ok(exit::SUCCESS)
}

/// Shows, checks, or copies builds.
pub(crate) fn store(session: &Session, action: &StoreAction) -> Result<u8, Error> {
    match action {
        StoreAction::List(args) => {
            let history = open(session, &args.state_dir)?;
            for set in history.sets()?.iter().rev() {
                session.ui.result(line(set));
            }
            for held in history.held()? {
                let since = ago(held.since);
                let text = format!(
                    "held  {since} ago  {}: {}",
                    builds(&held.builds),
                    held.reason
                );
                session.ui.result(shown::printable(&text));
            }
        }
        StoreAction::Verify(args) => {
            let history = open(session, &args.state_dir)?;
            let damaged = history.verify()?;
            let all = history.builds()?.len();
            for build in &damaged {
                session.ui.result(format_args!("{build} damaged"));
            }
            if !damaged.is_empty() {
                let count = damaged.len();
                return Err(Error::DamagedBuilds { count });
            }
            let are = if all == 1 { "build is" } else { "builds are" };
            session.ui.result(format_args!("{all} {are} whole"));
        }
        StoreAction::Export { state, build, file } => {
            let history = open(session, &state.state_dir)?;
            let (build, bytes) = history.build(build)?;
            let file = session.absolute(file);
            write_new(&file, &bytes)?;
            #[cfg(feature = "sign")]
            if let Some(signature) = signature(&history, build) {
                let beside = hotswap_signature::Signature::path(&file);
                write_new(&beside, signature.text().as_bytes())?;
            }
            session
                .ui
                .result(format_args!("{build} {}", shown::path(&file)));
        }
    }
    Ok(exit::SUCCESS)
}

/// Returns the signature that the host has kept with a build.
#[cfg(feature = "sign")]
fn signature(
    history: &History,
    build: hotswap_host::artifact::BuildId,
) -> Option<hotswap_signature::Signature> {
    let text = String::from_utf8(history.evidence(build)?).ok()?;
    hotswap_signature::Signature::parse(&text).ok()
}

fn line(set: &StoredSet) -> String {
    let steps = match set.steps {
        0 => "now".to_owned(),
        steps => format!("{steps:+}"),
    };
    format!(
        "{steps:<4}  {} ago  {}",
        ago(set.since),
        builds(&set.builds)
    )
}

fn builds(set: &BuildSet) -> String {
    let builds = set
        .iter()
        .map(|(name, build)| format!("{name} {}", build.short()));
    builds.collect::<Vec<_>>().join(", ")
}

fn write_new(file: &Path, bytes: &[u8]) -> Result<(), Error> {
    let created = std::fs::File::create_new(file);
    let written = created.and_then(|mut created| created.write_all(bytes));
    written.map_err(|source| Error::Io {
        action: "write",
        path: file.to_owned(),
        source,
    })
}

/// Returns the time since then, to a precision that suits people.
fn ago(then: SystemTime) -> String {
    length(then.elapsed().unwrap_or_default().as_secs())
}
