use super::WaitError;
use super::held::MARK;
use super::host_dir::HostDir;
use super::hosts::{hosts_in, hosts_without_directory};
use super::record::{HostRecord, Reported, StoredReport};
use crate::error::ReloadError;
use std::env;
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

const BASE: &str = "HOTSWAP_TEST_BASE";

/// Starts another process with a host directory in `base`. The first line that it prints is the directory.
fn spawn_host(base: &Path) -> (Child, PathBuf) {
    let mut child = Command::new(env::current_exe().unwrap())
        .args([
            "--exact",
            "runtime::tests::be_a_host",
            "--ignored",
            "--nocapture",
        ])
        .env(BASE, base)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let dir = lines.find_map(|line| line.unwrap().strip_prefix("in ").map(PathBuf::from));
    (child, dir.unwrap())
}

#[test]
#[ignore = "the other process of other tests"]
fn be_a_host() {
    let Some(base) = env::var_os(BASE) else {
        return;
    };
    let dir = HostDir::create_in(Path::new(&base)).unwrap();
    let mut record = HostRecord::of_this_process(Path::new(&base));
    record.reload_signal = Some(libc::SIGUSR1);
    dir.publish(&record).unwrap();
    fs::write(dir.path().join("copy.so"), "").unwrap();
    println!("\nin {}", dir.path().display());
    for line in std::io::stdin().lines() {
        match &*line.unwrap() {
            "exec" => panic!("{}", Command::new("sleep").arg("1000").exec()),
            "report" => dir.store(&StoredReport::new(
                1,
                1,
                Err(&ReloadError::Vetoed("it was asked for".into())),
            )),
            other => panic!("{other}"),
        }
        .unwrap();
    }
}

