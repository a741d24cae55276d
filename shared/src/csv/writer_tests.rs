//! What is written, and what is refused.

use serde_json::{Value, json};

use super::samples::{columns, profile, small, texts, write};
use super::{Cell, Limits, Profile, WriteError, Writer};

fn written(profile: &Profile, text: &str) -> Result<Vec<u8>, String> {
    let mut writer = Writer::new(profile, Vec::new()).unwrap();
    match writer.write(&[Cell::Text(text), Cell::Empty]) {
        Ok(()) => Ok(writer.finish().unwrap().0),
        Err(WriteError::Row(error)) => Err(error.to_string()),
        Err(error) => panic!("{error}"),
    }
}

fn bare(audience: &str) -> Value {
    json!({ "audience": audience, "header": false, "bom": false, "delimiter": ";" })
}

#[test]
fn texts_that_a_spreadsheet_takes_for_formulas_are_neutralised_for_people() {
    let people = small(bare("people"));
    for text in [
        "=1+1", "+47 22", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "\0=1", "＝1", "＋1", "－1", "＠a",
        "\"=1", "'=1", "'\"@",
    ] {
        let file = String::from_utf8(written(&people, text).unwrap()).unwrap();
        assert!(
            file.starts_with(['\'', '"']) && file.trim_start_matches('"').starts_with('\''),
            "{file:?}"
        );
        assert_eq!(texts(&people, file.as_bytes()), [Ok(text.to_owned())]);
    }
}

#[test]
fn nothing_is_slipped_into_what_a_machine_reads() {
    let (exact, careful) = (small(bare("machine")), {
        let mut dialect = bare("machine");
        dialect["refuseFormulas"] = true.into();
        small(dialect)
    });
    for text in ["=1+1", "-1", "@a", "＝1", "'=1"] {
        assert_eq!(written(&exact, text).unwrap(), format!("{text};\r\n").as_bytes());
        assert_eq!(
            written(&careful, text).unwrap_err(),
            "row 1: text must not begin as a formula does"
        );
        let file = format!("{text};\r\n");
        assert_eq!(
            texts(&careful, file.as_bytes())[0].as_ref().unwrap_err(),
            "row 1 (line 1): text must not begin as a formula does"
        );
    }
}

#[test]
fn a_negative_amount_stays_a_number_for_people_too() {
    let (file, totals) = write(
        &small(bare("people")),
        &[vec![
            Cell::Text("-1234,50"),
            Cell::Decimal("-1234.50".parse().unwrap()),
        ]],
    );
    assert_eq!(String::from_utf8(file).unwrap(), "'-1234,50;-1234,50\r\n");
    assert_eq!(totals.sums["amount"].to_string(), "-1234.50");
}

#[test]
fn an_amount_with_more_decimals_than_its_column_is_refused_and_never_rounded() {
    let profile = small(bare("people"));
    let mut writer = Writer::new(&profile, Vec::new()).unwrap();
    for (text, fits) in [
        ("0.005", false),
        ("1.10000", true),
        ("1000000000000", true),
        ("0.12345678901234567890", false),
        ("-0.00", true),
    ] {
        let row = [Cell::Empty, Cell::Decimal(text.parse().unwrap())];
        assert_eq!(writer.write(&row).is_ok(), fits, "{text}");
    }
    let (file, totals) = writer.finish().unwrap();
    assert_eq!(
        String::from_utf8(file).unwrap(),
        ";1,10\r\n;1000000000000,00\r\n;0,00\r\n"
    );
    assert_eq!(
        (
            totals.rows,
            totals.refused,
            totals.sums["amount"].to_string().as_str()
        ),
        (3, 0, "1000000000001.10")
    );
}

#[test]
fn a_sum_that_cannot_be_counted_exactly_ends_the_file() {
    let profile = small(bare("machine"));
    let most: rust_decimal::Decimal = "792281625142643375935439503.35".parse().unwrap();
    let mut writer = Writer::new(&profile, Vec::new()).unwrap();
    writer.write(&[Cell::Empty, Cell::Decimal(most)]).unwrap();
    assert!(
        matches!(writer.write(&[Cell::Empty, Cell::Decimal(most)]), Err(WriteError::Sum { column }) if column == "amount")
    );
    assert!(matches!(
        writer.write(&[Cell::Empty, Cell::Empty]),
        Err(WriteError::Broken)
    ));
    assert!(matches!(writer.finish(), Err(WriteError::Broken)));
}

#[test]
fn line_ends_quotes_and_delimiters_in_a_cell_come_back() {
    for (quoting, end) in [("necessary", "crlf"), ("necessary", "lf"), ("always", "crlf")] {
        let mut dialect = bare("machine");
        dialect["quoting"] = quoting.into();
        dialect["lineEnd"] = end.into();
        let profile = small(dialect);
        for text in [
            "a;b", "a\"b", "\"", "\"\"", "a\nb", "a\rb", "a\r\nb", "\r", "\n", ";", " a ", "a,b\tc|d",
        ] {
            let file = written(&profile, text).unwrap();
            assert_eq!(texts(&profile, &file), [Ok(text.to_owned())], "{text:?}");
        }
    }
}

#[test]
fn where_nothing_is_quoted_what_would_need_it_is_refused_and_not_replaced() {
    let mut dialect = bare("machine");
    dialect["quoting"] = "never".into();
    let profile = small(dialect.clone());
    for text in ["a;b", "a\"b", "a\nb", "a\rb"] {
        let reason = "row 1: text must hold no delimiter, quote or line end, as nothing is quoted";
        assert_eq!(written(&profile, text).unwrap_err(), reason);
    }
    assert_eq!(written(&profile, "a,b'c").unwrap(), b"a,b'c;\r\n");
    let alone = super::samples::profile(dialect, json!([{ "name": "text", "type": "text" }]));
    let mut writer = Writer::new(&alone, Vec::new()).unwrap();
    assert!(writer.write(&[Cell::Empty]).is_err(), "an empty line is no row");
}

