//! Which place in a row each column of the profile has.
//!
//! Headers are compared without the space around them and in one Unicode composition. Another case will do where it can only
//! mean one column and one place. Nothing that a file's header says is repeated: a file without one has its first row there.

use std::collections::HashMap;

use unicode_normalization::UnicodeNormalization as _;

use super::profile::Profile;
use crate::model::FieldError;

/// The places of a profile's columns.
#[derive(Debug)]
pub(super) struct Header {
    /// By column of the profile.
    pub(super) places: Vec<Option<usize>>,
    /// How many cells a row has, but for empty ones at its end.
    pub(super) width: usize,
    /// Places that the profile does not know.
    pub(super) extra: Vec<usize>,
}

impl Header {
    /// Returns the places where there is no header.
    pub(super) fn absent(profile: &Profile) -> Self {
        let width = profile.columns.len();
        Self {
            places: (0..width).map(Some).collect(),
            width,
            extra: Vec::new(),
        }
    }

    /// Finds each column; tells all faults at once.
    pub(super) fn find(profile: &Profile, cells: &[&str]) -> Result<Self, Vec<FieldError>> {
        let cells: Vec<String> = cells.iter().map(|cell| cell.trim().nfc().collect()).collect();
        let wanted: Vec<String> = profile
            .columns
            .iter()
            .map(|column| column.header.nfc().collect())
            .collect();
        let mut faults = doubled(profile, &wanted, &cells);
        let mut places: Vec<Option<usize>> = wanted
            .iter()
            .map(|header| cells.iter().position(|cell| cell == header))
            .collect();
        find_in_other_case(profile, &wanted, &cells, &mut places, &mut faults);
        for (column, place) in profile.columns.iter().zip(&places) {
            let told = faults.iter().any(|fault| fault.field == column.header);
            if place.is_none() && column.required && !told {
                faults.push(FieldError::new(&column.header, "is missing"));
            }
        }
        let width = cells
            .iter()
            .rposition(|cell| !cell.is_empty())
            .map_or(0, |last| last + 1);
        let extra = (0..width)
            .filter(|place| !places.contains(&Some(*place)))
            .collect();
        match faults.is_empty() {
            true => Ok(Self { places, width, extra }),
            false => Err(faults),
        }
    }
}

/// Finds headers that stand twice.
fn doubled(profile: &Profile, wanted: &[String], cells: &[String]) -> Vec<FieldError> {
    let mut first: HashMap<&str, usize> = HashMap::new();
    let mut faults = Vec::new();
    for (place, cell) in cells.iter().enumerate().filter(|(_, cell)| !cell.is_empty()) {
        let Some(before) = first.get(cell.as_str()) else {
            first.insert(cell, place);
            continue;
        };
        let known = wanted.iter().position(|header| header == cell);
        let known = known.and_then(|column| profile.columns.get(column));
        let name = known.map_or_else(|| format!("column {}", place + 1), |column| column.header.clone());
        faults.push(FieldError::new(
            name,
            format!("has the same header as column {}", before + 1),
        ));
    }
    faults
}

fn find_in_other_case(
    profile: &Profile,
    wanted: &[String],
    cells: &[String],
    places: &mut [Option<usize>],
    faults: &mut Vec<FieldError>,
) {
    let folded: Vec<String> = cells.iter().map(|cell| cell.to_lowercase()).collect();
    let free: Vec<usize> = (0..cells.len())
        .filter(|place| !places.contains(&Some(*place)))
        .collect();
    let open: Vec<bool> = places.iter().map(Option::is_none).collect();
    let lower: Vec<String> = wanted.iter().map(|header| header.to_lowercase()).collect();
    for (column, place) in places.iter_mut().enumerate().filter(|(_, place)| place.is_none()) {
        let header = lower.get(column);
        let mut found = free.iter().filter(|place| folded.get(**place) == header);
        let rivals = lower
            .iter()
            .zip(&open)
            .filter(|(other, open)| **open && Some(*other) == header)
            .count();
        match (found.next(), found.next()) {
            (Some(only), None) if rivals == 1 => *place = Some(*only),
            (Some(_), _) => {
                let name = profile.columns.get(column).map_or("", |column| &column.header);
                faults.push(FieldError::new(
                    name,
                    "stands in other cases, and it is not clear which one is meant",
                ));
            }
            (None, _) => {}
        }
    }
}
