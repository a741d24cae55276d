use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::SignedDuration;
use tests::Simulation;
use tests::xledger::User;

use crate::client::{Client, Reply, books};

const SOAP: &str = "application/soap+xml; charset=utf-8";
pub(crate) const AUTHENTICATION: &str = "WS/Common/Lib/Authentication.asmx";
pub(crate) const UPLOAD: &str = "WS/Common/Lib/FileUpload.asmx";

/// Puts a message into an envelope.
pub(crate) fn envelope(message: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?><soap12:Envelope \
         xmlns:soap12=\"http://www.w3.org/2003/05/soap-envelope\"><soap12:Body>{message}</soap12:Body>\
         </soap12:Envelope>"
    )
}

pub(crate) fn logon(name: &str, password: &str, application: &str) -> String {
    envelope(&format!(
        "<LogonKey xmlns=\"http://ws.xledger.net/\"><sLogonID>{name}</sLogonID><sPassword>{password}</sPassword>\
         <sApplication>{application}</sApplication></LogonKey>"
    ))
}

pub(crate) struct Upload<'a> {
    pub(crate) user: &'a str,
    pub(crate) key: &'a str,
    pub(crate) code: &'a str,
    pub(crate) entity: &'a str,
    pub(crate) file: &'a str,
}

impl Upload<'_> {
    pub(crate) fn envelope(&self) -> String {
        let file = STANDARD.encode(self.file);
        envelope(&format!(
            "<ReceiveFile xmlns=\"http://ws.xledger.net/\"><sUserName>{}</sUserName><sKey>{}</sKey>\
             <sApplication>XLEDGER</sApplication><sFileName>GL02XML_batch-123.xml</sFileName><aFile>{file}</aFile>\
             <sImportCode>{}</sImportCode><iEntityCode>{}</iEntityCode></ReceiveFile>",
            self.user, self.key, self.code, self.entity
        ))
    }
}

pub(crate) fn journal(entity: &str, amounts: &[(&str, &str)]) -> String {
    let entries: String = amounts
        .iter()
        .map(|(account, amount)| {
            format!(
                "<JournalEntry><EntityCode>{entity}</EntityCode><VoucherType>GL</VoucherType>\
                 <FiscalYear>2026</FiscalYear><VoucherDate>20260217</VoucherDate><Account>{account}</Account>\
                 <Posting1>200</Posting1><Text>Fisk &amp; vilt &lt;4711&gt;</Text><Amount>{amount}</Amount>\
                 </JournalEntry>"
            )
        })
        .collect();
    format!("<?xml version=\"1.0\" encoding=\"utf-8\"?><xml><JournalEntries>{entries}</JournalEntries></xml>")
}

pub(crate) async fn send(client: &Client, path: &str, body: String) -> Reply {
    client.post(path, &[("content-type", SOAP)], body).await.unwrap()
}

/// Returns the text of an element that has no other in it.
pub(crate) fn text<'a>(reply: &'a Reply, element: &str) -> &'a str {
    let (_, rest) = reply
        .text
        .split_once(&format!("<{element}"))
        .unwrap_or_else(|| panic!("{}", reply.text));
    let (_, rest) = rest.split_once('>').unwrap();
    rest.split_once('<').unwrap().0
}

pub(crate) fn reason(reply: &Reply) -> &str {
    assert_eq!(reply.header("content-type"), SOAP, "{}", reply.text);
    assert!(reply.text.contains("<soap:Value>soap:"), "{}", reply.text);
    text(reply, "soap:Text")
}

pub(crate) async fn key(simulation: &Simulation, client: &Client) -> (User, String) {
    let user = simulation.xledger().user();
    let reply = send(
        client,
        AUTHENTICATION,
        logon(&user.name, &user.password, "XLEDGER"),
    )
    .await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    (user, text(&reply, "LogonKeyResult").to_owned())
}

/// Books whose uploads want no certificate.
async fn open() -> (Simulation, Client) {
    let (simulation, client) = books().await;
    simulation
        .xledger()
        .change(|settings| settings.certificate_required = false);
    (simulation, client)
}

