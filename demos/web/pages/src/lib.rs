//! The plugin that makes the pages. All of its functions are async, and the host awaits them in its handlers.
use hotswap_plugin::prelude::*;
use std::time::Duration;
use web_interfaces::{Guestbook, Refused};

/// Change this while the host runs.
const TITLE: &str = "The guestbook";

/// The greetings below the page, in turn.
const GREETINGS: &str = "Welcome|Hello|Good day";

/// The imports of pages.
#[derive(Import)]
pub struct Deps {
    guestbook: Imported<dyn Guestbook>,
}

/// One loaded build of the plugin.
pub struct Pages {
    cx: Context,
    deps: Deps,
}

#[plugin(name = "pages")]
impl Pages {
    /// Makes the instance. Its imports are already complete.
    pub fn new(cx: &Context, deps: Deps) -> Self {
        Pages {
            cx: cx.clone(),
            deps,
        }
    }

    /// Returns the page with the guests.
    #[invoke]
    pub async fn home(&self) -> String {
        let (signed, latest) = self.deps.guestbook.latest().await;
        let mut text = format!("{TITLE}: {signed} signed\n");
        for guest in latest {
            text += &format!("{}. {} ({:08x})\n", guest.number, guest.name, guest.seal);
        }
        text += greeting(signed);
        debug!("made the page with {signed} guests");
        text + "\n" + &self.by()
    }

    /// Signs the guestbook.
    #[invoke]
    pub async fn sign(&self, name: &str) -> Result<String, Refused> {
        let guest = self.deps.guestbook.sign(name).await?;
        let (name, number) = (guest.name, guest.number);
        Ok(format!("{name} is number {number}\n{}", self.by()))
    }

    /// Refuses a build that does not greet.
    #[smoke]
    fn greets(&self) -> Result<(), String> {
        match greeting(0) {
            "" => Err("the first greeting is empty".into()),
            _ => Ok(()),
        }
    }

    /// Returns a page that takes its time, on a timer of tokio. The build that began the request also answers it.
    #[invoke]
    pub async fn nap(&self, millis: u64) -> String {
        tokio::time::sleep(Duration::from_millis(millis)).await;
        format!("slept for {millis} ms\n{}", self.by())
    }
}

/// Returns the greeting for this number of guests.
fn greeting(signed: u64) -> &'static str {
    let turn = signed as usize % 3;
    let greeting = GREETINGS.split('|').nth(turn);
    greeting.expect("there are three greetings")
}

impl Pages {
    /// Returns the builds that took part in a page.
    fn by(&self) -> String {
        let guestbook = self.deps.guestbook.build();
        format!("by pages {:.8}, {guestbook}\n", self.cx.build_id())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use web_interfaces::Guest;

    /// A fake guestbook in which every guest is Ada.
    struct Adas;

    fn ada() -> Guest {
        Guest {
            number: 1,
            name: "Ada".into(),
            seal: 0xada,
        }
    }

    impl Guestbook for Adas {
        async fn sign(&self, _name: &str) -> Result<Guest, Refused> {
            Ok(ada())
        }

        async fn latest(&self) -> (u64, Vec<Guest>) {
            (1, vec![ada()])
        }

        fn build(&self) -> String {
            "adas".into()
        }
    }

    fn pages() -> Pages {
        let guestbook = Imported::from_impl(Adas);
        Pages::new(&Context::for_test(), Deps { guestbook })
    }

    #[tokio::test]
    async fn the_home_page_names_the_guests() {
        let expected =
            format!("{TITLE}: 1 signed\n1. Ada (00000ada)\nHello\nby pages 00000000, adas\n");
        assert_eq!(pages().home().await, expected);
    }

    #[tokio::test]
    async fn who_signs_is_told_the_number() {
        let page = pages().sign("Ada").await.expect("the name is valid");
        assert_eq!(page, "Ada is number 1\nby pages 00000000, adas\n");
    }

    #[tokio::test(start_paused = true)]
    async fn a_nap_ends() {
        assert!(pages().nap(20).await.starts_with("slept for 20 ms\n"));
    }
}
