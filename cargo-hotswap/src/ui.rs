//! The printer: statuses, details, and warnings go to stderr, and results to stdout.
//!
//! Text of compilers, artifacts, and hosts must not control the terminal, except for colours. All text passes
//! [`printable`], and text for one line is [`Shown`] before that.

use std::fmt::Display;
use std::io::{IsTerminal as _, Write as _};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use anstream::{AutoStream, ColorChoice, stdout};
use anstyle::{AnsiColor, Style};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use hotswap_host::shown::{self, Shown, printable};

use crate::Error;
use crate::cli::{Color, OutputOptions};

const GOOD: Style = AnsiColor::BrightGreen.on_default().bold();
const PLAIN: Style = AnsiColor::BrightCyan.on_default().bold();
const WARNING: Style = AnsiColor::BrightYellow.on_default().bold();
/// The style of errors.
pub(crate) const ERROR: Style = AnsiColor::BrightRed.on_default().bold();

/// The printer: see the module.
pub(crate) struct Ui {
    level: i8,
    /// Hidden if stderr is not a terminal.
    bar: ProgressBar,
    /// True if another program writes to the terminal, too.
    shared: AtomicBool,
}

impl Ui {
    /// Prints as `output` says. Options that it leaves open come from the environment.
    pub(crate) fn new(output: &OutputOptions) -> Self {
        match output.color {
            Some(Color::Always) => ColorChoice::Always.write_global(),
            Some(Color::Never) => ColorChoice::Never.write_global(),
            Some(Color::Auto) | None => {}
        }
        let level = if output.quiet {
            -1
        } else {
            i8::try_from(output.verbose).unwrap_or(i8::MAX)
        };
        let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::hidden());
        Self {
            level,
            bar,
            shared: AtomicBool::new(false),
        }
    }

    /// Shows progress over `steps` on a terminal, until [`Ui::finish_progress`].
    pub(crate) fn start_progress(&self, steps: usize) {
        if self.level < 0 || self.shared.load(Relaxed) || !std::io::stderr().is_terminal() {
            return;
        }
        let template = "{spinner:.cyan} [{pos}/{len}] {wide_msg}";
        self.bar.set_style(
            ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()),
        );
        self.bar.reset();
        self.bar.set_length(steps as u64);
        self.bar.set_draw_target(ProgressDrawTarget::stderr());
        self.bar.enable_steady_tick(Duration::from_millis(120));
    }

    /// Ends the progress, since another program writes to the terminal from now on, and would tear it.
    pub(crate) fn share_terminal(&self) {
        self.shared.store(true, Relaxed);
    }

    /// Shows on the progress line what is being worked on.
    pub(crate) fn progress(&self, message: impl Display) {
        if !self.bar.is_hidden() {
            self.bar.set_message(Shown(message).to_string());
        }
    }

    /// Advances the progress by one step.
    pub(crate) fn advance(&self) {
        self.bar.inc(1);
    }

    /// Removes the progress line.
    pub(crate) fn finish_progress(&self) {
        self.bar.disable_steady_tick();
        self.bar.finish_and_clear();
        self.bar.set_draw_target(ProgressDrawTarget::hidden());
    }

    /// Prints a status in Cargo's form: something was done.
    pub(crate) fn status(&self, verb: &str, message: impl Display) {
        if self.level >= 0 {
            self.write(format_args!("{GOOD}{verb:>12}{GOOD:#} {message}"));
        }
    }

    /// Prints a status of less weight: something is going on, or nothing had to be done.
    pub(crate) fn info(&self, verb: &str, message: impl Display) {
        if self.level >= 0 {
            self.write(format_args!("{PLAIN}{verb:>12}{PLAIN:#} {message}"));
        }
    }

    /// Prints a status that `-v` adds.
    pub(crate) fn detail(&self, verb: &str, message: impl Display) {
        if self.level >= 1 {
            self.info(verb, message);
        }
    }

    /// Prints a warning.
    pub(crate) fn warn(&self, message: impl Display) {
        self.write(format_args!("{WARNING}warning{WARNING:#}: {message}"));
    }

    /// Prints an error that does not end the command.
    pub(crate) fn error(&self, error: &(dyn std::error::Error + 'static)) {
        self.bar.suspend(|| print_error(error));
    }

    /// Prints a line of Cargo's stderr. Without `-v`, the line about a finished build is left out, since there is one
    /// for every plugin.
    pub(crate) fn relay(&self, line: &str) {
        // A program may end its lines as Windows does.
        let line = line.trim_end_matches('\r');
        let text = anstream::adapter::strip_str(line).to_string();
        if self.level < 1 && text.trim_start().starts_with("Finished ") {
            return;
        }
        if let Some(what) = text.trim_start().strip_prefix("Compiling ") {
            self.progress(format_args!("compiling {what}"));
        }
        self.write(line);
    }

    /// Prints a result to stdout. An error is ignored, since stdout is closed then.
    pub(crate) fn result(&self, line: impl Display) {
        self.bar.suspend(|| {
            let mut out = stdout().lock();
            let line = line.to_string();
            let _ = writeln!(out, "{}", printable(&line)).and_then(|()| out.flush());
        });
    }

    /// Prints a result to stdout, as one line of JSON.
    pub(crate) fn json(&self, value: &impl serde::Serialize) {
        self.result(shown::json(value).expect("names of fields are text, and so are the values"));
    }

    /// Prints a line of JSON of Cargo to stdout.
    pub(crate) fn relay_json(&self, line: &str) {
        self.result(shown::json_text(line));
    }

    /// Returns the options that make Cargo print as we do.
    pub(crate) fn cargo_options(&self) -> Vec<&'static str> {
        let mut options = match self.level {
            ..=-1 => vec!["--quiet"],
            0 | 1 => vec![],
            2.. => vec!["-v"],
        };
        let colored = AutoStream::choice(&std::io::stderr()) != ColorChoice::Never;
        options.extend(["--color", if colored { "always" } else { "never" }]);
        options
    }

    fn write(&self, line: impl Display) {
        self.bar.suspend(|| print(line));
    }
}

/// Prints an error and its causes, each once, and where the book says more about it.
pub(crate) fn print_error(error: &(dyn std::error::Error + 'static)) {
    let topic = error.downcast_ref::<Error>().and_then(Error::topic);
    let mut text = format!("{ERROR}error{ERROR:#}: {error}");
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(&format!("\n  caused by: {error}"));
        cause = error.source();
    }
    if let Some(topic) = topic {
        text.push_str(&format!("\n  see {}", topic.url()));
    }
    print(text);
}

/// Prints to stderr in a single write, since a running host writes there, too, and no line should be torn.
fn print(text: impl Display) {
    let mut text = printable(&format!("{text}\n")).into_owned();
    let mut out = std::io::stderr().lock();
    if AutoStream::choice(&out) == ColorChoice::Never {
        text = anstream::adapter::strip_str(&text).to_string();
    }
    // An error is ignored, since stderr is closed then.
    let _ = out.write_all(text.as_bytes());
}

/// Returns `path` for people: relative to `base` if it lies below.
pub(crate) fn shown<'a>(path: &'a Path, base: &Path) -> Shown<std::path::Display<'a>> {
    shown::path(path.strip_prefix(base).unwrap_or(path))
}
