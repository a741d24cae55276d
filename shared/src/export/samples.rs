//! Settings and reimbursements for tests.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::intent::{Intent, Purpose};
use super::ledger::Route;
use super::mapping::Mapping;
use super::preflight::Ready;
use super::reference::Revision;
use super::step::Progress;
use super::voucher::Voucher;
use crate::model::{IntegrationId, OrganizationId, Reimbursement};

pub(super) fn organization() -> OrganizationId {
    "hlf".parse().unwrap()
}

pub(super) fn mapping_json() -> Value {
    json!({
        "entity": "23001",
        "voucherType": "GL",
        "counterAccount": "2910",
        "currencies": ["NOK"],
        "timeZone": "Europe/Oslo",
        "text": "{expenseType} {reimbursement}",
        "vatCodes": {
            "none": { "taxRule": "0", "rate": "0" },
            "low": { "taxRule": "11", "rate": "12", "account": "2711" },
            "reverse": { "taxRule": "81" },
        },
        "defaults": { "vatCode": "none", "dimensions": { "glObject1": { "from": "costCentre" } } },
        "expenseTypes": {
            "travel": {
                "account": "7140",
                "vatCode": "low",
                "dimensions": { "project": { "from": "project", "required": true } },
            },
            "toll": { "account": "7142", "dimensions": { "glObject2": { "value": "90" } } },
        },
    })
}

pub(crate) fn mapping() -> Mapping {
    Mapping::read("export", &mapping_json()).unwrap()
}

pub(crate) fn reimbursement_json(amount: &str) -> Value {
    json!({
        "claimant": { "kind": "supplier", "code": "50012" },
        "currency": "NOK",
        "total": amount,
        "approval": { "at": "2026-02-16T23:30:00Z", "by": "treasurer" },
        "lines": [{
            "id": "1", "expenseType": "travel", "amount": amount, "date": "2026-02-14", "text": "Train",
            "costCentre": "200", "project": "P10",
        }],
    })
}

pub(crate) fn reimbursement(id: &str, amount: &str) -> Reimbursement {
    Reimbursement::from_json(id.parse().unwrap(), &reimbursement_json(amount)).unwrap()
}

pub(super) fn voucher(id: &str, amount: &str) -> Voucher {
    Voucher::of(
        &organization(),
        &reimbursement(id, amount),
        Revision::FIRST,
        &mapping(),
    )
    .unwrap()
}

pub(super) fn integration() -> IntegrationId {
    "hlf:xledger".parse().unwrap()
}

pub(super) fn ready(id: &str, amount: &str) -> Ready {
    let reimbursement = reimbursement(id, amount);
    Ready {
        reimbursement: reimbursement.id.clone(),
        source: reimbursement.fingerprint(),
        voucher: voucher(id, amount),
    }
}

pub(crate) fn now() -> Timestamp {
    "2026-03-01T10:00:00Z".parse().unwrap()
}

pub(super) fn intent(id: &str, amount: &str) -> Intent {
    let ready = ready(id, amount);
    Intent {
        reimbursement: ready.reimbursement,
        revision: Revision::FIRST,
        purpose: Purpose::Booking,
        after: None,
        reference: ready.voucher.reference().clone(),
        number: ready.voucher.number(),
        route: Route::Graphql,
        source: ready.source,
        voucher: ready.voucher.fingerprint(),
        total: ready.voucher.owed(),
        progress: Progress::BEGIN,
        reason: None,
        held_until: None,
        left_by: None,
        opened_at: now(),
        opened_by: "treasurer".into(),
        changed_at: now(),
    }
}
