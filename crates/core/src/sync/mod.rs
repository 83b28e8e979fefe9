//! Sync: the mirror and a Supabase project come to say the same.
//!
//! The wire is specified in docs/sync.md. This module decides; [`crate::mirror`] stores, and
//! `remote` speaks HTTP.

pub mod failures;
