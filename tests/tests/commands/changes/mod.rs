//! Tests `cargo hotswap run` on a source tree that changes in all the ways in which real ones do. The host runs the
//! sources on the disk, or the last good build together with the reason.
//!
//! `HOTSWAP_TEST_CHANGES` sets the number of changes, and `HOTSWAP_TEST_SEED` chooses them.
mod tree;

use crate::project::Project;
use crate::running::Running;
use std::fs;
use std::time::Duration;
use tree::{PLACES, Tree};

#[test]
fn what_runs_is_what_is_on_the_disk() {
    let setting = |name, usual| match std::env::var(name) {
        Ok(text) => text.parse().unwrap(),
        Err(_) => usual,
    };
    let seed = setting("HOTSWAP_TEST_SEED", 1);
    let changes = setting("HOTSWAP_TEST_CHANGES", KINDS);
    println!("HOTSWAP_TEST_SEED={seed} HOTSWAP_TEST_CHANGES={changes}");
    let project = Project::new();
    project.plugin_dir("app");
    let tree = Tree::new(&project);
    let host = project.start("ws", &["run"]);
    let mut story = Story {
        said: tree.says().unwrap(),
        tree,
        host,
        numbers: Numbers(seed),
    };
    story.host.until(&story.said);
    // The rare and the bad changes come first, once each, so that a short story has all of them.
    for number in 0..changes {
        let kind = if number < KINDS {
            number
        } else {
            story.numbers.below(KINDS)
        };
        story.change(number, kind);
    }
    story.mend();
}

/// The number of changes that `Story::act` knows.
const KINDS: u64 = 15;

struct Story {
    tree: Tree,
    host: Running,
    /// The lines that the last good build prints.
    said: String,
    numbers: Numbers,
}

impl Story {
    fn change(&mut self, number: u64, kind: u64) {
        self.host.forget();
        let what = self.act(kind);
        println!("{number}: {what}");
        self.settle();
    }

    /// Waits until the host runs the sources on the disk, or until the command has said why it does not.
    fn settle(&mut self) {
        match self.tree.says() {
            Some(says) => {
                if says == self.said {
                    return;
                }
                self.host.until(&says);
                self.said = says;
            }
            None => {
                println!("    which does not build");
                self.host
                    .until_all(&["error", "the host keeps the plugins that it has"]);
                self.host.forget();
                self.host.until(&self.said);
            }
        }
    }

    /// Repairs everything that is broken or missing.
    fn mend(&mut self) {
        self.host.forget();
        if self.tree.says().is_some() {
            return;
        }
        for place in PLACES {
            let file = self.tree.file(place);
            let text = self.tree.read(&file);
            if text.is_none_or(|text| text.contains("broken") || text.contains("missing")) {
                let text = self.tree.next(place);
                // Sometimes the new file is older than the one that it replaces, as from a backup.
                match self.numbers.below(2) {
                    0 => self.tree.put_older(&file, &text, true),
                    _ => self.tree.write(&file, &text),
                }
            }
        }
        if !self.tree.path("more").exists() {
            self.tree.write("more/src/lib.rs", "");
            self.tree.package("more", "");
        }
        if !self.tree.path("app/one/src/extra").exists() {
            self.tree.write("app/one/src/extra/mod.rs", "");
        }
        println!("    everything is repaired");
        assert!(self.tree.says().is_some());
        self.settle();
    }

