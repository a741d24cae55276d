use serde_json::json;
use shared::adapters::xledger::file::{FileProfile, render};
use shared::export::Voucher;
use tests::Simulation;
use tests::xledger::file::Layout;

use crate::setup::{reference, voucher, voucher_json};

fn detailed(id: u32) -> Voucher {
    let mut voucher = voucher_json(id, "90.18");
    voucher["lines"][0]["text"] = json!(format!("Reise {id} æøå <&>"));
    voucher["lines"][0]["taxRule"] = json!("1");
    voucher["lines"][0]["dimensions"] = json!({ "glObject1": "200", "project": "P10" });
    voucher["lines"][0]["invoiceDate"] = json!("2026-02-14");
    voucher["lines"][1]["subledger"] = json!("50012");
    serde_json::from_value(voucher).unwrap()
}

async fn books() -> Simulation {
    Simulation::start(tests::SimulationConfig::default()).await
}

#[tokio::test]
async fn a_gl02b_file_is_imported_and_every_voucher_booked() {
    let simulation = books().await;
    let vouchers: Vec<Voucher> = (1..=50).map(detailed).collect();
    let file = render(&vouchers, &FileProfile::default()).unwrap();
    let xledger = simulation.xledger();
    assert_eq!(
        xledger.import_file(&Layout::Gl02b, "batch.csv", &file.bytes),
        Ok(100)
    );
    let queue = xledger.queue();
    assert_eq!(queue[0].references["project"], "P10");
    assert_eq!(queue[0].references["taxRule"], "1");
    assert_eq!(queue[0].fields["invoiceDate"], "2026-02-14");
    assert_eq!(queue[1].references["subledger"], "50012");
    assert_eq!(queue[0].tr_reg_number, Some(file.numbers[&reference(1)].into()));
    assert_eq!(xledger.run_job().posted, 50);
    let posted: rust_decimal::Decimal = xledger
        .posted()
        .iter()
        .filter_map(|entry| entry.line.amount)
        .filter(rust_decimal::Decimal::is_sign_positive)
        .sum();
    assert_eq!(posted.to_string(), file.debit.amount());
}

#[tokio::test]
async fn a_gl02_file_is_imported_with_and_without_a_header() {
    for header in [true, false] {
        let simulation = books().await;
        let profile = FileProfile::check(&json!({ "layout": "gl02", "header": header })).unwrap();
        let file = render(&[detailed(1)], &profile).unwrap();
        let layout = Layout::Gl02 {
            entity: "23001".to_owned(),
        };
        let xledger = simulation.xledger();
        assert_eq!(xledger.import_file(&layout, "batch.csv", &file.bytes), Ok(2));
        assert_eq!(xledger.run_job().posted, 1);
        xledger
            .import_file(&Layout::Gl02b, "batch.csv", &file.bytes)
            .unwrap_err();
    }
}

#[tokio::test]
async fn a_text_that_needs_quotes_goes_only_where_quotes_are_understood() {
    let simulation = books().await;
    // It has quotes around a word.
    let quoted = [voucher(1, "1.00")];
    render(&quoted, &FileProfile::default()).unwrap_err();
    let profile = FileProfile::check(&json!({ "quoting": "necessary" })).unwrap();
    let file = render(&quoted, &profile).unwrap();
    let xledger = simulation.xledger();
    xledger
        .import_file(&Layout::Gl02b, "batch.csv", &file.bytes)
        .unwrap_err();
    xledger.change(|settings| settings.quoted_cells = true);
    assert_eq!(
        xledger.import_file(&Layout::Gl02b, "batch.csv", &file.bytes),
        Ok(2)
    );
    assert_eq!(xledger.queue()[0].fields["text"], "Reise <1> & \"sånt\"");
}

#[tokio::test]
async fn a_file_in_a_form_that_the_importer_does_not_read_is_refused_there_as_a_whole() {
    let simulation = books().await;
    for profile in [
        json!({ "decimalMark": "," }),
        json!({ "lineEnd": "lf" }),
        json!({ "delimiter": "|" }),
        json!({ "encoding": "windows-1252" }),
        json!({ "dateForm": "yyyy-MM-dd" }),
        json!({ "endMark": "end" }),
    ] {
        let file = render(&[detailed(1)], &FileProfile::check(&profile).unwrap()).unwrap();
        let imported = simulation
            .xledger()
            .import_file(&Layout::Gl02b, "batch.csv", &file.bytes);
        imported.unwrap_err();
    }
    assert!(simulation.xledger().queue().is_empty());
}
