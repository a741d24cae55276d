//! What is written as a file reads back, or is not written.

use std::collections::BTreeSet;

use rust_decimal::Decimal;
use serde_json::{Map, Value, json};

use super::columns::Holds;
use super::{FileProfile, Rendered, render};
use crate::adapters::xledger::vouchers::{Kind, voucher};
use crate::csv::{Cell, Reader, Row};
use crate::export::{Dimension, Reference, Voucher};
use crate::seed::Seed;

/// What Windows-1252 has, without what would need quotes.
const LETTERS: &str = "abcæøåÆØÅ <>&'é€-=+@#01239.,/\\\u{a0}";

const KIND: Kind = Kind {
    letters: LETTERS,
    dimensions: &[Dimension::GlObject1, Dimension::Project],
    details: true,
};

fn vouchers(dice: &mut fastrand::Rng, kind: &Kind, count: usize) -> Vec<Voucher> {
    (0..count).map(|_| voucher(dice, kind)).collect()
}

/// Reads a file as vouchers.
fn parsed(file: &Rendered, profile: &FileProfile) -> Vec<Voucher> {
    let mut reader = Reader::new(&profile.profile, file.bytes.as_slice()).unwrap();
    let mut vouchers: Vec<Value> = Vec::new();
    let mut last = None;
    while let Some(row) = reader.read().unwrap() {
        let row = row.unwrap();
        let number = cell(&row, profile, Holds::Number).integer();
        if number != last {
            vouchers.push(head(&row, profile));
            last = number;
        }
        let voucher = vouchers.last_mut().unwrap();
        voucher["lines"].as_array_mut().unwrap().push(line(&row, profile));
    }
    assert_eq!(reader.finish().unwrap(), file.totals);
    let vouchers = vouchers.into_iter();
    vouchers
        .map(|voucher| serde_json::from_value(voucher).unwrap())
        .collect()
}

fn cell<'a>(row: &Row<'a>, profile: &FileProfile, holds: Holds) -> Cell<'a> {
    let at = profile.holds.iter().position(|held| *held == holds);
    at.map_or(Cell::Empty, |at| row.cells()[at])
}

fn text(row: &Row<'_>, profile: &FileProfile, holds: Holds) -> Option<String> {
    let text = cell(row, profile, holds).text().unwrap();
    (!text.is_empty()).then(|| text.to_owned())
}

fn head(row: &Row<'_>, profile: &FileProfile) -> Value {
    let reference: Reference = text(row, profile, Holds::Reference).unwrap().parse().unwrap();
    let date = cell(row, profile, Holds::Date).date().unwrap();
    let year = cell(row, profile, Holds::FiscalYear).integer();
    assert_eq!(year, Some(date.year().into()));
    let entity = text(row, profile, Holds::Entity).unwrap_or_else(|| "23001".to_owned());
    json!({
        "reference": reference, "number": reference.number(0), "entity": entity,
        "voucherType": text(row, profile, Holds::VoucherType), "date": date, "lines": [],
    })
}

fn line(row: &Row<'_>, profile: &FileProfile) -> Value {
    let dimensions: Map<String, Value> = Dimension::ALL
        .into_iter()
        .filter_map(|dimension| {
            let code = text(row, profile, Holds::Dimension(dimension))?;
            Some((dimension.as_str().to_owned(), code.into()))
        })
        .collect();
    let amount = cell(row, profile, Holds::Amount).decimal().unwrap();
    assert_eq!(cell(row, profile, Holds::CurrencyAmount).decimal(), Some(amount));
    json!({
        "account": text(row, profile, Holds::Account), "text": text(row, profile, Holds::Text),
        "amount": format!("{amount} {}", text(row, profile, Holds::Currency).unwrap()), "dimensions": dimensions,
        "taxRule": text(row, profile, Holds::TaxRule), "subledger": text(row, profile, Holds::Subledger),
        "invoiceDate": cell(row, profile, Holds::InvoiceDate).date(),
    })
}

fn fingerprints(vouchers: &[Voucher]) -> Vec<String> {
    vouchers.iter().map(Voucher::fingerprint).collect()
}

