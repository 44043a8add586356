//! Advice for a plugin that tries to install a logger or a subscriber of its own.
use std::borrow::Cow;

/// The messages of `log` and `tracing` for a second logger or subscriber, as `Display` and as `Debug`.
const REFUSALS: [&str; 4] = [
    "SetLoggerError",
    "SetGlobalDefaultError",
    "attempted to set a logger after the logging system was already initialized",
    "a global default trace dispatcher has already been set",
];

const ADVICE: &str = "hotswap gives each plugin a logger and a subscriber, which pass everything to the host; remove the \
                      call that installs another, or ignore its error, as in `let _ = tracing_subscriber::fmt::try_init();`";

/// Returns the text of an error or a panic, with advice if it is about a second logger or subscriber.
pub(crate) fn explained(text: &str) -> Cow<'_, str> {
    // A text that has come from another plugin has the advice already.
    match REFUSALS.iter().any(|refusal| text.contains(refusal)) && !text.contains(ADVICE) {
        true => Cow::Owned(format!("{text}; {ADVICE}")),
        false => Cow::Borrowed(text),
    }
}

#[cfg(test)]
mod tests {
    use super::{ADVICE, explained};
    use std::borrow::Cow;
    use tracing_core::dispatcher::{self, Dispatch};
    use tracing_core::subscriber::NoSubscriber;

    #[test]
    fn every_refusal_of_log_and_tracing_is_known() {
        struct Nothing;
        impl log::Log for Nothing {
            fn enabled(&self, _: &log::Metadata<'_>) -> bool {
                false
            }
            fn log(&self, _: &log::Record<'_>) {}
            fn flush(&self) {}
        }
        let _ = log::set_logger(&Nothing);
        let logger = log::set_logger(&Nothing).unwrap_err();
        let subscriber = || dispatcher::set_global_default(Dispatch::new(NoSubscriber::default()));
        let _ = subscriber();
        let subscriber = subscriber().unwrap_err();
        for text in [
            format!("env_logger::init should not be called after logger initialized: {logger:?}"),
            logger.to_string(),
            format!("Unable to install global subscriber: {subscriber:?}"),
            subscriber.to_string(),
        ] {
            let once = explained(&text);
            assert_eq!(once, format!("{text}; {ADVICE}"));
            assert_eq!(explained(&once), once);
        }
        assert!(matches!(
            explained("no Eve here"),
            Cow::Borrowed("no Eve here")
        ));
    }
}
