//! Tests and lints the sources of new builds, where they are at hand.
use super::arrange::Arranged;
use super::candidate::Candidate;
use crate::artifact::{Metadata, SmokeTime, SourceLocation};
use crate::base::name::PluginName;
use crate::error::ReloadError;
use crate::load::Code;
use crate::platform::is_privileged;
use crate::shown;
use crate::swapper::cargo::{CargoCall, End, Task};
use crate::swapper::inner::Inner;
use crate::swapper::plan::Plan;
use crate::swapper::policy::exposure_of;
use crate::swapper::progress::Progress;
use crate::swapper::step::Step;
use std::path::Path;

/// What the sources of the new builds have shown.
#[derive(Default)]
pub(super) struct Checked {
    /// Notes for the report, by plugin.
    pub(super) notes: Vec<(PluginName, String)>,
    /// True if a probe has to run the tests that take longer, in place of those of the sources.
    pub(super) deep: bool,
}

/// A new build.
struct NewBuild<'a> {
    metadata: &'a Metadata,
    /// The place of the sources, or the reason why they are not at hand.
    location: Result<&'a SourceLocation, String>,
}

impl Inner {
    /// Runs Clippy and the tests of all new builds, as the options say. Builds of an earlier time have other sources than
    /// those that are there now, and have been tested.
    ///
    /// # Errors
    /// Cargo fails, or does not end in time.
    pub(super) fn check_sources(
        &self,
        arranged: &Arranged,
        plan: &Plan,
        progress: &mut Progress<'_>,
    ) -> Result<Checked, ReloadError> {
        let (mut checked, options) = (Checked::default(), &plan.options);
        if !options.lint && !options.tests || plan.builds.is_some() {
            return Ok(checked);
        }
        let in_order = arranged.order.iter().map(|name| &arranged.candidates[name]);
        let builds: Vec<_> = in_order.filter_map(NewBuild::of).collect();
        let run = |task: Task| -> Result<(), ReloadError> {
            let end = End::after(options.tests_limit);
            let mut with_sources = builds.iter().filter_map(|build| build.call(task));
            with_sources.try_for_each(|call| call.run(end, &self.interrupt))
        };
        if options.lint && !builds.is_empty() {
            progress.step(Step::Lint, || run(Task::Lint))?;
        }
        if options.tests && !builds.is_empty() {
            progress.step(Step::Test, || run(Task::Test))?;
        }
        for build in &builds {
            let Err(reason) = &build.location else {
                continue;
            };
            let has_deep = build.metadata.smoke_tests(SmokeTime::Deep).next().is_some();
            checked.deep |= options.tests && has_deep;
            let name = &build.metadata.name;
            let mut note = |text: String| checked.notes.push((name.clone(), text));
            if options.lint {
                note(format!("not linted: {reason}"));
            }
            if options.tests && !has_deep {
                note(format!(
                    "not tested: {reason}, and there is no `#[smoke(deep)]` test to run in their place"
                ));
            }
        }
        Ok(checked)
    }
}

impl<'a> NewBuild<'a> {
    /// Returns the build of a candidate, if it is a new one in a file.
    fn of(candidate: &'a Candidate) -> Option<Self> {
        let Candidate::New(opening) = candidate else {
            return None;
        };
        let Code::Library(_) = opening.code else {
            return None;
        };
        let note = opening.artifact.note.as_ref();
        let location = note.and_then(|note| note.location.as_ref());
        let location = location.ok_or_else(|| "the file does not say where its sources are".into());
        Some(NewBuild {
            metadata: &opening.artifact.metadata,
            location: location.and_then(|location| at_hand(location).map(|()| location)),
        })
    }

    fn call(&self, task: Task) -> Option<CargoCall<'_>> {
        Some(CargoCall {
            task,
            plugin: &self.metadata.name,
            package: &self.metadata.crate_name,
            location: *self.location.as_ref().ok()?,
        })
    }
}

/// Returns an error with the reason if the sources are not at hand. They are not if other users could have put them
/// there, because Cargo runs their code.
fn at_hand(location: &SourceLocation) -> Result<(), String> {
    if is_privileged() {
        // Its user would choose the Cargo that it runs.
        return Err("a program with more rights than its user does not run Cargo".into());
    }
    let manifest = Path::new(&location.manifest);
    if !manifest.is_file() || !Path::new(&location.directory).is_dir() {
        return Err("its sources are gone".into());
    }
    let directories = manifest.parent().into_iter();
    let directories = directories.chain([Path::new(&location.directory)]);
    for path in directories.chain([manifest]) {
        if let Some(exposure) = exposure_of(path) {
            return Err(format!(
                "its sources in {} are not used, as that {exposure}",
                shown::path(path)
            ));
        }
    }
    Ok(())
}
