//! The options of the commands that ask a running host.

use std::path::PathBuf;

use clap::Args;
use hotswap_control::api::{Deployment, InvalidDeployment};

/// The host that a command asks.
#[derive(Debug, Clone, Default, Args)]
pub struct HostArgs {
    /// The host: its process id, the name of its program, its control socket, or its address [default: the one that runs]
    ///
    /// An address is `https://NAME[:PORT]`, of a host on any machine. Without a port, it is 7443.
    #[arg(long, value_name = "PID|NAME|SOCKET|URL", help_heading = "Host")]
    pub host: Option<String>,
    /// How an address is asked.
    #[cfg(feature = "tls")]
    #[command(flatten)]
    pub remote: RemoteArgs,
}

/// How a host on a TCP address is asked.
#[cfg(feature = "tls")]
#[derive(Debug, Clone, Default, Args)]
pub struct RemoteArgs {
    /// For an address: the authorities of which one has signed the host's certificate, in PEM
    #[arg(long, value_name = "FILE", help_heading = "Host", requires = "host")]
    pub ca: Option<PathBuf>,
    /// For an address: the certificate that says who asks, in PEM
    #[arg(long, value_name = "FILE", help_heading = "Host", requires = "key")]
    pub cert: Option<PathBuf>,
    /// For an address: the key of the certificate, in PEM
    #[arg(long, value_name = "FILE", help_heading = "Host", requires = "cert")]
    pub key: Option<PathBuf>,
    /// For an address: a file with the token that says who asks [default: the variable HOTSWAP_TOKEN]
    #[arg(long, value_name = "FILE", help_heading = "Host", requires = "host")]
    pub token_file: Option<PathBuf>,
}

#[cfg(feature = "tls")]
impl RemoteArgs {
    /// Returns true if something is said about an address.
    pub fn is_given(&self) -> bool {
        self.ca.is_some() || self.cert.is_some() || self.token_file.is_some()
    }
}

/// Why something is asked for. Who asks is known to the host.
#[derive(Debug, Clone, Default, Args)]
pub struct WhyArgs {
    /// The reason, for the log and the history of the host
    #[arg(long, value_name = "TEXT", help_heading = "Host")]
    pub reason: Option<String>,
    /// The id of the deployment that this is part of, for the log and the history of the host
    #[arg(long, value_name = "ID", help_heading = "Host", value_parser = deployment)]
    pub deployment: Option<Deployment>,
}

fn deployment(text: &str) -> Result<Deployment, String> {
    text.parse()
        .map_err(|error: InvalidDeployment| error.to_string())
}

/// The options of `status`.
#[derive(Debug, Args)]
pub struct StatusArgs {
    /// The host.
    #[command(flatten)]
    pub host: HostArgs,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// The options of `health`.
#[derive(Debug, Args)]
pub struct HealthArgs {
    /// Run the checks of this plugin, and show only its health
    #[arg(value_name = "PLUGIN")]
    pub plugin: Option<String>,
    /// Run all checks now, and wait for them [default: show what is known]
    #[arg(long, conflicts_with = "plugin")]
    pub now: bool,
    /// Print nothing while all is well, and exit with 0 or 1 only, as the health check of a container has to
    ///
    /// A host that does not tell its health is well as long as it runs.
    #[arg(long, conflicts_with = "json")]
    pub exit_code: bool,
    /// The host.
    #[command(flatten)]
    pub host: HostArgs,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// The options of `log`.
#[derive(Debug, Args)]
pub struct LogArgs {
    /// The level (error, warn, info, debug, trace, off), or directives such as `info,greeter=debug`
    #[arg(value_name = "FILTER")]
    pub filter: Option<String>,
    /// Write to the stderr of the host: with colours, without, or not at all
    #[arg(long, value_name = "auto|color|plain|off")]
    pub console: Option<String>,
    /// Write to this file
    #[arg(long, value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// Write to no file
    #[arg(long, conflicts_with_all = ["file", "rotation", "keep"])]
    pub no_file: bool,
    /// Begin another file: never, minutely, hourly, daily, or weekly
    #[arg(long, value_name = "WHEN")]
    pub rotation: Option<String>,
    /// Keep this many older files
    #[arg(long, value_name = "N")]
    pub keep: Option<usize>,
    /// Why.
    #[command(flatten)]
    pub why: WhyArgs,
    /// The host.
    #[command(flatten)]
    pub host: HostArgs,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// The options of `check`.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// Artifacts outside of the plugin directory [default: what is in the plugin directory]
    #[arg(value_name = "ARTIFACT")]
    pub artifacts: Vec<PathBuf>,
    /// The host.
    #[command(flatten)]
    pub host: HostArgs,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// The options of `drain`.
#[derive(Debug, Args)]
pub struct DrainArgs {
    /// The plugin
    #[arg(value_name = "PLUGIN")]
    pub plugin: String,
    /// How long to wait for running calls
    #[arg(long, value_name = "SECONDS", default_value_t = 5.0)]
    pub limit: f64,
    /// Do not wait for running calls
    #[arg(long, conflicts_with = "limit")]
    pub no_wait: bool,
    /// The reason, which callers get, too.
    #[command(flatten)]
    pub why: WhyArgs,
    /// The host.
    #[command(flatten)]
    pub host: HostArgs,
}

/// The options of `resume`.
#[derive(Debug, Args)]
pub struct ResumeArgs {
    /// The plugin
    #[arg(value_name = "PLUGIN")]
    pub plugin: String,
    /// Why.
    #[command(flatten)]
    pub why: WhyArgs,
    /// The host.
    #[command(flatten)]
    pub host: HostArgs,
}

/// The options of `freeze` and `unfreeze`.
#[derive(Debug, Args)]
pub struct FreezeArgs {
    /// Why.
    #[command(flatten)]
    pub why: WhyArgs,
    /// The host.
    #[command(flatten)]
    pub host: HostArgs,
}

/// The options of `logs`.
#[derive(Debug, Args)]
pub struct LogsArgs {
    /// Go on with what happens from now on, until the host ends or the command is interrupted
    #[arg(short, long)]
    pub follow: bool,
    /// Begin after the event with this number
    #[arg(long, value_name = "ID", default_value_t = 0)]
    pub after: u64,
    /// The host.
    #[command(flatten)]
    pub host: HostArgs,
    /// Print JSON, an event a line
    #[arg(long)]
    pub json: bool,
}
