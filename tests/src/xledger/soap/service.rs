use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{Method, StatusCode};
use jiff::Timestamp;
use uuid::Uuid;

use super::fault::{Fault, result};
use super::gl02xml;
use super::xml::{Element, read};
use crate::wire::{Answer, Request};
use crate::xledger::ledger::Ledger;

/// The namespace of all operations.
pub(super) const NAMESPACE: &str = "http://ws.xledger.net/";

const ENVELOPE: &str = "http://www.w3.org/2003/05/soap-envelope";
const IMPORT_CODES: [&str; 1] = ["GL02XML"];

/// A user with the role "Web Service".
#[derive(Debug, Clone)]
pub struct User {
    /// The name.
    pub name: String,
    /// The password.
    pub password: String,
    /// The codes of the entities whose Web Service access group has the user.
    pub entities: Vec<String>,
}

/// Knows the users and the keys that they were given.
#[derive(Debug)]
pub(in crate::xledger) struct Desk {
    pub(in crate::xledger) users: Vec<User>,
    /// Whose each key is, and until when.
    keys: HashMap<String, (String, Timestamp)>,
}

impl Desk {
    pub(in crate::xledger) fn new(user: User) -> Self {
        Self {
            users: vec![user],
            keys: HashMap::new(),
        }
    }

    /// Makes every key invalid.
    pub(in crate::xledger) fn expire_keys(&mut self) {
        self.keys.clear();
    }

    /// Answers a request to one of the services.
    pub(in crate::xledger) fn answer(
        &mut self,
        ledger: &mut Ledger,
        request: &Request,
        now: Timestamp,
    ) -> Answer {
        let performed = match request.path.rsplit('/').next() {
            _ if request.method != Method::POST => return Answer::empty(StatusCode::METHOD_NOT_ALLOWED),
            _ if !is_soap(request) => return Answer::empty(StatusCode::UNSUPPORTED_MEDIA_TYPE),
            Some("FileUpload.asmx")
                if ledger.settings.certificate_required && request.certificate.is_none() =>
            {
                return Answer::bytes(StatusCode::FORBIDDEN, "403.7 - Client certificate required.");
            }
            Some("FileUpload.asmx") => operation(request, "ReceiveFile")
                .and_then(|message| self.receive_file(ledger, &message, now))
                .map(|told| result("ReceiveFile", &told)),
            _ => operation(request, "LogonKey")
                .and_then(|message| self.logon(ledger, &message, now))
                .map(|key| result("LogonKey", &key)),
        };
        let status = if ledger.settings.faults_in_200 {
            StatusCode::OK
        } else {
            StatusCode::INTERNAL_SERVER_ERROR
        };
        performed.unwrap_or_else(|fault| fault.to_answer(status))
    }

    fn logon(&mut self, ledger: &Ledger, message: &Element, now: Timestamp) -> Result<String, Fault> {
        check_application(ledger, message)?;
        let (name, password) = (parameter(message, "sLogonID")?, parameter(message, "sPassword")?);
        let mut users = self.users.iter();
        let known = users.any(|user| user.name == name && user.password == password);
        if !known && ledger.settings.refusals_as_results {
            return Ok(String::new());
        }
        if !known {
            return Err(Fault::sender("The user name or the password is not valid."));
        }
        let key = Uuid::new_v4().simple().to_string().to_uppercase();
        self.keys
            .insert(key.clone(), (name, now + ledger.settings.key_life));
        Ok(key)
    }

    fn receive_file(&self, ledger: &mut Ledger, message: &Element, now: Timestamp) -> Result<String, Fault> {
        check_application(ledger, message)?;
        let name = parameter(message, "sUserName")?;
        let key = parameter(message, "sKey")?;
        let holder = self.keys.get(&key).filter(|(_, ends_at)| now < *ends_at);
        if holder.is_none_or(|(holder, _)| *holder != name) {
            return Err(Fault::sender("The key is not valid or has expired."));
        }
        let entity = parameter(message, "iEntityCode")?;
        let user = self.users.iter().find(|user| user.name == name);
        if user.is_none_or(|user| !user.entities.contains(&entity)) {
            return Err(Fault::sender("The user has no Web Service access to the entity."));
        }
        let code = parameter(message, "sImportCode")?;
        if !IMPORT_CODES.contains(&code.as_str()) {
            return Err(Fault::sender(&format!("The import code {code} is not known.")));
        }
        let file_name = parameter(message, "sFileName")?;
        let file = STANDARD.decode(parameter(message, "aFile")?);
        let file = file.map_err(|_| Fault::sender("The file is not Base64."))?;
        import(ledger, &file, &entity, now)
            .map_err(|why| Fault::sender(&format!("The file was refused: {why}.")))?;
        ledger.files.push_back(file_name);
        Ok(ledger.next_id().to_string())
    }
}

/// Puts the lines of a file into the queue, all of them or none.
fn import(ledger: &mut Ledger, file: &[u8], entity: &str, now: Timestamp) -> Result<(), String> {
    let drafts = gl02xml::read_file(ledger, file)?;
    let lines: Vec<_> = drafts.into_iter().map(|draft| draft.into_line()).collect();
    if lines.iter().any(|line| line.entity != entity) {
        return Err("an EntityCode is not the entity of the upload".to_owned());
    }
    for line in lines {
        ledger.enqueue(line, now);
    }
    Ok(())
}

fn is_soap(request: &Request) -> bool {
    let kind = request.header("content-type").unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default();
    kind.trim().eq_ignore_ascii_case("application/soap+xml")
}

/// Returns the message of an operation from its envelope.
fn operation(request: &Request, name: &str) -> Result<Element, Fault> {
    let unreadable = |why: &str| Fault::sender(&format!("Server was unable to read request: {why}."));
    let envelope = read(&request.body).map_err(|why| unreadable(&why))?;
    if !envelope.is(ENVELOPE, "Envelope") {
        return Err(unreadable("the root is no envelope of SOAP 1.2"));
    }
    let body = envelope.children.iter().find(|child| child.is(ENVELOPE, "Body"));
    let message = body.and_then(|body| body.children.first());
    let message = message.filter(|message| message.is(NAMESPACE, name));
    message
        .cloned()
        .ok_or_else(|| unreadable(&format!("the body is no {name} of {NAMESPACE}")))
}

fn parameter(message: &Element, name: &str) -> Result<String, Fault> {
    let found = message.children.iter().find(|child| child.is(NAMESPACE, name));
    found
        .map(|child| child.text.clone())
        .filter(|text| !text.is_empty())
        .ok_or_else(|| Fault::sender(&format!("The parameter {name} is missing.")))
}

fn check_application(ledger: &Ledger, message: &Element) -> Result<(), Fault> {
    let application = parameter(message, "sApplication")?;
    let known = application == ledger.settings.application;
    known
        .then_some(())
        .ok_or_else(|| Fault::sender(&format!("The application {application} is not served here.")))
}
