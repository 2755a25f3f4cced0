//! At least one example of every variant. Each list is held against the type by a `match` without a wildcard, so a
//! new variant does not compile until it has a name here, and does not pass until it has an example.

pub(crate) mod api;
pub(crate) mod command;
pub(crate) mod event;
pub(crate) mod frame;
pub(crate) mod host;
pub(crate) mod selftest;
pub(crate) mod state;

use protocol::{PersonName, Words};

macro_rules! every_variant {
    ($examples:expr, $type:ident: $($variant:ident)*) => {{
        let examples: Vec<protocol::$type> = $examples;
        fn name(value: &protocol::$type) -> &'static str {
            match value { $(protocol::$type::$variant { .. } => stringify!($variant)),* }
        }
        for variant in [$(stringify!($variant)),*] {
            assert!(
                examples.iter().any(|example| name(example) == variant),
                "no example of {}::{variant}", stringify!($type)
            );
        }
        examples
    }};
}
pub(crate) use every_variant;

pub(crate) fn words(text: &str) -> Words {
    Words::new(text)
}

pub(crate) fn name(text: &str) -> PersonName {
    PersonName::new(text)
}
