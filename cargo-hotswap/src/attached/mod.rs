//! A host to which `run --attach` is attached: it ran before the command, and goes on after it.
//!
//! It is [found](wanted), [gets the builds](found), and is [watched](watch), so that another one is found in its place after
//! it has ended.

mod found;
mod present;
mod wanted;
mod watch;

use std::path::PathBuf;
use std::sync::Arc;
use std::thread;

pub(crate) use watch::Notice;

use crate::Error;
use crate::cli::{AttachArgs, WhyArgs};
use crate::delivery::{Delivered, InstalledBuild};
use crate::project::Project;
use crate::session::Session;
use present::Present;
use wanted::Wanted;

/// A host to which the command is attached. Clones share what is known of it.
#[derive(Clone)]
pub(crate) struct Attached {
    wanted: Arc<Wanted>,
    why: WhyArgs,
    present: Present,
}

impl Attached {
    /// Finds the host that is meant, for the plugins of `project`.
    ///
    /// # Errors
    /// No such host runs, several do, it belongs to other plugins, or it cannot be asked.
    pub(crate) fn find(
        session: &Session,
        args: &AttachArgs,
        project: &Project<'_>,
    ) -> Result<Self, Error> {
        let wanted = Wanted::new(session, &args.host, project)?;
        let found = wanted.find()?;
        found.check(&args.why)?;
        session.ui.status("Attached", format_args!("to {found}"));
        Ok(Self {
            wanted: Arc::new(wanted),
            why: args.why.clone(),
            present: Present::new(found),
        })
    }

    /// Tells from now on what becomes of the host. Nobody has to wait for the thread that does so.
    pub(crate) fn watch(&self, tell: impl Fn(Notice) -> bool + Send + 'static) {
        let (wanted, present) = (self.wanted.clone(), self.present.clone());
        thread::spawn(move || watch::watch(&wanted, &present, tell));
    }

    /// Returns the directory into which its plugins are built, if it loads them from there.
    pub(crate) fn plugin_dir(&self) -> Option<PathBuf> {
        let loads = self.present.get().is_some_and(|found| found.loads());
        loads.then(|| self.wanted.directory().to_owned())
    }

    /// Brings builds to the host that it does not run yet.
    pub(crate) fn deliver(
        &self,
        session: &Session,
        builds: &[&InstalledBuild],
    ) -> Result<Delivered, Error> {
        match self.present.get() {
            Some(found) => found.deliver(session, &self.why, builds),
            None => Ok(Delivered::Away),
        }
    }

    /// Returns the words with which the command leaves the host.
    pub(crate) fn parting(&self) -> String {
        match self.present.get() {
            Some(found) => format!("from {}, which goes on", found.name()),
            None => "while no host was there".into(),
        }
    }
}
