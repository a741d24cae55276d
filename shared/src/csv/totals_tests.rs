//! Files that are whole, cut, turned or not the ones that were meant.

use std::collections::HashSet;

use jiff::civil::date;
use serde_json::json;

use super::samples::{columns, profile, read, small, write};
use super::{Cell, ExpectedTotals, Profile, Reader};
use crate::model::FieldError;

fn plain() -> Profile {
    small(json!({ "audience": "machine" }))
}

#[test]
fn a_file_that_was_cut_short_does_not_come_to_what_was_sent() {
    let profile = profile(json!({ "audience": "people" }), columns());
    let row = |count: i64| {
        let amount = Cell::Decimal(rust_decimal::Decimal::new(-count, 2));
        vec![
            Cell::Text("a;b"),
            amount,
            Cell::Integer(count),
            Cell::Date(date(2026, 1, 1)),
            Cell::Bool(false),
        ]
    };
    let (file, written) = write(&profile, &(1..50).map(row).collect::<Vec<_>>());
    let expected = ExpectedTotals::from(&written);
    let (_, whole) = read(&profile, &file, |_| ()).unwrap();
    assert_eq!(whole.check(&expected), Ok(()));
    assert_eq!(whole, written);
    for length in 0..file.len() {
        let found = match read(&profile, &file[..length], |_| ()) {
            Ok((_, totals)) => totals.check(&expected).is_err(),
            Err(_) => true,
        };
        assert!(found, "cut at {length}");
    }
}

#[test]
fn the_same_rows_in_another_order_have_the_same_totals_and_fingerprints_but_not_the_same_checksum() {
    let profile = plain();
    let look = |file: &str| {
        let mut reader = Reader::new(&profile, file.as_bytes()).unwrap();
        let mut prints = Vec::new();
        while let Some(row) = reader.read().unwrap() {
            prints.push(row.unwrap().fingerprint());
        }
        (prints, reader.finish().unwrap())
    };
    let (first, totals) = look("text,amount\nx,1.00\ny,2.50\n");
    let (again, same) = look("text,amount\nx,1.00\ny,2.50\n");
    let (turned, other) = look("amount,text\n2.5,y\n1,x\n");
    assert_eq!((&first, &totals), (&again, &same));
    assert_eq!(turned, [first[1], first[0]]);
    assert_eq!((other.rows, &other.sums), (totals.rows, &totals.sums));
    assert_ne!(other.sha256, totals.sha256);
    let (split, _) = look("text,amount\nx1,\nx,1\n,1\n,\n");
    let kinds: HashSet<u128> = split.iter().copied().collect();
    assert_eq!(
        (kinds.len(), split[1]),
        (4, first[0]),
        "where one cell ends makes a difference"
    );
}

#[test]
fn expected_totals_are_read_from_a_side_file_and_name_what_differs() {
    let (_, totals) = read(&plain(), b"text,amount\nx,1.00\ny,bad\n", |_| ()).unwrap();
    assert_eq!(
        (
            totals.rows,
            totals.refused,
            totals.sums["amount"].to_string().as_str()
        ),
        (2, 1, "1.00")
    );
    let json = serde_json::to_value(&totals).unwrap();
    assert_eq!(totals.check(&ExpectedTotals::read(&json).unwrap()), Ok(()));
    assert_eq!(totals.check(&ExpectedTotals::default()), Ok(()));
    let other =
        json!({ "rows": 3, "bytes": 1, "sha256": "0".repeat(64), "sums": { "amount": "1.01", "vat": "0" } });
    let faults = totals.check(&ExpectedTotals::read(&other).unwrap()).unwrap_err();
    let fields: Vec<&str> = faults.iter().map(|fault| fault.field.as_str()).collect();
    assert_eq!(
        fields,
        [
            "totals.rows",
            "totals.bytes",
            "totals.sha256",
            "totals.sums.amount",
            "totals.sums.vat"
        ]
    );
    let wrong = json!({ "rows": -1, "sha256": "x", "sums": { "amount": 1.5 }, "more": 1 });
    let faults: Vec<FieldError> = ExpectedTotals::read(&wrong).unwrap_err();
    let fields: Vec<&str> = faults.iter().map(|fault| fault.field.as_str()).collect();
    assert_eq!(
        fields,
        [
            "totals.rows",
            "totals.sha256",
            "totals.sums.amount",
            "totals.more"
        ]
    );
}
