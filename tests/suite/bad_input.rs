//! H5 and section 6: whatever comes in, a typed failure goes out and nothing is lost.

mod keys;
mod values;

use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::desk::{Desk, Person, opened, to};
use crate::secrets::write_key;
use tidemark_core::api::{App, AppState, OpenOptions, SearchRequest, Tidemark};
use tidemark_core::model::{ConversationId, MessageId, ModelRef, ProviderConfig, ProviderKind};
use tidemark_core::secrets::MemoryKeyring;
use tidemark_core::{Code, Failure};
use tidemark_tests::model_server::{Reply, Script};
use uuid::Uuid;
