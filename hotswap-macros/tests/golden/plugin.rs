#[plugin(exports(Alpha))]
impl World {
    fn new(cx: &Context, deps: Deps) -> Result<Self> {
        Ok(World { deps })
    }

    fn on_load(&self, data: &LoadData<'_>) -> Result<()> {
        Ok(())
    }

    fn on_start(&self) {}

    fn save(&self) -> State {
        State { hums: self.hums }
    }

    fn restore(&self, state: State) -> Result<()> {
        Ok(())
    }

    #[invoke]
    fn hum(&self, times: u32) -> String {
        "hum ".repeat(times as usize)
    }

    #[smoke]
    fn hums(&self) {}

    #[health]
    fn is_well(&self) -> Health {
        Health::Healthy
    }

    #[patch(plugin = "sun", function = "shine")]
    fn glow(&self, hours: u32) -> Vector {
        Vector::default()
    }

    #[invoke]
    async fn rest(&self, name: &str, times: u32) -> Option<Vector> {
        None
    }

    #[invoke]
    fn greet(&self, name: &str, at: Vector) -> Result<Vector, Refused> {
        Ok(at)
    }
}

#[plugin(name = "moon", version = "2", reloadable = false, allocator = false, crate = renamed)]
impl Moon {
    fn on_init(&mut self) {
        self.phase = 1;
    }
}
