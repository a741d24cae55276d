//! What a function answers.

use aws_lambda_events::sqs::SqsBatchResponse;
use bytes::Bytes;
use http::Response;
use lambda_http::Body;
use lambda_http::aws_lambda_events::apigw::{ApiGatewayV2httpRequest, ApiGatewayV2httpResponse};
use serde::Serialize;
use serde_json::Value;
use shared::api::Api;

use crate::request::request;

/// What a function answers to whatever woke it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Output {
    /// The answer to a request.
    Http(Box<ApiGatewayV2httpResponse>),
    /// The messages that failed.
    Queue(SqsBatchResponse),
    /// The result of an operation.
    Other(Value),
}

/// Answers a request by the routes of a function.
pub async fn answer(api: &Api, event: ApiGatewayV2httpRequest) -> Output {
    let response = match request(event) {
        Ok(request) => api.answer(request).await,
        Err(problem) => api.refuse(&problem),
    };
    Output::Http(Box::new(encoded(response)))
}

/// Every answer of the API is text.
fn encoded(response: Response<Bytes>) -> ApiGatewayV2httpResponse {
    let (head, body) = response.into_parts();
    let mut event = ApiGatewayV2httpResponse::default();
    event.status_code = head.status.as_u16().into();
    event.headers = head.headers;
    event.body = (!body.is_empty()).then(|| Body::Text(String::from_utf8_lossy(&body).into_owned()));
    event
}
