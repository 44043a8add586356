//! Tests the demo `web` under load: its real server, a hundred connections that are kept, and two hundred swaps. The
//! test has a process of its own.
mod builds;
mod clients;
mod log;
mod server;
mod systemd;

use builds::Builds;
use clients::{Clients, Load};
use server::Server;
use std::io::{Read, Write};
use std::net::TcpStream;

const CONNECTIONS: usize = 100;
const SWAPS: u64 = 200;
/// The least number of answers between two swaps.
const ANSWERS: u64 = 20;

#[test]
fn no_request_fails_and_no_connection_is_dropped_over_200_swaps() {
    let load = Load::new(Builds::make());
    let server = Server::start(&load.builds);
    let clients = Clients::connect(CONNECTIONS, server.address, &load);
    for swap in 1..=SWAPS {
        clients.until_answered(ANSWERS);
        let (plugin, library) = load.builds.of_swap(swap);
        let report = load.window.next(|| server.swap(plugin, library));
        let expected = match plugin {
            "pages" => "guestbook: unchanged; pages: reloaded",
            _ => "guestbook: reloaded, state handed over",
        };
        assert!(report.starts_with(expected), "{report}");
    }
    clients.until_answered(ANSWERS);
    let mut numbers = clients.finish();
    numbers.sort_unstable();
    // No number was told twice, and none is missing: each build has gone on with the whole book.
    assert!(numbers.iter().copied().eq(1..=numbers.len() as u64));
    let page = server.get("/");
    let signed = format!(": {} signed\n", numbers.len());
    assert!(page.contains(&signed), "{page}");
    server.stop();
}

/// With a window, an operator sees what was refused and what was reverted, and the pages go on.
#[test]
fn a_bad_build_is_refused_and_a_worse_one_is_reverted() {
    let builds = Builds::make();
    let options = [
        ("HOTSWAP_HEALTHY_DEADLINE", "600"),
        ("HOTSWAP_MIN_HEALTHY_TIME", "600"),
    ];
    let server = Server::start_with(
        &builds,
        &[&options[..], &[("HOTSWAP_PROBE", "true")]].concat(),
    );
    let greeting = |text| builds.of_pages("Welcome|Hello|Good day", text);
    let error = server.refuse("pages", &greeting("|elcome|Hello|Good day"));
    assert!(
        error.contains("pages: a smoke test failed: greets: the first greeting is empty"),
        "{error}"
    );
    assert!(server.get("/").contains("\nWelcome\n"));
    // This one passes its smoke test, and fails in use.
    let report = server.swap("pages", &greeting("!elcome!Hello!Good day"));
    assert!(report.ends_with("pages: reloaded"), "{report}");
    assert!(server.get("/").contains("\n!elcome!Hello!Good day\n"));
    assert!(server.sign("Ada").contains("Ada is number 1\n"));
    let failed = server.ask("/");
    assert!(failed.starts_with("HTTP/1.1 500 "), "{failed}");
    let log = server.log_with("was reverted");
    let by = "WARN hotswap: the reload by signal 10 of process ";
    let reverted = " was reverted, because it has failed once, and the failure limit is 0";
    let is_told = |line: &String| line.contains(by) && line.ends_with(reverted);
    assert!(log.iter().any(is_told), "{log:#?}");
    assert!(
        server.get("/").contains(": 1 signed\n"),
        "the book is as it was"
    );
    assert!(server.get("/").contains("\nHello\n"));
    drop(server);
}

#[test]
fn who_is_being_served_when_it_is_stopped_is_answered() {
    let server = Server::start(&Builds::make());
    let mut request = TcpStream::connect(server.address).unwrap();
    let head =
        "POST /guests HTTP/1.1\r\nhost: web\r\ncontent-length: 3\r\nexpect: 100-continue\r\n\r\n";
    request.write_all(head.as_bytes()).unwrap();
    // The handler waits for the name.
    let go_on = "HTTP/1.1 100 Continue\r\n\r\n";
    let mut answer = vec![0; go_on.len()];
    request.read_exact(&mut answer).unwrap();
    assert_eq!(String::from_utf8_lossy(&answer), go_on);

    server.terminate();
    server.until_closed();
    request.write_all(b"Ada").unwrap();
    let mut answer = String::new();
    request.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(answer.contains("\r\n\r\nAda is number 1\n"), "{answer}");
    server.stop();
}
