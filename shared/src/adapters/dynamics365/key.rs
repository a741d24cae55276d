//! Alternate keys in addresses.

use std::fmt::Write as _;

/// Characters with which a row cannot be addressed by its key, however they are escaped.
///
/// Source: Microsoft Learn, "Use an alternate key to reference a record"; `#` would end the address.
const NOT_ADDRESSABLE: &[u8] = b"/<>*%&:\\?+#";

/// Writes a key's value as it stands between the parentheses of an address.
///
/// # Errors
///
/// What is wrong with it, and the way out.
pub(super) fn literal(value: &str) -> Result<String, String> {
    if value.bytes().any(|byte| NOT_ADDRESSABLE.contains(&byte)) {
        return Err("holds one of / < > * % & : \\ ? + #, with which the system finds no row: give the record another id".to_owned());
    }
    let mut literal = String::from("'");
    for byte in value.bytes() {
        match byte {
            b'\'' => literal.push_str("''"),
            byte if byte.is_ascii_alphanumeric() || b"-_.~!$()=@,;".contains(&byte) => {
                literal.push(char::from(byte))
            }
            byte => write!(literal, "%{byte:02X}").expect("writing to memory does not fail"),
        }
    }
    literal.push('\'');
    Ok(literal)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_quote_is_doubled_and_what_is_not_ascii_is_escaped() {
        assert_eq!(literal("O'Brien").unwrap(), "'O''Brien'");
        assert_eq!(literal("')or(1 eq 1").unwrap(), "''')or(1%20eq%201'");
        assert_eq!(literal("Åse").unwrap(), "'%C3%85se'");
        assert_eq!(literal("a\r\nb").unwrap(), "'a%0D%0Ab'");
    }

    #[test]
    fn a_phone_number_is_no_key() {
        for bad in [
            "+4712345678",
            "a+b@example.org",
            "a/b",
            "50%",
            "a:b",
            "a\\b",
            "a#b",
        ] {
            assert!(literal(bad).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn no_value_leaves_its_quotes(value: String) {
            if let Ok(literal) = literal(&value) {
                let inner = literal.strip_prefix('\'').unwrap().strip_suffix('\'').unwrap();
                prop_assert!(!inner.replace("''", "").contains('\''));
                prop_assert!(inner.bytes().all(|byte| byte.is_ascii_graphic()));
            }
        }
    }
}
