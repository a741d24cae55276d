//! Making changes, each after a look at what is so right now.
//!
//! Cornerstone has no version that a change could insist on, and no key of ours that would make a second request harmless: a
//! second assignment may be a second registration. So the enrolment is looked at first, whatever was sent before, and nothing
//! is sent where it is as it should be; that is also what is done about an answer that was lost. Between the look and the
//! request somebody else may act: what that comes to, the next reading tells.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::{Value as Json, json};

use super::adapter::Cornerstone;
use super::config::OnDelete;
use super::key::Key;
use super::map;
use super::steps::{self, Step};
use crate::adapter::{Change, ChangeAction, Error, ErrorKind, ExternalRecord, Item, Made, Result, Target};
use crate::model::{FieldDefinition, Fields, Kind, Value};

const KIND: Kind = Kind::CourseEnrollment;

/// Fields that can be written; of the others, a new enrolment may say what Cornerstone then knows better.
const WRITTEN: &[&str] = &["status", "dueOn", "completedOn", "score"];
const KNOWN_BETTER: &[&str] = &["memberId", "courseId", "courseTitle", "trainingType"];

impl Cornerstone {
    /// Makes changes one by one; once something concerns the portal as a whole, nothing more is sent.
    pub(super) async fn push_all(&self, changes: &[Change]) -> Result<Vec<Result<Made>>> {
        let mut outcomes = Vec::with_capacity(changes.len());
        let mut closed: Option<ErrorKind> = None;
        for change in changes {
            outcomes.push(match closed {
                Some(kind) => Err(Error::new(
                    kind,
                    "the change was not sent, after what became of one before it",
                )),
                None => self.push_one(change).await,
            });
            if let Some(Err(error)) = outcomes.last() {
                closed = closed.or_else(|| closing(error.kind()));
            }
        }
        match outcomes.first() {
            // Nothing is known of any of them: the limit, or the outage, is the whole answer.
            Some(Err(error))
                if matches!(
                    error.kind(),
                    ErrorKind::RateLimited { .. } | ErrorKind::Unavailable
                ) =>
            {
                outcomes.swap_remove(0).map(|_| Vec::new())
            }
            _ => Ok(outcomes),
        }
    }

    async fn push_one(&self, change: &Change) -> Result<Made> {
        match (&change.target, &change.action) {
            (None, ChangeAction::Write { fields, .. }) => self.make(change, fields).await,
            (Some(target), ChangeAction::Write { fields, changed }) => {
                self.change(target, fields, *changed).await
            }
            (Some(target), ChangeAction::Remove) => self.remove(target).await,
            (None, ChangeAction::Remove) => Err(Error::new(
                ErrorKind::Unsupported,
                "what was never made cannot be removed",
            )),
        }
    }

    /// Makes an enrolment where there is none.
    async fn make(&self, change: &Change, fields: &Fields) -> Result<Made> {
        let key = named(change, fields)?;
        self.check_new(fields)?;
        if let Some(Item::Row(_) | Item::Faulty { .. }) = self.look(&key).await? {
            let error = Error::new(ErrorKind::Conflict, "the user is enrolled already");
            return Err(error.with("row", key.id()));
        }
        let to = text(fields, "status").unwrap_or("registered");
        let steps = steps::between(None, to).map_err(|reason| refuse("status", reason))?;
        self.take(&key, &steps, fields).await?;
        Ok(self.pushed(&key).await)
    }

    /// Changes an enrolment that is as it was last seen.
    async fn change(&self, target: &Target, fields: &Fields, changed: u64) -> Result<Made> {
        let key = self.key(&target.id)?;
        let row = match self.look(&key).await? {
            Some(Item::Row(row)) => row,
            Some(Item::Faulty { field, message, .. }) => {
                return Err(Error::new(ErrorKind::Rejected, message).at_field(field));
            }
            Some(Item::Deleted { .. }) | None => {
                return Err(Error::new(ErrorKind::NotFound, "the user is not enrolled"));
            }
        };
        let differs = differing(&row, fields, changed);
        if differs == 0 {
            return Ok(as_it_is(&row));
        }
        let seen = target.etag.as_deref().zip(row.etag.as_deref());
        if seen.is_some_and(|(before, now)| !map::is_same_version(before, now)) {
            return Err(Error::new(
                ErrorKind::Conflict,
                "the enrolment has changed since it was read",
            ));
        }
        let steps = self.steps(&row, fields, differs)?;
        self.take(&key, &steps, fields).await?;
        Ok(self.pushed(&key).await)
    }

