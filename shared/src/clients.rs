//! The clients of AWS: the one place that builds them.

use std::time::Duration;

use aws_config::environment::EnvironmentVariableCredentialsProvider;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_dynamodb::config::SharedCredentialsProvider;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};

use crate::config::Environment;

/// How often a request is sent at the most: what is throttled gets up to five seconds to pass.
const MAX_ATTEMPTS: u32 = 8;
const FIRST_BACKOFF: Duration = Duration::from_millis(50);
const LONGEST_BACKOFF: Duration = Duration::from_secs(2);
const CONNECT: Duration = Duration::from_secs(2);
const ATTEMPT: Duration = Duration::from_secs(5);
/// A request with all its repetitions: three of them, one after the other, fit in a slice.
const OPERATION: Duration = Duration::from_secs(15);
/// As above, for 64 MiB on the line of a small function.
const FILE_ATTEMPT: Duration = Duration::from_secs(12);
const FILE_OPERATION: Duration = Duration::from_secs(25);

/// Makes clients that share connections, credentials and deadlines.
///
/// Region and credentials are taken from the variables that Lambda sets, and the endpoint from `AWS_ENDPOINT_URL`
/// where it is set. The SDK's own search, through profiles and the metadata of machines, is left out: on a cold start
/// every look counts, and every place to look weighs in the binary.
/// Trust is in the machine's own root certificates: to load them costs a millisecond, and they are renewed with
/// the runtime.
#[derive(Debug, Clone)]
pub struct Clients {
    config: SdkConfig,
}

impl Clients {
    /// Reads the variables and prepares the connections; sends nothing.
    #[must_use]
    pub fn from_environment(environment: &dyn Environment) -> Self {
        let http = aws_smithy_http_client::Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring));
        let credentials = EnvironmentVariableCredentialsProvider::new();
        let mut config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(environment.variable("AWS_REGION").map(Region::new))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .retry_config(retries())
            .timeout_config(timeouts())
            .http_client(http.build_https());
        config.set_endpoint_url(environment.variable("AWS_ENDPOINT_URL"));
        Self {
            config: config.build(),
        }
    }

    /// Makes clients of a configuration that was put together elsewhere, such as that of a test.
    #[must_use]
    pub const fn new(config: SdkConfig) -> Self {
        Self { config }
    }

    /// Makes a client of DynamoDB.
    #[must_use]
    pub fn dynamodb(&self) -> aws_sdk_dynamodb::Client {
        aws_sdk_dynamodb::Client::new(&self.config)
    }

    /// Makes a client of SQS.
    #[must_use]
    pub fn sqs(&self) -> aws_sdk_sqs::Client {
        aws_sdk_sqs::Client::new(&self.config)
    }

    /// Makes a client of Secrets Manager.
    #[must_use]
    pub fn secrets_manager(&self) -> aws_sdk_secretsmanager::Client {
        aws_sdk_secretsmanager::Client::new(&self.config)
    }

    /// Makes a client of KMS.
    #[must_use]
    pub fn kms(&self) -> aws_sdk_kms::Client {
        aws_sdk_kms::Client::new(&self.config)
    }

    /// Makes a client of EventBridge Scheduler.
    #[must_use]
    pub fn scheduler(&self) -> aws_sdk_scheduler::Client {
        aws_sdk_scheduler::Client::new(&self.config)
    }

    /// Makes a client of S3: files take longer than rows, and an emulator has no names for its buckets.
    #[must_use]
    pub fn s3(&self) -> aws_sdk_s3::Client {
        let timeouts = timeouts().to_builder().operation_attempt_timeout(FILE_ATTEMPT);
        let config = aws_sdk_s3::config::Builder::from(&self.config)
            .timeout_config(timeouts.operation_timeout(FILE_OPERATION).build())
            .force_path_style(self.config.endpoint_url().is_some());
        aws_sdk_s3::Client::from_conf(config.build())
    }

    /// Makes a client of EventBridge.
    #[must_use]
    pub fn eventbridge(&self) -> aws_sdk_eventbridge::Client {
        aws_sdk_eventbridge::Client::new(&self.config)
    }
}

/// Says how requests to AWS are repeated: with jitter, and not without end.
#[must_use]
pub fn retries() -> RetryConfig {
    RetryConfig::standard()
        .with_max_attempts(MAX_ATTEMPTS)
        .with_initial_backoff(FIRST_BACKOFF)
        .with_max_backoff(LONGEST_BACKOFF)
}

/// Says how long requests to AWS may take, well within the minute that a slice has.
#[must_use]
pub fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(CONNECT)
        .operation_attempt_timeout(ATTEMPT)
        .operation_timeout(OPERATION)
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::config::ProcessEnvironment;

    #[test]
    fn the_clients_take_their_deadlines_and_retries_with_them() {
        let client = Clients::from_environment(&ProcessEnvironment).dynamodb();
        let retries = client.config().retry_config().expect("retries are set");
        let timeouts = client.config().timeout_config().expect("deadlines are set");
        assert_eq!(retries.max_attempts(), MAX_ATTEMPTS);
        assert!(timeouts.operation_timeout().expect("there is an end") < Duration::from_secs(60));
    }
}
