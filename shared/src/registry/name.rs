//! What an integration system may be called.
//!
//! Source: Kubernetes documentation, "Object Names and IDs", "DNS Subdomain Names"; the limits are those of the API that
//! the clients of the registry already speak.

/// The most bytes of a name.
const NAME: usize = 36;
/// The most characters of a description.
const DESCRIPTION: usize = 2_000;

/// What somebody wants a system to be called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Input {
    /// Its name, unique among all.
    pub name: String,
    /// What it is.
    pub description: Option<String>,
}

/// What is wrong with an input: the field, and the rule that it breaks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}={rule}")]
pub struct Fault {
    /// The field.
    pub field: &'static str,
    /// The rule.
    pub rule: &'static str,
}

impl Input {
    /// Checks it.
    ///
    /// # Errors
    ///
    /// Every field at fault, in the order of their names, each with the first rule that it breaks.
    pub fn check(&self) -> Result<(), Vec<Fault>> {
        let description = self.description.as_deref().and_then(description_fault);
        let faults: Vec<Fault> = [
            description.map(|rule| Fault {
                field: "description",
                rule,
            }),
            name_fault(&self.name).map(|rule| Fault { field: "name", rule }),
        ]
        .into_iter()
        .flatten()
        .collect();
        if faults.is_empty() { Ok(()) } else { Err(faults) }
    }
}

fn description_fault(text: &str) -> Option<&'static str> {
    (text.chars().count() > DESCRIPTION).then_some("the length must be no more than 2000")
}

fn name_fault(name: &str) -> Option<&'static str> {
    if name.is_empty() {
        Some("cannot be blank")
    } else if name.len() > NAME {
        Some("must be no more than 36 characters")
    } else if name.starts_with(|letter: char| letter.is_ascii_digit()) {
        Some("cannot start with digit")
    } else if !name.split('.').all(is_label) {
        Some(
            "must be a lowercase RFC 1123 subdomain: lowercase letters, digits, '-' and '.', beginning and ending with a letter or digit",
        )
    } else {
        None
    }
}

fn is_label(label: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let (Some(first), Some(last)) = (label.bytes().next(), label.bytes().next_back()) else {
        return false;
    };
    plain(first) && plain(last) && label.bytes().all(|byte| plain(byte) || byte == b'-')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn faults(name: &str, description: Option<&str>) -> Vec<String> {
        let input = Input {
            name: name.to_owned(),
            description: description.map(str::to_owned),
        };
        let faults = input.check().err().unwrap_or_default();
        faults.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_name_is_a_lowercase_subdomain_that_begins_with_a_letter() {
        for name in ["a", "name-123.com", "valid.name", "a1", &"a".repeat(36)] {
            assert_eq!(faults(name, None), [""; 0], "{name}");
        }
        for name in [
            "", "Invalid", "1abc", "-a", "a-", "a.", "a..b", ".a", "a_b", "a b", "\u{e5}", "a.-b",
        ] {
            assert_eq!(faults(name, None).len(), 1, "{name}");
        }
        assert_eq!(faults("", None), ["name=cannot be blank"]);
        assert_eq!(faults("1abc", None), ["name=cannot start with digit"]);
        assert_eq!(
            faults(&"a".repeat(37), None),
            ["name=must be no more than 36 characters"]
        );
    }

    #[test]
    fn a_description_has_two_thousand_characters_of_any_script() {
        assert_eq!(faults("a", Some("")), [""; 0]);
        assert_eq!(faults("a", Some(&"\u{5b57}".repeat(2_000))), [""; 0]);
        let long = "x".repeat(2_001);
        assert_eq!(
            faults("A", Some(&long))[0],
            "description=the length must be no more than 2000"
        );
        assert_eq!(faults("A", Some(&long)).len(), 2);
    }

    proptest! {
        #[test]
        fn what_is_taken_for_a_name_is_one(name in "[a-c1.A-]{0,40}") {
            let label = |label: &str| {
                !label.is_empty()
                    && !label.starts_with('-')
                    && !label.ends_with('-')
                    && label.chars().all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-')
            };
            let fits = (1..=36).contains(&name.len())
                && !name.starts_with(|letter: char| letter.is_ascii_digit())
                && name.split('.').all(label);
            prop_assert_eq!(faults(&name, None).is_empty(), fits, "{}", name);
        }
    }
}
