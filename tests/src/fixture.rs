//! The plugins in `tests/fixtures`. `cargo hotswap build` builds them when a test first asks for them.
use crate::odd;
use hotswap_host::artifact::{Artifact, BuildId};
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::BufRead;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

/// The symbols that each plugin's library defines for itself, and that no program with a linked plugin defines.
///
/// There is one more, `pthread_atfork`: the C library gives a copy of it to every program that calls it.
pub const SHIM: [&str; 16] = [
    "__cxa_atexit",
    "__cxa_thread_atexit_impl",
    "__register_atfork",
    "__sigaction",
    "__sysv_signal",
    "bsd_signal",
    "getenv",
    "pthread_create",
    "pthread_key_create",
    "pthread_key_delete",
    "pthread_setspecific",
    "sigaction",
    "signal",
    "sigset",
    "ssignal",
    "sysv_signal",
];

/// A way to build the fixtures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Build {
    /// The fixtures as they are.
    First,
    /// A later version of the sources: `probe`, `alpha`, `guest`, and `ledger`.
    Later,
    /// `stateful`, which has state, `visitor` and `importer`, which use it, and `stateless`, which is `stateful` without its state.
    Stateful,
    /// `stateful` with a later version of its state.
    StatefulLater,
    /// `stateful` with a state of another type.
    StatefulOther,
    /// `link` as the first of its chain.
    Head,
    /// `probe` with an allocator that marks its memory.
    Tagged,
    /// The later version, with another mark.
    LaterTagged,
    /// `probe` by the nightly compiler, which `HOTSWAP_TEST_NIGHTLY` names.
    Nightly,
    /// `probe` as `cargo rustc` builds it with panics that abort, which `cargo hotswap build` refuses to do.
    Aborting,
    /// `probe` without one of the symbols that it needs.
    Orphan,
    /// `probe` with a dependency on a library that does not exist.
    Needy,
    /// `probe` with an older version of the contract between host and plugin.
    OldContract,
    /// `node`, which imports two plugins if they are there.
    Node,
    /// `node`, which needs two more plugins.
    NodeNeeds,
    /// `node`, which comes after another plugin.
    NodeWaits,
    /// `node` with both of these.
    NodeNeedsWaits,
    /// `office`, which has live functions and types.
    Live,
    /// `office` where one of the functions has another signature.
    LiveLater,
    /// The same without a migration down.
    LiveOneWay,
    /// `office` without that function.
    LiveWithout,
    /// `office` with two functions of one name.
    LiveTwice,
    /// `cat`, which puts values and objects into its generation.
    Cat,
    /// `cat` with a later version of the crate that it shares with its host.
    CatLater,
    /// `counting-cat`, whose state is carried over.
    CountingCat,
    /// `dreamer` and `sleeper`, which have `async` functions.
    Async,
    /// `env-writer`, which changes the environment.
    EnvWriter,
    /// `bell`, which handles signals.
    Bell,
    /// `diary`, which has its own copy of SQLite.
    Diary,
    /// `diary` where no hook closes the database, and a file beside it is the lock.
    DiaryDotfile,
    /// `castor`, which awaits objects of other plugins.
    Twins,
    /// `castor` with tokio.
    TwinsTokio,
    /// The plugins of the demo `trine`.
    Trine,
    /// The plugin of the demo `livex`.
    Livex,
    /// A later version of the plugin of `livex`.
    LivexLater,
    /// The plugins of the demo `web`.
    Web,
    /// `zoo`, which does what plugins do with the standard library.
    Zoo,
    /// `zoo` by the nightly compiler.
    ZooNightly,
    /// `zoo-crates`, which does what plugins do with other people's crates.
    ZooCrates,
    /// `zoo-c`, which does what plugins do with C code.
    ZooC,
    /// `zoo-c` with C++ code.
    ZooCpp,
    /// `zoo-c` with its own copy of the C++ library.
    ZooCppStatic,
    /// `zoo-c` with a timer that calls back.
    ZooTimer,
    /// `zoo-c` with a thread-specific value of C11.
    ZooTss,
    /// `zoo-c` with static thread-local memory.
    ZooStaticTls,
    /// `zoo-c` with a dependency on a second library.
    ZooSecond,
    /// `zoo-c` with a constructor that registers something with the C library.
    ZooEarly,
    /// `zoo-c` with a destructor that starts a thread.
    ZooParting,
    /// `listener` with a constructor that makes an object.
    ListenerEarly,
    /// `listener` with a destructor that tries to make an object.
    ListenerLate,
    /// `nest`, which tries to be a host.
    Nest,
    /// `registrar`, which registers functions with the C library, and `watcher`, which has a thread that calls an
    /// import.
    Registrar,
    /// `registrar` with a constructor that never returns.
    Stuck,
    /// `watcher` with a thread that the host does not see.
    Unseen,
    /// `zoo-heap` with mimalloc as its allocator.
    ZooMimalloc,
    /// `zoo-heap` with jemalloc as its allocator.
    ZooJemalloc,
    /// `checked`, which has smoke tests.
    Checked,
    /// `checked` with a state.
    CheckedStateful,
    /// The same with one more smoke test, which runs on a copy.
    CheckedTested,
    /// `patient`, which has health checks.
    Patient,
    /// `patient` with a state.
    PatientStateful,
    /// `choir`, which stands for a function of `guest`.
    Choir,
    /// `choir` where that function has another signature.
    ChoirLater,
}

