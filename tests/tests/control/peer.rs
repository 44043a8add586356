//! Something that stands in the place of a host: it changes the answers of a real one, or has its own.
use serde_json::Value;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use tempfile::TempDir;

/// A request that has come.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// The method and the path, such as `POST /v1/reload`.
    pub request: String,
    /// The query, which follows the path.
    pub query: String,
    headers: String,
    pub body: Vec<u8>,
}

/// The place of a host. Its threads end with the test program.
pub struct Peer {
    dir: TempDir,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Peer {
    /// Lets this function answer each request, on a thread of its own.
    pub fn new(
        answer: impl Fn(&Asked, UnixStream) -> io::Result<()> + Send + Sync + 'static,
    ) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let peer = Peer {
            asked: Arc::default(),
            dir,
        };
        let listener = UnixListener::bind(peer.socket()).unwrap();
        let (asked, answer) = (peer.asked.clone(), Arc::new(answer));
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (asked, answer) = (asked.clone(), answer.clone());
                std::thread::spawn(move || {
                    let request = Asked::read(&stream)?;
                    asked.lock().unwrap().push(request.clone());
                    answer(&request, stream)
                });
            }
        });
        peer
    }

    /// Passes requests on to a host. `change` gets each answer in JSON and each event, with the request.
    pub fn between(host: PathBuf, change: fn(&str, &mut Value)) -> Self {
        Peer::new(move |asked, client| pass_on(&host, asked, client, change))
    }

    pub fn socket(&self) -> PathBuf {
        self.dir.path().join("control.sock")
    }

    /// Returns the requests so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

impl Asked {
    fn read(stream: &UnixStream) -> io::Result<Self> {
        let mut stream = BufReader::new(stream);
        let mut line = String::new();
        stream.read_line(&mut line)?;
        let (request, _) = line.rsplit_once(' ').unwrap_or_default();
        let (request, query) = request.split_once('?').unwrap_or((request, ""));
        let headers = head(&mut stream)?;
        let length = value_of(&headers, "content-length");
        let mut body = vec![0; length.and_then(|it| it.parse().ok()).unwrap_or(0)];
        stream.read_exact(&mut body)?;
        Ok(Asked {
            request: request.to_owned(),
            query: query.to_owned(),
            headers,
            body,
        })
    }
}

/// Reads the lines of a head up to the empty one.
fn head(stream: &mut impl BufRead) -> io::Result<String> {
    let mut head = String::new();
    while stream.read_line(&mut head)? > 2 {}
    Ok(head)
}

fn value_of<'h>(headers: &'h str, name: &str) -> Option<&'h str> {
    let mut lines = headers.lines().filter_map(|line| line.split_once(':'));
    let found = lines.find(|(found, _)| found.eq_ignore_ascii_case(name));
    found.map(|(_, value)| value.trim())
}

fn pass_on(
    host: &Path,
    asked: &Asked,
    mut client: UnixStream,
    change: fn(&str, &mut Value),
) -> io::Result<()> {
    let mut host = UnixStream::connect(host)?;
    // In HTTP/1.0, an answer ends with the connection, and has no chunks.
    let question = if asked.query.is_empty() { "" } else { "?" };
    let line = format!("{}{question}{} HTTP/1.0\r\n", asked.request, asked.query);
    host.write_all(line.as_bytes())?;
    host.write_all(asked.headers.as_bytes())?;
    host.write_all(&asked.body)?;
    let mut host = BufReader::new(host);
    let mut status = String::new();
    host.read_line(&mut status)?;
    let headers = head(&mut host)?;
    let kind = value_of(&headers, "content-type").unwrap_or_default();
    let (_, status) = status.trim_end().split_once(' ').unwrap_or_default();
    if kind.starts_with("text/event-stream") {
        begin_events(&mut client)?;
        return pass_events_on(&mut host, &mut client, |event| {
            change(&asked.request, event)
        });
    }
    let mut body = Vec::new();
    host.read_to_end(&mut body)?;
    if let Ok(mut value) = serde_json::from_slice(&body) {
        change(&asked.request, &mut value);
        body = value.to_string().into_bytes();
    }
    send(&mut client, status, kind, &body)
}

/// Sends an answer.
pub fn send(client: &mut impl Write, status: &str, kind: &str, body: &[u8]) -> io::Result<()> {
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
    );
    client.write_all(&[head.as_bytes(), body].concat())
}

/// Begins a stream of events.
pub fn begin_events(client: &mut impl Write) -> io::Result<()> {
    client.write_all(
        b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n",
    )
}

/// Passes events on. Before each of them stands what a later version might send beside events.
fn pass_events_on(
    host: &mut impl BufRead,
    client: &mut impl Write,
    change: impl Fn(&mut Value),
) -> io::Result<()> {
    let mut line = String::new();
    while host.read_line(&mut line)? > 0 {
        if let Some(data) = line.strip_prefix("data:")
            && let Ok(mut event) = serde_json::from_str(data)
        {
            change(&mut event);
            client.write_all(format!("data: {event}\n").as_bytes())?;
        } else if line.starts_with("id:") {
            let beside = ": a remark\n\nretry: 5\nevent: advice\ndata: {\"text\": [1]}\n\n";
            client.write_all(format!("{beside}{line}").as_bytes())?;
        } else {
            client.write_all(line.as_bytes())?;
        }
        line.clear();
    }
    Ok(())
}
