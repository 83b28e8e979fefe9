//! How long a provider asks us to wait.

use std::time::Duration;

use chrono::{DateTime, Utc};
use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};

/// The longest wait that is believed. Daily limits reset within it; more is a mistake or malice.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// Reads `retry-after-ms` (OpenAI, Azure), else `Retry-After` in seconds or as a date
/// (RFC 9110, 10.2.3). At most a day.
///
/// A date is compared with the answer's own `Date`, where it has one: this computer's clock may be
/// years off.
pub(crate) fn retry_after(headers: &HeaderMap, now: DateTime<Utc>) -> Option<Duration> {
    let text = |name: &str| headers.get(name)?.to_str().ok().map(str::trim);
    let millis = text("retry-after-ms").and_then(|value| seconds(value, 1e-3));
    let wait = millis.or_else(|| {
        let value = text(RETRY_AFTER.as_str())?;
        seconds(value, 1.0).or_else(|| {
            let from = text(DATE.as_str()).and_then(date).unwrap_or(now);
            // A moment that has passed means: at once.
            Some((date(value)? - from).to_std().unwrap_or_default())
        })
    });
    wait.map(|wait| wait.min(LONGEST))
}

fn seconds(value: &str, unit: f64) -> Option<Duration> {
    let number: f64 = value.parse().ok().filter(|number: &f64| number.is_finite())?;
    let capped = (number * unit).min(LONGEST.as_secs_f64());
    Duration::try_from_secs_f64(capped).ok()
}

fn date(value: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc2822(value).ok().map(|date| date.to_utc())
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::header::{HeaderName, HeaderValue};

    fn read(pairs: &[(&'static str, &'static str)]) -> Option<Duration> {
        let headers = pairs
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect();
        let now = date("Sat, 21 Nov 2026 12:00:00 GMT").expect("a date");
        retry_after(&headers, now)
    }

    #[test]
    fn all_forms_are_read() {
        let seconds = |s| Some(Duration::from_secs(s));
        let table = [
            (&[][..], None),
            (&[("retry-after", "20")], seconds(20)),
            (&[("retry-after", " 1.5 ")], Some(Duration::from_millis(1500))),
            (&[("retry-after", "0")], seconds(0)),
            (&[("retry-after-ms", "250"), ("retry-after", "1")], Some(Duration::from_millis(250))),
            (&[("retry-after", "Sat, 21 Nov 2026 12:00:30 GMT")], seconds(30)),
            (&[("retry-after", "Sat, 21 Nov 2026 11:00:00 GMT")], seconds(0)),
            (&[("retry-after", "99999999999999999999")], seconds(86_400)),
            (&[("retry-after", "-5")], None),
            (&[("retry-after", "NaN")], None),
            (&[("retry-after", "soon")], None),
        ];
        for (headers, expected) in table {
            assert_eq!(read(headers), expected, "{headers:?}");
        }
    }

    #[test]
    fn a_date_is_measured_by_the_providers_clock() {
        let headers = [
            ("date", "Fri, 01 Jan 2016 00:00:00 GMT"),
            ("retry-after", "Fri, 01 Jan 2016 00:01:00 GMT"),
        ];
        assert_eq!(read(&headers), Some(Duration::from_secs(60)));
    }
}