impl Build {
    /// Returns the library of this fixture.
    ///
    /// # Panics
    /// Panics if it does not build.
    pub fn library(self, name: &str) -> PathBuf {
        static DONE: Mutex<BTreeSet<Build>> = Mutex::new(BTreeSet::new());
        let mut done = DONE.lock().unwrap_or_else(PoisonError::into_inner);
        let out = self.out();
        if !done.contains(&self) {
            let _lock = locked();
            let stamp = out.join("built");
            if !is_newer(&stamp) {
                self.build(&out);
                fs::write(&stamp, "").expect("the stamp can be written");
            }
            done.insert(self);
        }
        out.join(file_name(name))
    }

    /// Returns the bytes of the library.
    ///
    /// # Panics
    /// Panics if it does not build.
    pub fn bytes(self, name: &str) -> Vec<u8> {
        let file = self.library(name);
        fs::read(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
    }

    /// Returns the directory of the libraries of this build.
    pub fn out(self) -> PathBuf {
        target().join(format!("{self:?}").to_lowercase())
    }

    fn build(self, out: &Path) {
        let with = |packages: &[&str], features: &[&str]| {
            let mut command = hotswap();
            command.args(["build", "--quiet", "--out-dir"]).arg(out);
            for (option, names) in [("--package", packages), ("--features", features)] {
                names
                    .iter()
                    .for_each(|name| _ = command.args([option, name]));
            }
            run(&mut command);
        };
        match self {
            Build::First => with(
                &[
                    "probe", "alpha", "beta", "gamma", "guest", "talker", "link", "ledger",
                    "auditor", "radio", "listener",
                ],
                &[],
            ),
            Build::Later => with(&["probe", "alpha", "guest", "ledger"], &["later"]),
            Build::Stateful => with(&["stateful", "visitor", "importer", "stateless"], &[]),
            Build::StatefulLater => with(&["stateful"], &["later"]),
            Build::StatefulOther => with(&["stateful"], &["other"]),
            Build::Head => with(&["link"], &["head"]),
            Build::Tagged => with(&["probe"], &["tagged"]),
            Build::LaterTagged => with(&["probe"], &["tagged,later"]),
            Build::Node => with(&["node"], &[]),
            Build::NodeNeeds => with(&["node"], &["needs"]),
            Build::NodeWaits => with(&["node"], &["waits"]),
            Build::NodeNeedsWaits => with(&["node"], &["needs,waits"]),
            Build::Live => with(&["office"], &[]),
            Build::LiveLater => with(&["office"], &["later"]),
            Build::LiveOneWay => with(&["office"], &["one-way"]),
            Build::LiveWithout => with(&["office"], &["without"]),
            Build::LiveTwice => with(&["office"], &["twice"]),
            Build::Cat => with(&["cat"], &[]),
            Build::CatLater => with(&["cat"], &["later"]),
            Build::CountingCat => with(&["counting-cat"], &[]),
            Build::Async => with(&["dreamer", "sleeper"], &[]),
            Build::EnvWriter => with(&["env-writer"], &[]),
            Build::Bell => with(&["bell"], &[]),
            Build::Diary => with(&["diary"], &[]),
            Build::DiaryDotfile => with(&["diary"], &["careless,dotfile"]),
            Build::Twins => with(&["castor"], &[]),
            Build::TwinsTokio => with(&["castor"], &["tokio"]),
            Build::Zoo => with(&["zoo"], &[]),
            Build::ZooCrates => with(&["zoo-crates"], &[]),
            Build::ZooC => with(&["zoo-c"], &[]),
            Build::ZooCpp => with(&["zoo-c"], &["cpp"]),
            Build::ZooCppStatic => with(&["zoo-c"], &["cpp-static"]),
            Build::ZooTimer => with(&["zoo-c"], &["timer"]),
            Build::ZooTss => with(&["zoo-c"], &["tss"]),
            Build::ZooStaticTls => with(&["zoo-c"], &["static-tls"]),
            Build::ZooSecond => with(&["zoo-c"], &["second"]),
            Build::ZooEarly => with(&["zoo-c"], &["early"]),
            Build::ZooParting => with(&["zoo-c"], &["parting"]),
            Build::ListenerEarly => with(&["listener"], &["early"]),
            Build::ListenerLate => with(&["listener"], &["late"]),
            Build::Nest => with(&["nest"], &[]),
            Build::Registrar => with(&["registrar", "watcher"], &[]),
            Build::Stuck => with(&["registrar"], &["stuck"]),
            Build::Unseen => with(&["watcher"], &["unseen"]),
            Build::ZooMimalloc => with(&["zoo-heap"], &["mimalloc"]),
            Build::ZooJemalloc => {
                with(&["zoo-heap"], &["jemalloc"]);
                remove_objects_of("tikv-jemalloc-sys");
            }
            Build::Checked => with(&["checked"], &[]),
            Build::CheckedStateful => with(&["checked"], &["stateful"]),
            Build::CheckedTested => with(&["checked"], &["tested"]),
            Build::Patient => with(&["patient"], &[]),
            Build::PatientStateful => with(&["patient"], &["stateful"]),
            Build::Choir => with(&["choir"], &[]),
            Build::ChoirLater => with(&["choir"], &["later"]),
            Build::Nightly => plain(out, &[&nightly()], &[], &[]),
            Build::ZooNightly => plainly("zoo", out, &[&nightly()], &[], &[]),
            Build::OldContract => {
                let manifest = odd::old_contract(out);
                let manifest = manifest.to_str().expect("the path is UTF-8");
                plain(out, &[], &["--manifest-path", manifest], &[]);
            }
            Build::Trine => of_demo("trine", out),
            Build::Livex => of_demo("livex", out),
            Build::Web => of_demo("web", out),
            Build::LivexLater => with(&["livex-later"], &[]),
            Build::Aborting => plain(out, &[], &[], &["-Cpanic=abort"]),
            Build::Orphan => plain(
                out,
                &[],
                &["--features", "orphan"],
                &["-Clink-arg=-Wl,-z,undefs"],
            ),
            Build::Needy => {
                let library = out.join("libnowhere.so");
                fs::create_dir_all(out).expect("the directory can be made");
                let nothing = out.join("nowhere.c");
                fs::write(&nothing, "int nowhere;").expect("the source can be written");
                run(c_compiler()
                    .args(["-shared", "-o"])
                    .args([&library, &nothing]));
                let search = format!("-Clink-arg=-L{}", out.display());
                let link = [
                    "-Clink-arg=-Wl,--no-as-needed",
                    &search,
                    "-Clink-arg=-lnowhere",
                ];
                plain(out, &[], &[], &link);
            }
        }
    }
}

/// Removes the object files of a C library that a build script has compiled. Cargo only needs the archive that was made
/// of them, and these take hundreds of megabytes.
fn remove_objects_of(package: &str) {
    let builds = fs::read_dir(target().join("debug/build"));
    for build in builds.into_iter().flatten().flatten() {
        if build.file_name().to_string_lossy().starts_with(package) {
            let _ = fs::remove_dir_all(build.path().join("out/build"));
        }
    }
}

/// Builds the plugins of a demo.
fn of_demo(name: &str, out: &Path) {
    let mut command = hotswap();
    command.args(["build", "--quiet"]);
    in_the_checkout(&mut command, name);
    command.arg("--out-dir").arg(out);
    run(command.args(["--", "-Cstrip=debuginfo"]));
}

/// Builds the host of a demo, and returns the program.
///
/// # Panics
/// Panics if it does not build.
pub fn demo_host(name: &str) -> PathBuf {
    let _lock = locked();
    let mut command = cargo(&[]);
    command.args(["build", "--quiet", "--bin", name]);
    let target = in_the_checkout(&mut command, name);
    run(&mut command);
    built(&target, "debug").join(name)
}

/// Builds an example of `hotswap-operate`, and returns the program.
///
/// # Panics
/// Panics if it does not build.
pub fn example(name: &str, feature: &str) -> PathBuf {
    let _lock = locked();
    let mut command = cargo(&[]);
    let manifest = workspace().join("../../hotswap-host/operate/Cargo.toml");
    let target = target();
    let target = target.parent().expect("the directory has a parent");
    command.args(["build", "--quiet", "--example", name, "--features", feature]);
    command.arg("--manifest-path").arg(manifest);
    command.arg("--target-dir").arg(target);
    run(&mut command);
    built(target, "debug").join("examples").join(name)
}

/// Makes the command build a demo in the target directory of the tests. The demos that other tests copy and edit have
/// another one, because Cargo would confuse their packages with these.
fn in_the_checkout(command: &mut Command, demo: &str) -> PathBuf {
    let manifest = workspace().join(format!("../../demos/{demo}/Cargo.toml"));
    command.arg("--manifest-path").arg(manifest);
    let target = target();
    let target = target
        .parent()
        .expect("the directory has a parent")
        .to_owned();
    command.arg("--target-dir").arg(&target);
    target
}

/// Returns true if the file is newer than the sources of the fixtures, and than this program, which contains the code
/// that builds them. Each test is a process of its own, and asking Cargo each time would take longer than most of the
/// tests.
pub(crate) fn is_newer(stamp: &Path) -> bool {
    let program = std::env::current_exe().expect("this program has a path");
    let sources = [program, workspace(), workspace().join("../../demos")];
    let newest = sources.iter().map(|source| newest(source)).max();
    changed(stamp).is_ok_and(|built| Some(built) > newest)
}

fn changed(path: &Path) -> std::io::Result<SystemTime> {
    fs::metadata(path)?.modified()
}

/// Returns the time of the last change to the file, or to the newest file of the directory.
fn newest(path: &Path) -> SystemTime {
    let own = changed(path).expect("sources can be read");
    let entries = fs::read_dir(path).into_iter().flatten().flatten();
    let entries = entries.filter(|entry| entry.file_name() != "target");
    let within = entries.map(|entry| newest(&entry.path()));
    within.max().map_or(own, |within| within.max(own))
}

/// Builds `probe` without the command, which refuses to build what the tests need here.
fn plain(out: &Path, toolchain: &[&str], options: &[&str], flags: &[&str]) {
    plainly("probe", out, toolchain, options, flags);
}

/// Builds a plugin without the command.
fn plainly(package: &str, out: &Path, toolchain: &[&str], options: &[&str], flags: &[&str]) {
    let mut command = cargo(toolchain);
    let target = match toolchain {
        [] => target(),
        _ => target().join("nightly-target"),
    };
    command.args(["rustc", "--quiet", "--lib", "--crate-type", "cdylib"]);
    command.args(["--package", package]).args(options);
    command.arg("--target-dir").arg(&target);
    command.args(["--", "--cfg", "hotswap_dylib"]).args(flags);
    run(&mut command);
    let built = built(&target, "debug").join(file_name(package));
    fs::create_dir_all(out).expect("the directory can be made");
    fs::copy(built, out.join(file_name(package))).expect("the library can be copied");
}

/// Builds an executable of the fixtures in which panics abort.
///
/// # Panics
/// Panics if it does not build.
pub fn aborting_executable(package: &str) -> PathBuf {
    let _lock = locked();
    let mut command = cargo(&[]);
    command.args(["build", "--quiet", "--profile", "aborting"]);
    run(command.args(["--package", package]));
    built(&target(), "aborting").join(package)
}

/// Builds an executable of the fixtures, with the nightly compiler or with that of the tests.
///
/// # Panics
/// Panics if it does not build.
pub fn executable(package: &str, by_nightly: bool) -> PathBuf {
    let _lock = locked();
    let toolchain = nightly();
    let (mut command, target) = match by_nightly {
        true => (cargo(&[&toolchain]), target().join("nightly-target")),
        false => (cargo(&[]), target()),
    };
    command.args(["build", "--quiet", "--package", package]);
    run(command.arg("--target-dir").arg(&target));
    built(&target, "debug").join(package)
}

/// Returns a Cargo command for the fixtures' workspace, which has none of the settings with which the tests run.
///
/// # Panics
/// Panics if there is no such toolchain.
pub fn cargo(toolchain: &[&str]) -> Command {
    let Some(name) = toolchain.first() else {
        return Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    };
    let mut command = Command::new("rustup");
    command.args(["run", name, "rustc", "--version"]);
    let there = command.output().is_ok_and(|output| output.status.success());
    assert!(
        there,
        "these tests build plugins and hosts with a second compiler, the toolchain {name}, which is not there: \
         `rustup toolchain install {name} --profile minimal`, or name another one in HOTSWAP_TEST_NIGHTLY"
    );
    let mut command = Command::new("rustup");
    command.args(["run", name, "cargo"]);
    command
}

fn nightly() -> String {
    std::env::var("HOTSWAP_TEST_NIGHTLY").unwrap_or_else(|_| "nightly".into())
}

/// Runs a command in the fixtures' workspace, and returns its stderr.
///
/// # Panics
/// Panics if it fails.
pub fn run(command: &mut Command) -> String {
    command
        .current_dir(workspace())
        .env("CARGO_TARGET_DIR", target())
        .env("CARGO_TERM_COLOR", "never")
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .env_remove("RUSTFLAGS");
    // These flags instrument the plugins like the tests.
    if let Some(flags) = std::env::var_os("HOTSWAP_TEST_PLUGIN_RUSTFLAGS") {
        command.env("RUSTFLAGS", flags);
    }
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        output.status.success(),
        "{command:?}: {}\n{text}",
        output.status
    );
    text
}

