//! The least that a program does which reads all contacts: HTTP, JSON, typed rows, the next link.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Result;
use crate::dataverse::Connection;

/// Names the columns that the adapter reads, as a program would that knows them.
macro_rules! contact {
    ($($field:ident: $type:ty = $column:literal,)*) => {
        /// A contact; written without the columns that have no value.
        #[derive(Debug, Deserialize, Serialize)]
        pub(crate) struct Contact {
            pub(crate) contactid: String,
            $(
                #[serde(rename = $column, skip_serializing_if = "Option::is_none")]
                pub(crate) $field: Option<$type>,
            )*
        }
    };
}

contact! {
    etag: String = "@odata.etag",
    first_name: String = "firstname",
    middle_name: String = "middlename",
    last_name: String = "lastname",
    birth_date: String = "birthdate",
    gender: i64 = "gendercode",
    email: String = "emailaddress1",
    phone: String = "telephone1",
    mobile_phone: String = "mobilephone",
    address: String = "address1_line1",
    postal_code: String = "address1_postalcode",
    city: String = "address1_city",
    country: String = "address1_country",
    certification_status: String = "hlf_certificationstatus",
    certification_valid_to: String = "hlf_certificationvalidto",
    do_not_email: bool = "donotemail",
    number: String = "hlf_memberno",
    state: i64 = "statecode",
    modified_on: String = "modifiedon",
    modified_by: String = "_modifiedby_value",
    merged: bool = "merged",
    master: String = "_masterid_value",
}

/// A page of contacts.
#[derive(Debug, Deserialize)]
pub(crate) struct Page {
    pub(crate) value: Vec<Contact>,
    #[serde(rename = "@odata.nextLink")]
    pub(crate) next: Option<String>,
}

/// Reads contacts, signed in.
#[derive(Debug)]
pub(crate) struct Bare {
    client: reqwest::Client,
    bearer: String,
}

impl Bare {
    /// Signs in.
    pub(crate) async fn connect(connection: &Connection) -> Result<Self> {
        let Connection {
            base_url,
            tenant,
            client_id,
            client_secret,
            scope,
        } = connection;
        let client = client()?;
        let ask = client
            .post(format!("{base_url}/{tenant}/oauth2/v2.0/token"))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(format!(
                "grant_type=client_credentials&client_id={client_id}&client_secret={client_secret}&scope={scope}"
            ));
        let answer: Value = ask.send().await?.error_for_status()?.json().await?;
        let token = answer["access_token"]
            .as_str()
            .ok_or("the answer holds no token")?;
        let bearer = format!("Bearer {token}");
        Ok(Self { client, bearer })
    }

    /// Reads one page, asking for it as the adapter does.
    pub(crate) async fn page(&self, url: &str) -> Result<Page> {
        let ask = self
            .client
            .get(url)
            .header("authorization", &self.bearer)
            .header("accept", "application/json")
            .header("odata-version", "4.0")
            .header("odata-maxversion", "4.0")
            .header("if-none-match", "null")
            .header("prefer", "odata.track-changes,odata.maxpagesize=5000");
        let body = ask.send().await?.error_for_status()?.bytes().await?;
        Ok(serde_json::from_slice(&body)?)
    }

    /// Reads all pages, handing each over.
    pub(crate) async fn pull_all(&self, first: &str, mut take: impl FnMut(Vec<Contact>)) -> Result<()> {
        let mut link = Some(first.to_owned());
        while let Some(url) = link {
            let page = self.page(&url).await?;
            take(page.value);
            link = page.next;
        }
        Ok(())
    }
}

/// Makes a client as it comes, which takes gzip by itself.
#[expect(
    clippy::disallowed_methods,
    reason = "the comparison is with a client as it comes"
)]
pub(crate) fn client() -> Result<reqwest::Client> {
    // Whoever comes first chooses; the service would choose the same.
    rustls::crypto::ring::default_provider().install_default().ok();
    Ok(reqwest::Client::builder().no_proxy().build()?)
}
