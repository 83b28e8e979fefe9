//! Extended JSON, version 2 relaxed and canonical, and version 1.

use crate::import::lax::{List, Map, Value};
use crate::model::Timestamp;

/// Ids become texts and numbers become numbers; everything else stays as it is. Not deeper than the
/// reader goes, so recursion ends.
pub(super) fn plain(value: Value) -> Value {
    match value {
        Value::Map(map) => single(map).unwrap_or_else(|map| {
            let entries = map.entries.into_iter().map(|(key, value)| (key, plain(value)));
            Value::Map(Map { entries: entries.collect(), is_whole: map.is_whole })
        }),
        Value::List(list) => {
            let items = list.items.into_iter().map(plain).collect();
            Value::List(List { items, is_whole: list.is_whole })
        }
        value => value,
    }
}

/// `{"$oid": …}` and its like; anything else is given back.
fn single(map: Map) -> Result<Value, Map> {
    let [(key, value)] = map.entries.as_slice() else { return Err(map) };
    match (key.shown.as_str(), value) {
        ("$oid" | "$uuid", value @ Value::Text(_)) => Ok(value.clone()),
        ("$numberInt" | "$numberLong" | "$numberDouble" | "$numberDecimal", Value::Text(text))
            if text.shown.parse::<f64>().is_ok_and(f64::is_finite) =>
        {
            Ok(Value::Number(text.shown.clone()))
        }
        ("$undefined", _) => Ok(Value::Null),
        _ => Err(map),
    }
}

/// The second in which an ObjectId was made; none for what is none, and for years before any MongoDB.
pub(super) fn time_of_id(id: &str) -> Option<Timestamp> {
    let is_one = id.len() == 24 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    let seconds = is_one.then(|| i64::from_str_radix(&id[..8], 16).ok())??;
    (seconds > 1_200_000_000).then_some(Timestamp(seconds * 1_000))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::lax::parse;

    #[test]
    fn every_version_of_a_value_is_the_same_value() {
        let plain = |json: &str| plain(parse(json.as_bytes()).value).to_json().to_string();
        assert_eq!(plain(r#"{"a":{"$oid":"0a"},"n":{"$numberInt":"3"}}"#), r#"{"a":"0a","n":3}"#);
        assert_eq!(plain(r#"[{"$numberDouble":"1.5"},1.5]"#), "[1.5,1.5]");
        let nan = r#"{"$numberDouble":"NaN"}"#;
        assert_eq!(plain(nan), nan);
    }

    #[test]
    fn an_object_id_knows_its_second() {
        assert_eq!(time_of_id("67e87af8f2a74de452e6b438").map(|at| at.0), Some(1_743_289_080_000));
        assert_eq!(time_of_id("00000000922766581e27a1c0"), None);
        assert_eq!(time_of_id("67e8"), None);
    }
}
