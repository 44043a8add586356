//! A host whose metrics Prometheus reads: `cargo run --example prometheus --features metrics -- PLUGIN_DIR`. It prints the
//! address of its page, and calls its plugins' functions `tick` until it is ended.
use hotswap_host::Swapper;
use hotswap_operate::HostMetrics;
use metrics_exporter_prometheus::PrometheusBuilder;
use std::error::Error;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

fn main() -> Result<(), Box<dyn Error>> {
    let plugins = std::env::args_os()
        .nth(1)
        .ok_or("name a plugin directory")?;
    let exporter = PrometheusBuilder::new()
        .set_buckets(&[0.001, 0.01, 0.1, 1.0, 10.0])?
        .install_recorder()?;
    let metrics = HostMetrics::new();
    let swapper = Swapper::builder()
        .plugin_dir(plugins)
        .observe(metrics.observer())
        .open()?;
    metrics.count_calls(&swapper)?;
    std::thread::spawn(move || {
        loop {
            swapper.invoke_each("tick", &[]);
            std::thread::sleep(Duration::from_millis(100));
        }
    });
    let listener = TcpListener::bind("127.0.0.1:0")?;
    println!("http://{}/metrics", listener.local_addr()?);
    for connection in listener.incoming() {
        metrics.publish();
        answer(connection?, &exporter.render())?;
    }
    Ok(())
}

/// Answers any request with this page.
fn answer(connection: TcpStream, page: &str) -> std::io::Result<()> {
    let mut request = BufReader::new(&connection);
    let mut line = String::new();
    while request.read_line(&mut line)? > 2 {
        line.clear();
    }
    let (mut connection, length) = (&connection, page.len());
    write!(
        connection,
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\nContent-Length: {length}\r\n\
         Connection: close\r\n\r\n{page}"
    )
}
