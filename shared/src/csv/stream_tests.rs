//! Files without an end: what is in memory does not grow with what has passed.

use std::io::{self, Read, Write};

use jiff::civil::date;
use rust_decimal::Decimal;
use serde_json::json;

use super::samples::{columns, profile};
use super::{Cell, Profile, Reader, Writer};

const ROWS: u64 = 200_000;

/// More than one piece of the file, its letters and one row are together.
const MOST_HELD: usize = 512 << 10;

/// Passes on what is written, and sees how much of it came at once.
struct Watched<W> {
    write: W,
    most: usize,
    passed: usize,
}

impl<W: Write> Write for Watched<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.most = self.most.max(bytes.len());
        let written = self.write.write(bytes)?;
        self.passed += written;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.write.flush()
    }
}

/// Gives a file whose rows are made when they are read, one after the other without an end.
struct Endless {
    piece: Vec<u8>,
    at: usize,
    row: u64,
}

impl Read for Endless {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        if self.at == self.piece.len() {
            self.row += 1;
            let cents = self.row % 100;
            let row = format!(
                "\"rad; {}\";-{},{cents:02};{};01.02.2026;Ja\r\n",
                self.row, self.row, self.row
            );
            (self.piece, self.at) = (row.into_bytes(), 0);
        }
        let length = room.len().min(self.piece.len() - self.at);
        room[..length].copy_from_slice(&self.piece[self.at..self.at + length]);
        self.at += length;
        Ok(length)
    }
}

fn people() -> Profile {
    profile(json!({ "audience": "people" }), columns())
}

#[test]
fn a_file_without_an_end_is_read_in_the_memory_of_one_row() {
    let header = "\u{feff}Tekst;Beløp;Antall;Dato;Betalt\r\n".as_bytes();
    let endless = Endless {
        piece: Vec::new(),
        at: 0,
        row: 0,
    };
    let mut reader = Reader::new(&people(), header.chain(endless)).unwrap();
    let mut early = 0;
    for number in 1..=ROWS {
        let row = reader.read().unwrap().unwrap().unwrap();
        assert_eq!((row.number(), row.line()), (number, number + 1));
        assert_eq!(
            row.get("count"),
            Some(Cell::Integer(i64::try_from(number).unwrap()))
        );
        if number == ROWS / 100 {
            early = reader.held();
        }
    }
    assert_eq!(reader.held(), early, "what is held does not grow");
    assert!(early < MOST_HELD, "{early}");
}

#[test]
fn a_file_is_written_in_pieces_of_one_size_however_long_it_gets() {
    for encoding in ["utf-8", "utf-16le"] {
        let profile = profile(json!({ "audience": "people", "encoding": encoding }), columns());
        let watched = Watched {
            write: io::sink(),
            most: 0,
            passed: 0,
        };
        let mut writer = Writer::new(&profile, watched).unwrap();
        for number in 1..=ROWS {
            let number = i64::try_from(number).unwrap();
            let amount = Cell::Decimal(Decimal::new(-number, 2));
            let row = [
                Cell::Text("rad; æ"),
                amount,
                Cell::Integer(number),
                Cell::Date(date(2026, 2, 1)),
                Cell::Bool(true),
            ];
            writer.write(&row).unwrap();
        }
        let (watched, totals) = writer.finish().unwrap();
        assert_eq!((totals.rows, totals.bytes), (ROWS, watched.passed as u64));
        assert_eq!(totals.sums["amount"], -Decimal::new(200_000 * 200_001 / 2, 2));
        assert!(
            watched.passed > 20 * watched.most,
            "{} at once of {}",
            watched.most,
            watched.passed
        );
        assert!(watched.most <= 128 << 10, "{}", watched.most);
    }
}
