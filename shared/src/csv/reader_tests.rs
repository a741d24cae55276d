//! What is read, and what is refused.

use std::io;

use jiff::civil::date;
use serde_json::json;

use super::samples::{columns, profile, read, small, texts, write};
use super::{Cell, Encoding, Limits, Profile, ReadError, Reader, Warning};

fn plain() -> Profile {
    small(json!({ "audience": "machine" }))
}

#[test]
fn letters_come_through_in_every_encoding_by_declaration_or_mark() {
    let text = "Åse Bjørk-Ødegård";
    let file = format!("text,amount\r\n{text},1.00\r\n");
    for encoding in [
        Encoding::Utf8,
        Encoding::Utf16Le,
        Encoding::Utf16Be,
        Encoding::Iso8859,
        Encoding::Windows1252,
    ] {
        let bytes = encoding.encode(&file);
        let declared = small(json!({ "audience": "machine", "encoding": encoding }));
        assert_eq!(texts(&declared, &bytes), [Ok(text.to_owned())], "{encoding}");
        let marked = [encoding.mark(), &bytes].concat();
        assert_eq!(texts(&declared, &marked), [Ok(text.to_owned())], "{encoding}");
        if encoding.has_mark() {
            let other = small(json!({ "audience": "machine", "encoding": "windows-1252" }));
            assert_eq!(texts(&other, &marked), [Ok(text.to_owned())], "{encoding}");
            let reader = Reader::new(&other, marked.as_slice()).unwrap();
            let expected = Warning::Encoding {
                declared: Encoding::Windows1252,
                marked: encoding,
            };
            assert_eq!(reader.warnings().collect::<Vec<_>>(), [expected]);
        }
    }
}

#[test]
fn bytes_that_are_no_letters_refuse_their_row_and_no_other() {
    let good = "text,amount\r\nø,1.00\r\n";
    let utf8 = [
        good.as_bytes(),
        b"J\xF8rgen,2.00\r\n\xC3,\xA5\r\n",
        "å,3.00\r\n".as_bytes(),
    ]
    .concat();
    let rows = texts(&plain(), &utf8);
    assert_eq!(rows[0], Ok("ø".to_owned()));
    assert_eq!(
        rows[1],
        Err("row 2 (line 3): text holds bytes that are not utf-8".to_owned())
    );
    let two = "row 3 (line 4): text holds bytes that are not utf-8; amount holds bytes that are not utf-8";
    assert_eq!(rows[2], Err(two.to_owned()));
    assert_eq!(rows[3], Ok("å".to_owned()));

    for (encoding, byte) in [(Encoding::Windows1252, 0x81), (Encoding::Iso8859, 0x80)] {
        let profile = small(json!({ "audience": "machine", "encoding": encoding }));
        let file = [
            &*encoding.encode(good),
            &[byte, b',', b'\n'],
            &encoding.encode("å,\n"),
        ]
        .concat();
        let reason = format!("row 2 (line 3): text holds bytes that are not {encoding}");
        assert_eq!(
            texts(&profile, &file),
            [Ok("ø".to_owned()), Err(reason), Ok("å".to_owned())]
        );
    }
    let profile = small(json!({ "audience": "machine", "encoding": "utf-16le" }));
    let file = [&*Encoding::Utf16Le.encode(good), b"\x00\xD8,\0\r\0\n\0a\0,\0"].concat();
    let reason = "row 2 (line 3): text holds bytes that are not utf-16le".to_owned();
    assert_eq!(
        texts(&profile, &file),
        [Ok("ø".to_owned()), Err(reason), Ok("a".to_owned())]
    );
    let cut = &file[..file.len() - 1];
    assert!(texts(&profile, cut)[2].is_err(), "half a letter is none");
}

