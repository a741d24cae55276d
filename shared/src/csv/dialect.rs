//! How a file is written, apart from what stands in it.

use serde::Serialize;

use super::encoding::Encoding;
use super::words::words;
use crate::settings::Section;

words! {
    /// Who opens a file.
    Audience {
        /// People, in a spreadsheet: what it would take for a formula is neutralised.
        People = "people",
        /// A program: every cell is exact or refused.
        Machine = "machine",
    }
}

words! {
    /// What stands between two cells.
    Delimiter {
        /// `;`, as Excel has it where the decimal mark is a comma.
        Semicolon = ";",
        /// `,`, as in RFC 4180.
        Comma = ",",
        /// A tab.
        Tab = "tab",
        /// `|`
        Pipe = "|",
    }
}

words! {
    /// What stands before the decimals.
    DecimalMark {
        /// `,`
        Comma = ",",
        /// `.`
        Point = ".",
    }
}

words! {
    /// How a date is written, always at full length.
    DateForm {
        /// `31.01.2026`
        DayMonthYear = "dd.MM.yyyy",
        /// `2026-01-31`
        Iso = "yyyy-MM-dd",
        /// `20260131`
        Compact = "yyyyMMdd",
    }
}

words! {
    /// What ends a line that is written; a reader takes either, and a lone CR.
    LineEnd {
        /// CR LF
        Crlf = "crlf",
        /// LF
        Lf = "lf",
    }
}

words! {
    /// Which cells are quoted.
    Quoting {
        /// Those that hold a delimiter, a quote or a line end.
        Necessary = "necessary",
        /// All.
        Always = "always",
        /// None: whoever reads takes a quote for a letter, so that a cell that would need them is refused.
        Never = "never",
    }
}

/// How a file is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Dialect {
    pub(super) audience: Audience,
    pub(super) delimiter: Delimiter,
    pub(super) decimal_mark: DecimalMark,
    pub(super) date_form: DateForm,
    pub(super) bom: bool,
    pub(super) line_end: LineEnd,
    pub(super) header: bool,
    pub(super) quoting: Quoting,
    pub(super) encoding: Encoding,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) refuse_formulas: bool,
}

impl Dialect {
    /// Returns what Excel with Norwegian settings opens by a double click, and how it writes "CSV UTF-8".
    #[must_use]
    pub const fn people() -> Self {
        Self {
            audience: Audience::People,
            delimiter: Delimiter::Semicolon,
            decimal_mark: DecimalMark::Comma,
            date_form: DateForm::DayMonthYear,
            bom: true,
            line_end: LineEnd::Crlf,
            header: true,
            quoting: Quoting::Necessary,
            encoding: Encoding::Utf8,
            refuse_formulas: false,
        }
    }

    /// Returns RFC 4180 in UTF-8, with points in numbers and dates as in ISO 8601.
    #[must_use]
    pub const fn machine() -> Self {
        Self {
            audience: Audience::Machine,
            delimiter: Delimiter::Comma,
            decimal_mark: DecimalMark::Point,
            date_form: DateForm::Iso,
            bom: false,
            ..Self::people()
        }
    }

    /// Reads a dialect: `audience` says which preset fills in what is left out.
    pub(super) fn read(section: &Section<'_>) -> Option<Self> {
        let audience = section.required("audience", Audience::accept);
        let usual = match audience {
            Some(Audience::People) => Self::people(),
            _ => Self::machine(),
        };
        let encoding = section
            .text("encoding", Encoding::accept)
            .unwrap_or(usual.encoding);
        let dialect = Self {
            audience: usual.audience,
            delimiter: section
                .text("delimiter", Delimiter::accept)
                .unwrap_or(usual.delimiter),
            decimal_mark: section
                .text("decimalMark", DecimalMark::accept)
                .unwrap_or(usual.decimal_mark),
            date_form: section
                .text("dateForm", DateForm::accept)
                .unwrap_or(usual.date_form),
            bom: section.flag("bom").unwrap_or(usual.bom && encoding.has_mark()),
            line_end: section.text("lineEnd", LineEnd::accept).unwrap_or(usual.line_end),
            header: section.flag("header").unwrap_or(usual.header),
            quoting: section.text("quoting", Quoting::accept).unwrap_or(usual.quoting),
            encoding,
            refuse_formulas: section.flag("refuseFormulas").unwrap_or_default(),
        };
        dialect.find_contradictions(section);
        section.finish();
        audience.map(|_| dialect)
    }

    fn find_contradictions(&self, section: &Section<'_>) {
        if self.bom && !self.encoding.has_mark() {
            section.fault("bom", "is only for utf-8, utf-16le and utf-16be");
        }
        if self.refuse_formulas && self.is_for_people() {
            section.fault(
                "refuseFormulas",
                "is for machines: for people, formulas are neutralised",
            );
        }
        if self.quoting == Quoting::Never && self.mark() == char::from(self.delimiter.byte()) {
            section.fault("decimalMark", "must not be the delimiter where nothing is quoted");
        }
    }

    pub(super) fn is_for_people(&self) -> bool {
        self.audience == Audience::People
    }

    /// Returns the decimal mark.
    pub(super) const fn mark(&self) -> char {
        match self.decimal_mark {
            DecimalMark::Comma => ',',
            DecimalMark::Point => '.',
        }
    }
}

impl Delimiter {
    pub(super) const fn byte(self) -> u8 {
        match self {
            Self::Semicolon => b';',
            Self::Comma => b',',
            Self::Tab => b'\t',
            Self::Pipe => b'|',
        }
    }
}
