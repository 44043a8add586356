//! Runs images as Docker does.
use crate::image::Image;
use crate::root::{Root, Space, mount_fs, volume};
use hotswap_tests::{LIMIT, run, until};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A running container.
pub struct Container<'a> {
    image: &'a Image,
    root: Root,
    process: Child,
    /// What it has written to stdout and stderr.
    written: Arc<Mutex<String>>,
    pub address: SocketAddr,
}

impl<'a> Container<'a> {
    /// Runs an image with these options of `docker run`, and these arguments. Returns once it listens.
    pub fn run(
        space: &Space,
        image: &'a Image,
        name: &str,
        options: &[String],
        volumes: &dyn Fn(&str) -> PathBuf,
        arguments: &[&str],
    ) -> Self {
        assert!(options.iter().any(|option| option == "--read-only"));
        let root = space.read_only(&image.root, name);
        let values = |option: &'static str| {
            let pairs = options.windows(2);
            pairs
                .filter(move |pair| pair[0] == option)
                .map(|pair| &*pair[1])
        };
        for tmpfs in values("--tmpfs") {
            let (at, options) = tmpfs.split_once(':').unwrap_or((tmpfs, "rw"));
            mount_fs(
                "tmpfs",
                &format!("noexec,nosuid,nodev,{options}"),
                &root.path(at),
            );
        }
        for pair in values("--volume") {
            let (from, to) = pair.split_once(':').unwrap();
            assert!(image.volumes.iter().any(|volume| volume == to));
            volume(&volumes(from), &root.path(to));
        }
        let words: Vec<_> = image
            .entrypoint
            .iter()
            .cloned()
            .chain(arguments.iter().map(|&word| word.into()))
            .collect();
        let mut command = root.command(image.user.as_deref(), &image.dir, &image.env, &words);
        let (process, address, written) = listening(&mut command);
        Container {
            image,
            root,
            process,
            written,
            address,
        }
    }

    /// Runs a command in the container, as `docker exec` does.
    pub fn exec(&self, words: &[&str]) -> Output {
        let words: Vec<_> = words.iter().map(|&word| word.to_owned()).collect();
        let image = self.image;
        let mut command = self
            .root
            .command(image.user.as_deref(), &image.dir, &image.env, &words);
        command.output().unwrap()
    }

    /// Runs the health check of the image, and returns its exit code with what it has printed.
    pub fn health(&self) -> (Option<i32>, String) {
        let words: Vec<_> = self.image.health.iter().map(String::as_str).collect();
        let output = self.exec(&words);
        let printed = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8(printed).unwrap())
    }

    pub fn written(&self) -> String {
        self.written.lock().unwrap().clone()
    }

    /// Ends the container, as `docker stop` does.
    pub fn stop(&mut self) {
        run(Command::new("kill").arg(self.process.id().to_string()));
        let status = self.process.wait().unwrap();
        assert!(status.success(), "{status}: {}", self.written());
    }
}

impl Drop for Container<'_> {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Starts a server, and returns its process once it listens.
pub fn listening(command: &mut Command) -> (Child, SocketAddr, Arc<Mutex<String>>) {
    let mut process = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let written = Arc::new(Mutex::new(String::new()));
    let streams: [Box<dyn Read + Send>; 2] = [
        Box::new(process.stdout.take().unwrap()),
        Box::new(process.stderr.take().unwrap()),
    ];
    for stream in streams {
        let written = written.clone();
        std::thread::spawn(move || {
            for line in BufReader::new(stream).lines().map_while(Result::ok) {
                *written.lock().unwrap() += &(line + "\n");
            }
        });
    }
    let begin = std::time::Instant::now();
    let address = loop {
        let text = written.lock().unwrap().clone();
        let mut addresses = text
            .lines()
            .filter_map(|line| line.strip_prefix("listening on http://"));
        if let Some(address) = addresses.next() {
            break address.parse().unwrap();
        }
        let ended = process.try_wait().unwrap();
        // A server may be built before it runs.
        assert!(
            ended.is_none() && begin.elapsed() < 10 * LIMIT,
            "{ended:?}: {text}"
        );
        std::thread::sleep(Duration::from_millis(5));
    };
    (process, address, written)
}

/// Returns a page of a server.
pub fn page(address: SocketAddr) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream
        .write_all(b"GET / HTTP/1.1\r\nhost: web\r\nconnection: close\r\n\r\n")
        .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// Returns once the page has this text.
pub fn until_page(address: SocketAddr, text: &str) {
    until(text, || page(address).contains(text));
}

/// Copies what an image has at this path, as a volume begins.
pub fn filled(image: &Image, path: &str, into: &Path) {
    run(Command::new("cp")
        .arg("-a")
        .arg(image.root.path(path).join("."))
        .arg(into));
}
