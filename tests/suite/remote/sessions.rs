//! H11 and the life of a session: one refresh at a time, kept before it is used, ended by nobody
//! but the server.

use super::*;

fn next(count: usize) -> Option<Answer> {
    let (access, refresh) = (format!("access-{}", count + 1), format!("refresh-{}", count + 1));
    Some(pair(&access, &refresh, ANN, 3600))
}

fn token(access: &tidemark_core::remote::Access) -> String {
    access.token.expose().to_owned()
}

#[tokio::test]
async fn a_token_that_lasts_is_used_without_asking_anybody() {
    let device = Device::signed_in(|count, _| next(count)).await;
    assert_eq!(token(&device.tokens.access().await.expect("one")), "access-0");
    assert_eq!(device.refreshes(), 0);
}

#[tokio::test]
async fn many_callers_share_one_refresh() {
    let device = Device::signed_in(|count, _| next(count)).await;
    device.an_hour_later();
    let callers = (0..20).map(|_| device.tokens.access());
    let tokens: Vec<_> = futures::future::try_join_all(callers).await.expect("all have one");
    assert!(tokens.iter().all(|access| token(access) == "access-1"));
    assert_eq!(device.refreshes(), 1);
}

#[tokio::test]
async fn callers_that_were_refused_with_one_token_share_one_refresh() {
    let device = Device::signed_in(|count, _| next(count)).await;
    let refused = device.tokens.access().await.expect("one").token;
    let callers = (0..20).map(|_| device.tokens.renew(&refused));
    let tokens: Vec<_> = futures::future::try_join_all(callers).await.expect("all have one");
    assert!(tokens.iter().all(|access| token(access) == "access-1"));
    assert_eq!(device.refreshes(), 1);
}

#[tokio::test]
async fn a_new_pair_is_kept_before_it_is_used() {
    let device = Device::signed_in(|count, _| next(count)).await;
    device.an_hour_later();
    device.drawer.full.store(true, Ordering::SeqCst);
    for _ in 0..2 {
        let error = device.tokens.access().await.expect_err("not used");
        assert!(matches!(error, TokenError::Store(_)), "{error:?}");
    }
    assert!(device.drawer.kept().expect("the old one").contains("refresh-0"));
    device.drawer.full.store(false, Ordering::SeqCst);
    assert_eq!(token(&device.tokens.access().await.expect("kept now")), "access-1");
    assert!(device.drawer.kept().expect("the new one").contains("refresh-1"));
    assert_eq!(device.refreshes(), 1, "what could not be kept was not thrown away");
}

