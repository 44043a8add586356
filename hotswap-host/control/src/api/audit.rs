//! The audit of a host.

super::types! {
    /// A record of the audit: a request that has changed something, or was to, or was refused.
    pub struct AuditRecord {
        /// The number of the record. The first one has number 1.
        pub id: i64,
        /// The time, in seconds since 1970.
        pub at: f64,
        /// The caller: a process with its user, the subject of a certificate, or the id of a token.
        pub who: String,
        /// The request in a few words, such as `drain pages`.
        pub what: String,
        /// The details of the request, in JSON, if it has some.
        pub details: Option<String>,
        /// The result: `begun`, `done`, `refused`, `denied`, `invalid`, or `failed`.
        pub result: String,
        /// The reason that was given.
        pub reason: Option<String>,
        /// The id of the deployment that was given.
        pub deployment: Option<String>,
        /// The report or the error.
        pub outcome: String,
        /// The number of the record with which the request began.
        pub begun: Option<i64>,
        /// The SHA-256 of the hash of the record before, or of 64 zeros, and of `record`.
        pub hash: String,
        /// The text that is hashed.
        pub record: String,
    }

    /// The result of a check of the audit.
    pub struct AuditCheck {
        /// The number of records that follow each other from the first one on.
        pub records: u64,
        /// The hash of the last of them.
        pub hash: Option<String>,
        /// The first break.
        pub broken: Option<AuditBreak>,
    }

    /// The first break in the chain of an audit.
    pub struct AuditBreak {
        /// The number of the record that is missing or does not have its hash.
        pub id: i64,
        /// The break as a text.
        pub text: String,
    }
}
