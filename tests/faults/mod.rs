//! Faults on demand: a disk that loses power, fails and fills up, under the unchanged core.
//!
//! [`Disk`] is a simulated disk that remembers what was written since the last fsync. [`vfs`] puts it
//! under SQLite as the process's default file system: every path below `/tidemark-fault/` is a
//! simulated one, every other path goes to the computer's own. [`work`] is what the core does while
//! the faults happen, and what must hold afterwards.

mod disk;
mod locks;
mod rng;
mod vfs;
pub mod work;

pub use disk::{Disk, Fault, Plan, Syncs};
pub use rng::{Rng, scale, seed};
pub use vfs::Machine;
