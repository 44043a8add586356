//! A host in a process of its own, and a socket that stands for systemd.
use super::Systemd;
use crate::health::{HealthMonitor, HealthOptions};
use hotswap_host::{Health, Swapper, signal};
use sd_notify::NotifyState;
use std::convert::Infallible;
use std::io::Write;
use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;

/// The variable with the plugin directory of the host, which has this file while the host is ill.
const PLUGINS: &str = "HOTSWAP_TEST_PLUGINS";
const ILL: &str = ".ill";

/// The part of systemd: it reads the notices from its socket.
struct Manager {
    socket: UnixDatagram,
    dir: TempDir,
}

impl Manager {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let socket = UnixDatagram::bind(dir.path().join("notify")).unwrap();
        let patience = Some(Duration::from_secs(60));
        socket.set_read_timeout(patience).unwrap();
        std::fs::create_dir(dir.path().join("plugins")).unwrap();
        Manager { socket, dir }
    }

    fn plugins(&self) -> PathBuf {
        self.dir.path().join("plugins")
    }

    /// Starts the host, which has to say within 20 ms that it lives.
    fn start(&self) -> Child {
        Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "systemd::tests::be_a_service", "--ignored"])
            .env("NOTIFY_SOCKET", self.dir.path().join("notify"))
            .env("WATCHDOG_USEC", "20000")
            .env_remove("WATCHDOG_PID")
            .env(PLUGINS, self.plugins())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap()
    }

    /// Returns the fields of the next notice.
    fn next(&self) -> Vec<String> {
        let mut notice = [0; 4096];
        let length = self.socket.recv(&mut notice).expect("the host tells more");
        let text = std::str::from_utf8(&notice[..length]).unwrap();
        text.lines().map(str::to_owned).collect()
    }

    /// Returns the next notice but those for the watchdog. It has to have this beginning.
    fn after_watchdog(&self, beginning: &[&str]) -> Vec<String> {
        loop {
            let notice = self.next();
            if notice != ["WATCHDOG=1"] {
                assert!(
                    notice.iter().zip(beginning).all(|(a, b)| a == b),
                    "{notice:?}"
                );
                assert!(notice.len() >= beginning.len(), "{notice:?}");
                return notice;
            }
        }
    }

    fn until_watchdog(&self) {
        assert_eq!(self.next(), ["WATCHDOG=1"]);
    }
}

fn now() -> i128 {
    match NotifyState::monotonic_usec_now() {
        Ok(NotifyState::MonotonicUsec(now)) => now,
        other => panic!("{other:?}"),
    }
}

/// Asks a host to reload, as systemd does. Returns the time before.
fn ask(host: &Child) -> i128 {
    let before = now();
    let kill = Command::new("kill")
        .args(["-USR1", &host.id().to_string()])
        .status();
    assert!(kill.unwrap().success());
    before
}

/// Checks that the notice tells of a reload that was asked for at this time.
fn tells_of_reload(notice: &[String], asked: i128) {
    let [reloading, since, status] = notice else {
        panic!("{notice:?}")
    };
    assert_eq!(reloading, "RELOADING=1");
    let since = since.strip_prefix("MONOTONIC_USEC=").unwrap();
    let since: i128 = since.parse().unwrap();
    assert!((asked..=now()).contains(&since), "{asked} {since}");
    let cause = format!("signal {} of process ", signal::USUAL);
    assert!(
        status.starts_with(&format!("STATUS=reloading, because of {cause}")),
        "{status}"
    );
}

