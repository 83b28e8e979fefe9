//! Times in every form that a program wrote, with the text that they were.

use chrono::{DateTime, FixedOffset, NaiveDate, NaiveDateTime, TimeZone as _};

use super::lax::Value;
use crate::model::Timestamp;

/// A time as it was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct When {
    /// As a time; none where nobody can tell.
    pub at: Option<Timestamp>,
    /// The text, where something about it was assumed or could not be understood.
    pub original: Option<String>,
    /// It names no zone, and one was assumed.
    pub assumed: bool,
}

/// What is assumed of a time that names no zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Zone(pub FixedOffset);

impl Default for Zone {
    /// UTC.
    fn default() -> Self {
        Self(FixedOffset::east_opt(0).expect("zero is an offset"))
    }
}

/// The first moment that may be a time in seconds since 1970 where milliseconds may be meant: 2001 in
/// milliseconds, the year 33,658 in seconds.
const MILLIS_FROM: f64 = 1.0e12;
/// The same for microseconds.
const MICROS_FROM: f64 = 1.0e15;

impl When {
    /// A moment that is certain.
    pub fn at(at: Timestamp) -> Self {
        Self { at: Some(at), ..Self::default() }
    }

    /// A value: a text, seconds, milliseconds or microseconds since 1970, Mongo's `{"$date": …}`. Zero
    /// and nothing are no time.
    pub fn read(value: Option<&Value>, zone: Zone) -> Self {
        match value {
            Some(Value::Text(text)) if text.shown.trim().is_empty() => Self::default(),
            Some(Value::Text(text)) => Self::parse(&text.shown, zone),
            Some(Value::Number(number)) => Self::number(number),
            Some(value @ Value::Map(_)) => match value.get("$date") {
                Some(Value::Map(long)) => Self::millis(long.get("$numberLong")),
                Some(date @ Value::Number(_)) => Self::millis(Some(date)),
                date => Self::read(date, zone),
            },
            _ => Self::default(),
        }
    }

    /// A text.
    pub fn parse(text: &str, zone: Zone) -> Self {
        let trimmed = text.trim();
        if let Ok(number) = trimmed.parse::<f64>()
            && number.is_finite()
        {
            return Self::number(trimmed);
        }
        if let Some(at) = with_zone(trimmed) {
            return Self { at: Some(at), ..Self::default() };
        }
        let original = Some(text.to_owned());
        match naive(trimmed).and_then(|naive| zone.0.from_local_datetime(&naive).earliest()) {
            Some(at) => {
                Self { at: Some(Timestamp(at.timestamp_millis())), original, assumed: true }
            }
            None => Self { at: None, original, assumed: false },
        }
    }

    /// Mongo's numbers are milliseconds, however small they are.
    fn millis(value: Option<&Value>) -> Self {
        let number = value.map(as_number).and_then(|value| value.as_i64());
        let is_time = |ms: &i64| ms.unsigned_abs() < 400_000_000_000_000;
        number.filter(is_time).map_or_else(Self::default, |ms| Self::at(Timestamp(ms)))
    }

    fn number(text: &str) -> Self {
        let Some(number) = text.parse::<f64>().ok().filter(|number| number.is_finite()) else {
            return Self { original: Some(text.to_owned()), ..Self::default() };
        };
        let ms = match number.abs() {
            size if size >= MICROS_FROM => number / 1_000.0,
            size if size >= MILLIS_FROM => number,
            _ => number * 1_000.0,
        };
        // Jan writes 0 for "not known".
        let is_time = number != 0.0 && ms.abs() < 4.0e14;
        match is_time {
            true => Self::at(Timestamp(ms.round() as i64)),
            false => Self { original: Some(text.to_owned()), ..Self::default() },
        }
    }
}

fn as_number(value: &Value) -> Value {
    match value.as_str() {
        Some(text) => Value::Number(text.to_owned()),
        None => value.clone(),
    }
}