    async fn remove(&self, target: &Target) -> Result<Made> {
        let key = self.key(&target.id)?;
        let gone = || Made {
            id: key.id(),
            etag: None,
            active: false,
            gone: true,
        };
        let step = match self.settings.on_delete {
            OnDelete::Ignore => {
                return Ok(Made {
                    id: key.id(),
                    etag: target.etag.clone(),
                    active: target.active,
                    gone: false,
                });
            }
            OnDelete::Withdraw => Step::Withdraw,
            OnDelete::Remove => Step::Remove,
        };
        match self.look(&key).await? {
            None | Some(Item::Deleted { .. }) => return Ok(gone()),
            Some(Item::Row(row)) if step == Step::Withdraw && has_left(&row.fields) => {
                return Ok(as_it_is(&row));
            }
            Some(_) => {}
        }
        self.take(&key, &[step], &Fields::new(KIND)).await?;
        match self.look(&key).await {
            Ok(None | Some(Item::Deleted { .. })) => Ok(gone()),
            _ => Ok(self.pushed(&key).await),
        }
    }

    /// Returns what has to be done about what differs.
    fn steps(&self, row: &ExternalRecord, fields: &Fields, differs: u64) -> Result<Vec<Step>> {
        let differs = |name: &str| {
            KIND.position(name)
                .is_some_and(|position| differs >> position & 1 == 1)
        };
        // Who says nothing of its use wants nothing of it.
        let unsaid = |name: &str| name == "active" && fields.get(name).is_none();
        for field in KIND.fields().iter().filter(|field| differs(field.name)) {
            if !WRITTEN.contains(&field.name) && !unsaid(field.name) {
                return Err(cannot(field));
            }
        }
        let mut steps = Vec::new();
        if differs("status") {
            let to = text(fields, "status").ok_or_else(|| refuse("status", "cannot be taken away"))?;
            let from = text(&row.fields, "status");
            steps = steps::between(from, to).map_err(|reason| refuse("status", reason))?;
        }
        let completes = steps.contains(&Step::Complete);
        for name in ["completedOn", "score"] {
            if differs(name) && !completes {
                return Err(refuse(name, "can only be set along with the status completed"));
            }
        }
        self.check_completion(fields)?;
        let assigns = matches!(steps.first(), Some(Step::Assign(_)));
        if differs("dueOn") && !assigns {
            if fields.get("dueOn").is_none() {
                return Err(refuse(
                    "dueOn",
                    "cannot be taken away in Cornerstone: set another date",
                ));
            }
            steps.push(Step::Update);
        }
        Ok(steps)
    }

    fn check_new(&self, fields: &Fields) -> Result<()> {
        let completes = text(fields, "status") == Some("completed");
        for (_, field, value) in fields.iter() {
            let harmless = match (field.name, value) {
                (_, None) | ("active", Some(Value::Bool(true))) => true,
                ("completedOn" | "score", Some(_)) => completes,
                (name, Some(_)) => WRITTEN.contains(&name) || KNOWN_BETTER.contains(&name),
            };
            if !harmless {
                return Err(cannot(field));
            }
        }
        self.check_completion(fields)
    }

    fn check_completion(&self, fields: &Fields) -> Result<()> {
        let today = self.client.clock.now().to_zoned(TimeZone::UTC).date();
        if day(fields, "completedOn").is_some_and(|day| day > today) {
            return Err(refuse("completedOn", "cannot lie in the future"));
        }
        let score = text(fields, "score");
        let is_number = |score: &str| score.parse::<i64>().is_ok();
        match score.is_none_or(is_number) {
            true => Ok(()),
            false => Err(refuse("score", "must be a whole number")),
        }
    }

    /// Takes steps in their order. Where an answer was lost, a look at the enrolment says whether the step was taken.
    async fn take(&self, key: &Key, steps: &[Step], fields: &Fields) -> Result<()> {
        for step in steps {
            let more = members(*step, fields);
            let path = step.path(&self.settings.paths);
            match self.client.write(step.method(), path, key, &more).await {
                Err(error)
                    if error.kind() == ErrorKind::Unknown && self.was_taken(key, *step, fields).await => {}
                end => end?,
            }
        }
        Ok(())
    }

