//! `cargo hotswap health`.

use hotswap_control::api::HealthLevel;

use super::live::client;
use crate::Error;
use crate::cli::HealthArgs;
use crate::error::exit;
use crate::session::Session;

/// Shows the health of a host and its plugins.
pub(crate) fn execute(session: &Session, args: &HealthArgs) -> Result<u8, Error> {
    let client = client(session, &args.host)?;
    let health = match args.now || args.plugin.is_some() {
        true => client.check_health(args.plugin.as_deref())?,
        false => client.health()?,
    };
    let plugin = args.plugin.as_deref().and_then(|name| {
        let mut plugins = health.plugins.iter();
        plugins.find(|plugin| plugin.plugin == name)
    });
    let level = plugin.map_or(health.level, |plugin| plugin.level);
    match (args.json, plugin) {
        (true, Some(plugin)) => session.ui.json(plugin),
        (true, None) => session.ui.json(&health),
        (false, Some(plugin)) => session.ui.result(&plugin.text),
        (false, None) => session.ui.result(&health.text),
    }
    Ok(match level {
        HealthLevel::Healthy | HealthLevel::Degraded => exit::SUCCESS,
        _ => exit::FAILURE,
    })
}
