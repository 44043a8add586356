//! Executes the Dockerfiles of the demo `web` without Docker, and runs their images: each `RUN` in a root of this
//! distribution, and the containers as their own user, with a read-only root. The test has a mount namespace and a process
//! namespace of its own, and is root in it.
mod container;
mod dockerfile;
mod image;
mod root;

use container::{Container, filled, listening, page, until_page};
use hotswap_tests::{fixture, run, until};
use image::Image;
use root::Space;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const TITLE: &str = "The guestbook";

#[test]
fn the_images_can_be_built_and_run() {
    let is_root = run(Command::new("id").arg("-u")).stdout == b"0\n";
    let mut command = Command::new(if is_root { "env" } else { "sudo" });
    if !is_root {
        command.arg("--non-interactive");
        command.arg("--preserve-env");
    }
    command.args([
        "unshare",
        "--mount",
        "--pid",
        "--fork",
        "--kill-child",
        "--mount-proc",
    ]);
    command.args(["--propagation", "private"]);
    command.arg(std::env::current_exe().unwrap());
    let output = run(command.args(["--exact", "inside", "--ignored", "--nocapture"]));
    assert!(String::from_utf8_lossy(&output.stdout).contains("1 passed"));
}

#[test]
#[ignore = "runs in namespaces of its own, in which the other test starts it"]
fn inside() {
    if std::process::id() != 1 {
        return;
    }
    let space = Space::new();
    let profile = [("PROFILE", "dev")];
    let images = image::build(&space, "Dockerfile", &profile);
    production(&space, &images[""]);
    drop(images);
    let images = image::build(&space, "dev.Dockerfile", &profile);
    development(&space, &images[""]);
}

/// Runs the image that its Dockerfile makes, with the options that its comment names.
fn production(space: &Space, image: &Image) {
    let plugins = space.dir("plugins");
    filled(image, "/app/plugins", &plugins);
    let volumes = |name: &str| {
        assert_eq!(name, "web-plugins");
        plugins.clone()
    };
    let options = image::dockerfile("Dockerfile").command(&["docker", "run"], "web");
    let listen = ["--listen", "127.0.0.1:0"];
    assert_eq!(image.arguments, ["--listen", "0.0.0.0:3000"]);

    let mut web = Container::run(space, image, "web", &options, &volumes, &listen);
    assert!(page(web.address).contains(TITLE));
    until("it is healthy", || web.health().0 == Some(0));
    assert_eq!(web.health(), (Some(0), String::new()));
    is_confined(&web);

    // A new build is put into the volume from outside.
    swap(&plugins, "The gu_stbook");
    assert_eq!(reload(&web), "guestbook: unchanged; pages: reloaded");
    assert!(page(web.address).contains("The gu_stbook"));

    // What is out of service makes the container unhealthy.
    assert!(
        web.exec(&["cargo-hotswap", "drain", "pages"])
            .status
            .success()
    );
    until("it is unhealthy", || web.health().0 == Some(1));
    let (_, text) = web.health();
    assert!(text.contains("pages"), "{text}");
    assert!(
        web.exec(&["cargo-hotswap", "resume", "pages"])
            .status
            .success()
    );
    until("it is healthy again", || web.health().0 == Some(0));

    web.stop();
    let (code, text) = web.health();
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("no running host"), "{text}");

    // Without `exec`, the copies are in memory.
    let without = options.iter().map(|option| option.replace("exec,", ""));
    let without: Vec<_> = without.collect();
    let mut web = Container::run(space, image, "web-noexec", &without, &volumes, &listen);
    swap(&plugins, "The gue_tbook");
    let report = reload(&web);
    assert!(
        report.contains("its private copy is in memory") && report.contains("mounted noexec"),
        "{report}"
    );
    assert!(page(web.address).contains("The gue_tbook"));
    web.stop();
}

/// Reloads from inside, and returns the report.
fn reload(web: &Container<'_>) -> String {
    let output = web.exec(&["cargo-hotswap", "reload", "--host", "web"]);
    assert!(output.status.success(), "{output:?}: {}", web.written());
    String::from_utf8(output.stdout)
        .unwrap()
        .trim_end()
        .to_owned()
}

/// Replaces the plugin `pages` by a build with this title.
fn swap(plugins: &Path, title: &str) {
    let file = plugins.join(fixture::file_name("web-pages"));
    let library = fs::read(&file).unwrap();
    let present = ["The guestbook", "The gu_stbook"];
    let present = present.into_iter().find(|title| {
        library
            .windows(title.len())
            .any(|text| text == title.as_bytes())
    });
    let next = fixture::variant(&library, present.unwrap(), title);
    fixture::install(&next, "web-pages", plugins);
}

/// Checks that the container can write nowhere but where it has to, and can start no program from there.
fn is_confined(web: &Container<'_>) {
    let shell = |script: &str| {
        let output = web.exec(&["/bin/sh", "-c", script]);
        let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        (output.status.success(), text)
    };
    assert_eq!(
        shell("id -u; id -g; id -G"),
        (true, "10001\n10001\n10001\n".into())
    );
    for path in [
        "/x",
        "/app/x",
        "/app/plugins/x",
        "/etc/passwd",
        "/usr/local/bin/web",
    ] {
        let (done, text) = shell(&format!("echo >> {path}"));
        assert!(!done, "{path} can be written: {text}");
    }
    let (done, text) = shell("cp /bin/true /tmp/x && /tmp/x");
    assert!(!done && text.contains("Permission denied"), "{text}");
    let (done, text) = shell("cp /bin/true /app/plugins/x");
    assert!(!done, "{text}");
    let (done, text) = shell("ls /run/hotswap/*/");
    assert!(done && text.contains(".so"), "{text}");
}

/// Runs the image for development with sources outside of it, and edits them.
fn development(space: &Space, image: &Image) {
    // The volume has what the image has.
    let sources = image.root.path("/src");
    image::target(space, &sources.join("target"));
    let options = image::dockerfile("dev.Dockerfile").command(&["docker", "run"], "--poll");
    let (_, arguments) =
        options.split_at(options.iter().position(|word| word == "web-dev").unwrap() + 1);
    let arguments = arguments
        .iter()
        .map(|word| word.replace("0.0.0.0:3000", "127.0.0.1:0"));
    let words: Vec<_> = image.entrypoint.iter().cloned().chain(arguments).collect();
    let env = [&image.env[..], &image::quick()].concat();
    let mut command = image
        .root
        .command(image.user.as_deref(), &image.dir, &env, &words);
    let (mut process, address, written) = listening(&mut command);
    assert!(page(address).contains(TITLE));
    let source: PathBuf = sources.join("demos/web/pages/src/lib.rs");
    let text = fs::read_to_string(&source).unwrap();
    fs::write(&source, text.replace(TITLE, "Who was here")).unwrap();
    until_page(address, "Who was here");
    until("the report", || {
        written.lock().unwrap().contains("pages: reloaded")
    });
    run(Command::new("kill").arg(process.id().to_string()));
    process.wait().unwrap();
}
