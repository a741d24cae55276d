//! Works slices of runs with Xledger, and tests whether an integration works.

use shared::model::System;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda::Error> {
    lambda::serve(System::Xledger).await
}
