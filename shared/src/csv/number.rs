//! Numbers, exact: a decimal is a whole number of its column's smallest unit.
//!
//! Nothing is rounded, and no thousands are set apart. Digits are written in full: `1234,50` with two decimals, `-0,05`, and
//! zero without a sign. Fewer decimals than the column has are read, more are refused, even if they are zero.

use rust_decimal::Decimal;

/// The most decimals that a column can have.
pub(super) const MOST_DECIMALS: u32 = 28;

/// Returns a decimal as a whole number of units of 10^-scale, unless that would take rounding.
pub(super) fn units(decimal: Decimal, scale: u32) -> Option<i128> {
    let (mantissa, own) = (decimal.mantissa(), decimal.scale());
    if own <= scale {
        return mantissa.checked_mul(power(scale - own)?);
    }
    let power = power(own - scale)?;
    (mantissa % power == 0).then_some(mantissa / power)
}

/// Returns the decimal that is a whole number of units, if it has 28 digits or fewer, or 29 of the lower half.
pub(super) fn decimal(units: i128, scale: u32) -> Option<Decimal> {
    Decimal::try_from_i128_with_scale(units, scale).ok()
}

const fn power(exponent: u32) -> Option<i128> {
    10_i128.checked_pow(exponent)
}

/// Writes a whole number of units.
pub(super) fn write(units: i128, scale: u32, mark: char, out: &mut String) {
    let width = scale as usize + 1;
    let size = units.unsigned_abs();
    let digits = match u64::try_from(size) {
        Ok(small) => format!("{small:0width$}"),
        Err(_) => format!("{size:0width$}"),
    };
    let (whole, decimals) = digits.split_at(digits.len().saturating_sub(scale as usize));
    if units < 0 {
        out.push('-');
    }
    out.push_str(whole);
    if scale > 0 {
        out.push(mark);
        out.push_str(decimals);
    }
}

/// Reads a number as units; `None` where it is none, has too many decimals, or too many digits.
pub(super) fn read(text: &str, scale: u32, mark: char) -> Option<i128> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, decimals) = match digits.split_once(mark) {
        Some((_, "")) => return None,
        Some((whole, decimals)) => (whole, decimals),
        None => (digits, ""),
    };
    if whole.is_empty() || decimals.len() > scale as usize {
        return None;
    }
    let mut units: i128 = 0;
    for byte in whole.bytes().chain(decimals.bytes()) {
        let digit = byte.is_ascii_digit().then(|| i128::from(byte - b'0'))?;
        units = units.checked_mul(10)?.checked_add(digit)?;
    }
    let missing = u32::try_from(decimals.len()).ok()?;
    let units = units.checked_mul(power(scale - missing)?)?;
    Some(if digits.len() < text.len() { -units } else { units })
}

/// Reads a whole number.
pub(super) fn integer(text: &str) -> Option<i64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str, scale: u32) -> Option<String> {
        let mut out = String::new();
        write(units(text.parse().unwrap(), scale)?, scale, ',', &mut out);
        Some(out)
    }

    #[test]
    fn amounts_are_written_in_full_and_none_is_rounded() {
        let cases = [
            ("0", 2, Some("0,00")),
            ("-0.00", 2, Some("0,00")),
            ("-1234.5", 2, Some("-1234,50")),
            ("-0.05", 2, Some("-0,05")),
            ("0.005", 2, None),
            ("0.0050", 3, Some("0,005")),
            ("1000000000000", 2, Some("1000000000000,00")),
            ("7", 0, Some("7")),
            ("0.12345678901234567890", 20, Some("0,12345678901234567890")),
            (
                "79228162514264337593543950335",
                0,
                Some("79228162514264337593543950335"),
            ),
            (
                "0.0000000000000000000000000001",
                28,
                Some("0,0000000000000000000000000001"),
            ),
        ];
        for (text, scale, expected) in cases {
            assert_eq!(written(text, scale).as_deref(), expected, "{text} with {scale}");
        }
    }

    #[test]
    fn only_the_declared_form_of_a_number_is_read() {
        for good in ["0", "-1234,50", "1234,5", "007", "999999999999,99", "-0,00"] {
            assert!(read(good, 2, ',').is_some(), "{good}");
        }
        let bad = [
            "",
            "-",
            ",",
            ",5",
            "5,",
            "1.5",
            "1,234",
            "1 234,50",
            "1\u{a0}234",
            "+1",
            "--1",
            "1-",
            "1e3",
            "0x1",
            "NaN",
            "−1",
            "１",
            "1,5,0",
            "1,-5",
            " 1",
            "1 ",
            "'1",
        ];
        for bad in bad {
            assert_eq!(read(bad, 2, ','), None, "{bad}");
        }
        assert_eq!(read(&"9".repeat(60), 2, ','), None);
    }

    #[test]
    fn a_whole_number_has_digits_and_at_most_a_minus() {
        assert_eq!(integer("-42"), Some(-42));
        assert_eq!(integer("9223372036854775807"), Some(i64::MAX));
        for bad in ["", "-", "+1", "1,0", "1.0", "9223372036854775808", " 1", "٣"] {
            assert_eq!(integer(bad), None, "{bad}");
        }
    }
}