#[test]
fn vouchers_read_back_from_every_kind_of_file() {
    let seed = Seed::new();
    let mut dice = fastrand::Rng::with_seed(seed.0);
    let posting =
        |number: u8| json!({ "header": format!("Posting {number}"), "holds": format!("glObject{number}") });
    let all = json!({
        "columns": [
            "amount", "Currency Amount", "Currency", "text", "ImpSystemRef", "voucherType", "VoucherNo", "FiscalYear",
            "VoucherDate", "account", "posting1", posting(2), posting(3), posting(4), posting(5), "Posting 2 (PRJ)",
            "SubledgerNo", "InvoiceDate", "TaxRule", "Entity", { "header": "Ext", "holds": "lineReference" },
        ],
        "delimiter": ",", "decimalMark": ",", "quoting": "necessary", "dateForm": "dd.MM.yyyy",
    });
    let profiles = [
        (json!({}), KIND),
        (json!({ "layout": "gl02", "header": false }), KIND),
        (
            json!({ "encoding": "windows-1252", "lineEnd": "lf", "decimalMark": ",", "delimiter": "tab" }),
            KIND,
        ),
        (
            all,
            Kind {
                letters: "abc;\"æ,😀",
                dimensions: &Dimension::ALL,
                details: true,
            },
        ),
    ];
    for (profile, kind) in profiles {
        let profile = FileProfile::check(&profile).unwrap();
        for _ in 0..100 {
            let written = vouchers(&mut dice, &kind, 10);
            let file = render(&written, &profile).unwrap();
            assert_eq!(fingerprints(&parsed(&file, &profile)), fingerprints(&written));
            assert_eq!(file, render(&written, &profile).unwrap(), "it is always the same");
        }
    }
}

#[test]
fn a_file_says_what_it_comes_to() {
    let mut dice = fastrand::Rng::with_seed(7);
    let written = vouchers(&mut dice, &KIND, 20);
    let file = render(&written, &FileProfile::default()).unwrap();
    let lines = written.iter().flat_map(Voucher::lines);
    assert_eq!(file.totals.rows as usize, lines.clone().count());
    assert_eq!(file.totals.bytes as usize, file.bytes.len());
    assert_eq!(file.totals.sha256.len(), 64);
    assert!(file.totals.sums.values().all(Decimal::is_zero));
    assert_eq!(file.debit, file.credit);
    let debit: i64 = lines
        .map(|line| line.amount.amount().replace('.', "").parse::<i64>().unwrap())
        .filter(|minor| *minor > 0)
        .sum();
    assert_eq!(file.debit.amount().replace('.', "").parse(), Ok(debit));
    let shown = format!("{file:?}");
    assert!(!shown.contains("23001") && shown.contains("sha256"), "{shown}");
}

#[test]
fn every_voucher_of_a_file_has_a_number_of_eight_digits_of_its_own() {
    let mut dice = fastrand::Rng::with_seed(8);
    let mut written = vouchers(&mut dice, &KIND, 500);
    // One whose last eight digits are those of another.
    let number = u32::from(written[0].number());
    let other = if number > 100_000_000 {
        number - 99_999_999
    } else {
        number + 99_999_999
    };
    let clashing = written.pop().unwrap().numbered(other.try_into().unwrap());
    written.push(clashing);
    let file = render(&written, &FileProfile::default()).unwrap();
    let numbers: BTreeSet<u32> = file.numbers.values().copied().collect();
    assert_eq!(numbers.len(), 500);
    assert!(numbers.iter().all(|number| (1..=99_999_999).contains(number)));
    let first = file.numbers[written[0].reference()];
    assert_eq!(first, (number - 1) % 99_999_999 + 1);
}

fn sample() -> Value {
    json!({
        "reference": "RE-5ZPX21XKG8XK1RB1RZ-0", "number": 1_609_264_912, "entity": "23001", "voucherType": "GL",
        "date": "2026-02-17", "lines": [
            {
                "account": "7140", "amount": "101.00 NOK", "text": "Reise æøå", "taxRule": "11",
                "dimensions": { "glObject1": "200", "project": "P10" }, "invoiceDate": "2026-02-14",
            },
            { "account": "2910", "amount": "-101.00 NOK", "text": "4711", "subledger": "50012" },
        ],
    })
}

fn refused(voucher: Value, profile: Value) -> Vec<String> {
    let vouchers = [serde_json::from_value(voucher).unwrap()];
    let faults = render(&vouchers, &FileProfile::check(&profile).unwrap()).unwrap_err();
    faults.into_iter().map(|fault| fault.to_string()).collect()
}

