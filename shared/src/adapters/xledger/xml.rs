//! XML as both directions need it: written by a writer that escapes, and read as XML into a small tree.
//!
//! What is read has no document type, and so no entity but the five of XML itself; it is UTF-8, and no deeper than
//! [`DEEPEST`]. How much of it there is, is up to whoever received it.
//!
//! Source: XML 1.0, sections 2.2, 2.8 and 4.6.

use std::io;

use quick_xml::events::attributes::AttrError;
use quick_xml::events::{BytesDecl, BytesStart, BytesText, Event};
use quick_xml::name::ResolveResult;
use quick_xml::reader::NsReader;
use quick_xml::writer::Writer;

/// More levels than any answer has.
const DEEPEST: usize = 32;

/// An element with its children and its text.
#[derive(Clone, PartialEq, Eq, Default)]
pub(super) struct Element {
    pub(super) namespace: String,
    pub(super) name: String,
    pub(super) text: String,
    pub(super) children: Vec<Self>,
}

/// Why something is not XML as it is taken here; holds nothing of what was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unreadable {
    #[error("the answer is not UTF-8")]
    Encoding,
    #[error("the answer is not XML")]
    Syntax,
    #[error("the answer has a document type, which is not read")]
    DocumentType,
    #[error("the answer names an entity that XML does not have")]
    Entity,
    #[error("the answer is nested too deeply")]
    Depth,
}

impl Element {
    /// Returns whether this is the element of that namespace and name.
    pub(super) fn is(&self, namespace: &str, name: &str) -> bool {
        self.namespace == namespace && self.name == name
    }

    /// Returns the first child of that namespace and name.
    pub(super) fn child(&self, namespace: &str, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.is(namespace, name))
    }
}

/// Reads a document, which has one root.
pub(super) fn read(bytes: &[u8]) -> Result<Element, Unreadable> {
    let text = str::from_utf8(bytes).map_err(|_| Unreadable::Encoding)?;
    let mut reader = NsReader::from_str(text.strip_prefix('\u{feff}').unwrap_or(text));
    let mut open = vec![Element::default()];
    loop {
        let (namespace, event) = reader.read_resolved_event().map_err(|_| Unreadable::Syntax)?;
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
                let resolved = reference.resolve_char_ref().map_err(|_| Unreadable::Syntax)?;
                let letter = resolved.filter(|letter| is_letter(*letter));
                let letter = letter.or_else(|| predefined(&reference));
                add(
                    &mut open,
                    letter.ok_or(Unreadable::Entity)?.encode_utf8(&mut [0; 4]),
                );
            }
            Event::DocType(_) => return Err(Unreadable::DocumentType),
            Event::Eof => break,
            Event::Decl(_) | Event::Comment(_) | Event::PI(_) => {}
        }
        if open.len() > DEEPEST {
            return Err(Unreadable::Depth);
        }
    }
    only_root(open).ok_or(Unreadable::Syntax)
}

fn only_root(mut open: Vec<Element>) -> Option<Element> {
    let document = open.pop().filter(|_| open.is_empty())?;
    let mut roots = document.children.into_iter();
    match (roots.next(), roots.next(), document.text.trim()) {
        (Some(root), None, "") => Some(root),
        _ => None,
    }
}

fn begin(namespace: ResolveResult<'_>, start: &BytesStart<'_>) -> Result<Element, Unreadable> {
    let namespace = match namespace {
        ResolveResult::Bound(namespace) => namespace.as_ref().to_owned(),
        ResolveResult::Unbound => String::new(),
        ResolveResult::Unknown(_) => return Err(Unreadable::Syntax),
    };
    let attributes: Result<Vec<_>, AttrError> = start.attributes().collect();
    attributes.map_err(|_| Unreadable::Syntax)?;
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

fn predefined(name: &str) -> Option<char> {
    match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => None,
    }
}

/// Says whether a document can hold a letter at all.
const fn is_letter(letter: char) -> bool {
    matches!(letter, '\t' | '\n' | '\r' | ' '..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..)
}

