//! What a test asks of the stack itself, under `/__stack`, with the service role's key.

use hyper::{Method, Response};
use serde_json::json;

use super::call::{Body, Call, answer, json, typed};
use super::dump::{Database, Part};
use super::faults::Plan;
use super::gateway::Gateway;

/// The routes: `POST faults` (a plan), `GET dump`, `POST restore[?part=data]` (a dump), `GET mails`.
pub(super) struct Control {
    pub(super) database: Database,
}

impl Control {
    /// Where they are.
    pub(super) const PREFIX: &str = "/__stack";

    pub(super) async fn answer(
        &self,
        path: &str,
        gateway: &Gateway,
        call: &Call,
    ) -> Response<Body> {
        if gateway.keys.token_of(call.bearer().unwrap_or_default())
            != Some(&gateway.keys.service_role)
        {
            return json(403, &json!({ "message": "this takes the service role's key" }));
        }
        let done = match (&call.method, path) {
            (&Method::POST, "/faults") => set_faults(gateway, call),
            (&Method::GET, "/mails") => return json(200, &json!(gateway.auth.mails())),
            (&Method::GET, "/dump") => match self.database.dump().await {
                Ok(dump) => return typed(200, "application/sql", dump),
                Err(error) => Err(error),
            },
            (&Method::POST, "/restore") => {
                let part = match call.parameter("part").as_deref() {
                    Some("data") => Part::Data,
                    _ => Part::DataAndAuth,
                };
                self.database.restore(call.body.to_vec(), part).await
            }
            _ => return answer(404, ""),
        };
        match done {
            Ok(()) => answer(204, ""),
            Err(error) => json(400, &json!({ "message": format!("{error:#}") })),
        }
    }
}

fn set_faults(gateway: &Gateway, call: &Call) -> anyhow::Result<()> {
    let plan: Plan = serde_json::from_slice(&call.body)?;
    gateway.faults.set(plan);
    Ok(())
}
