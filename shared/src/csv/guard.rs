//! What a spreadsheet takes for a formula, and how it is kept from it.
//!
//! A text that begins with a trigger gets an `'` before it. One that begins with quotes and then a trigger gets one as
//! well: a spreadsheet or an importer that takes quotes off would find the trigger. As the `'` is itself such a quote, no
//! text is both left alone and taken for a neutralised one: taking the guard off gives back what was there.
//!
//! It holds where the file is opened with its own delimiter. A spreadsheet that is told another one cuts cells apart at
//! other places, and no quoting can prevent it.
//!
//! Source: OWASP, "CSV Injection"; CWE-1236; ASVS 5.0, 1.2.10.

use std::borrow::Cow;

/// What a formula begins with, or what is dropped before one.
const TRIGGERS: [char; 12] = ['=', '+', '-', '@', '\t', '\r', '\n', '\0', '＝', '＋', '－', '＠'];

const GUARD: char = '\'';

/// Says whether a spreadsheet might take a text for a formula.
pub(super) fn is_formula(text: &str) -> bool {
    text.trim_start_matches([GUARD, '"']).starts_with(TRIGGERS)
}

/// Returns a text as people may open it.
pub(super) fn put_on(text: &str) -> Cow<'_, str> {
    match is_formula(text) {
        true => format!("{GUARD}{text}").into(),
        false => text.into(),
    }
}

/// Returns the text that [`put_on`] was given.
pub(super) fn take_off(text: &str) -> &str {
    match text.strip_prefix(GUARD) {
        Some(bare) if is_formula(bare) => bare,
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_trigger_is_neutralised_alone_after_a_quote_and_after_several() {
        for trigger in TRIGGERS {
            for before in ["", "'", "\"", "''", "\"'\""] {
                let text = format!("{before}{trigger}1+1");
                assert_eq!(put_on(&text), format!("'{text}"));
                assert_eq!(take_off(&put_on(&text)), text);
            }
        }
    }

    #[test]
    fn a_text_without_a_trigger_is_left_alone_even_with_an_apostrophe() {
        for text in [
            "",
            "'",
            "''",
            "'s-Gravenhage",
            "O'Brien",
            "1-2",
            "a=b",
            "\"sitat\"",
            "–",
            " =1",
            "ÆØÅ",
        ] {
            assert_eq!(put_on(text), text);
            assert_eq!(take_off(text), text);
        }
    }
}
