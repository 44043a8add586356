//! The sections of the chapter that says what to do about an error.
//!
//! The address is that of the chapter at the forge, and not a page of the command: a terminal makes it a link, it can be passed
//! on, and the chapter is as long as it has to be.

/// The address of the chapter.
const CHAPTER: &str = concat!(
    env!("CARGO_PKG_REPOSITORY"),
    "/blob/main/book/src/troubleshooting.md"
);

macro_rules! topics {
    ($($(#[$doc:meta])+ $Name:ident = $anchor:literal;)+) => {
        /// A section of the chapter about troubleshooting.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Topic {
            $($(#[$doc])+ $Name,)+
        }

        impl Topic {
            /// All sections that an error names.
            pub const ALL: &[Topic] = &[$(Topic::$Name),+];

            /// Returns the anchor of the section in the chapter.
            pub fn anchor(self) -> &'static str {
                match self {
                    $(Topic::$Name => $anchor,)+
                }
            }
        }
    };
}

topics! {
    /// No host is found that could be asked.
    NoHost = "no-host-is-found";
    /// Several hosts could be meant.
    SeveralHosts = "several-hosts-could-be-meant";
    /// The control endpoint cannot be reached.
    Socket = "the-control-endpoint-cannot-be-reached";
    /// The host does not let the caller ask for that.
    Access = "the-host-does-not-let-you-ask";
    /// The host does not answer in time, or has ended.
    NoAnswer = "the-host-does-not-answer";
    /// Running calls have not ended in time.
    Drain = "running-calls-do-not-end";
    /// The state could not be handed over in time.
    HandOver = "the-state-is-not-handed-over-in-time";
    /// The new builds were live, and were reverted.
    NotPermanent = "the-new-builds-did-not-become-permanent";
    /// A reload could not be reverted.
    Revert = "a-rollback-failed";
    /// The builds were reverted before.
    Held = "a-build-is-held";
    /// A rollback window is open.
    Window = "the-rollback-window-is-open";
    /// The host refuses all changes.
    Frozen = "the-host-is-frozen";
    /// The host does not reload on signals.
    Signals = "the-host-does-not-reload-on-signals";
    /// An artifact is no plugin for this host.
    Artifact = "an-artifact-is-refused";
    /// An artifact has no signature that counts.
    Signature = "a-signature-does-not-count";
    /// A hook has failed.
    Hook = "a-hook-fails";
    /// A test or a check does not let the new builds become live.
    Test = "a-test-or-a-check-refuses-the-new-builds";
    /// A deployment has failed.
    Deploy = "a-deployment-fails";
    /// The state directory is in use.
    Locked = "the-state-directory-is-in-use";
    /// The state directory was written by a newer version.
    Newer = "the-state-directory-is-from-a-newer-version";
    /// The history cannot be read or written.
    Database = "the-history-cannot-be-read-or-written";
    /// A build in the store is damaged, or is not there any more.
    Store = "a-stored-build-is-damaged-or-gone";
    /// The audit is not as it was written.
    Audit = "the-audit-is-broken";
}

impl Topic {
    /// Returns the address of the section.
    pub fn url(self) -> String {
        format!("{CHAPTER}#{}", self.anchor())
    }

    /// Returns the section for a word with which a host says why it has refused a change: `ReloadError::reason`.
    pub(crate) fn of_reason(reason: &str) -> Option<Self> {
        Some(match reason {
            "drain" => Topic::Drain,
            "hand_over" => Topic::HandOver,
            "revert" => Topic::Revert,
            "held" => Topic::Held,
            "window" => Topic::Window,
            "frozen" => Topic::Frozen,
            "signals" => Topic::Signals,
            "files" | "fit" => Topic::Artifact,
            "refused" => Topic::Signature,
            "hook" => Topic::Hook,
            "sources" | "probe" | "smoke" | "check" | "breaking" => Topic::Test,
            "journal" => Topic::Database,
            _ => return None,
        })
    }
}
