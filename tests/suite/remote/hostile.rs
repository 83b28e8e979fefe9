//! H10: what a server, or somebody in between, may not do to us.

use super::*;

/// What comes of a call that is answered so.
async fn fault(answer: Answer) -> Fault {
    called(&Server::saying(answer).await).await.expect_err("refused").fault
}

#[tokio::test]
async fn a_redirect_is_not_followed_and_the_token_stays() {
    let elsewhere = Server::saying(Answer::json(200, r#"{"changes":[]}"#)).await;
    for status in [301, 302, 303, 307, 308] {
        for target in [elsewhere.url(), "http://169.254.169.254/latest", "/rest/v1/rpc/other"] {
            let server =
                Server::saying(Answer::json(status, "{}").header("location", target)).await;
            let error = called(&server).await.expect_err("refused");
            assert_eq!(error.fault, Fault::Portal, "{status} {target}");
            assert_eq!(server.asked().len(), 1, "{status} {target}");
        }
    }
    assert!(elsewhere.asked().is_empty(), "nobody else was spoken to");
}

#[tokio::test]
async fn a_page_with_status_200_is_no_success() {
    let page = "<!doctype html><title>Sign in to the hotel's network</title>";
    assert_eq!(fault(Answer::new(200, "text/html", page)).await, Fault::Portal);
    assert_eq!(fault(Answer::new(200, "text/plain", "ok")).await, Fault::Portal);
    assert_eq!(fault(Answer::json(200, page)).await, Fault::Garbled);
}

#[tokio::test]
async fn a_small_answer_that_unpacks_to_a_large_one_is_not_unpacked() {
    let bomb = gzip_of_blanks(128);
    assert!(bomb.len() < 2 << 20, "128 MiB in {} bytes", bomb.len());
    let before = peak_memory();
    let bomb = Answer::json(200, bomb).header("content-encoding", "gzip");
    assert_eq!(fault(bomb).await, Fault::Oversized);
    let grown = peak_memory() - before;
    assert!(grown < 100 << 20, "grew by {} MiB", grown >> 20);
}

#[tokio::test]
async fn an_error_of_any_length_is_read_only_in_part() {
    let long = format!(r#"{{"code":"x","message":"{}"}}"#, "a".repeat(8 << 20));
    assert_eq!(fault(Answer::json(400, long)).await, Fault::Status(400));
}

#[tokio::test]
async fn a_body_that_breaks_off_is_cut_however_its_end_is_told() {
    let body = r#"{"head":{"seq":7,"nonce":1},"changes":[]}"#;
    assert_eq!(fault(Answer::json(200, body).cut_after(20)).await, Fault::Cut);
    assert_eq!(fault(Answer::json(200, body).unmeasured().cut_after(20)).await, Fault::Cut);
    let whole = Server::saying(Answer::json(200, body).unmeasured()).await;
    assert_eq!(called(&whole).await.as_deref(), Ok(body));
}

#[tokio::test]
async fn nothing_of_what_was_sent_or_said_is_in_an_error() {
    let body = json!({ "code": "42501", "message": "token-planted", "details": KEY }).to_string();
    let server = Server::saying(Answer::json(403, body)).await;
    let error = called(&server).await.expect_err("refused");
    let told = format!("{error:?} {error}");
    for secret in ["planted", KEY, "127.0.0.1"] {
        assert!(!told.contains(secret), "{told}");
    }
}

/// `mebibytes` of blanks, packed.
fn gzip_of_blanks(mebibytes: usize) -> Vec<u8> {
    use std::io::Write as _;
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let mebibyte = vec![b' '; 1 << 20];
    (0..mebibytes).for_each(|_| packed.write_all(&mebibyte).expect("into memory"));
    packed.finish().expect("into memory")
}

/// The most that this process ever held, in bytes; 0 where the system does not say.
fn peak_memory() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kibibytes = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    kibibytes.unwrap_or(0usize) << 10
}
