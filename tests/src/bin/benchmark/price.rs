//! What writes cost.

use shared::store::{Action, Write};

/// US dollars for a million write request units on demand in us-east-1; other regions differ.
///
/// Source: <https://aws.amazon.com/dynamodb/pricing/on-demand/>, the prices since November 2024.
pub(crate) const PER_MILLION_UNITS: f64 = 0.625;

/// The names of the attributes and the numbers that a row has beside its keys and its body.
const BESIDE: usize = 32;

/// Returns the units that a row costs which is written alone: one for each KiB, begun or whole.
///
/// Source: Amazon DynamoDB Developer Guide, "On-demand capacity mode".
pub(crate) fn units(partition: &str, sort: &str, body: &str) -> u64 {
    (partition.len() + sort.len() + body.len() + BESIDE).div_ceil(1024) as u64
}

/// Returns the units that writes cost which are made together: in a transaction each part counts twice.
pub(crate) fn of_writes(writes: &[Write]) -> u64 {
    let each = |write: &Write| match &write.action {
        Action::Put(content) => units(&write.key.partition, &write.key.sort, &content.body),
        Action::Delete | Action::Check => 1,
    };
    let together = writes.iter().map(each).sum();
    let alone = matches!(writes, [write] if write.action != Action::Check);
    if alone { together } else { 2 * together }
}
