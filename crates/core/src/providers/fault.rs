//! What went wrong at a provider, sorted in one table by what the send queue can do about it.
//!
//! Decided from the status, the error's codes in the body, and, only where a provider gives no code
//! of its own, from a few phrases. What a provider writes in its error is never shown or logged:
//! some repeat the key or the question in it.

use std::time::Duration;

use serde_json::Value;

use super::ProviderError;
use super::place::Place;

/// What went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// No connection, no name, no answer in time.
    Unreachable,
    /// Somebody between us and the provider answered: a page to sign in to a network, a proxy.
    Portal,
    /// The certificate is signed by nobody that this computer trusts.
    Untrusted,
    /// The certificate is too old or too young; more often it is this computer's clock.
    Clock,
    /// The answer broke off after it had begun.
    Interrupted,
    /// Too many requests.
    RateLimited,
    /// It failed on its side.
    Busy,
    /// The key is missing, wrong, or not allowed to do this.
    Key,
    /// No such model.
    Model,
    /// No such place at this address.
    Address,
    /// More tokens than the model can read.
    Context,
    /// More bytes than the provider takes.
    TooLarge,
    /// No credit left.
    Credit,
    /// Refused for what the conversation says.
    Filtered,
    /// Refused for another reason; it would be again.
    Refused,
}

/// An answer that is no success, as far as the table needs it.
#[derive(Default)]
pub(crate) struct Reply {
    /// The HTTP status; for an error inside a stream the one that it names, if any.
    pub(crate) status: Option<u16>,
    /// `code` and `type` of the error, as far as there are any.
    codes: Vec<String>,
    /// The error's sentence in lower case. It stays in here.
    message: String,
    /// The parameter that the provider complains of.
    param: String,
    shape: Shape,
}

#[derive(Default, Clone, Copy, PartialEq, Eq)]
enum Shape {
    #[default]
    Other,
    Json,
    Html,
}

impl Reply {
    /// Reads a response that is no success.
    pub(crate) fn read(status: u16, body: &[u8]) -> Self {
        let Ok(json) = serde_json::from_slice::<Value>(body) else {
            let shape = if is_html(body) { Shape::Html } else { Shape::Other };
            return Self { status: Some(status), shape, ..Self::default() };
        };
        Self { status: Some(status), ..Self::in_stream(&json) }
    }

    /// Reads an error that came inside a stream, or with status 200.
    pub(crate) fn in_stream(json: &Value) -> Self {
        // OpenAI and Anthropic nest it, Ollama's own is a string, FastAPI servers say `detail`.
        let error = json.get("error").or_else(|| json.get("detail")).unwrap_or(json);
        let word = |name: &str| error.get(name).and_then(Value::as_str).map(str::to_lowercase);
        let number = error.get("code").and_then(Value::as_u64);
        let message = word("message").or_else(|| error.as_str().map(str::to_lowercase));
        Self {
            status: number.and_then(|code| u16::try_from(code).ok()),
            codes: ["code", "type"].into_iter().filter_map(word).collect(),
            message: message.unwrap_or_default(),
            param: word("param").unwrap_or_default(),
            shape: Shape::Json,
        }
    }

    /// Whether the complaint is about this parameter of the request.
    pub(crate) fn complains_of(&self, parameter: &str) -> bool {
        self.param.starts_with(parameter) || self.message.contains(parameter)
    }

    /// The row of the table.
    pub(crate) fn fault(&self) -> Fault {
        let by_code = |table: &[(&str, Fault)]| {
            self.codes.iter().find_map(|code| row(table, |name| name == code))
        };
        by_code(&EXACT)
            .or_else(|| row(&PHRASES, |phrase| self.may_phrase() && self.message.contains(phrase)))
            .or_else(|| self.by_status())
            .or_else(|| by_code(&VAGUE))
            .unwrap_or(Fault::Refused)
    }

    /// Phrases are looked for only where providers are known to leave out the code.
    fn may_phrase(&self) -> bool {
        matches!(self.status, None | Some(400 | 403 | 404 | 422 | 500))
    }

