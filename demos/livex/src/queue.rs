//! Jobs on disk. No job is lost, and none is done twice, whenever the program ends.
//!
//! The file is a journal, which only grows. One record says that a job was queued, and another one that it was done,
//! with the result. Therefore a job and its result are on disk together, or the job is still waiting. A record may be
//! incomplete because the program was killed while it wrote; it is cut off when the file is opened again.
//!
//! | bytes | meaning |
//! |---|---|
//! | 1 | the kind: 1 is queued, 2 is done, 3 is queued for later |
//! | 8 | the job's number, little-endian |
//! | 4 | the length of the content, little-endian |
//! | n | the job, as live data, or its result, as text. A job for later begins with its time in 8 bytes, in milliseconds since 1970, little-endian |
//! | 4 | a checksum of all bytes before it, FNV-1a, little-endian |
use hotswap_host::LiveData;
use livex_interfaces::JobQueue;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const QUEUED: u8 = 1;
const DONE: u8 = 2;
const LATER: u8 = 3;
/// The lengths of the parts before and behind the content of a record.
const HEAD: usize = 13;
const CHECK: usize = 4;

/// The jobs that are waiting, and the journal of all jobs.
pub struct Queue(Mutex<State>);

struct State {
    journal: File,
    jobs: Jobs,
}

/// The content of a journal.
#[derive(Debug, Default)]
pub struct Jobs {
    /// The jobs to do, by number.
    pub waiting: BTreeMap<u64, Waiting>,
    /// The results of the jobs that were done, by number.
    pub done: BTreeMap<u64, String>,
}

/// A job that is to be done.
#[derive(Clone, Debug, PartialEq)]
pub struct Waiting {
    /// The job.
    pub job: LiveData,
    /// The job is not done before this time.
    pub not_before: SystemTime,
}

impl Waiting {
    /// Reads a job that was queued, with its time if it is for later.
    fn read(kind: u8, content: &[u8]) -> io::Result<Self> {
        let (not_before, job) = match (kind, content.split_first_chunk()) {
            (QUEUED, _) => (UNIX_EPOCH, content),
            (_, Some((millis, job))) => {
                let since = Duration::from_millis(u64::from_le_bytes(*millis));
                (UNIX_EPOCH + since, job)
            }
            _ => return Err(io::Error::other("a job for later has no time")),
        };
        Ok(Waiting {
            job: LiveData::from_bytes(job).map_err(io::Error::other)?,
            not_before,
        })
    }
}

impl Jobs {
    /// Returns how many jobs were ever queued. They are numbered from 1.
    pub fn queued(&self) -> u64 {
        (self.waiting.len() + self.done.len()) as u64
    }

    /// Reads a journal. Also returns the number of bytes in complete records.
    ///
    /// # Errors
    /// Returns an error if a complete record makes no sense, because the file is not a journal of this demo.
    pub fn read(journal: &[u8]) -> io::Result<(Self, usize)> {
        let (mut jobs, mut at) = (Jobs::default(), 0);
        while let Some((kind, number, content)) = record(&journal[at..]) {
            let known = match kind {
                QUEUED | LATER if number == jobs.queued() + 1 => {
                    let job = Waiting::read(kind, content)?;
                    jobs.waiting.insert(number, job).is_none()
                }
                DONE if jobs.waiting.remove(&number).is_some() => {
                    let result = String::from_utf8_lossy(content).into_owned();
                    jobs.done.insert(number, result).is_none()
                }
                _ => false,
            };
            if !known {
                let text = format!("record {kind} of job {number} at byte {at} makes no sense");
                return Err(io::Error::new(io::ErrorKind::InvalidData, text));
            }
            at += HEAD + content.len() + CHECK;
        }
        Ok((jobs, at))
    }
}

