//! Tests the demo `slink` in a copy of the checkout: a file asks for the reload, and a host with the plugin linked in
//! refuses it.
use crate::project::Project;
use crate::running::Running;
use hotswap_tests::until;
use std::fs;
use std::path::Path;

const STAIRS: &str = "demos/slink/stairs/src/lib.rs";

#[test]
fn the_stairs_are_loaded_or_linked_in() {
    let project = Project::of_the_checkout();
    project.plugin_dir("slink");
    let requests = project.root.join("requests");
    loaded(&project, &requests);
    linked_in(&project, &requests);
}

/// Starts the demo with this option.
fn start(project: &Project, option: &str, requests: &Path) -> Running {
    let requests = requests.to_str().unwrap();
    let own = ["--", "--interval", "20", "--requests", requests];
    project.start("", &[&["run", option, "demos/slink"], &own[..]].concat())
}

/// Asks for a reload by writing a file, and waits until the host has taken the request.
fn ask(requests: &Path) {
    let file = requests.join("reload");
    fs::write(&file, "").unwrap();
    until("the request to be taken up", || !file.exists());
}

fn loaded(project: &Project, requests: &Path) {
    let slink = start(project, "--no-watch", requests);
    for line in [
        "stairs: loaded: build",
        "on_start: 5 steps",
        "the plugin is loaded; ",
    ] {
        slink.until(line);
    }
    slink.until("    (((((");
    project.edit(STAIRS, "HEIGHT: u32 = 5", "HEIGHT: u32 = 3");
    project.ok("", &["build", "demos/slink"]);
    ask(requests);
    slink.until("on_start: 3 steps");
    slink.until("stairs: reloaded");
    slink.signal(libc::SIGINT);
    slink.until("stopped");
    assert_eq!(slink.end(), Some(0));
}

fn linked_in(project: &Project, requests: &Path) {
    // This file was there before the program started.
    fs::write(requests.join("reload"), "").unwrap();
    let slink = start(project, "--static", requests);
    for line in ["stairs: linked in: build", "on_start: 3 steps"] {
        slink.until(line);
    }
    slink.until_all(&["the plugin is linked in; ", "none can be reloaded"]);
    slink.until("    (((((");
    ask(requests);
    slink.until("none can be reloaded");
    slink.signal(libc::SIGUSR1);
    slink.until("none can be reloaded");
    let reload = project.ran("", &["reload", "demos/slink"]);
    assert_eq!(reload.code, Some(1));
    assert!(
        reload.stdout.contains("so none can be reloaded"),
        "{}",
        reload.stdout
    );
    slink.until("none can be reloaded");
    slink.signal(libc::SIGINT);
    for line in ["stairs: on_stop", "stairs: on_free", "stopped"] {
        slink.until(line);
    }
    assert_eq!(slink.end(), Some(0));
}
