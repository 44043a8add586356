//! Refuses, or warns of, what only a finished library shows.

use std::path::{Path, PathBuf};

use cargo_metadata::Package;
use hotswap_host::artifact::{
    self, Artifact, ArtifactError, ArtifactProblem, BuildId, UnloadBlocker,
};

use crate::cargo::Calls;
use crate::ui::shown;
use crate::{Error, settings};

/// Warns of `split-debuginfo = "packed"`: it leaves a file beside the library, and none beside the host's private copy.
pub(super) fn warn_of_packed_debug_information(
    calls: &Calls<'_>,
    plugin: &Package,
    library: &Path,
) {
    let mut packed = library.as_os_str().to_owned();
    packed.push(".dwp");
    let packed = PathBuf::from(packed);
    let changed = |file: &Path| file.metadata().and_then(|found| found.modified()).ok();
    // A file that an earlier build has left is older.
    if changed(&packed).is_some_and(|packed| Some(packed) >= changed(library)) {
        calls.session.ui.warn(format_args!(
            "the debug information of {} is in {}, which debuggers do not find beside the host's private copy: set \
             `split-debuginfo` to \"off\" or \"unpacked\" in the profile, or see hotswap-host/docs/debugging.md",
            plugin.name,
            shown(&packed, &calls.workspace.root)
        ));
    }
}

/// Returns true if the author wants to keep the flag `-z nodelete`. The flag alone does not show that, since a compiler
/// may set it on every library.
pub(super) fn stays_in_memory(plugin: &Package) -> bool {
    let section = plugin.metadata.get("hotswap");
    let wanted = section.and_then(|section| section.get("nodelete"));
    wanted.and_then(serde_json::Value::as_bool).unwrap_or(false)
}

/// Refuses, or warns of, properties that only the finished library shows.
pub(super) fn examine(
    calls: &Calls<'_>,
    plugin: &Package,
    file: &Path,
    bytes: &[u8],
) -> Result<(BuildId, Option<Artifact>), Error> {
    let (build_id, artifact, cautions) = match Artifact::from_bytes(file, bytes) {
        Ok(artifact) => {
            let cautions = artifact::cautions(bytes, &artifact.metadata);
            (artifact.build_id, Some(artifact), cautions)
        }
        // An artifact for another machine cannot be examined here. The configuration may have set the target.
        Err(ArtifactError {
            problem: ArtifactProblem::AnotherMachine { .. },
            ..
        }) => {
            if let Some((origin, remedy)) = settings::find_panic_abort(calls) {
                calls.session.ui.warn(Error::PanicAbort { origin, remedy });
            }
            (BuildId::of(bytes), None, Vec::new())
        }
        Err(ArtifactError {
            problem: ArtifactProblem::PanicAbort { .. },
            ..
        }) => return Err(settings::panic_abort(calls)),
        Err(source) => {
            return Err(Error::NotAPlugin {
                package: plugin.name.to_string(),
                source: Box::new(source),
            });
        }
    };
    let name = &plugin.name;
    for blocker in artifact::unload_blockers(bytes) {
        let consequence = match &blocker {
            UnloadBlocker::Needs { library } if library.starts_with("libstd-") => {
                let origin = settings::find_prefer_dynamic(calls);
                let origin = origin
                    .unwrap_or_else(|| format!("something that makes `{name}` need {library}"));
                return Err(Error::PreferDynamic { origin });
            }
            UnloadBlocker::StaticTls => {
                "no version of it ever leaves memory, and after some dozen reloads no other can be loaded; build what it \
                 links with the default TLS model: mimalloc with its feature `local_dynamic_tls`, jemalloc with \
                 `disable_initial_exec_tls`"
            }
            _ => "no version of it ever leaves memory",
        };
        calls
            .session
            .ui
            .warn(format_args!("{name} {blocker}: {consequence}"));
    }
    for caution in cautions {
        calls.session.ui.warn(format_args!("{name} {caution}"));
    }
    Ok((build_id, artifact))
}