#[tokio::test]
async fn a_key_is_given_for_a_name_and_a_password() {
    let (simulation, client) = books().await;
    let (user, key) = key(&simulation, &client).await;
    assert!(!key.is_empty());
    for body in [
        logon(&user.name, "wrong", "XLEDGER"),
        logon("nobody", &user.password, "XLEDGER"),
        logon(&user.name, &user.password, "XLEDGERDEMO"),
        logon(&user.name, "", "XLEDGER"),
    ] {
        let reply = send(&client, AUTHENTICATION, body).await;
        assert_eq!(reply.status, 500);
        assert!(!reason(&reply).is_empty());
    }
    simulation
        .xledger()
        .change(|settings| settings.application = "XLEDGERDEMO".to_owned());
    let demo = logon(&user.name, &user.password, "XLEDGERDEMO");
    assert_eq!(send(&client, AUTHENTICATION, demo).await.status, 200);
}

#[tokio::test]
async fn a_password_travels_escaped() {
    let (simulation, client) = books().await;
    simulation.xledger().add_user(User {
        name: "ola".to_owned(),
        password: "a<b>&\"c'".to_owned(),
        entities: Vec::new(),
    });
    let escaped = logon("ola", "a&lt;b&gt;&amp;&quot;c&#39;", "XLEDGER");
    assert_eq!(send(&client, AUTHENTICATION, escaped).await.status, 200);
    let raw = logon("ola", "a<b>&\"c'", "XLEDGER");
    let reply = send(&client, AUTHENTICATION, raw).await;
    assert!(reason(&reply).starts_with("Server was unable to read request"));
}

#[tokio::test]
async fn what_is_no_message_of_soap_is_refused() {
    let (simulation, client) = books().await;
    let user = simulation.xledger().user();
    let good = logon(&user.name, &user.password, "XLEDGER");
    let doctype = good.replace("?><soap12", "?><!DOCTYPE x [<!ENTITY e \"boom\">]><soap12");
    let eleven = good.replace(
        "http://www.w3.org/2003/05/soap-envelope",
        "http://schemas.xmlsoap.org/soap/envelope/",
    );
    let elsewhere = good.replace("http://ws.xledger.net/", "http://elsewhere.example/");
    for body in [String::new(), "<a>".to_owned(), doctype, eleven, elsewhere] {
        let reply = send(&client, AUTHENTICATION, body).await;
        assert_eq!(reply.status, 500);
        assert!(reason(&reply).starts_with("Server was unable to read request"));
    }
    let headers = [("content-type", "text/xml")];
    assert_eq!(
        client
            .post(AUTHENTICATION, &headers, good.clone())
            .await
            .unwrap()
            .status,
        415
    );
    assert_eq!(
        send(&client, "WS/Common/Lib/Nothing.asmx", good).await.status,
        404
    );
}

#[tokio::test]
async fn a_refusal_comes_as_a_fault_in_200_or_as_an_empty_key_where_set_so() {
    let (simulation, client) = books().await;
    let wrong = || logon("nobody", "wrong", "XLEDGER");
    simulation
        .xledger()
        .change(|settings| settings.faults_in_200 = true);
    let reply = send(&client, AUTHENTICATION, wrong()).await;
    assert_eq!(reply.status, 200);
    assert!(reason(&reply).contains("password"));
    simulation
        .xledger()
        .change(|settings| settings.refusals_as_results = true);
    let reply = send(&client, AUTHENTICATION, wrong()).await;
    assert_eq!((reply.status, text(&reply, "LogonKeyResult")), (200, ""));
}

#[tokio::test]
async fn a_file_goes_into_the_same_queue_and_is_posted_by_the_same_job() {
    let (simulation, client) = open().await;
    let (user, key) = key(&simulation, &client).await;
    let file = journal("23001", &[("7140", "101.00"), ("2910", "-101.00")]);
    let upload = Upload {
        user: &user.name,
        key: &key,
        code: "GL02XML",
        entity: "23001",
        file: &file,
    };
    let reply = send(&client, UPLOAD, upload.envelope()).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    assert!(!text(&reply, "ReceiveFileResult").is_empty());
    let rows = client.nodes("glImportItems", "text amount").await;
    assert_eq!(rows.len(), 2);
    assert_eq!(rows[0]["text"], "Fisk & vilt <4711>");
    assert_eq!(simulation.xledger().run_job().posted, 1);
    send(&client, UPLOAD, upload.envelope()).await;
    assert_eq!(
        simulation.xledger().run_job().posted,
        1,
        "nobody sees that a file comes twice"
    );
    assert_eq!(simulation.xledger().files().len(), 2);
}

