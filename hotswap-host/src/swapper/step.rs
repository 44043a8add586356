//! The steps of a reload.
use crate::base::seconds::seconds;
use serde::Serialize;
use std::fmt;
use std::time::Duration;

/// A step of a reload, in the order of the steps. [`ReloadOptions`](crate::ReloadOptions) says which of them run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Step {
    /// The files are read, and what they say is compared with the live generation.
    Validate,
    /// Clippy looks at the sources of the new builds.
    Lint,
    /// Cargo runs the tests of the new builds.
    Test,
    /// A child process loads the new generation, and runs its hooks and smoke tests.
    Probe,
    /// The new plugins are loaded, constructed, and initialised beside the live ones.
    Stage,
    /// The smoke tests run on a copy of the new generation that is thrown away.
    Smoke,
    /// The checks of the host see both generations.
    Check,
    /// Calls of the plugins that are about to be replaced wait, and the running ones finish. State is handed over.
    Drain,
    /// The new generation becomes live. This step cannot fail.
    Switch,
    /// The new instances run `on_start`.
    Start,
    /// The new generation is live, and the previous one is kept beside it.
    Watch,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Step::Validate => "validate",
            Step::Lint => "lint",
            Step::Test => "test",
            Step::Probe => "probe",
            Step::Stage => "stage",
            Step::Smoke => "smoke",
            Step::Check => "check",
            Step::Drain => "drain",
            Step::Switch => "switch",
            Step::Start => "start",
            Step::Watch => "watch",
        })
    }
}

/// A step that has ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct StepReport {
    /// The step.
    pub step: Step,
    /// The duration of the step, in seconds when serialised.
    #[serde(serialize_with = "seconds")]
    pub took: Duration,
    /// True if the step refused the reload.
    pub failed: bool,
}

/// For example, `smoke took 1.2ms`.
impl fmt::Display for StepReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verb = if self.failed { "failed after" } else { "took" };
        write!(f, "{} {verb} {:.1?}", self.step, self.took)
    }
}
