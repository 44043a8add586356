//! Errors of hooks.
use crate::base::name::PluginName;
use crate::shown::path;
use std::fmt;
use std::path::{Path, PathBuf};

/// A function of the author that the host calls at a certain point of a plugin's life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Hook {
    /// The constructors of the plugin's library, which run when it is opened.
    Open,
    /// `reloadable`.
    Reloadable,
    /// The constructor.
    New,
    /// `on_load`.
    OnLoad,
    /// `on_init`.
    OnInit,
    /// `on_start`.
    OnStart,
    /// `on_stop`.
    OnStop,
    /// `save`.
    Save,
    /// `restore`.
    Restore,
    /// `on_free`.
    OnFree,
    /// The instance's `Drop`.
    Drop,
    /// A smoke test of the plugin.
    Smoke,
}

impl fmt::Display for Hook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Hook::Open => "a constructor of its library",
            Hook::Reloadable => "reloadable",
            Hook::New => "new",
            Hook::OnLoad => "on_load",
            Hook::OnInit => "on_init",
            Hook::OnStart => "on_start",
            Hook::OnStop => "on_stop",
            Hook::Save => "save",
            Hook::Restore => "restore",
            Hook::OnFree => "on_free",
            Hook::Drop => "drop",
            Hook::Smoke => "a smoke test",
        })
    }
}

/// A hook that returned an error or panicked.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{plugin}: {hook} {}{}", if *panicked { "panicked" } else { "failed" }, told(message, file))]
#[non_exhaustive]
pub struct HookFailure {
    /// The plugin.
    pub plugin: PluginName,
    /// The artifact that the plugin was loaded from.
    pub file: PathBuf,
    /// The hook.
    pub hook: Hook,
    /// True if the hook panicked. Otherwise it returned an error.
    pub panicked: bool,
    /// The error with its sources, or the panic's message.
    pub message: String,
}

/// Puts the file after the message, unless the message has several lines, which end with what to do.
fn told(message: &str, file: &Path) -> String {
    match message.contains('\n') {
        true => format!(" ({}): {message}", path(file)),
        false => format!(": {message} ({})", path(file)),
    }
}
