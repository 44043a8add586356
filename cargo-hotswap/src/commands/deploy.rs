//! `cargo hotswap deploy`: the same builds for several hosts, one after the other, or for none of them.
//!
//! First, every host gets the builds and says what it would do with them, while nothing changes. Then each host in turn
//! makes them live, and has to be healthy for a while before the next one begins. At the first failure, those that
//! have the builds go back to what they ran before.

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use hotswap_control::Client;
use hotswap_control::api::{DeployRequest, RollbackRequest, SignedManifest, Status};
use serde::Serialize;

use crate::Error;
use crate::asked::{Asked, Ended};
use crate::chosen::{client, shown_process};
use crate::cli::{DeployArgs, HostArgs};
use crate::error::exit;
use crate::session::Session;
use crate::to_deploy::{Build, read, read_manifest, upload};

/// The time that a window is longer than a host has to be healthy.
const SPARE: Duration = Duration::from_secs(30);
/// How long an attempt is waited for after an interruption.
const PATIENCE: Duration = Duration::from_secs(30);
/// The time between two looks at it.
const PAUSE: Duration = Duration::from_millis(100);

/// A host that gets the builds.
struct Host {
    name: String,
    client: Client,
    told: Told,
}

/// The outcome on one host, as JSON.
#[derive(Clone, Serialize)]
struct Told {
    host: String,
    /// `checked`, `permanent`, `unchanged`, `reverted`, `refused`, `failed`, `rolled_back`, `not_rolled_back`, or `untouched`.
    result: String,
    text: String,
}

/// The reason why a deployment stops.
struct Failed {
    reason: String,
    code: u8,
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        let mut reason = error.to_string();
        let mut cause = std::error::Error::source(&error);
        while let Some(error) = cause {
            reason += &format!(": {error}");
            cause = error.source();
        }
        Failed {
            reason,
            code: error.exit_code(),
        }
    }
}

/// Deploys the builds.
pub(crate) fn execute(session: &Session, args: &DeployArgs) -> Result<u8, Error> {
    let builds = read(session, &args.artifacts)?;
    let manifest = args.manifest.as_deref();
    let manifest = manifest.map(|file| read_manifest(session, file));
    let deployment = Deployment {
        session,
        args,
        builds: &builds,
        manifest: manifest.transpose()?,
        id: args
            .why
            .deployment
            .clone()
            .map_or_else(new_id, String::from),
    };
    let mut hosts = deployment.hosts()?;
    let ended = deployment.run(&mut hosts);
    let error = ended.as_ref().err();
    if args.json {
        let told: Vec<_> = hosts.iter().map(|host| &host.told).collect();
        let listed = builds.iter().map(|it| (&it.plugin, &it.build));
        session.ui.json(&serde_json::json!({
            "deployment": deployment.id,
            "builds": listed.collect::<std::collections::BTreeMap<_, _>>(),
            "deployed": error.is_none() && !args.dry_run,
            "hosts": told,
            "error": error.map(ToString::to_string),
        }));
    } else if error.is_none() && !args.dry_run {
        let count = hosts.len();
        let noun = if count == 1 { "host" } else { "hosts" };
        session
            .ui
            .status("Deployed", format_args!("to {count} {noun}"));
    }
    ended.map(|()| exit::SUCCESS)
}

/// Returns an id for a deployment that was given none.
fn new_id() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let seconds = now.unwrap_or_default().as_secs();
    format!("deploy-{seconds}-{}", std::process::id())
}

struct Deployment<'a> {
    session: &'a Session,
    args: &'a DeployArgs,
    builds: &'a [Build],
    manifest: Option<SignedManifest>,
    id: String,
}

