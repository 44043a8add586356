//! Builds images as Docker does, in roots.
use crate::dockerfile::{Dockerfile, Instruction, Stage};
use crate::root::{Root, Space, bind, made};
use hotswap_tests::{fixture, run};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// An image.
pub struct Image {
    pub root: Root,
    pub env: Vec<(String, String)>,
    pub dir: String,
    pub user: Option<String>,
    pub volumes: Vec<String>,
    pub entrypoint: Vec<String>,
    pub arguments: Vec<String>,
    pub health: Vec<String>,
}

fn checkout() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().unwrap().to_owned()
}

/// Returns the Dockerfile with this name, which lies in the directory of the demo.
pub fn dockerfile(name: &str) -> Dockerfile {
    Dockerfile::read(&checkout().join("demos/web").join(name))
}

/// Builds the last stage of a Dockerfile, and returns all of its stages by their names. That of the last one is empty.
///
/// `args` are build arguments.
pub fn build(space: &Space, name: &str, args: &[(&str, &str)]) -> BTreeMap<String, Image> {
    let mut built = BTreeMap::new();
    for (number, stage) in dockerfile(name).stages.iter().enumerate() {
        let mut image = begin(space, &stage.from, &format!("{name}-{number}"));
        let building = Building {
            space,
            dockerfile: name,
            built: &built,
            args,
        };
        building.stage(stage, &mut image);
        built.insert(stage.name.clone().unwrap_or_default(), image);
    }
    built
}

/// Returns the image of Debian or of Rust, by a root.
fn begin(space: &Space, from: &str, name: &str) -> Image {
    let kind = match from {
        "debian:bookworm-slim" => "base",
        "rust:1-slim-bookworm" => "rust",
        other => panic!("there is no root for {other}"),
    };
    let of = made().join(kind);
    assert!(
        of.is_dir(),
        "{} is missing; `tests/run --setup` makes it",
        of.display()
    );
    let root = space.root(&of, name);
    let mut env = vec![("PATH".to_owned(), PATH.to_owned())];
    if kind == "rust" {
        let home = |variable, default| {
            let home = Path::new(&std::env::var_os("HOME").unwrap()).join(default);
            std::env::var_os(variable).map_or(home, PathBuf::from)
        };
        bind(
            &home("RUSTUP_HOME", ".rustup"),
            &root.path("/usr/local/rustup"),
        );
        // At its own path, since Cargo compiles crates again that have moved.
        let cargo = home("CARGO_HOME", ".cargo");
        let path = cargo.to_str().unwrap();
        space.copy_on_write(&cargo, &format!("{name}-cargo"), &root.path(path));
        env = vec![
            ("PATH".into(), format!("{path}/bin:{PATH}")),
            ("CARGO_HOME".into(), path.into()),
            ("RUSTUP_HOME".into(), "/usr/local/rustup".into()),
        ];
    }
    Image {
        root,
        env,
        dir: "/".into(),
        user: None,
        volumes: Vec::new(),
        entrypoint: Vec::new(),
        arguments: Vec::new(),
        health: Vec::new(),
    }
}

struct Building<'a> {
    space: &'a Space,
    dockerfile: &'a str,
    built: &'a BTreeMap<String, Image>,
    args: &'a [(&'a str, &'a str)],
}

impl Building<'_> {
    fn stage(&self, stage: &Stage, image: &mut Image) {
        let mut args = Vec::new();
        for instruction in &stage.instructions {
            let text = &instruction.text;
            match &*instruction.name {
                "ARG" => {
                    let (name, default) = text.split_once('=').unwrap();
                    let given = self.args.iter().find(|(arg, _)| *arg == name);
                    let value = given.map_or(default, |(_, value)| value);
                    args.push((name.to_owned(), value.to_owned()));
                }
                "ENV" => image.env.extend(text.split(' ').map(|variable| {
                    let (name, value) = variable.split_once('=').unwrap();
                    (name.to_owned(), value.to_owned())
                })),
                "WORKDIR" => {
                    fs::create_dir_all(image.root.path(text)).unwrap();
                    image.dir.clone_from(text);
                }
                "COPY" => self.copy(instruction, image),
                "RUN" => self.run(instruction, image, &args),
                "VOLUME" => image.volumes.push(text.clone()),
                "USER" => image.user = Some(text.clone()),
                "ENTRYPOINT" => image.entrypoint = instruction.list(),
                "CMD" => image.arguments = instruction.list(),
                "HEALTHCHECK" => image.health = instruction.list(),
                "EXPOSE" => {}
                other => panic!("the tests do not know {other}"),
            }
        }
    }

    fn copy(&self, instruction: &Instruction, image: &Image) {
        let (from, to) = instruction.text.split_once(' ').unwrap();
        let (source, ignored) = match &*instruction.options {
            [] => {
                let list = format!("demos/web/{}.dockerignore", self.dockerfile);
                let list = fs::read_to_string(checkout().join(list)).unwrap();
                (
                    checkout().join(from),
                    list.lines().map(str::to_owned).collect(),
                )
            }
            [option] => {
                let stage = option.strip_prefix("--from=").unwrap();
                (self.built[stage].root.path(from), Vec::new())
            }
            more => panic!("{more:?}"),
        };
        let to = image.root.path(&format!(
            "{}/{to}",
            if to.starts_with('/') { "" } else { &image.dir }
        ));
        fs::create_dir_all(&to).unwrap();
        let mut pack = Command::new("tar");
        pack.arg("-C")
            .arg(&source)
            .args(["--anchored", "--owner=0", "--group=0"]);
        pack.args(ignored.iter().map(|path| format!("--exclude=./{path}")));
        let mut packed = pack
            .args(["-cf", "-", "."])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut unpack = Command::new("tar");
        unpack.arg("-C").arg(&to).args(["-xf", "-"]);
        run(unpack.stdin(packed.stdout.take().unwrap()));
        assert!(packed.wait().unwrap().success());
    }

    fn run(&self, instruction: &Instruction, image: &Image, args: &[(String, String)]) {
        let mut mounted = Vec::new();
        for option in &instruction.options {
            match option.strip_prefix("--mount=type=cache,target=").unwrap() {
                // The root has the crates of this machine.
                "/usr/local/cargo/registry" => {}
                "/src/target" => {
                    let at = image.root.path("/src/target");
                    target(self.space, &at);
                    mounted.push(at);
                }
                other => panic!("the tests do not know the cache {other}"),
            }
        }
        let words = ["/bin/sh", "-c", &instruction.text].map(str::to_owned);
        let env = [&image.env[..], args, &quick()].concat();
        run(&mut image
            .root
            .command(image.user.as_deref(), &image.dir, &env, &words));
        for at in mounted.iter().flat_map(|at| [at.join("debug"), at.clone()]) {
            run(Command::new("umount").arg(at));
        }
    }
}

/// Mounts a target directory with the dependencies that this machine has compiled. It remembers what is compiled.
pub fn target(space: &Space, at: &Path) {
    bind(&space.dir("target"), at);
    let compiled = fixture::target().with_file_name("debug");
    fs::create_dir_all(&compiled).unwrap();
    space.copy_on_write(&compiled, "compiled", &at.join("debug"));
}

/// The settings of Cargo: there is no network.
pub fn quick() -> [(String, String); 2] {
    [("CARGO_NET_OFFLINE", "true"), ("CARGO_INCREMENTAL", "0")]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
}
