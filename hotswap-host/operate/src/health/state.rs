//! What the monitor knows, and which checks are due.
//!
//! The state is behind one lock. While it is held, nothing of the host or of a plugin is called: see `schedule`.
use super::act::{Act, Incident};
use super::check::{Answer, CheckState};
use super::recovery::{Ladder, Recovery, RecoveryStep};
use super::report::{CheckHealth, HealthReport, PluginHealth, RecoveryHealth};
use super::{HealthLevel, HealthOptions};
use hotswap_host::artifact::BuildId;
use hotswap_host::{Health, HealthChecks, OutOfService, PluginName};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

/// What health is watched.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Subject {
    Host,
    Plugin(PluginName),
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Subject::Host => f.write_str("the host"),
            Subject::Plugin(name) => write!(f, "{name}"),
        }
    }
}

/// A check of the host.
pub(super) type HostCheck = Arc<dyn Fn() -> Result<Health, String> + Send + Sync>;

/// A check, by what it is for and its name.
pub(super) type Key = (Subject, String);

/// A check that is about to run.
pub(super) struct Run {
    pub(super) key: Key,
    /// The number of the run.
    pub(super) id: u64,
    /// The host's own check. Otherwise the plugin has it.
    pub(super) check: Option<HostCheck>,
}

/// What the monitor knows.
#[derive(Default)]
pub(super) struct State {
    pub(super) options: HealthOptions,
    pub(super) options_of: BTreeMap<Subject, HealthOptions>,
    /// What is done about plugins that have no recovery of their own.
    pub(super) recovery: Option<Recovery>,
    pub(super) recovery_of: BTreeMap<PluginName, Recovery>,
    /// The steps that were taken, also of instances that are gone.
    ladders: BTreeMap<PluginName, Ladder>,
    /// The number of steps that have come to an end.
    pub(super) acts: u64,
    /// True while a rollback window is open.
    suspended: bool,
    /// The checks of the host.
    pub(super) host_checks: BTreeMap<Key, HostCheck>,
    subjects: BTreeMap<Subject, Watched>,
    runs: u64,
    /// True once the monitor is to end.
    pub(super) ending: bool,
    /// True if the thread of the monitor has something to look at.
    pub(super) woken: bool,
    /// Grows with each change.
    pub(super) version: u64,
}

/// A live plugin, or the host.
#[derive(Default)]
struct Watched {
    /// The instance of the plugin.
    instance: Option<(BuildId, SystemTime)>,
    out_of_service: Option<String>,
    checks: BTreeMap<String, Check>,
    /// The level of which the log was told.
    told: HealthLevel,
    /// The number of the generation in which the instance was first seen.
    since: u64,
    /// True if it does not do its work, and no rollback window knows of that.
    unreported: bool,
}

#[derive(Default)]
struct Check {
    state: CheckState,
    /// The time from which it is due, or `None` if it is due at once.
    next: Option<Instant>,
    running: Option<Running>,
    /// The number of the last run that has ended or was given up.
    answered: u64,
}

#[derive(Clone, Copy)]
struct Running {
    id: u64,
    since: Instant,
    /// True once it was given up.
    late: bool,
}

/// A change of the level of a subject.
pub(super) struct Change {
    pub(super) subject: Subject,
    pub(super) from: HealthLevel,
    pub(super) to: HealthLevel,
    pub(super) message: String,
}

impl State {
    pub(super) fn options_of(&self, subject: &Subject) -> &HealthOptions {
        self.options_of.get(subject).unwrap_or(&self.options)
    }

