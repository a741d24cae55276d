//! Works slices of runs with Cornerstone, and tests whether an integration works.

use shared::model::System;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda::Error> {
    lambda::serve(System::Cornerstone).await
}
