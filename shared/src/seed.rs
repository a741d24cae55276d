//! The seed of a random test, told when it fails.

/// A random seed, or the one that `SEED` names; says which it was if the test panics.
pub(crate) struct Seed(pub(crate) u64);

impl Seed {
    #[expect(clippy::disallowed_methods, reason = "a test's seed is given from outside")]
    pub(crate) fn new() -> Self {
        let given = std::env::var("SEED").ok().and_then(|text| text.parse().ok());
        Self(given.unwrap_or_else(|| fastrand::u64(..)))
    }
}

impl Drop for Seed {
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("failed with SEED={}", self.0);
        }
    }
}
