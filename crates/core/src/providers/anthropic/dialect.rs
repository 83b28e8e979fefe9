//! What a Claude model takes.

use serde_json::{Value, json};

use super::super::Ask;
use super::super::fault::{Fault, Reply};

/// A limit is required. This one leaves room for a model that thinks first.
const USUAL_LIMIT: u32 = 16_384;
/// What the oldest models can answer at most.
const SMALL_LIMIT: u32 = 4_096;

/// The form in which one model is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Dialect {
    /// Whether the answer's beginning may be given. Claude 4.6 and later refuse it.
    pub(crate) prefill: bool,
    /// Whether a temperature may be given. Claude 4.7 and later refuse it.
    pub(crate) temperature: bool,
    /// The most tokens that are asked for.
    pub(crate) limit: u32,
}

impl Default for Dialect {
    fn default() -> Self {
        Self { prefill: true, temperature: true, limit: u32::MAX }
    }
}

impl Dialect {
    /// Writes the parameters.
    pub(crate) fn apply(&self, ask: &Ask, body: &mut Value) {
        body["max_tokens"] = json!(ask.max_tokens.unwrap_or(USUAL_LIMIT).clamp(1, self.limit));
        if let Some(temperature) = ask.temperature.filter(|_| self.temperature) {
            // This API's scale ends at 1. As written in decimal: 0.7, not 0.699999988.
            let decimal = (f64::from(temperature.clamp(0.0, 1.0)) * 1000.0).round() / 1000.0;
            body["temperature"] = json!(decimal);
        }
    }

    /// The form to try next after a refusal; none where the form is not to blame.
    ///
    /// The API has one code for all of it (`invalid_request_error`), so the parameter's name in its
    /// sentence has to do.
    pub(crate) fn learn(&self, ask: &Ask, reply: &Reply) -> Option<Self> {
        if reply.status != Some(400) || reply.fault() != Fault::Refused {
            return None;
        }
        let prefilled = ask.prefill.as_ref().is_some_and(|text| !text.trim().is_empty());
        if self.temperature && ask.temperature.is_some() && reply.complains_of("temperature") {
            Some(Self { temperature: false, ..self.clone() })
        } else if self.limit > SMALL_LIMIT && reply.complains_of("max_tokens") {
            Some(Self { limit: SMALL_LIMIT, ..self.clone() })
        } else if self.prefill && prefilled {
            Some(Self { prefill: false, ..self.clone() })
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask() -> Ask {
        Ask {
            model: "claude".to_owned(),
            system: None,
            turns: Vec::new(),
            prefill: Some("Hello".to_owned()),
            max_tokens: None,
            temperature: Some(1.4),
        }
    }

    fn refusal(message: &str) -> Reply {
        let error = json!({ "type": "error",
            "error": { "type": "invalid_request_error", "message": message } });
        Reply::read(400, error.to_string().as_bytes())
    }

    fn written(dialect: &Dialect) -> Value {
        let mut body = json!({});
        dialect.apply(&ask(), &mut body);
        body
    }

    #[test]
    fn a_limit_is_always_given_and_the_temperature_ends_at_one() {
        assert_eq!(
            written(&Dialect::default()),
            json!({ "max_tokens": 16_384, "temperature": 1.0 })
        );
    }

    #[test]
    fn a_complaint_changes_only_what_it_is_about() {
        let usual = Dialect::default();
        let table = [
            (
                "This model does not support assistant message prefill. The conversation must end \
                 with a user message.",
                Dialect { prefill: false, ..usual.clone() },
            ),
            (
                "max_tokens: 16384 > 4096, which is the maximum allowed number of output tokens",
                Dialect { limit: SMALL_LIMIT, ..usual.clone() },
            ),
            (
                "`temperature` is deprecated for this model.",
                Dialect { temperature: false, ..usual.clone() },
            ),
        ];
        for (message, expected) in table {
            assert_eq!(usual.learn(&ask(), &refusal(message)), Some(expected), "{message}");
        }
    }

    #[test]
    fn a_refusal_that_is_not_about_the_form_is_final() {
        let plain = Ask { prefill: None, temperature: None, ..ask() };
        assert_eq!(Dialect::default().learn(&plain, &refusal("messages: too odd")), None);
        let long = refusal("prompt is too long: 210000 tokens > 200000 maximum");
        assert_eq!(Dialect::default().learn(&ask(), &long), None);
    }
}
