//! Headers as people leave them.

use serde_json::json;

use super::samples::{profile, small};
use super::{Cell, Profile, ReadError, Reader, Warning};

fn plain() -> Profile {
    small(json!({ "audience": "machine" }))
}

fn header_faults(profile: &Profile, header: &str) -> Vec<(String, String)> {
    match Reader::new(profile, header.as_bytes()).unwrap_err() {
        ReadError::Header(faults) => faults
            .into_iter()
            .map(|fault| (fault.field, fault.reason))
            .collect(),
        error => panic!("{error}"),
    }
}

#[test]
fn columns_are_found_by_their_header_wherever_they_stand() {
    for (file, extra) in [
        ("text,amount\nx,2.00\n", vec![]),
        ("amount,text\n2.00,x\n", vec![]),
        (" amount\u{a0},\ttext \n2.00,x\n", vec![]),
        ("AMOUNT,Text\n2.00,x\n", vec![]),
        ("text,TEXT,amount\nx,y,2.00\n", vec![2]),
        ("text,note,amount,,\nx,y,2.00,,\n", vec![2]),
        ("text,amount,,\nx,2.00\n", vec![]),
        ("text,amount\nx,2.00,,,\n", vec![]),
        ("\r\n\r\ntext,amount\r\n\r\nx,2.00", vec![]),
        ("text,amount\rx,2.00\r", vec![]),
    ] {
        let mut reader = Reader::new(&plain(), file.as_bytes()).unwrap();
        let expected: Vec<Warning> = extra
            .into_iter()
            .map(|place| Warning::ExtraColumn { place })
            .collect();
        assert_eq!(reader.warnings().collect::<Vec<_>>(), expected, "{file}");
        let row = reader.read().unwrap().unwrap().unwrap();
        assert_eq!(
            (row.get("text"), row.number()),
            (Some(Cell::Text("x")), 1),
            "{file}"
        );
        assert_eq!(row.get("amount"), Some(Cell::Decimal(2.into())), "{file}");
        assert!(reader.read().unwrap().is_none());
        assert_eq!(reader.finish().unwrap().rows, 1);
    }
}

#[test]
fn a_header_in_another_unicode_composition_is_the_same() {
    let profile = profile(
        json!({ "audience": "machine" }),
        json!([{ "name": "year", "header": "År", "type": "integer" }]),
    );
    let mut reader = Reader::new(&profile, "A\u{30a}r\n2026\n".as_bytes()).unwrap();
    assert_eq!(
        reader.read().unwrap().unwrap().unwrap().get("year"),
        Some(Cell::Integer(2026))
    );
}

#[test]
fn all_that_is_wrong_with_a_header_is_told_at_once_and_none_of_its_own_words() {
    let columns = json!([
        { "name": "a", "type": "text", "required": true },
        { "name": "b", "header": "Beløp", "type": "text", "required": true },
        { "name": "c", "type": "text", "required": true },
        { "name": "d", "type": "text", "required": true },
        { "name": "e", "type": "text" }
    ]);
    let profile = profile(json!({ "audience": "machine" }), columns);
    let found = header_faults(&profile, "a,canary,D,d,a,canary,d,\n");
    let expected = [
        ("a", "has the same header as column 1"),
        ("column 6", "has the same header as column 2"),
        ("d", "has the same header as column 4"),
        ("Beløp", "is missing"),
        ("c", "is missing"),
    ];
    assert_eq!(
        found,
        expected.map(|(field, reason)| (field.to_owned(), reason.to_owned()))
    );
    let found = header_faults(&profile, "A,beløp,c,C,d,D,BELØP\n");
    let expected = [(
        "Beløp".to_owned(),
        "stands in other cases, and it is not clear which one is meant".to_owned(),
    )];
    assert_eq!(found, expected);
}

#[test]
fn a_file_without_its_header_tells_nothing_of_its_first_row() {
    let error = Reader::new(&plain_required(), "canary,canary,1\n".as_bytes()).unwrap_err();
    assert!(!format!("{error} {error:?}").contains("canary"));
}

fn plain_required() -> Profile {
    profile(
        json!({ "audience": "machine" }),
        json!([{ "name": "text", "type": "text", "required": true }]),
    )
}
