//! What is written as `GL02XML` reads back, or is not written.

use jiff::civil::Date;
use serde_json::{Map, Value, json};

use super::gl02xml::{Elements, More, Unfit, file_name, render};
use super::vouchers::{Kind, voucher};
use super::xml::{Element, read};
use crate::export::{Dimension, Reference, Voucher};
use crate::model::Currency;
use crate::seed::Seed;
use crate::settings::{Faults, Section};

const LETTERS: &str = "abcæøåÆØÅ <>&\"';]]>é€😀\u{301}-=+@#&amp;01239.,/\\\u{a0}";

fn nok() -> Currency {
    Currency::try_from("NOK".to_owned()).unwrap()
}

fn elements(json: &Value) -> Elements {
    let faults = Faults::default();
    let elements = Elements::read(&Section::open("elements", json, &faults).unwrap());
    faults.or(Some(elements)).unwrap()
}

fn all_elements() -> Elements {
    elements(&json!({
        "glObject2": "Posting2", "glObject3": "Posting3", "glObject4": "Posting4", "glObject5": "Posting5",
        "project": "Project", "subledger": "SubledgerNo", "taxRule": "TaxRule", "invoiceDate": "InvoiceDate",
        "currency": "Currency", "number": "VoucherNo", "reference": "ExtIdentifier",
    }))
}

/// Reads a file as a voucher; its reference is in its name.
fn parsed(bytes: &[u8], elements: &Elements, name: &str) -> Voucher {
    let reference = name
        .strip_prefix("GL02XML_")
        .unwrap()
        .strip_suffix(".xml")
        .unwrap();
    let reference: Reference = reference.parse().unwrap();
    let root = read(bytes).unwrap();
    assert!(root.is("", "xml"));
    let entries = &root.child("", "JournalEntries").unwrap().children;
    let text = |name: &str| entries[0].child("", name).unwrap().text.clone();
    let lines: Vec<Value> = entries.iter().map(|entry| line(entry, elements)).collect();
    assert!(text("VoucherDate").starts_with(&text("FiscalYear")));
    let voucher = json!({
        "reference": reference, "number": reference.number(0), "entity": text("EntityCode"),
        "voucherType": text("VoucherType"), "date": iso(&text("VoucherDate")), "lines": lines,
    });
    serde_json::from_value(voucher).unwrap()
}

fn line(entry: &Element, elements: &Elements) -> Value {
    assert_eq!(entry.name, "JournalEntry");
    let text = |name: &str| entry.child("", name).map(|child| child.text.clone());
    let more = |more: More| text(elements.get(more)?);
    let dimensions = [
        ("glObject1", text("Posting1")),
        ("glObject2", more(More::GlObject2)),
        ("glObject3", more(More::GlObject3)),
        ("glObject4", more(More::GlObject4)),
        ("glObject5", more(More::GlObject5)),
        ("project", more(More::Project)),
    ];
    let dimensions: Map<String, Value> = dimensions
        .into_iter()
        .filter_map(|(name, code)| Some((name.to_owned(), code?.into())))
        .collect();
    json!({
        "account": text("Account"), "text": text("Text"), "amount": format!("{} NOK", text("Amount").unwrap()),
        "taxRule": more(More::TaxRule), "subledger": more(More::Subledger), "dimensions": dimensions,
        "invoiceDate": more(More::InvoiceDate).map(|text| iso(&text)),
    })
}

fn iso(compact: &str) -> String {
    Date::strptime("%Y%m%d", compact).unwrap().to_string()
}

fn check(kind: &Kind, elements: &Elements) {
    let seed = Seed::new();
    let mut dice = fastrand::Rng::with_seed(seed.0);
    for _ in 0..3_000 {
        let voucher = voucher(&mut dice, kind);
        let bytes = render(&voucher, elements, nok()).unwrap();
        let read = parsed(&bytes, elements, &file_name(voucher.reference()));
        assert_eq!(read.fingerprint(), voucher.fingerprint());
        assert_eq!(
            bytes,
            render(&voucher, elements, nok()).unwrap(),
            "it is always the same"
        );
    }
}

