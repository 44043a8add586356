//! Clients that never stop asking, each on one connection that it keeps.
use crate::builds::Builds;
use hotswap_tests::load::Window;
use hotswap_tests::{LIMIT, until};
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use tokio::net::TcpStream;
use tokio::runtime::{self, Runtime};
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// The state that the clients share with the test.
pub struct Load {
    pub builds: Builds,
    /// The sets that may be live, numbered by swaps.
    pub window: Window,
    answers: AtomicU64,
    done: AtomicBool,
}

impl Load {
    pub fn new(builds: Builds) -> Arc<Self> {
        Arc::new(Load {
            builds,
            window: Window::new(0),
            answers: AtomicU64::new(0),
            done: AtomicBool::new(false),
        })
    }

    fn is_done(&self) -> bool {
        self.done.load(SeqCst)
    }
}

/// Clients on one thread, each with a connection.
pub struct Clients {
    runtime: Runtime,
    clients: Vec<JoinHandle<Vec<u64>>>,
    load: Arc<Load>,
}

impl Clients {
    /// Opens all connections, and then begins to ask on each of them.
    pub fn connect(connections: usize, address: SocketAddr, load: &Arc<Load>) -> Self {
        let runtime = runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let open = |_| runtime.block_on(Client::connect(address));
        let clients: Vec<_> = (0..connections).map(open).collect();
        let ask = |(number, client): (usize, Client)| {
            runtime.spawn(client.ask_on_and_on(number, load.clone()))
        };
        let clients = clients.into_iter().enumerate().map(ask).collect();
        Clients {
            runtime,
            clients,
            load: load.clone(),
        }
    }

    /// Returns after this many more answers.
    pub fn until_answered(&self, answers: u64) {
        let enough = self.load.answers.load(SeqCst) + answers;
        until("answers", || {
            let failed = self.clients.iter().any(JoinHandle::is_finished);
            assert!(!failed, "a client has failed: see its panic");
            self.load.answers.load(SeqCst) >= enough
        });
    }

    /// Makes all clients finish, and returns the numbers that guests were told.
    pub fn finish(self) -> Vec<u64> {
        self.load.done.store(true, SeqCst);
        let clients = self.clients.into_iter();
        let numbers = clients.map(|client| self.runtime.block_on(client).unwrap());
        numbers.flatten().collect()
    }
}

struct Client {
    sender: SendRequest<Full<Bytes>>,
    /// Runs until the connection ends.
    connection: JoinHandle<hyper::Result<()>>,
}

impl Client {
    async fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
        Client {
            sender,
            connection: tokio::spawn(connection),
        }
    }

    /// Asks for one page after the other. Returns the numbers that the client was told as a guest.
    async fn ask_on_and_on(mut self, number: usize, load: Arc<Load>) -> Vec<u64> {
        let mut numbers = Vec::new();
        for turn in number.. {
            if load.is_done() {
                break;
            }
            let name = format!("guest of {number}");
            let (method, path, body) = match turn % 3 {
                0 => ("GET", "/", ""),
                1 => ("GET", "/nap/5", ""),
                _ => ("POST", "/guests", &*name),
            };
            let request = Request::builder().method(method).uri(path);
            let request = request.header("host", "web");
            let request = request.body(Full::from(body.to_owned())).unwrap();
            let answer = timeout(LIMIT, self.answer(request));
            let (page, live) = load.window.during_async(answer).await;
            let page = page.expect("the answer comes in time");
            load.builds.one_has_made(&page, live);
            if let Some(rest) = page.strip_prefix(&format!("{name} is number ")) {
                let (own, _) = rest.split_once('\n').expect("the page has two lines");
                numbers.push(own.parse().expect("the first line has a number"));
            }
            load.answers.fetch_add(1, SeqCst);
        }
        // The client has used the same connection all the time, and it still works.
        assert!(!self.connection.is_finished());
        numbers
    }

    /// Returns the page. Panics if a request fails, or the connection ends.
    async fn answer(&mut self, request: Request<Full<Bytes>>) -> String {
        let response = self.sender.send_request(request).await.unwrap();
        let status = response.status();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        let page = String::from_utf8(body.to_vec()).unwrap();
        assert_eq!(status, StatusCode::OK, "{page}");
        // The connection is kept.
        self.sender.ready().await.unwrap();
        page
    }
}
