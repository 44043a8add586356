//! Fuzzes the control endpoint with any bytes on a connection: each request is answered as the API says, or the connection
//! ends, and the host goes on as it is.
#![no_main]
use hotswap_control::fuzzing::Endpoint;
use hotswap_host::Swapper;
use libfuzzer_sys::fuzz_target;
use std::fs;
use std::sync::LazyLock;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};
use tokio::runtime::{Builder, Runtime};

/// The size of the buffer between the two ends of a connection.
const BUFFER: usize = 64 << 10;
/// The type of an answer that has no end.
const STREAM: &[u8] = b"text/event-stream";
/// The statuses that the API has, and those that the HTTP library has for what is no request.
const STATUSES: [&str; 10] = [
    "100", "200", "400", "403", "404", "405", "408", "409", "414", "431",
];

/// A host without plugins.
struct Host {
    swapper: Swapper,
    endpoint: Endpoint,
    runtime: Runtime,
}

static HOST: LazyLock<Host> = LazyLock::new(|| {
    let program = std::env::current_exe().expect("this program has a path");
    let plugins = program.with_extension("plugins");
    fs::create_dir_all(&plugins).expect("the directory of the program can be written");
    let swapper = Swapper::builder()
        .plugin_dir(plugins)
        .allow_empty(true)
        .open();
    let swapper = swapper.expect("no plugin is there that could be wrong");
    let runtime = Builder::new_current_thread().enable_time().build();
    Host {
        endpoint: Endpoint::of(&swapper),
        runtime: runtime.expect("the runtime has no thread that could be missing"),
        swapper,
    }
});

fuzz_target!(|bytes: &[u8]| {
    let host = &*HOST;
    let answer = host.runtime.block_on(async {
        let (client, server) = duplex(BUFFER);
        // The connection ends with its client.
        let served = async {
            host.endpoint.serve(server).await;
            std::future::pending().await
        };
        tokio::select! {
            answer = talk(client, bytes) => answer,
            never = served => never,
        }
    });
    if !answer.is_empty() {
        let text = String::from_utf8_lossy(&answer);
        let status = text.strip_prefix("HTTP/1.").and_then(|rest| rest.get(2..5));
        assert!(
            status.is_some_and(|status| STATUSES.contains(&status)),
            "{text}"
        );
    }
    assert_eq!(host.swapper.generation(), 1, "there was nothing to load");
    // The next request finds the host as this one has.
    let accepted = host.swapper.unfreeze();
    accepted.expect("the host forgets it");
});

/// Sends bytes. Returns what has come until the endpoint has closed the connection, or a part of an answer without an end.
async fn talk(mut client: DuplexStream, bytes: &[u8]) -> Vec<u8> {
    let mut answer = Vec::new();
    if client.write_all(bytes).await.is_err() || client.shutdown().await.is_err() {
        return answer;
    }
    let mut part = [0; 4096];
    while let Ok(length @ 1..) = client.read(&mut part).await {
        let part = &part[..length];
        answer.extend_from_slice(part);
        if part.windows(STREAM.len()).any(|it| it == STREAM) {
            break;
        }
    }
    answer
}
