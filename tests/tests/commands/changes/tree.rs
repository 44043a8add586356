//! A workspace whose plugins print values from their sources. A look at the disk tells which values they have to print.
use crate::project::{Project, checkout};
use std::fs::{self, File};
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, SystemTime};

/// The places that have a value: each is a constant in a source, or the text of an included file.
pub const PLACES: [&str; 6] = [
    "app/one/src/lib.rs",
    "app/one/src/part.rs",
    "app/one/data/text",
    "util/src/lib.rs",
    "app/two/src/lib.rs",
    "app/two/src/linked.rs",
];

const CONFIG: &str = ".cargo/config.toml";

const ONE: &str = r#"use hotswap_plugin::prelude::*;
mod part;
pub const VALUE: &str = "@";
#[derive(Default)]
pub struct One;
#[plugin]
impl One {
    #[invoke]
    pub fn say(&self) -> String {
        let text = include_str!("../data/text").trim();
        let configured = option_env!("CONFIGURED").unwrap_or("unset");
        format!("{VALUE} {} {text} {configured} {}", part::VALUE, util::VALUE)
    }
}
"#;

const TWO: &str = r#"use hotswap_plugin::prelude::*;
mod linked;
pub const VALUE: &str = "@";
#[derive(Default)]
pub struct Two;
#[plugin]
impl Two {
    #[invoke]
    pub fn say(&self) -> String {
        format!("{} {VALUE} {}", util::VALUE, linked::VALUE)
    }
}
"#;

const APP: &str = r#"use hotswap_host::{prelude::*, signal};
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let swapper = Swapper::builder().open()?;
    let one: Function<fn() -> String> = swapper.function("one", "say")?;
    let two: Function<fn() -> String> = swapper.function("two", "say")?;
    let _listener = signal::reload_on(signal::USUAL, &swapper)?;
    loop {
        let pin = swapper.pin();
        println!("says {} {}.", one.on(&pin)?.call()?, two.on(&pin)?.call()?);
        drop(pin);
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}
"#;

/// The workspace in the directory `ws` of a project.
pub struct Tree {
    pub root: PathBuf,
    values: usize,
}

impl Tree {
    pub fn new(project: &Project) -> Self {
        let root = project.root.join("ws");
        let mut tree = Tree { root, values: 0 };
        let dependency =
            |name: &str| format!("{name} = {{ path = {:?} }}\n", checkout().join(name));
        let util = "util = { path = \"../../util\" }\n";
        tree.write("Cargo.toml", "[workspace]\nresolver = \"3\"\nmembers = [\"app\", \"app/one\", \"app/two\", \"util\"]\n");
        tree.write(".gitignore", "Cargo.lock\n");
        tree.package("app", &dependency("hotswap-host"));
        tree.package("app/one", &(dependency("hotswap-plugin") + util));
        tree.package("app/two", &(dependency("hotswap-plugin") + util));
        tree.package("util", "");
        tree.write("app/src/main.rs", APP);
        for place in PLACES {
            let text = tree.next(place);
            tree.write(place, &text);
        }
        fs::create_dir_all(tree.path("shared")).unwrap();
        fs::rename(tree.path(PLACES[5]), tree.path("shared/first.rs")).unwrap();
        let second = tree.next(PLACES[5]);
        tree.write("shared/second.rs", &second);
        tree.link("first");
        tree.git(&["init", "-q", "-b", "left"]);
        tree.commit();
        tree.git(&["branch", "right"]);
        project.lock("ws");
        tree
    }

    pub fn path(&self, path: &str) -> PathBuf {
        self.root.join(path)
    }

    pub fn write(&self, path: &str, text: &str) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub fn read(&self, path: &str) -> Option<String> {
        fs::read_to_string(self.path(path)).ok()
    }

    pub fn package(&self, directory: &str, dependencies: &str) {
        let name = directory.rsplit('/').next().unwrap();
        let head =
            format!("[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n");
        let text = format!("{head}\n[dependencies]\n{dependencies}");
        self.write(&format!("{directory}/Cargo.toml"), &text);
    }

    /// The source text of a place, with a value that it never had before.
    pub fn next(&mut self, place: &str) -> String {
        self.values += 1;
        let value = format!("v{}", self.values);
        match place {
            "app/one/src/lib.rs" => ONE.replace('@', &value),
            "app/two/src/lib.rs" => TWO.replace('@', &value),
            _ if place.ends_with(".rs") => format!("pub const VALUE: &str = \"{value}\";\n"),
            _ => format!("{value}\n"),
        }
    }

