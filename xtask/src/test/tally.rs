//! How many tests passed, failed and were skipped, read from what the test runners print.

use std::ops::AddAssign;

/// Numbers of tests.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(crate) struct Tally {
    pub(crate) passed: u32,
    pub(crate) failed: u32,
    pub(crate) skipped: u32,
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

impl std::fmt::Display for Tally {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{} passed, {} failed, {} skipped",
            self.passed, self.failed, self.skipped
        )
    }
}

/// A test that cannot run here prints this and its reason, and returns.
const SKIPPED_ALOUD: &str = "SKIPPED: ";

/// Lines that name a test which did not run: one that said so itself, or one marked `#[ignore]`, with its reason.
pub(crate) fn did_not_run(line: &str) -> bool {
    line.contains(SKIPPED_ALOUD)
        || (line.starts_with("test ") && (line.ends_with(" ... ignored") || line.contains(" ... ignored, ")))
}

/// True when cargo's test harness wrote into a log, whatever it had to run.
pub(crate) fn a_harness_ran(log: &str) -> bool {
    log.lines().any(|line| line.starts_with("test result: "))
}

/// Adds up what cargo's test harness and Vitest say in a log.
pub(crate) fn read(log: &str) -> Tally {
    let mut tally = Tally::default();
    let mut aloud = 0;
    for line in log.lines() {
        let line = without_colours(line);
        let line = line.trim();
        let rust = line.strip_prefix("test result: ");
        let vitest = line.strip_prefix("Tests ").filter(|rest| rest.ends_with(')'));
        if let Some(counts) = rust.or(vitest) {
            tally.passed += number_before(counts, "passed");
            tally.failed += number_before(counts, "failed");
            tally.skipped += number_before(counts, "ignored") + number_before(counts, "skipped");
        } else if line.contains(SKIPPED_ALOUD) {
            aloud += 1;
        }
    }
    // The harness counts a test that returned early as passed.
    tally.passed = tally.passed.saturating_sub(aloud);
    tally.skipped += aloud;
    tally
}

fn number_before(text: &str, word: &str) -> u32 {
    let words: Vec<&str> = text
        .split([' ', ';', '|', '.'])
        .filter(|word| !word.is_empty())
        .collect();
    words
        .windows(2)
        .filter(|pair| pair[1] == word)
        .filter_map(|pair| pair[0].parse::<u32>().ok())
        .sum()
}

/// Drops SGR sequences (ECMA-48 §8.3.117).
fn without_colours(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut parts = line.split("\u{1b}[");
    out.push_str(parts.next().unwrap_or_default());
    for part in parts {
        out.push_str(part.split_once('m').map_or(part, |(_, rest)| rest));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cargo_and_vitest_are_added_up() {
        let log = "\
running 3 tests
test result: ok. 2 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s
test result: FAILED. 4 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s
 Test Files  3 passed (3)
\u{1b}[2m      Tests \u{1b}[22m \u{1b}[1m\u{1b}[32m12 passed\u{1b}[39m\u{1b}[22m | 2 skipped (14)
";
        assert_eq!(
            read(log),
            Tally {
                passed: 18,
                failed: 1,
                skipped: 3
            }
        );
    }

    #[test]
    fn a_test_that_says_why_it_is_skipped_is_not_counted_as_passed() {
        let log = "\
test peers::ours_through_the_real_server ... SKIPPED: no Go here
ok
test result: ok. 3 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s
";
        assert_eq!(
            read(log),
            Tally {
                passed: 2,
                failed: 0,
                skipped: 1
            }
        );
    }
}
