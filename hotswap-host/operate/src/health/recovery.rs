//! [`Recovery`], which says what is done about a plugin that does not do its work, and the ladder of one plugin.
//!
//! A ladder has a bounded number of rungs, and each is longer apart from the one before. It only begins anew once the
//! plugin has been well for a while, has another build, or was put back into service by hand. So nothing flaps.
use super::{HealthError, HealthLevel};
use hotswap_host::artifact::BuildId;
use serde::Serialize;
use std::fmt;
use std::time::{Duration, Instant};

/// What is done about a plugin that is unhealthy or critical, in the order of the fields. Each step follows if the plugin is
/// still, or again, unhealthy after the one before.
///
/// ```
/// use hotswap_operate::{Recovery, RollBack};
///
/// let mut recovery = Recovery::default();
/// recovery.restarts = 1;
/// recovery.roll_back = RollBack::ToTheBuildBefore;
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Recovery {
    /// The number of [restarts](hotswap_host::Swapper::restart). By default, there are three.
    pub restarts: u32,
    /// The build that takes its place then. By default, none does.
    pub roll_back: RollBack,
    /// Then it is [taken out of service](hotswap_host::Swapper::take_out_of_service), until it is put back by hand. By
    /// default, it is.
    pub out_of_service: bool,
    /// Then the host is [told](crate::HealthMonitorBuilder::tell). By default, it is.
    pub tell: bool,
    /// The shortest time between the first action and the second one. It doubles with each action. By default, it is one
    /// second.
    pub backoff: Duration,
    /// The longest of these times. By default, it is one minute.
    pub longest_backoff: Duration,
    /// The time after which a plugin that is neither unhealthy nor critical has recovered, and the next fault begins with the
    /// first step again. By default, it is ten minutes.
    pub steady_after: Duration,
}

/// The build that takes the place of one that restarts do not help.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum RollBack {
    /// None does.
    #[default]
    Never,
    /// The last other build that was permanent. This needs the [history](crate::HealthMonitorBuilder::history) of the host.
    ToTheBuildBefore,
    /// The build whose id begins with these digits, from the store of the [history](crate::HealthMonitorBuilder::history).
    To(String),
}

impl Default for Recovery {
    fn default() -> Self {
        Recovery {
            restarts: 3,
            roll_back: RollBack::Never,
            out_of_service: true,
            tell: true,
            backoff: Duration::from_secs(1),
            longest_backoff: Duration::from_secs(60),
            steady_after: Duration::from_secs(600),
        }
    }
}

impl Recovery {
    /// Checks the times.
    ///
    /// # Errors
    /// With them, a plugin would flap. The error says what to write.
    pub(super) fn validate(&self, of: &str) -> Result<(), HealthError> {
        let wrong = |problem: String| {
            Err(HealthError::Recovery {
                of: of.to_owned(),
                problem,
            })
        };
        if self.backoff.is_zero() {
            return wrong(
                "`backoff` is zero, and the actions would follow each other at once; set it to a time such as 1 s".into(),
            );
        }
        if self.longest_backoff < self.backoff {
            let (longest, first) = (self.longest_backoff, self.backoff);
            return wrong(format!(
                "`longest_backoff` ({longest:?}) is less than `backoff` ({first:?}); set it to {first:?} at least"
            ));
        }
        if self.steady_after < self.backoff {
            let (steady, first) = (self.steady_after, self.backoff);
            return wrong(format!(
                "`steady_after` ({steady:?}) is less than `backoff` ({first:?}), and the first step would be repeated for ever; \
                 set it to more than {first:?}"
            ));
        }
        Ok(())
    }
}

/// A step of a recovery.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RecoveryAction {
    /// A new instance of the same build.
    Restart,
    /// Another build.
    Rollback,
    /// It is taken out of service.
    OutOfService,
    /// The host is told.
    Tell,
}

impl fmt::Display for RecoveryAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            RecoveryAction::Restart => "restart",
            RecoveryAction::Rollback => "rollback",
            RecoveryAction::OutOfService => "out of service",
            RecoveryAction::Tell => "the host was told",
        })
    }
}

