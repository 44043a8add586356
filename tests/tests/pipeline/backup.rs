//! The commands of the chapter about backups, as they stand there.
use crate::support::{checked, host, orders};
use hotswap_host::ReloadOptions;
use hotswap_operate::History;
use hotswap_tests::fixture;
use std::path::Path;
use std::process::Command;

/// Returns the commands of the block behind this comment.
fn commands(comment: &str) -> String {
    let chapter = fixture::workspace().join("../../book/src/backup.md");
    let text = std::fs::read_to_string(chapter).unwrap();
    let begin = format!("<!-- {comment} -->\n```console\n");
    let (_, rest) = text.split_once(&begin).expect("the block is there");
    let (block, _) = rest.split_once("```").unwrap();
    let commands = block.lines().filter_map(|line| line.strip_prefix("$ "));
    commands.map(|command| format!("{command}\n")).collect()
}

/// Runs them with other directories and another build than those of the chapter. Returns what they print.
fn run(commands: &str, state: &Path, dir: &Path, build: &str) -> String {
    let command = fixture::hotswap();
    let command = command.get_program().to_str().unwrap();
    let script = commands
        .replace("cargo hotswap", &format!("{command} hotswap"))
        .replace("/var/lib/shop", state.to_str().unwrap())
        .replace("/backup/shop", dir.join("backup").to_str().unwrap())
        .replace("1a2b3c4d", build);
    let output = Command::new("sh")
        .args(["-euxc", &script])
        .current_dir(dir)
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_living_host_is_copied_and_restored_as_the_book_says() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let state = dir.join("state");
    let open = |state: &Path, build: &[u8]| {
        let history = History::open(state).unwrap();
        let stage = host(build, |builder| {
            let options = ReloadOptions::development();
            builder.journal(history.clone()).reload_options(options)
        });
        (stage, history)
    };
    let (stage, _history) = open(&state, &checked("first"));
    stage.swap("checked", &checked("second"));
    let [first, second] = ["first", "second"].map(|it| fixture::build_id(&checked(it)).short());

    let told = run(&commands("the host lives"), &state, dir, &first);
    assert!(
        told.starts_with("2 builds are whole\nnothing was recorded yet\n"),
        "{told}"
    );
    let told = run(&commands("a build is taken out"), &state, dir, &first);
    assert!(told.contains(&format!("checked {first}")), "{told}");
    let exported = std::fs::read(dir.join("libtill.so")).unwrap();
    assert_eq!(exported, checked("first"));
    // What happens now is not in the copy.
    stage.swap("checked", &checked("third"));
    stage.close();

    let other = dir.join("other");
    let told = run(&commands("the host is restored"), &other, dir, &first);
    assert!(told.starts_with("2 builds are whole\n"), "{told}");
    assert!(told.contains(&second), "{told}");
    let (stage, history) = open(&other, &checked("second"));
    assert_eq!(orders(&stage), "second");
    history.rollback(&stage.swapper, 1).unwrap();
    assert_eq!(orders(&stage), "first");
    stage.close();
}
