//! What is written reads back, whatever it is.

use jiff::civil::Date;
use proptest::collection::vec;
use proptest::prelude::*;
use rust_decimal::Decimal;
use serde_json::json;

use super::samples::{columns, dialects, profile, read, write};
use super::{Cell, Profile};

/// A row that owns what it holds.
type Owned = (String, Decimal, i64, Date, bool);

fn cells(row: &Owned) -> Vec<Cell<'_>> {
    let (text, amount, count, day, paid) = row;
    vec![
        Cell::Text(text),
        Cell::Decimal(*amount),
        Cell::Integer(*count),
        Cell::Date(*day),
        Cell::Bool(*paid),
    ]
}

fn owned(cells: &[Cell<'_>]) -> Owned {
    match cells {
        [
            text,
            Cell::Decimal(amount),
            Cell::Integer(count),
            Cell::Date(day),
            Cell::Bool(paid),
        ] => (text.text().unwrap().to_owned(), *amount, *count, *day, *paid),
        _ => panic!("every cell has the type of its column"),
    }
}

/// Texts of any letters, and texts of those that files, spreadsheets and encodings trip over.
fn text() -> impl Strategy<Value = String> {
    let letters = vec(any::<char>(), 0..8).prop_map(|letters| letters.into_iter().collect());
    let tricky = "[=+\\-@\t\r\n\u{0}＝＋－＠'\";,|. aæ€0\u{feff}\u{85}]{0,6}";
    prop_oneof![letters, tricky]
}

fn row() -> impl Strategy<Value = Owned> {
    // Eleven digits fewer than there is room for, so that no sum is out of bounds.
    let amount =
        (-10_i128.pow(17)..10_i128.pow(17)).prop_map(|cents| Decimal::from_i128_with_scale(cents, 2));
    let day = (0_i16..=9999, 1_i8..=12, 1_i8..=28)
        .prop_map(|(year, month, day)| jiff::civil::date(year, month, day));
    (text(), amount, any::<i64>(), day, any::<bool>())
}

/// A dialect that carries every text, whose first cell is not taken for a mark.
fn carried() -> impl Strategy<Value = Profile> {
    let profiles: Vec<Profile> = dialects()
        .into_iter()
        .map(|dialect| profile(dialect, columns()))
        .collect();
    prop::sample::select(profiles)
}

proptest! {
    #[test]
    fn what_is_written_reads_back_in_every_dialect(profile in carried(), mut rows in vec(row(), 0..12)) {
        if let Some(first) = rows.first_mut() {
            first.0.insert(0, 'a');
        }
        let written: Vec<Vec<Cell<'_>>> = rows.iter().map(cells).collect();
        let (file, written) = write(&profile, &written);
        let (found, totals) = read(&profile, &file, owned).unwrap();
        let found: Vec<Owned> = found.into_iter().map(Result::unwrap).collect();
        prop_assert_eq!(found, rows);
        prop_assert_eq!(totals, written);
    }

    #[test]
    fn no_text_of_a_file_for_people_begins_as_a_formula_and_no_number_is_altered(rows in vec(row(), 1..12)) {
        let people = profile(json!({ "audience": "people" }), columns());
        let written: Vec<Vec<Cell<'_>>> = rows.iter().map(cells).collect();
        let (file, _) = write(&people, &written);
        // Read by the crate alone, as a spreadsheet would: the guard is still on.
        let mut raw = ::csv::ReaderBuilder::new().delimiter(b';').from_reader(file.as_slice());
        let headers = raw.headers().unwrap().clone();
        prop_assert!(headers.iter().all(|header| header.starts_with(char::is_alphabetic)));
        let records: Vec<::csv::StringRecord> = raw.records().map(Result::unwrap).collect();
        prop_assert_eq!(records.len(), rows.len());
        for (record, (_, amount, count, ..)) in records.iter().zip(&rows) {
            let triggers = ['=', '+', '-', '@', '\t', '\r', '\n', '\0', '＝', '＋', '－', '＠'];
            prop_assert!(!record[0].starts_with(triggers));
            prop_assert_eq!(&record[1], format!("{amount:.2}").replace('.', ","));
            prop_assert_eq!(&record[2], count.to_string());
        }
    }

    #[test]
    fn a_text_is_carried_whole_or_refused(text in text(), encoding in 0..5_usize, quoting in 0..3_usize, people in any::<bool>()) {
        let encoding = ["utf-8", "utf-16le", "utf-16be", "iso-8859-1", "windows-1252"][encoding];
        let quoting = ["necessary", "always", "never"][quoting];
        let audience = if people { "people" } else { "machine" };
        let dialect = json!({ "audience": audience, "encoding": encoding, "quoting": quoting, "delimiter": ";", "header": false, "bom": false });
        let profile = profile(dialect, json!([{ "name": "text", "type": "text" }, { "name": "end", "type": "text" }]));
        let mut writer = super::Writer::new(&profile, Vec::new()).unwrap();
        if writer.write(&[Cell::Text(&text), Cell::Text("x")]).is_ok() {
            let (file, _) = writer.finish().unwrap();
            let (found, _) = read(&profile, &file, |cells| cells[0].text().unwrap().to_owned()).unwrap();
            prop_assert_eq!(found, vec![Ok(text)]);
        }
    }
}
