//! How rows are written, as a profile gives it.

use http::Method;
use serde_json::Value;

use super::fields::place;
use super::pointer::Pointer;
use super::profile::{Body, Create, Remove, Told, Update, Writes};
use super::resource::{address, no_body};
use super::template::Slot;
use crate::settings::Section;

/// What stands for the version in `ifMatch`.
const VERSION: &str = "{version}";

/// Reads `write`.
pub(super) fn read(section: &Section<'_>) -> Option<Writes> {
    let create = section.section("create").map(|one| create(&one));
    let update = section.section("update").map(|one| update(&one));
    let remove = section.section("remove").map(|one| remove(&one));
    section.finish();
    let whole = [
        create.as_ref().map(Option::is_some),
        update.as_ref().map(Option::is_some),
        remove.as_ref().map(Option::is_some),
    ];
    let writes = Writes {
        create: create.flatten(),
        update: update.flatten(),
        remove: remove.flatten(),
    };
    (!whole.contains(&Some(false))).then_some(writes)
}

fn create(section: &Section<'_>) -> Option<Create> {
    let method = method(section, &[Method::POST, Method::PUT]);
    let address = address(section, &[Slot::Key]);
    let body = body(section);
    let key = place(section, "key");
    let row = section.text("row", Pointer::parse);
    let id = section.text("id", |text| match text {
        "location" => Ok(Told::Location),
        _ => Pointer::parse(text)
            .map(Told::Id)
            .map_err(|reason| format!("{reason}, or location")),
    });
    section.finish();
    if key.is_none()
        && section.get("key").is_none()
        && !address.as_ref().is_none_or(|address| address.has(Slot::Key))
    {
        section.fault(
            "key",
            "is required, or a place {key} in the path: the row is looked up by it",
        );
    }
    let told = match (row, id) {
        (Some(_), Some(_)) => {
            section.fault("id", "is one too many beside row: give one of them");
            return None;
        }
        (Some(row), None) => Told::Row(row),
        (None, Some(id)) => id,
        (None, None) => Told::Nowhere,
    };
    Some(Create {
        method: method?,
        address: address?,
        body: body?,
        key,
        told,
    })
}

fn update(section: &Section<'_>) -> Option<Update> {
    let method = method(section, &[Method::PATCH, Method::PUT]);
    let address = address(section, &[Slot::Id]);
    let body = body(section);
    let if_match = section.text("ifMatch", if_match);
    let row = section.text("row", Pointer::parse);
    section.finish();
    if address.as_ref().is_some_and(|address| !address.has(Slot::Id)) {
        section.fault("path", "must have a place {id}");
    }
    let method = method?;
    Some(Update {
        whole: method == Method::PUT,
        method,
        address: address?,
        body: body?,
        if_match,
        row,
    })
}

fn remove(section: &Section<'_>) -> Option<Remove> {
    let method = method(
        section,
        &[Method::DELETE, Method::PATCH, Method::POST, Method::PUT],
    );
    let address = address(section, &[Slot::Id]);
    let body = section.get("body").cloned();
    let if_match = section.text("ifMatch", if_match);
    section.finish();
    if address.as_ref().is_some_and(|address| !address.has(Slot::Id)) {
        section.fault("path", "must have a place {id}");
    }
    Some(Remove {
        method: method?,
        address: address?,
        body,
        if_match,
    })
}

fn method(section: &Section<'_>, allowed: &[Method]) -> Option<Method> {
    section.required("method", |text| {
        let known = allowed.iter().find(|method| method.as_str() == text);
        known.cloned().ok_or_else(|| {
            let names: Vec<&str> = allowed.iter().map(Method::as_str).collect();
            format!("must be one of {}", names.join(", "))
        })
    })
}

fn body(section: &Section<'_>) -> Option<Body> {
    let fixed = section.get("body").cloned().unwrap_or_else(no_body);
    let under = section.text("under", |text| {
        let pointer = Pointer::parse(text)?;
        match text.is_empty() || pointer.is_writable() {
            true => Ok(pointer),
            false => Err("must be a member of objects, not an element of a list".to_owned()),
        }
    });
    if !Value::is_object(&fixed) {
        section.fault("body", "must be an object");
        return None;
    }
    Some(Body {
        fixed,
        under: under.unwrap_or_else(Pointer::whole),
    })
}

fn if_match(text: &str) -> Result<(String, String), String> {
    let plain = text.bytes().all(|byte| byte.is_ascii_graphic());
    let parts = text.split_once(VERSION).filter(|_| plain && text.len() <= 100);
    match parts {
        Some((before, after)) => Ok((before.to_owned(), after.to_owned())),
        None => Err(format!(
            "must be how a version is sent, such as {VERSION} or \"{VERSION}\""
        )),
    }
}