impl Queue {
    /// Opens the queue in this file, or creates it.
    ///
    /// # Errors
    /// Returns an error if the file cannot be read or written, or is not a queue.
    pub fn open(path: &Path) -> io::Result<Self> {
        let mut options = File::options();
        let mut journal = options
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)?;
        let mut bytes = Vec::new();
        journal.read_to_end(&mut bytes)?;
        let (jobs, whole) = Jobs::read(&bytes)?;
        journal.set_len(whole as u64)?;
        journal.seek(SeekFrom::Start(whole as u64))?;
        Ok(Queue(Mutex::new(State { journal, jobs })))
    }

    /// Returns the first job whose time has come, with its number. The job stays in the queue.
    pub fn next(&self) -> Option<(u64, LiveData)> {
        self.next_at(SystemTime::now())
    }

    fn next_at(&self, now: SystemTime) -> Option<(u64, LiveData)> {
        let state = self.state();
        let mut waiting = state.jobs.waiting.iter();
        let (number, waiting) = waiting.find(|(_, waiting)| waiting.not_before <= now)?;
        Some((*number, waiting.job.clone()))
    }

    /// Records that a job was done, and removes it from the queue.
    ///
    /// # Errors
    /// Returns an error if the journal cannot be written, or if there is no such job.
    pub fn done(&self, number: u64, result: &str) -> io::Result<()> {
        let mut state = self.state();
        if !state.jobs.waiting.contains_key(&number) {
            return Err(io::Error::other(format!("job {number} is not waiting")));
        }
        state.write(DONE, number, result.as_bytes())?;
        state.jobs.waiting.remove(&number);
        state.jobs.done.insert(number, result.to_owned());
        Ok(())
    }

    /// Returns how many jobs are waiting, and how many were ever queued.
    pub fn counts(&self) -> (u64, u64) {
        let state = self.state();
        (state.jobs.waiting.len() as u64, state.jobs.queued())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl JobQueue for Queue {
    fn push(&self, job: &LiveData) -> hotswap_plugin::Result<u64> {
        Ok(self.state().push(QUEUED, job.as_bytes())?)
    }

    fn push_after(&self, job: &LiveData, delay: Duration) -> hotswap_plugin::Result<u64> {
        let due = SystemTime::now().duration_since(UNIX_EPOCH)? + delay;
        let mut content = u64::try_from(due.as_millis())?.to_le_bytes().to_vec();
        content.extend(job.as_bytes());
        Ok(self.state().push(LATER, &content)?)
    }
}

impl State {
    /// Queues a job, and returns its number.
    fn push(&mut self, kind: u8, content: &[u8]) -> io::Result<u64> {
        let job = Waiting::read(kind, content)?;
        let number = self.jobs.queued() + 1;
        self.write(kind, number, content)?;
        self.jobs.waiting.insert(number, job);
        Ok(number)
    }

    /// Appends a record. If that fails, the part that was written is removed again.
    fn write(&mut self, kind: u8, number: u64, content: &[u8]) -> io::Result<()> {
        let len = u32::try_from(content.len()).map_err(io::Error::other)?;
        let mut record = vec![kind];
        record.extend(number.to_le_bytes());
        record.extend(len.to_le_bytes());
        record.extend(content);
        record.extend(check(&record).to_le_bytes());
        let begin = self.journal.stream_position()?;
        // The writes of a killed process are not lost. To survive a crash of the machine, they would have to be synced
        // as well.
        self.journal.write_all(&record).or_else(|error| {
            self.journal.set_len(begin)?;
            self.journal.seek(SeekFrom::Start(begin))?;
            Err(error)
        })
    }
}

/// Returns the first record of these bytes, if it is complete.
fn record(bytes: &[u8]) -> Option<(u8, u64, &[u8])> {
    let (kind, rest) = bytes.split_first()?;
    let (number, rest) = rest.split_first_chunk()?;
    let (len, rest) = rest.split_first_chunk()?;
    let len = usize::try_from(u32::from_le_bytes(*len)).ok()?;
    let (content, rest) = rest.split_at_checked(len)?;
    let sum = rest.first_chunk()?;
    let whole = u32::from_le_bytes(*sum) == check(&bytes[..HEAD + len]);
    whole.then(|| (*kind, u64::from_le_bytes(*number), content))
}

/// Computes a checksum, FNV-1a.
fn check(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c_9dc5, |hash, byte| {
        (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(number: u32) -> LiveData {
        LiveData::with("Fire", 1, &number).unwrap()
    }

    #[test]
    fn what_was_queued_and_done_is_there_after_a_restart() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("queue");
        let queue = Queue::open(&file).unwrap();
        assert_eq!([1, 2].map(|n| queue.push(&job(n)).unwrap()), [1, 2]);
        queue.done(1, "out").unwrap();
        assert!(queue.done(1, "again").is_err());
        drop(queue);
        let queue = Queue::open(&file).unwrap();
        assert_eq!(queue.counts(), (1, 2));
        assert_eq!(queue.next(), Some((2, job(2))));
        assert_eq!(queue.push(&job(3)).unwrap(), 3);
    }

    #[test]
    fn a_job_for_later_waits_for_its_time_also_after_a_restart() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("queue");
        let queue = Queue::open(&file).unwrap();
        let hour = Duration::from_secs(3600);
        assert_eq!(queue.push_after(&job(1), hour).unwrap(), 1);
        assert_eq!(queue.next(), None);
        assert_eq!(queue.push(&job(2)).unwrap(), 2);
        drop(queue);
        let queue = Queue::open(&file).unwrap();
        assert_eq!(queue.next(), Some((2, job(2))));
        assert_eq!(queue.next_at(SystemTime::now() + hour), Some((1, job(1))));
        queue.done(2, "out").unwrap();
        assert_eq!((queue.next(), queue.counts()), (None, (1, 2)));
    }

    #[test]
    fn a_journal_that_is_cut_anywhere_has_all_that_is_whole() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("queue");
        let queue = Queue::open(&file).unwrap();
        queue.push(&job(1)).unwrap();
        let first = std::fs::read(&file).unwrap();
        queue.done(1, "out").unwrap();
        let whole = std::fs::read(&file).unwrap();
        for cut in 0..=whole.len() {
            std::fs::write(&file, &whole[..cut]).unwrap();
            let expected = match cut {
                _ if cut < first.len() => (0, 0),
                _ if cut < whole.len() => (1, 1),
                _ => (0, 1),
            };
            let queue = Queue::open(&file).unwrap();
            assert_eq!(queue.counts(), expected, "cut at {cut}");
            // The queue continues from there.
            queue.push(&job(9)).unwrap();
            drop(queue);
            assert_eq!(Queue::open(&file).unwrap().counts().1, expected.1 + 1);
        }
    }
}
