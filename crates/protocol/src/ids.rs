//! Identifiers. Each is its own type, so that a seat is never taken for a connection.

use serde::{Deserialize, Serialize};
use std::fmt;

/// An id is at most this long, in bytes of UTF-8. Ids are kept for ever and sent to everybody, so a longer one is refused
/// where it is read.
pub const ID_LIMIT: usize = 64;

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize)]
        #[cfg_attr(feature = "ts", derive(ts_rs::TS))]
        pub struct $name(pub String);

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                if text.is_empty() || text.len() > ID_LIMIT || text.chars().any(char::is_control) {
                    return Err(serde::de::Error::custom("an id is 1 to 64 bytes without control characters"));
                }
                Ok(Self(text))
            }
        }

        impl $name {
            /// The text of the id.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl From<&str> for $name {
            fn from(value: &str) -> Self {
                Self(value.to_owned())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

text_id!(
    /// One scheduled hearing. Also the name of its media room.
    HearingId
);
text_id!(
    /// One invited place in a hearing. Also the person's identity in the media room.
    SeatId
);
text_id!(
    /// One live connection of a seat; a seat has at most one.
    ConnectionId
);
text_id!(
    /// Chosen by the client, unique within the hearing; the same id is carried out once.
    CommandId
);
text_id!(
    /// A request that the court has to decide: a raised hand, leave to withdraw, a screen share.
    RequestId
);

/// Position of an event in the hearing's log, from 1. Zero means "before the first event".
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct Seq(#[cfg_attr(feature = "ts", ts(type = "number"))] pub u64);

/// Milliseconds since the Unix epoch, as the server's clock has them.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct TimeMs(#[cfg_attr(feature = "ts", ts(type = "number"))] pub u64);

impl TimeMs {
    /// Whole milliseconds from `earlier` to `self`; zero when the clock went back.
    pub fn since(self, earlier: TimeMs) -> u64 {
        self.0.saturating_sub(earlier.0)
    }

    /// The time `ms` later.
    pub fn plus(self, ms: u64) -> TimeMs {
        TimeMs(self.0.saturating_add(ms))
    }
}

/// An 8-digit 庭审码: seven digits and a check digit (Luhn, ISO/IEC 7812-1 annex B). Never printed.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct JoinCode([u8; 8]);

/// The text is not an 8-digit code with a right check digit. It does not say which digit is wrong.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct InvalidCode;

impl fmt::Display for InvalidCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a valid hearing code")
    }
}

impl std::error::Error for InvalidCode {}

impl JoinCode {
    /// Reads a code as people type it: spaces, hyphens and full-width digits are allowed.
    pub fn parse(text: &str) -> Result<Self, InvalidCode> {
        let mut digits = [0u8; 8];
        let mut n = 0;
        for c in text.chars() {
            let digit = match c {
                ' ' | '-' | '\u{3000}' | '\u{2014}' => continue,
                '0'..='9' => c as u32 - '0' as u32,
                '\u{ff10}'..='\u{ff19}' => c as u32 - 0xff10,
                _ => return Err(InvalidCode),
            };
            *digits.get_mut(n).ok_or(InvalidCode)? = digit as u8;
            n += 1;
        }
        if n != 8 || luhn_check_digit(&digits[..7]) != digits[7] {
            return Err(InvalidCode);
        }
        Ok(Self(digits))
    }

    /// The code whose first seven digits are those of `number % 10_000_000`.
    pub fn from_number(number: u32) -> Self {
        let mut digits = [0u8; 8];
        let mut rest = number % 10_000_000;
        for place in digits[..7].iter_mut().rev() {
            *place = (rest % 10) as u8;
            rest /= 10;
        }
        digits[7] = luhn_check_digit(&digits[..7]);
        Self(digits)
    }

    /// The eight digits, for an SMS or a hash.
    pub fn expose(&self) -> String {
        self.0.iter().map(|d| char::from(b'0' + d)).collect()
    }
}

fn luhn_check_digit(digits: &[u8]) -> u8 {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(i, &d)| {
            let doubled = u32::from(d) * if i % 2 == 0 { 2 } else { 1 };
            doubled / 10 + doubled % 10
        })
        .sum();
    ((10 - sum % 10) % 10) as u8
}

impl fmt::Debug for JoinCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JoinCode(•••)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_single_wrong_digit_is_noticed() {
        let code = JoinCode::from_number(2_603_180).expose();
        assert!(JoinCode::parse(&code).is_ok());
        for place in 0..8 {
            for digit in b'0'..=b'9' {
                let mut wrong = code.clone().into_bytes();
                if wrong[place] == digit {
                    continue;
                }
                wrong[place] = digit;
                let wrong = String::from_utf8(wrong).expect("digits are UTF-8");
                assert_eq!(JoinCode::parse(&wrong), Err(InvalidCode), "{wrong}");
            }
        }
    }

    #[test]
    fn codes_are_read_as_people_type_them() {
        let code = JoinCode::from_number(1_234_567);
        let plain = code.expose();
        let spaced = format!("{} {}", &plain[..4], &plain[4..]);
        let wide: String = plain
            .chars()
            .map(|c| char::from_u32(c as u32 - 48 + 0xff10).expect("a full-width digit"))
            .collect();
        assert_eq!(JoinCode::parse(&spaced), Ok(code.clone()));
        assert_eq!(JoinCode::parse(&wide), Ok(code));
        for bad in ["", "1234567", "123456789", "abcdefgh", "1234 567x"] {
            assert_eq!(JoinCode::parse(bad), Err(InvalidCode), "{bad}");
        }
    }

    #[test]
    fn an_id_is_short_and_has_no_control_characters() {
        let read = |text: &str| serde_json::from_value::<CommandId>(serde_json::json!(text)).is_ok();
        assert!(read("c1") && read(&"x".repeat(ID_LIMIT)));
        assert!(!read("") && !read(&"x".repeat(ID_LIMIT + 1)) && !read("a\nb"));
    }

    #[test]
    fn secrets_do_not_print() {
        let shown = format!(
            "{:?} {:?} {}",
            JoinCode::from_number(1),
            crate::PersonName::new("张示例"),
            crate::Secret::new("t")
        );
        assert_eq!(shown, "JoinCode(•••) PersonName(•••) •••");
    }
}