    fn by_status(&self) -> Option<Fault> {
        Some(match (self.status?, self.shape) {
            (407 | 511, _) | (300..400, _) => Fault::Portal,
            (403 | 200..300, Shape::Html) => Fault::Portal,
            (401 | 403, _) => Fault::Key,
            (402, _) => Fault::Credit,
            (404 | 410, Shape::Json) => Fault::Model,
            (404 | 405 | 410 | 501, _) => Fault::Address,
            (413, _) => Fault::TooLarge,
            (429, _) => Fault::RateLimited,
            // 409 is Anthropic's conflict_error, 425 and 498 are "not now" (RFC 8470; Groq).
            (408 | 409 | 425 | 498, _) | (500..600, _) => Fault::Busy,
            (400..500, _) => Fault::Refused,
            _ => return None,
        })
    }
}

impl std::fmt::Debug for Reply {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reply").field("status", &self.status).finish_non_exhaustive()
    }
}

fn row(table: &[(&str, Fault)], fits: impl Fn(&str) -> bool) -> Option<Fault> {
    table.iter().find(|(name, _)| fits(name)).map(|(_, fault)| *fault)
}

/// Codes that mean one thing whatever the status is.
const EXACT: [(&str, Fault); 19] = [
    ("insufficient_quota", Fault::Credit),
    ("billing_hard_limit_reached", Fault::Credit),
    ("billing_not_active", Fault::Credit),
    ("billing_error", Fault::Credit),
    ("context_length_exceeded", Fault::Context),
    ("exceed_context_size_error", Fault::Context),
    ("request_too_large", Fault::TooLarge),
    ("request_entity_too_large", Fault::TooLarge),
    ("string_above_max_length", Fault::TooLarge),
    ("model_not_found", Fault::Model),
    ("model_decommissioned", Fault::Model),
    ("model_terms_required", Fault::Refused),
    ("unsupported_country_region_territory", Fault::Refused),
    ("invalid_api_key", Fault::Key),
    ("account_deactivated", Fault::Key),
    ("content_filter", Fault::Filtered),
    ("content_policy_violation", Fault::Filtered),
    ("rate_limit_exceeded", Fault::RateLimited),
    ("overloaded_error", Fault::Busy),
];

/// Types that say less than a status; they count where there is none, inside a stream.
const VAGUE: [(&str, Fault); 8] = [
    ("rate_limit_error", Fault::RateLimited),
    ("authentication_error", Fault::Key),
    ("permission_error", Fault::Key),
    ("not_found_error", Fault::Model),
    ("api_error", Fault::Busy),
    ("server_error", Fault::Busy),
    ("timeout_error", Fault::Busy),
    ("internal_server_error", Fault::Busy),
];

/// Where a provider has no code for it: Anthropic (the first two), vLLM and OpenRouter, LM Studio,
/// OpenRouter's unknown model.
const PHRASES: [(&str, Fault); 6] = [
    ("prompt is too long", Fault::Context),
    ("credit balance is too low", Fault::Credit),
    ("maximum context length", Fault::Context),
    ("context length of only", Fault::Context),
    ("exceeds the available context size", Fault::Context),
    ("not a valid model id", Fault::Model),
];

/// Whether these bytes begin like a web page.
pub(crate) fn is_html(body: &[u8]) -> bool {
    let start = body.iter().position(|byte| !byte.is_ascii_whitespace()).unwrap_or(body.len());
    let start = body[start..].strip_prefix(b"\xef\xbb\xbf").unwrap_or(&body[start..]);
    start.first() == Some(&b'<')
}