#[test]
fn names_of_any_script_are_read_letter_for_letter() {
    for name in [
        "Åse Bjørk-Ødegård",
        "O'Brien",
        "李小龍",
        "نور",
        "👩‍👩‍👧",
        "e\u{301}",
        "x",
        &"y".repeat(300),
    ] {
        for dialect in [json!({ "audience": "people" }), json!({ "audience": "machine" })] {
            let profile = small(dialect);
            let (file, _) = write(&profile, &[vec![Cell::Text(name), Cell::Empty]]);
            assert_eq!(texts(&profile, &file), [Ok(name.to_owned())]);
        }
    }
    let short = profile(
        json!({ "audience": "machine" }),
        json!([{ "name": "text", "type": "text", "maxLength": 3 }]),
    );
    let expected = [
        Ok("øøø".to_owned()),
        Err("row 2 (line 3): text is longer than 3 characters".to_owned()),
    ];
    assert_eq!(texts(&short, "text\nøøø\nøøøø\n".as_bytes()), expected);
}

#[test]
fn words_for_nothing_are_texts_and_only_an_empty_cell_is_nothing() {
    let file = "text,amount\nnull,\nN/A,\n-,\n\"\",\n ,\n\u{a0},\n,\n";
    let (rows, _) = read(&plain(), file.as_bytes(), |cells| match cells[0] {
        Cell::Empty => None,
        cell => cell.text().map(str::to_owned),
    })
    .unwrap();
    let rows: Vec<Option<String>> = rows.into_iter().map(Result::unwrap).collect();
    let expected = [
        Some("null"),
        Some("N/A"),
        Some("-"),
        None,
        Some(" "),
        Some("\u{a0}"),
        None,
    ];
    assert_eq!(rows, expected.map(|text| text.map(str::to_owned)));
}

#[test]
fn dates_and_numbers_are_read_in_the_declared_form_only() {
    let profile = profile(json!({ "audience": "people" }), columns());
    let row = |amount: &str, day: &str| {
        let file = format!("Tekst;Beløp;Antall;Dato;Betalt\r\n;{amount};1;{day};Ja\r\n");
        let (mut rows, _) = read(&profile, file.as_bytes(), |cells| {
            (cells[1].decimal(), cells[3].date())
        })
        .unwrap();
        rows.remove(0).map_err(|error| error.faults[0].to_string())
    };
    assert_eq!(
        row("-1234,50", "01.02.2026"),
        Ok((Some("-1234.5".parse().unwrap()), Some(date(2026, 2, 1))))
    );
    for day in ["01/02/2026", "2026-02-01", "46000", "20260201", "31.02.2026"] {
        assert_eq!(
            row("1,00", day),
            Err("Dato must be a date such as 31.01.2026".to_owned()),
            "{day}"
        );
    }
    for amount in [
        "1234.50", "1.234,50", "1 234,50", "1,234", "NOK 1", "'-1,00", "1e3",
    ] {
        let reason =
            "Beløp must be a number such as -1234,50, with at most 2 decimals and no thousands separator";
        assert_eq!(row(amount, "01.02.2026"), Err(reason.to_owned()), "{amount}");
    }
}

#[test]
fn an_empty_file_is_none_and_one_with_a_header_has_no_rows() {
    for empty in ["", "\u{feff}", "\r\n", "\n\n\n"] {
        assert!(
            matches!(Reader::new(&plain(), empty.as_bytes()), Err(ReadError::Empty)),
            "{empty:?}"
        );
    }
    for header in ["text,amount", "\u{feff}text,amount\r\n", "text,amount\n\n\n"] {
        let (rows, totals) = read(&plain(), header.as_bytes(), |_| ()).unwrap();
        assert_eq!(
            (rows.len(), totals.rows, totals.bytes),
            (0, 0, header.len() as u64),
            "{header:?}"
        );
    }
    let without = small(json!({ "audience": "machine", "header": false }));
    assert_eq!(read(&without, b"", |_| ()).unwrap().1.bytes, 0);
}

#[test]
fn a_row_error_names_line_column_and_reason_and_nothing_of_the_cell() {
    let file = "text,amount\n\"a\nb\",1.00\n\ncanary,canary\nx,1.00,canary\nx\n";
    let rows = texts(&plain(), file.as_bytes());
    let number =
        "amount must be a number such as -1234.50, with at most 2 decimals and no thousands separator";
    let expected = [
        Ok("a\nb".to_owned()),
        Err(format!("row 2 (line 5): {number}")),
        Err("row 3 (line 6): row has 3 cells and should have 2".to_owned()),
        Err("row 4 (line 7): row has 1 cells and should have 2".to_owned()),
    ];
    assert_eq!(rows, expected);
}

