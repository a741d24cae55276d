//! Amounts of money: exact decimals in a currency, with as many decimals as the currency has.
//!
//! Nothing is rounded but where a method says so. There are no floating-point numbers here, nor where money goes.
//!
//! Source: ISO 4217 list one, amendments up to the Bulgarian lev's end in January 2026.

#![deny(clippy::float_arithmetic, clippy::disallowed_types)]

use std::fmt;
use std::str::FromStr;

use rust_decimal::{Decimal, RoundingStrategy};
use serde::{Deserialize, Serialize};

/// The currencies in use, by how many decimals they have.
const CURRENCIES: [(u32, &str); 4] = [
    (
        0,
        "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    ),
    (
        2,
        "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY COP \
         CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR \
         IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN \
         NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP \
         STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VED VES WST XAD XCD XCG YER ZAR ZMW ZWG",
    ),
    (3, "BHD IQD JOD KWD LYD OMR TND"),
    (4, "CLF UYW"),
];

/// The most digits before the decimal point: an amount times a rate is then still exact.
const MAX_WHOLE: usize = 15;
const LIMIT: u64 = 1_000_000_000_000_000;

/// An ISO 4217 currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Currency {
    code: &'static str,
    scale: u32,
}

/// An exact amount in a currency, with exactly the decimals that the currency has.
///
/// # Shape
///
/// `"101.00 NOK"` in rows; `"101.00"` where the currency stands beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Money {
    amount: Decimal,
    currency: Currency,
}

/// A rate of value added tax, in per cent: from 0 to 100 with at most four decimals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Rate(Decimal);

/// Why something is not an amount of money.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// It is not written as one.
    #[error(
        "must be an amount such as \"101.00\": digits and a decimal point, with no exponent and no grouping"
    )]
    Form,
    /// It is finer than the currency.
    #[error("has more decimals than {0} has, which is {1}")]
    Decimals(Currency, u32),
    /// It is larger than any amount that is booked.
    #[error("must have at most {MAX_WHOLE} digits before the decimal point")]
    TooLarge,
    /// Amounts of two currencies do not add up.
    #[error("is in {0}, and the others are in {1}")]
    Currencies(Currency, Currency),
    /// There is no such currency.
    #[error("must be a currency of ISO 4217, such as NOK")]
    UnknownCurrency,
    /// It is not a rate of tax.
    #[error("must be a rate in per cent from 0 to 100, such as \"25\" or \"11.11\"")]
    Rate,
}

impl Currency {
    /// Returns the three letters.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.code
    }

    /// Returns how many decimals an amount has.
    #[must_use]
    pub const fn scale(self) -> u32 {
        self.scale
    }
}

impl Money {
    /// Reads an amount as it is written beside its currency; fewer decimals than the currency has are filled up.
    ///
    /// # Errors
    ///
    /// `Form`, `Decimals`, `TooLarge`.
    pub fn parse(text: &str, currency: Currency) -> Result<Self, MoneyError> {
        let digits = text.strip_prefix('-').unwrap_or(text);
        let (whole, decimals) = match digits.split_once('.') {
            Some((_, "")) => return Err(MoneyError::Form),
            Some(parts) => parts,
            None => (digits, ""),
        };
        let plain = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        let canonical = !whole.is_empty() && (whole == "0" || !whole.starts_with('0'));
        if !canonical || !plain(whole) || !plain(decimals) {
            return Err(MoneyError::Form);
        }
        if whole.len() > MAX_WHOLE {
            return Err(MoneyError::TooLarge);
        }
        if decimals.len() > currency.scale as usize {
            return Err(MoneyError::Decimals(currency, currency.scale));
        }
        let amount = Decimal::from_str_exact(text).map_err(|_| MoneyError::Form)?;
        Self::new(amount, currency)
    }

    /// Makes an amount of so many of the currency's smallest unit.
    ///
    /// # Errors
    ///
    /// `TooLarge`.
    pub fn of_minor(units: i64, currency: Currency) -> Result<Self, MoneyError> {
        Self::new(Decimal::new(units, currency.scale), currency)
    }

    /// Returns nothing, in a currency.
    #[must_use]
    pub fn zero(currency: Currency) -> Self {
        let amount = Decimal::new(0, currency.scale);
        Self { amount, currency }
    }

    /// `amount` has no more decimals than the currency.
    fn new(mut amount: Decimal, currency: Currency) -> Result<Self, MoneyError> {
        if amount.abs() >= Decimal::from(LIMIT) {
            return Err(MoneyError::TooLarge);
        }
        amount.rescale(currency.scale);
        if amount.is_zero() {
            // There is one zero, and it has no sign.
            amount.set_sign_positive(true);
        }
        Ok(Self { amount, currency })
    }

    /// Returns the currency.
    #[must_use]
    pub const fn currency(self) -> Currency {
        self.currency
    }

