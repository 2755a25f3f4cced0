//! `cargo xtask codegen`: the wire types in TypeScript. The content is made by the crate `protocol`; this only puts it
//! where the page looks for it.

use crate::process::root;
use anyhow::{Context, Result, bail};
use std::fs;

const FILE: &str = "ui/src/wire/generated.ts";

/// Writes the file, or with `check` only compares it.
pub(crate) fn run(check: bool) -> Result<()> {
    let path = root().join(FILE);
    let made = protocol::typescript::module();
    let found = fs::read_to_string(&path).unwrap_or_default();
    if found == made {
        return Ok(());
    }
    if check {
        bail!("{FILE} does not match crates/protocol; run `cargo xtask codegen` and commit the file");
    }
    fs::write(&path, made).with_context(|| format!("cannot write {FILE}"))?;
    eprintln!("wrote {FILE}");
    Ok(())
}
