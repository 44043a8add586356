//! Tests the demo `livex` in a copy of the checkout: jobs of each kind are queued, and the plugin is changed as the
//! README says.
use crate::project::{Project, checkout};
use livex::queue::Jobs;
use std::fs;

const SOURCE: &str = "demos/livex/office/src/lib.rs";

/// The change that the README shows, as pairs of old and new text.
fn changes() -> Vec<(String, String)> {
    let readme = fs::read_to_string(checkout().join("demos/livex/README.md")).unwrap();
    let (_, block) = readme
        .split_once("```diff\n")
        .expect("the README has a diff");
    let (block, _) = block.split_once("```").expect("the diff has an end");
    let hunks = block.split("@@").skip(1);
    let side = |hunk: &str, sign: char| {
        let lines = hunk.lines().skip(1).filter_map(|line| {
            let text = line.strip_prefix(' ').or_else(|| line.strip_prefix(sign))?;
            Some(text.to_owned() + "\n")
        });
        lines.collect::<String>()
    };
    hunks
        .map(|hunk| (side(hunk, '-'), side(hunk, '+')))
        .collect()
}

/// Makes all changes at once, as an editor does that saves everything.
fn change(project: &Project) {
    let file = project.root.join(SOURCE);
    let mut source = fs::read_to_string(&file).unwrap();
    let changes = changes();
    assert_eq!(changes.len(), 4);
    for (from, to) in changes {
        assert_eq!(source.matches(&from).count(), 1, "{from}");
        source = source.replace(&from, &to);
    }
    let temporary = file.with_extension("tmp");
    fs::write(&temporary, source).unwrap();
    fs::rename(&temporary, &file).unwrap();
}

#[test]
fn the_queue_survives_the_change_of_its_readme() {
    let project = Project::of_the_checkout();
    project.plugin_dir("livex");
    let queue = project.root.join("queue");
    let queue_file = queue.to_str().unwrap();
    let often = ["--", "--interval", "20", "--queue", queue_file];
    let livex = project.start("", &[&["run", "demos/livex"], &often[..]].concat());
    livex.until("--- generation 1 ---");
    livex.until_all(&[
        "job 1, Call of version 1: day 1: roll_call of the library: Cleo",
        "job 3, Fire of version 1: day 3: fire in the kitchen, Ada and Ben left",
        "job 2, Fire of version 1: day 2: fire in the tower, nobody left",
    ]);

    change(&project);
    livex.until("Reloaded office: reloaded");
    livex.until("--- generation 2 ---");
    livex.until_all(&[
        // The second version does the jobs that the first one has queued: some at once, and some when their time has
        // come.
        ": 1 bells in the tower, nobody left",
        "roll_call of the library: Dan",
        ": 2 bells in the kitchen, Ada and Ben left",
        ": 2 bells in the tower, nobody left",
    ]);
    livex.signal(libc::SIGINT);
    livex.until("stopped");
    assert_eq!(livex.end(), Some(0));
    let read = || Jobs::read(&fs::read(&queue).unwrap()).unwrap().0;
    let before = read();
    for (day, result) in &before.done {
        assert!(result.starts_with(&format!("day {day}: ")), "{result}");
    }
    // The next process goes on where the first one stopped.
    let days = (before.queued() + 6).to_string();
    let run = ["run", "--no-watch", "-q", "demos/livex"];
    let end = ["--days", &*days];
    project.ok("", &[&run[..], &often[..], &end[..]].concat());
    let after = read();
    assert!(after.waiting.is_empty(), "{:?}", after.waiting);
    assert_eq!(after.done.len().to_string(), days);
    assert!(
        before
            .done
            .iter()
            .all(|(day, result)| after.done[day] == *result)
    );

    // The plugin's own tests still pass.
    let test = project.cargo("", &["test", "-p", "livex-office"]).output();
    let test = test.unwrap();
    let said = String::from_utf8_lossy(&test.stderr);
    assert!(test.status.success(), "{said}");
    assert!(!said.contains("warning"), "{said}");
}
