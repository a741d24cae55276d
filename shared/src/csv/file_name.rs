//! Names of files, made of ids that are known to be plain.

use std::fmt;
use std::str::FromStr;

use jiff::civil::Date;

use crate::model::{IdError, OrganizationId, RunId};
use crate::norwegian;

/// What a file holds, such as `reimbursements`: 1 to 32 of a-z, 0-9 and -, a letter first, and no number of a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Feed(Box<str>);

impl FromStr for Feed {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        let begins = text.starts_with(|letter: char| letter.is_ascii_lowercase());
        let fits = begins && text.len() <= 32 && text.bytes().all(plain);
        match fits && norwegian::find(text).next().is_none() {
            true => Ok(Self(text.into())),
            false => Err(IdError::new(
                "feed",
                "1 to 32 of a-z, 0-9 and -, a letter first, and no number of a person",
            )),
        }
    }
}

impl fmt::Display for Feed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Names a file: organization, what it holds, the day it is of, and the run that made it, as in
/// `hlf_reimbursements_20260131_0194c2b0-….csv`.
///
/// None of the parts has a dot, a slash or an underscore, so that the name stays in its folder, is none that Windows keeps for
/// itself, and comes apart again. Both ids are ones of the platform: nothing of a person is in it.
#[must_use]
pub fn file_name(organization: &OrganizationId, feed: &Feed, date: Date, run: &RunId) -> String {
    let day = date.strftime("%Y%m%d");
    format!("{organization}_{}_{day}_{run}.csv", feed.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_name_is_plain_and_none_that_a_system_reserves() {
        let run = RunId::at("2026-01-31T00:00:00Z".parse().unwrap());
        for organization in ["hlf", "con", "nul", "com1", "-", "a-b"] {
            let organization: OrganizationId = organization.parse().unwrap();
            let name = file_name(
                &organization,
                &"gl02b".parse().unwrap(),
                jiff::civil::date(2026, 1, 31),
                &run,
            );
            let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
            assert!(name.chars().all(plain), "{name}");
            assert_eq!(name, format!("{organization}_gl02b_20260131_{run}.csv"));
            // Windows reserves what stands before the first dot.
            let stem = name.split('.').next().unwrap();
            assert!(stem.len() > 40 && name.len() <= 255 && name.matches('.').count() == 1);
        }
    }

    #[test]
    fn nothing_that_leaves_its_folder_or_names_a_person_becomes_a_part_of_a_file_name() {
        for bad in [
            "",
            "..",
            "../x",
            "a/b",
            "a\\b",
            "a.b",
            "a:b",
            "a b",
            "a\0",
            "å",
            "A",
            "1a",
            "-a",
            "a\u{202e}b",
            "a_b",
            "m-12345678901",
            "m123456-78901",
            &"a".repeat(33),
        ] {
            assert!(bad.parse::<Feed>().is_err(), "{bad}");
        }
        for bad in [
            "../hlf", "hlf/..", "hlf\\x", "HLF", "h.lf", "h_lf", "ålf", "hlf\n",
        ] {
            assert!(bad.parse::<OrganizationId>().is_err(), "{bad}");
        }
        for bad in ["../1", "1/2", "å", "ola.nordmann"] {
            assert!(bad.parse::<RunId>().is_err(), "{bad}");
        }
    }
}
