//! Profiles as people put them.

use serde_json::{Value, json};

use super::samples::{columns, dialects, profile, read, write};
use super::{Cell, Dialect, Profile};

fn faults(profile: &Value) -> Vec<String> {
    let faults = Profile::check(profile).unwrap_err();
    faults.into_iter().map(|fault| fault.field).collect()
}

#[test]
fn a_profile_reads_back_as_it_was_serialised() {
    for dialect in dialects() {
        let profile = profile(dialect, columns());
        let json = serde_json::to_value(&profile).unwrap();
        assert_eq!(Profile::check(&json).unwrap(), profile, "{json}");
    }
}

#[test]
fn an_audience_alone_is_a_whole_dialect() {
    let people = serde_json::to_value(Dialect::people()).unwrap();
    let expected = json!({
        "audience": "people", "delimiter": ";", "decimalMark": ",", "dateForm": "dd.MM.yyyy", "bom": true, "lineEnd": "crlf",
        "header": true, "quoting": "necessary", "encoding": "utf-8",
    });
    assert_eq!(people, expected);
    assert_eq!(
        profile(json!({ "audience": "people" }), columns()),
        profile(expected, columns())
    );
    let machine = serde_json::to_value(Dialect::machine()).unwrap();
    assert_eq!(
        profile(json!({ "audience": "machine" }), columns()),
        profile(machine, columns())
    );
}

#[test]
fn every_fault_of_a_profile_is_told_at_once_under_its_path() {
    let profile = json!({
        "dialect": {
            "audience": "people", "delimiter": "x", "decimalMark": "'", "dateForm": "dd/MM/yyyy", "bom": 1, "lineEnd": "cr",
            "header": "yes", "quoting": "some", "encoding": "latin1", "refuseFormulas": true, "colour": "red",
        },
        "columns": [
            { "name": "a b", "type": "text", "maxLength": 0 },
            { "name": "a", "header": "=a", "type": "decimal", "scale": 29 },
            { "name": "a", "header": " a", "type": "float" },
            { "name": "b", "type": "bool", "yes": "ja", "no": "ja" },
            { "name": "b", "header": "b", "type": "choice", "words": ["x", "x", "+", 1] },
            { "name": "c", "type": "choice", "words": [] },
            { "name": "d", "type": "text", "scale": 2, "header": "b" },
            "e"
        ],
        "limits": {}
    });
    let dialect = [
        "delimiter",
        "encoding",
        "decimalMark",
        "dateForm",
        "bom",
        "lineEnd",
        "header",
        "quoting",
        "refuseFormulas",
        "colour",
    ];
    let columns = [
        "0.name",
        "0.maxLength",
        "1.header",
        "1.scale",
        "2.header",
        "2.type",
        "3.no",
        "4.words",
        "4.words",
        "4.words",
        "4.name",
        "4.header",
        "5.words",
        "6.scale",
        "6.header",
        "7",
    ];
    let mut expected: Vec<String> = dialect.map(|name| format!("profile.dialect.{name}")).to_vec();
    expected.extend(columns.map(|name| format!("profile.columns.{name}")));
    expected.push("profile.limits".to_owned());
    let mut found = faults(&profile);
    found.sort();
    expected.sort();
    assert_eq!(found, expected);
}

#[test]
fn a_profile_must_have_a_dialect_and_columns() {
    assert_eq!(faults(&json!({})), ["profile.dialect", "profile.columns"]);
    assert_eq!(
        faults(&json!({ "dialect": {}, "columns": [] })),
        ["profile.dialect.audience", "profile.columns"]
    );
    assert_eq!(faults(&json!([])), ["profile"]);
}

