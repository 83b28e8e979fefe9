//! The settings that there are: key, default, and what each may hold.

use serde_json::{Value, json};

use crate::error::{Code, Failure};

/// One setting that a person can change.
#[derive(Debug, Clone, Copy)]
pub struct Known {
    /// Its key.
    pub key: &'static str,
    /// What it does, in a sentence.
    pub about: &'static str,
    /// What it is when nobody sets it.
    pub default: fn() -> Value,
    /// Whether a value may stand there.
    accepts: fn(&Value) -> bool,
    /// What may stand there, for the refusal.
    expects: &'static str,
}

/// All of them, in the order in which the command line lists them.
pub const KNOWN: &[Known] = &[
    Known {
        key: "theme",
        about: "Light, dark, or as the system.",
        default: || json!("system"),
        accepts: |v| one_of(v, &["system", "light", "dark"]),
        expects: "“system”, “light” or “dark”",
    },
    Known {
        key: "send_with",
        about: "The key that sends: Enter, or Ctrl/Cmd+Enter.",
        default: || json!("enter"),
        accepts: |v| one_of(v, &["enter", "mod_enter"]),
        expects: "“enter” or “mod_enter”",
    },
    Known {
        key: "default_model",
        about: "The model of a new chat, as provider/model.",
        default: || Value::Null,
        accepts: |v| {
            v.is_null() || v.as_str().is_some_and(|text| text.contains('/') && text.len() <= 400)
        },
        expects: "a model such as “local/smollm2-135m-instruct”, or null",
    },
    Known {
        key: "default_system_prompt",
        about: "What every model is told before the first message.",
        default: || json!(""),
        accepts: |v| v.as_str().is_some_and(|text| text.len() <= 64 * 1024),
        expects: "text of at most 64 KiB",
    },
    Known {
        key: "temperature",
        about: "How freely models choose their words, 0 to 2; null leaves it to the provider.",
        default: || Value::Null,
        accepts: |v| v.is_null() || v.as_f64().is_some_and(|t| (0.0..=2.0).contains(&t)),
        expects: "a number from 0 to 2, or null",
    },
    Known {
        key: "max_answer_tokens",
        about: "The most tokens of one answer; null leaves it to the provider.",
        default: || Value::Null,
        accepts: |v| v.is_null() || v.as_u64().is_some_and(|n| (1..=1_000_000).contains(&n)),
        expects: "a whole number from 1 to 1,000,000, or null",
    },
    Known {
        key: "hold_after_hours",
        about: "After how many hours in the queue a question that costs money asks first.",
        default: || json!(24),
        accepts: |v| v.as_u64().is_some_and(|n| n <= 24 * 365),
        expects: "a whole number of hours, at most a year",
    },
    Known {
        key: "show_educational_note",
        about: "Shows “Educational use. Check doses and interactions in an official source.”",
        default: || json!(false),
        accepts: Value::is_boolean,
        expects: "true or false",
    },
    Known {
        key: "reading_width",
        about: "How wide the text runs.",
        default: || json!("normal"),
        accepts: |v| one_of(v, &["normal", "wide"]),
        expects: "“normal” or “wide”",
    },
    Known {
        key: "sidebar_open",
        about: "Whether the sidebar is shown.",
        default: || json!(true),
        accepts: Value::is_boolean,
        expects: "true or false",
    },
];

/// The setting with this key.
///
/// # Errors
/// There is none.
pub fn known(key: &str) -> Result<&'static Known, Failure> {
    KNOWN.iter().find(|setting| setting.key == key).ok_or_else(|| {
        Failure::new(Code::NotFound, "There is no setting with this name.").hint(format!(
            "There are: {}.",
            KNOWN.iter().map(|s| s.key).collect::<Vec<_>>().join(", ")
        ))
    })
}

impl Known {
    /// Checks a value before it is stored.
    ///
    /// # Errors
    /// It is not what the setting may hold.
    pub fn check(&self, value: &Value) -> Result<(), Failure> {
        if (self.accepts)(value) {
            return Ok(());
        }
        Err(Failure::new(
            Code::InvalidInput,
            format!("The setting “{}” was not changed: it takes {}.", self.key, self.expects),
        ))
    }

    /// What is stored, where it still may stand there; else the default.
    pub fn or_default(&self, stored: Option<Value>) -> Value {
        stored.filter(|value| (self.accepts)(value)).unwrap_or_else(|| (self.default)())
    }
}

fn one_of(value: &Value, words: &[&str]) -> bool {
    value.as_str().is_some_and(|text| words.contains(&text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_default_may_stand_there() {
        for setting in KNOWN {
            assert_eq!(setting.check(&(setting.default)()), Ok(()), "{}", setting.key);
        }
    }

    #[test]
    fn a_wrong_value_is_refused_and_never_read_back() {
        let theme = known("theme").expect("there");
        assert_eq!(theme.check(&json!("pink")).expect_err("refused").code, Code::InvalidInput);
        assert_eq!(theme.or_default(Some(json!(17))), json!("system"));
        assert!(known("temperature").expect("there").check(&json!(-1)).is_err());
        assert_eq!(known("colour").expect_err("unknown").code, Code::NotFound);
    }
}