/// Returns the fixtures' workspace.
pub fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}

/// Returns the directory where the fixtures are built, which is inside the target directory of the tests.
pub fn target() -> PathBuf {
    let program = std::env::current_exe().expect("this program has a path");
    let target = program
        .ancestors()
        .nth(3)
        .expect("tests are in target/debug/deps");
    target.join("fixtures")
}

/// Returns `cargo hotswap`: the binary of this package, or the one that `HOTSWAP_TEST_COMMAND` names if this machine
/// cannot run what the tests are built for.
pub fn hotswap() -> Command {
    let named = std::env::var_os("HOTSWAP_TEST_COMMAND").map(PathBuf::from);
    let mut command = Command::new(named.unwrap_or_else(|| sibling("hotswap-tests-cargo")));
    command.arg("hotswap");
    command
}

/// Returns the host of this package.
pub fn host() -> Command {
    program(&sibling("hotswap-tests-host"))
}

/// Returns a command that runs a program that was built like this one: with the emulator in `HOTSWAP_TEST_RUNNER`, if
/// this machine cannot run such programs itself.
pub fn program(file: &Path) -> Command {
    let runner = std::env::var("HOTSWAP_TEST_RUNNER").unwrap_or_default();
    let mut words = runner.split_whitespace();
    let Some(emulator) = words.next() else {
        return Command::new(file);
    };
    let mut command = Command::new(emulator);
    command.args(words).arg(file);
    command
}

