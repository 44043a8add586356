//! Numbers of `serde_json`. With its feature `arbitrary_precision` they are strings in a struct with a private name. A
//! build without the feature would take that struct for an object, so they are written as what they are: numbers.
use serde::{Serialize, Serializer};

/// The name of the struct and of its field.
pub(super) const NAME: &str = "$serde_json::private::Number";
/// The name of the struct for raw JSON.
pub(super) const RAW: &str = "$serde_json::private::RawValue";

/// A number that is exactly the one in a text.
#[derive(Debug, PartialEq)]
pub(super) enum Number {
    Unsigned(u128),
    Signed(i128),
    Float(f64),
}

impl Number {
    /// Returns the number in a text of JSON, if there is a type that holds exactly this one.
    pub fn exactly(text: &str) -> Option<Number> {
        if let Ok(number) = text.parse() {
            return Some(Number::Unsigned(number));
        }
        // `-0` is a float.
        if let Ok(number) = text.parse::<i128>()
            && number != 0
        {
            return Some(Number::Signed(number));
        }
        let number: f64 = text
            .parse()
            .ok()
            .filter(|number: &f64| number.is_finite())?;
        (digits(text)? == digits(&format!("{number:e}"))?).then_some(Number::Float(number))
    }
}

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match *self {
            Number::Unsigned(number) => serializer.serialize_u128(number),
            Number::Signed(number) => serializer.serialize_i128(number),
            Number::Float(number) => serializer.serialize_f64(number),
        }
    }
}

/// Returns the digits of a decimal number without zeros around them, and the power of ten of the last digit.
fn digits(text: &str) -> Option<(String, i64)> {
    let text = text.trim_start_matches('-');
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i64>().ok()?),
        None => (text, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all = format!("{whole}{fraction}");
    let without_end = all.trim_end_matches('0');
    if without_end.is_empty() {
        return Some((String::new(), 0));
    }
    let zeros = (all.len() - without_end.len()) as i64;
    let power = exponent
        .checked_sub(fraction.len() as i64)?
        .checked_add(zeros)?;
    Some((without_end.trim_start_matches('0').to_owned(), power))
}

#[cfg(test)]
mod tests {
    use super::Number;

    #[test]
    fn exact_numbers_are_known_and_no_others() {
        let exactly = Number::exactly;
        assert_eq!(exactly("7"), Some(Number::Unsigned(7)));
        assert_eq!(exactly("-7"), Some(Number::Signed(-7)));
        let most = u128::MAX.to_string();
        assert_eq!(exactly(&most), Some(Number::Unsigned(u128::MAX)));
        for (text, number) in [
            ("1.5", 1.5),
            ("1.50", 1.5),
            ("0.1", 0.1),
            ("-0", -0.0),
            ("-0.0", -0.0),
            ("1e300", 1e300),
            ("1E+3", 1000.0),
            ("2.5e-3", 0.0025),
            ("0e9999", 0.0),
        ] {
            assert_eq!(exactly(text), Some(Number::Float(number)), "{text}");
        }
        for text in [
            "0.1000000000000000055511151231257827",
            "1e400",
            "1e-400",
            "123456789.123456789123456789",
            "1e99999999999999999999",
            "x",
            "",
        ] {
            assert_eq!(exactly(text), None, "{text}");
        }
        assert_eq!(exactly(&format!("{most}0")), None);
    }
}
