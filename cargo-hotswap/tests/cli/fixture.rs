//! A workspace to build in, and ways to run the command on it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use hotswap_host::artifact::Artifact;
use tempfile::TempDir;

/// A workspace with the host `app`, its plugins `world` and `moon` below it, and the crate `util` that both use. Its
/// path has a space in it.
pub struct Fixture {
    _temp: TempDir,
    pub root: PathBuf,
}

impl Fixture {
    pub fn new() -> Self {
        let temp = tempfile::tempdir().expect("a temporary directory");
        let root = temp
            .path()
            .canonicalize()
            .expect("it is there")
            .join("some where");
        let fixture = Self { _temp: temp, root };
        fixture.write("Cargo.toml", "[workspace]\nresolver = \"3\"\nmembers = [\"app\", \"app/world\", \"app/moon\", \"util\"]\n");
        fixture.write(".gitignore", "target\n");
        fixture.package("app", "");
        fixture.write("app/src/main.rs", "fn main() {}\n");
        fixture.package("util", "");
        fixture.write("util/src/lib.rs", "pub fn number() -> u32 { 1 }\n");
        fixture.plugin("app/world", "util = { path = \"../../util\" }");
        fixture.plugin("app/moon", "util = { path = \"../../util\" }");
        fixture
    }

    /// Writes a file and the directories above it.
    pub fn write(&self, path: &str, text: &str) {
        let path = self.root.join(path);
        fs::create_dir_all(path.parent().expect("a file is in a directory"))
            .expect("directories can be made");
        fs::write(path, text).expect("the file can be written");
    }

    pub fn read(&self, path: &str) -> String {
        fs::read_to_string(self.root.join(path)).expect("the file can be read")
    }

    /// Replaces `from`, which must be there, with `to`.
    pub fn edit(&self, path: &str, from: &str, to: &str) {
        let text = self.read(path);
        assert!(text.contains(from), "{path} has no {from:?}");
        self.write(path, &text.replace(from, to));
    }

    /// Writes the Cargo.toml of a package called like its directory.
    pub fn package(&self, directory: &str, dependencies: &str) {
        let name = Path::new(directory)
            .file_name()
            .and_then(|name| name.to_str())
            .expect("a name");
        let head =
            format!("[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n");
        self.write(
            &format!("{directory}/Cargo.toml"),
            &format!("{head}\n[dependencies]\n{dependencies}\n"),
        );
    }

    /// Writes a plugin that answers with a number.
    pub fn plugin(&self, directory: &str, dependencies: &str) {
        self.package(directory, dependencies);
        let name = directory.rsplit('/').next().expect("there is a last part");
        let [unwinds, aborts] = [b"u", b"a"].map(|panic| {
            let metadata = metadata(name, &[], &[], panic);
            let bytes = metadata.escape_ascii();
            format!(
                "static METADATA: [u8; {}] = *b\"{bytes}\";\n",
                metadata.len()
            )
        });
        let section = "#[used]\n#[unsafe(link_section = \".hotswap\")]\n";
        let uses = if dependencies.contains("util") {
            "util::number()"
        } else {
            "0"
        };
        self.write(
            &format!("{directory}/src/lib.rs"),
            &format!(
                "pub struct Plugin;\n\
                 #[rustfmt::plugin]\n\
                 impl Plugin {{\n    pub fn number() -> u32 {{ 40 + {uses} }}\n}}\n\
                 #[unsafe(no_mangle)]\npub extern \"C\" fn number() -> u32 {{ Plugin::number() }}\n\
                 #[cfg(panic = \"unwind\")]\n{section}{unwinds}\
                 #[cfg(panic = \"abort\")]\n{section}{aborts}"
            ),
        );
    }

    /// Makes an artifact that exports these interfaces, each with a number that stands for its version, and imports
    /// what the texts say, each likewise with a number.
    pub fn library(&self, file: &str, name: &str, exports: &[(&str, u8)], imports: &[(&str, u8)]) {
        let metadata = metadata(name, exports, imports, b"u");
        let bytes: Vec<String> = metadata.iter().map(u8::to_string).collect();
        let section = "__attribute__((section(\".hotswap\"), used)) const unsigned char metadata[]";
        let source = format!("{file}.c");
        self.write(&source, &format!("{section} = {{{}}};\n", bytes.join(",")));
        let mut compiler = Command::new("cc");
        compiler.args(["-shared", "-fPIC", "-o", file, &source]);
        let status = compiler.current_dir(&self.root).status();
        assert!(status.expect("there is a C compiler").success());
    }

    /// The command, to be run at `directory`, and not as the tests themselves are run.
    pub fn command(&self, directory: &str, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cargo-hotswap"));
        command
            .args(args)
            .current_dir(self.root.join(directory))
            .env("CARGO_TERM_COLOR", "never");
        for name in [
            "CARGO_TARGET_DIR",
            "CARGO_BUILD_TARGET_DIR",
            "RUSTFLAGS",
            "CARGO_ENCODED_RUSTFLAGS",
            "CARGO_MANIFEST_DIR",
        ] {
            command.env_remove(name);
        }
        command
    }

    /// Runs the command at the root of the workspace.
    pub fn run(&self, args: &[&str]) -> Ran {
        self.run_at("", args)
    }

    pub fn run_at(&self, directory: &str, args: &[&str]) -> Ran {
        Ran::new(
            self,
            self.command(directory, args)
                .output()
                .expect("the command can be started"),
        )
    }

    /// Runs the command at `directory` with one more variable.
    pub fn run_with(&self, directory: &str, args: &[&str], name: &str, value: &str) -> Ran {
        let mut command = self.command(directory, args);
        let output = command.env(name, value).output();
        Ran::new(self, output.expect("the command can be started"))
    }

