//! The words that a portal and the platform have for how far somebody is, and for what a training is.
//!
//! A portal has several words for each of the platform's: names, which differ by endpoint and language, and numbers, which
//! the reporting views have and no document tells. What the settings say comes before what is usual.

use serde_json::Value;

use crate::model::{FieldType, Kind};
use crate::settings::Section;

/// How a due date that has passed is told along with a status.
const PAST_DUE: &str = "pastdue";

/// What is usual, in the order of how well it is documented.
///
/// Source: csod.dev, "Transcript API - Examples"; help.csod.com, "Transcript - Status and Options", "Transcript load".
const STATUSES: &[(&str, &[&str])] = &[
    ("requested", &["Requested", "Pending Approval"]),
    ("approved", &["Approved"]),
    ("registered", &["Registered", "Not Started"]),
    ("waitlisted", &["Waitlisted"]),
    ("in_progress", &["In Progress"]),
    ("completed", &["Completed"]),
    ("exempt", &["Exempt"]),
    ("incomplete", &["Incomplete"]),
    ("no_show", &["No Show"]),
    ("withdrawn", &["Withdrawn"]),
    ("cancelled", &["Cancelled", "Canceled"]),
];

const TRAINING_TYPES: &[(&str, &[&str])] = &[
    ("curriculum", &["Curriculum"]),
    ("external_training", &["External Training"]),
    ("instructor_led", &["Session", "Event", "ILT"]),
    ("material", &["Material"]),
    ("online_content", &["Online Content"]),
    ("online_course", &["Online Class", "Online Course", "CRSE"]),
    ("test", &["Test"]),
    ("video", &["Video"]),
];

/// Words of a portal, each with the platform's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Words(Vec<(String, &'static str)>);

impl Words {
    /// Reads `statuses`, a member of the section.
    pub(super) fn statuses(section: &Section<'_>) -> Option<Self> {
        Self::read(section, "statuses", "status", STATUSES)
    }

    /// Reads `trainingTypes`, a member of the section.
    pub(super) fn training_types(section: &Section<'_>) -> Option<Self> {
        Self::read(section, "trainingTypes", "trainingType", TRAINING_TYPES)
    }

    fn read(
        section: &Section<'_>,
        name: &'static str,
        field: &str,
        usual: &'static [(&str, &[&str])],
    ) -> Option<Self> {
        let mut words = Vec::new();
        if section.get(name).is_some() {
            let set = section.section(name)?;
            for (ours, theirs) in set.entries() {
                let Some(ours) = known(field, ours) else {
                    set.fault(ours, format!("is no {field} that the platform has"));
                    continue;
                };
                for word in listed(&set, ours, theirs) {
                    match words.iter().find(|(known, _)| *known == word) {
                        Some((_, other)) if *other != ours => {
                            set.fault(ours, "must not hold a word that another one holds");
                        }
                        _ => words.push((word, ours)),
                    }
                }
            }
        }
        for (ours, theirs) in usual {
            words.extend(theirs.iter().map(|theirs| (plain(theirs), *ours)));
        }
        Some(Self(words))
    }

    /// Returns the platform's word for one of the portal's.
    pub(super) fn ours(&self, theirs: &str) -> Option<&'static str> {
        let theirs = plain(theirs);
        let find = |word: &str| self.0.iter().find(|(known, _)| known == word);
        let found = find(&theirs).or_else(|| find(theirs.strip_suffix(PAST_DUE)?));
        found.map(|(_, ours)| *ours)
    }

    /// Says whether there is any number among them: without, no row of a view has a status that is known.
    pub(super) fn has_numbers(&self) -> bool {
        self.0
            .iter()
            .any(|(known, _)| known.bytes().all(|byte| byte.is_ascii_digit()))
    }
}

/// Returns a word of a choice as the platform's field has it.
fn known(field: &str, word: &str) -> Option<&'static str> {
    let position = Kind::CourseEnrollment.position(field)?;
    match Kind::CourseEnrollment.fields().get(position)?.holds {
        FieldType::Choice(words) => words.iter().find(|known| **known == word).copied(),
        _ => None,
    }
}

/// Reads a word, a number, or a list of them.
fn listed(section: &Section<'_>, name: &str, value: &Value) -> Vec<String> {
    let values = match value {
        Value::Array(values) => values.as_slice(),
        one => std::slice::from_ref(one),
    };
    let mut words = Vec::with_capacity(values.len());
    for value in values {
        let word = match value {
            Value::String(text) => plain(text),
            Value::Number(number) if number.is_i64() => number.to_string(),
            _ => String::new(),
        };
        if word.is_empty() || word.len() > 100 {
            section.fault(name, "must be a name, a whole number, or a list of them");
        } else {
            words.push(word);
        }
    }
    words
}

/// Leaves letters and digits in lower case: `In Progress`, `InProgress` and `in_progress` are one word.
fn plain(word: &str) -> String {
    let kept = word.chars().filter(|letter| letter.is_alphanumeric());
    kept.flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::settings::Faults;

    fn read(settings: &Value) -> Result<Words, Vec<String>> {
        let faults = Faults::default();
        let words = Section::open("s", settings, &faults).and_then(|section| Words::statuses(&section));
        let faults = faults.or(words);
        faults.map_err(|faults| faults.into_iter().map(|fault| fault.field).collect())
    }

    #[test]
    fn a_word_is_known_however_it_is_spelt() {
        let words = read(&json!({})).unwrap();
        for (theirs, ours) in [
            ("In Progress", Some("in_progress")),
            ("InProgress", Some("in_progress")),
            ("IN_PROGRESS", Some("in_progress")),
            ("Registered / Past Due", Some("registered")),
            ("PendingApproval", Some("requested")),
            ("NoShow", Some("no_show")),
            ("Past Due", None),
            ("", None),
            ("4", None),
            ("Påmeldt", None),
        ] {
            assert_eq!(words.ours(theirs), ours, "{theirs}");
        }
        assert!(!words.has_numbers());
    }

    #[test]
    fn what_is_set_comes_before_what_is_usual() {
        let words =
            read(&json!({ "statuses": { "registered": [4, "Påmeldt"], "completed": "Exempt" } })).unwrap();
        assert_eq!(words.ours("4"), Some("registered"));
        assert_eq!(words.ours("påmeldt"), Some("registered"));
        assert_eq!(words.ours("Exempt"), Some("completed"));
        assert_eq!(words.ours("Completed"), Some("completed"));
        assert!(words.has_numbers());
    }

    #[test]
    fn every_fault_is_told() {
        let settings = json!({ "statuses": {
            "done": 1, "registered": [2, "--"], "completed": [2], "exempt": { "a": 1 }, "approved": 1.5,
        } });
        let expected = ["s.statuses.approved", "s.statuses.done", "s.statuses.exempt"];
        let faults = read(&settings).unwrap_err();
        for path in expected {
            assert!(faults.iter().any(|fault| fault == path), "{path}: {faults:?}");
        }
        assert_eq!(faults.len(), 5, "{faults:?}");
    }
}