/// Returns the C compiler for what the tests are built for: `cc`, or the one that `HOTSWAP_TEST_CC` names.
pub(crate) fn c_compiler() -> Command {
    Command::new(std::env::var_os("HOTSWAP_TEST_CC").unwrap_or_else(|| "cc".into()))
}

/// Returns the directory in which Cargo puts what it builds in this target directory. If the tests are built for another
/// platform than this machine's, so are the fixtures.
fn built(target: &Path, profile: &str) -> PathBuf {
    let platform = std::env::var_os("CARGO_BUILD_TARGET").unwrap_or_default();
    target.join(platform).join(profile)
}

/// Returns the path of an executable of this package.
fn sibling(name: &str) -> PathBuf {
    let program = std::env::current_exe().expect("this program has a path");
    let directory = program
        .ancestors()
        .nth(2)
        .expect("tests are in target/debug/deps");
    directory.join(name)
}

/// Waits for the right to build, which lasts until it is dropped. Other test programs build, too.
pub(crate) fn locked() -> File {
    fs::create_dir_all(target()).expect("the directory can be made");
    let mut options = File::options();
    options.create(true).append(true);
    let lock = options
        .open(target().join("lock"))
        .expect("the lock can be made");
    lock.lock().expect("the lock can be taken");
    lock
}