#[test]
fn letters_that_the_encoding_lacks_are_refused() {
    for (encoding, text, fits) in [
        ("windows-1252", "Åse Bjørk-Ødegård €", true),
        ("windows-1252", "李", false),
        ("windows-1252", "\u{85}", false),
        ("iso-8859-1", "Åse Bjørk-Ødegård", true),
        ("iso-8859-1", "€", false),
        ("iso-8859-1", "\u{85}", false),
        ("utf-16le", "👩‍👩‍👧 \u{85}", true),
    ] {
        let profile = small(json!({ "audience": "machine", "encoding": encoding }));
        match written(&profile, text) {
            Ok(file) => assert!(fits && texts(&profile, &file) == [Ok(text.to_owned())]),
            Err(error) => {
                assert!(!fits && error == "row 1: text holds a letter that the encoding does not have")
            }
        }
    }
}

#[test]
fn a_row_that_is_refused_names_all_its_columns_holds_none_of_them_and_leaves_no_trace() {
    let strict = json!([
        { "name": "text", "header": "Tekst", "type": "text", "maxLength": 5, "required": true },
        { "name": "amount", "header": "Beløp", "type": "decimal", "scale": 2 },
        { "name": "kind", "header": "Type", "type": "choice", "words": ["a", "b"] },
        { "name": "day", "header": "Dato", "type": "date" }
    ]);
    let profile = profile(bare("people"), strict);
    let mut writer = Writer::new(&profile, Vec::new()).unwrap();
    let before_christ = Cell::Date(jiff::civil::date(-1, 1, 1));
    let refused = [
        Cell::Text("canary"),
        Cell::Text("canary"),
        Cell::Text("canary"),
        before_christ,
    ];
    let WriteError::Row(error) = writer.write(&refused).unwrap_err() else {
        panic!("the row alone is at fault");
    };
    let columns: Vec<&str> = error.faults.iter().map(|fault| fault.field.as_str()).collect();
    assert_eq!(columns, ["Tekst", "Beløp", "Type", "Dato"]);
    assert!(!format!("{error} {error:?}").contains("canary"));
    assert!(
        matches!(writer.write(&[Cell::Empty]), Err(WriteError::Row(error)) if error.faults[0].field == "row")
    );
    assert!(
        matches!(writer.write(&[Cell::Empty; 4]), Err(WriteError::Row(error)) if error.faults[0].reason == "is required")
    );
    writer
        .write(&[Cell::Text("a"), Cell::Empty, Cell::Text("b"), Cell::Empty])
        .unwrap();
    let (file, totals) = writer.finish().unwrap();
    assert_eq!((file.as_slice(), totals.rows), (b"a;;b;\r\n".as_slice(), 1));
}

#[test]
fn a_first_cell_that_looks_like_a_mark_is_refused_where_it_would_be_taken_for_one() {
    let text = "\u{feff}a";
    assert!(written(&small(bare("machine")), text).is_err());
    assert!(
        written(
            &small(json!({ "audience": "machine", "header": false, "encoding": "windows-1252" })),
            "ï»¿"
        )
        .is_err()
    );
    for dialect in [
        json!({ "audience": "machine", "header": false, "bom": true }),
        json!({ "audience": "machine", "header": false, "quoting": "always" }),
        json!({ "audience": "machine" }),
    ] {
        let profile = small(dialect);
        assert_eq!(
            texts(&profile, &written(&profile, text).unwrap()),
            [Ok(text.to_owned())]
        );
    }
}

#[test]
fn a_reader_with_the_same_limits_takes_every_row_that_is_written() {
    let profile = small(bare("machine"));
    let limits = Limits {
        cell_bytes: 10,
        row_bytes: 12,
        columns: 2,
    };
    let (short, full, long) = ("x".repeat(8), "x".repeat(10), "x".repeat(11));
    let mut writer = Writer::with_limits(&profile, limits, Vec::new()).unwrap();
    assert!(writer.write(&[Cell::Text(&long), Cell::Empty]).is_err());
    assert!(
        writer
            .write(&[Cell::Text(&full), Cell::Decimal(1.into())])
            .is_err()
    );
    writer
        .write(&[Cell::Text(&short), Cell::Decimal(1.into())])
        .unwrap();
    let (file, written) = writer.finish().unwrap();
    let mut reader = super::Reader::with_limits(&profile, limits, file.as_slice()).unwrap();
    assert!(reader.read().unwrap().unwrap().is_ok());
    assert!(reader.read().unwrap().is_none());
    assert_eq!(reader.finish().unwrap(), written);
}

#[test]
fn a_file_for_excel_is_byte_for_byte_what_it_opens() {
    let profile = profile(json!({ "audience": "people" }), columns());
    let row = vec![
        Cell::Text("Ærlig; \"talt\""),
        Cell::Decimal("1234567.5".parse().unwrap()),
        Cell::Integer(-3),
        Cell::Date(jiff::civil::date(2026, 2, 1)),
        Cell::Bool(true),
    ];
    let (file, totals) = write(&profile, &[row]);
    let expected =
        "\u{feff}Tekst;Beløp;Antall;Dato;Betalt\r\n\"Ærlig; \"\"talt\"\"\";1234567,50;-3;01.02.2026;Ja\r\n";
    assert_eq!(String::from_utf8(file).unwrap(), expected);
    assert_eq!(totals.bytes, expected.len() as u64);
}