#[tokio::test]
async fn a_file_with_an_unknown_code_is_taken_and_stays_in_the_queue() {
    let (simulation, client) = open().await;
    let (user, key) = key(&simulation, &client).await;
    let file = journal("23001", &[("9999", "101.00"), ("2910", "-101.00")]);
    let upload = Upload {
        user: &user.name,
        key: &key,
        code: "GL02XML",
        entity: "23001",
        file: &file,
    };
    assert_eq!(send(&client, UPLOAD, upload.envelope()).await.status, 200);
    assert_eq!(simulation.xledger().run_job().refused, 1);
    assert!(simulation.xledger().errors()[0].message.contains("9999"));
}

#[tokio::test]
async fn an_upload_that_is_not_right_in_every_parameter_is_refused() {
    let (simulation, client) = open().await;
    let (user, key) = key(&simulation, &client).await;
    let file = journal("23001", &[("7140", "101.00")]);
    let good = Upload {
        user: &user.name,
        key: &key,
        code: "GL02XML",
        entity: "23001",
        file: &file,
    };
    let good = good.envelope();
    for (from, to, why) in [
        (user.name.as_str(), "nobody", "key"),
        (key.as_str(), "wrong", "key"),
        (key.as_str(), "", "sKey is missing"),
        ("GL02XML<", "LG11<", "import code"),
        ("23001<", "23002<", "no Web Service access"),
        (">XLEDGER<", ">XLEDGERDEMO<", "application"),
        ("<aFile>", "<aFile>*", "Base64"),
        ("sFileName", "sName", "sFileName is missing"),
    ] {
        let reply = send(&client, UPLOAD, good.replace(from, to)).await;
        assert_eq!(reply.status, 500);
        assert!(reason(&reply).contains(why), "{why}: {}", reply.text);
    }
    assert!(simulation.xledger().queue().is_empty());
}

#[tokio::test]
async fn a_file_that_is_wrong_in_one_entry_is_refused_as_a_whole() {
    let (simulation, client) = open().await;
    let (user, key) = key(&simulation, &client).await;
    let good = journal("23001", &[("7140", "101.00"), ("2910", "-101.00")]);
    for (file, why) in [
        (good.replace("-101.00", "-101,00"), "amount"),
        (journal("23002", &[("7140", "101.00")]), "EntityCode"),
        (good.replace("Posting1", "Posting9"), "Posting9"),
        (good.replace("20260217", "2026-02-17"), "VoucherDate"),
        (good.replace(">2026<", ">2025<"), "FiscalYear"),
        (good.replace("<Account>2910", "<Account>"), "Account is missing"),
        ("no XML".to_owned(), "refused"),
        (String::new(), "aFile is missing"),
    ] {
        let upload = Upload {
            user: &user.name,
            key: &key,
            code: "GL02XML",
            entity: "23001",
            file: &file,
        };
        let reply = send(&client, UPLOAD, upload.envelope()).await;
        assert_eq!(reply.status, 500);
        assert!(reason(&reply).contains(why), "{why}: {}", reply.text);
    }
    assert!(simulation.xledger().queue().is_empty());
}

#[tokio::test]
async fn a_key_ends_after_a_while_or_when_it_is_taken_back() {
    let (simulation, client) = open().await;
    let file = journal("23001", &[("7140", "101.00"), ("2910", "-101.00")]);
    for ends in [true, false] {
        let (user, key) = key(&simulation, &client).await;
        let upload = Upload {
            user: &user.name,
            key: &key,
            code: "GL02XML",
            entity: "23001",
            file: &file,
        };
        assert_eq!(send(&client, UPLOAD, upload.envelope()).await.status, 200);
        if ends {
            simulation.advance(SignedDuration::from_hours(13));
        } else {
            simulation.xledger().expire_keys();
        }
        let reply = send(&client, UPLOAD, upload.envelope()).await;
        assert!(reason(&reply).contains("expired"));
    }
}
