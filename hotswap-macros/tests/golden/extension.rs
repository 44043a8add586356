#[extension]
pub struct Sounds {
    /// What cats say.
    pub meow: Slot<dyn Meow>,
    weigh: Slot<dyn scales::Weigh>,
}
