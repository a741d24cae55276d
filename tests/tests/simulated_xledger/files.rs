use tests::xledger::file::{GL02, Layout};

use crate::client::books;

/// Returns a line of a file in which only the named cells have something in them.
fn row(layout: &Layout, cells: &[(&str, &str)]) -> String {
    let mut columns: Vec<&str> = GL02.to_vec();
    if *layout == Layout::Gl02b {
        columns.insert(2, "Entity");
    }
    let cell = |column: &&str| {
        let found = cells.iter().find(|(name, _)| name == column);
        found.map_or(if *column == "EOL" { "x" } else { "" }, |(_, text)| *text)
    };
    columns.iter().map(cell).collect::<Vec<_>>().join(";") + "\r\n"
}

fn line<'a>(account: &'a str, amount: &'a str) -> Vec<(&'static str, &'a str)> {
    vec![
        ("ImpSystem", "Likeperson"),
        ("Entity", "23001"),
        ("voucherType", "GL"),
        ("VoucherNo", "4711"),
        ("FiscalYear", "2026"),
        ("VoucherDate", "20260217"),
        ("account", account),
        ("posting1", "200"),
        ("text", "Reise æøå"),
        ("Xidentifier/KID", "RMB-4711"),
        ("amount", amount),
    ]
}

fn voucher(layout: &Layout) -> String {
    row(layout, &line("7140", "101.00")) + &row(layout, &line("2910", "-101.00"))
}

#[tokio::test]
async fn a_gl02b_file_goes_into_the_queue_and_is_posted() {
    let (simulation, client) = books().await;
    let lines =
        simulation
            .xledger()
            .import_file(&Layout::Gl02b, "batch.csv", voucher(&Layout::Gl02b).as_bytes());
    assert_eq!(lines, Ok(2));
    let rows = client
        .nodes(
            "glImportItems",
            "trRegNumber extIdentifier text amount postedDate",
        )
        .await;
    assert_eq!(rows[1]["amount"], "-101.00");
    assert_eq!(
        (rows[0]["trRegNumber"].as_i64(), rows[0]["text"].as_str()),
        (Some(4711), Some("Reise æøå"))
    );
    assert_eq!(simulation.xledger().queue()[0].references["glObject1"], "200");
    assert_eq!(simulation.xledger().run_job().posted, 1);
}

#[tokio::test]
async fn a_gl02_file_has_a_column_less_and_may_have_a_header() {
    let (simulation, _client) = books().await;
    let layout = Layout::Gl02 {
        entity: "23001".to_owned(),
    };
    let file = format!("{}\r\n{}", GL02.join(";"), voucher(&layout));
    assert_eq!(
        simulation
            .xledger()
            .import_file(&layout, "batch.csv", file.as_bytes()),
        Ok(2)
    );
    assert_eq!(simulation.xledger().run_job().posted, 1);
    let refused = simulation
        .xledger()
        .import_file(&Layout::Gl02b, "batch.csv", file.as_bytes());
    assert!(refused.unwrap_err().contains("49 columns, not 50"));
}

#[tokio::test]
async fn a_file_that_is_wrong_in_one_line_is_refused_as_a_whole() {
    let (simulation, _client) = books().await;
    let layout = Layout::Gl02b;
    let good = voucher(&layout);
    let with = |column: &'static str, text: &'static str| {
        let mut cells = line("7140", "101.00");
        cells.retain(|(name, _)| *name != column);
        cells.push((column, text));
        good.clone() + &row(&layout, &cells)
    };
    for (file, why) in [
        (with("VoucherDate", "2026-02-17"), "VoucherDate"),
        (with("amount", "101,00"), "amount"),
        (with("amount", "1 000.00"), "amount"),
        (with("amount", ""), "amount"),
        (with("Entity", ""), "Entity"),
        (with("voucherType", "FARTOOLONG"), "voucherType"),
        (with("VoucherNo", "123456789"), "VoucherNo"),
        (with("VoucherNo", "A1"), "VoucherNo"),
        (with("DueDate", "17.02.2026"), "DueDate"),
        (with("EOL", "y"), "last column"),
        (with("text", "one;more"), "columns"),
        (with("text", "\"quoted\""), "quotation mark"),
        (good.replace("\r\n", "\n"), "CRLF"),
        (good.trim_end().to_owned(), "CRLF"),
    ] {
        let refused = simulation
            .xledger()
            .import_file(&layout, "batch.csv", file.as_bytes());
        let told = refused.unwrap_err();
        assert!(told.contains(why), "{why}: {told}");
    }
    let refused = simulation
        .xledger()
        .import_file(&layout, "batch.csv", b"\xe6\xf8\xe5\r\n");
    assert!(refused.unwrap_err().contains("UTF-8"));
    assert!(simulation.xledger().queue().is_empty() && simulation.xledger().files().is_empty());
}

#[tokio::test]
async fn cells_are_quoted_where_the_settings_say_so() {
    let (simulation, _client) = books().await;
    simulation
        .xledger()
        .change(|settings| settings.quoted_cells = true);
    let mut cells = line("7140", "101.00");
    cells.retain(|(name, _)| *name != "text");
    cells.push(("text", "\"one;more \"\"x\"\"\""));
    let file = row(&Layout::Gl02b, &cells);
    assert_eq!(
        simulation
            .xledger()
            .import_file(&Layout::Gl02b, "b.csv", file.as_bytes()),
        Ok(1)
    );
    assert_eq!(simulation.xledger().queue()[0].fields["text"], "one;more \"x\"");
}

#[tokio::test]
async fn an_empty_file_has_no_lines() {
    let (simulation, _client) = books().await;
    assert_eq!(
        simulation.xledger().import_file(&Layout::Gl02b, "empty.csv", b""),
        Ok(0)
    );
}