impl Deployment<'_> {
    /// Finds the hosts. All of them have to be there before anything begins.
    fn hosts(&self) -> Result<Vec<Host>, Error> {
        let host = |named: Option<&String>| {
            let host = HostArgs {
                host: named.cloned(),
                #[cfg(feature = "tls")]
                remote: self.args.remote.clone(),
            };
            let client = client(self.session, &host)?;
            let status = client.status()?;
            let shown = || shown_process(Path::new(&status.host.executable), status.host.pid);
            let name = named.cloned().unwrap_or_else(shown);
            Ok(Host {
                told: Told {
                    host: name.clone(),
                    result: "untouched".into(),
                    text: String::new(),
                },
                name,
                client,
            })
        };
        match self.args.hosts.as_slice() {
            [] => Ok(vec![host(None)?]),
            hosts => hosts.iter().map(|named| host(Some(named))).collect(),
        }
    }

    fn run(&self, hosts: &mut [Host]) -> Result<(), Error> {
        let mut at = 0;
        let ended = self.check_and_deploy(hosts, &mut at);
        let Err(failed) = ended else {
            return Ok(());
        };
        let (done, rest) = hosts.split_at_mut(at);
        let host = rest[0].name.clone();
        let reason = failed.reason.clone();
        if rest[0].told.result == "untouched" {
            rest[0].told.result = "failed".into();
            rest[0].told.text.clone_from(&reason);
        }
        let why = format!(
            "the deployment has failed on {host}: {}",
            first_line(&reason)
        );
        let mut left = Vec::new();
        for host in done
            .iter_mut()
            .rev()
            .filter(|it| it.told.result == "permanent")
        {
            let back = self.go_back(host, &why);
            let (result, text) = match back {
                Ok(text) => ("rolled_back", text),
                Err(error) => {
                    let text = Failed::from(error).reason;
                    left.push(format!("{}: {text}", host.name));
                    ("not_rolled_back", text)
                }
            };
            host.told.result = result.into();
            host.told.text = text;
        }
        Err(Error::DeployFailed {
            host,
            reason,
            code: if left.is_empty() {
                failed.code
            } else {
                exit::MIXED
            },
            left,
        })
    }

    /// Checks all hosts, and then deploys to one after the other. `at` is the number of the host that is being asked.
    fn check_and_deploy(&self, hosts: &mut [Host], at: &mut usize) -> Result<(), Failed> {
        let mut requests = Vec::new();
        for (number, host) in hosts.iter_mut().enumerate() {
            *at = number;
            requests.push(self.prepare(host)?);
        }
        if self.args.dry_run {
            return Ok(());
        }
        for (number, (host, request)) in hosts.iter_mut().zip(requests).enumerate() {
            *at = number;
            self.deploy(host, request)?;
        }
        Ok(())
    }

    /// Sends the builds to a host, and asks what it would do with them.
    fn prepare(&self, host: &mut Host) -> Result<DeployRequest, Failed> {
        let ui = &self.session.ui;
        let status = host.client.status().map_err(Error::from)?;
        let stands_in_the_way = match (&status.frozen, &status.window) {
            (Some(frozen), _) => Some(format!("it refuses all changes: {}", frozen.reason)),
            (None, Some(_)) => {
                Some("its last reload can still be reverted; confirm it, or wait".into())
            }
            (None, None) => None,
        };
        if let Some(reason) = stands_in_the_way {
            let code = exit::FAILURE;
            return Err(Failed { reason, code });
        }
        let mut request = DeployRequest::default();
        for build in self.builds {
            let sent = upload(self.session, &host.client, build, &host.name)?;
            request.builds.push(sent);
        }
        request.options = self.options();
        request.force = self.args.force;
        request.manifest.clone_from(&self.manifest);
        request.reason.clone_from(&self.args.why.reason);
        request.deployment = self.id.parse().ok();
        let verdict = host.client.check_deploy(&request).map_err(Error::from)?;
        if verdict.is_breaking() && !self.args.allow_breaking {
            return Err(Failed {
                reason: format!("it would break something\n{}", verdict.text),
                code: exit::FAILURE,
            });
        }
        ui.info("Checked", &host.name);
        if self.args.dry_run {
            host.told.result = "checked".into();
            host.told.text.clone_from(&verdict.text);
            if !self.args.json {
                ui.result(format_args!("{}: {}", host.name, verdict.text));
            }
        }
        Ok(request)
    }

    /// Returns the options of the pipeline: those of the command line, and a rollback window as long as is watched.
    fn options(&self) -> std::collections::BTreeMap<String, serde_json::Value> {
        let watch = self.args.watch;
        let deadline = if watch.is_zero() {
            watch
        } else {
            watch + SPARE
        };
        let seconds = |time: Duration| time.as_secs_f64().to_string();
        let mut options = std::collections::BTreeMap::from([
            ("min_healthy_time".to_owned(), seconds(watch).into()),
            ("healthy_deadline".to_owned(), seconds(deadline).into()),
        ]);
        let given = self.args.pipeline.0.iter();
        options.extend(given.map(|(name, value)| (name.clone(), value.as_str().into())));
        options
    }

    /// Makes the builds live in a host, and waits until they are permanent.
    fn deploy(&self, host: &mut Host, request: DeployRequest) -> Result<(), Failed> {
        self.session
            .ui
            .info("Deploying", format_args!("to {}", host.name));
        let asked = Asked {
            deploy: Some(request),
            is_silent: self.args.json,
            ..Asked::default()
        };
        let outcome = match asked.outcome_by(self.session, &host.client) {
            Ok(outcome) => outcome,
            Err(error) => {
                if let Error::Interrupted { .. } = error {
                    self.take_back(host);
                }
                return Err(error.into());
            }
        };
        host.told.result.clone_from(&outcome.result);
        host.told.text.clone_from(&outcome.text);
        let code = match outcome.ended {
            Ended::Well => exit::SUCCESS,
            Ended::NotPermanent => exit::NOT_PERMANENT,
            Ended::Breaking | Ended::Refused(_) => exit::FAILURE,
        };
        if code != exit::SUCCESS {
            return Err(Failed {
                reason: outcome.text,
                code,
            });
        }
        // A plugin that the host can do without may have stayed as it was.
        let status = host.client.status().map_err(Error::from)?;
        match self.other_than_deployed(&status) {
            None => Ok(()),
            Some(plugin) => {
                if outcome.result == "permanent" {
                    let back = self.back("not all of the builds became live");
                    host.client.rollback(&back).map_err(Error::from)?;
                    host.told.result = "rolled_back".into();
                }
                Err(Failed {
                    reason: format!(
                        "it does not run the deployed build of {plugin}: {}",
                        outcome.text
                    ),
                    code: exit::NOT_PERMANENT,
                })
            }
        }
    }

    /// Returns a plugin of which a host runs another build.
    fn other_than_deployed(&self, status: &Status) -> Option<&str> {
        let runs = |build: &&Build| {
            let mut plugins = status.plugins.iter();
            plugins.any(|it| it.name == build.plugin && it.build_id == build.build)
        };
        let other = self.builds.iter().find(|build| !runs(build))?;
        Some(&other.plugin)
    }

    /// Takes back what a host has begun, once its attempt to make the builds live has ended.
    fn take_back(&self, host: &mut Host) {
        let began = Instant::now();
        let is_changed = loop {
            let Ok(status) = host.client.status() else {
                return;
            };
            let last = status.last_attempt.as_ref();
            if last.is_some_and(|last| last.cause.contains(&self.id)) {
                // If it has failed, the host runs what it ran before.
                break last.is_some_and(|last| last.ok) && status.window.is_some();
            }
            if began.elapsed() > PATIENCE {
                let name = &host.name;
                self.session.ui.warn(format_args!(
                    "{name} goes on with the deployment by its own rules"
                ));
                return;
            }
            thread::sleep(PAUSE);
        };
        let back = self.back("the deployment was stopped");
        if is_changed && let Err(error) = host.client.rollback(&back) {
            let name = &host.name;
            self.session
                .ui
                .warn(format_args!("{name} was not rolled back: {error}"));
        }
    }

    fn back(&self, why: &str) -> RollbackRequest {
        let mut request = RollbackRequest::default();
        request.steps = Some(1);
        request.reason = Some(why.to_owned());
        request.deployment = self.id.parse().ok();
        request
    }

    /// Makes a host go back to what it ran before the deployment.
    fn go_back(&self, host: &Host, why: &str) -> Result<String, Error> {
        let status = host.client.status()?;
        if let Some(plugin) = self.other_than_deployed(&status) {
            let plugin = plugin.to_owned();
            return Err(Error::ChangedMeanwhile { plugin });
        }
        self.session.ui.info("Rolling back", &host.name);
        let report = host.client.rollback(&self.back(why))?;
        if !self.args.json {
            self.session
                .ui
                .result(format_args!("{}: {}", host.name, report.text));
        }
        Ok(report.text)
    }
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}