#[tokio::test]
async fn a_caller_that_stops_waiting_costs_nobody_the_session() {
    // The first answer never comes; the same token is sent again and gets the same child.
    let device = Device::signed_in(|count, _| if count == 0 { None } else { next(0) }).await;
    device.an_hour_later();
    let asked = async {
        while device.refreshes() == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::select! {
        answered = device.tokens.access() => panic!("{answered:?} to what nobody answered"),
        () = asked => {} // It gives up.
    }
    assert_eq!(token(&device.tokens.access().await.expect("one")), "access-1");
    let asked = device.server.asked();
    let resent: Vec<_> = asked.iter().filter(|asked| asked.body.contains("refresh-0")).collect();
    assert_eq!(resent.len(), 2, "the same parent, twice");
}

#[tokio::test]
async fn only_the_server_ends_a_session() {
    let passing = [
        refused(409, "conflict"),
        refused(429, "over_request_rate_limit"),
        refused(500, "unexpected_failure"),
        refused(504, "request_timeout"),
        Answer::new(502, "text/html", "<html>Bad gateway"),
        Answer::new(200, "text/html", "<html>Sign in to the hotel's network"),
        Answer::json(401, r#"{"message":"Invalid API key"}"#),
    ];
    for answer in passing {
        let shown = format!("{answer:?}");
        let script =
            move |count, _: &Asked| if count == 0 { Some(answer.clone()) } else { next(0) };
        let device = Device::signed_in(script).await;
        device.an_hour_later();
        let error = device.tokens.access().await.expect_err("not yet");
        assert!(matches!(error, TokenError::Remote(_)), "{shown}");
        assert_eq!(token(&device.tokens.access().await.expect("healed")), "access-1", "{shown}");
    }
}

#[tokio::test]
async fn a_refused_refresh_asks_for_one_sign_in_and_keeps_asking_nobody() {
    for code in ["refresh_token_not_found", "refresh_token_already_used", "session_expired"] {
        let device = Device::signed_in(move |_, _| Some(refused(400, code))).await;
        device.an_hour_later();
        for _ in 0..3 {
            let error = device.tokens.access().await.expect_err("ended");
            assert!(
                matches!(&error, TokenError::Ended(error) if error.code() == code),
                "{error:?}"
            );
        }
        assert_eq!(device.refreshes(), 1, "{code}");
        let again = device.tokens.auth().sign_in("ann@example.com", &Secret::new("x")).await;
        device.tokens.adopt(again.expect("signed in")).await.expect("kept");
        assert_eq!(token(&device.tokens.access().await.expect("one")), "access-0", "{code}");
    }
}

#[tokio::test]
async fn a_token_refreshed_early_serves_on_where_the_refresh_fails() {
    let device = Device::signed_in(|_, _| Some(refused(503, "unexpected_failure"))).await;
    device.clock.advance(3_600_000 - 60_000);
    for _ in 0..5 {
        assert_eq!(token(&device.tokens.access().await.expect("it still lasts")), "access-0");
    }
    assert_eq!(device.refreshes(), 1, "not at every request");
}

#[tokio::test]
async fn what_another_process_refreshed_is_taken_over() {
    let device = Device::signed_in(|count, _| next(count)).await;
    device.tokens.access().await.expect("held");
    let other = device.another_process();
    device.an_hour_later();
    assert_eq!(token(&other.access().await.expect("one")), "access-1");
    assert_eq!(token(&device.tokens.access().await.expect("one")), "access-1");
    assert_eq!(device.refreshes(), 1);
}

#[tokio::test]
async fn a_replayed_token_is_no_end_where_another_process_went_on() {
    // Our refresh is in flight with the old token while another process keeps a newer pair.
    let drawer: Arc<Mutex<Option<Arc<Drawer>>>> = Arc::default();
    let shared = Arc::clone(&drawer);
    let device = Device::signed_in(move |count, asked| {
        if asked.body.contains("refresh-0") {
            let drawer = shared.lock().expect("in order").clone().expect("set");
            let kept = drawer.kept().expect("one").replace("refresh-0", "refresh-1");
            drawer.save(&kept).expect("kept");
            return Some(refused(400, "refresh_token_already_used"));
        }
        assert!(asked.body.contains("refresh-1"));
        next(count)
    })
    .await;
    *drawer.lock().expect("in order") = Some(Arc::clone(&device.drawer));
    device.an_hour_later();
    assert_eq!(token(&device.tokens.access().await.expect("not ended")), "access-2");
}

#[tokio::test]
async fn a_sign_out_in_another_process_is_one_here() {
    let device = Device::signed_in(|count, _| next(count)).await;
    let other = device.another_process();
    other.forget().await.expect("gone");
    device.an_hour_later();
    let error = device.tokens.access().await.expect_err("signed out");
    assert_eq!(error, TokenError::SignedOut);
    assert_eq!(device.refreshes(), 0, "a session that was signed out is not brought back");
}

#[tokio::test]
async fn tokens_of_another_user_are_not_taken() {
    let device = Device::signed_in(|_, _| Some(pair("access-x", "refresh-x", BOB, 3600))).await;
    device.an_hour_later();
    let error = device.tokens.access().await.expect_err("refused");
    assert!(matches!(&error, TokenError::Ended(error) if error.fault == Fault::Foreign));
    assert!(!device.drawer.kept().expect("the old one").contains("refresh-x"));
}

#[tokio::test]
async fn a_clock_set_ten_years_on_or_back_costs_one_refresh_at_most() {
    const YEARS: i64 = 10 * 365 * 24 * 3_600_000;
    for jump in [YEARS, -YEARS] {
        let device = Device::signed_in(|count, _| next(count)).await;
        device.clock.advance(jump);
        for _ in 0..5 {
            device.tokens.access().await.expect("one");
        }
        assert!(device.refreshes() <= 1, "{jump}: {}", device.refreshes());
        // The next start knows only what was kept.
        let restarted = device.another_process();
        for _ in 0..5 {
            restarted.access().await.expect("one");
        }
        assert!(device.refreshes() <= 2, "{jump}: {}", device.refreshes());
    }
}

#[tokio::test]
async fn the_next_start_goes_on_without_a_refresh_or_a_network() {
    let device = Device::signed_in(|count, _| next(count)).await;
    let restarted = device.another_process();
    assert_eq!(restarted.user().await.expect("read").expect("signed in").id.to_string(), ANN);
    assert_eq!(token(&restarted.access().await.expect("one")), "access-0");
    assert_eq!(device.refreshes(), 0);
}

#[tokio::test]
async fn signing_out_here_forgets_the_session_whatever_the_server_says() {
    let device = Device::signed_in(|_, _| None).await;
    device.tokens.sign_out(tidemark_core::remote::SignOut::Here).await.expect("gone");
    assert_eq!(device.drawer.kept(), None);
    assert_eq!(device.tokens.access().await.expect_err("nobody"), TokenError::SignedOut);
    let told = device.server.asked();
    assert!(told.iter().any(|asked| asked.line.contains("/logout?scope=local")), "{told:?}");
}