/// A text that names its zone.
fn with_zone(text: &str) -> Option<Timestamp> {
    let standard = text.replacen(' ', "T", 1);
    let parsed = DateTime::parse_from_rfc3339(&standard)
        .or_else(|_| DateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f%#z"))
        .or_else(|_| DateTime::parse_from_str(&standard, "%Y-%m-%dT%H:%M:%S%.f%#z"))
        .or_else(|_| DateTime::parse_from_rfc2822(text));
    parsed.ok().map(|at| Timestamp(at.timestamp_millis()))
}

/// A text without a zone. A day without a time is its beginning.
fn naive(text: &str) -> Option<NaiveDateTime> {
    const FORMS: [&str; 4] =
        ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"];
    let of = |form: &&str| NaiveDateTime::parse_from_str(text, form).ok();
    FORMS
        .iter()
        .find_map(of)
        .or_else(|| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?.and_hms_opt(0, 0, 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(text: &str) -> Option<i64> {
        When::parse(text, Zone::default()).at.map(|at| at.0)
    }

    #[test]
    fn a_text_with_a_zone_is_a_moment() {
        for text in [
            "2025-09-12T17:30:37.123457Z",
            "2025-09-12T18:30:37.1234567+01:00",
            "2025-09-12 17:30:37.123457+00",
            "2025-09-13T02:30:37.123+09:00",
        ] {
            assert_eq!(ms(text), Some(1_757_698_237_123), "{text}");
            assert!(!When::parse(text, Zone::default()).assumed, "{text}");
        }
    }

    #[test]
    fn a_text_without_a_zone_says_what_was_assumed_and_keeps_its_text() {
        let plus_one = Zone(FixedOffset::east_opt(3_600).expect("an offset"));
        let text = "2025-09-12T18:30:37.123457";
        let when = When::parse(text, plus_one);
        assert_eq!(when.at, Some(Timestamp(1_757_698_237_123)));
        assert_eq!((when.original.as_deref(), when.assumed), (Some(text), true));
        assert_eq!(ms("2025-09-12T17:30:00"), ms("2025-09-12 17:30"));
        assert_eq!(ms("2025-09-12"), ms("2025-09-12T00:00:00"));
    }

    #[test]
    fn numbers_are_seconds_milliseconds_or_microseconds_by_their_size() {
        for text in ["1757698237.123", "1757698237123", "1757698237123000"] {
            assert_eq!(ms(text), Some(1_757_698_237_123), "{text}");
        }
        assert_eq!(ms("0"), None);
        assert_eq!(ms("1e400"), None);
    }

    #[test]
    fn what_is_no_time_keeps_its_text() {
        for text in ["2025-02-30T10:00:00", "12/09/2025 5 pm", "now()", "soon"] {
            let when = When::parse(text, Zone::default());
            assert_eq!((when.at, when.original.as_deref()), (None, Some(text)));
        }
        assert_eq!(When::read(None, Zone::default()), When::default());
    }

    #[test]
    fn the_years_1_and_9999_are_times() {
        assert_eq!(ms("0001-01-01T00:00:00"), Some(-62_135_596_800_000));
        assert_eq!(ms("9999-12-31T23:59:59.999"), Some(253_402_300_799_999));
    }

    #[test]
    fn dates_of_mongo_are_read_in_all_their_forms() {
        let read = |json: &str| {
            let value = crate::import::lax::parse(json.as_bytes()).value;
            When::read(Some(&value), Zone::default()).at.map(|at| at.0)
        };
        assert_eq!(read(r#"{"$date":"2025-03-29T22:58:02.5Z"}"#), Some(1_743_289_082_500));
        assert_eq!(read(r#"{"$date":{"$numberLong":"1743289082500"}}"#), Some(1_743_289_082_500));
        assert_eq!(read(r#"{"$date":1743289082500}"#), Some(1_743_289_082_500));
        assert_eq!(read(r#"{"$date":{"$numberLong":"-750000"}}"#), Some(-750_000));
    }
}
