//! Notices that a host has ended, finds the next one in its place, and tells of builds that were reverted.

use std::thread;
use std::time::Duration;

use hotswap_control::api::EventKind;
use hotswap_control::{Client, ClientError, Notice as Told};
use hotswap_host::runtime::RunningHost;

use super::found::Found;
use super::present::Present;
use super::wanted::Wanted;
use crate::Error;

/// The shortest and the longest pause between two looks for a host. Each pause is twice the previous one.
const PAUSES: [Duration; 2] = [Duration::from_millis(100), Duration::from_secs(5)];
/// The time between two looks at a process that has no endpoint.
const BEAT: Duration = Duration::from_millis(200);

/// A change that the command reports of its host.
#[derive(Debug)]
pub(crate) enum Notice {
    /// The host has ended, or cannot be reached any more.
    Ended {
        /// The host.
        host: String,
    },
    /// It is there again.
    Back {
        /// The host, with the way on which it gets builds.
        host: String,
    },
    /// A host is there, and cannot be asked.
    NotBack(Box<Error>),
    /// The host has closed a rollback window, and does not run the new builds for good.
    NotPermanent {
        /// The reason.
        outcome: String,
    },
}

/// Follows the host, and those that take its place, until `tell` returns false.
pub(super) fn watch(wanted: &Wanted, present: &Present, tell: impl Fn(Notice) -> bool) {
    while let Some(found) = present.get() {
        if !until_it_ends(&found, &tell) {
            return;
        }
        present.set(None);
        let host = found.name().to_owned();
        if !tell(Notice::Ended { host }) {
            return;
        }
        let Some(next) = find_after(wanted, &found, &tell) else {
            return;
        };
        let host = next.to_string();
        present.set(Some(next));
        if !tell(Notice::Back { host }) {
            return;
        }
    }
}

/// Looks for the host that takes the place of one that has ended.
fn find_after(wanted: &Wanted, ended: &Found, tell: &impl Fn(Notice) -> bool) -> Option<Found> {
    let [mut pause, longest] = PAUSES;
    let mut said = None;
    loop {
        thread::sleep(pause);
        pause = (pause * 2).min(longest);
        let error = match wanted.find_after(ended) {
            Ok(found) => return Some(found),
            Err(error) => error,
        };
        // A host that is still away is no news.
        let text = error.to_string();
        let is_news = !is_nobody(&error) && said.as_ref() != Some(&text);
        if is_news {
            said = Some(text);
            if !tell(Notice::NotBack(Box::new(error))) {
                return None;
            }
        }
    }
}

/// Returns true if the error says no more than that no host is there.
fn is_nobody(error: &Error) -> bool {
    matches!(
        error,
        Error::NoHostRunning { .. }
            | Error::NoControl { .. }
            | Error::Control(ClientError::Connect(_))
    )
}

/// Returns when the host has ended. Returns false if nobody listens any more.
fn until_it_ends(found: &Found, tell: &impl Fn(Notice) -> bool) -> bool {
    match (found.client(), found.host()) {
        (Some(client), _) => until_no_events(client, tell),
        (None, Some(host)) => {
            until_not_alive(host);
            true
        }
        (None, None) => true,
    }
}

fn until_not_alive(host: &RunningHost) {
    while host.is_alive() {
        thread::sleep(BEAT);
    }
}

/// Follows the events, which end with the host.
fn until_no_events(client: &Client, tell: &impl Fn(Notice) -> bool) -> bool {
    for told in client.events(None).into_iter().flatten() {
        let event = match told {
            Ok(Told::Event(event)) => event,
            Ok(_) => continue,
            Err(_) => break,
        };
        if let EventKind::WindowClosed {
            outcome, result, ..
        } = event.kind
            && ["reverted", "not_reverted"].contains(&&*result)
            && !tell(Notice::NotPermanent { outcome })
        {
            return false;
        }
    }
    true
}