    /// Returns the canonical text without the currency: `"101.00"`.
    #[must_use]
    pub fn amount(self) -> String {
        self.amount.to_string()
    }

    /// Says whether it is nothing.
    #[must_use]
    pub fn is_zero(self) -> bool {
        self.amount.is_zero()
    }

    /// Says whether it is less than nothing.
    #[must_use]
    pub fn is_negative(self) -> bool {
        self.amount.is_sign_negative()
    }

    /// Returns the same amount the other way.
    #[must_use]
    pub fn negated(self) -> Self {
        let amount = if self.is_zero() { self.amount } else { -self.amount };
        Self { amount, ..self }
    }

    /// Adds two amounts.
    ///
    /// # Errors
    ///
    /// `Currencies`, `TooLarge`.
    pub fn plus(self, other: Self) -> Result<Self, MoneyError> {
        if self.currency != other.currency {
            return Err(MoneyError::Currencies(other.currency, self.currency));
        }
        let sum = self.amount.checked_add(other.amount);
        Self::new(sum.ok_or(MoneyError::TooLarge)?, self.currency)
    }

    /// Adds amounts up; no amounts are nothing.
    ///
    /// # Errors
    ///
    /// As [`Money::plus`].
    pub fn sum(currency: Currency, amounts: impl IntoIterator<Item = Self>) -> Result<Self, MoneyError> {
        amounts.into_iter().try_fold(Self::zero(currency), Self::plus)
    }

    /// Returns the tax that an amount contains: `amount × rate / (100 + rate)`.
    ///
    /// Rounded to the currency's decimals, half away from zero, so that a credit has exactly the tax of its debit. The
    /// rest, the net, is what is left of the amount: the two always add up.
    #[must_use]
    pub fn tax_contained(self, rate: Rate) -> Self {
        let exact = self.amount * rate.0 / (Decimal::ONE_HUNDRED + rate.0);
        let strategy = RoundingStrategy::MidpointAwayFromZero;
        let rounded = exact.round_dp_with_strategy(self.currency.scale, strategy);
        // A part of an amount is no larger than the amount.
        Self::new(rounded, self.currency).unwrap_or_else(|_| Self::zero(self.currency))
    }
}

impl Rate {
    /// Says whether no tax is due.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.0.is_zero()
    }
}

impl FromStr for Rate {
    type Err = MoneyError;

    fn from_str(text: &str) -> Result<Self, MoneyError> {
        let plain = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        let ends = text.starts_with('.') || text.ends_with('.');
        let rate = Decimal::from_str_exact(text).map_err(|_| MoneyError::Rate)?;
        let fits = plain && !ends && rate <= Decimal::ONE_HUNDRED && rate.scale() <= 4;
        fits.then(|| Self(rate.normalize())).ok_or(MoneyError::Rate)
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.amount, self.currency)
    }
}

impl FromStr for Money {
    type Err = MoneyError;

    fn from_str(text: &str) -> Result<Self, MoneyError> {
        let (amount, currency) = text.split_once(' ').ok_or(MoneyError::Form)?;
        Self::parse(amount, currency.parse()?)
    }
}

impl TryFrom<String> for Money {
    type Error = MoneyError;

    fn try_from(text: String) -> Result<Self, MoneyError> {
        text.parse()
    }
}

impl From<Money> for String {
    fn from(money: Money) -> Self {
        money.to_string()
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code)
    }
}

impl FromStr for Currency {
    type Err = MoneyError;

    fn from_str(text: &str) -> Result<Self, MoneyError> {
        let of_scale = |(scale, codes): &(u32, &'static str)| {
            let scale = *scale;
            let code = codes.split_ascii_whitespace().find(|code| *code == text)?;
            Some(Self { code, scale })
        };
        CURRENCIES
            .iter()
            .find_map(of_scale)
            .ok_or(MoneyError::UnknownCurrency)
    }
}

impl TryFrom<String> for Currency {
    type Error = MoneyError;