impl Fault {
    /// The error that the send queue acts on.
    ///
    /// `after` is what the provider asked for; it counts only where waiting helps.
    pub(crate) fn error(self, place: &Place, after: Option<Duration>) -> ProviderError {
        let failure = place.failure(self);
        match self {
            Self::Unreachable | Self::Portal | Self::Interrupted => {
                ProviderError::Unreachable(failure)
            }
            Self::RateLimited | Self::Busy => ProviderError::Retry { after, failure },
            _ => ProviderError::NeedsYou(failure),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(status: u16, body: &str) -> Fault {
        Reply::read(status, body.as_bytes()).fault()
    }

    fn coded(code: &str) -> String {
        format!(r#"{{"error":{{"message":"m","type":"invalid_request_error","code":"{code}"}}}}"#)
    }

    fn typed(kind: &str) -> String {
        format!(r#"{{"type":"error","error":{{"type":"{kind}","message":"m"}}}}"#)
    }

    #[test]
    fn every_status_has_its_row() {
        let json = r#"{"error":{"message":"m"}}"#;
        let html = " <!doctype html><title>x";
        let table = [
            (302, "", Fault::Portal),
            (400, json, Fault::Refused),
            (401, json, Fault::Key),
            (401, "", Fault::Key),
            (402, json, Fault::Credit),
            (403, json, Fault::Key),
            (403, html, Fault::Portal),
            (404, json, Fault::Model),
            (404, html, Fault::Address),
            (404, "", Fault::Address),
            (405, "", Fault::Address),
            (407, html, Fault::Portal),
            (408, "", Fault::Busy),
            (413, html, Fault::TooLarge),
            (418, "", Fault::Refused),
            (422, json, Fault::Refused),
            (429, json, Fault::RateLimited),
            (429, html, Fault::RateLimited),
            (500, json, Fault::Busy),
            (501, "", Fault::Address),
            (502, html, Fault::Busy),
            (503, "", Fault::Busy),
            (504, html, Fault::Busy),
            (511, html, Fault::Portal),
            (520, html, Fault::Busy),
            (529, json, Fault::Busy),
            (999, "", Fault::Refused),
        ];
        for (status, body, expected) in table {
            assert_eq!(fault(status, body), expected, "{status} {body}");
        }
    }

    #[test]
    fn a_code_says_more_than_the_status() {
        let table = [
            (429, coded("insufficient_quota"), Fault::Credit),
            (429, coded("rate_limit_exceeded"), Fault::RateLimited),
            (400, coded("context_length_exceeded"), Fault::Context),
            (403, coded("model_not_found"), Fault::Model),
            (400, coded("model_decommissioned"), Fault::Model),
            (403, coded("unsupported_country_region_territory"), Fault::Refused),
            (400, coded("content_filter"), Fault::Filtered),
            (400, coded("invalid_api_key"), Fault::Key),
            (400, typed("exceed_context_size_error"), Fault::Context),
            (400, typed("billing_error"), Fault::Credit),
            (413, typed("request_too_large"), Fault::TooLarge),
            (404, typed("not_found_error"), Fault::Model),
            (529, typed("overloaded_error"), Fault::Busy),
            // Ollama calls every error an api_error: there the status knows more.
            (404, typed("api_error"), Fault::Model),
        ];
        for (status, body, expected) in table {
            assert_eq!(fault(status, &body), expected, "{status} {body}");
        }
    }

    #[test]
    fn phrases_count_only_where_there_is_no_code() {
        let say = |text: &str| {
            format!(r#"{{"error":{{"type":"invalid_request_error","message":"{text}"}}}}"#)
        };
        let table = [
            (400, "prompt is too long: 210000 tokens > 200000 maximum", Fault::Context),
            (400, "Your credit balance is too low to access the API", Fault::Credit),
            (400, "This model's maximum context length is 4096 tokens", Fault::Context),
            (400, "foo/bar is not a valid model ID", Fault::Model),
            (429, "prompt is too long", Fault::RateLimited),
        ];
        for (status, text, expected) in table {
            assert_eq!(fault(status, &say(text)), expected, "{status} {text}");
        }
    }

    #[test]
    fn errors_inside_a_stream_are_sorted_by_type_or_number() {
        let table = [
            (typed("overloaded_error"), Fault::Busy),
            (typed("api_error"), Fault::Busy),
            (typed("rate_limit_error"), Fault::RateLimited),
            (typed("authentication_error"), Fault::Key),
            (r#"{"error":{"code":502,"message":"upstream"}}"#.to_owned(), Fault::Busy),
            (r#"{"error":{"code":429,"message":"slow"}}"#.to_owned(), Fault::RateLimited),
            (r#"{"error":"something"}"#.to_owned(), Fault::Refused),
        ];
        for (body, expected) in table {
            let json = serde_json::from_str(&body).expect("a sample");
            assert_eq!(Reply::in_stream(&json).fault(), expected, "{body}");
        }
    }

    #[test]
    fn a_complaint_names_its_parameter() {
        let openai = r#"{"error":{"message":"Unknown parameter: 'stream_options.include_usage'.",
            "param":"stream_options.include_usage","code":"unknown_parameter"}}"#;
        let mistral = r#"{"detail":"Extra inputs are not permitted: stream_options"}"#;
        for body in [openai, mistral] {
            assert!(Reply::read(400, body.as_bytes()).complains_of("stream_options"), "{body}");
        }
        assert!(!Reply::read(400, openai.as_bytes()).complains_of("temperature"));
    }

    #[test]
    fn what_the_provider_wrote_is_not_printed() {
        let reply = Reply::read(401, br#"{"error":{"message":"bad key sk-planted","code":"x"}}"#);
        assert!(!format!("{reply:?}").contains("planted"));
    }
}
