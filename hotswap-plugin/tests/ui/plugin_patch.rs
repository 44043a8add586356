use hotswap_plugin::prelude::*;

#[derive(Default)]
struct World;

#[plugin]
impl World {
    #[patch]
    fn without_a_name(&self) {}

    #[patch(plugin = "moon")]
    fn without_a_function(&self) {}

    #[patch(plugin = "moon", function = "hum", index = 1)]
    fn with_another_option(&self) {}

    #[patch(plugin = "moon", function = "Moon::rise")]
    fn of_a_method(&self) {}

    #[patch(plugin = "", function = "hum")]
    fn without_a_plugin(&self) {}

    #[patch(plugin = "moon", function = "hum")]
    fn first(&self) {}

    #[patch(plugin = "moon", function = "hum")]
    fn second(&self) {}

    #[patch(plugin = "moon", function = "glow")]
    #[patch(plugin = "sun", function = "glow")]
    fn twice(&self) {}

    #[patch(plugin = "moon", function = "shine")]
    #[invoke]
    fn both(&self) {}

    #[patch(plugin = "moon", function = "wane")]
    #[smoke]
    fn test(&self) {}

    #[patch(plugin = "moon", function = "wax")]
    fn on_start(&self) {}

    #[patch(plugin = "moon", function = "turn")]
    fn changes(&mut self) {}
}

fn main() {}
