//! The endpoints that steer the server: `POST /__script`, `/__down`, `/__up`, `GET /__requests`.

use serde_json::{Value, json};

use super::script::Received;
use super::serve::Shared;

/// What to answer to a request that steers; none where it is no such request.
pub(super) async fn steer(shared: &Shared, request: &Received) -> Option<(u16, Value)> {
    let answer = match (request.method.as_str(), request.path.as_str()) {
        ("GET", "/__requests") => (200, json!(shared.requests())),
        ("POST", "/__script") => match serde_json::from_value(request.body.clone()) {
            Ok(script) => {
                shared.set_script(script);
                (200, json!({}))
            }
            Err(error) => (400, json!({ "error": error.to_string() })),
        },
        ("POST", "/__down") => switched(shared, false).await,
        ("POST", "/__up") => switched(shared, true).await,
        (_, path) if path.starts_with("/__") => (404, json!({ "error": "no such control" })),
        _ => return None,
    };
    Some(answer)
}

async fn switched(shared: &Shared, open: bool) -> (u16, Value) {
    shared.want(open);
    while shared.is_open() != open {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    (200, json!({ "open": open }))
}
