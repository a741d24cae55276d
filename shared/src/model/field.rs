//! The kinds of record and the fields that each has.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::IdError;

/// A kind of record that the platform keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A person of the organization.
    Member,
    /// A person's belonging to the organization: type, status and period.
    Membership,
    /// A person's place in a course, and how far they are with it.
    #[serde(rename = "course_enrollment")]
    CourseEnrollment,
}

/// A set of fields that one side owns together: conflicts are decided group by group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Group {
    /// Who the person is.
    Identity,
    /// How the person is reached.
    Contact,
    /// Where the person lives.
    Address,
    /// What the person may do as a peer supporter, and until when.
    Certification,
    /// How the person does not want to be reached.
    Preferences,
    /// The content of a membership.
    Membership,
    /// What a person is enrolled for, and how far they are with it.
    Enrollment,
    /// Whether the record is in use.
    Status,
}

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldType {
    /// Text of at most so many characters.
    Text(usize),
    /// A calendar date, `yyyy-MM-dd`.
    Date,
    /// True or false.
    Bool,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// The id of a record of another kind.
    Reference(Kind),
}

/// One field of a kind of record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FieldDefinition {
    /// The name in the API and in field maps.
    pub name: &'static str,
    /// The group in whose conflicts it takes part.
    pub group: Group,
    /// What it holds.
    pub holds: FieldType,
    /// Whether a record without it is refused.
    pub required: bool,
}

const fn optional(name: &'static str, group: Group, holds: FieldType) -> FieldDefinition {
    FieldDefinition {
        name,
        group,
        holds,
        required: false,
    }
}

const fn required(name: &'static str, group: Group, holds: FieldType) -> FieldDefinition {
    FieldDefinition {
        name,
        group,
        holds,
        required: true,
    }
}

const MEMBER: &[FieldDefinition] = &[
    optional("firstName", Group::Identity, FieldType::Text(100)),
    optional("middleName", Group::Identity, FieldType::Text(100)),
    required("lastName", Group::Identity, FieldType::Text(100)),
    optional("birthDate", Group::Identity, FieldType::Date),
    optional("gender", Group::Identity, FieldType::Choice(&["male", "female"])),
    optional("email", Group::Contact, FieldType::Text(254)),
    optional("phone", Group::Contact, FieldType::Text(50)),
    optional("mobilePhone", Group::Contact, FieldType::Text(50)),
    optional("addressLine1", Group::Address, FieldType::Text(250)),
    optional("addressLine2", Group::Address, FieldType::Text(250)),
    optional("postalCode", Group::Address, FieldType::Text(20)),
    optional("city", Group::Address, FieldType::Text(80)),
    optional("country", Group::Address, FieldType::Text(80)),
    optional("certificationStatus", Group::Certification, FieldType::Text(100)),
    optional("certificationValidTo", Group::Certification, FieldType::Date),
    optional("pausedUntil", Group::Certification, FieldType::Date),
    optional("doNotEmail", Group::Preferences, FieldType::Bool),
    optional("doNotPhone", Group::Preferences, FieldType::Bool),
    optional("doNotPost", Group::Preferences, FieldType::Bool),
    optional("active", Group::Status, FieldType::Bool),
];

const MEMBERSHIP: &[FieldDefinition] = &[
    required("memberId", Group::Membership, FieldType::Reference(Kind::Member)),
    optional("type", Group::Membership, FieldType::Text(100)),
    optional("status", Group::Membership, FieldType::Text(100)),
    optional("from", Group::Membership, FieldType::Date),
    optional("to", Group::Membership, FieldType::Date),
    optional("active", Group::Status, FieldType::Bool),
];

/// How far somebody is with a course: what systems for learning have in common.
const PROGRESS: &[&str] = &[
    "requested",
    "approved",
    "registered",
    "waitlisted",
    "in_progress",
    "completed",
    "exempt",
    "incomplete",
    "no_show",
    "withdrawn",
    "cancelled",
];