#[test]
fn a_mark_is_only_for_encodings_that_have_one() {
    let marked = |encoding: &str, bom: bool| {
        let dialect = json!({ "audience": "people", "encoding": encoding, "bom": bom });
        Profile::check(&json!({ "dialect": dialect, "columns": columns() })).is_ok()
    };
    for encoding in ["utf-8", "utf-16le", "utf-16be"] {
        assert!(marked(encoding, true) && marked(encoding, false));
    }
    for encoding in ["iso-8859-1", "windows-1252"] {
        assert!(!marked(encoding, true) && marked(encoding, false));
    }
}

#[test]
fn words_that_a_file_could_not_carry_are_refused_with_the_profile() {
    let dialect = json!({ "audience": "machine", "quoting": "never", "encoding": "iso-8859-1", "refuseFormulas": true });
    for word in ["a,b", "a\"b", "€", "@a", " a", "a\n", ""] {
        let columns = json!([{ "name": "a", "header": word, "type": "text" }]);
        assert_eq!(
            faults(&json!({ "dialect": dialect, "columns": columns })),
            ["profile.columns.0.header"],
            "{word}"
        );
    }
    let comma = json!({ "audience": "machine", "quoting": "never", "decimalMark": "," });
    assert_eq!(
        faults(&json!({ "dialect": comma, "columns": columns() })),
        ["profile.dialect.decimalMark"]
    );
}

/// The header of an accounting import as public export scripts write it: 49 columns, of which some have no use.
const GL02: &str = "ImpSystem;ImpSystemRef;voucherType;VoucherNo;FiscalYear;PeriodNo;VoucherDate;account;\
    Account Ledger (Asset/BankAccount);posting1;Posting 2 (PRJ);XGL;SubledgerNo;SubledgerName;InvoiceDate;InvoiceNo;\
    Xidentifier/KID;DueDate;BankAccount;PaymentTerms;text;TaxRule;Currency;Currency Amount;amount;UpdateSubledger;\
    SubledgerGroup;CompanyNo;StreetAddressL1;StreetAddressL2;ZipCode;Place;State;Country;BillingStreetAddressL1;\
    BillingStreetAddressL2;BillingZipCode;BillingPlace;BillingState;BillingCountry;Phone;Email;YourRef;Dummy1;Dummy2;Dummy3;\
    Dummy4;Dummy5;EOL";

#[test]
fn the_file_of_an_accounting_import_is_a_profile() {
    let column = |(place, header): (usize, &str)| {
        let holds = match header {
            "VoucherDate" | "DueDate" => json!({ "type": "date" }),
            "amount" => json!({ "type": "decimal", "scale": 2, "required": true }),
            "EOL" => json!({ "type": "choice", "words": ["x"], "required": true }),
            _ => json!({ "type": "text", "maxLength": 25 }),
        };
        let mut column = json!({ "name": format!("c{place}"), "header": header });
        column
            .as_object_mut()
            .unwrap()
            .extend(holds.as_object().unwrap().clone());
        column
    };
    let columns: Vec<Value> = GL02.split(';').enumerate().map(column).collect();
    let dialect = json!({
        "audience": "machine", "delimiter": ";", "dateForm": "yyyyMMdd", "encoding": "windows-1252", "quoting": "never",
    });
    let profile = profile(dialect, columns.into());
    let mut row = vec![Cell::Empty; 49];
    row[6] = Cell::Date(jiff::civil::date(2026, 1, 31));
    row[20] = Cell::Text("=Møte");
    row[24] = Cell::Decimal("-1234.5".parse().unwrap());
    row[48] = Cell::Text("x");
    let (file, _) = write(&profile, &[row.clone()]);
    let mut expected = format!("{GL02}\r\n;;;;;;20260131;;;;;;;;;;;;;;=M").into_bytes();
    expected.extend_from_slice(b"\xF8te;;;;-1234.50;;;;;;;;;;;;;;;;;;;;;;;;x\r\n");
    assert_eq!(file, expected);
    let (rows, _) = read(&profile, &file, |cells| cells.len() == 49 && cells[..] == row[..]).unwrap();
    assert_eq!(rows, [Ok(true)]);
}
