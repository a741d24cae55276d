//! Works slices of runs with any other system that has a REST API, and tests whether an integration works.

use shared::model::System;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda::Error> {
    lambda::serve(System::Rest).await
}
