//! Another process exchanges the directories of a host all the time.
use super::{Opened, plugin};
use crate::artifact::testing::compile;
use crate::error::ReloadError;
use crate::load::copy::{CopyDir, Patch};
use crate::runtime::{HostDir, HostRecord, StoredReport};
use rustix::fs::{CWD, RenameFlags, inotify, renameat_with};
use std::collections::BTreeMap;
use std::env;
use std::fs::{self, Permissions};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use tempfile::tempdir;

const ATTEMPTS: usize = 1000;

/// The user id of the process that exchanges them.
const OTHER: u32 = 12345;

const OPEN: &str = "HOTSWAP_TEST_OPEN";
const HOST: &str = "HOTSWAP_TEST_HOST";

/// Starts another process, which waits for a line before it begins.
fn start(program: &Path, test: &str, open: &Path, host: &str, user: Option<u32>) -> Child {
    let mut command = Command::new(program);
    command
        .args(["--exact", &format!("load::copy::tests::race::{test}")])
        .args(["--ignored", "--nocapture"])
        .env(OPEN, open)
        .env(HOST, host)
        .env("HOTSWAP_RUNTIME_DIR", open.join("run"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    if let Some(user) = user {
        command.uid(user).gid(user);
    }
    command.spawn().unwrap()
}

/// Returns all files below a directory, with their contents. Links are not followed.
fn contents(dir: &Path) -> BTreeMap<PathBuf, Option<Vec<u8>>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(dir).unwrap() {
        let (path, kind) = entry.map(|e| (e.path(), e.file_type().unwrap())).unwrap();
        if kind.is_dir() {
            found.extend(contents(&path));
        }
        let bytes = kind.is_file().then(|| fs::read(&path).unwrap());
        found.insert(path, bytes);
    }
    found
}

/// The directory has no sticky bit, as in containers that have such a directory for temporary files.
#[test]
fn whoever_exchanges_directories_has_nothing_loaded_and_nothing_removed() {
    let dir = tempdir().unwrap();
    let passable = |path: &Path, mode| {
        fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    };
    passable(dir.path(), 0o755);
    let program = dir.path().join("program");
    fs::copy(env::current_exe().unwrap(), &program).unwrap();
    if std::os::unix::fs::chown(&program, Some(0), None).is_err() {
        println!(
            "left out, since it needs root: \
             whoever_exchanges_directories_has_nothing_loaded_and_nothing_removed"
        );
        return;
    }
    let open = dir.path().join("open");
    fs::create_dir(&open).unwrap();
    passable(&open, 0o777);
    let source = "int bump(void) { return 666; }";
    compile(dir.path(), "foreign.so", source, &["-shared", "-fPIC"]);
    // The victim belongs to the host, which could change it; the other process could not.
    let victim = dir.path().join("victim");
    fs::create_dir_all(victim.join("1-2-3")).unwrap();
    for name in [
        "lock",
        "host.json",
        "report.json",
        ".host.json",
        ".report.json",
        "data.so",
        "1-2-3/data.so",
    ] {
        fs::write(victim.join(name), name).unwrap();
    }
    let before = contents(&victim);

    let mut host = start(&program, "be_a_host", &open, "", None);
    let mut said = BufReader::new(host.stdout.take().unwrap()).lines();
    let mut line_with = |start: &str| {
        let mut lines = said.by_ref().map(Result::unwrap);
        lines.find_map(|line| line.strip_prefix(start).map(str::to_owned))
    };
    let names = line_with("named ").unwrap();
    let mut racer = start(&program, "be_a_racer", &open, &names, Some(OTHER));
    let mut ready = BufReader::new(racer.stdout.take().unwrap()).lines();
    assert!(ready.any(|line| line.unwrap() == "ready"));
    let foreign = contents(&open.join("other"));
    racer.stdin.as_mut().unwrap().write_all(b"go\n").unwrap();
    host.stdin.take().unwrap().write_all(b"go\n").unwrap();
    let outcome = line_with("outcome ").expect("the host has not come to its end");
    assert!(host.wait().unwrap().success());
    racer.kill().unwrap();
    racer.wait().unwrap();
    println!("{outcome}");

    assert!(
        contents(&victim) == before,
        "{:?}",
        contents(&victim).keys()
    );
    // The directory has one of two names.
    let other = |name: &str| {
        open.join(name)
            .join("all")
            .exists()
            .then(|| open.join(name))
    };
    let other = other("other").or_else(|| other("run")).unwrap();
    assert_eq!(contents(&other).len(), foreign.len());
    // What the host made is gone, whatever happened to the names.
    let left: Vec<_> = contents(&open)
        .into_keys()
        .filter(|path| {
            !path.starts_with(&other) && path.components().count() > open.components().count() + 1
        })
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
#[ignore = "the other process of another test"]
fn be_a_host() {
    let Some(open) = env::var_os(OPEN).map(PathBuf::from) else {
        return;
    };
    let sources = tempdir().unwrap();
    let (artifact, bytes) = plugin(sources.path());
    let base = open.join("run");
    drop(HostDir::create_in(&base).unwrap());
    let record = HostRecord::of_this_process(&open);
    let (pid, started) = (record.pid, record.start_time);
    println!("\nnamed {pid}-{started} world-{:.8}", artifact.build_id);
    std::io::stdin().read_line(&mut String::new()).unwrap();
    let (mut refused, mut stored) = (0, 0);
    for attempt in 0..ATTEMPTS {
        // While a foreign directory is in its place, there is no host directory, and everything is in memory, which is
        // tested, too.
        let host = loop {
            match HostDir::create_in(&base).map(Arc::new) {
                Err(error) => {
                    refused += 1;
                    if refused % 200 == 0 {
                        break Err(error);
                    }
                    std::thread::yield_now();
                }
                Ok(host) => break Ok(host),
            }
        };
        let copies = match &host {
            Ok(host) => CopyDir::new(host.clone()),
            Err(error) => CopyDir::in_memory(error),
        };
        let load = || Opened::new(copies.make(&artifact, &bytes, &Patch::default()).unwrap());
        let first = load();
        assert_eq!(first.bump(), 1, "a foreign library was loaded");
        if let Ok(host) = &host {
            let report = StoredReport::new(1, 1, Err(&ReloadError::Vetoed("no".into())));
            let done = host.publish(&record).and_then(|()| host.store(&report));
            stored += usize::from(done.is_ok());
        }
        let second = load();
        assert_eq!(second.bump(), 1, "a foreign library was loaded");
        first.close().remove();
        if attempt % 2 == 0 {
            second.close().remove();
        }
        if let Ok(host) = &host {
            host.withdraw();
        }
    }
    println!(
        "\noutcome {ATTEMPTS} attempts, {stored} reports stored, {refused} directories refused"
    );
}

#[test]
#[ignore = "the other process of another test"]
fn be_a_racer() {
    let Some(open) = env::var_os(OPEN).map(PathBuf::from) else {
        return;
    };
    let names = env::var(HOST).unwrap();
    let (host, library) = names.split_once(' ').unwrap();
    let (run, other) = (open.join("run"), open.join("other"));
    let (victim, foreign) = (open.join("../victim"), open.join("../foreign.so"));
    let (victim, foreign) = (
        victim.canonicalize().unwrap(),
        foreign.canonicalize().unwrap(),
    );
    let all = other.join("all");
    fs::create_dir_all(&all).unwrap();
    // This process acts as if it were the host, in so far as only the names matter.
    for number in 0..20 * ATTEMPTS {
        symlink(&foreign, all.join(format!("{library}-{number}.so"))).unwrap();
        let to = if number % 2 == 0 { &victim } else { &all };
        symlink(to, other.join(format!("{host}-{number}"))).unwrap();
    }
    for name in [
        "lock",
        "host.json",
        "report.json",
        ".host.json",
        ".report.json",
    ] {
        symlink(victim.join(name), all.join(name)).unwrap();
    }
    let watch = inotify::init(inotify::CreateFlags::CLOEXEC).unwrap();
    inotify::add_watch(&watch, &open, inotify::WatchFlags::CREATE).unwrap();
    println!("\nready");
    std::io::stdin().read_line(&mut String::new()).unwrap();
    let exchange = || renameat_with(CWD, &run, CWD, &other, RenameFlags::EXCHANGE);
    let link = open.join("link");
    for round in 0_u32.. {
        let _ = exchange();
        match round % 64 {
            // The directory is gone. As soon as the host has made another one, that one is exchanged. There may be no
            // later round.
            63 if all.exists() && fs::rename(&run, open.join(format!("away-{round}"))).is_ok() => {
                let mut buffer = [const { std::mem::MaybeUninit::uninit() }; 4096];
                let _ = inotify::Reader::new(&watch, &mut buffer).next();
            }
            // This is a link to a directory of the other process.
            31 if symlink(&other, &link).is_ok() => {
                let _ = renameat_with(CWD, &run, CWD, &link, RenameFlags::EXCHANGE);
                std::thread::yield_now();
                let _ = renameat_with(CWD, &run, CWD, &link, RenameFlags::EXCHANGE);
                let _ = fs::remove_file(&link);
            }
            _ => {}
        }
    }
}
