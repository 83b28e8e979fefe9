//! A network that fails by plan: which request meets which fault is decided by rules and a seed.

pub(super) mod play;

use std::sync::{Mutex, PoisonError};

use anyhow::Context;
use hyper::Method;
use serde::{Deserialize, Serialize};

use crate::faults::Rng;

/// Rules, tried in order at each request; the first that fits decides.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Plan {
    /// The same seed and the same order of requests meet the same faults.
    pub seed: u64,
    /// Without a rule nothing fails.
    pub rules: Vec<Rule>,
    /// Loses a broadcast of the database once in so many; 0 loses none.
    pub lose_broadcasts_one_in: u64,
}

/// What meets which fault.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// A part of the path, such as `/rpc/sync_push`; empty fits every path.
    #[serde(default)]
    pub path: String,
    /// The method; absent fits all.
    #[serde(default)]
    pub method: Option<String>,
    /// Lets so many requests that fit pass first.
    #[serde(default)]
    pub after: u64,
    /// Is used up after so many faults; absent never is.
    #[serde(default)]
    pub times: Option<u64>,
    /// Strikes once in so many, by the seed.
    #[serde(default = "always")]
    pub one_in: u64,
    /// What happens.
    pub fault: Fault,
}

fn always() -> u64 {
    1
}

/// What may happen to a request on its way and back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Fault {
    /// The connection is reset before the server sees the request.
    ResetBefore,
    /// The server does it; the connection is reset in the middle of the response.
    ResetIn,
    /// The server does it; the connection is reset after the whole response.
    ResetAfter,
    /// The server does it; the connection is closed without a word of the response.
    LostResponse,
    /// The server gets it twice; the second answer arrives.
    Duplicate,
    /// The response comes at this pace.
    Slow {
        /// Bytes a second.
        bytes_per_second: u32,
    },
    /// Somebody before the server answers.
    Status {
        /// The status.
        status: u16,
        /// The body, as it is.
        #[serde(default)]
        body: String,
        /// Its type.
        #[serde(default = "of_json")]
        content_type: String,
    },
    /// The response says how long it is, and ends before.
    Truncated,
    /// A page of a hotel, with status 200.
    CaptivePortal,
    /// The request waits on its way.
    Delay {
        /// For so long.
        ms: u64,
    },
    /// One of all these, by the seed.
    Any,
}

fn of_json() -> String {
    "application/json".to_owned()
}

impl Plan {
    /// Reads what `--faults` takes: JSON, the name of a file with JSON, or `seed=N[,one_in=M]`, which
    /// has every M-th request (8 without) meet any fault.
    pub fn read(text: &str) -> anyhow::Result<Self> {
        if text.starts_with('{') {
            return serde_json::from_str(text).context("the plan cannot be understood");
        }
        if let Some(rest) = text.strip_prefix("seed=") {
            let (seed, one_in) = rest.split_once(",one_in=").unwrap_or((rest, "8"));
            let seed = seed.parse().context("the seed is no number")?;
            return Ok(Self::any(seed, one_in.parse().context("one_in is no number")?));
        }
        let json = std::fs::read(text).with_context(|| format!("the plan {text}"))?;
        serde_json::from_slice(&json).context("the plan cannot be understood")
    }

    /// Any fault, once in so many requests.
    pub fn any(seed: u64, one_in: u64) -> Self {
        Self { seed, rules: vec![Rule { one_in, ..Rule::of(Fault::Any) }], ..Self::default() }
    }
}

impl Rule {
    /// Every request meets this fault.
    pub fn of(fault: Fault) -> Self {
        Self { path: String::new(), method: None, after: 0, times: None, one_in: 1, fault }
    }

    /// Only requests whose path has this part.
    pub fn on(mut self, path: &str) -> Self {
        path.clone_into(&mut self.path);
        self
    }

    /// Only so often.
    pub fn times(mut self, times: u64) -> Self {
        self.times = Some(times);
        self
    }

    fn fits(&self, method: &Method, path: &str) -> bool {
        path.contains(&self.path)
            && self.method.as_deref().is_none_or(|wanted| method.as_str() == wanted)
            && self.times != Some(0)
    }
}

/// The plan in force.
#[derive(Debug)]
pub(super) struct Faults(Mutex<(Plan, Rng)>);

impl Faults {
    pub(super) fn new(plan: Plan) -> Self {
        let rng = Rng::new(plan.seed);
        Self(Mutex::new((plan, rng)))
    }

    /// From now on another plan.
    pub(super) fn set(&self, plan: Plan) {
        let rng = Rng::new(plan.seed);
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = (plan, rng);
    }

    /// What happens to the next request.
    pub(super) fn draw(&self, method: &Method, path: &str) -> Option<Fault> {
        let (plan, rng) = &mut *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let rule = plan.rules.iter_mut().find(|rule| rule.fits(method, path))?;
        if rule.after > 0 {
            rule.after -= 1;
            return None;
        }
        if !rng.one_in(rule.one_in.max(1)) {
            return None;
        }
        rule.times = rule.times.map(|times| times - 1);
        match &rule.fault {
            Fault::Any => Some(any(rng, path)),
            fault => Some(fault.clone()),
        }
    }

    /// Whether the next broadcast is lost.
    pub(super) fn loses_a_broadcast(&self) -> bool {
        let (plan, rng) = &mut *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        plan.lose_broadcasts_one_in > 0 && rng.one_in(plan.lose_broadcasts_one_in)
    }
}