#[test]
fn a_voucher_of_what_is_known_reads_back() {
    let kind = Kind {
        letters: LETTERS,
        dimensions: &[Dimension::GlObject1],
        details: false,
    };
    check(&kind, &Elements::default());
}

#[test]
fn a_voucher_of_everything_reads_back_where_its_elements_have_names() {
    let kind = Kind {
        letters: LETTERS,
        dimensions: &Dimension::ALL,
        details: true,
    };
    check(&kind, &all_elements());
}

fn sample() -> Value {
    json!({
        "reference": "RE-5ZPX21XKG8XK1RB1RZ-0", "number": 1609264912, "entity": "23001", "voucherType": "GL",
        "date": "2026-02-17", "lines": [
            { "account": "7140", "amount": "101.00 NOK", "text": "Fish & <chips>", "dimensions": { "glObject1": "200" } },
            { "account": "2910", "amount": "-101.00 NOK", "text": "4711" },
        ],
    })
}

fn rendered(voucher: Value) -> Result<Vec<u8>, Unfit> {
    let voucher: Voucher = serde_json::from_value(voucher).unwrap();
    render(&voucher, &Elements::default(), nok())
}

#[test]
fn a_file_is_what_the_public_client_sends_but_escaped() {
    let expected = "<?xml version=\"1.0\" encoding=\"utf-8\"?><xml><JournalEntries>\
        <JournalEntry><EntityCode>23001</EntityCode><VoucherType>GL</VoucherType><FiscalYear>2026</FiscalYear>\
        <VoucherDate>20260217</VoucherDate><Account>7140</Account><Posting1>200</Posting1>\
        <Text>Fish &amp; &lt;chips&gt;</Text><Amount>101.00</Amount></JournalEntry>\
        <JournalEntry><EntityCode>23001</EntityCode><VoucherType>GL</VoucherType><FiscalYear>2026</FiscalYear>\
        <VoucherDate>20260217</VoucherDate><Account>2910</Account>\
        <Text>4711</Text><Amount>-101.00</Amount></JournalEntry></JournalEntries></xml>";
    assert_eq!(String::from_utf8(rendered(sample()).unwrap()).unwrap(), expected);
    let reference: Reference = "RE-5ZPX21XKG8XK1RB1RZ-0".parse().unwrap();
    assert_eq!(file_name(&reference), "GL02XML_RE-5ZPX21XKG8XK1RB1RZ-0.xml");
}

#[test]
fn what_the_file_cannot_carry_is_refused_by_its_place_and_nothing_else() {
    let with = |at: usize, name: &str, value: Value| {
        let mut voucher = sample();
        voucher["lines"][at][name] = value;
        rendered(voucher).unwrap_err().to_string()
    };
    for (at, name, value, told) in [
        (
            1,
            "subledger",
            json!("50012"),
            "lines[1].subledger has no element",
        ),
        (0, "taxRule", json!("11"), "lines[0].taxRule has no element"),
        (
            0,
            "dimensions",
            json!({ "project": "P10" }),
            "lines[0].project has no element",
        ),
        (
            0,
            "text",
            json!("secret\ntext"),
            "lines[0].Text must hold no line end",
        ),
        (
            0,
            "text",
            json!("secret\u{ffff}"),
            "lines[0].Text must hold no line end",
        ),
        (
            0,
            "text",
            json!("secret\0"),
            "lines[0].Text must hold no line end",
        ),
        (1, "text", json!(" "), "lines[1].Text is required"),
    ] {
        let reason = with(at, name, value);
        assert!(reason.starts_with(told), "{reason}");
        assert!(
            !reason.contains("secret") && !reason.contains("50012"),
            "{reason}"
        );
    }
    let mut nowhere = sample();
    nowhere.as_object_mut().unwrap().remove("entity");
    assert_eq!(
        rendered(nowhere).unwrap_err().to_string(),
        "lines[0].EntityCode is required"
    );
}

#[test]
fn a_voucher_in_another_currency_is_refused_since_the_file_cannot_say_so() {
    let mut voucher = sample();
    voucher["lines"][0]["amount"] = json!("101.00 EUR");
    voucher["lines"][1]["amount"] = json!("-101.00 EUR");
    assert_eq!(
        rendered(voucher).unwrap_err().to_string(),
        "currency must be NOK, since the file cannot say another"
    );
}