    async fn was_taken(&self, key: &Key, step: Step, fields: &Fields) -> bool {
        let Ok(now) = self.look(key).await else {
            return false;
        };
        let row = match now {
            Some(Item::Row(row)) => row,
            Some(Item::Deleted { .. }) | None => return step == Step::Remove,
            Some(Item::Faulty { .. }) => return false,
        };
        let status = text(&row.fields, "status");
        match step {
            Step::Assign("assigned") => status == Some("requested"),
            Step::Assign(assignment) => status == Some(assignment),
            Step::Register => status == Some("registered"),
            Step::Begin => status == Some("in_progress"),
            Step::Complete => status == Some("completed"),
            Step::Exempt => status == Some("exempt"),
            Step::Withdraw => has_left(&row.fields),
            Step::Remove => false,
            Step::Update => row.fields.get("dueOn") == fields.get("dueOn"),
        }
    }

    /// Tells of a change that was made; where it cannot be looked at, its version stays unknown.
    async fn pushed(&self, key: &Key) -> Made {
        match self.look(key).await {
            Ok(Some(Item::Row(row))) => as_it_is(&row),
            _ => Made {
                id: key.id(),
                etag: None,
                active: true,
                gone: false,
            },
        }
    }
}

/// Says whether an error concerns the portal as a whole, and as what the rest of a batch is to be taken for.
const fn closing(kind: ErrorKind) -> Option<ErrorKind> {
    match kind {
        ErrorKind::RateLimited { .. } | ErrorKind::Unauthenticated => Some(kind),
        ErrorKind::Unavailable | ErrorKind::Unknown => Some(ErrorKind::Unavailable),
        _ => None,
    }
}

/// Returns whose enrolment is to be made, and in what: the platform's id of it must be the one that it will have.
fn named(change: &Change, fields: &Fields) -> Result<Key> {
    let member = text(fields, "memberId").ok_or_else(|| refuse("memberId", "is required"))?;
    let course = text(fields, "courseId").ok_or_else(|| refuse("courseId", "is required"))?;
    let key = Key::new(member, course)
        .ok_or_else(|| refuse("courseId", "must be the learning object's id, a GUID"))?;
    if *key.course != *course {
        return Err(refuse("courseId", "must be written in lower case, with hyphens"));
    }
    match *key.id() == *change.key.as_str() {
        true => Ok(key),
        false => Err(refuse(
            "id",
            "must be the member's id, a dot, and the course's id: so an enrolment is never made twice",
        )),
    }
}

/// Returns the wanted fields that are not as they should be; one that is not told may not be.
fn differing(row: &ExternalRecord, fields: &Fields, changed: u64) -> u64 {
    let positions = 0..KIND.fields().len();
    positions
        .filter(|position| changed >> position & 1 == 1)
        .filter(|position| {
            let told = row.told >> position & 1 == 1;
            !told || fields.fingerprint(*position) != row.fields.fingerprint(*position)
        })
        .fold(0, |bits, position| bits | 1 << position)
}

/// Returns what a step tells besides which enrolment it is for.
fn members(step: Step, fields: &Fields) -> Vec<(&'static str, Json)> {
    let due = || day(fields, "dueOn").map(|day| ("dueDate", midnight(day)));
    match step {
        Step::Assign(assignment) => std::iter::once(("assignment", json!(assignment)))
            .chain(due())
            .collect(),
        Step::Complete => {
            let on = day(fields, "completedOn").map(|day| ("completionDate", midnight(day)));
            let score = text(fields, "score").and_then(|score| score.parse::<i64>().ok());
            on.into_iter()
                .chain(score.map(|score| ("score", json!(score))))
                .collect()
        }
        Step::Update => due().into_iter().collect(),
        Step::Register | Step::Begin | Step::Exempt | Step::Withdraw | Step::Remove => Vec::new(),
    }
}

fn midnight(day: Date) -> Json {
    json!(format!("{day}T00:00:00Z"))
}

fn as_it_is(row: &ExternalRecord) -> Made {
    Made {
        id: row.id.clone(),
        etag: row.etag.clone(),
        active: row.active,
        gone: false,
    }
}

fn has_left(fields: &Fields) -> bool {
    matches!(text(fields, "status"), Some("withdrawn" | "cancelled"))
}

fn cannot(field: &FieldDefinition) -> Error {
    refuse(field.name, "is set by Cornerstone alone: change it there")
}

fn refuse(field: &'static str, reason: &'static str) -> Error {
    Error::new(ErrorKind::Rejected, reason).at_field(field)
}

fn text<'f>(fields: &'f Fields, name: &str) -> Option<&'f str> {
    match fields.get(name) {
        Some(Value::Text(text)) => Some(text),
        _ => None,
    }
}

fn day(fields: &Fields, name: &str) -> Option<Date> {
    match fields.get(name) {
        Some(Value::Date(day)) => Some(*day),
        _ => None,
    }
}