/// Says whether a text comes back from a file as it is, and in one line: it has no control and nothing that is no letter.
pub(super) fn is_plain(text: &str) -> bool {
    text.chars()
        .all(|letter| is_letter(letter) && !letter.is_control() && !matches!(letter, '\u{2028}' | '\u{2029}'))
}

/// Writes a document: its declaration, and what `content` writes.
///
/// # Errors
///
/// As `content`: to write into memory does not fail.
pub(super) fn write(content: impl FnOnce(&mut Writer<Vec<u8>>) -> io::Result<()>) -> io::Result<Vec<u8>> {
    let mut writer = Writer::new(Vec::new());
    writer.write_event(Event::Decl(BytesDecl::new("1.0", Some("utf-8"), None)))?;
    content(&mut writer)?;
    Ok(writer.into_inner())
}

/// Writes an element that has nothing but text.
pub(super) fn write_text(writer: &mut Writer<Vec<u8>>, name: &str, text: &str) -> io::Result<()> {
    writer
        .create_element(name)
        .write_text_content(BytesText::new(text))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_unescaped_and_namespaces_are_resolved() {
        let xml = "\u{feff}<?xml version=\"1.0\"?><!-- c --><a:r xmlns:a=\"urn:a\"><t xmlns=\"urn:t\">A &amp; B &#38; \
                   <![CDATA[<C>]]></t><e/></a:r>\n";
        let root = read(xml.as_bytes()).unwrap();
        assert!(root.is("urn:a", "r"));
        assert_eq!(root.child("urn:t", "t").unwrap().text, "A & B & <C>");
        assert!(root.child("", "t").is_none());
        assert_eq!(root.children.len(), 2);
    }

    #[test]
    fn what_is_no_document_is_refused_by_why() {
        let deep = "<a>".repeat(40) + &"</a>".repeat(40);
        let laughs = "<!DOCTYPE a [<!ENTITY e \"boom\"><!ENTITY f \"&e;&e;\">]><a>&f;</a>";
        let outside = "<!DOCTYPE a [<!ENTITY e SYSTEM \"file:///etc/passwd\">]><a>&e;</a>";
        for (wrong, why) in [
            ("", Unreadable::Syntax),
            ("text", Unreadable::Syntax),
            ("<a>", Unreadable::Syntax),
            ("<a></b>", Unreadable::Syntax),
            ("<a/><b/>", Unreadable::Syntax),
            ("<a/>b", Unreadable::Syntax),
            ("<a>fish & chips</a>", Unreadable::Syntax),
            ("<x:a/>", Unreadable::Syntax),
            ("<a b='1' b='2'/>", Unreadable::Syntax),
            ("{\"a\":1}", Unreadable::Syntax),
            ("<a>&#0;</a>", Unreadable::Syntax),
            ("<a>&#1;</a>", Unreadable::Entity),
            ("<a>&undefined;</a>", Unreadable::Entity),
            (laughs, Unreadable::DocumentType),
            (outside, Unreadable::DocumentType),
            ("<!DOCTYPE html><html></html>", Unreadable::DocumentType),
            (&deep, Unreadable::Depth),
        ] {
            assert_eq!(read(wrong.as_bytes()).err(), Some(why), "{wrong}");
        }
        assert_eq!(read(b"<a>\xff</a>").err(), Some(Unreadable::Encoding));
    }

    #[test]
    fn what_is_written_reads_back_and_cannot_end_its_element() {
        for text in ["a</a><b>", "\"'<>&]]>", "æøå € 👩‍👩‍👧", "  a  ", "&amp;", ""] {
            let written = write(|writer| write_text(writer, "a", text)).unwrap();
            let root = read(&written).unwrap();
            assert_eq!((root.name.as_str(), root.text.as_str()), ("a", text));
            assert!(root.children.is_empty());
        }
    }

    #[test]
    fn a_text_with_controls_or_halves_of_letters_is_not_plain() {
        for bad in [
            "a\0",
            "a\tb",
            "a\nb",
            "a\r",
            "\u{7f}",
            "\u{85}",
            "\u{fffe}",
            "\u{ffff}",
            "a\u{2028}b",
        ] {
            assert!(!is_plain(bad), "{bad:?}");
        }
        assert!(is_plain("Reise æøå – 101,00 \u{a0}€ 😀"));
    }
}
