//! `cargo hotswap reload`

use std::time::Duration;

use hotswap_host::shown;

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
    let hosts = hosts::of(&directory);
    if hosts.is_empty() {
        return Err(hosts::none_of(directory));
    }
    hosts::warn_of_unseen(session);
    let mut all_well = true;
    for host in &hosts {
        session.ui.info(
            "Reloading",
            format_args!("{} (pid {})", shown::path(&host.executable), host.pid),
        );
        match hosts::reload(session, host, Duration::from_secs(args.timeout)) {
            Ok(attempt) => {
                session.ui.result(&attempt.text);
                all_well &= attempt.ok;
            }
            Err(error @ Error::Interrupted { .. }) => return Err(error),
            // The other hosts are reloaded nevertheless.
            Err(error) if hosts.len() > 1 => {
                session.ui.error(&error);
                all_well = false;
            }
            Err(error) => return Err(error),
        }
    }
    if all_well {
        Ok(exit::SUCCESS)
    } else {
        Err(Error::ReloadFailed)
    }
}