    /// Takes over which plugins are live. An instance that is new begins without a past.
    pub(super) fn sync(&mut self, live: &[HealthChecks], out: &[OutOfService]) {
        self.subjects.entry(Subject::Host).or_default();
        let is_live = |subject: &Subject| match subject {
            Subject::Host => true,
            Subject::Plugin(name) => live.iter().any(|plugin| plugin.plugin == *name),
        };
        self.subjects.retain(|subject, _| is_live(subject));
        for plugin in live {
            let subject = Subject::Plugin(plugin.plugin.clone());
            let watched = self.subjects.entry(subject).or_default();
            let instance = Some((plugin.build_id, plugin.loaded_at));
            if watched.instance != instance {
                // Runs of the old instance find no check of their number any more.
                *watched = Watched {
                    instance,
                    since: plugin.generation,
                    ..Watched::default()
                };
                for name in &plugin.names {
                    watched.checks.entry(name.clone()).or_default();
                }
            }
            let out = out.iter().find(|out| out.plugin == plugin.plugin);
            watched.out_of_service = out.map(|out| out.reason.clone());
        }
        for (subject, name) in self.host_checks.keys() {
            if let Some(watched) = self.subjects.get_mut(subject) {
                watched.checks.entry(name.clone()).or_default();
            }
        }
    }

    /// The plugins that were live when the monitor last looked.
    pub(super) fn plugins(&self) -> Vec<PluginName> {
        let plugins = self.subjects.keys().filter_map(|subject| match subject {
            Subject::Plugin(name) => Some(name.clone()),
            Subject::Host => None,
        });
        plugins.collect()
    }

    /// Returns true if there is a check of this name.
    pub(super) fn has(&self, (subject, name): &Key) -> bool {
        let watched = self.subjects.get(subject);
        let own = watched.is_some_and(|watched| watched.checks.contains_key(name));
        own || self
            .host_checks
            .contains_key(&(subject.clone(), name.clone()))
    }

    /// Gives up the checks that have not returned in time, and counts those again that were given up before.
    pub(super) fn give_up_late(&mut self, now: Instant) {
        for (subject, watched) in &mut self.subjects {
            let options = self.options_of.get(subject).unwrap_or(&self.options);
            for check in watched.checks.values_mut() {
                let Some(running) = &mut check.running else {
                    continue;
                };
                let since = now.saturating_duration_since(running.since);
                let again = running.late && check.next.is_none_or(|next| next <= now);
                if since < options.limit || (running.late && !again) {
                    continue;
                }
                running.late = true;
                check.next = Some(now + options.interval);
                // Being given up once more counts as a run.
                self.runs += 1;
                check.answered = self.runs;
                let message = format!("it has not returned for {since:.1?}");
                check.state.answered(Answer::Failed(message), None, options);
            }
        }
    }

    /// Begins the checks that are due.
    pub(super) fn begin_due(&mut self, now: Instant) -> Vec<Run> {
        let mut due = Vec::new();
        for (subject, watched) in &mut self.subjects {
            let options = self.options_of.get(subject).unwrap_or(&self.options);
            for (name, check) in &mut watched.checks {
                let waits = check.next.is_some_and(|next| next > now);
                if waits || check.running.is_some() {
                    continue;
                }
                self.runs += 1;
                check.running = Some(Running {
                    id: self.runs,
                    since: now,
                    late: false,
                });
                check.next = Some(now + options.interval);
                let key = (subject.clone(), name.clone());
                due.push(Run {
                    id: self.runs,
                    check: self.host_checks.get(&key).cloned(),
                    key,
                });
            }
        }
        due
    }

    /// Notes how a run has ended. `None` says that it could not be made, which says nothing. A run that was given up, and
    /// one of an instance that is gone, says nothing either.
    pub(super) fn ended(&mut self, key: &Key, id: u64, answer: Option<Answer>, took: Duration) {
        let options = self.options_of(&key.0).clone();
        let watched = self.subjects.get_mut(&key.0);
        let Some(check) = watched.and_then(|watched| watched.checks.get_mut(&key.1)) else {
            return;
        };
        let Some(running) = check.running.filter(|running| running.id == id) else {
            return;
        };
        check.running = None;
        if running.late {
            return;
        }
        check.answered = id;
        if let Some(answer) = answer {
            check.state.answered(answer, Some(took), &options);
        }
    }

    /// Makes the checks of a subject, or of all, due at once. Returns them, and the number of the last run so far.
    pub(super) fn make_due(&mut self, of: Option<&Subject>) -> (Vec<Key>, u64) {
        let mut due = Vec::new();
        for (subject, watched) in &mut self.subjects {
            if of.is_some_and(|of| of != subject) {
                continue;
            }
            for (name, check) in &mut watched.checks {
                check.next = None;
                due.push((subject.clone(), name.clone()));
            }
        }
        (due, self.runs)
    }

