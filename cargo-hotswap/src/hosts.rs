//! Finds the running hosts of a plugin directory or a plugin, and makes one reload.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use hotswap_host::PluginName;
use hotswap_host::artifact::{self, Artifact};
use hotswap_host::runtime::{self, RunningHost, StoredReport, WaitError};
use hotswap_host::shown::nearest;

use crate::Error;
use crate::session::Session;

/// Returns the running hosts that load their plugins from `directory`.
pub(crate) fn of(directory: &Path) -> Vec<RunningHost> {
    let serves = |host: &RunningHost| host.serves(directory).unwrap_or(false);
    runtime::hosts().into_iter().filter(serves).collect()
}

/// Returns the error that no running host loads its plugins from `directory`, with the directories in which none is
/// looked for.
pub(crate) fn none_of(directory: PathBuf) -> Error {
    Error::NoHostRunning {
        directory,
        refused: runtime::refused(),
    }
}

/// Returns the artifact of a plugin that a running host has loaded, by the plugin's name. Warns if the file is no longer
/// the build that the host runs.
pub(crate) fn artifact_of(session: &Session, name: &str) -> Result<PathBuf, Error> {
    let name = PluginName::from(name);
    let mut found: Vec<(RunningHost, Artifact)> = vec![];
    let mut known = vec![];
    let hosts = runtime::hosts();
    for host in &hosts {
        let files = artifact::find(&host.plugin_dir).unwrap_or_default();
        for artifact in files.iter().filter_map(|file| Artifact::read(file).ok()) {
            match artifact.metadata.name == name {
                true => found.push((host.clone(), artifact)),
                false => known.push(artifact.metadata.name),
            }
        }
    }
    found.dedup_by(|(_, a), (_, b)| a.file == b.file);
    match found.as_slice() {
        [(host, artifact)] => {
            if let Some(running) = running_build(host, &name)
                && running != artifact.build_id.to_string()
            {
                session.ui.warn(format_args!(
                    "the host (pid {}) runs build {running:.8} of {name}, and the file is build {:.8}",
                    host.pid, artifact.build_id
                ));
            }
            Ok(artifact.file.clone())
        }
        [] => Err(Error::NoSuchPlugin {
            hosts: hosts.len(),
            nearest: nearest(name.as_str(), known.iter().map(PluginName::as_str))
                .map(str::to_owned),
            name,
        }),
        many => Err(Error::SeveralHosts {
            files: many
                .iter()
                .map(|(_, artifact)| artifact.file.clone())
                .collect(),
            name,
        }),
    }
}

/// Returns the build of a plugin that a host has last reported, as hexadecimal digits.
fn running_build(host: &RunningHost, name: &PluginName) -> Option<String> {
    let mut builds = running_builds(host).into_iter();
    builds.find_map(|(named, build)| (*name == *named).then_some(build))
}

/// Returns the plugins that a host has last reported, each with its build as hexadecimal digits.
pub(crate) fn running_builds(host: &RunningHost) -> Vec<(String, String)> {
    let report = host.report().and_then(|stored| stored.report);
    let plugins = report.as_ref().and_then(|report| report.get("plugins"));
    let plugins = plugins.and_then(|plugins| plugins.as_array());
    let text = |plugin: &serde_json::Value, field| {
        let text = plugin.get(field).and_then(serde_json::Value::as_str);
        text.map(str::to_owned)
    };
    let builds = plugins.into_iter().flatten();
    let builds = builds.map(|plugin| Some((text(plugin, "name")?, text(plugin, "build_id")?)));
    builds.flatten().collect()
}

/// Warns of hosts that are not reloaded, since the directory with their addresses cannot be trusted.
pub(crate) fn warn_of_unseen(session: &Session) {
    for refused in runtime::refused() {
        if !refused.pids.is_empty() {
            session.ui.warn(refused);
        }
    }
}

/// Makes `host` reload, and returns its report.
///
/// # Errors
/// Returns an error if the host does not listen, ends, or does not answer for as long as `patience`. A refusal by the
/// host is not an error here.
pub(crate) fn reload(
    session: &Session,
    host: &RunningHost,
    patience: Duration,
) -> Result<StoredReport, Error> {
    /// How long it takes at most until an interruption is noticed.
    const SLICE: Duration = Duration::from_millis(100);
    let before = host.report().map(|report| report.attempt);
    host.request_reload().map_err(|source| Error::NotAsked {
        pid: host.pid,
        source,
    })?;
    let started = Instant::now();
    loop {
        session.interrupt.check()?;
        match host.wait_for_attempt(before, SLICE.min(patience)) {
            Ok(report) => return Ok(report),
            Err(WaitError::TimedOut { .. }) if started.elapsed() < patience => {}
            Err(WaitError::TimedOut { pid, stopped, .. }) => {
                return Err(Error::NotAnswered(WaitError::TimedOut {
                    pid,
                    waited: patience,
                    stopped,
                }));
            }
            Err(error) => return Err(Error::NotAnswered(error)),
        }
    }
}
