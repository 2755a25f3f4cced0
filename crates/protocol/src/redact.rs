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
