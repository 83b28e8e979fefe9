//! A JSON value whose texts keep their bytes and whose containers know whether they are whole.

use crate::import::Text;

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// `null`, and what stands for nothing: `undefined`, an empty place.
    Null,
    /// `true`, `false`
    Bool(bool),
    /// A number as it was written; `NaN` and `Infinity` too.
    Number(String),
    /// A string.
    Text(Text),
    /// `[…]`
    List(List),
    /// `{…}`
    Map(Map),
}

/// `[…]`
#[derive(Debug, Clone, Default, PartialEq)]
pub struct List {
    /// In the order of the file.
    pub items: Vec<Value>,
    /// Its end was there.
    pub is_whole: bool,
}

/// `{…}`
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Map {
    /// In the order of the file; a key may come twice, and the last one counts.
    pub entries: Vec<(Text, Value)>,
    /// Its end was there.
    pub is_whole: bool,
}

impl Map {
    /// The value of a key: the last one, as Python's reader has it.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.entries.iter().rev().find(|(name, _)| name.shown == key).map(|(_, value)| value)
    }
}

impl Value {
    /// The value of a key; none where this is no map or has no such key.
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.as_map()?.get(key)
    }

    /// The value at the end of a path of keys.
    pub fn at(&self, path: &[&str]) -> Option<&Self> {
        path.iter().try_fold(self, |value, key| value.get(key))
    }

    /// The map that it is.
    pub fn as_map(&self) -> Option<&Map> {
        if let Self::Map(map) = self { Some(map) } else { None }
    }

    /// The items of the list that it is; of anything else none.
    pub fn items(&self) -> &[Self] {
        if let Self::List(list) = self { &list.items } else { &[] }
    }

    /// The entries of the map that it is; of anything else none.
    pub fn entries(&self) -> &[(Text, Self)] {
        if let Self::Map(map) = self { &map.entries } else { &[] }
    }

    /// The text that it is.
    pub fn as_text(&self) -> Option<&Text> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// The text that it is, as shown.
    pub fn as_str(&self) -> Option<&str> {
        self.as_text().map(|text| text.shown.as_str())
    }

    /// The text of a key, as shown; none where it is empty or no text.
    pub fn str(&self, key: &str) -> Option<&str> {
        self.get(key)?.as_str().filter(|text| !text.is_empty())
    }

    /// The truth value that it is, or stands for: 0 and 1 do.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(value) => Some(*value),
            Self::Number(number) if number == "0" => Some(false),
            Self::Number(number) if number == "1" => Some(true),
            _ => None,
        }
    }

    /// Whether a key holds `true`.
    pub fn is(&self, key: &str) -> bool {
        self.get(key).and_then(Self::as_bool).unwrap_or(false)
    }

    /// The finite number that it is.
    pub fn as_f64(&self) -> Option<f64> {
        let Self::Number(number) = self else { return None };
        number.parse().ok().filter(|number: &f64| number.is_finite())
    }

    /// The whole number that it is, if 64 bits hold it.
    pub fn as_i64(&self) -> Option<i64> {
        let Self::Number(number) = self else { return None };
        let of_float = || {
            let float = self.as_f64().filter(|float| float.fract() == 0.0)?;
            (float.abs() < 9.0e18).then_some(float as i64)
        };
        number.parse().ok().or_else(of_float)
    }

    /// Whether nothing is in it.
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// Whether it and all in it came to their ends.
    pub fn is_whole(&self) -> bool {
        match self {
            Self::List(list) => list.is_whole && list.items.last().is_none_or(Self::is_whole),
            Self::Map(map) => {
                map.is_whole && map.entries.last().is_none_or(|(_, value)| value.is_whole())
            }
            _ => true,
        }
    }

    /// The kind, for a sentence.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Bool(_) => "true or false",
            Self::Number(_) => "a number",
            Self::Text(_) => "a text",
            Self::List(_) => "a list",
            Self::Map(_) => "an object",
        }
    }

    /// As `serde_json` has it, for metadata: what it cannot hold as text. Not deeper than [`parse`]
    /// goes, so recursion ends.
    ///
    /// [`parse`]: super::parse
    pub fn to_json(&self) -> serde_json::Value {
        use serde_json::Value as Json;
        match self {
            Self::Null => Json::Null,
            Self::Bool(value) => Json::Bool(*value),
            Self::Number(number) => match serde_json::from_str::<serde_json::Number>(number) {
                Ok(number) if number.as_i64().is_some() || number.is_f64() => Json::Number(number),
                _ => Json::String(number.clone()),
            },
            Self::Text(text) => Json::String(text.shown.clone()),
            Self::List(list) => Json::Array(list.items.iter().map(Self::to_json).collect()),
            Self::Map(map) => Json::Object(
                map.entries
                    .iter()
                    .map(|(key, value)| (key.shown.clone(), value.to_json()))
                    .collect(),
            ),
        }
    }
}
