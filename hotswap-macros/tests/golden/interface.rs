#[interface]
/// What beta may ask of alpha.
pub trait Alpha: Send + Sync {
    /// Says the text there.
    #[must_use]
    fn say(&self, text: &str, at: Vector) -> Result<String, Refused>;
    fn ready(&self) -> bool {
        true
    }
    /// Later.
    async fn wait(&self, text: &str);
    async fn rest(&self) -> Vector {
        Vector::default()
    }
}