#[test]
fn a_quote_that_is_never_closed_is_bounded_and_refuses_the_file() {
    let mut reader = Reader::new(&plain(), "text,amount\nx,1.00\n\"y,2.00\nz,3.00\n".as_bytes()).unwrap();
    assert!(reader.read().unwrap().unwrap().is_ok());
    assert!(matches!(
        reader.read(),
        Err(ReadError::Unclosed { row: 2, line: 3 })
    ));
    assert!(matches!(reader.read(), Err(ReadError::Unfinished)));
    assert!(matches!(reader.finish(), Err(ReadError::Unfinished)));
    for open in [
        "text,amount\n\"",
        "text,amount\nx,\"",
        "text,amount\nx,\"1\"\"",
        "\"text",
    ] {
        let read = read(&plain(), open.as_bytes(), |_| ());
        assert!(matches!(read, Err(ReadError::Unclosed { .. })), "{open:?}");
    }
    assert_eq!(
        texts(&plain(), b"text,amount\n\"x\",\"1\""),
        [Ok("x".to_owned())],
        "this one is closed"
    );

    let endless = io::Read::chain("text,amount\nx,1.00\n\"".as_bytes(), io::repeat(b'y'));
    let mut reader = Reader::new(&plain(), endless).unwrap();
    assert!(reader.read().unwrap().unwrap().is_ok());
    assert!(matches!(
        reader.read(),
        Err(ReadError::TooLarge { row: 2, line: 3, .. })
    ));
    assert!(reader.held() < 2 << 20, "{}", reader.held());
}

#[test]
fn a_cell_of_a_hundred_megabytes_is_refused_before_it_is_in_memory() {
    let cell = io::Read::take(io::repeat(b'y'), 100 << 20);
    let file = io::Read::chain(
        "text,amount\n".as_bytes(),
        io::Read::chain(cell, ",1.00\n".as_bytes()),
    );
    let mut reader = Reader::new(&plain(), file).unwrap();
    assert!(matches!(reader.read(), Err(ReadError::TooLarge { row: 1, .. })));
    assert!(reader.held() < 2 << 20);
}

#[test]
fn limits_are_met_exactly() {
    let limits = Limits {
        cell_bytes: 4,
        row_bytes: 10,
        columns: 3,
    };
    let read = |file: &str| -> Result<Vec<bool>, ReadError> {
        let mut reader = Reader::with_limits(
            &small(json!({ "audience": "machine", "header": false })),
            limits,
            file.as_bytes(),
        )?;
        let mut rows = Vec::new();
        while let Some(row) = reader.read()? {
            rows.push(row.is_ok());
        }
        Ok(rows)
    };
    assert_eq!(read("xxxx,1.00\nxxxxx,1.00\nx,1\n").unwrap(), [true, false, true]);
    assert_eq!(read("xxxxxx,1.00\n").unwrap(), [false]);
    assert!(matches!(
        read("xxxxxxx,1.00\n"),
        Err(ReadError::TooLarge {
            row: 1,
            bytes: 10,
            cells: 3,
            ..
        })
    ));
    assert_eq!(read("x,1,\n").unwrap(), [true]);
    assert!(matches!(read("x,1,,\n"), Err(ReadError::TooLarge { .. })));
}

#[test]
fn a_file_that_cannot_be_read_on_is_not_taken_for_whole() {
    struct Fails;
    impl io::Read for Fails {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::ErrorKind::ConnectionReset.into())
        }
    }
    let file = io::Read::chain("text,amount\nx,1.00\ny,2.00\n".as_bytes(), Fails);
    let mut reader = Reader::new(&plain(), file).unwrap();
    assert!(reader.read().unwrap().unwrap().is_ok());
    while let Ok(row) = reader.read() {
        assert!(row.is_some(), "the end is not where reading fails");
    }
    assert!(matches!(reader.finish(), Err(ReadError::Unfinished)));
    let unread = Reader::new(&plain(), "text,amount\nx,1.00\n".as_bytes()).unwrap();
    assert!(matches!(unread.finish(), Err(ReadError::Unfinished)));
}
