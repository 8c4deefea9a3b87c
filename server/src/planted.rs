//! Bugs that are planted on purpose, to see that the tests find them (tests/README.md). Only a
//! build with the feature `planted` can have one; everywhere else asking for it is a constant.

/// Whether the code is to have this bug.
#[cfg(not(feature = "planted"))]
pub(crate) const fn is(_bug: &str) -> bool {
    false
}

/// Whether the code is to have this bug: the one that `SOTTO_PLANTED` names.
#[cfg(feature = "planted")]
pub(crate) fn is(bug: &str) -> bool {
    static PLANTED: std::sync::OnceLock<Option<String>> = std::sync::OnceLock::new();
    let planted = PLANTED.get_or_init(|| std::env::var("SOTTO_PLANTED").ok());
    planted.as_deref() == Some(bug)
}

#[cfg(all(feature = "planted", not(debug_assertions)))]
compile_error!("a build for people must not be able to have planted bugs");
