//! Tests the demo `extension` in a copy of the checkout: one of two plugins that fill slots is edited, and state is
//! carried over.
use crate::project::Project;
use crate::running::Running;

const CAT: &str = "demos/extension/cat/src/lib.rs";
const SCALE: &str = "demos/extension/scale/src/lib.rs";

#[test]
fn plugins_fill_slots_and_a_count_goes_on() {
    let project = Project::of_the_checkout();
    project.plugin_dir("extension");
    let often = ["run", "demos/extension", "--", "--interval", "20"];
    let extension = project.start("", &often);
    for line in [
        "--- generation 1 ---",
        "cat = Tom, of cat",
        "unit = grams, of scale",
        "meow 1: 6 grams",
        "meow 2: 6 grams",
    ] {
        extension.until(line);
    }
    project.edit(SCALE, "\"grams\"", "\"ounces\"");
    extension.until("Reloaded cat: unchanged; scale: reloaded");
    for line in [
        "--- generation 2 ---",
        "cat = Tom, of cat",
        "unit = ounces, of scale",
        "ounces",
    ] {
        extension.until(line);
    }
    state_goes_along(&project, &extension);
    extension.signal(libc::SIGINT);
    extension.until("stopped");
    assert_eq!(extension.end(), Some(0));
}

fn state_goes_along(project: &Project, extension: &Running) {
    project.edit(CAT, "\"meow\"", "\"purr\"");
    extension.until("Reloaded cat: reloaded, state handed over (");
    extension.until("--- generation 3 ---");
    extension.until("purr ");
    project.edit(
        CAT,
        "    meows: u64,\n",
        "    meows: u64,\n    #[live_data(default)]\n    letters: u64,\n",
    );
    project.edit(
        CAT,
        "format!(\"{WORD} {}\", diary.meows)",
        "diary.letters += 4;\n        format!(\"{WORD} {} of {} letters\", diary.meows, diary.letters)",
    );
    extension.until("of 4 letters: ");
    // `meow` was the first of the two.
    assert!(extension.has_said("meow 1: "));
    for line in ["purr 1: ", "purr 1 of "] {
        assert!(!extension.has_said(line), "{line}");
    }
}