/// Returns the file name that Cargo gives to the library of a plugin.
pub fn file_name(name: &str) -> OsString {
    format!("lib{}.so", name.replace('-', "_")).into()
}

/// Returns the library of the fixture `name`, as it is.
///
/// # Panics
/// Panics if it does not build.
pub fn library(name: &str) -> PathBuf {
    Build::First.library(name)
}

/// Puts a library into a plugin directory in one step, as the host expects it.
///
/// # Panics
/// Panics if the directory cannot be written.
pub fn install(library: &[u8], name: &str, dir: &Path) {
    let file = dir.join(file_name(name));
    let temporary = file.with_extension("tmp");
    fs::write(&temporary, library).expect("the plugin directory can be written");
    fs::rename(&temporary, &file).expect("the library can be put in place");
}

/// Returns another build of the same code: the library with one text replaced by another text of the same length.
///
/// # Panics
/// Panics unless the text is in the library exactly once.
pub fn variant(library: &[u8], text: &str, by: &str) -> Vec<u8> {
    assert_eq!(text.len(), by.len());
    let found = places(library, text);
    let [at] = found[..] else {
        panic!("{text:?} is in the library {} times", found.len())
    };
    let mut variant = library.to_vec();
    variant[at..at + by.len()].copy_from_slice(by.as_bytes());
    noted(library, variant)
}