    fn try_from(text: String) -> Result<Self, MoneyError> {
        text.parse()
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> Self {
        currency.code.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn money(text: &str) -> Money {
        text.parse().unwrap()
    }

    fn parse(text: &str, currency: &str) -> Result<String, MoneyError> {
        Money::parse(text, currency.parse().unwrap()).map(Money::amount)
    }

    #[test]
    fn an_amount_has_as_many_decimals_as_its_currency() {
        for (text, currency, canonical) in [
            ("101", "NOK", "101.00"),
            ("101.5", "NOK", "101.50"),
            ("0", "NOK", "0.00"),
            ("-0.00", "NOK", "0.00"),
            ("-0.01", "NOK", "-0.01"),
            ("1000000000000", "NOK", "1000000000000.00"),
            ("999999999999999.99", "NOK", "999999999999999.99"),
            ("7", "JPY", "7"),
            ("7.5", "KWD", "7.500"),
            ("1.2345", "CLF", "1.2345"),
        ] {
            assert_eq!(
                parse(text, currency).as_deref(),
                Ok(canonical),
                "{text} {currency}"
            );
        }
    }

    #[test]
    fn what_would_have_to_be_rounded_is_refused() {
        let decimals = |text, currency: &str, scale| {
            let expected = MoneyError::Decimals(currency.parse().unwrap(), scale);
            assert_eq!(parse(text, currency), Err(expected), "{text}");
        };
        decimals("0.005", "NOK", 2);
        decimals("0.000", "NOK", 2);
        decimals("1.0", "JPY", 0);
        decimals("1.0005", "KWD", 3);
        decimals("0.12345678901234567890", "NOK", 2);
    }

    #[test]
    fn what_is_not_plain_digits_is_refused() {
        for text in [
            "", "-", "1e3", "1E3", "NaN", "inf", "1,50", "1 000", "+1", ".5", "5.", "01", "00.10", "--1",
            "1.-5", "1_0", "٣", "0x1", " 1", "1\n", "1.5.0",
        ] {
            assert_eq!(parse(text, "NOK"), Err(MoneyError::Form), "{text:?}");
        }
        assert_eq!(parse("1000000000000000", "NOK"), Err(MoneyError::TooLarge));
    }

    #[test]
    fn every_currency_is_there_once_and_a_wrong_one_is_not_there() {
        let all: Vec<&str> = CURRENCIES
            .iter()
            .flat_map(|(_, codes)| codes.split_whitespace())
            .collect();
        let different: std::collections::BTreeSet<_> = all.iter().collect();
        assert_eq!((all.len(), different.len()), (159, 159));
        for wrong in ["nok", "NO", "NOKK", "", "XXX", "NOK SEK", " "] {
            assert_eq!(
                wrong.parse::<Currency>(),
                Err(MoneyError::UnknownCurrency),
                "{wrong:?}"
            );
        }
    }

    #[test]
    fn an_amount_reads_back_as_it_was_written() {
        for text in ["101.00 NOK", "-3 JPY", "0.001 KWD"] {
            let json = serde_json::to_string(&money(text)).unwrap();
            assert_eq!(json, format!("\"{text}\""));
            assert_eq!(serde_json::from_str::<Money>(&json).unwrap(), money(text));
        }
        assert!(
            serde_json::from_str::<Money>("101.00").is_err(),
            "a number is no amount"
        );
    }

    #[test]
    fn sums_are_exact_and_refuse_what_does_not_add_up() {
        let thirds = std::iter::repeat_n(money("0.01 NOK"), 300);
        assert_eq!(Money::sum("NOK".parse().unwrap(), thirds), Ok(money("3.00 NOK")));
        let mixed = money("1.00 NOK").plus(money("1.00 SEK"));
        assert!(matches!(mixed, Err(MoneyError::Currencies(..))));
        let most = money("999999999999999.99 NOK");
        assert_eq!(most.plus(money("0.01 NOK")), Err(MoneyError::TooLarge));
        assert_eq!(money("0.00 NOK").negated(), money("0.00 NOK"));
    }

    #[test]
    fn the_tax_that_an_amount_contains_is_rounded_half_away_from_zero() {
        for (gross, rate, tax) in [
            ("125.00 NOK", "25", "25.00 NOK"),
            ("101.00 NOK", "25", "20.20 NOK"),
            ("0.02 NOK", "25", "0.00 NOK"),
            // 0.005 exactly, and the same the other way.
            ("0.03 NOK", "20", "0.01 NOK"),
            ("-0.03 NOK", "20", "-0.01 NOK"),
            ("0.15 NOK", "11.1111", "0.01 NOK"),
            ("112.00 NOK", "12", "12.00 NOK"),
            ("99.99 NOK", "15", "13.04 NOK"),
            ("99.99 NOK", "0", "0.00 NOK"),
            ("1 JPY", "100", "1 JPY"),
            ("3 JPY", "100", "2 JPY"),
            ("-1 JPY", "100", "-1 JPY"),
            ("1.001 KWD", "5", "0.048 KWD"),
            ("-101.00 NOK", "25", "-20.20 NOK"),
        ] {
            assert_eq!(
                money(gross).tax_contained(rate.parse().unwrap()),
                money(tax),
                "{gross} {rate}"
            );
        }
    }

    #[test]
    fn a_rate_is_a_share_in_per_cent() {
        assert_eq!("25.00".parse::<Rate>(), "25".parse::<Rate>());
        for wrong in ["", "-1", "100.01", "0.12345", "1e1", "25 %", ".5", "5."] {
            assert_eq!(wrong.parse::<Rate>(), Err(MoneyError::Rate), "{wrong}");
        }
    }
}