    /// Runs the command, which must succeed, and returns what it printed.
    pub fn ok(&self, args: &[&str]) -> Ran {
        let ran = self.run(args);
        assert_eq!(ran.code, Some(0), "{args:?}: {}", ran.stderr);
        ran
    }

    pub fn git(&self, args: &[&str]) -> String {
        let mut command = Command::new("git");
        command.args([
            "-c",
            "user.name=Someone",
            "-c",
            "user.email=someone@example.org",
            "-c",
            "commit.gpgsign=false",
        ]);
        let output = command
            .args(args)
            .current_dir(&self.root)
            .output()
            .expect("git can be started");
        assert!(
            output.status.success(),
            "git {args:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// Commits everything and returns the commit.
    pub fn commit(&self) -> String {
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "-m", "a change"]);
        self.git(&["rev-parse", "HEAD"])
    }

    /// Where the artifact of a plugin of `app` is put by default.
    pub fn artifact_path(&self, plugin: &str) -> PathBuf {
        self.root
            .join(format!("target/hotswap/debug/app/lib{plugin}.so"))
    }

    pub fn artifact(&self, plugin: &str) -> Artifact {
        Artifact::read(&self.artifact_path(plugin)).expect("the artifact can be read")
    }

    /// The names of everything in the directory of the artifacts, locks left out.
    pub fn installed(&self) -> Vec<String> {
        let directory = self.root.join("target/hotswap/debug/app");
        let names = fs::read_dir(directory).into_iter().flatten();
        let names = names.map(|entry| {
            entry
                .expect("an entry")
                .file_name()
                .into_string()
                .expect("text")
        });
        let mut names: Vec<String> = names.filter(|name| !name.ends_with("-lock")).collect();
        names.sort();
        names
    }
}

/// What a run of the command printed, without the names of this machine's directories.
pub struct Ran {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Ran {
    pub fn new(fixture: &Fixture, output: Output) -> Self {
        let text = |bytes: &[u8]| {
            let text = String::from_utf8(bytes.to_vec()).expect("the output is text");
            let text = text.replace(fixture.root.to_str().expect("the path is text"), "<root>");
            // Tests run beside each other, and each cargo says so when it waits for another.
            let waits = |line: &&str| {
                line.trim_start()
                    .starts_with("Blocking waiting for file lock")
            };
            let said = text.split_inclusive('\n').filter(|line| !waits(line));
            said.collect::<String>()
        };
        Self {
            code: output.status.code(),
            stdout: text(&output.stdout),
            stderr: text(&output.stderr),
        }
    }

    pub fn lines(&self) -> Vec<&str> {
        self.stdout.lines().collect()
    }
}

/// What `#[plugin]` would put into the library. Each export and import has a number that stands for its version.
fn metadata(
    name: &str,
    exports: &[(&str, u8)],
    imports: &[(&str, u8)],
    panic: &[u8; 1],
) -> Vec<u8> {
    let plugin = format!(
        r#"{{"name":"{name}","version":"0.1.0","crate":"{name}","reloadable":true,"hooks":[],"functions":[{{"name":"number","signature":"fn() -> u32"}}]}}"#
    );
    let build = r#"{"rustc":"rustc 1.0.0","target":"x86_64-unknown-linux-gnu","profile":"debug"}"#;
    let version = hotswap_plugin::contract::VERSION.to_le_bytes();
    let export =
        |(interface, _): &(&str, u8)| format!(r#"{{"interface":"{interface}","signature":""}}"#);
    let list = |items: Vec<String>| format!("[{}]", items.join(","));
    let hashes = |items: &[(&str, u8)]| {
        items
            .iter()
            .flat_map(|(_, n)| [*n; 16])
            .collect::<Vec<u8>>()
    };
    let exported = list(exports.iter().map(export).collect());
    let imported = list(imports.iter().map(|(text, _)| import(text)).collect());
    let parts: [(&[u8; 4], &[u8]); 10] = [
        (b"cont", &version),
        (b"plug", plugin.as_bytes()),
        (b"fnha", &[7; 16]),
        (b"expo", exported.as_bytes()),
        (b"exha", &hashes(exports)),
        (b"impo", imported.as_bytes()),
        (b"imha", &hashes(imports)),
        (b"stat", b""),
        (b"bild", build.as_bytes()),
        (b"pani", panic),
    ];
    let part = |(tag, bytes): (&[u8; 4], &[u8])| {
        let len = u32::try_from(bytes.len())
            .expect("a part is short")
            .to_le_bytes();
        [b"HSWP", &tag[..], &len, bytes].concat()
    };
    parts.into_iter().flat_map(part).collect()
}

/// `alpha Alpha`, `alpha Alpha?` where it is optional, `host Queue` for one of the host's, `alpha` where only the order
/// matters.
fn import(text: &str) -> String {
    let (from, interface) = text.split_once(' ').unwrap_or((text, ""));
    let (kind, provider) = match (from, interface) {
        ("host", _) => ("host", "null".to_owned()),
        (_, "") => ("order_only", format!("\"{from}\"")),
        _ => ("plugin", format!("\"{from}\"")),
    };
    let (interface, optional) = match interface.strip_suffix('?') {
        Some(interface) => (interface, true),
        None => (interface, false),
    };
    let interface = match interface {
        "" => "null".to_owned(),
        interface => format!("\"{interface}\""),
    };
    format!(
        r#"{{"field":"field","from":{provider},"interface":{interface},"kind":"{kind}","optional":{optional}}}"#
    )
}
