//! The host beside which a [supervisor](crate::supervisor) builds: one that it starts, and ends with, or one to which it is
//! attached.

use signal_hook::consts::{SIGUSR1, SIGUSR2};

use crate::Error;
#[cfg(feature = "control")]
use crate::attached::Attached;
#[cfg(feature = "control")]
use crate::error::exit;
use crate::host_process::Host;
use crate::interrupt::Caught;
use crate::recipient::HostProcess;
use crate::session::Session;

/// The host beside which builds run.
pub(crate) enum Beside {
    /// A host that this command starts. It is `None` while it does not run.
    Own(Option<Host>),
    /// A host that ran before.
    #[cfg(feature = "control")]
    Attached(Attached),
}

impl Beside {
    /// Takes the host out of the loop, if this command has started it.
    pub(crate) fn take_own(&mut self) -> Option<Host> {
        match self {
            Self::Own(host) => host.take(),
            #[cfg(feature = "control")]
            Self::Attached(_) => None,
        }
    }

    /// Returns true if changes of the host's own files have to wait, since it is not built now.
    pub(crate) fn runs(&self) -> bool {
        match self {
            Self::Own(host) => host.is_some(),
            // It is not built at all.
            #[cfg(feature = "control")]
            Self::Attached(_) => true,
        }
    }

    /// Returns the process, if this command has started it.
    pub(crate) fn process(&self) -> Option<HostProcess> {
        match self {
            Self::Own(host) => host.as_ref().map(Host::process),
            #[cfg(feature = "control")]
            Self::Attached(_) => None,
        }
    }

    /// Passes a signal on to a host of this command. Otherwise, the signal is for the command itself, and the result is its
    /// exit code.
    ///
    /// # Errors
    /// The signal interrupts the command, which has no host now.
    pub(crate) fn signal(
        &mut self,
        session: &Session,
        caught: Caught,
    ) -> Result<Option<u8>, Error> {
        match self {
            Self::Own(Some(host)) => host.pass_on(caught),
            // The signal was meant for a host that has just ended.
            Self::Own(None) if matches!(caught.signal, SIGUSR1 | SIGUSR2) => {}
            Self::Own(None) => {
                session.interrupt.raise(caught.signal);
                session.interrupt.check()?;
            }
            #[cfg(feature = "control")]
            Self::Attached(host) => {
                session.ui.info("Detached", host.parting());
                let signal = u8::try_from(caught.signal).unwrap_or(0);
                return Ok(Some(exit::SIGNAL.wrapping_add(signal)));
            }
        }
        Ok(None)
    }
}
