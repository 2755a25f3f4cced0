//! docs/wire.md describes the hearing channel. It names the protocol version and a fingerprint of the wire types, so that
//! nobody changes the types without reading the description again.

use super::Source;

const FILE: &str = "docs/wire.md";

pub(super) fn check(sources: &[Source]) -> Option<String> {
    let wanted = line(
        protocol::PROTOCOL_VERSION,
        fingerprint(protocol::typescript::module().as_bytes()),
    );
    let Some(source) = sources.iter().find(|source| source.path == FILE) else {
        return Some(format!("{FILE} is missing"));
    };
    if source.text.lines().any(|line| line == wanted) {
        return None;
    }
    Some(format!(
        "{FILE}: the wire types changed. Read it against crates/protocol, raise PROTOCOL_VERSION if an older program \
         would misunderstand, then put this line in it:\n{wanted}"
    ))
}

fn line(version: u32, fingerprint: u64) -> String {
    format!("Protocol version {version}, types {fingerprint:016x}.")
}

/// FNV-1a, 64 bits: tells texts apart, protects nothing.
fn fingerprint(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fingerprint_is_fnv_1a() {
        // Test vectors of the authors, draft-eastlake-fnv, appendix C.
        assert_eq!(fingerprint(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fingerprint(b"a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(fingerprint(b"foobar"), 0x8594_4171_f739_67e8);
    }
}