/// One of the faults, the failures that this service answers with among them.
fn any(rng: &mut Rng, path: &str) -> Fault {
    match rng.below(14) {
        0 => Fault::ResetBefore,
        1 => Fault::ResetIn,
        2 => Fault::ResetAfter,
        3 | 4 => Fault::LostResponse,
        5 => Fault::Duplicate,
        6 => Fault::Slow { bytes_per_second: 2_000 + rng.below(20_000) as u32 },
        7 => Fault::Truncated,
        8 => Fault::CaptivePortal,
        9 => Fault::Delay { ms: rng.below(400) },
        _ => failure(rng, path),
    }
}

/// The failures that pass: status, type and body, as each service words them. What ends a session
/// (a token used twice, a banned user) is no fault of the network and has its own tests.
fn failure(rng: &mut Rng, path: &str) -> Fault {
    const JSON: &str = "application/json";
    const HTML: &str = "text/html";
    const EVERYWHERE: [(u16, &str, &str); 5] = [
        (429, JSON, r#"{"message":"API rate limit exceeded"}"#),
        (502, HTML, "<html><body><h1>502 Bad Gateway</h1></body></html>"),
        (503, JSON, r#"{"message":"name resolution failed"}"#),
        (520, HTML, "<html><body>Web server is returning an unknown error</body></html>"),
        (522, HTML, "<html><body>Connection timed out</body></html>"),
    ];
    const AUTH: [(u16, &str, &str); 4] = [
        (429, JSON, r#"{"code":"over_request_rate_limit","message":"Request rate limit reached"}"#),
        (
            409,
            JSON,
            r#"{"code":"conflict","message":"Too many concurrent token refresh requests on the same session or refresh token"}"#,
        ),
        (
            500,
            JSON,
            r#"{"code":"unexpected_failure","message":"Unexpected failure, please check server logs for more information"}"#,
        ),
        (
            504,
            JSON,
            r#"{"code":"request_timeout","message":"Processing this request timed out, please retry after a moment."}"#,
        ),
    ];
    const REST: [(u16, &str, &str); 8] = [
        (401, JSON, r#"{"code":"PGRST301","details":null,"hint":null,"message":"JWT expired"}"#),
        (
            503,
            JSON,
            r#"{"code":"PGRST001","details":null,"hint":null,"message":"Database connection error. Retrying the connection."}"#,
        ),
        (
            503,
            JSON,
            r#"{"code":"PGRST002","details":null,"hint":null,"message":"Could not query the database for the schema cache. Retrying."}"#,
        ),
        (
            504,
            JSON,
            r#"{"code":"PGRST003","details":null,"hint":null,"message":"Timed out acquiring connection from connection pool."}"#,
        ),
        (
            500,
            JSON,
            r#"{"code":"40001","details":null,"hint":null,"message":"could not serialize access due to concurrent update"}"#,
        ),
        (
            500,
            JSON,
            r#"{"code":"40P01","details":null,"hint":"See server log for query details.","message":"deadlock detected"}"#,
        ),
        (
            500,
            JSON,
            r#"{"code":"55P03","details":null,"hint":null,"message":"canceling statement due to lock timeout"}"#,
        ),
        (
            500,
            JSON,
            r#"{"code":"57014","details":null,"hint":null,"message":"canceling statement due to statement timeout"}"#,
        ),
    ];
    let own: &[_] = if path.starts_with("/auth/") {
        &AUTH
    } else if path.starts_with("/rest/") {
        &REST
    } else {
        &[]
    };
    let at = rng.below((own.len() + EVERYWHERE.len()) as u64) as usize;
    let (status, kind, body) =
        own.get(at).unwrap_or_else(|| &EVERYWHERE[at.saturating_sub(own.len())]);
    Fault::Status { status: *status, body: (*body).to_owned(), content_type: (*kind).to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(plan: &Plan, requests: usize) -> Vec<Option<Fault>> {
        let faults = Faults::new(plan.clone());
        (0..requests).map(|_| faults.draw(&Method::POST, "/rest/v1/rpc/x")).collect()
    }

    #[test]
    fn a_seed_repeats_its_faults_and_another_has_others() {
        let plan = Plan::any(7, 3);
        assert_eq!(drawn(&plan, 200), drawn(&plan, 200));
        assert_ne!(drawn(&plan, 200), drawn(&Plan::any(8, 3), 200));
    }

    #[test]
    fn a_rule_lets_some_pass_strikes_so_often_and_is_used_up() {
        let rule = Rule { after: 2, ..Rule::of(Fault::LostResponse).on("/rpc/").times(1) };
        let plan = Plan { rules: vec![rule], ..Plan::default() };
        let strikes: Vec<_> = drawn(&plan, 5).iter().map(Option::is_some).collect();
        assert_eq!(strikes, [false, false, true, false, false]);
    }

    #[test]
    fn a_plan_is_read_from_json_and_from_a_seed() {
        let json = r#"{"seed":1,"rules":[{"path":"/token","fault":{"kind":"slow","bytes_per_second":9}}]}"#;
        let plan = Plan::read(json).expect("a plan");
        assert_eq!(plan.rules[0].fault, Fault::Slow { bytes_per_second: 9 });
        assert_eq!(Plan::read("seed=5,one_in=2").expect("a plan"), Plan::any(5, 2));
        assert!(Plan::read(r#"{"sede":1}"#).is_err());
    }
}
