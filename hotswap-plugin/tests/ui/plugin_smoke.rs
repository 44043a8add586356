use hotswap_plugin::prelude::*;

#[derive(Default)]
struct World;

#[plugin]
impl World {
    #[smoke]
    fn with_parameter(&self, times: u32) {
        let _ = times;
    }

    #[smoke]
    fn with_result(&self) -> u32 {
        1
    }

    #[smoke(sometimes)]
    fn with_option(&self) {}

    #[smoke]
    async fn later(&self) {}

    #[smoke]
    fn changes(&mut self) {}

    #[smoke]
    #[invoke]
    fn both(&self) {}

    #[smoke]
    fn on_start(&self) {}
}

fn main() {}
