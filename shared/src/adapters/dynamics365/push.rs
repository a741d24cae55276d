//! Making changes, and knowing of each what became of it.

use http::header::ETAG;
use serde_json::{Map, Value as Json};

use super::adapter::Dynamics365;
use super::batch::{MOST_OPERATIONS, Unit};
use super::error::{Effect, is_no_such_row};
use super::map;
use super::plan::{Plan, Planner, Row, Step};
use super::reply::{self, Part, Reply};
use super::table::Table;
use super::wire;
use crate::adapter::{Change, Error, ErrorKind, Made, Result};
use crate::http::Answer;

impl Dynamics365 {
    pub(super) async fn push_changes(&self, table: &Table, changes: &[Change]) -> Result<Vec<Result<Made>>> {
        let planner = Planner {
            table,
            tag: self.settings.tag.as_deref(),
            root: self.client.root.path(),
        };
        let mut outcomes: Vec<Option<Result<Made>>> = Vec::with_capacity(changes.len());
        let mut plans = Vec::new();
        for (position, change) in changes.iter().enumerate() {
            outcomes.push(match planner.plan(change) {
                Ok(Step::Settled(pushed)) => Some(Ok(pushed)),
                Ok(Step::Ask(plan)) => {
                    plans.push((position, plan));
                    None
                }
                Err(error) => Some(Err(error)),
            });
        }
        self.send_all(table, &plans, &mut outcomes).await?;
        self.name_rivals(&planner, &plans, &mut outcomes).await;
        let unanswered = |outcome: Option<Result<Made>>| outcome.unwrap_or_else(|| Err(unknown()));
        Ok(outcomes.into_iter().map(unanswered).collect())
    }

    /// Finds, for each row that was not made since there is one, which one that is.
    ///
    /// What cannot be found out stays a conflict without a row: the change is tried again.
    async fn name_rivals(
        &self,
        planner: &Planner<'_>,
        plans: &[(usize, Plan)],
        outcomes: &mut [Option<Result<Made>>],
    ) {
        let met_one = |position: usize| matches!(&outcomes[position], Some(Err(error)) if error.kind() == ErrorKind::Conflict);
        let questions: Vec<(usize, Unit)> = plans
            .iter()
            .filter(|(position, _)| met_one(*position))
            .filter_map(|(position, plan)| match &plan.row {
                Row::Key(key) => Some((*position, planner.look_up(key)?)),
                Row::Id(_) => None,
            })
            .collect();
        for questions in questions.chunks(super::FIND_BATCH) {
            let units: Vec<&Unit> = questions.iter().map(|(_, unit)| unit).collect();
            let Ok(answer) = self.client.post_batch(&units, Effect::Reads).await else {
                return;
            };
            let replies = reply::read(reply::content_type(&answer), &answer.body);
            if replies.len() != questions.len() {
                return;
            }
            for ((position, _), reply) in questions.iter().zip(&replies) {
                if let Some(error) = self.rival(planner.table, reply) {
                    outcomes[*position] = Some(Err(error));
                }
            }
        }
    }

    fn rival(&self, table: &Table, reply: &Reply<'_>) -> Option<Error> {
        let Reply::One(part) = reply else { return None };
        if let Some(echo) = Echo::read(table, part) {
            let error = Error::new(ErrorKind::Conflict, "a row has this key already");
            return Some(error.with("row", echo.id));
        }
        let error = self.part_error(part, Effect::Reads, None);
        is_no_such_row(&error).then(|| {
            let message =
                "another row has the value of one of the table's keys: give one of them another value";
            Error::new(ErrorKind::Rejected, message)
        })
    }

    async fn send_all(
        &self,
        table: &Table,
        plans: &[(usize, Plan)],
        outcomes: &mut [Option<Result<Made>>],
    ) -> Result<()> {
        for (nth, chunk) in chunks(plans).into_iter().enumerate() {
            let units: Vec<&Unit> = chunk.iter().map(|(_, plan)| &plan.unit).collect();
            match self.client.post_batch(&units, Effect::Writes).await {
                Ok(answer) => {
                    for ((position, _), outcome) in chunk.iter().zip(self.outcomes(table, chunk, &answer)) {
                        outcomes[*position] = Some(outcome);
                    }
                }
                Err(error) if nth == 0 => return Err(error),
                Err(error) => {
                    for (position, _) in chunk {
                        outcomes[*position] = Some(Err(same(&error)));
                    }
                }
            }
        }
        Ok(())
    }

    fn outcomes(&self, table: &Table, chunk: &[(usize, Plan)], answer: &Answer) -> Vec<Result<Made>> {
        let replies = reply::read(reply::content_type(answer), &answer.body);
        let verdicts: Vec<Verdict<'_>> = replies.iter().map(|reply| Verdict::read(table, reply)).collect();
        let in_order = verdicts.len() <= chunk.len()
            && chunk
                .iter()
                .zip(&verdicts)
                .all(|((_, plan), verdict)| verdict.may_be_for(plan));
        let verdict = |(position, plan): (usize, &Plan)| match in_order {
            true => verdicts.get(position),
            false => verdicts
                .iter()
                .find(|verdict| verdict.echo.as_ref().is_some_and(|echo| echo.is(&plan.row))),
        };
        let plans = chunk.iter().map(|(_, plan)| plan).enumerate();
        plans
            .map(|(position, plan)| self.outcome(table, plan, verdict((position, plan))))
            .collect()
    }

