//! Refusals in the form that the Web API gives them.

use http::StatusCode;
use serde_json::json;
use uuid::Uuid;

use crate::wire::Answer;

/// Describes why a request is refused.
#[derive(Debug, Clone)]
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    pub(crate) code: &'static str,
    pub(crate) message: String,
}

pub(crate) type Outcome<T> = Result<T, Refusal>;

impl Refusal {
    pub(crate) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
        }
    }

    /// Refuses a request whose URL or headers cannot be understood.
    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "0x80060888", message)
    }

    /// Refuses a body that does not fit the table.
    pub(crate) fn payload(entity_set: &str, inner: impl std::fmt::Display) -> Self {
        let message = format!(
            "Error identified in Payload provided by the user for Entity :'{entity_set}', For more information on \
             this error please follow this help link https://go.microsoft.com/fwlink/?linkid=2195293  ---->  \
             InnerException : {inner}"
        );
        Self::new(StatusCode::BAD_REQUEST, "0x80048d19", message)
    }

    pub(crate) fn unknown_segment(segment: &str) -> Self {
        let message = format!("Resource not found for the segment '{segment}'.");
        Self::new(StatusCode::NOT_FOUND, "0x8006088a", message)
    }

    pub(crate) fn unknown_property(property: &str, logical_name: &str) -> Self {
        let message = format!(
            "Could not find a property named '{property}' on type 'Microsoft.Dynamics.CRM.{logical_name}'."
        );
        Self::bad_request(message)
    }

    /// Refuses to write what the platform itself writes.
    pub(crate) fn not_supported(operation: &str, logical_name: &str) -> Self {
        let message = format!(
            "The '{operation}' method does not support entities of type '{logical_name}'. MessageProcessorCache \
             returned MessageProcessor.Empty."
        );
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "0x80040800", message)
    }

    pub(crate) fn no_such_row(logical_name: &str, id: Uuid) -> Self {
        let message = format!("Entity '{logical_name}' With Id = {id} Does Not Exist");
        Self::new(StatusCode::NOT_FOUND, "0x80040217", message)
    }

    pub(crate) fn no_such_key_values(logical_name: &str) -> Self {
        let message =
            format!("A record with the specified key values does not exist in {logical_name} entity");
        Self::new(StatusCode::NOT_FOUND, "0x80060891", message)
    }

    pub(crate) fn precondition(message: &str) -> Self {
        Self::new(StatusCode::PRECONDITION_FAILED, "", message)
    }

    pub(crate) fn method_not_allowed(method: &http::Method) -> Self {
        let message = format!("The requested resource does not support http method '{method}'.");
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "", message)
    }

    /// Returns the answer, with details when annotations are asked for.
    pub(crate) fn to_answer(&self, annotated: bool) -> Answer {
        let mut error = json!({ "code": self.code, "message": self.message });
        if annotated {
            let help = format!(
                "http://go.microsoft.com/fwlink/?LinkID=398563&error=Microsoft.Crm.CrmException%3a{}&client=platform",
                self.code.trim_start_matches("0x")
            );
            error["@Microsoft.PowerApps.CDS.ErrorDetails.OperationStatus"] = "0".into();
            error["@Microsoft.PowerApps.CDS.HelpLink"] = help.into();
            error["@Microsoft.PowerApps.CDS.InnerError.Message"] = self.message.clone().into();
        }
        Answer::json(self.status, &json!({ "error": error }))
    }
}
