//! A thread of the host that calls plugins, and ends when a test tells it to.
use std::cell::RefCell;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

type Job = Box<dyn FnOnce() + Send>;

/// A thread of the host.
pub struct Caller {
    jobs: Sender<Job>,
    done: Receiver<()>,
    thread: JoinHandle<()>,
}

impl Caller {
    /// The name of the thread.
    pub const NAME: &str = "zoo-caller";

    pub fn start() -> Self {
        let (jobs, inbox) = channel::<Job>();
        let (answer, done) = channel();
        let run = move || {
            for job in inbox {
                job();
                if answer.send(()).is_err() {
                    return;
                }
            }
        };
        let thread = std::thread::Builder::new().name(Self::NAME.into());
        Caller {
            jobs,
            done,
            thread: thread.spawn(run).expect("the thread can be started"),
        }
    }

    /// Does this on the thread, and returns when it is done.
    ///
    /// # Panics
    /// Panics if the closure does.
    pub fn run(&self, job: impl FnOnce() + Send + 'static) {
        self.jobs
            .send(Box::new(job))
            .expect("the thread waits for jobs");
        self.done.recv().expect("the job does not panic");
    }

    /// Does this on the thread when it ends, from the destructor of one of the host's thread-locals. Thread-locals that
    /// the thread uses for the first time after this call are dropped before.
    pub fn at_end(&self, job: impl FnOnce() + Send + 'static) {
        self.run(|| AT_END.set(Some(AtEnd(Some(Box::new(job))))));
    }

    /// Ends the thread, and returns when its last destructor has run.
    pub fn end(self) {
        drop(self.jobs);
        self.thread.join().expect("nothing panics on the thread");
    }
}

thread_local! {
    static AT_END: RefCell<Option<AtEnd>> = const { RefCell::new(None) };
}

struct AtEnd(Option<Job>);

impl Drop for AtEnd {
    fn drop(&mut self) {
        if let Some(job) = self.0.take() {
            job();
        }
    }
}
