//! Where something stands in JSON: RFC 6901.

use serde_json::{Map, Value};

/// A checked JSON pointer; the empty one is the whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pointer(String);

impl Pointer {
    /// Reads a pointer.
    ///
    /// # Errors
    ///
    /// What would be accepted.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let begins = text.is_empty() || text.starts_with('/');
        let escapes = text
            .split('~')
            .skip(1)
            .all(|rest| rest.starts_with('0') || rest.starts_with('1'));
        let plain = !text.chars().any(char::is_control);
        match begins && escapes && plain && text.len() <= 200 {
            true => Ok(Self(text.to_owned())),
            false => Err("must be a JSON pointer such as /address/city".to_owned()),
        }
    }

    /// Returns the pointer to the whole.
    pub(super) const fn whole() -> Self {
        Self(String::new())
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns what stands there.
    pub(super) fn of<'v>(&self, value: &'v Value) -> Option<&'v Value> {
        value.pointer(&self.0)
    }

    /// Says whether something can be put there: a member of objects, and not an element of a list.
    pub(super) fn is_writable(&self) -> bool {
        let member = |token: &String| token != "-" && !token.bytes().all(|byte| byte.is_ascii_digit());
        !self.0.is_empty() && self.tokens().iter().all(member)
    }

    /// Says whether one of the two stands inside the other, or both are the same.
    pub(super) fn overlaps(&self, other: &Self) -> bool {
        let (one, other) = (self.tokens(), other.tokens());
        one.iter().zip(&other).all(|(one, other)| one == other)
    }

    /// Puts a value there, and makes the objects on the way; what is in the way and no object is replaced by one.
    pub(super) fn put(&self, root: &mut Value, value: Value) {
        let mut place = root;
        for token in self.tokens() {
            if !place.is_object() {
                *place = Value::Object(Map::new());
            }
            let Value::Object(object) = place else { return };
            place = object.entry(token).or_insert(Value::Null);
        }
        *place = value;
    }

    fn tokens(&self) -> Vec<String> {
        let unescape = |token: &str| token.replace("~1", "/").replace("~0", "~");
        self.0.split('/').skip(1).map(unescape).collect()
    }
}

/// Lays one object over another: members of objects one by one, everything else as a whole.
pub(super) fn overlay(base: &mut Value, over: &Value) {
    match (base, over) {
        (Value::Object(base), Value::Object(over)) => {
            for (name, value) in over {
                overlay(base.entry(name.clone()).or_insert(Value::Null), value);
            }
        }
        (base, over) => *base = over.clone(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn pointer(text: &str) -> Pointer {
        Pointer::parse(text).unwrap()
    }

    #[test]
    fn what_is_no_pointer_is_refused() {
        for bad in ["name", "a/b", "/a~2", "/~", "/a\n", &"/x".repeat(101)] {
            assert!(Pointer::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_is_put_stands_among_what_was_there() {
        let mut body = json!({ "address": { "city": "Oslo" }, "name": 1 });
        pointer("/address/zip").put(&mut body, json!("0150"));
        pointer("/name/last").put(&mut body, json!("Ek"));
        assert_eq!(
            body,
            json!({ "address": { "city": "Oslo", "zip": "0150" }, "name": { "last": "Ek" } })
        );
    }

    #[test]
    fn an_element_of_a_list_is_read_and_not_written() {
        assert_eq!(
            pointer("/emails/0").of(&json!({ "emails": ["a"] })),
            Some(&json!("a"))
        );
        for bad in ["/emails/0/value", "/emails/-", ""] {
            assert!(!pointer(bad).is_writable(), "{bad}");
        }
    }

    #[test]
    fn pointers_that_overlap_are_found() {
        assert!(pointer("/a").overlaps(&pointer("/a/b")));
        assert!(pointer("/a/b").overlaps(&pointer("/a/b")));
        assert!(!pointer("/a/b").overlaps(&pointer("/a/c")));
        assert!(!pointer("/a").overlaps(&pointer("/ab")));
    }

    proptest! {
        #[test]
        fn what_is_put_is_found_again(path in "(/[a-zæ~/ ]{1,8}){1,4}", value: i64) {
            if let Ok(pointer) = Pointer::parse(&path) {
                let mut body = json!({});
                pointer.put(&mut body, json!(value));
                prop_assert_eq!(pointer.of(&body), Some(&json!(value)));
            }
        }
    }
}
