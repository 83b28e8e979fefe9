//! The suites that need more than one crate, in one binary.

mod providers;
