//! Rules for one file at a time: module docs, lengths, what it imports, and what must not be in a public repository.

use super::Source;

const RUST_LINES: usize = 900;
const VUE_LINES: usize = 300;

/// The only folder of the page that knows there is a shell or a media library.
const HOST_FOLDER: &str = "ui/src/host/";
const HOST_PACKAGES: [&str; 2] = [concat!("@tauri-", "apps/"), concat!("livekit-", "client")];

/// Folders and hosts of one machine or one network; split so that this file does not find itself.
const PRIVATE: [&str; 9] = [
    concat!("/wo", "rk/main"),
    concat!("/wo", "rk/shared"),
    concat!("/ro", "ot/"),
    concat!("/tmp/", "team"),
    concat!("/tmp/", "logs"),
    concat!("registry.", "npmjs"),
    concat!("static.", "crates.io"),
    concat!("files.", "pythonhosted"),
    concat!("deb.", "debian.org"),
];

pub(super) fn check(source: &Source) -> Vec<String> {
    let path = source.path.as_str();
    let lines = source.text.lines().count();
    let mut findings = Vec::new();
    if path.ends_with(".rs") {
        if let Some(missing) = module_doc(&source.text) {
            findings.push(format!("{path}: {missing}"));
        }
        if lines > RUST_LINES {
            findings.push(format!(
                "{path}: {lines} lines, {RUST_LINES} at most: split it by subject"
            ));
        }
    }
    if path.ends_with(".vue") && lines > VUE_LINES {
        findings.push(format!(
            "{path}: {lines} lines, {VUE_LINES} at most: split it by subject"
        ));
    }
    if path.starts_with("ui/src/") && !path.starts_with(HOST_FOLDER) {
        for package in HOST_PACKAGES {
            if imports(&source.text, package) {
                findings.push(format!("{path}: only {HOST_FOLDER} may import {package}"));
            }
        }
    }
    for private in PRIVATE {
        if source.text.contains(private) {
            findings.push(format!(
                "{path}: contains {private:?}, which is of one machine or network"
            ));
        }
    }
    findings
}

/// What is wrong with how a Rust file begins.
fn module_doc(text: &str) -> Option<&'static str> {
    let Some(doc) = text.lines().next().and_then(|line| line.strip_prefix("//!")) else {
        return Some("does not open with `//!`: say what it is and what it never does");
    };
    let doc = doc.trim().to_lowercase();
    let unsaid = ["", "todo", "fixme", "placeholder"];
    unsaid
        .contains(&doc.trim_end_matches([':', '.']))
        .then_some("its `//!` says nothing yet")
}

fn imports(text: &str, package: &str) -> bool {
    text.lines().any(|line| {
        let line = line.trim_start();
        let import = line.starts_with("import ") || line.contains(" from ") || line.starts_with("} from ");
        let import = import || line.contains("import(");
        import
            && [format!("'{package}"), format!("\"{package}")]
                .iter()
                .any(|quoted| line.contains(quoted))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(path: &str, text: &str) -> usize {
        check(&Source {
            path: path.to_owned(),
            text: text.to_owned(),
        })
        .len()
    }

    #[test]
    fn a_module_says_what_it_is() {
        assert_eq!(findings("crates/a/src/b.rs", "//! Rooms.\n"), 0);
        assert_eq!(findings("crates/a/src/b.rs", "use std::fs;\n"), 1);
        assert_eq!(findings("crates/a/src/b.rs", "//! FIXME.\n"), 1);
        assert_eq!(findings("crates/a/src/b.rs", ""), 1);
    }

    #[test]
    fn long_files_are_found() {
        assert_eq!(
            findings("a.rs", &format!("//! Long.\n{}", "\n".repeat(RUST_LINES))),
            1
        );
        assert_eq!(findings("a.vue", &"\n".repeat(VUE_LINES)), 0);
        assert_eq!(findings("a.vue", &"\n".repeat(VUE_LINES + 1)), 1);
    }

    #[test]
    fn only_the_host_imports_the_shell() {
        let import = format!("import {{ Room }} from '{}';\n", HOST_PACKAGES[1]);
        assert_eq!(findings("ui/src/host/browser.ts", &import), 0);
        assert_eq!(findings("ui/src/stores/hearing.ts", &import), 1);
        assert_eq!(
            findings("ui/src/stores/hearing.ts", "// what livekit calls a room\n"),
            0
        );
    }
}
