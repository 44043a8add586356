#[shared]
/// A place, and what it is called.
#[derive(Clone)]
pub struct Vector {
    pub x: i64,
    pub label: String,
}

#[shared(crate = renamed)]
enum Event {
    Came(Vector, u8),
    Went { r#where: Option<Vector> },
    Nothing,
}