fn end(mut child: Child) {
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn what_a_killed_host_leaves_behind_is_removed_by_the_next() {
    let base = tempfile::tempdir().unwrap();
    let (killed, of_killed) = spawn_host(base.path());
    let (living, of_living) = spawn_host(base.path());
    end(killed);
    assert!(of_killed.join("copy.so").exists());

    let own = HostDir::create_in(base.path()).unwrap();
    let second = HostDir::create_in(base.path()).unwrap();
    assert!(!of_killed.exists());
    assert!(of_living.join("copy.so").exists());
    assert!(own.path().exists() && second.path() != own.path());

    end(living);
    drop((own, second));
    let last = HostDir::create_in(base.path()).unwrap();
    assert!(!of_living.exists());
    drop(last);
    assert_eq!(fs::read_dir(base.path()).unwrap().count(), 0);
}

#[test]
fn the_lock_proves_life_where_the_process_id_means_nothing() {
    let base = tempfile::tempdir().unwrap();
    // This is the directory of a host in another pid namespace.
    let dir = base.path().join("4194305-1-0");
    fs::create_dir(&dir).unwrap();
    let lock = File::create(dir.join("lock")).unwrap();
    lock.lock().unwrap();
    drop(HostDir::create_in(base.path()).unwrap());
    assert!(dir.exists());
    // Dropping it is not enough, because a child that another test is just starting may have inherited it.
    lock.unlock().unwrap();
    drop(HostDir::create_in(base.path()).unwrap());
    assert!(!dir.exists());
}

#[test]
fn other_files_in_the_base_directory_are_left_alone() {
    let base = tempfile::tempdir().unwrap();
    for name in ["notes", "1-2", "a-b-c"] {
        fs::create_dir(base.path().join(name)).unwrap();
    }
    fs::write(base.path().join("4194305-1-0"), "").unwrap();
    // A process that was killed removed only half of this directory.
    fs::create_dir(base.path().join("4194305-1-1")).unwrap();
    drop(HostDir::create_in(base.path()).unwrap());
    assert_eq!(fs::read_dir(base.path()).unwrap().count(), 4);
}

/// Directories without a mark stay, whatever their names are.
#[test]
fn what_carries_no_mark_is_left_alone() {
    let base = tempfile::tempdir().unwrap();
    let outside = tempfile::tempdir().unwrap();
    let precious = outside.path().join("precious.so");
    fs::write(&precious, "precious").unwrap();
    let dir = |name: &str| base.path().join(name);
    let with = |name: &str, files: &[(&str, &[u8])]| {
        fs::create_dir(dir(name)).unwrap();
        for (file, content) in files {
            fs::write(dir(name).join(file), content).unwrap();
        }
    };
    let ours = MARK;
    with("4194305-1-0", &[("data.so", b"")]);
    with("4194305-1-1", &[("data", b""), ("lock", b"")]);
    with(
        "4194305-1-2",
        &[("data.so", b""), ("lock", b"of another program")],
    );
    std::os::unix::fs::symlink(outside.path(), dir("4194305-1-3")).unwrap();
    // This is the directory of a host, into which something else was put, too.
    with(
        "4194305-1-4",
        &[
            ("lock", ours),
            ("notes", b""),
            ("copy.so", b""),
            ("report.json", b""),
        ],
    );
    with("4194305-1-5", &[("lock", ours), ("host.json", b"")]);
    std::os::unix::fs::symlink(&precious, dir("4194305-1-5").join("copy.so")).unwrap();
    // The lock file is missing, but the record still names the host.
    let mut record = HostRecord::of_this_process(base.path());
    (record.pid, record.start_time) = (4_194_305, 1);
    let record = serde_json::to_vec(&record).unwrap();
    with("4194305-1-6", &[("host.json", &record), ("copy.so", b"")]);
    with("4194305-2-7", &[("host.json", &record), ("copy.so", b"")]);

    drop(HostDir::create_in(base.path()).unwrap());
    let mut left: Vec<_> = fs::read_dir(base.path())
        .unwrap()
        .flat_map(|entry| {
            let path = entry.unwrap().path();
            let files = fs::read_dir(&path).unwrap();
            let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
            let dir = path.file_name().unwrap().to_str().unwrap().to_owned();
            names
                .map(move |name| format!("{dir}/{name}"))
                .collect::<Vec<_>>()
        })
        .collect();
    left.sort();
    assert_eq!(
        left,
        [
            "4194305-1-0/data.so",
            "4194305-1-1/data",
            "4194305-1-1/lock",
            "4194305-1-2/data.so",
            "4194305-1-2/lock",
            "4194305-1-3/precious.so",
            "4194305-1-4/lock",
            "4194305-1-4/notes",
            "4194305-2-7/copy.so",
            "4194305-2-7/host.json",
        ]
    );
    assert_eq!(fs::read(&precious).unwrap(), b"precious");
}

/// Someone else's directory has replaced that of the host.
#[test]
fn what_is_written_and_removed_is_what_the_host_has_made() {
    let parent = tempfile::tempdir().unwrap();
    let base = parent.path().join("base");
    let host = HostDir::create_in(&base).unwrap();
    host.publish(&HostRecord::of_this_process(&base)).unwrap();
    let name = host.path().file_name().unwrap().to_owned();
    let away = parent.path().join("away");
    fs::rename(&base, &away).unwrap();
    let there = base.join(&name);
    fs::create_dir_all(&there).unwrap();
    for file in ["lock", "host.json", "report.json", "copy.so"] {
        fs::write(there.join(file), "somebody's").unwrap();
    }
    host.withdraw();
    drop(host);
    assert_eq!(fs::read_dir(&there).unwrap().count(), 4);
    for file in fs::read_dir(&there).unwrap() {
        assert_eq!(fs::read(file.unwrap().path()).unwrap(), b"somebody's");
    }
    assert_eq!(fs::read_dir(&away).unwrap().count(), 0);
}

/// A number in a file is not reason enough to send the signal.
#[test]
fn a_signal_that_is_none_to_ask_with_is_not_sent() {
    let base = tempfile::tempdir().unwrap();
    let (mut child, dir) = spawn_host(base.path());
    let file = dir.join("host.json");
    let said = fs::read_to_string(&file).unwrap();
    for signal in [libc::SIGKILL, libc::SIGSTOP, libc::SIGSEGV, 0, -1, 32, 1000] {
        let changed = said.replace(
            &format!("\"reload_signal\":{}", libc::SIGUSR1),
            &format!("\"reload_signal\":{signal}"),
        );
        assert_ne!(changed, said);
        fs::write(&file, changed).unwrap();
        let [host] = &hosts_in(base.path())[..] else {
            panic!("one host")
        };
        let error = host.request_reload().unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::InvalidData, "{error}");
        assert!(
            error.to_string().contains(&format!("on signal {signal},")),
            "{error}"
        );
    }
    assert!(child.try_wait().unwrap().is_none());
    end(child);
}

