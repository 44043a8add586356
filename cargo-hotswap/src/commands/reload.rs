//! `cargo hotswap reload`

use std::path::Path;
use std::time::Duration;

use crate::Error;
use crate::asked::{self, Asked};
#[cfg(feature = "control")]
use crate::chosen;
use crate::cli::ReloadArgs;
use crate::project::Project;
use crate::session::Session;

/// Builds what changed, and makes every host that loads from that directory reload it. Or builds nothing, and makes one
/// running host reload.
pub(crate) fn execute(session: &Session, args: &ReloadArgs) -> Result<u8, Error> {
    let mut asked = asked(args);
    #[cfg(feature = "control")]
    if args.no_build || args.host.host.is_some() {
        if args.compile != Default::default() {
            return Err(Error::NothingIsBuilt);
        }
        let plugins = names(args.of.iter().map(|word| &**word))?;
        asked.request.plugins = (!plugins.is_empty()).then_some(plugins);
        let client = chosen::client(session, &args.host)?;
        return asked.reload_by(session, &client)?.into_code();
    }
    let (host, plugins) = split(session, args)?;
    let project = Project::open(session, host, &args.compile)?;
    let directory = project.plugin_dir()?;
    if plugins.is_empty() {
        asked.check(&directory)?;
        project.build_plugins()?;
    } else {
        project.check_names(&plugins)?;
        #[cfg(feature = "control")]
        {
            asked.request.plugins = Some(plugins.clone());
        }
        asked.check(&directory)?;
        let built = project.build_named(&plugins)?;
        #[cfg(feature = "control")]
        {
            asked.request.plugins = Some(built);
        }
        #[cfg(not(feature = "control"))]
        drop(built);
    }
    asked::reload_all(session, &directory, &asked)
}

/// Returns the host's directory, and the names of plugins.
fn split<'a>(
    session: &Session,
    args: &'a ReloadArgs,
) -> Result<(Option<&'a Path>, Vec<String>), Error> {
    let mut words = args.of.iter().map(|word| &**word).peekable();
    let is_host = |word: &&Path| {
        let is_path = word.components().count() > 1 || word.has_root() || word.starts_with(".");
        args.compile.manifest_path.is_none()
            && (is_path || word.starts_with("..") || session.absolute(word).is_dir())
    };
    let host = words.next_if(is_host);
    Ok((host, names(words)?))
}

fn names<'a>(words: impl Iterator<Item = &'a Path>) -> Result<Vec<String>, Error> {
    let name = |word: &Path| {
        let text = word.to_str().map(str::to_owned);
        text.ok_or_else(|| Error::NotText {
            path: word.to_owned(),
        })
    };
    words.map(name).collect()
}

/// Returns what the command line asks for, but for the plugins.
fn asked(args: &ReloadArgs) -> Asked {
    #[allow(unused_mut)]
    let mut asked = Asked {
        patience: args.timeout.map(Duration::from_secs),
        ..Asked::default()
    };
    #[cfg(feature = "control")]
    {
        let request = &mut asked.request;
        let options = args.pipeline.0.iter();
        request.options = options
            .map(|(name, value)| (name.clone(), value.as_str().into()))
            .collect();
        request.force = args.force;
        request.reason.clone_from(&args.why.reason);
        request.deployment.clone_from(&args.why.deployment);
        asked.json = args.json;
        asked.dry_run = args.dry_run;
        asked.no_wait = args.no_wait;
    }
    asked
}
