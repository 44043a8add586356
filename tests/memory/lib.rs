//! This package consists of its test.