    /// Returns true if a later run of each of these checks has ended or was given up, or the check is gone.
    pub(super) fn have_answered(&self, checks: &[Key], before: u64) -> bool {
        checks.iter().all(|(subject, name)| {
            let watched = self.subjects.get(subject);
            let check = watched.and_then(|watched| watched.checks.get(name));
            check.is_none_or(|check| check.answered > before)
        })
    }

    /// The time until something is due.
    pub(super) fn idle_for(&self, now: Instant) -> Option<Duration> {
        let mut soonest: Option<Instant> = None;
        for (subject, watched) in &self.subjects {
            let limit = self.options_of(subject).limit;
            for check in watched.checks.values() {
                let next = match check.running {
                    Some(running) if !running.late => Some(running.since + limit),
                    _ => check.next,
                };
                let next = next.unwrap_or(now);
                soonest = Some(soonest.map_or(next, |soonest| soonest.min(next)));
            }
        }
        soonest.map(|next| next.saturating_duration_since(now))
    }

    pub(super) fn recovery_of(&self, plugin: &PluginName) -> Option<&Recovery> {
        self.recovery_of.get(plugin).or(self.recovery.as_ref())
    }

    /// Returns the steps that are to be taken now. While a rollback window is open, there are none.
    pub(super) fn begin_steps(&mut self, suspended: bool, now: Instant) -> Vec<Act> {
        self.suspended = suspended;
        let mut acts = Vec::new();
        for (subject, watched) in &self.subjects {
            let (Subject::Plugin(plugin), Some((build, _))) = (subject, watched.instance) else {
                continue;
            };
            let own = self.recovery_of.get(plugin);
            let Some(policy) = own.or(self.recovery.as_ref()) else {
                continue;
            };
            let (level, message) = watched.worst_check();
            let ladder = self.ladders.entry(plugin.clone()).or_default();
            let is_out = watched.out_of_service.is_some();
            if let Some(action) = ladder.step(policy, level, build, is_out, suspended, now) {
                acts.push(Act {
                    action,
                    policy: policy.clone(),
                    incident: Incident {
                        plugin: plugin.clone(),
                        level,
                        message,
                        steps: ladder.steps.clone(),
                    },
                });
            }
        }
        acts
    }

    /// Notes a step of a recovery that goes on.
    pub(super) fn note_step(&mut self, plugin: &PluginName, step: Option<RecoveryStep>) {
        if let Some(ladder) = self.ladders.get_mut(plugin) {
            ladder.steps.extend(step);
        }
    }

    /// Notes what came of a step, and which build is live now. `None` says that there was no thread for it.
    pub(super) fn acted(
        &mut self,
        plugin: &PluginName,
        policy: &Recovery,
        done: Option<(Option<RecoveryStep>, Option<BuildId>)>,
        now: Instant,
    ) {
        self.acts += 1;
        if let Some(ladder) = self.ladders.get_mut(plugin) {
            let (step, build) = done.unwrap_or_default();
            ladder.acted(policy, step, build, now);
        }
    }

    /// Returns the changes of levels since this was last asked, and what to report to the rollback window of this generation,
    /// if one is open.
    ///
    /// A generation is live before its window is open. What fails in between is reported as soon as the window is there.
    pub(super) fn changes(&mut self, window: Option<u64>) -> (Vec<Change>, Vec<String>) {
        let (mut changes, mut failures) = (Vec::new(), Vec::new());
        for (subject, watched) in &mut self.subjects {
            let (level, message) = watched.verdict();
            let is_new = level.is_bad() && !watched.told.is_bad();
            watched.unreported = level.is_bad() && (watched.unreported || is_new);
            let counts = window.is_some_and(|window| match is_new {
                // The window of an earlier reload does not get it.
                true => window >= watched.since,
                false => window == watched.since,
            });
            if watched.unreported && counts {
                watched.unreported = false;
                failures.push(format!("{subject} is {level}: {message}"));
            }
            if level != watched.told {
                changes.push(Change {
                    subject: subject.clone(),
                    from: watched.told,
                    to: level,
                    message,
                });
                watched.told = level;
            }
        }
        (changes, failures)
    }

