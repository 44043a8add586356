//! The plugin that keeps the names of guests in memory, from build to build.
use hotswap_plugin::prelude::*;
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use web_interfaces::{Guest, Refused};

/// Change this while the host runs. The next guests get another seal.
const SEED: u32 = 7;

/// The number of guests that are remembered by name.
const LATEST: usize = 5;

/// The largest number of letters in a name.
const LETTERS: u32 = 40;

/// The state that the next build continues with.
#[live_data]
#[derive(Clone, Debug, Default)]
pub struct Book {
    signed: u64,
    /// The guests, with the latest one first.
    latest: VecDeque<Guest>,
}

/// One loaded build of the plugin.
pub struct Guestbook {
    cx: Context,
    book: Mutex<Book>,
}

#[plugin(name = "guestbook", exports(web_interfaces::Guestbook))]
impl Guestbook {
    /// Makes the instance. Its book is empty until state is restored.
    pub fn new(cx: &Context) -> Self {
        Guestbook {
            cx: cx.clone(),
            book: Mutex::default(),
        }
    }

    fn save(&self) -> Book {
        self.book().clone()
    }

    fn restore(&self, book: Book) {
        *self.book() = book;
    }

    #[health]
    fn intact(&self) -> std::result::Result<(), String> {
        match self.book.is_poisoned() {
            true => Err("a call has panicked while it wrote into the book".into()),
            false => Ok(()),
        }
    }
}

impl Guestbook {
    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl web_interfaces::Guestbook for Guestbook {
    async fn sign(&self, name: &str) -> std::result::Result<Guest, Refused> {
        let name = name.trim().to_owned();
        if name.is_empty() {
            return Err(Refused::NoName);
        }
        if name.chars().count() > LETTERS as usize {
            return Err(Refused::TooLong(LETTERS));
        }
        // A long computation would hold up other requests on a thread of the server.
        let sealing = tokio::task::spawn_blocking(move || (seal(&name), name));
        let (seal, name) = sealing.await.expect("computing a seal does not panic");
        let mut book = self.book();
        book.signed += 1;
        let guest = Guest {
            number: book.signed,
            name,
            seal,
        };
        book.latest.push_front(guest.clone());
        book.latest.truncate(LATEST);
        Ok(guest)
    }

    async fn latest(&self) -> (u64, Vec<Guest>) {
        let book = self.book();
        (book.signed, book.latest.iter().cloned().collect())
    }

    fn build(&self) -> String {
        format!("guestbook {:.8}", self.cx.build_id())
    }
}

/// Computes a number, which takes some time.
fn seal(name: &str) -> u32 {
    (0..1000).fold(SEED, |seal, _| {
        name.bytes().fold(seal, |seal, byte| {
            (seal ^ u32::from(byte)).wrapping_mul(16_777_619)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use web_interfaces::Guestbook as _;

    #[tokio::test]
    async fn goes_on_counting() -> Result<()> {
        let old = Guestbook::new(&Context::for_test());
        let ada = old.sign(" Ada ").await.expect("the name is valid");
        assert_eq!((ada.number, &*ada.name), (1, "Ada"));
        let new = Guestbook::new(&Context::for_test());
        new.restore(LiveData::save(&old.save())?.restore()?);
        let grace = new.sign("Grace").await.expect("the name is valid");
        assert_eq!(new.latest().await, (2, vec![grace, ada]));
        Ok(())
    }

    #[tokio::test]
    async fn remembers_the_latest() {
        let book = Guestbook::new(&Context::for_test());
        for number in 1..10 {
            book.sign(&number.to_string())
                .await
                .expect("the name is valid");
        }
        let (signed, latest) = book.latest().await;
        assert_eq!((signed, latest.len()), (9, LATEST));
        assert_eq!(latest[0].name, "9");
    }

    #[tokio::test]
    async fn refuses_what_is_no_name() {
        let book = Guestbook::new(&Context::for_test());
        assert_eq!(book.sign(" ").await, Err(Refused::NoName));
        let long = "x".repeat(LETTERS as usize + 1);
        assert_eq!(book.sign(&long).await, Err(Refused::TooLong(LETTERS)));
        assert_eq!(book.latest().await, (0, Vec::new()));
    }
}
