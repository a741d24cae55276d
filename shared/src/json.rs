//! JSON as it is taken at the border: one value, no name twice, not too deep.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// How deep the JSON of our own API may be nested.
pub(crate) const OURS: usize = 16;

/// How deep that of others may be.
pub(crate) const OTHERS: usize = 64;

/// Reads one JSON value, in which arrays and objects are nested no deeper than `depth`.
///
/// # Errors
///
/// Says where and what: not JSON, a name twice in one object, nested too deep, or more after its end.
pub(crate) fn parse(text: &[u8], depth: usize) -> Result<Value, serde_json::Error> {
    let mut deserializer = serde_json::Deserializer::from_slice(text);
    let value = Strict { left: depth, depth }.deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok(value)
}

#[derive(Clone, Copy)]
struct Strict {
    left: usize,
    depth: usize,
}

impl Strict {
    fn inner<E: serde::de::Error>(self) -> Result<Self, E> {
        let left = self.left.checked_sub(1);
        let left = left.ok_or_else(|| E::custom(format_args!("nested deeper than {}", self.depth)))?;
        Ok(Self { left, ..self })
    }
}

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, truth: bool) -> Result<Value, E> {
        Ok(truth.into())
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_f64<E>(self, number: f64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(text.into())
    }

    fn visit_string<E>(self, text: String) -> Result<Value, E> {
        Ok(text.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let inner = self.inner()?;
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(inner)? {
            list.push(item);
        }
        Ok(list.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let inner = self.inner()?;
        let mut object = Map::new();
        while let Some(name) = entries.next_key::<String>()? {
            let value = entries.next_value_seed(inner)?;
            if object.insert(name, value).is_some() {
                return Err(A::Error::custom("an object has a name twice"));
            }
        }
        Ok(object.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(text: &str) -> String {
        parse(text.as_bytes(), OURS).unwrap_err().to_string()
    }

    #[test]
    fn what_is_valid_reads_as_it_would_elsewhere() {
        let text = r#"{"a":[1,-2,2.5,"x",true,null,{"b":"\u00e5"}]}"#;
        assert_eq!(
            parse(text.as_bytes(), OURS).unwrap(),
            serde_json::from_str::<Value>(text).unwrap()
        );
    }

    #[test]
    fn a_name_twice_is_refused_at_any_depth() {
        assert!(refusal(r#"{"a":1,"a":1}"#).contains("twice"));
        assert!(refusal(r#"[{"b":{"a":1,"\u0061":2}}]"#).contains("twice"));
    }

    #[test]
    fn what_comes_after_the_value_is_refused() {
        assert!(refusal("{} x").contains("trailing"));
        assert!(refusal("{}{}").contains("trailing"));
    }

    #[test]
    fn a_depth_bomb_is_refused_before_it_goes_off() {
        assert!(refusal(&"[".repeat(1_000_000)).contains("deeper"));
        assert!(refusal(&r#"{"a":"#.repeat(100_000)).contains("deeper"));
    }

    #[test]
    fn numbers_and_letters_that_do_not_exist_are_refused() {
        for text in ["1e400", "NaN", r#""\ud800""#, "\u{feff}{}", "", " "] {
            assert!(parse(text.as_bytes(), OURS).is_err(), "{text}");
        }
        assert!(parse(b"\"\xff\"", OURS).is_err());
    }
}