    fn recovery_health(&self, plugin: &PluginName) -> Option<RecoveryHealth> {
        let (policy, ladder) = (self.recovery_of(plugin)?, self.ladders.get(plugin));
        Some(RecoveryHealth {
            steps: ladder.map_or_else(Vec::new, |ladder| ladder.steps.clone()),
            suspended: self.suspended,
            exhausted: ladder.is_some_and(|ladder| ladder.is_exhausted(policy)),
        })
    }

    pub(super) fn report(&self, now: Instant) -> HealthReport {
        let (mut plugins, mut host) = (Vec::new(), Vec::new());
        for (subject, watched) in &self.subjects {
            let checks = watched.checks.iter();
            let checks = checks.map(|(name, check)| check.health(name, now));
            match (subject, watched.instance) {
                (Subject::Plugin(name), Some((build_id, _))) => {
                    let (level, message) = watched.verdict();
                    plugins.push(PluginHealth {
                        plugin: name.clone(),
                        build_id,
                        level,
                        message,
                        out_of_service: watched.out_of_service.clone(),
                        checks: checks.collect(),
                        recovery: self.recovery_health(name),
                    });
                }
                _ => host = checks.collect(),
            }
        }
        HealthReport::of(plugins, host)
    }
}

impl Watched {
    /// The level, with the reason.
    fn verdict(&self) -> (HealthLevel, String) {
        if let Some(reason) = &self.out_of_service {
            let message = format!("it is out of service: {reason}");
            return (HealthLevel::Critical, message);
        }
        self.worst_check()
    }

    fn worst_check(&self) -> (HealthLevel, String) {
        // The first one of those with the worst level.
        let worst = self
            .checks
            .iter()
            .rev()
            .max_by_key(|(_, check)| check.state.level);
        match worst.map(|(name, check)| (name, &check.state)) {
            Some((name, state)) if state.level != HealthLevel::Healthy => {
                (state.level, format!("{name}: {}", state.message))
            }
            _ => (HealthLevel::Healthy, String::new()),
        }
    }
}

impl Check {
    fn health(&self, name: &str, now: Instant) -> CheckHealth {
        let state = &self.state;
        let running = self.running.map(|running| running.since);
        CheckHealth {
            name: name.to_owned(),
            level: state.level,
            message: state.message.clone(),
            last_check: state.last_check,
            consecutive_failures: state.failures,
            response_time: state.response_time,
            running_for: running.map(|since| now.saturating_duration_since(since)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the state in which an instance was first seen in this generation, and does not do its work now.
    fn bad_since(generation: u64) -> State {
        let watched = Watched {
            out_of_service: Some("a walk".into()),
            since: generation,
            ..Watched::default()
        };
        State {
            subjects: [(Subject::Plugin("alpha".into()), watched)].into(),
            ..State::default()
        }
    }

    const FAILURE: &str = "alpha is critical: it is out of service: a walk";

    #[test]
    fn a_new_instance_that_fails_before_its_window_is_open_is_reported_to_it_once() {
        let mut state = bad_since(3);
        // There is no window, and then that of the reload before.
        for window in [None, Some(2), None] {
            assert!(state.changes(window).1.is_empty());
        }
        assert_eq!(state.changes(Some(3)).1, [FAILURE]);
        assert!(state.changes(Some(3)).1.is_empty());
    }

    #[test]
    fn what_failed_before_a_reload_is_not_reported_to_its_window() {
        let mut state = bad_since(1);
        assert_eq!(state.changes(None).0.len(), 1);
        assert!(state.changes(Some(2)).1.is_empty());
    }

    #[test]
    fn what_fails_in_a_window_is_reported_to_it() {
        assert_eq!(bad_since(1).changes(Some(2)).1, [FAILURE]);
    }
}