    /// Returns the path of a place's file: a module may be in either of two files.
    pub fn file(&self, place: &str) -> String {
        let other = place.replace("part.rs", "part/mod.rs");
        if self.path(&other).exists() {
            other
        } else {
            place.to_owned()
        }
    }

    /// Writes the text to a file that is older than every build, and moves that file into place, or copies it with its
    /// time.
    pub fn put_older(&self, file: &str, text: &str, is_moved: bool) {
        self.write("older", text);
        let older = self.path("older");
        let days = Duration::from_secs(3 * 24 * 60 * 60);
        let time = SystemTime::now() - days;
        File::options()
            .write(true)
            .open(&older)
            .unwrap()
            .set_modified(time)
            .unwrap();
        if is_moved {
            fs::rename(&older, self.path(file)).unwrap();
        } else {
            self.run(
                Command::new("cp")
                    .arg("-p")
                    .arg(&older)
                    .arg(self.path(file)),
            );
            fs::remove_file(older).unwrap();
        }
    }

    /// Makes a directory again, with this text in one of its files. If `times` is set, all files keep their times.
    pub fn make_anew(&self, directory: &str, file: &str, text: &str, times: bool) {
        let (there, aside) = (self.path(directory), self.path("aside"));
        fs::rename(&there, &aside).unwrap();
        let options = if times { "-a" } else { "-rd" };
        self.run(Command::new("cp").arg(options).arg(&aside).arg(&there));
        if times {
            self.put_older(file, text, true);
        } else {
            self.write(file, text);
        }
        fs::remove_dir_all(aside).unwrap();
    }

    /// Points the link to this file of `shared`.
    pub fn link(&self, to: &str) {
        let link = self.path(PLACES[5]);
        let _ = fs::remove_file(&link);
        std::os::unix::fs::symlink(format!("../../../shared/{to}.rs"), link).unwrap();
    }

    /// Sets the variable that one of the plugins prints, in Cargo's configuration, or removes the configuration.
    pub fn configure(&mut self, is_set: bool) {
        self.values += 1;
        if is_set {
            let text = format!("[env]\nCONFIGURED = \"c{}\"\n", self.values);
            self.write(CONFIG, &text);
        } else {
            let _ = fs::remove_dir_all(self.path(".cargo"));
        }
    }

    pub fn commit(&self) {
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "--allow-empty", "-m", "a change"]);
    }

    /// Switches to the other branch.
    pub fn switch(&self) {
        self.commit();
        let head = fs::read_to_string(self.path(".git/HEAD")).unwrap();
        let other = if head.contains("left") {
            "right"
        } else {
            "left"
        };
        self.git(&["checkout", "-q", "-f", other]);
    }

    fn git(&self, args: &[&str]) {
        let mut git = Command::new("git");
        git.args([
            "-c",
            "user.name=Someone",
            "-c",
            "user.email=someone@example.org",
        ]);
        self.run(git.args(["-c", "commit.gpgsign=false"]).args(args));
    }

    fn run(&self, command: &mut Command) {
        let output = command.current_dir(&self.root).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{command:?}: {said}");
    }

    /// Returns the line that the plugins have to print, or `None` if the tree does not build.
    pub fn says(&self) -> Option<String> {
        let mut values = vec![];
        for place in PLACES {
            let text = self.read(&self.file(place))?;
            if text.contains("broken") || text.contains("missing") {
                return None;
            }
            let value = match text.split_once("VALUE: &str = \"") {
                Some((_, rest)) => rest.split('"').next()?.to_owned(),
                None => text.trim().to_owned(),
            };
            values.push(value);
        }
        let manifest = self.read("app/one/Cargo.toml")?;
        if manifest.contains("more") && !self.path("more/src/lib.rs").exists() {
            return None;
        }
        if text_of_extra(&self.read(&self.file(PLACES[0]))?)
            && !self.path("app/one/src/extra/mod.rs").exists()
        {
            return None;
        }
        let [lib, part, text, util, two, linked] = &values[..] else {
            return None;
        };
        let config = self.read(CONFIG).unwrap_or_default();
        let configured = config.split('"').nth(1).unwrap_or("unset");
        Some(format!(
            "says {lib} {part} {text} {configured} {util} {util} {two} {linked}."
        ))
    }
}

fn text_of_extra(lib: &str) -> bool {
    lib.contains("mod extra;")
}
