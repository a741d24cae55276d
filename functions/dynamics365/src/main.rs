//! Works slices of runs with Dynamics 365, and tests whether an integration works.

use shared::model::System;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda::Error> {
    lambda::serve(System::Dynamics365).await
}
