//! How far a learner got, and what kinds of training there are.
//!
//! The names are those of the Transcript API, of its older sister, and of transcript loads. Of the numbers in the reporting
//! views only the groups are known from a public client: 11 is what is completed, 12 and 13 are what is not, and which of them
//! is which is inferred. The numbers of statuses are invented: a caller that knows them knows them from its portal.

use serde::{Deserialize, Serialize};

/// Says how far a learner got with a training.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Status {
    /// Assigned or asked for, and somebody has yet to agree.
    PendingApproval,
    /// Agreed to, and not registered.
    Approved,
    /// Registered, and not begun.
    Registered,
    /// Begun.
    InProgress,
    /// Done.
    Completed,
    /// Not needed.
    Exempt,
    /// Taken off a session that they were registered for.
    Withdrawn,
    /// The session does not take place.
    Cancelled,
    /// Waiting for a place in a session.
    Waitlisted,
    /// Was there, and not for all of it.
    Incomplete,
    /// Was not there.
    NoShow,
}

/// Says what a training is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum TrainingType {
    /// Several trainings in one.
    Curriculum,
    /// Something that the portal does not hold.
    ExternalTraining,
    /// A meeting with an instructor.
    Session,
    /// Something to read.
    Material,
    /// A course of a connected provider.
    OnlineContent,
    /// An online course.
    OnlineClass,
    /// A test.
    Test,
    /// A video.
    Video,
}

impl Status {
    const ALL: [Self; 11] = [
        Self::PendingApproval,
        Self::Approved,
        Self::Registered,
        Self::InProgress,
        Self::Completed,
        Self::Exempt,
        Self::Withdrawn,
        Self::Cancelled,
        Self::Waitlisted,
        Self::Incomplete,
        Self::NoShow,
    ];

    /// Returns the name in the Transcript API.
    pub fn name(self) -> &'static str {
        match self {
            Self::PendingApproval => "PendingApproval",
            Self::Approved => "Approved",
            Self::Registered => "Registered",
            Self::InProgress => "InProgress",
            Self::Completed => "Completed",
            Self::Exempt => "Exempt",
            Self::Withdrawn => "Withdrawn",
            Self::Cancelled => "Cancelled",
            Self::Waitlisted => "Waitlisted",
            Self::Incomplete => "Incomplete",
            Self::NoShow => "NoShow",
        }
    }

    /// Returns what people read, and what a transcript load holds.
    pub fn title(self) -> &'static str {
        match self {
            Self::PendingApproval => "Requested",
            Self::InProgress => "In Progress",
            Self::NoShow => "No Show",
            other => other.name(),
        }
    }

    /// Returns the number in the reporting views.
    pub fn id(self) -> i64 {
        1 << self as u8
    }

    /// Returns the name of the group in the Transcript API.
    pub fn group(self) -> &'static str {
        match self {
            Self::PendingApproval | Self::Approved | Self::Registered | Self::Waitlisted => "NotStarted",
            Self::InProgress | Self::Incomplete => "InProgress",
            Self::Completed | Self::Exempt => "Completed",
            Self::Withdrawn | Self::Cancelled | Self::NoShow => "Inactive",
        }
    }

    /// Returns the number of the group in the reporting views.
    pub fn group_id(self) -> i64 {
        match self.group() {
            "Completed" => 11,
            "InProgress" => 12,
            "NotStarted" => 13,
            _ => 14,
        }
    }

    /// Returns whether the learner has still something to do.
    pub(super) fn is_open(self) -> bool {
        matches!(self.group(), "NotStarted" | "InProgress")
    }

    pub(super) fn of_title(title: &str) -> Option<Self> {
        let mut all = Self::ALL.into_iter();
        all.find(|status| status.title().eq_ignore_ascii_case(title))
    }
}

impl TrainingType {
    /// All of them, in the order in which a seed takes them.
    pub(super) const ALL: [Self; 8] = [
        Self::OnlineClass,
        Self::Session,
        Self::Material,
        Self::Video,
        Self::Test,
        Self::Curriculum,
        Self::OnlineContent,
        Self::ExternalTraining,
    ];

    /// Returns the name in the Transcript API.
    pub fn name(self) -> &'static str {
        match self {
            Self::Curriculum => "Curriculum",
            Self::ExternalTraining => "ExternalTraining",
            Self::Session => "Session",
            Self::Material => "Material",
            Self::OnlineContent => "OnlineContent",
            Self::OnlineClass => "OnlineClass",
            Self::Test => "Test",
            Self::Video => "Video",
        }
    }

    /// Returns what people read.
    pub fn title(self) -> &'static str {
        match self {
            Self::ExternalTraining => "External Training",
            Self::OnlineContent => "Online Content",
            Self::OnlineClass => "Online Class",
            other => other.name(),
        }
    }

    /// Returns the code in the reporting views; only `CRSE` is known from a public client.
    pub fn code(self) -> &'static str {
        match self {
            Self::Curriculum => "CURR",
            Self::ExternalTraining => "EXTR",
            Self::Session => "SESS",
            Self::Material => "MATR",
            Self::OnlineContent => "OLCO",
            Self::OnlineClass => "CRSE",
            Self::Test => "TEST",
            Self::Video => "VIDE",
        }
    }

    /// Returns whether a transcript load of this type takes a status.
    pub fn loads(self, status: Status) -> bool {
        match (self, status) {
            (_, Status::Registered | Status::Completed) => true,
            (Self::Session, Status::InProgress) => false,
            (Self::Session, _) | (Self::ExternalTraining, Status::Withdrawn) => true,
            (Self::ExternalTraining | Self::OnlineContent, _) => false,
            (_, status) => status == Status::Exempt,
        }
    }
}
