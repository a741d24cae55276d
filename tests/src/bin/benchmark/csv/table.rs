//! The table that every contender writes and reads: twelve columns, each row following from its number.

use std::fs::File;

use jiff::ToSpan as _;
use jiff::civil::{Date, date};
use rust_decimal::Decimal;
use serde_json::json;
use shared::csv::{Cell, Profile, Reader, Writer};
use tokio::time::Instant;

use super::{Came, Way};
use crate::Result;

const NAMES: [&str; 4] = ["Åse Bjørk-Ødegård", "O'Brien", "李小龍", "Kari"];
const KINDS: [&str; 3] = ["reise", "kurs", "utlegg"];
const FIRST_DAY: Date = date(2026, 1, 1);

/// Writes or reads the file, and says how long it took and what it came to.
pub(super) fn go(way: Way, rows: i64, path: &str) -> Result<Came> {
    let profile = profile()?;
    let began = Instant::now();
    let (rows, cents) = match way {
        Way::Write => write(&profile, rows, path)?,
        Way::Read => read(&profile, path)?,
    };
    let seconds = began.elapsed().as_secs_f64();
    Ok(Came {
        seconds,
        peak: crate::memory::peak()?,
        rows,
        cents,
    })
}

fn profile() -> Result<Profile> {
    let text = |name: &str, header: &str| json!({ "name": name, "header": header, "type": "text", "required": true });
    let amount = |name: &str, header: &str| json!({ "name": name, "header": header, "type": "decimal", "scale": 2, "required": true });
    let profile = json!({
        "dialect": { "audience": "people" },
        "columns": [
            text("reference", "Referanse"),
            text("name", "Navn"),
            text("text", "Tekst"),
            text("account", "Konto"),
            text("department", "Avdeling"),
            amount("amount", "Beløp"),
            amount("vat", "Mva"),
            { "name": "count", "header": "Antall", "type": "integer", "required": true },
            { "name": "day", "header": "Dato", "type": "date", "required": true },
            { "name": "paid", "header": "Betalt", "type": "bool", "required": true },
            text("kid", "KID"),
            { "name": "kind", "header": "Type", "type": "choice", "words": KINDS, "required": true }
        ]
    });
    Profile::check(&profile).map_err(|faults| format!("{faults:?}").into())
}

fn write(profile: &Profile, rows: i64, path: &str) -> Result<(u64, i64)> {
    let days: Vec<Date> = (0..365).map(|day: i64| FIRST_DAY + day.days()).collect();
    let mut writer = Writer::new(profile, File::create(path)?)?;
    for row in 0..rows {
        let place = usize::try_from(row)?;
        let text = match row % 10 {
            0 => format!("Reise; \"tur\" {row}"),
            1 => format!("=1+{row}"),
            _ => format!("Utlegg {row}"),
        };
        let (reference, kid) = (format!("R{row:08}"), format!("{row:010}"));
        let (account, department) = (format!("{}", 4000 + row % 900), format!("avd. {}", row % 37));
        writer.write(&[
            Cell::Text(&reference),
            Cell::Text(NAMES[place % NAMES.len()]),
            Cell::Text(&text),
            Cell::Text(&account),
            Cell::Text(&department),
            Cell::Decimal(Decimal::new(row * 7919 % 2_000_000 - 1_000_000, 2)),
            Cell::Decimal(Decimal::new(row * 31 % 25_000, 2)),
            Cell::Integer(row % 13),
            Cell::Date(days[place % days.len()]),
            Cell::Bool(row % 2 == 0),
            Cell::Text(&kid),
            Cell::Text(KINDS[place % KINDS.len()]),
        ])?;
    }
    let (_, totals) = writer.finish()?;
    Ok((totals.rows, cents(totals.sums["amount"])?))
}

fn read(profile: &Profile, path: &str) -> Result<(u64, i64)> {
    let mut reader = Reader::new(profile, File::open(path)?)?;
    while let Some(row) = reader.read()? {
        row?;
    }
    let totals = reader.finish()?;
    Ok((totals.rows, cents(totals.sums["amount"])?))
}

fn cents(sum: Decimal) -> Result<i64> {
    Ok((sum * Decimal::from(100)).normalize().mantissa().try_into()?)
}
