//! Tokens, with which clients show who they are over TCP.
use crate::api::Role;
use sha2::{Digest, Sha256};
use std::fmt;
use std::str::FromStr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use subtle::ConstantTimeEq;

/// The greatest number of characters of an id.
const LONGEST: usize = 64;
/// The number of seconds of a day.
const DAY: u64 = 86_400;

/// A line of a file of tokens: `ci operate 2027-01-31 5e88…`.
///
/// The file of a host has a line for each token: an id, the [role](Role), the day on which it expires (at its begin, in
/// UTC) or `never`, and the SHA-256 of the token in hexadecimal digits. Empty lines and lines that begin with `#` mean
/// nothing. Nobody can use a token who has read its line.
///
/// ```
/// use hotswap_control::TokenLine;
/// use hotswap_control::api::Role;
/// use std::time::SystemTime;
///
/// let token = "a long and random text";
/// let line = TokenLine::new("ci", Role::Operate, None, token)?;
/// assert!(line.fits(token) && !line.fits("another text"));
/// assert!(!line.has_expired(SystemTime::now()));
/// assert_eq!(line.to_string().parse(), Ok(line));
/// # Ok::<(), hotswap_control::InvalidToken>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct TokenLine {
    id: String,
    role: Role,
    /// The day, counted from 1970.
    expires: Option<u64>,
    hash: [u8; 32],
}

/// The reason why a line is not that of a token.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidToken {
    /// The line does not have four words.
    #[error(
        "write an id, a role, a day such as 2027-01-31 or `never`, and the SHA-256 of the token"
    )]
    Words,
    /// The id has other characters, or too many.
    #[error(
        "{0:?} is no id of a token, which has 1 to 64 letters, digits, and characters of `-_.@`"
    )]
    Id(String),
    /// There is no such role.
    #[error("{0:?} is no role; write look, operate, or administer")]
    Role(String),
    /// There is no such day.
    #[error("{0:?} is no day such as 2027-01-31, and not `never`")]
    Day(String),
    /// That is not a hash.
    #[error("the last word is not a SHA-256, which has 64 hexadecimal digits")]
    Hash,
}

impl TokenLine {
    /// Returns the line of a token. It expires at the begin of the day of this time, if there is one.
    ///
    /// # Errors
    /// The id has other characters than letters, digits, and those of `-_.@`, or too many.
    pub fn new(
        id: &str,
        role: Role,
        expires: Option<SystemTime>,
        token: &str,
    ) -> Result<Self, InvalidToken> {
        let is_allowed = |c: char| c.is_ascii_alphanumeric() || "-_.@".contains(c);
        if !(1..=LONGEST).contains(&id.len()) || !id.chars().all(is_allowed) {
            return Err(InvalidToken::Id(id.to_owned()));
        }
        Ok(TokenLine {
            id: id.to_owned(),
            role,
            expires: expires.map(day),
            hash: hash(token),
        })
    }

    /// The id, which the audit has.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What the token allows.
    pub fn role(&self) -> Role {
        self.role
    }

    /// Returns true if this is the token. The time that this takes does not depend on how much of it is right.
    pub fn fits(&self, token: &str) -> bool {
        self.hash.ct_eq(&hash(token)).into()
    }

    /// Returns true if the token does not count any more.
    pub fn has_expired(&self, now: SystemTime) -> bool {
        self.expires.is_some_and(|expires| day(now) >= expires)
    }
}

impl FromStr for TokenLine {
    type Err = InvalidToken;

    fn from_str(line: &str) -> Result<Self, InvalidToken> {
        let words: Vec<_> = line.split_whitespace().collect();
        let [id, role, expires, digits] = words[..] else {
            return Err(InvalidToken::Words);
        };
        let role = Role::of(role).ok_or_else(|| InvalidToken::Role(role.to_owned()))?;
        let expires = match expires {
            "never" => None,
            text => Some(day_of(text).ok_or_else(|| InvalidToken::Day(text.to_owned()))?),
        };
        let hash = bytes_of(digits).ok_or(InvalidToken::Hash)?;
        let line = TokenLine::new(id, role, None, "")?;
        Ok(TokenLine {
            expires,
            hash,
            ..line
        })
    }
}

impl fmt::Display for TokenLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} ", self.id, self.role)?;
        match self.expires {
            Some(day) => {
                let (year, month, day) = date_of(day);
                write!(f, "{year:04}-{month:02}-{day:02} ")?;
            }
            None => f.write_str("never ")?,
        }
        self.hash
            .iter()
            .try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for TokenLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TokenLine({self})")
    }
}

