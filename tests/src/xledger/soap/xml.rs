//! XML, read as XML into a small tree. Document types are refused, and with them every entity of one's own.

use std::str;

use quick_xml::events::{BytesStart, Event};
use quick_xml::name::ResolveResult;
use quick_xml::reader::NsReader;

/// More levels than any message has.
const DEEPEST: usize = 32;

/// An element with its children and its text.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Element {
    pub(super) namespace: String,
    pub(super) name: String,
    pub(super) text: String,
    pub(super) children: Vec<Self>,
}

impl Element {
    pub(super) fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    /// Returns whether this is the element of that namespace and name.
    pub(super) fn is(&self, namespace: &str, name: &str) -> bool {
        self.namespace == namespace && self.name == name
    }
}

/// Reads a document, which has one root.
pub(super) fn read(bytes: &[u8]) -> Result<Element, String> {
    let text = str::from_utf8(bytes).map_err(|_| "the document is not UTF-8".to_owned())?;
    let mut reader = NsReader::from_str(text.trim_start_matches('\u{feff}'));
    let mut open = vec![Element::default()];
    loop {
        let (namespace, event) = reader.read_resolved_event().map_err(|error| error.to_string())?;
        match event {
            Event::Start(start) => open.push(begin(namespace, &start)?),
            Event::Empty(start) => {
                let element = begin(namespace, &start)?;
                close(&mut open, element);
            }
            Event::End(_) => {
                let element = open.pop().unwrap_or_default();
                close(&mut open, element);
            }
            Event::Text(text) => add(&mut open, &text.xml10_content()),
            Event::CData(text) => add(&mut open, &text.xml10_content()),
            Event::GeneralRef(reference) => {
                let resolved = reference.resolve_char_ref().map_err(|error| error.to_string())?;
                let resolved = resolved.map(String::from);
                let resolved = resolved.or_else(|| predefined(&reference).map(str::to_owned));
                add(&mut open, &resolved.ok_or("an entity is not defined")?);
            }
            Event::DocType(_) => return Err("document types are not allowed".to_owned()),
            Event::Eof => break,
            Event::Decl(_) | Event::Comment(_) | Event::PI(_) => {}
        }
        if open.len() > DEEPEST {
            return Err("the document is nested too deeply".to_owned());
        }
    }
    only_root(open)
}

fn only_root(mut open: Vec<Element>) -> Result<Element, String> {
    let document = open
        .pop()
        .filter(|_| open.is_empty())
        .ok_or("an element is not closed")?;
    let mut roots = document.children.into_iter();
    match (roots.next(), roots.next(), document.text.trim()) {
        (Some(root), None, "") => Ok(root),
        _ => Err("the document does not have one root".to_owned()),
    }
}

fn begin(namespace: ResolveResult<'_>, start: &BytesStart<'_>) -> Result<Element, String> {
    let namespace = match namespace {
        ResolveResult::Bound(namespace) => namespace.as_ref().to_owned(),
        ResolveResult::Unbound => String::new(),
        ResolveResult::Unknown(_) => return Err("a prefix is not bound".to_owned()),
    };
    for attribute in start.attributes() {
        attribute.map_err(|error| error.to_string())?;
    }
    Ok(Element {
        namespace,
        name: start.local_name().as_ref().to_owned(),
        ..Element::default()
    })
}

fn close(open: &mut [Element], element: Element) {
    if let Some(parent) = open.last_mut() {
        parent.children.push(element);
    }
}

fn add(open: &mut [Element], text: &str) {
    if let Some(element) = open.last_mut() {
        element.text.push_str(text);
    }
}

fn predefined(name: &str) -> Option<&'static str> {
    match name {
        "amp" => Some("&"),
        "lt" => Some("<"),
        "gt" => Some(">"),
        "quot" => Some("\""),
        "apos" => Some("'"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_unescaped_and_namespaces_are_resolved() {
        let xml =
            "<?xml version=\"1.0\"?><a:r xmlns:a=\"urn:a\"><t>A &amp; B &#38; <![CDATA[<C>]]></t><e/></a:r>";
        let root = read(xml.as_bytes()).unwrap();
        assert!(root.is("urn:a", "r"));
        assert_eq!(root.child("t").unwrap().text, "A & B & <C>");
        assert_eq!(root.children.len(), 2);
    }

    #[test]
    fn what_is_no_document_is_refused() {
        let deep = "<a>".repeat(40) + &"</a>".repeat(40);
        for wrong in [
            "",
            "text",
            "<a>",
            "<a></b>",
            "<a/><b/>",
            "<a>&undefined;</a>",
            "<a>fish & chips</a>",
            "<x:a/>",
            "<a b='1' b='2'/>",
            "<!DOCTYPE a [<!ENTITY e \"boom\">]><a>&e;</a>",
            &deep,
        ] {
            assert!(read(wrong.as_bytes()).is_err(), "{wrong}");
        }
        assert!(read(b"<a>\xff</a>").is_err());
    }
}
