//! Values of options that have units.

use std::time::Duration;

/// Parses a length of time: `30s`, `5m`, `1h`, `250ms`, or a number of seconds.
pub(super) fn length(text: &str) -> Result<Duration, String> {
    let wrong = || "write a length of time such as `30s`, `5m`, `1h`, or `250ms`".to_owned();
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let factor = match &text[digits.len()..] {
        "ms" => 0.001,
        "s" | "" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        _ => return Err(wrong()),
    };
    let number: f64 = digits.parse().map_err(|_| wrong())?;
    Duration::try_from_secs_f64(number * factor).map_err(|_| wrong())
}

/// Parses a share of calls: `1/100`, or `100` for the same.
pub(super) fn sample(text: &str) -> Result<u64, String> {
    let number = text.strip_prefix("1/").unwrap_or(text);
    match number.parse() {
        Ok(number) if number > 0 => Ok(number),
        _ => Err("write `1/100` for one call in a hundred".into()),
    }
}

/// Parses a function of a plugin: `world::hum`, or `world::*` for all of its functions.
pub(super) fn function(text: &str) -> Result<(String, String), String> {
    match text.split_once("::") {
        Some((plugin, function)) if !plugin.is_empty() && !function.is_empty() => {
            Ok((plugin.to_owned(), function.to_owned()))
        }
        _ => Err("write `PLUGIN::FUNCTION`, as in `world::hum`, or `world::*`".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::{function, length, sample};
    use std::time::Duration;

    #[test]
    fn lengths_of_time_have_units() {
        for (text, millis) in [
            ("30s", 30_000),
            ("5m", 300_000),
            ("1h", 3_600_000),
            ("250ms", 250),
            ("2", 2000),
            ("0.5s", 500),
        ] {
            assert_eq!(length(text), Ok(Duration::from_millis(millis)), "{text}");
        }
        for text in ["", "s", "-1s", "1d", "1 s", "inf", "nan", "é"] {
            length(text).unwrap_err();
        }
    }

    #[test]
    fn samples_and_functions() {
        assert_eq!((sample("1/100"), sample("7")), (Ok(100), Ok(7)));
        for text in ["", "0", "1/0", "2/100", "1/", "-1"] {
            sample(text).unwrap_err();
        }
        let named = |plugin: &str, name: &str| Ok((plugin.to_owned(), name.to_owned()));
        assert_eq!(function("world::hum"), named("world", "hum"));
        assert_eq!(function("w::Alpha::greet"), named("w", "Alpha::greet"));
        for text in ["world", "world::", "::hum", "world:hum"] {
            function(text).unwrap_err();
        }
    }
}
