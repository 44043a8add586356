//! Options of Go's hotswap that this command does not have, with their replacements.

use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue, ErrorKind};

/// The page in hotswap's sources that compares all of them.
const PAGE: &str = "hotswap-host/docs/coming-from-go.md";

/// Each option with its replacement.
const OPTIONS: [(&str, &str); 6] = [
    (
        "--goBuild",
        "no sources are generated here, so there is nothing to look at before the build; `--dry-run` prints the commands \
         instead of running them",
    ),
    (
        "--debug",
        "`-v` and `-vv` say more; what debuggers see is set in the profile",
    ),
    (
        "--include",
        "nothing is copied before the build, so every file of the package is there; `include_str!` and `rerun-if-changed` in \
         build scripts say what a plugin is made of (`--exclude` is for packages, not for files)",
    ),
    ("--leaveTemps", "it is `--keep-temps` here"),
    (
        "--livePrefix",
        "it is `--live-prefix` here, for modules with `#[live]`",
    ),
    (
        "--staticLinking",
        "it is `--static` here, for a host and all its plugins",
    ),
];

/// Adds the replacement to an error about one of these options.
pub(crate) fn explain(error: &mut clap::Error) {
    let unknown = match (error.kind(), error.get(ContextKind::InvalidArg)) {
        (ErrorKind::UnknownArgument, Some(ContextValue::String(unknown))) => unknown,
        _ => return,
    };
    let Some((name, instead)) = OPTIONS.iter().find(|(name, _)| name == unknown) else {
        return;
    };
    let tip = StyledStr::from(format!(
        "{name} is an option of Go's hotswap: {instead}; see {PAGE}"
    ));
    // The most similar option has another meaning.
    for misleading in [
        ContextKind::SuggestedArg,
        ContextKind::TrailingArg,
        ContextKind::Usage,
    ] {
        error.remove(misleading);
    }
    error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip]));
}

#[cfg(test)]
mod tests {
    use super::{OPTIONS, PAGE, explain};
    use crate::cli::Cli;
    use clap::Parser as _;

    #[test]
    fn each_is_explained_and_stands_on_the_page() {
        let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../");
        let page = std::fs::read_to_string(format!("{page}{PAGE}")).unwrap();
        for (name, instead) in OPTIONS {
            for given in [name.to_owned(), format!("{name}=x")] {
                let args = ["cargo-hotswap", "build", &given];
                let mut error = Cli::try_parse_from(args).unwrap_err();
                explain(&mut error);
                let text = error.to_string();
                assert!(text.contains(instead), "{text}");
                for misleading in ["similar", "Usage"] {
                    assert!(!text.contains(misleading), "{text}");
                }
            }
            assert!(page.contains(&format!("`{name}")), "{name}");
        }
    }
}