/// A step of a recovery that was taken, with what came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct RecoveryStep {
    /// The step.
    pub action: RecoveryAction,
    /// The reason.
    pub reason: String,
    /// The error, if it failed.
    pub error: Option<String>,
}

impl fmt::Display for RecoveryStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, because {}", self.action, self.reason)?;
        match &self.error {
            None => Ok(()),
            Some(error) => write!(f, " (failed: {error})"),
        }
    }
}

/// The recovery of one plugin.
#[derive(Debug, Default)]
pub(super) struct Ladder {
    /// The build for which the steps count.
    build: Option<BuildId>,
    pub(super) steps: Vec<RecoveryStep>,
    /// No action begins before this.
    not_before: Option<Instant>,
    /// The time since which the plugin is not unhealthy, if it is not.
    well_since: Option<Instant>,
    /// True while an action is being carried out.
    acting: bool,
}

impl Ladder {
    fn count(&self, action: RecoveryAction) -> u32 {
        let steps = self.steps.iter().filter(|step| step.action == action);
        steps.count().try_into().unwrap_or(u32::MAX)
    }

    /// True if a step has taken the plugin out of service.
    fn has_taken_out(&self) -> bool {
        let mut steps = self.steps.iter();
        steps.any(|step| step.action == RecoveryAction::OutOfService && step.error.is_none())
    }

    /// The next step of this policy, if one is left.
    fn rung(&self, policy: &Recovery) -> Option<RecoveryAction> {
        use RecoveryAction::{OutOfService, Restart, Rollback, Tell};
        let left = |action, wanted: bool| wanted && self.count(action) == 0;
        match () {
            // What is out of service is out until somebody has put it back.
            () if self.count(Tell) > 0 => None,
            () if self.count(OutOfService) > 0 => left(Tell, policy.tell).then_some(Tell),
            () if self.count(Restart) < policy.restarts && self.count(Rollback) == 0 => {
                Some(Restart)
            }
            () if left(Rollback, policy.roll_back != RollBack::Never) => Some(Rollback),
            () if left(OutOfService, policy.out_of_service) => Some(OutOfService),
            () => left(Tell, policy.tell).then_some(Tell),
        }
    }

    /// Takes over how the plugin does. Returns the action that begins now.
    pub(super) fn step(
        &mut self,
        policy: &Recovery,
        level: HealthLevel,
        build: BuildId,
        is_out: bool,
        suspended: bool,
        now: Instant,
    ) -> Option<RecoveryAction> {
        if self.acting {
            return None;
        }
        let is_another = self.build.is_some_and(|known| known != build);
        if is_another || (self.has_taken_out() && !is_out) {
            *self = Ladder::default();
        }
        self.build = Some(build);
        if !level.is_bad() {
            let since = *self.well_since.get_or_insert(now);
            let steady = now.saturating_duration_since(since) >= policy.steady_after;
            if steady && !is_out {
                self.steps.clear();
                self.not_before = None;
            }
            return None;
        }
        self.well_since = None;
        // What an operator has taken out of service is theirs.
        if is_out && !self.has_taken_out() {
            return None;
        }
        let waits = self.not_before.is_some_and(|at| at > now);
        let action = self.rung(policy).filter(|_| !waits && !suspended)?;
        self.acting = true;
        Some(action)
    }

    /// Notes what came of an action. `None` says that it could not begin, and is tried again. `build` is the one that is live
    /// now.
    pub(super) fn acted(
        &mut self,
        policy: &Recovery,
        step: Option<RecoveryStep>,
        build: Option<BuildId>,
        now: Instant,
    ) {
        self.acting = false;
        self.build = build;
        self.steps.extend(step);
        let doublings = self.steps.len().saturating_sub(1).min(30) as u32;
        let pause = policy.backoff.saturating_mul(1 << doublings);
        self.not_before = Some(now + pause.min(policy.longest_backoff));
    }

