//! Judges by what artifacts declare whether data of one version of a type can go to another version, and back.
use crate::artifact::{History, LiveEntry, SavedField, State};
use std::fmt;

/// A version of a type, in one build.
#[derive(Clone, Copy)]
pub(super) struct Versioned<'a> {
    name: &'a str,
    version: u32,
    /// What the build declares, if it is known.
    history: Option<&'a History>,
}

/// The verdict on two versions of a type.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Judged {
    /// True if data of the live version cannot be restored by the next one.
    pub(super) breaks: bool,
    /// What is wrong, or not known, and what to write.
    pub(super) warnings: Vec<String>,
}

impl<'a> From<&'a State> for Versioned<'a> {
    fn from(state: &'a State) -> Self {
        Versioned {
            name: &state.type_name,
            version: state.version,
            history: state.history.as_ref(),
        }
    }
}

impl<'a> Versioned<'a> {
    /// Returns the version of a live type. Returns `None` for a function.
    pub(super) fn of_live(entry: &'a LiveEntry) -> Option<Self> {
        Some(Versioned {
            name: &entry.name,
            version: entry.version?,
            history: entry.history.as_ref(),
        })
    }
}

/// Judges what becomes of data of the `live` version with the `next` one.
pub(super) fn judge(live: Versioned<'_>, next: Versioned<'_>) -> Judged {
    let mut judged = Judged::default();
    if next.version < live.version {
        judged.lowered(live, next);
    } else {
        judged.raised(live, next);
    }
    judged
}

impl Judged {
    /// The verdict where the next build does not know the type.
    pub(super) fn another() -> Self {
        Judged {
            breaks: true,
            warnings: Vec::new(),
        }
    }

    fn breaks(&mut self, why: String) {
        self.breaks = true;
        self.warnings.push(why);
    }

    /// The next build has the same version, or a later one.
    fn raised(&mut self, live: Versioned<'_>, next: Versioned<'_>) {
        let (name, from, to) = (live.name, live.version, next.version);
        let Some(declared) = next.history else {
            if from != to {
                self.warnings.push(unknown("new", live, next));
            }
            return;
        };
        let steps = declared.migrations.iter();
        let steps: Vec<_> = steps.filter(|s| (from..to).contains(&s.from)).collect();
        // Where there is no migration, the fields alone decide.
        let misfit = match live.history {
            Some(before) if steps.is_empty() => Misfit::find(before, declared),
            _ => None,
        };
        if let Some(misfit) = misfit {
            if from != to {
                return self.breaks(format!(
                    "{name} has no migration from version {from}, and {misfit}: write `migrate({from}, up = …, down = …)`"
                ));
            }
            let next = u64::from(from) + 1;
            return match misfit {
                Misfit::New(_) => self.breaks(format!(
                    "in {name}, {misfit}: write `#[live_data(default)]` on it, or `version = {next}` with `migrate({from}, up = …, down = …)`"
                )),
                // The values may fit all the same.
                Misfit::Retyped { .. } => self.warnings.push(format!(
                    "in {name}, {misfit}: unless all values fit, write `version = {next}` with `migrate({from}, up = …, down = …)`"
                )),
            };
        }
        let gap = (from..to).find(|version| !steps.iter().any(|step| step.from == *version));
        let had_fields = live.history.is_none_or(|before| before.fields.is_some());
        let names_decide = steps.is_empty() && declared.fields.is_some() && had_fields;
        match (gap, live.history) {
            (Some(_), None) if names_decide => self.warnings.push(unknown("running", live, next)),
            (Some(gap), _) if !names_decide => self.breaks(format!(
                "{name} has no migration from version {gap} to version {}: write `migrate({gap}, up = …, down = …)`",
                u64::from(gap) + 1,
            )),
            _ => {}
        }
        for step in steps.iter().filter(|step| step.up && !step.down) {
            let from = step.from;
            self.warnings.push(format!(
                "{name} cannot go back from version {} to version {from}: write `down = …` in `migrate({from}, …)`",
                u64::from(from) + 1,
            ));
        }
    }