const TRAINING: &[&str] = &[
    "curriculum",
    "external_training",
    "instructor_led",
    "material",
    "online_content",
    "online_course",
    "test",
    "video",
];

const COURSE_ENROLLMENT: &[FieldDefinition] = &[
    required("memberId", Group::Enrollment, FieldType::Reference(Kind::Member)),
    required("courseId", Group::Enrollment, FieldType::Text(100)),
    optional("courseTitle", Group::Enrollment, FieldType::Text(500)),
    optional("trainingType", Group::Enrollment, FieldType::Choice(TRAINING)),
    optional("status", Group::Enrollment, FieldType::Choice(PROGRESS)),
    optional("registeredOn", Group::Enrollment, FieldType::Date),
    optional("startedOn", Group::Enrollment, FieldType::Date),
    optional("dueOn", Group::Enrollment, FieldType::Date),
    optional("completedOn", Group::Enrollment, FieldType::Date),
    optional("score", Group::Enrollment, FieldType::Text(20)),
    optional("registrationNumber", Group::Enrollment, FieldType::Text(50)),
    optional("active", Group::Status, FieldType::Bool),
];

impl Kind {
    /// Every kind, in the order in which a sync reads them: what is referred to comes first.
    pub const ALL: &[Self] = &[Self::Member, Self::Membership, Self::CourseEnrollment];

    /// Returns the name that rows, events and metrics use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Member => "member",
            Self::Membership => "membership",
            Self::CourseEnrollment => "course_enrollment",
        }
    }

    /// Returns the name of the collection in paths of the API.
    #[must_use]
    pub const fn plural(self) -> &'static str {
        match self {
            Self::Member => "members",
            Self::Membership => "memberships",
            Self::CourseEnrollment => "course-enrollments",
        }
    }

    /// Returns the fields of this kind, in a fixed order.
    #[must_use]
    pub const fn fields(self) -> &'static [FieldDefinition] {
        match self {
            Self::Member => MEMBER,
            Self::Membership => MEMBERSHIP,
            Self::CourseEnrollment => COURSE_ENROLLMENT,
        }
    }

    /// Returns the position of a field among [`Kind::fields`].
    #[must_use]
    pub fn position(self, name: &str) -> Option<usize> {
        self.fields().iter().position(|field| field.name == name)
    }

    /// Returns the positions of a group's fields, as bits.
    #[must_use]
    pub fn positions(self, group: Group) -> u64 {
        let of_group = |(_, field): &(usize, &FieldDefinition)| field.group == group;
        self.fields()
            .iter()
            .enumerate()
            .filter(of_group)
            .fold(0, |bits, (position, _)| bits | 1 << position)
    }

    /// Returns the groups that occur in this kind, in the order of their first field.
    #[must_use]
    pub const fn groups(self) -> &'static [Group] {
        match self {
            Self::Member => &[
                Group::Identity,
                Group::Contact,
                Group::Address,
                Group::Certification,
                Group::Preferences,
                Group::Status,
            ],
            Self::Membership => &[Group::Membership, Group::Status],
            Self::CourseEnrollment => &[Group::Enrollment, Group::Status],
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Kind {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let known = Self::ALL
            .iter()
            .find(|kind| kind.as_str() == text || kind.plural() == text);
        known.copied().ok_or(IdError {
            what: "kind",
            rule: "member, membership or course_enrollment",
        })
    }
}

impl Group {
    /// Returns the name that configuration and rows use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Contact => "contact",
            Self::Address => "address",
            Self::Certification => "certification",
            Self::Preferences => "preferences",
            Self::Membership => "membership",
            Self::Enrollment => "enrollment",
            Self::Status => "status",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_groups_of_a_kind_are_those_of_its_fields() {
        for kind in Kind::ALL {
            let mut seen: Vec<Group> = Vec::new();
            for field in kind.fields() {
                if !seen.contains(&field.group) {
                    seen.push(field.group);
                }
            }
            assert_eq!(seen, kind.groups(), "{kind}");
        }
    }
}