    /// True if no step is left.
    pub(super) fn is_exhausted(&self, policy: &Recovery) -> bool {
        self.rung(policy).is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use HealthLevel::{Degraded, Unhealthy};
    use RecoveryAction::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn policy() -> Recovery {
        Recovery {
            restarts: 2,
            roll_back: RollBack::ToTheBuildBefore,
            ..Recovery::default()
        }
    }

    /// Lets a plugin fail for ever, and returns the actions with their times in seconds.
    fn story(
        ladder: &mut Ladder,
        policy: &Recovery,
        is_out: &mut bool,
    ) -> Vec<(u64, RecoveryAction)> {
        let (begin, build) = (Instant::now(), BuildId::of(b"build"));
        let mut story = Vec::new();
        for second in 0..1000 {
            let now = begin + second * SECOND;
            let action = ladder.step(policy, Unhealthy, build, *is_out, false, now);
            if let Some(action) = action {
                *is_out |= action == OutOfService;
                let step = RecoveryStep {
                    action,
                    reason: "it is".into(),
                    error: None,
                };
                ladder.acted(policy, Some(step), Some(build), now);
                story.push((u64::from(second), action));
            }
        }
        story
    }

    #[test]
    fn a_fault_that_never_ends_has_bounded_actions_further_and_further_apart() {
        let (mut ladder, mut is_out) = (Ladder::default(), false);
        let story = story(&mut ladder, &policy(), &mut is_out);
        let expected = [
            (0, Restart),
            (1, Restart),
            (3, Rollback),
            (7, OutOfService),
            (15, Tell),
        ];
        assert_eq!(story, expected);
        assert!(ladder.is_exhausted(&policy()));
    }

    #[test]
    fn it_begins_anew_when_it_was_put_back_or_has_another_build() {
        let (mut ladder, mut is_out) = (Ladder::default(), false);
        let first = story(&mut ladder, &policy(), &mut is_out);
        is_out = false;
        assert_eq!(story(&mut ladder, &policy(), &mut is_out), first);
        // Its steps include that it was taken out, and it has another build now.
        let (now, other) = (Instant::now(), BuildId::of(b"other"));
        let action = ladder.step(&policy(), Unhealthy, other, false, false, now);
        assert_eq!(action, Some(Restart));
    }

    #[test]
    fn what_an_operator_has_taken_out_is_left_alone() {
        let (now, build) = (Instant::now(), BuildId::of(b"build"));
        let mut ladder = Ladder::default();
        let out = ladder.step(&policy(), Unhealthy, build, true, false, now);
        assert_eq!(out, None);
        let back = ladder.step(&policy(), Unhealthy, build, false, false, now);
        assert_eq!(back, Some(Restart));
    }

    #[test]
    fn only_a_plugin_that_was_well_for_long_begins_anew() {
        let (now, build) = (Instant::now(), BuildId::of(b"build"));
        let (policy, mut ladder) = (policy(), Ladder::default());
        let mut step = |level, at| {
            let action = ladder.step(&policy, level, build, false, false, at);
            if let Some(action) = action {
                let step = RecoveryStep {
                    action,
                    reason: String::new(),
                    error: None,
                };
                ladder.acted(&policy, Some(step), Some(build), at);
            }
            action
        };
        assert_eq!(step(Unhealthy, now), Some(Restart));
        assert_eq!(step(Degraded, now + 5 * SECOND), None);
        assert_eq!(step(Unhealthy, now + 100 * SECOND), Some(Restart));
        assert_eq!(step(Degraded, now + 101 * SECOND), None);
        assert_eq!(step(Degraded, now + 701 * SECOND), None);
        assert_eq!(step(Unhealthy, now + 702 * SECOND), Some(Restart));
        assert_eq!(step(Unhealthy, now + 800 * SECOND), Some(Restart));
        assert_eq!(step(Unhealthy, now + 900 * SECOND), Some(Rollback));
    }

    #[test]
    fn nothing_begins_while_it_is_suspended() {
        let (now, build) = (Instant::now(), BuildId::of(b"build"));
        let mut ladder = Ladder::default();
        let suspended = ladder.step(&policy(), Unhealthy, build, false, true, now);
        assert_eq!(suspended, None);
        let action = ladder.step(&policy(), Unhealthy, build, false, false, now);
        assert_eq!(action, Some(Restart));
    }
}
