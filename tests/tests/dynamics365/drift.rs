//! Tables that change under the integration.

use serde_json::json;
use shared::adapter::{From, Item, Pulled};
use shared::model::Kind;
use tests::dataverse::faults::Fault;

use crate::world::{World, rows};

async fn pulled(fault: Fault) -> Pulled {
    let world = World::new(5).await;
    world.always(fault);
    world.adapter().pull(Kind::Member, &From::Start).await.unwrap()
}

fn faulty(pulled: &Pulled) -> Vec<&str> {
    let mut fields = Vec::new();
    for item in &pulled.items {
        if let Item::Faulty { field, .. } = item {
            fields.push(field.as_str());
        }
    }
    fields
}

#[tokio::test]
async fn a_column_that_vanished_is_a_warning_once_for_the_page() {
    let pulled = pulled(Fault::RemoveColumn {
        name: "emailaddress1".to_owned(),
    })
    .await;
    assert_eq!(rows(&pulled.items).len(), 5);
    assert_eq!(pulled.warnings.len(), 1);
    assert!(pulled.warnings[0].contains("emailaddress1"));
}

#[tokio::test]
async fn a_required_column_that_vanished_or_is_empty_makes_rows_faulty() {
    for fault in [
        Fault::RemoveColumn {
            name: "lastname".to_owned(),
        },
        Fault::NullColumn {
            name: "lastname".to_owned(),
        },
    ] {
        let pulled = pulled(fault).await;
        assert_eq!(faulty(&pulled), ["lastName"; 5]);
    }
}

#[tokio::test]
async fn a_column_of_another_type_makes_rows_faulty() {
    assert_eq!(
        faulty(
            &pulled(Fault::RetypeColumn {
                name: "firstname".to_owned()
            })
            .await
        ),
        ["firstName"; 5]
    );
    assert_eq!(
        faulty(
            &pulled(Fault::RetypeColumn {
                name: "gendercode".to_owned()
            })
            .await
        ),
        ["gender"; 5]
    );
}

#[tokio::test]
async fn an_optional_column_that_is_empty_and_one_that_is_new_are_nothing_special() {
    for fault in [
        Fault::NullColumn {
            name: "emailaddress1".to_owned(),
        },
        Fault::AddColumn {
            name: "hlf_new".to_owned(),
            value: json!({ "deep": [1, { "er": null }] }),
        },
    ] {
        let pulled = pulled(fault).await;
        assert_eq!(rows(&pulled.items).len(), 5);
        assert!(pulled.warnings.is_empty());
    }
}