#[test]
fn a_row_is_what_an_import_definition_expects() {
    let file = render(
        &[serde_json::from_value(sample()).unwrap()],
        &FileProfile::default(),
    )
    .unwrap();
    let text = String::from_utf8(file.bytes).unwrap();
    let rows: Vec<&str> = text.split("\r\n").collect();
    assert!(
        rows[0].starts_with("ImpSystem;ImpSystemRef;Entity;voucherType;VoucherNo;"),
        "{text}"
    );
    let first = "GL02b;RE-5ZPX21XKG8XK1RB1RZ-0;23001;GL;9264928;2026;;20260217;7140;;200;P10;;;;20260214;;;;;;Reise æøå;11;\
                 NOK;101.00;101.00;;;;;;;;;;;;;;;;;;;;;;;;x";
    assert_eq!(rows[1], first);
    assert!(rows[2].contains(";2910;;;;;50012;"), "{}", rows[2]);
    assert!(rows[2].contains(";NOK;-101.00;-101.00;"), "{}", rows[2]);
    assert_eq!(rows[3], "");
}

#[test]
fn what_a_file_cannot_carry_is_told_all_at_once_and_nothing_of_what_it_is() {
    let mut voucher = sample();
    voucher["lines"][0]["text"] = json!("secret;text");
    voucher["lines"][1]["text"] = json!("secret\ttext");
    voucher["voucherType"] = json!("JOURNALSX");
    let told = refused(voucher, json!({}));
    let begins: Vec<bool> = [
        "RE-5ZPX21XKG8XK1RB1RZ-0.lines[0].voucherType",
        "RE-5ZPX21XKG8XK1RB1RZ-0.lines[0].text",
        "RE-5ZPX21XKG8XK1RB1RZ-0.lines[1].text",
    ]
    .iter()
    .map(|place| told.iter().any(|fault| fault.starts_with(place)))
    .collect();
    assert_eq!(begins, [true; 3], "{told:?}");
    assert!(!format!("{told:?}").contains("secret"));
    let mut formula = sample();
    formula["lines"][0]["text"] = json!("=1+1");
    assert_eq!(refused(formula.clone(), json!({})).len(), 1);
    let vouchers = [serde_json::from_value(formula).unwrap()];
    let carried = FileProfile::check(&json!({ "refuseFormulas": false })).unwrap();
    assert!(render(&vouchers, &carried).is_ok());
    let mut letter = sample();
    letter["lines"][0]["text"] = json!("😀");
    assert_eq!(refused(letter, json!({ "encoding": "windows-1252" })).len(), 1);
}

#[test]
fn a_line_is_not_booked_without_what_the_file_has_no_column_for() {
    let columns = json!({ "columns": ["VoucherNo", "VoucherDate", "account", "amount", "ImpSystemRef"] });
    let told = refused(sample(), columns).join("\n");
    for lost in [
        "lines[0].taxRule",
        "lines[0].glObject1",
        "lines[0].project",
        "lines[1].subledger",
    ] {
        assert!(told.contains(lost), "{told}");
    }
}

#[test]
fn a_batch_is_refused_that_is_empty_or_in_two_currencies_or_has_a_voucher_twice() {
    let profile = FileProfile::default();
    assert_eq!(render(&[], &profile).unwrap_err()[0].field, "vouchers");
    let voucher: Voucher = serde_json::from_value(sample()).unwrap();
    let faults = render(&[voucher.clone(), voucher.clone()], &profile).unwrap_err();
    assert_eq!(faults[0].field, "RE-5ZPX21XKG8XK1RB1RZ-0.reference");
    let mut foreign = sample();
    foreign["lines"][0]["amount"] = json!("101.00 EUR");
    foreign["lines"][1]["amount"] = json!("-101.00 EUR");
    assert!(refused(foreign, json!({}))[0].contains("must be NOK"));
    let mut elsewhere = sample();
    elsewhere["entity"] = json!("23002");
    elsewhere["reference"] = json!("RE-5ZPX21XKG8XK1RB1RZ-1");
    let two = [voucher, serde_json::from_value(elsewhere).unwrap()];
    assert!(render(&two, &profile).is_ok());
    let gl02 = FileProfile::check(&json!({ "layout": "gl02" })).unwrap();
    assert_eq!(
        render(&two, &gl02).unwrap_err()[0].field,
        "RE-5ZPX21XKG8XK1RB1RZ-1.entity"
    );
}
