#[live_data(version = 3, was = "Blaze", migrate(2, up = from_2, down = to_2), migrate(1, up = from_1))]
#[derive(Clone, Debug)]
pub struct Fire {
    pub name: String,
    #[live_data(was = "colour")]
    pub color: String,
    #[live_data(default = 7)]
    shots: u32,
    payload: Vec<u8>,
    crew: Vec<Man>,
    leader: Option<Man>,
    #[live_data(skip)]
    cache: Cache,
}

#[live_data(name = "place", crate = ::hotswap::plugin)]
pub struct Place(u8, Gun);

#[live_data]
enum State {
    Idle,
    #[live_data(was = "Busy")]
    Working {
        #[live_data(default)]
        gun: Gun,
    },
    Both(Gun, u8),
}
