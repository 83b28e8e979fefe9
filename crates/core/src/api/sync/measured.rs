//! A server whose requests are timed.

use std::sync::Arc;
use std::time::Instant;

use crate::mirror::Mirror;
use crate::sync::failures::{Fault, FaultKind};
use crate::sync::server::{Ask, Remote, Told};
use crate::timings::Timings;

/// Notes how long each request took, and which failed in which way. What was asked and answered is not
/// looked at.
#[derive(Debug)]
pub(super) struct Measured<R> {
    remote: R,
    timings: Arc<Timings>,
    mirror: Mirror,
}

impl<R> Measured<R> {
    pub(super) fn new(remote: R, timings: Arc<Timings>, mirror: Mirror) -> Self {
        Self { remote, timings, mirror }
    }
}

impl<R: Remote> Remote for Measured<R> {
    async fn ask(&self, ask: Ask) -> Result<Told, Fault> {
        let (name, began) = (name(&ask), Instant::now());
        let told = self.remote.ask(ask).await;
        let now = || self.mirror.clock().now();
        self.timings.note(name, began.elapsed(), now);
        if let Err(fault) = &told {
            self.timings.failed(name, words(fault), now());
        }
        told
    }
}

fn name(ask: &Ask) -> &'static str {
    match ask {
        Ask::Hello { .. } => "sync_hello",
        Ask::Refresh => "refresh",
        Ask::Pull { .. } => "sync_pull",
        Ask::Snapshot { .. } => "sync_snapshot",
        Ask::Push(_) => "sync_push",
        Ask::Anchor { .. } => "sync_anchor",
        Ask::Manifest { .. } => "sync_manifest",
        Ask::Rows { .. } => "sync_rows",
        Ask::Digest { .. } => "sync_digest",
    }
}

/// Service, status and code: nothing that a server or a person wrote.
fn words(fault: &Fault) -> String {
    let service = format!("{:?}", fault.service).to_lowercase();
    let kind = match fault.kind {
        FaultKind::Unreachable => "no connection".to_owned(),
        FaultKind::TimedOut => "no answer in time".to_owned(),
        FaultKind::TooMuch => "an answer that is too large".to_owned(),
        FaultKind::NotOurs => "an answer that is not ours".to_owned(),
        FaultKind::Status(status) => status.to_string(),
    };
    // A code is a word; what is longer, or holds anything else, is somebody's text.
    let is_word = |code: &&String| {
        code.len() <= 40 && code.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    match fault.code.as_ref().filter(is_word) {
        Some(code) => format!("{service}: {kind}, {code}"),
        None => format!("{service}: {kind}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sync::failures::Service;

    #[test]
    fn a_code_that_is_no_word_is_not_shown() {
        let fault = |code: &str| words(&Fault::status(Service::Rest, 403, code));
        assert_eq!(fault("device_revoked"), "rest: 403, device_revoked");
        assert_eq!(fault("row (1, ann@example.com)"), "rest: 403");
        assert_eq!(fault(""), "rest: 403");
    }
}
