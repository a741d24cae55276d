use std::io;
use std::sync::{Arc, Mutex};

use shared::export::{Ledger as _, Sent};
use tests::dataverse::faults::Fault;
use tests::xledger::Role;
use tests::xledger::faults::Misbehaviour;
use tracing_subscriber::fmt::MakeWriter;

use crate::setup::{Bench, CANARY, USER, voucher};

/// Keeps what is logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// Answers with what a service should keep to itself, such as what it was sent.
fn echoing(role: Role, more: &str) -> Fault {
    Fault::Xledger {
        misbehaviour: Misbehaviour::SoapFault {
            status: 500,
            role,
            reason: format!("No: {USER} with {CANARY}{more}"),
        },
    }
}

#[tokio::test]
async fn a_service_that_repeats_the_password_is_not_passed_on() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_writer(log.clone())
        .with_max_level(tracing::Level::DEBUG)
        .finish();
    let _logged = tracing::subscriber::set_default(subscriber);
    let bench = Bench::start().await;
    let ledger = bench.ledger();
    let mut told = Vec::new();
    for role in [Role::Sender, Role::Receiver] {
        bench.logon_fails(echoing(role, ""));
        let error = ledger.logon().await.unwrap_err();
        told.push(format!("{error} {error:?}"));
    }
    bench.upload_fails(echoing(Role::Sender, " for Skyldig 1"));
    let rejected = ledger.send(&voucher(1, "1.00")).await;
    assert!(matches!(rejected, Sent::Rejected(_)), "{rejected:?}");
    told.push(format!("{rejected:?}"));
    bench.upload_fails(echoing(Role::Receiver, " for Skyldig 1"));
    assert_eq!(ledger.send(&voucher(1, "1.00")).await, Sent::Unknown);
    told.push(format!("{ledger:?} {:?}", bench.session));
    let logged = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(logged.contains("what became of an upload"), "{logged}");
    told.push(logged);
    let private = &bench.identity.as_ref().unwrap().private_key;
    for told in told {
        assert!(!told.contains("canary") && !told.contains("Skyldig"), "{told}");
        let key = private.lines().nth(1).unwrap();
        assert!(!told.contains(key), "{told}");
    }
}
