//! `cargo hotswap reload`

use std::time::Duration;

use crate::cli::ReloadArgs;
use crate::error::exit;
use crate::project::Project;
use crate::session::Session;
use crate::{Error, hosts};

/// Builds what changed, and makes every host that loads from that directory reload it.
pub(crate) fn execute(session: &Session, args: &ReloadArgs) -> Result<u8, Error> {
    let project = Project::open(session, args.host.as_deref(), &args.compile)?;
    let directory = project.plugin_dir()?;
    project.build_plugins()?;
    hosts::reload_all(session, &directory, Duration::from_secs(args.timeout))?;
    Ok(exit::SUCCESS)
}