#[test]
fn systemd_is_told_of_the_start_of_reloads_of_the_health_and_of_the_end() {
    let systemd = Manager::new();
    let mut host = systemd.start();
    assert_eq!(
        systemd.next(),
        ["READY=1", "STATUS=generation 1: no plugins"]
    );
    systemd.until_watchdog();

    let asked = ask(&host);
    tells_of_reload(&systemd.after_watchdog(&["RELOADING=1"]), asked);
    let done = systemd.after_watchdog(&["READY=1"]);
    assert_eq!(done[1], "STATUS=generation 1: no plugins");
    systemd.until_watchdog();

    // Also a reload that is refused has a beginning and an end.
    let bad = systemd.plugins().join("bad.so");
    std::fs::write(&bad, "").unwrap();
    let asked = ask(&host);
    tells_of_reload(&systemd.after_watchdog(&["RELOADING=1"]), asked);
    let done = systemd.after_watchdog(&["READY=1"]);
    let refused = "STATUS=generation 1: no plugins; the last reload was refused: ";
    assert!(done[1].starts_with(refused), "{done:?}");
    assert!(done[1].contains("bad.so is empty"), "{done:?}");
    systemd.until_watchdog();
    std::fs::remove_file(bad).unwrap();

    // While the host is ill, the watchdog hears nothing, and everything else goes on.
    let ill = systemd.plugins().join(ILL);
    std::fs::write(&ill, "").unwrap();
    let told = systemd.after_watchdog(&[]);
    let withheld = "; no notice for the watchdog, because the host is critical: loop: it is stuck; the last reload ";
    assert!(told[0].contains(withheld), "{told:?}");
    let asked = ask(&host);
    tells_of_reload(&systemd.next(), asked);
    let done = systemd.next();
    assert_eq!(done[0], "READY=1");
    assert!(
        done[1].ends_with("the host is critical: loop: it is stuck"),
        "{done:?}"
    );
    std::fs::remove_file(ill).unwrap();
    assert_eq!(systemd.next(), ["STATUS=generation 1: no plugins"]);
    systemd.until_watchdog();

    host.stdin.take().unwrap().write_all(b"\n").unwrap();
    systemd.after_watchdog(&["STOPPING=1", "STATUS=stopping"]);
    assert!(host.wait().unwrap().success());
    systemd.socket.set_nonblocking(true).unwrap();
    assert!(
        systemd.socket.recv(&mut [0]).is_err(),
        "something comes after the end"
    );
}

#[test]
#[ignore = "it is a process of the test above"]
fn be_a_service() {
    let plugins = PathBuf::from(std::env::var_os(PLUGINS).unwrap());
    let systemd = Systemd::new();
    let swapper = Swapper::builder()
        .plugin_dir(&plugins)
        .allow_empty(true)
        .observe(systemd.observer())
        .open()
        .unwrap();
    let listener = signal::reload_on(signal::USUAL, &swapper).unwrap();
    let often = HealthOptions {
        interval: Duration::from_millis(5),
        ..HealthOptions::default()
    };
    let ill = plugins.join(ILL);
    let monitor = HealthMonitor::builder(&swapper)
        .host_options(often)
        .check("loop", move || {
            Ok::<_, Infallible>(match ill.exists() {
                true => Health::Critical("it is stuck".into()),
                false => Health::Healthy,
            })
        })
        .start()
        .unwrap();
    let service = systemd.health(monitor).ready(&swapper).unwrap();
    std::io::stdin().read_line(&mut String::new()).unwrap();
    drop(service);
    drop(listener);
    swapper.shutdown(Duration::from_secs(60)).unwrap();
}

#[test]
fn a_plugin_out_of_service_is_no_reason_for_a_restart() {
    use crate::health::{HealthLevel::*, HealthReport, PluginHealth};
    let plugin = |level, out: Option<&str>| PluginHealth {
        plugin: "till".into(),
        build_id: hotswap_host::artifact::BuildId::of(b""),
        level,
        message: "empty".into(),
        out_of_service: out.map(str::to_owned),
        checks: Vec::new(),
        recovery: None,
    };
    let reason = |plugin: PluginHealth| {
        super::notices::critical(&HealthReport {
            level: plugin.level,
            decided_by: Vec::new(),
            plugins: vec![plugin],
            host: Vec::new(),
        })
    };
    assert_eq!(reason(plugin(Unhealthy, None)), None);
    assert_eq!(reason(plugin(Critical, Some("repairs"))), None);
    let critical = reason(plugin(Critical, None));
    assert_eq!(critical.as_deref(), Some("till is critical: empty"));
}
