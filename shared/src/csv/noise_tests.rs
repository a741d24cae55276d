//! Files that are random, or were almost right: nothing panics, nothing is held beyond the limits, nothing is told of a cell.
//!
//! `SEED=17 cargo test -p shared --lib csv::noise` runs one seed, the same each time.

use fastrand::Rng;

use super::samples::{columns, dialects, profile, write};
use super::{Cell, Limits, Profile, Reader};
use crate::norwegian;
use crate::seed::Seed;

const INPUTS: usize = 20_000;

/// Small, so that noise meets them.
const LIMITS: Limits = Limits {
    cell_bytes: 24,
    row_bytes: 160,
    columns: 8,
};

/// What tables trip over.
const SIGNS: &[u8] = b"\"\"\",;|\t\r\n\n\r '=-+@.,0919aN\0\xff\xfe\xc3\xa5\xef\xbb\xbf\xd8\x80";

/// What numbers are written with.
const LETTERS: [char; 15] = [
    '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', ' ', '.', '-', '\u{a0}', 'ø',
];

fn noise(rng: &mut Rng, most: usize) -> Vec<u8> {
    let length = rng.usize(..=most);
    let random = (0..length).map(|_| {
        if rng.bool() {
            SIGNS[rng.usize(..SIGNS.len())]
        } else {
            rng.u8(..)
        }
    });
    random.collect()
}

/// Changes, cuts, doubles or replaces something of a file.
fn spoil(rng: &mut Rng, mut file: Vec<u8>) -> Vec<u8> {
    for _ in 0..rng.usize(1..4) {
        let at = rng.usize(..=file.len());
        match rng.u8(..5) {
            0 => file.truncate(at),
            1 => drop(file.splice(at..at, noise(rng, 20))),
            2 => file.extend_from_within(at..),
            3 => drop(file.splice(at..at, [SIGNS[rng.usize(..SIGNS.len())]])),
            _ => drop(file.splice(at..file.len().min(at + 3), noise(rng, 3))),
        }
    }
    file
}

fn whole(profile: &Profile) -> Vec<u8> {
    let row = |text| {
        vec![
            Cell::Text(text),
            Cell::Decimal("-12.50".parse().unwrap()),
            Cell::Integer(7),
            Cell::Date(jiff::civil::date(2026, 2, 1)),
            Cell::Bool(true),
        ]
    };
    write(profile, &[row("a;\"b\""), row("canary"), row("=ø")]).0
}

/// Gives a file a few bytes at a time.
struct Dripping<'a>(&'a [u8], usize);

impl std::io::Read for Dripping<'_> {
    fn read(&mut self, room: &mut [u8]) -> std::io::Result<usize> {
        let length = room.len().min(self.1);
        std::io::Read::read(&mut self.0, &mut room[..length])
    }
}

/// Reads all that can be read, and says how it went.
fn go_through(profile: &Profile, file: &[u8], step: usize) -> String {
    let mut reader = match Reader::with_limits(profile, LIMITS, Dripping(file, step)) {
        Ok(reader) => reader,
        Err(error) => return format!("{error} {error:?}"),
    };
    let mut said = vec![format!("{:?}", reader.warnings().collect::<Vec<_>>())];
    loop {
        match reader.read() {
            Ok(Some(Ok(row))) => {
                assert_eq!(row.cells().len(), 5);
                assert!(row.cells()[0].text().unwrap().len() <= LIMITS.cell_bytes);
                said.push(format!("{:032x}", row.fingerprint()));
            }
            Ok(Some(Err(error))) => said.push(format!("{error} {error:?}")),
            Ok(None) => break,
            Err(error) => {
                said.push(format!("{error} {error:?}"));
                assert!(reader.finish().is_err());
                return said.join("; ");
            }
        }
        assert!(reader.held() < 1 << 20, "{}", reader.held());
    }
    let totals = reader.finish().unwrap();
    assert_eq!(totals.bytes, file.len() as u64);
    said.push(format!("{totals:?}"));
    said.join("; ")
}

#[test]
fn noise_neither_panics_nor_is_held_beyond_the_limits_nor_told() {
    let seed = Seed::new();
    let mut rng = Rng::with_seed(seed.0);
    let profiles: Vec<Profile> = dialects()
        .into_iter()
        .map(|dialect| profile(dialect, columns()))
        .collect();
    let files: Vec<Vec<u8>> = profiles.iter().map(whole).collect();
    for _ in 0..INPUTS {
        let which = rng.usize(..profiles.len());
        let file = match rng.u8(..4) {
            0 => noise(&mut rng, 400),
            _ => spoil(&mut rng, files[which].clone()),
        };
        let said = go_through(&profiles[which], &file, 1 + rng.usize(..80));
        assert!(!said.contains("canary"), "{said}");
        assert_eq!(
            said,
            go_through(&profiles[which], &file, usize::MAX),
            "pieces make no difference"
        );
    }
}

#[test]
fn noise_is_no_number_of_a_person_unless_it_is_found() {
    let seed = Seed::new();
    let mut rng = Rng::with_seed(seed.0);
    for _ in 0..INPUTS {
        let text: String = (0..rng.usize(..24))
            .map(|_| rng.choice(LETTERS).unwrap())
            .collect();
        let redacted = norwegian::redact(&text);
        if text.parse::<norwegian::NationalIdentityNumber>().is_ok()
            && !text.contains(' ')
            && !text.contains('\u{a0}')
        {
            assert_ne!(redacted, text);
        }
        let ends = norwegian::find(&text).map(|range| text.get(range).is_some());
        assert!(ends.into_iter().all(|within| within));
        drop((
            text.parse::<norwegian::Kid>(),
            text.parse::<norwegian::BankAccount>(),
            text.parse::<norwegian::OrganizationNumber>(),
        ));
    }
}
