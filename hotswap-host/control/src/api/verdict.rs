//! The result of a dry run.

super::types! {
    /// The result of a dry run, which changes nothing.
    pub struct Verdict {
        /// The verdict as text.
        pub text: String,
        /// `compatible`, `additions`, or `breaking`.
        pub compatibility: String,
        /// The plugins of the next generation in its order, then those that would leave.
        pub plugins: Vec<PluginVerdict>,
    }

    /// The verdict on one plugin.
    pub struct PluginVerdict {
        /// The name.
        pub name: String,
        /// The outcome that the reload would have for it.
        pub outcome: String,
        /// The items in which its new build differs from the running one.
        pub changes: Vec<Change>,
    }

    /// An item in which two builds differ.
    pub struct Change {
        /// The item and the difference, as one text.
        pub text: String,
        /// `compatible`, `additions`, or `breaking`.
        pub compatibility: String,
        /// Each warning names a migration that is missing, and the code that adds it.
        pub warnings: Vec<String>,
    }
}

impl Verdict {
    /// Returns true if the reload would break something that somebody uses. A word that this version does not know counts as
    /// breaking.
    pub fn is_breaking(&self) -> bool {
        !matches!(&*self.compatibility, "compatible" | "additions")
    }
}
