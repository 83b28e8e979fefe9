//! Which parameters a model understands.

use serde_json::{Value, json};

use super::super::Ask;
use super::super::fault::{Fault, Reply};

/// The form in which one model is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Dialect {
    /// Whether usage is asked for (`stream_options`). Mistral and some gateways refuse it.
    usage: bool,
    /// What the limit of tokens is called.
    limit: Limit,
    /// Whether a temperature may be given. Reasoning models of OpenAI refuse it.
    temperature: bool,
}

/// What the limit of tokens is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Limit {
    /// `max_tokens`: everywhere but at OpenAI's newer models.
    Old,
    /// `max_completion_tokens`.
    New,
    /// It has none.
    Absent,
}

impl Dialect {
    /// What most servers understand.
    pub(crate) fn usual() -> Self {
        Self { usage: true, limit: Limit::Old, temperature: true }
    }

    /// What OpenAI understands.
    pub(crate) fn openai() -> Self {
        Self { limit: Limit::New, ..Self::usual() }
    }

    /// Writes the parameters.
    pub(crate) fn apply(&self, ask: &Ask, body: &mut Value) {
        if self.usage {
            body["stream_options"] = json!({ "include_usage": true });
        }
        if let Some(limit) = ask.max_tokens {
            match self.limit {
                Limit::Old => body["max_tokens"] = json!(limit),
                Limit::New => body["max_completion_tokens"] = json!(limit),
                Limit::Absent => {}
            }
        }
        if let Some(temperature) = ask.temperature.filter(|_| self.temperature) {
            // As written in decimal: an f32 as f64 would read 0.699999988.
            let decimal = (f64::from(temperature) * 1000.0).round() / 1000.0;
            body["temperature"] = json!(decimal);
        }
    }

    /// The form to try next after a refusal; none where the form is not to blame.
    pub(crate) fn learn(&self, reply: &Reply) -> Option<Self> {
        if !matches!(reply.status, Some(400 | 422)) || reply.fault() != Fault::Refused {
            return None;
        }
        let limit = reply.complains_of("max_tokens") || reply.complains_of("max_completion_tokens");
        if limit && self.limit != Limit::Absent {
            return Some(Self { limit: self.other_limit(reply), ..self.clone() });
        }
        if reply.complains_of("temperature") && self.temperature {
            return Some(Self { temperature: false, ..self.clone() });
        }
        // Also where the complaint names nothing that we know: usage is the least widely understood.
        self.usage.then(|| Self { usage: false, ..self.clone() })
    }

    /// The other name where the server asks for it, else none.
    fn other_limit(&self, reply: &Reply) -> Limit {
        match self.limit {
            Limit::Old if reply.complains_of("max_completion_tokens") => Limit::New,
            Limit::New if reply.complains_of("'max_tokens'") => Limit::Old,
            _ => Limit::Absent,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(status: u16, message: &str, param: Option<&str>) -> Reply {
        let error = json!({ "error": { "message": message, "param": param,
            "type": "invalid_request_error", "code": null } });
        Reply::read(status, error.to_string().as_bytes())
    }

    fn written(dialect: &Dialect) -> Value {
        let ask = Ask {
            model: "m".to_owned(),
            system: None,
            turns: Vec::new(),
            prefill: None,
            max_tokens: Some(7),
            temperature: Some(0.7),
        };
        let mut body = json!({});
        dialect.apply(&ask, &mut body);
        body
    }

    #[test]
    fn openai_and_others_call_the_limit_by_different_names() {
        assert_eq!(
            written(&Dialect::usual()),
            json!({ "stream_options": { "include_usage": true }, "max_tokens": 7,
                "temperature": 0.7 })
        );
        assert_eq!(written(&Dialect::openai())["max_completion_tokens"], 7);
        assert_eq!(written(&Dialect::openai()).get("max_tokens"), None);
    }

    #[test]
    fn a_complaint_changes_only_what_it_is_about() {
        let usual = Dialect::usual();
        let newer = refusal(
            400,
            "Unsupported parameter: 'max_tokens' is not supported with this model. Use \
             'max_completion_tokens' instead.",
            Some("max_tokens"),
        );
        assert_eq!(usual.learn(&newer), Some(Dialect::openai()));
        let fixed = refusal(400, "Unsupported value: 'temperature'", Some("temperature"));
        assert_eq!(usual.learn(&fixed), Some(Dialect { temperature: false, ..usual.clone() }));
        let mistral = refusal(422, "Extra inputs are not permitted", None);
        assert_eq!(usual.learn(&mistral), Some(Dialect { usage: false, ..usual.clone() }));
    }

    #[test]
    fn learning_ends() {
        let mut dialect = Dialect::usual();
        let mut forms = 1;
        let all = refusal(400, "max_tokens max_completion_tokens temperature", None);
        while let Some(other) = dialect.learn(&all) {
            dialect = other;
            forms += 1;
        }
        assert!(forms <= 5, "{forms} forms");
    }

    #[test]
    fn other_refusals_are_no_matter_of_form() {
        let usual = Dialect::usual();
        assert_eq!(usual.learn(&refusal(401, "temperature", None)), None);
        assert_eq!(usual.learn(&refusal(500, "stream_options", None)), None);
        let context = "This model's maximum context length is 4096 tokens; reduce max_tokens";
        assert_eq!(usual.learn(&refusal(400, context, None)), None);
    }
}
