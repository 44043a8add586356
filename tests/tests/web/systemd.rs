//! The server as a service of systemd: what it tells, and its unit.
use crate::builds::Builds;
use crate::server::Server;
use hotswap_tests::{LIMIT, fixture};
use std::fs;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::Command;
use std::sync::mpsc::{Receiver, channel};

/// Returns what the processes tell that have this path in `NOTIFY_SOCKET`, as lists of fields.
fn service_manager(path: &Path) -> Receiver<Vec<String>> {
    let socket = UnixDatagram::bind(path).unwrap();
    let (sender, notices) = channel();
    // A socket keeps few notices, and then makes the sender wait.
    std::thread::spawn(move || {
        let mut notice = [0; 4096];
        while let Ok(length) = socket.recv(&mut notice) {
            let text = String::from_utf8_lossy(&notice[..length]);
            let fields = text.lines().map(str::to_owned).collect();
            if sender.send(fields).is_err() {
                return;
            }
        }
    });
    notices
}

/// Returns the next notice that is not for the watchdog.
fn next(notices: &Receiver<Vec<String>>) -> Vec<String> {
    loop {
        let notice = notices.recv_timeout(LIMIT).expect("the server tells more");
        if notice != ["WATCHDOG=1"] {
            return notice;
        }
    }
}

#[test]
fn systemd_is_told_when_the_server_is_ready_reloads_lives_and_stops() {
    let builds = Builds::make();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("notify");
    let notices = service_manager(&path);
    let manager = [
        ("NOTIFY_SOCKET", path.to_str().unwrap()),
        ("WATCHDOG_USEC", "200000"),
    ];
    let server = Server::start_with(&builds, &manager);
    let ready = next(&notices);
    assert_eq!(ready[0], "READY=1");
    assert!(
        ready[1].starts_with("STATUS=generation 1: guestbook ") && ready[1].contains(", pages "),
        "{ready:?}"
    );

    let (plugin, library) = builds.of_swap(1);
    server.swap(plugin, library);
    // An attempt may have been given up, since the machine has much else to do.
    loop {
        let notice = next(&notices);
        let [reloading, since, status] = &notice[..] else {
            panic!("{notice:?}")
        };
        assert_eq!(reloading, "RELOADING=1");
        let since = since.strip_prefix("MONOTONIC_USEC=").unwrap();
        since.parse::<u64>().unwrap();
        let cause = "STATUS=reloading, because of signal 10 of process ";
        assert!(status.starts_with(cause), "{status}");
        let ready = next(&notices);
        assert_eq!(ready[0], "READY=1");
        if ready[1].starts_with("STATUS=generation 2: guestbook ") {
            break;
        }
        assert!(
            ready[1].contains("; the last reload was refused: "),
            "{ready:?}"
        );
    }
    let alive = notices.recv_timeout(LIMIT).unwrap();
    assert_eq!(alive, ["WATCHDOG=1"]);

    server.stop();
    assert_eq!(next(&notices), ["STOPPING=1", "STATUS=stopping"]);
    assert!(notices.try_recv().is_err(), "something comes after the end");
}

/// A systemd that does not know `Type=notify-reload` says so, which is why there is a file for it.
#[test]
fn systemd_understands_the_unit_and_it_shuts_much_out() {
    let dir = tempfile::tempdir().unwrap();
    let units = fixture::workspace().join("../../demos/web/systemd");
    // The unit names programs where they are after an installation.
    let copy = |from: &str, to: &str| {
        let text = fs::read_to_string(units.join(from)).unwrap();
        let command = fixture::hotswap();
        let command = Path::new(command.get_program()).to_str().unwrap();
        let text = text
            .replace("/usr/local/bin/cargo-hotswap ", &format!("{command} "))
            .replace(
                "/usr/local/bin/web ",
                &format!("{} ", fixture::demo_host("web").display()),
            );
        assert!(!text.contains("=/usr/local/bin/"), "{text}");
        let to = dir.path().join(to);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::write(to, text).unwrap();
    };
    let unit = dir.path().join("web.service");
    let analyze = |args: &[&str]| {
        let mut command = Command::new("systemd-analyze");
        let output = command.args(args).arg(&unit).output();
        output.expect("systemd-analyze is there: `tests/run --setup` installs it")
    };
    copy("web.service", "web.service");
    let checks = |what: &str| {
        let output = analyze(&["verify", "--man=no"]);
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{what}: {told}");
        let unknown = [
            ": Failed to parse service type, ignoring: notify-reload",
            ": Unknown key 'ReloadSignal'",
        ];
        let is_known =
            |line: &&str| version() >= 253 || !unknown.iter().any(|text| line.contains(text));
        let other: Vec<_> = told.lines().filter(is_known).collect();
        assert!(other.is_empty(), "{what}: {other:#?}");
    };
    checks("the unit");
    copy("before-253.conf", "web.service.d/before-253.conf");
    checks("the unit for an older systemd");

    // The exposure is between 0 and 100.
    let output = analyze(&["security", "--offline=true", "--threshold=20", "--no-pager"]);
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{told}");
}

fn version() -> u32 {
    let output = Command::new("systemd-analyze").arg("--version").output();
    let text = String::from_utf8(output.unwrap().stdout).unwrap();
    let version = text.split_whitespace().nth(1).unwrap();
    let digits = version.split(|c: char| !c.is_ascii_digit()).next().unwrap();
    digits.parse().unwrap()
}
