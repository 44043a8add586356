//! The prefix of the names of live functions and types.

/// The default prefix.
pub const DEFAULT: &str = "live_";

/// The variable that `cargo hotswap build --live-prefix` sets.
pub const VARIABLE: &str = "HOTSWAP_LIVE_PREFIX";

/// Returns true if a name begins with the prefix. The case is ignored. If the prefix ends with `_`, a name in camel
/// case with a capital after it counts, too: `LiveFire` begins with `live_`, and `Lively` does not.
pub fn begins(name: &str, prefix: &str) -> bool {
    let after = |prefix: &str| {
        let begin = name.get(..prefix.len())?;
        begin
            .eq_ignore_ascii_case(prefix)
            .then(|| &name[prefix.len()..])
    };
    if after(prefix).is_some() {
        return true;
    }
    let camel: String = prefix.split('_').collect();
    prefix.ends_with('_')
        && !camel.is_empty()
        && name.starts_with(|first: char| first.is_uppercase())
        && after(&camel).is_some_and(|rest| rest.starts_with(|next: char| !next.is_lowercase()))
}

/// Returns the reason why a prefix is invalid, or `None` if it is valid.
pub fn refuse(prefix: &str) -> Option<&'static str> {
    let of_names = |char: char| char == '_' || char.is_ascii_alphanumeric();
    if prefix.is_empty() {
        Some(
            "an empty prefix would make everything here live: write `#[live]` on the items instead",
        )
    } else if !prefix.chars().all(of_names) || prefix.starts_with(|c: char| c.is_ascii_digit()) {
        Some("a prefix is the beginning of a name: ASCII letters, digits and `_`, no digit first")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::{begins, refuse};

    #[test]
    fn case_does_not_matter() {
        for name in [
            "live_fire",
            "LIVE_FIRE",
            "Live_Fire",
            "LiveFire",
            "live_",
            "Live_fire",
        ] {
            assert!(begins(name, "live_"), "{name}");
            assert!(begins(name, "LIVE_"), "{name}");
        }
        assert!(begins("JobFire", "job_"));
        assert!(begins("BigJobFire", "big_job_"));
        assert!(begins("lively", "live"));
    }

    #[test]
    fn a_word_that_begins_alike_does_not_count() {
        for name in [
            "lively",
            "Lively",
            "livefire",
            "alive_fire",
            "fire",
            "liv",
            "émigré",
        ] {
            assert!(!begins(name, "live_"), "{name}");
        }
    }

    #[test]
    fn a_prefix_is_the_beginning_of_a_name() {
        for prefix in ["", "1st_", "live-", "live ", "é"] {
            assert!(refuse(prefix).is_some(), "{prefix:?}");
        }
        for prefix in ["live_", "_", "j1_", "Live"] {
            assert_eq!(refuse(prefix), None, "{prefix:?}");
        }
    }
}
