//! What tells one enrolment from all others: who, and in which course.
//!
//! An enrolment's id is `{externalId}.{learning object's id}`, here and on the platform. It does not hold the registration
//! number: who registers anew for a course goes on with the same enrolment. Since the id says which row it is, a new
//! enrolment is looked for before it is made, and never made twice.

use uuid::Uuid;

/// Letters of a learning object's id.
const GUID: usize = 36;

/// Who is enrolled, and in what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Key {
    /// The user's `externalId`, which is the member's id on the platform.
    pub(super) member: Box<str>,
    /// The learning object's id, in lower case.
    pub(super) course: Box<str>,
}

impl Key {
    /// Returns nothing where the course's id is no GUID, or the user has no id.
    pub(super) fn new(member: &str, course: &str) -> Option<Self> {
        let course = course_id(course)?;
        let fits = !member.is_empty() && member.len() <= 256 && !member.chars().any(char::is_control);
        fits.then(|| Self {
            member: member.into(),
            course,
        })
    }

    /// Reads an id; nothing where it is none.
    pub(super) fn parse(id: &str) -> Option<Self> {
        let (member, course) = id.split_at_checked(id.len().checked_sub(GUID)?)?;
        let key = Self::new(member.strip_suffix('.')?, course)?;
        (*key.id() == *id).then_some(key)
    }

    pub(super) fn id(&self) -> Box<str> {
        format!("{}.{}", self.member, self.course).into()
    }
}

/// Returns a learning object's id in its one form: lower case, with hyphens and without braces.
pub(super) fn course_id(text: &str) -> Option<Box<str>> {
    Uuid::try_parse(text).ok().map(|id| id.to_string().into())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const COURSE: &str = "1c8c4d2e-0a5b-4c3d-9e8f-102938475610";

    #[test]
    fn an_id_has_one_form() {
        let key = Key::new("paul.abbot", &COURSE.to_uppercase()).unwrap();
        assert_eq!(&*key.id(), format!("paul.abbot.{COURSE}"));
        assert_eq!(Key::parse(&key.id()), Some(key));
        for bad in [
            String::new(),
            COURSE.to_owned(),
            format!(".{COURSE}"),
            format!("1{COURSE}"),
            format!("1.{}", COURSE.to_uppercase()),
            format!("1.å{}", COURSE.trim_start_matches("1")),
            "1.course".to_owned(),
        ] {
            assert_eq!(Key::parse(&bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn whoever_is_enrolled_is_read_back(member in "[!-~åæø]{1,40}", course in any::<u128>()) {
            let key = Key::new(&member, &Uuid::from_u128(course).to_string()).unwrap();
            prop_assert_eq!(Key::parse(&key.id()), Some(key));
        }

        #[test]
        fn no_text_is_too_strange(text in ".{0,60}") {
            prop_assert!(Key::parse(&text).is_none_or(|key| *key.id() == *text));
        }
    }
}
