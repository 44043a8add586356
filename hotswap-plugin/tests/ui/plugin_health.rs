use hotswap_plugin::prelude::*;

#[derive(Default)]
struct World;

#[plugin]
impl World {
    #[health]
    fn with_parameter(&self, times: u32) {
        let _ = times;
    }

    #[health]
    fn with_result(&self) -> u32 {
        1
    }

    #[health(often)]
    fn with_option(&self) {}

    #[health]
    async fn later(&self) {}

    #[health]
    fn changes(&mut self) {}

    #[health]
    #[invoke]
    fn both(&self) -> Health {
        Health::Healthy
    }

    #[health]
    fn on_start(&self) {}
}

fn main() {}