    fn outcome(&self, table: &Table, plan: &Plan, verdict: Option<&Verdict<'_>>) -> Result<Made> {
        let Some(Verdict {
            part: Some(part),
            echo,
            ..
        }) = verdict
        else {
            return Err(unknown());
        };
        if part.status.is_success() {
            return pushed(plan, part, echo.as_ref()).ok_or_else(unknown);
        }
        let error = self.part_error(part, Effect::Writes, Some(table));
        match &plan.row {
            Row::Id(id) if plan.removes && is_no_such_row(&error) => Ok(Made {
                id: id.clone(),
                etag: None,
                active: false,
                gone: true,
            }),
            _ => Err(error),
        }
    }
}

/// What a reply says of the unit that it is for.
struct Verdict<'a> {
    /// The part that decides; none where a change set is not answered whole.
    part: Option<&'a Part<'a>>,
    parts: usize,
    is_set: bool,
    echo: Option<Echo>,
}

impl<'a> Verdict<'a> {
    fn read(table: &Table, reply: &'a Reply<'a>) -> Self {
        let (parts, is_set) = match reply {
            Reply::One(part) => (std::slice::from_ref(part), false),
            Reply::Together(parts) => (parts.as_slice(), true),
        };
        let echoes = || {
            parts
                .iter()
                .filter_map(|part| Some((part, Echo::read(table, part)?)))
        };
        let failed = parts.iter().find(|part| !part.status.is_success());
        let (part, echo) = match (failed, echoes().next_back()) {
            (Some(part), _) => (Some(part), None),
            (None, Some((part, echo))) => (Some(part), Some(echo)),
            (None, None) => (parts.last(), None),
        };
        Self {
            part,
            parts: parts.len(),
            is_set,
            echo,
        }
    }

    /// Says whether nothing speaks against the reply being for this plan.
    fn may_be_for(&self, plan: &Plan) -> bool {
        let failed = self.part.is_some_and(|part| !part.status.is_success());
        let form = match &plan.unit {
            Unit::One(_) => !self.is_set,
            Unit::Together(operations) => failed || (self.is_set && self.parts == operations.len()),
        };
        form && self.echo.as_ref().is_none_or(|echo| echo.is(&plan.row))
    }
}

/// The row as the answer to a write shows it.
struct Echo {
    id: Box<str>,
    key: Option<String>,
    etag: Option<Box<str>>,
    active: Option<bool>,
}

impl Echo {
    fn read(table: &Table, part: &Part<'_>) -> Option<Self> {
        let row: Map<String, Json> = wire::short(part.body).ok().filter(|_| part.status.is_success())?;
        let text = |name: &str| row.get(name).and_then(Json::as_str);
        let key = table.alternate_key.as_deref().and_then(|name| row.get(name));
        Some(Self {
            id: map::guid(text(&table.primary_key)?)?,
            key: key.and_then(|key| {
                key.as_str()
                    .map(str::to_owned)
                    .or_else(|| Some(key.as_i64()?.to_string()))
            }),
            etag: text("@odata.etag").map(Into::into),
            active: row
                .get("statecode")
                .and_then(Json::as_i64)
                .map(|state| state == 0),
        })
    }

    /// Keys are compared as the system does: without regard to case.
    fn is(&self, row: &Row) -> bool {
        match row {
            Row::Id(id) => self.id.eq_ignore_ascii_case(id),
            Row::Key(key) => self.key.as_ref().is_none_or(|own| own.eq_ignore_ascii_case(key)),
        }
    }
}

fn pushed(plan: &Plan, part: &Part<'_>, echo: Option<&Echo>) -> Option<Made> {
    if let Some(echo) = echo {
        let active = echo.active.unwrap_or(plan.active);
        return Some(Made {
            id: echo.id.clone(),
            etag: echo.etag.clone(),
            active,
            gone: false,
        });
    }
    let header = |name: &str| part.headers.get(name).and_then(|value| value.to_str().ok());
    let id = match &plan.row {
        Row::Id(id) => id.clone(),
        Row::Key(_) => map::guid_in_parentheses(header("odata-entityid")?)?,
    };
    Some(Made {
        id,
        etag: header(ETAG.as_str()).map(Into::into),
        active: plan.active,
        gone: plan.removes,
    })
}

/// Splits plans so that no batch has more operations than one takes.
fn chunks(plans: &[(usize, Plan)]) -> Vec<&[(usize, Plan)]> {
    let mut chunks = Vec::new();
    let (mut start, mut operations) = (0, 0);
    for (at, (_, plan)) in plans.iter().enumerate() {
        operations += plan.unit.operations();
        if operations > MOST_OPERATIONS {
            chunks.push(&plans[start..at]);
            (start, operations) = (at, plan.unit.operations());
        }
    }
    chunks.push(&plans[start..]);
    chunks.retain(|chunk| !chunk.is_empty());
    chunks
}

fn unknown() -> Error {
    Error::new(
        ErrorKind::Unknown,
        "the change was sent, and the answer does not say what became of it",
    )
}

/// Tells of one change what happened to the whole batch that it was in.
fn same(error: &Error) -> Error {
    Error::new(
        error.kind(),
        "the batch that the change was in was not carried out",
    )
}
