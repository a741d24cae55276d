//! Dates in the declared form, and in no other.

use std::fmt::Write as _;

use jiff::civil::Date;

use super::dialect::DateForm;

impl DateForm {
    /// Returns the form as settings and people know it.
    pub(super) const fn shown(self) -> &'static str {
        match self {
            Self::DayMonthYear => "31.01.2026",
            Self::Iso => "2026-01-31",
            Self::Compact => "20260131",
        }
    }

    /// Writes a date; `None` where its year has not four digits.
    pub(super) fn write(self, date: Date, out: &mut String) -> Option<()> {
        let year = u16::try_from(date.year()).ok()?;
        let (month, day) = (date.month().unsigned_abs(), date.day().unsigned_abs());
        let written = match self {
            Self::DayMonthYear => write!(out, "{day:02}.{month:02}.{year:04}"),
            Self::Iso => write!(out, "{year:04}-{month:02}-{day:02}"),
            Self::Compact => write!(out, "{year:04}{month:02}{day:02}"),
        };
        written.ok()
    }

    /// Reads a date.
    pub(super) fn read(self, text: &str) -> Option<Date> {
        let (year, month, day) = match (self, text.as_bytes()) {
            (Self::DayMonthYear, [d, e, b'.', m, n, b'.', year @ ..]) => (year, [*m, *n], [*d, *e]),
            (Self::Iso, [year @ .., b'-', m, n, b'-', d, e]) => (year, [*m, *n], [*d, *e]),
            (Self::Compact, [year @ .., m, n, d, e]) => (year, [*m, *n], [*d, *e]),
            _ => return None,
        };
        let year = <[u8; 4]>::try_from(year).ok()?;
        let part = |digits| i8::try_from(digits).ok();
        let year = i16::try_from(number(&year)?).ok()?;
        Date::new(year, part(number(&month)?)?, part(number(&day)?)?).ok()
    }
}

fn number(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0, |number, byte| {
        let digit = byte.is_ascii_digit().then(|| u32::from(byte - b'0'))?;
        Some(10 * number + digit)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [DateForm; 3] = [DateForm::DayMonthYear, DateForm::Iso, DateForm::Compact];

    #[test]
    fn a_date_is_read_in_its_declared_form_only() {
        let texts = [
            "01.02.2026",
            "01/02/2026",
            "1.2.2026",
            "01.02.26",
            "2026-02-01",
            "20260201",
            "46000",
            "46000,0",
            "",
            "2026-2-1",
            "01.02.2026 00:00",
            "00.00.0000",
            "2026-13-01",
            "20260230",
            "+026-02-01",
            "-026-02-01",
            "1.02.2026 ",
            "１２３４５６７８",
        ];
        for (form, own) in ALL.into_iter().zip(["01.02.2026", "2026-02-01", "20260201"]) {
            for text in texts {
                assert_eq!(form.read(text).is_some(), text == own, "{form:?} {text}");
            }
            assert_eq!(form.read(own), Some(jiff::civil::date(2026, 2, 1)));
        }
    }

    #[test]
    fn every_date_that_is_shown_reads_back() {
        for form in ALL {
            for date in [Date::ZERO, Date::MAX, jiff::civil::date(2028, 2, 29)] {
                let mut text = String::new();
                form.write(date, &mut text).unwrap();
                assert_eq!(form.read(&text), Some(date));
            }
            assert_eq!(form.write(Date::MIN, &mut String::new()), None);
            assert!(form.read(form.shown()).is_some());
        }
    }
}
