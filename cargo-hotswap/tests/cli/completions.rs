//! The completions and the manual pages, which are made from the command line as it is.

use std::process::{Command, Stdio};

use crate::fixture::Fixture;

/// Completes a line at its end, in a bash that has sourced the completions.
///
/// Readline cannot be scripted, so this does what it does: it finds the function for the first word, and calls it with
/// the words before the cursor.
const COMPLETE: &str = r#"
source /dev/stdin
line=$1
read -ra COMP_WORDS <<< "$line"
[[ $line == *' ' ]] && COMP_WORDS+=('')
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
COMP_LINE=$line COMP_POINT=${#line}
read -ra spec <<< "$(complete -p "${COMP_WORDS[0]}")"
for ((at = 0; at < ${#spec[@]}; at++)); do
    [[ ${spec[at]} == -F ]] && function=${spec[at + 1]}
done
"$function" "${COMP_WORDS[0]}" "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
printf '%s\n' "${COMPREPLY[@]}"
"#;

fn completed(script: &str, line: &str, before: &str) -> Vec<String> {
    let mut bash = Command::new("bash")
        .args([
            "--norc",
            "--noprofile",
            "-c",
            &format!("{before}\n{COMPLETE}"),
            "bash",
            line,
        ])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("bash is installed");
    let mut stdin = bash.stdin.take().expect("it is a pipe");
    std::io::Write::write_all(&mut stdin, script.as_bytes()).expect("bash reads the script");
    drop(stdin);
    let output = bash.wait_with_output().expect("bash ends");
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && told.is_empty(), "{line}: {told}");
    let words = String::from_utf8(output.stdout).expect("the words are text");
    words
        .lines()
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

#[test]
fn bash_completes_both_names_of_the_command() {
    let fixture = Fixture::new();
    let script = fixture.ok(&["completions", "bash"]).stdout;
    for name in ["cargo-hotswap", "cargo hotswap", "cargo +stable hotswap"] {
        let complete = |rest: &str| completed(&script, &format!("{name} {rest}"), "");
        assert_eq!(complete("rel"), ["reload"]);
        let all = complete("");
        for command in ["build", "run", "reload", "new", "help"] {
            assert!(all.iter().any(|word| word == command), "{name}: {all:?}");
        }
        assert_eq!(complete("build --messa"), ["--message-format"]);
        assert_eq!(complete("build --message-format j"), ["json"]);
        assert_eq!(complete("graph --format "), ["text", "dot", "mermaid"]);
    }
}

#[test]
fn bash_completes_the_rest_of_cargo_as_before() {
    let fixture = Fixture::new();
    let script = fixture.ok(&["completions", "bash"]).stdout;
    assert_eq!(completed(&script, "cargo ho", ""), ["hotswap"]);
    let before =
        "_cargo() { COMPREPLY=(\"cargo's $2 after $3\"); }; complete -F _cargo -o default cargo";
    assert_eq!(
        completed(&script, "cargo bu", before),
        ["cargo's bu after cargo"]
    );
    assert_eq!(completed(&script, "cargo hotswap rel", before), ["reload"]);
    // Sourced twice, it does not call itself.
    let twice = format!("{script}\n{script}");
    assert_eq!(
        completed(&twice, "cargo bu", before),
        ["cargo's bu after cargo"]
    );
    // The package bash-completion loads what Cargo has when it is needed.
    let lazy = format!("_comp_load() {{ {before}; }}");
    assert_eq!(
        completed(&script, "cargo bu", &lazy),
        ["cargo's bu after cargo"]
    );
}

#[test]
fn each_shell_has_completions_and_others_are_refused() {
    let fixture = Fixture::new();
    let zsh = fixture.ok(&["completions", "zsh"]).stdout;
    assert!(zsh.starts_with("#compdef cargo-hotswap\n"), "{zsh}");
    // Cargo's completions call this function.
    assert!(zsh.contains("\n_cargo-hotswap() {\n"));
    let fish = fixture.ok(&["completions", "fish"]).stdout;
    for name in ["complete -c cargo-hotswap ", "complete -c cargo -n "] {
        assert!(fish.contains(name), "{name}");
    }
    assert_eq!(fixture.run(&["completions", "csh"]).code, Some(2));
}

#[test]
fn each_command_has_a_manual_page() {
    let fixture = Fixture::new();
    let directory = fixture.root.join("share/man1");
    fixture.ok(&["man", directory.to_str().expect("the path is text")]);
    let help = fixture.ok(&["--help"]).stdout;
    let (_, commands) = help
        .split_once("Commands:\n")
        .expect("it lists the commands");
    let commands = commands.lines().take_while(|line| !line.is_empty());
    // A description may go on in a line that is indented further.
    let commands = commands.filter_map(|line| line.strip_prefix("  "));
    let commands = commands.filter(|line| !line.starts_with(' '));
    let names = commands.filter_map(|line| line.split_whitespace().next());
    let names: Vec<_> = names.filter(|name| *name != "help").collect();
    assert!(names.len() > 5, "{help}");
    let page = |name: &str| {
        let page = std::fs::read_to_string(directory.join(name));
        page.unwrap_or_else(|error| panic!("{name}: {error}"))
    };
    assert!(page("cargo-hotswap.1").contains("running Rust program"));
    for name in names {
        let text = page(&format!("cargo-hotswap-{name}.1"));
        assert!(text.contains(".SH SYNOPSIS"), "{name}");
        assert!(text.contains("cargo hotswap"), "{name}");
    }
}
