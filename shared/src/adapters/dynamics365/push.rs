//! Making changes, and knowing of each what became of it.

use http::header::{CONTENT_TYPE, ETAG};
use serde_json::{Map, Value as Json};

use super::adapter::Dynamics365;
use super::batch::{MOST_OPERATIONS, Unit};
use super::error::{Effect, is_no_such_row, is_read_only};
use super::map;
use super::plan::{Plan, Planner, Row, Step};
use super::reply::{self, Part, Reply};
use super::table::Table;
use super::wire;
use crate::adapter::{Change, Error, ErrorKind, Outcome, Pushed, Result};
use crate::http::Answer;

impl Dynamics365 {
    pub(super) async fn push_changes(&self, table: &Table, changes: &[Change]) -> Result<Vec<Outcome>> {
        let planner = Planner {
            table,
            tag: self.settings.tag.as_deref(),
            root: self.client.root.path(),
        };
        let mut outcomes: Vec<Option<Outcome>> = Vec::with_capacity(changes.len());
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
        self.carry_out(table, &mut plans, &mut outcomes).await?;
        let unanswered = |outcome: Option<Outcome>| outcome.unwrap_or_else(|| Err(unknown()));
        Ok(outcomes.into_iter().map(unanswered).collect())
    }

    /// Sends the plans, and those again that meet a row which must be brought back into use first.
    async fn carry_out(
        &self,
        table: &Table,
        plans: &mut Vec<(usize, Plan)>,
        outcomes: &mut [Option<Outcome>],
    ) -> Result<()> {
        self.send_all(table, plans, outcomes).await?;
        plans.retain_mut(|(position, plan)| {
            let met_one = matches!(&outcomes[*position], Some(Err(error)) if is_read_only(error));
            let revival = plan.revival.take().filter(|_| met_one);
            revival.is_some_and(|unit| {
                plan.unit = unit;
                true
            })
        });
        // What was done stays known, whatever becomes of these.
        drop(self.send_all(table, plans, outcomes).await);
        Ok(())
    }

    async fn send_all(
        &self,
        table: &Table,
        plans: &[(usize, Plan)],
        outcomes: &mut [Option<Outcome>],
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

    fn outcomes(&self, table: &Table, chunk: &[(usize, Plan)], answer: &Answer) -> Vec<Outcome> {
        let content_type = answer
            .headers
            .get(CONTENT_TYPE)
            .and_then(|value| value.to_str().ok());
        let replies = reply::read(content_type.unwrap_or_default(), &answer.body);
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

    fn outcome(&self, table: &Table, plan: &Plan, verdict: Option<&Verdict<'_>>) -> Outcome {
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
            Row::Id(id) if plan.absent_is_done && is_no_such_row(&error) => Ok(Pushed {
                id: id.clone(),
                etag: None,
                active: false,
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

fn pushed(plan: &Plan, part: &Part<'_>, echo: Option<&Echo>) -> Option<Pushed> {
    if let Some(echo) = echo {
        let active = echo.active.unwrap_or(plan.active);
        return Some(Pushed {
            id: echo.id.clone(),
            etag: echo.etag.clone(),
            active,
        });
    }
    let header = |name: &str| part.headers.get(name).and_then(|value| value.to_str().ok());
    let id = match &plan.row {
        Row::Id(id) => id.clone(),
        Row::Key(_) => map::guid_in_parentheses(header("odata-entityid")?)?,
    };
    Some(Pushed {
        id,
        etag: header(ETAG.as_str()).map(Into::into),
        active: plan.active,
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
