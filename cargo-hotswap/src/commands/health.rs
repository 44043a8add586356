//! `cargo hotswap health`.

use std::io::ErrorKind;

use hotswap_control::ClientError;
use hotswap_control::api::{FailureKind, HealthLevel};
use hotswap_host::runtime;

use crate::Error;
use crate::chosen::client;
use crate::cli::HealthArgs;
use crate::error::exit;
use crate::session::Session;

/// Shows the health of a host and its plugins.
pub(crate) fn execute(session: &Session, args: &HealthArgs) -> Result<u8, Error> {
    match show(session, args) {
        Err(error) if args.exit_code && runs_without_health(&error, args) => Ok(exit::SUCCESS),
        Err(error) if args.exit_code => {
            session.ui.error(&error);
            Ok(exit::FAILURE)
        }
        shown => shown,
    }
}

fn show(session: &Session, args: &HealthArgs) -> Result<u8, Error> {
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
    let is_well = matches!(level, HealthLevel::Healthy | HealthLevel::Degraded);
    match (args.json, plugin) {
        _ if args.exit_code && is_well => {}
        (true, Some(plugin)) => session.ui.json(plugin),
        (true, None) => session.ui.json(&health),
        (false, Some(plugin)) => session.ui.result(&plugin.text),
        (false, None) => session.ui.result(&health.text),
    }
    Ok(if is_well {
        exit::SUCCESS
    } else {
        exit::FAILURE
    })
}

/// True if the host runs, by its record, and has no endpoint or no health.
fn runs_without_health(error: &Error, args: &HealthArgs) -> bool {
    let named = args.host.host.as_deref();
    match error {
        _ if args.plugin.is_some() => false,
        Error::NoControl { named: None, .. } => match &*runtime::hosts() {
            [host] => host
                .connect()
                .is_err_and(|error| error.kind() == ErrorKind::NotFound),
            _ => false,
        },
        // The host was found by its name. A path may lead anywhere.
        Error::Control(ClientError::Connect(error)) => {
            error.kind() == ErrorKind::NotFound && named.is_some_and(|named| !named.contains('/'))
        }
        Error::Control(ClientError::Failure(failure)) => failure.kind == FailureKind::NotFound,
        _ => false,
    }
}