    /// The next build has an earlier version.
    fn lowered(&mut self, live: Versioned<'_>, next: Versioned<'_>) {
        let Some(declared) = live.history else {
            return self.warnings.push(unknown("running", live, next));
        };
        let steps = declared.migrations.iter();
        let mut steps = steps.filter(|step| (next.version..live.version).contains(&step.from));
        if let Some(step) = steps.find(|step| !step.down) {
            let (name, from) = (live.name, step.from);
            self.breaks(format!(
                "{name} cannot go back from version {} to version {from}: the running build lacks `down = …` in `migrate({from}, …)`",
                u64::from(from) + 1,
            ));
        }
    }
}

/// Says that a build does not tell its migrations.
fn unknown(which: &str, live: Versioned<'_>, next: Versioned<'_>) -> String {
    let (name, from, to) = (live.name, live.version, next.version);
    format!(
        "it is not known whether {name} goes from version {from} to version {to}, because the {which} build does not say: an earlier hotswap has built it, or the type declares nothing"
    )
}

/// A field of the next build for which data of the live one has no value, or one that may not fit.
enum Misfit<'a> {
    New(&'a str),
    Retyped {
        name: &'a str,
        from: &'a str,
        to: &'a str,
    },
}

impl<'a> Misfit<'a> {
    /// Returns the first one. Returns `None` if the fields are not known.
    fn find(live: &'a History, next: &'a History) -> Option<Self> {
        let (before, after) = (live.fields.as_ref()?, next.fields.as_ref()?);
        after.iter().find_map(|field| {
            let saved = |other: &&SavedField| {
                let name = other.names.first();
                name.is_some_and(|name| field.names.contains(name))
            };
            let name = field.names.first()?;
            match before.iter().find(saved) {
                None => field.needed.then_some(Misfit::New(name)),
                Some(other) => {
                    let (from, to) = (&*other.type_name, &*field.type_name);
                    let fits = from == to || is_number(from) && is_number(to);
                    (!fits).then_some(Misfit::Retyped { name, from, to })
                }
            }
        })
    }
}

impl fmt::Display for Misfit<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Misfit::New(name) => write!(f, "the field `{name}` is new, and saved data lacks it"),
            Misfit::Retyped { name, from, to } => {
                write!(f, "the field `{name}` was {from}, and is {to}")
            }
        }
    }
}

