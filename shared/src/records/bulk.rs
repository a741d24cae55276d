//! Many records in one go: each line for itself, in the order in which they came.
//!
//! Lines are taken in waves of a few transactions that run at once. A wave ends before a record that it holds already,
//! so that the later line has the last word; no more than a wave is ever held.

use std::collections::{BTreeSet, HashSet};
use std::num::NonZeroUsize;
use std::sync::Arc;

use futures::stream::{self, Stream, StreamExt};

use super::put::{Found, Plan, Put, PutError, PutOutcome, Wish, put, require, write};
use crate::flow::Ports;
use crate::integration::Precondition;
use crate::model::{FieldError, FieldType, Kind, OrganizationId, RecordId, System};
use crate::store::{Action, MAX_WRITES, StoreError, Write};

/// How many transactions are under way at once.
const AT_ONCE: usize = 4;

/// How often a batch is tried before its lines are taken one by one.
const TRIES: usize = 3;

/// One line, as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Its number, from 1.
    pub number: usize,
    /// What it wishes for, or everything that is wrong with it.
    pub wish: Result<Wish, Vec<FieldError>>,
}

/// What became of one line.
#[derive(Debug)]
pub struct LineResult {
    /// Its number, from 1.
    pub number: usize,
    /// The record, where the line named one.
    pub id: Option<RecordId>,
    /// What became of it: what was done and the record's version, or why nothing was.
    pub outcome: Result<(PutOutcome, u64), PutError>,
}

/// Has records say what the lines wish for, and tells what became of each; one that fails leaves the others as they are.
pub fn bulk(
    ports: Ports,
    organization: OrganizationId,
    kind: Kind,
    lines: impl Iterator<Item = Line> + Send + 'static,
) -> impl Stream<Item = LineResult> + Send + 'static {
    let waves = Waves {
        lines,
        held: None,
        most: batch_size(kind).get() * AT_ONCE,
    };
    let place = Arc::new((ports, organization));
    stream::iter(waves)
        .then(move |wave| {
            let place = Arc::clone(&place);
            async move { work(&place.0, &place.1, kind, wave).await }
        })
        .flat_map(stream::iter)
}

/// Returns how many records of a kind fit into one transaction, with all that goes with each.
fn batch_size(kind: Kind) -> NonZeroUsize {
    let is_reference = |holds: FieldType| matches!(holds, FieldType::Reference(_));
    let references = kind
        .fields()
        .iter()
        .filter(|field| is_reference(field.holds))
        .count();
    NonZeroUsize::new(MAX_WRITES / (1 + System::ALL.len() + references)).unwrap_or(NonZeroUsize::MIN)
}

/// Lines, a wave at a time; no wave has a record twice.
struct Waves<I> {
    lines: I,
    held: Option<Line>,
    most: usize,
}

impl<I: Iterator<Item = Line>> Iterator for Waves<I> {
    type Item = Vec<Line>;

    fn next(&mut self) -> Option<Vec<Line>> {
        let mut wave = Vec::new();
        let mut ids = HashSet::new();
        while wave.len() < self.most {
            let Some(line) = self.held.take().or_else(|| self.lines.next()) else {
                break;
            };
            if line.wish.as_ref().is_ok_and(|wish| !ids.insert(wish.id.clone())) {
                self.held = Some(line);
                break;
            }
            wave.push(line);
        }
        (!wave.is_empty()).then_some(wave)
    }
}

async fn work(ports: &Ports, organization: &OrganizationId, kind: Kind, wave: Vec<Line>) -> Vec<LineResult> {
    let mut results = Vec::with_capacity(wave.len());
    let mut wishes = Vec::with_capacity(wave.len());
    for Line { number, wish } in wave {
        match wish.map_err(PutError::Invalid) {
            Ok(wish) => wishes.push((number, wish)),
            Err(error) => results.push(LineResult {
                number,
                id: None,
                outcome: Err(error),
            }),
        }
    }
    let batches: Vec<Vec<_>> = wishes.chunks(batch_size(kind).get()).map(<[_]>::to_vec).collect();
    let worked = stream::iter(batches).map(|batch| put_batch(ports, organization, batch));
    results.extend(
        worked
            .buffer_unordered(AT_ONCE)
            .collect::<Vec<_>>()
            .await
            .into_iter()
            .flatten(),
    );
    results.sort_unstable_by_key(|result| result.number);
    results
}

async fn put_batch(
    ports: &Ports,
    organization: &OrganizationId,
    batch: Vec<(usize, Wish)>,
) -> Vec<LineResult> {
    for _ in 0..TRIES {
        match try_batch(ports, organization, &batch).await {
            Err(StoreError::Refused { .. }) => {}
            Ok(results) => return results,
            // What a transaction could not do as a whole, its lines may still do, or say so for themselves.
            Err(_) => break,
        }
    }
    let singles = stream::iter(batch).map(|(number, wish)| async move {
        let put = put(ports, organization, &wish, Precondition::None).await;
        result(number, wish.id, put)
    });
    singles.buffered(AT_ONCE).collect().await
}

async fn try_batch(
    ports: &Ports,
    organization: &OrganizationId,
    batch: &[(usize, Wish)],
) -> Result<Vec<LineResult>, StoreError> {
    let wishes: Vec<_> = batch.iter().map(|(_, wish)| wish.clone()).collect();
    let found = Found::read(&*ports.store, organization, &wishes).await?;
    let mut writes = Vec::new();
    let mut results = Vec::with_capacity(batch.len());
    for (number, wish) in batch {
        let plan =
            require(&wish.fields).and_then(|()| found.plan(ports, organization, wish, Precondition::None));
        let put = plan.map(|Plan { put, writes: more }| {
            writes.extend(more);
            put
        });
        results.push(result(*number, wish.id.clone(), put));
    }
    write(&*ports.store, without_repeated_checks(writes)).await?;
    Ok(results)
}

/// Many records may refer to one; a transaction names a row once.
fn without_repeated_checks(writes: Vec<Write>) -> Vec<Write> {
    let mut seen = BTreeSet::new();
    let is_new = |write: &Write| write.action != Action::Check || seen.insert(write.key.clone());
    let mut writes = writes;
    writes.retain(is_new);
    writes
}

fn result(number: usize, id: RecordId, put: Result<Put, PutError>) -> LineResult {
    let outcome = put.map(|put| (put.outcome, put.stored.version));
    LineResult {
        number,
        id: Some(id),
        outcome,
    }
}