/// Returns the library with every occurrence of a text replaced by another text of the same length: a plugin of another
/// name, or one that imports another plugin.
///
/// # Panics
/// Panics if the text is not in the library.
pub fn renamed(library: &[u8], text: &str, by: &str) -> Vec<u8> {
    assert_eq!(text.len(), by.len());
    let found = places(library, text);
    assert!(!found.is_empty(), "{text:?} is not in the library");
    let mut renamed = library.to_vec();
    for at in found {
        renamed[at..at + by.len()].copy_from_slice(by.as_bytes());
    }
    noted(library, renamed)
}

/// Returns the places of a text in a library.
fn places(library: &[u8], text: &str) -> Vec<usize> {
    let (text, mut rest) = (text.as_bytes(), library);
    let mut places = Vec::new();
    // This search is optimised in every profile, and a loop of our own is not.
    while rest.skip_until(text[0]).expect("memory can be read") > 0 {
        let at = library.len() - rest.len() - 1;
        if library[at..].starts_with(text) {
            places.push(at);
        }
    }
    places
}

/// Gives the library the note of the one that it was made from. A note names the build that it was written for.
fn noted(library: &[u8], mut variant: Vec<u8>) -> Vec<u8> {
    if let Some(note) = artifact(library).note {
        note.append_to(&mut variant);
    }
    variant
}

/// Returns the probe with these orders: see `fixtures/probe/src/orders.rs`.
///
/// # Panics
/// Panics if they are too long.
pub fn ordered(library: &[u8], orders: &str) -> Vec<u8> {
    variant(
        library,
        &format!("orders:{}", "_".repeat(32)),
        &format!("orders:{orders:_<32}"),
    )
}

/// Reads the bytes of a library as the host does.
///
/// # Panics
/// Panics if they are not an artifact.
pub fn artifact(library: &[u8]) -> Artifact {
    Artifact::from_bytes(Path::new("library.so"), library).expect("the library is an artifact")
}

/// Returns the build id of a library.
pub fn build_id(library: &[u8]) -> BuildId {
    artifact(library).build_id
}
