//! The options of a reload's pipeline, one for each of [`ReloadOptions`].

use std::collections::BTreeMap;
use std::sync::LazyLock;

use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgMatches, Args, Command, Error, FromArgMatches};
use hotswap_host::ReloadOptions;

/// The options of the pipeline that the command line sets, as texts. Those that it leaves open are the host's.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PipelineOptions(pub BTreeMap<String, String>);

/// An option as the command line shows it.
struct Shown {
    name: &'static str,
    long: String,
    value: String,
    /// The values, if there are few.
    choices: Vec<String>,
    help: String,
    long_help: String,
}

/// All options, in the order of the fields.
static OPTIONS: LazyLock<Vec<Shown>> = LazyLock::new(|| {
    let options = ReloadOptions::describe().into_iter();
    let shown = options.map(|option| {
        let long_help = plain(option.meaning);
        let choices = choices(option.type_name);
        let value = match option.type_name {
            "a number of seconds" => "SECONDS".to_owned(),
            "a whole number" | "a number" => "N".to_owned(),
            _ if choices.is_empty() => "PLUGIN=warm|cold,…".to_owned(),
            _ => choices.join("|"),
        };
        let first = long_help.split(". ").next().unwrap_or(&long_help);
        Shown {
            name: option.name,
            long: option.name.replace('_', "-"),
            value,
            choices,
            help: first.trim_end_matches('.').to_owned(),
            long_help,
        }
    });
    shown.collect()
});

/// Returns the values of a type such as `off, or_fail, or or_proceed`, which is a list of words. Others have none.
fn choices(type_name: &str) -> Vec<String> {
    let list = type_name.replace(", or ", ",").replace(" or ", ",");
    let words: Vec<_> = list.split(',').map(|word| word.trim().to_owned()).collect();
    match words.len() > 1 && words.iter().all(|word| !word.contains([' ', '='])) {
        true => words,
        false => vec![],
    }
}

/// Returns a text of rustdoc without its links.
fn plain(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, link)) = rest.split_once('[') {
        plain.push_str(before);
        let Some((name, after)) = link.split_once(']') else {
            plain.push('[');
            rest = link;
            continue;
        };
        plain.push_str(name);
        rest = match after
            .strip_prefix('(')
            .and_then(|after| after.split_once(')'))
        {
            Some((_, after)) => after,
            None => after,
        };
    }
    plain + rest
}

impl FromArgMatches for PipelineOptions {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let mut options = Self::default();
        options.update_from_arg_matches(matches)?;
        Ok(options)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        for option in &*OPTIONS {
            if let Some(value) = matches.get_one::<String>(option.name) {
                self.0.insert(option.name.to_owned(), value.clone());
            }
        }
        Ok(())
    }
}

impl Args for PipelineOptions {
    fn augment_args(command: Command) -> Command {
        command.args(OPTIONS.iter().map(arg))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

fn arg(option: &'static Shown) -> Arg {
    let name = option.name;
    let arg = Arg::new(name)
        .long(option.long.as_str())
        .value_name(option.value.as_str())
        .help(option.help.as_str())
        .long_help(option.long_help.as_str())
        .help_heading("Pipeline, in place of the host's options")
        .hide_possible_values(true);
    let choices = option.choices.iter().map(String::as_str);
    match option.choices.first().map(String::as_str) {
        Some("true") => arg
            .num_args(0..=1)
            .require_equals(true)
            .default_missing_value("true")
            .value_parser(PossibleValuesParser::new(choices)),
        Some(_) => arg.value_parser(PossibleValuesParser::new(choices)),
        None => arg.value_parser(move |text: &str| {
            let set = ReloadOptions::default().set(name, text);
            set.map(|()| text.to_owned())
                .map_err(|error| error.to_string())
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::{OPTIONS, PipelineOptions, choices, plain};
    use clap::{Args, Command, FromArgMatches};
    use hotswap_host::ReloadOptions;

    #[test]
    fn each_option_takes_its_own_default() {
        let described = ReloadOptions::describe();
        assert_eq!(OPTIONS.len(), described.len());
        for option in described {
            let given = format!("--{}={}", option.name.replace('_', "-"), option.default);
            let command = PipelineOptions::augment_args(Command::new("reload"));
            let matches = command.try_get_matches_from(["reload", &given]).unwrap();
            let options = PipelineOptions::from_arg_matches(&matches).unwrap();
            assert_eq!(options.0[option.name], option.default, "{given}");
        }
    }

    #[test]
    fn values_of_another_type_are_refused_at_once() {
        for given in [
            "--probe=perhaps",
            "--drain=or-fail",
            "--drain-limit=-1",
            "--keep-of=world",
        ] {
            let command = PipelineOptions::augment_args(Command::new("reload"));
            assert!(
                command.try_get_matches_from(["reload", given]).is_err(),
                "{given}"
            );
        }
    }

    #[test]
    fn texts_for_people() {
        assert_eq!(
            plain("Has [`init`](crate::init), [x]. End"),
            "Has `init`, x. End"
        );
        assert_eq!(
            choices("off, or_fail, or or_proceed"),
            ["off", "or_fail", "or_proceed"]
        );
        assert_eq!(choices("warm or cold"), ["warm", "cold"]);
        assert!(choices("a number of seconds").is_empty());
        assert!(choices("a list such as world=cold,moon=warm").is_empty());
    }
}
