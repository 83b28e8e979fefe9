//! The send queue: what waits, what goes out by itself, and what a death leaves behind.

mod deaths;
mod waiting;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::desk::{Desk, Person, opened, slow, to};
use tidemark_core::clock::ManualClock;
use tidemark_core::model::MessageState;
use tidemark_core::{Code, api::OpenOptions};
use tidemark_tests::model_server::{Reply, Script};
