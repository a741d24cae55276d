//! The least that a function does which takes webhooks: it sends the body to the queue, and answers 202. Nothing is verified.
//!
//! The benchmark lays the function `webhooks` beside it.

use lambda_http::aws_lambda_events::apigw::{ApiGatewayV2httpRequest, ApiGatewayV2httpResponse};
use lambda_runtime::{Error, LambdaEvent, service_fn};
use shared::clients::Clients;
use shared::config::{Environment as _, ProcessEnvironment};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let client = &Clients::from_environment(&ProcessEnvironment).sqs();
    let url = ProcessEnvironment.variable("DYNAMICS365_QUEUE_URL");
    let url = &url.ok_or("DYNAMICS365_QUEUE_URL is not set")?;
    let answer = |event: LambdaEvent<ApiGatewayV2httpRequest>| async move {
        let event = event.payload;
        let id = event.headers.get("webhook-id").ok_or("there is no id")?;
        let message = client
            .send_message()
            .queue_url(url)
            .message_group_id("webhooks")
            .message_deduplication_id(id.to_str()?)
            .message_body(event.body.unwrap_or_default());
        message.send().await?;
        let mut answer = ApiGatewayV2httpResponse::default();
        answer.status_code = 202;
        Ok::<_, Error>(answer)
    };
    lambda_runtime::run(service_fn(answer)).await
}
