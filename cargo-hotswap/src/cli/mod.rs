//! The command line: subcommands and options, named as Cargo names them, with their help texts.

mod artifacts;
#[cfg(feature = "control")]
mod attach;
#[cfg(feature = "history")]
mod audit;
mod build;
mod command;
#[cfg(feature = "control")]
mod deploy;
#[cfg(feature = "history")]
mod history;
#[cfg(feature = "control")]
mod live;
mod new;
#[cfg(feature = "control")]
mod patches;
#[cfg(feature = "control")]
mod pipeline;
mod reload;
mod shell;
#[cfg(feature = "sign")]
mod signature;
#[cfg(feature = "tls")]
mod token;
#[cfg(feature = "top")]
mod top;
#[cfg(feature = "control")]
mod trace;
#[cfg(feature = "control")]
mod values;

pub use artifacts::{GraphArgs, GraphFormat, InspectArgs, SealArgs};
#[cfg(feature = "control")]
pub use attach::AttachArgs;
#[cfg(feature = "history")]
pub use audit::{AuditAction, AuditArgs};
#[cfg(feature = "source")]
pub use build::PatchArgs;
pub use build::{BuildArgs, CompileOptions, MessageFormat, RunArgs};
pub use command::{Cli, Color, Command, OutputOptions};
#[cfg(feature = "control")]
pub use deploy::DeployArgs;
#[cfg(feature = "history")]
pub use history::{
    ConfirmArgs, HistoryArgs, HistoryOf, RollbackArgs, StateArgs, StoreAction, StoreArgs,
    UnholdArgs,
};
#[cfg(feature = "tls")]
pub use live::RemoteArgs;
#[cfg(feature = "control")]
pub use live::{
    CheckArgs, DrainArgs, FreezeArgs, HealthArgs, HostArgs, LogArgs, LogsArgs, ResumeArgs,
    StatusArgs, WhyArgs,
};
pub use new::NewArgs;
#[cfg(feature = "control")]
pub use patches::PatchesArgs;
#[cfg(all(feature = "control", feature = "source"))]
pub use patches::{PatchAction, PatchedArgs};
#[cfg(feature = "control")]
pub use pipeline::PipelineOptions;
pub use reload::ReloadArgs;
pub use shell::{CompletionShell, CompletionsArgs, ManArgs};
#[cfg(feature = "sign")]
pub use signature::{KeygenArgs, ManifestArgs, PasswordArgs, SignArgs, VerifyArgs};
#[cfg(feature = "tls")]
pub use token::TokenArgs;
#[cfg(feature = "top")]
pub use top::TopArgs;
#[cfg(feature = "control")]
pub use trace::TraceArgs;