/// Returns true for types whose values fit each other, unless they are out of range.
fn is_number(ty: &str) -> bool {
    let Some(bits) = ty.strip_prefix(['u', 'i', 'f']) else {
        return false;
    };
    bits == "size" || bits.parse::<u8>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns what a build declares: migrations, each as its version and `u`, `d`, or both, and fields.
    fn history(migrations: &str, fields: &str) -> History {
        let migration = |text: &str| {
            let (from, ways) =
                text.split_at(text.len() - text.trim_start_matches(char::is_numeric).len());
            let (up, down) = (ways.contains('u'), ways.contains('d'));
            format!(r#"{{"from":{from},"up":{up},"down":{down}}}"#)
        };
        // An optional field ends with `?`, other names follow after `|`, and the type after `:`.
        let field = |text: &str| {
            let (names, ty) = text.split_once(':').unwrap_or((text, "u8"));
            let needed = !names.ends_with('?');
            let names: Vec<_> = names.trim_end_matches('?').split('|').collect();
            format!(r#"{{"names":{names:?},"type":"{ty}","needed":{needed}}}"#)
        };
        let list = |text: &str, each: &dyn Fn(&str) -> String| {
            text.split_whitespace()
                .map(each)
                .collect::<Vec<_>>()
                .join(",")
        };
        let (migrations, fields) = (list(migrations, &migration), list(fields, &field));
        let json = format!(r#"{{"migrations":[{migrations}],"fields":[{fields}]}}"#);
        serde_json::from_str(&json).unwrap()
    }

    fn judged(live: (u32, Option<History>), next: (u32, Option<History>)) -> Judged {
        let versioned = |(version, history): &(u32, Option<History>)| State {
            type_name: "Fire".into(),
            version: *version,
            history: history.clone(),
        };
        judge((&versioned(&live)).into(), (&versioned(&next)).into())
    }

    fn breaks(live: (u32, History), next: (u32, History), why: &str) {
        let judged = judged((live.0, Some(live.1)), (next.0, Some(next.1)));
        assert!(judged.breaks, "{judged:?}");
        assert!(judged.warnings[0].starts_with(why), "{judged:?}");
    }

    fn warns(live: (u32, History), next: (u32, History)) -> Vec<String> {
        let judged = judged((live.0, Some(live.1)), (next.0, Some(next.1)));
        assert!(!judged.breaks, "{judged:?}");
        judged.warnings
    }

    #[test]
    fn both_ways_are_compatible() {
        let before = || (1, history("", "speed"));
        assert_eq!(warns(before(), (2, history("1ud", "pace"))), [""; 0]);
        assert_eq!(warns(before(), (3, history("1ud 2ud", "pace"))), [""; 0]);
        assert_eq!(warns(before(), (1, history("", "speed new?"))), [""; 0]);
    }

    #[test]
    fn a_version_without_a_way_back_is_a_warning() {
        let found = warns((1, history("", "a")), (3, history("1u 2ud", "b")));
        assert_eq!(
            found,
            [
                "Fire cannot go back from version 2 to version 1: write `down = …` in `migrate(1, …)`"
            ]
        );
    }

    #[test]
    fn a_version_without_a_way_there_breaks() {
        let why = "Fire has no migration from version 1 to version 2: write `migrate(1, up = …, down = …)`";
        breaks((1, history("", "a")), (3, history("2ud", "a")), why);
        // The names of variants are not compared.
        let enum_of = |migrations| History {
            fields: None,
            ..history(migrations, "")
        };
        breaks((1, enum_of("")), (2, enum_of("")), why);
        let why = "Fire has no migration from version 2 to version 3";
        breaks((1, enum_of("")), (3, enum_of("1ud")), why);
    }

    #[test]
    fn names_decide_where_no_migration_is_declared() {
        let before = || history("", "name colour");
        let renamed = || history("", "name color|colour bells?");
        assert_eq!(warns((1, before()), (2, renamed())), [""; 0]);
        assert_eq!(warns((1, before()), (1, renamed())), [""; 0]);
        let needs = || history("", "name colour pace");
        let why = "Fire has no migration from version 1, and the field `pace` is new, and saved data lacks it: write";
        breaks((1, before()), (2, needs()), why);
        let why = "in Fire, the field `pace` is new, and saved data lacks it: write `#[live_data(default)]`";
        breaks((1, before()), (1, needs()), why);
    }

    #[test]
    fn types_decide_where_no_migration_is_declared() {
        let of = |ty: &str| history("", &format!("pace:{ty}"));
        assert_eq!(warns((1, of("u8")), (2, of("i64"))), [""; 0]);
        assert_eq!(warns((1, of("Vec<u8>")), (1, of("Vec<u8>"))), [""; 0]);
        let why = "Fire has no migration from version 1, and the field `pace` was u8, and is String: write";
        breaks((1, of("u8")), (2, of("String")), why);
        let found = warns((1, of("u8")), (1, of("String")));
        let why = "in Fire, the field `pace` was u8, and is String: unless all values fit, write";
        assert!(found[0].starts_with(why), "{found:?}");
    }

    #[test]
    fn an_earlier_version_needs_the_way_back_of_the_running_build() {
        let before = || (1, history("", "a"));
        assert_eq!(warns((2, history("1ud", "b")), before()), [""; 0]);
        let why =
            "Fire cannot go back from version 2 to version 1: the running build lacks `down = …`";
        breaks((2, history("1u", "b")), before(), why);
    }

    #[test]
    fn what_a_build_does_not_say_is_no_verdict() {
        let known = || Some(history("", "a"));
        for (live, next, which) in [
            ((1, known()), (2, None), "new"),
            ((1, None), (2, known()), "running"),
            ((2, None), (1, known()), "running"),
        ] {
            let judged = judged(live, next);
            assert!(!judged.breaks, "{judged:?}");
            let why = format!("because the {which} build does not say");
            assert!(judged.warnings[0].contains(&why), "{judged:?}");
        }
        assert_eq!(judged((1, None), (1, None)), Judged::default());
    }

    #[test]
    fn a_version_that_is_far_away_takes_no_time() {
        let (live, next) = ((1, history("", "a")), (u32::MAX, history("2ud", "a")));
        breaks(
            live,
            next,
            "Fire has no migration from version 1 to version 2",
        );
        let all = warns((1, history("", "a")), (u32::MAX, history("", "a")));
        assert_eq!(all, [""; 0]);
    }
}