fn hash(token: &str) -> [u8; 32] {
    Sha256::digest(token).into()
}

fn bytes_of(digits: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    if digits.len() != 64 || !digits.is_ascii() {
        return None;
    }
    for (byte, at) in bytes.iter_mut().zip((0..64).step_by(2)) {
        *byte = u8::from_str_radix(&digits[at..at + 2], 16).ok()?;
    }
    Some(bytes)
}

/// Returns the day of a time, counted from 1970.
fn day(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    since.as_secs() / DAY
}

/// Returns the day of a date, counted from 1970.
fn day_of(date: &str) -> Option<u64> {
    let mut parts = date.splitn(3, '-');
    let mut number = |digits: usize| -> Option<u64> {
        let part = parts.next()?;
        let is_number = part.len() == digits && part.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then(|| part.parse().ok())?
    };
    let (year, month, day) = (number(4)?, number(2)?, number(2)?);
    if year < 1970 {
        return None;
    }
    let months = month.checked_sub(1).filter(|before| *before < 12)?;
    let before = (1970..year).map(days_of_year).sum::<u64>();
    let before = before
        + (0..months)
            .map(|month| days_of_month(year, month))
            .sum::<u64>();
    let day = day.checked_sub(1)?;
    (day < days_of_month(year, months)).then_some(before + day)
}

/// Returns the year, month, and day of a day that is counted from 1970.
fn date_of(mut day: u64) -> (u64, u64, u64) {
    let mut year = 1970;
    while day >= days_of_year(year) {
        day -= days_of_year(year);
        year += 1;
    }
    let mut month = 0;
    while day >= days_of_month(year, month) {
        day -= days_of_month(year, month);
        month += 1;
    }
    (year, month + 1, day + 1)
}

fn is_leap(year: u64) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

fn days_of_year(year: u64) -> u64 {
    365 + u64::from(is_leap(year))
}

/// Returns the length of a month, of which the first one has number 0.
fn days_of_month(year: u64, month: u64) -> u64 {
    match month {
        1 => 28 + u64::from(is_leap(year)),
        3 | 5 | 8 | 10 => 30,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use super::{InvalidToken, TokenLine, date_of, day_of};
    use crate::api::Role;
    use std::time::{Duration, UNIX_EPOCH};

    /// That of `secret`, as `sha256sum` prints it.
    const HASH: &str = "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b";

    #[test]
    fn lines_are_read_and_others_are_refused() {
        let line: TokenLine = format!("ci operate 2027-01-31 {HASH}").parse().unwrap();
        assert_eq!((line.id(), line.role()), ("ci", Role::Operate));
        assert!(line.fits("secret") && !line.fits("secret ") && !line.fits(""));
        let read = |line: &str| line.replace("HASH", HASH).parse::<TokenLine>().unwrap_err();
        assert_eq!(read("ci operate HASH"), InvalidToken::Words);
        assert_eq!(read("c:i look never HASH"), InvalidToken::Id("c:i".into()));
        assert_eq!(
            read("ci root never HASH"),
            InvalidToken::Role("root".into())
        );
        assert_eq!(read("ci look never abc"), InvalidToken::Hash);
        assert_eq!(read("ci look never HASHa"), InvalidToken::Hash);
        for day in [
            "2027-1-31",
            "2027-02-29",
            "2027-00-01",
            "2027-13-01",
            "soon",
            "1969-12-31",
        ] {
            let found = read(&format!("ci look {day} HASH"));
            assert_eq!(found, InvalidToken::Day(day.into()));
        }
    }

    #[test]
    fn a_token_expires_with_the_day() {
        let line: TokenLine = format!("ci look 2024-03-01 {HASH}").parse().unwrap();
        // `date -u -d 2024-03-01 +%s`
        let begin = UNIX_EPOCH + Duration::from_secs(1_709_251_200);
        assert!(!line.has_expired(begin - Duration::from_secs(1)));
        assert!(line.has_expired(begin));
        let never: TokenLine = format!("ci look never {HASH}").parse().unwrap();
        assert!(!never.has_expired(begin));
    }

    #[test]
    fn each_day_has_its_date() {
        assert_eq!(day_of("1970-01-01"), Some(0));
        assert_eq!(day_of("2000-02-29"), Some(11_016));
        for day in 0..60_000 {
            let (year, month, of_month) = date_of(day);
            let date = format!("{year:04}-{month:02}-{of_month:02}");
            assert_eq!(day_of(&date), Some(day), "{date}");
        }
    }
}
