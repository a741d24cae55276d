//! What the tables accept, checked before they are asked, so that every implementation refuses the same.

use std::collections::BTreeSet;

use super::{Action, Content, Expect, Key, MAX_WRITES, Query, StoreError, Table, Write};

/// The most bytes of a row, names of its attributes included.
const MAX_ROW: usize = 400 * 1024;
/// The most bytes of all rows of a transaction.
const MAX_TRANSACTION: usize = 4 * 1024 * 1024;
const MAX_PARTITION: usize = 2048;
const MAX_SORT: usize = 1024;
/// What a row's attributes weigh beside key and body: names, numbers and the attempt, at the most.
const OVERHEAD: usize = 160;

/// Why the tables would not accept a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unacceptable {
    #[error("a transaction has at most {MAX_WRITES} parts")]
    Parts,
    #[error("two parts of the transaction are about one row")]
    SameRow,
    #[error("a row has at most {MAX_ROW} bytes")]
    Row,
    #[error("the rows of a transaction have at most {MAX_TRANSACTION} bytes")]
    Transaction,
    #[error("a key is empty or too long")]
    Key,
    #[error("only rows of the control table can be due")]
    Due,
    #[error("a check without an expectation checks nothing")]
    Check,
    #[error("a list of no rows was asked for")]
    Limit,
}

impl From<Unacceptable> for StoreError {
    fn from(why: Unacceptable) -> Self {
        Self::Invalid(Box::new(why))
    }
}

/// Returns how many bytes a row counts for, a little more rather than less.
pub(super) const fn row_size(key: &Key, body: &str) -> usize {
    key.partition.len() + key.sort.len() + body.len() + OVERHEAD
}

pub(super) fn check_key(key: &Key) -> Result<(), Unacceptable> {
    let fits = |part: &str, most: usize| !part.is_empty() && part.len() <= most;
    let fits = fits(&key.partition, MAX_PARTITION) && fits(&key.sort, MAX_SORT);
    if fits { Ok(()) } else { Err(Unacceptable::Key) }
}

pub(super) fn check_query(query: &Query) -> Result<(), Unacceptable> {
    let longest = query
        .after
        .as_ref()
        .map_or(0, String::len)
        .max(query.prefix.len());
    if query.partition.is_empty() || query.partition.len() > MAX_PARTITION || longest > MAX_SORT {
        return Err(Unacceptable::Key);
    }
    if query.limit == 0 {
        Err(Unacceptable::Limit)
    } else {
        Ok(())
    }
}

pub(super) fn check_writes(writes: &[Write]) -> Result<(), Unacceptable> {
    if writes.len() > MAX_WRITES {
        return Err(Unacceptable::Parts);
    }
    let mut seen = BTreeSet::new();
    let mut total = 0;
    for write in writes {
        if !seen.insert(&write.key) {
            return Err(Unacceptable::SameRow);
        }
        total += check_write(write)?;
    }
    if total > MAX_TRANSACTION {
        Err(Unacceptable::Transaction)
    } else {
        Ok(())
    }
}

fn check_write(write: &Write) -> Result<usize, Unacceptable> {
    check_key(&write.key)?;
    match &write.action {
        Action::Put(content) => check_content(&write.key, content),
        Action::Check if write.expect == Expect::Anything => Err(Unacceptable::Check),
        Action::Check | Action::Delete => Ok(0),
    }
}

fn check_content(key: &Key, content: &Content) -> Result<usize, Unacceptable> {
    let size = row_size(key, &content.body);
    match key.table {
        Table::Records | Table::Registry if content.due.is_some() => Err(Unacceptable::Due),
        _ if size > MAX_ROW => Err(Unacceptable::Row),
        _ => Ok(size),
    }
}