#[test]
fn many_hosts_start_at_once() {
    let base = tempfile::tempdir().unwrap();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..50 {
                    let dir = HostDir::create_in(base.path()).unwrap();
                    fs::write(dir.path().join("copy.so"), "").unwrap();
                    assert!(dir.path().join("lock").exists());
                }
            });
        }
    });
    assert_eq!(fs::read_dir(base.path()).unwrap().count(), 0);
}

#[test]
fn hosts_are_found_while_they_live() {
    let base = tempfile::tempdir().unwrap();
    let (child, dir) = spawn_host(base.path());
    let hosts = hosts_in(base.path());
    let [host] = hosts.as_slice() else {
        panic!("{hosts:?}")
    };
    assert_eq!(host.pid, child.id());
    assert!(host.serves(&base.path().join(".")).unwrap());
    assert!(!host.serves(Path::new("/")).unwrap());
    assert!(host.report().is_none());

    // This host is ended by the signal.
    host.request_reload().unwrap();
    let error = host
        .wait_for_attempt(None, Duration::from_secs(60))
        .unwrap_err();
    assert!(matches!(error, WaitError::Ended { pid } if pid == child.id()));
    assert!(dir.exists());
    assert!(hosts_in(base.path()).is_empty());
    assert_eq!(
        host.request_reload().unwrap_err().kind(),
        std::io::ErrorKind::NotFound
    );
    end(child);
}

/// Tells the other process to store a report. Before it does that, it looks at its directory.
fn report(child: &mut Child) {
    std::io::Write::write_all(child.stdin.as_mut().unwrap(), b"report\n").unwrap();
}

#[cfg(target_os = "linux")]
#[test]
fn a_host_is_found_while_its_directory_is_gone_and_makes_it_again() {
    let parent = tempfile::tempdir().unwrap();
    let base = parent.path().join("hosts");
    fs::create_dir(&base).unwrap();
    fs::set_permissions(&base, fs::Permissions::from_mode(0o700)).unwrap();
    let (mut child, dir) = spawn_host(&base);
    let all_of = |dir: &Path| fs::remove_dir_all(dir);
    let one_of = |name: &'static str| move |dir: &Path| fs::remove_file(dir.join(name));
    let clean: [(&str, &dyn Fn(&Path) -> std::io::Result<()>); 4] = [
        ("the base directory", &|_| all_of(&base)),
        ("its directory", &all_of),
        ("what it says", &one_of("host.json")),
        ("the lock", &one_of("lock")),
    ];
    for (what, clean) in clean {
        clean(&dir).unwrap();
        let found = match what {
            "the lock" => hosts_in(&base),
            _ => {
                assert!(hosts_in(&base).is_empty(), "{what}");
                hosts_without_directory(std::slice::from_ref(&base))
            }
        };
        let [host] = &found[..] else {
            panic!("{what}: {found:?}")
        };
        assert_eq!(host.pid, child.id());
        assert!(host.reload_signal.is_some() && host.is_alive());
        assert!(hosts_without_directory(&[parent.path().into()]).is_empty());
        // A tool that has found the host waits for this file.
        let _ = fs::remove_file(dir.join("report.json"));
        report(&mut child);
        let reported = host
            .wait_for_attempt(None, Duration::from_secs(60))
            .unwrap();
        assert!(reported.text.ends_with("it was asked for"), "{reported:?}");
        assert_eq!(hosts_in(&base).len(), 1, "{what}");
        assert!(hosts_without_directory(std::slice::from_ref(&base)).is_empty());
        // The lock file is locked again, so the next host does not remove it.
        drop(HostDir::create_in(&base).unwrap());
        assert!(dir.join("host.json").exists(), "{what}");
    }
    end(child);
    drop(HostDir::create_in(&base).unwrap());
    assert!(!dir.exists());
}

