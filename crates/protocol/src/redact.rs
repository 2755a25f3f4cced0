//! Types for what must not reach a log: names, codes, ID numbers, tokens, addresses.
//!
//! They serialise in full and print as `•••`. Never add `Display` of the content: call [`Secret::expose`] where
//! the value truly goes out, so that a search for `expose` lists every such place.

use serde::{Deserialize, Serialize};
use std::fmt;

macro_rules! redacted {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, Default)]
        #[cfg_attr(feature = "ts", derive(ts_rs::TS))]
        pub struct $name(String);

        impl $name {
            /// Wraps a value so that it cannot be printed by accident.
            pub fn new(value: impl Into<String>) -> Self {
                Self(value.into())
            }

            /// The value itself, for the one place that needs it.
            pub fn expose(&self) -> &str {
                &self.0
            }

            /// True when nothing was entered.
            pub fn is_empty(&self) -> bool {
                self.0.is_empty()
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(•••)"))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("•••")
            }
        }
    };
}

redacted!(
    /// A person's name.
    PersonName
);
redacted!(
    /// An identity card, licence or phone number as typed by its holder.
    IdNumber
);
redacted!(
    /// A bearer token, media token, one-time ticket or password.
    Secret
);
redacted!(
    /// A network address of a person.
    NetAddress
);
redacted!(
    /// What a person wrote: messages, reasons, notes. It is part of the record, not of the log.
    Words
);

impl IdNumber {
    /// Enough to compare with the paper and too little to misuse: the last four characters, and nothing of one that is
    /// hardly longer.
    pub fn masked(&self) -> Self {
        let length = self.0.chars().count();
        let shown = if length >= 8 { 4 } else { 0 };
        let letters = self.0.chars().enumerate();
        Self(
            letters
                .map(|(place, letter)| if place + shown >= length { letter } else { '*' })
                .collect(),
        )
    }
}

impl PersonName {
    /// Enough for its bearer to know it again and too little to be typed from: the first character, and of names longer
    /// than four also the second and the last two (a company, a transcribed name).
    pub fn masked(&self) -> Self {
        let length = self.0.chars().count();
        let (head, tail) = if length > 4 { (2, 2) } else { (1, 0) };
        let shown = |place: usize| place < head || place + tail >= length;
        let letters = self.0.chars().enumerate();
        Self(
            letters
                .map(|(place, letter)| if shown(place) { letter } else { '*' })
                .collect(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::{IdNumber, PersonName};

    #[test]
    fn of_a_masked_number_the_end_is_left() {
        for (number, masked) in [
            ("", ""),
            ("1234567", "*******"),
            ("110101199001011234", "**************1234"),
        ] {
            assert_eq!(IdNumber::new(number).masked().expose(), masked);
        }
    }

    #[test]
    fn a_masked_name_is_known_to_its_bearer_only() {
        for (name, masked) in [
            ("", ""),
            ("张三", "张*"),
            ("张示例", "张**"),
            ("欧阳示例", "欧***"),
            ("示例科技有限公司", "示例****公司"),
        ] {
            assert_eq!(PersonName::new(name).masked().expose(), masked);
        }
    }
}