    fn act(&mut self, kind: u64) -> String {
        let place = PLACES[self.numbers.below(PLACES.len() as u64) as usize];
        let mut file = self.tree.file(place);
        let even = self.numbers.below(2) == 0;
        // Most of the changes need an intact tree, and a place that is broken already cannot be broken again.
        let is_bad = self
            .tree
            .read(&file)
            .is_none_or(|text| text.contains("broken"));
        if kind >= 2 || is_bad {
            self.mend();
            self.host.forget();
            file = self.tree.file(place);
        }
        let text = self.tree.next(place);
        match kind {
            0 => {
                self.tree.write(&file, "broken {");
                if place == PLACES[2] {
                    fs::remove_file(self.tree.path(&file)).unwrap();
                }
                format!("{file} is broken")
            }
            1 => {
                let _ = fs::remove_file(self.tree.path(&file));
                format!("{file} is removed")
            }
            2 => {
                self.tree.put_older(&file, &text, even);
                format!("an older file is put over {file}, moved: {even}")
            }
            3 => {
                let directory = match place {
                    _ if even => file.rsplit_once('/').unwrap().0,
                    _ if place.starts_with("util") => "util",
                    _ => file.split_once('/').map_or("app", |_| &place[..7]),
                };
                let text = if place == PLACES[5] {
                    self.tree.next(PLACES[4])
                } else {
                    text
                };
                let file = if place == PLACES[5] {
                    PLACES[4].to_owned()
                } else {
                    file.clone()
                };
                let times = self.numbers.below(2) == 0;
                self.tree.make_anew(directory, &file, &text, times);
                format!("{directory} is made anew, with the times of its files: {times}")
            }
            4 => {
                let to = if even { "first" } else { "second" };
                let text = self.tree.next(PLACES[5]);
                if self.numbers.below(2) == 0 {
                    self.tree.write(&format!("shared/{to}.rs"), &text);
                }
                self.tree.link(to);
                format!("the link leads to {to}")
            }
            5 => {
                let link = self.tree.path(PLACES[5]).canonicalize().unwrap();
                fs::write(&link, self.tree.next(PLACES[5])).unwrap();
                "the file behind the link is written".into()
            }
            6 => {
                let (one, two) = ("app/one/src/part.rs", "app/one/src/part/mod.rs");
                let text = self.tree.next(PLACES[1]);
                let now = self.tree.file(PLACES[1]);
                let other = if now == one { two } else { one };
                fs::remove_file(self.tree.path(&now)).unwrap();
                if now == two {
                    fs::remove_dir(self.tree.path("app/one/src/part")).unwrap();
                }
                self.tree.write(other, &text);
                format!("{now} becomes {other}")
            }
            7 => {
                self.tree.switch();
                "the other branch".into()
            }
            8 => {
                let _ = fs::remove_dir_all(self.tree.path("app/one/src/extra"));
                let lib = self.tree.next(PLACES[0]);
                self.tree.write(PLACES[0], &format!("mod extra;\n{lib}"));
                "a module that is not there yet".into()
            }
            9 => {
                let _ = fs::remove_dir_all(self.tree.path("more"));
                let manifest = self.tree.read("app/one/Cargo.toml").unwrap();
                let more = "more = { path = \"../../more\" }\n";
                self.tree
                    .write("app/one/Cargo.toml", &(manifest.replace(more, "") + more));
                let lib = self.tree.next(PLACES[0]);
                self.tree.write(PLACES[0], &lib);
                "a dependency that is not there yet".into()
            }
            10 => {
                let temporary = self.tree.path("temporary");
                fs::write(&temporary, &text).unwrap();
                let target = self.tree.path(&file);
                fs::rename(&temporary, target.canonicalize().unwrap()).unwrap();
                format!("{file} is replaced, as editors do it")
            }
            11 => {
                self.tree.configure(even);
                format!("the configuration is there: {even}")
            }
            12 => {
                let other = PLACES[self.numbers.below(PLACES.len() as u64) as usize];
                let other_text = self.tree.next(other);
                let other = self.tree.file(other);
                self.tree.write(&file, &text);
                self.tree.write(&other, &other_text);
                format!("{file} and {other} are written")
            }
            13 => {
                // The second one comes while the first one is built.
                let first = self.tree.next(place);
                self.tree.write(&file, &first);
                std::thread::sleep(Duration::from_millis(20 + self.numbers.below(300)));
                self.tree.write(&file, &text);
                format!("{file} is written twice")
            }
            _ => {
                self.tree.write(&file, &text);
                format!("{file} is written")
            }
        }
    }
}

/// Pseudo-random numbers (SplitMix64). A seed always gives the same ones.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut number = self.0;
        number = (number ^ (number >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        number = (number ^ (number >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (number ^ (number >> 31)) % end
    }
}
