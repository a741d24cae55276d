//! Profiles and files that tests share.

use serde_json::{Value, json};

use super::{Cell, Profile, ReadError, Reader, RowError, Totals, Writer};

/// Columns of every type; only `text` can be empty.
pub(super) fn columns() -> Value {
    json!([
        { "name": "text", "header": "Tekst", "type": "text" },
        { "name": "amount", "header": "Beløp", "type": "decimal", "scale": 2, "required": true },
        { "name": "count", "header": "Antall", "type": "integer", "required": true },
        { "name": "day", "header": "Dato", "type": "date", "required": true },
        { "name": "paid", "header": "Betalt", "type": "bool", "required": true }
    ])
}

/// Makes a profile of a dialect.
pub(super) fn profile(dialect: Value, columns: Value) -> Profile {
    Profile::check(&json!({ "dialect": dialect, "columns": columns })).unwrap()
}

/// A profile with one column of text and one amount.
pub(super) fn small(dialect: Value) -> Profile {
    let columns = json!([
        { "name": "text", "type": "text" },
        { "name": "amount", "type": "decimal", "scale": 2 }
    ]);
    profile(dialect, columns)
}

/// Dialects that carry every text.
pub(super) fn dialects() -> Vec<Value> {
    let mut dialects = vec![json!({ "audience": "people" }), json!({ "audience": "machine" })];
    for encoding in ["utf-8", "utf-16le", "utf-16be"] {
        for (delimiter, mark) in [(";", ","), (",", ","), ("tab", "."), ("|", ".")] {
            for (bom, header, quoting) in [
                (true, false, "always"),
                (false, false, "necessary"),
                (true, true, "necessary"),
            ] {
                dialects.push(json!({
                    "audience": if header { "people" } else { "machine" }, "encoding": encoding, "delimiter": delimiter,
                    "decimalMark": mark, "bom": bom, "header": header, "quoting": quoting,
                    "lineEnd": if bom { "crlf" } else { "lf" }, "dateForm": "yyyyMMdd",
                }));
            }
        }
    }
    dialects
}

/// Writes a file.
pub(super) fn write(profile: &Profile, rows: &[Vec<Cell<'_>>]) -> (Vec<u8>, Totals) {
    let mut writer = Writer::new(profile, Vec::new()).unwrap();
    rows.iter().for_each(|row| writer.write(row).unwrap());
    writer.finish().unwrap()
}

/// What was read: of each row what `look` takes of it, or why it was refused.
pub(super) type Rows<T> = Vec<Result<T, RowError>>;

/// Reads a file to its end.
pub(super) fn read<T>(
    profile: &Profile,
    file: &[u8],
    look: impl Fn(&[Cell<'_>]) -> T,
) -> Result<(Rows<T>, Totals), ReadError> {
    let mut reader = Reader::new(profile, file)?;
    let mut rows = Vec::new();
    while let Some(row) = reader.read()? {
        rows.push(row.map(|row| look(row.cells())));
    }
    Ok((rows, reader.finish()?))
}

/// Reads the texts of a file's first column, or why each row was refused.
pub(super) fn texts(profile: &Profile, file: &[u8]) -> Vec<Result<String, String>> {
    let (rows, _) = read(profile, file, |cells| cells[0].text().unwrap().to_owned()).unwrap();
    rows.into_iter()
        .map(|row| row.map_err(|error| error.to_string()))
        .collect()
}
