//! The filter: a level, or directives.
use crate::LogError;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::{Directive, LevelFilter};

const LEVELS: [&str; 6] = ["error", "warn", "info", "debug", "trace", "off"];

/// Parses a filter.
///
/// `EnvFilter` takes a word that is no level for the name of a module of which everything is logged, so that a mistyped level
/// would silence everything else. Here, such a word is an error.
pub(crate) fn parse(text: &str) -> Result<EnvFilter, LogError> {
    let levels = one_of(&LEVELS);
    let wrong = |value: &str, of, write| LogError::Value {
        of,
        value: value.to_owned(),
        write,
    };
    let mut filter = EnvFilter::default();
    for directive in directives(text) {
        let is_word = !directive.contains(['=', '[']);
        if directive.is_empty() || is_word && directive.parse::<LevelFilter>().is_err() {
            let write = match directive {
                "" => levels,
                word => format!("{levels}, or `{word}=trace` for a module of this name"),
            };
            return Err(wrong(directive, "level", write));
        }
        let parsed = directive.parse::<Directive>().map_err(|_| {
            let write = format!("{levels}, or directives such as `info,greeter=debug`");
            wrong(directive, "directive", write)
        });
        filter = filter.add_directive(parsed?);
    }
    Ok(filter)
}

/// Returns the directives. The fields of a span are in brackets, and a comma between them separates nothing.
fn directives(text: &str) -> impl Iterator<Item = &str> {
    let mut depth = 0_usize;
    text.split(move |character| {
        match character {
            '[' | '{' => depth += 1,
            ']' | '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        character == ',' && depth == 0
    })
    .map(str::trim)
}

/// Returns `one of a, b, c`.
pub(crate) fn one_of(words: &[&str]) -> String {
    format!("one of {}", words.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_and_directives() {
        for text in [
            "error",
            "WARN",
            "off",
            "info,greeter=debug",
            "info, pages[request{id=5,user}]=trace",
            "greeter=off,[request]",
        ] {
            parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        }
    }

    #[test]
    fn what_is_no_level_is_not_taken_for_a_module() {
        let errors = ["verbose", "info,greeter=loud", "", "info,"];
        let errors = errors.map(|text| parse(text).unwrap_err().to_string());
        for (error, expected) in errors.iter().zip([
            "`verbose` is no level; write one of error, warn, info, debug, trace, off, or `verbose=trace` for a module of this name",
            "`greeter=loud` is no directive; write one of error, warn, info, debug, trace, off, or directives such as `info,greeter=debug`",
            "`` is no level; write one of error, warn, info, debug, trace, off",
            "`` is no level; write one of error, warn, info, debug, trace, off",
        ]) {
            assert_eq!(error, expected);
        }
    }
}