/// This lock makes systemd-tmpfiles skip a directory.
#[test]
fn its_directory_is_locked() {
    let base = tempfile::tempdir().unwrap();
    let dir = HostDir::create_in(base.path()).unwrap();
    let opened = || File::open(dir.path()).unwrap().try_lock();
    assert!(matches!(opened(), Err(fs::TryLockError::WouldBlock)));
}

#[test]
fn a_process_that_became_another_program_is_no_host() {
    let base = tempfile::tempdir().unwrap();
    let (mut child, _) = spawn_host(base.path());
    assert_eq!(hosts_in(base.path()).len(), 1);
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), b"exec\n").unwrap();
    while !hosts_in(base.path()).is_empty() {
        std::thread::yield_now();
    }
    assert!(child.try_wait().unwrap().is_none());
    end(child);
}

#[test]
fn reports_are_waited_for() {
    let base = tempfile::tempdir().unwrap();
    let dir = HostDir::create_in(base.path()).unwrap();
    dir.publish(&HostRecord::of_this_process(base.path()))
        .unwrap();
    let [host] = &hosts_in(base.path())[..] else {
        panic!("one host")
    };
    assert_eq!(
        host.request_reload().unwrap_err().kind(),
        std::io::ErrorKind::Unsupported
    );

    let good = Reported {
        text: "world: reloaded".into(),
        report: serde_json::json!({"plugins": 1}),
    };
    let first = StoredReport::new(0, 1, Ok(good));
    dir.store(&first).unwrap();
    assert_eq!(host.wait_for_attempt(None, Duration::ZERO).unwrap(), first);
    let late = host.wait_for_attempt(Some(0), Duration::ZERO).unwrap_err();
    assert!(matches!(late, WaitError::TimedOut { stopped: false, .. }));
    let said = late.to_string();
    assert!(said.ends_with("reported nothing within 0ns: it is still reloading, or cannot write its report; its log says which"), "{said}");

    let refused = ReloadError::Vetoed("not today".into());
    let second = StoredReport::new(1, 1, Err(&refused));
    let found = std::thread::scope(|scope| {
        let waiting = scope.spawn(|| host.wait_for_attempt(Some(0), Duration::from_secs(60)));
        dir.store(&second).unwrap();
        waiting.join().unwrap()
    });
    assert_eq!(found.unwrap(), second);
    assert!(!second.ok && second.report.is_none() && !second.may_pass);
    let late = ReloadError::HandOver {
        plugins: vec!["world".into()],
        limit: Duration::from_secs(1),
        waited_for: Vec::new(),
    };
    assert!(StoredReport::new(2, 1, Err(&late)).may_pass);

    dir.withdraw();
    assert!(hosts_in(base.path()).is_empty());
    assert!(dir.path().exists());
}

#[test]
fn records_are_escaped_as_json() {
    let base = tempfile::tempdir().unwrap();
    let dir = HostDir::create_in(base.path()).unwrap();
    let hostile = "a\u{1b}]52;c;eA==\u{7}\n\u{9b}2J\u{202e}b";
    let record = HostRecord::of_this_process(&base.path().join(hostile));
    dir.publish(&record).unwrap();
    let report = StoredReport::new(0, 1, Err(&ReloadError::Vetoed(hostile.into())));
    dir.store(&report).unwrap();
    for name in ["host.json", "report.json", "lock"] {
        let json = fs::read_to_string(dir.path().join(name)).unwrap();
        // The lock file begins with a line that marks it.
        let json = json.rsplit_once('\n').map_or(&*json, |(_, json)| json);
        assert!(json.contains("\\u001b]52"), "{json:?}");
        assert!(!json.contains(crate::shown::is_deceptive), "{json:?}");
    }
    let [host] = &hosts_in(base.path())[..] else {
        panic!("one host")
    };
    assert_eq!(host.plugin_dir, record.plugin_dir);
    assert_eq!(host.report(), Some(report));
}
