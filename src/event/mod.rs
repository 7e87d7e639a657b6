//! The event: what one record of a source says, in the words of the OpenTelemetry log data model.
//!
//! An [`Event`] borrows from the text of its frame. It knows nothing of formats, rules or reports; parsers fill it,
//! the matcher reads it. Invariant: building an event never fails, a field that is not known is absent.

pub mod entities;
pub mod service;
pub mod severity;
pub mod time;

use std::borrow::Cow;

pub use service::Service;
pub use severity::Severity;
pub use time::RawTime;

/// One record of a source.
#[derive(Debug, Clone, Default)]
pub struct Event<'a> {
    /// When it happened, as far as the record itself tells.
    pub time: RawTime,
    /// OpenTelemetry severity number, 0 when the record does not tell.
    pub severity: Severity,
    /// The message without envelopes, unescaped.
    pub body: Cow<'a, str>,
    /// Key and value pairs of the record, in the order of the record; a key may occur several times.
    pub attributes: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    /// Names of things the record speaks of, for joins over sources: (`pve.vmid`, `104`).
    pub entities: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    /// Which software wrote it, when the record tells.
    pub service: Option<Service>,
    /// The node it came from (a `talosctl` prefix, a syslog host), when the record tells.
    pub node: Option<Cow<'a, str>>,
    /// Names of the formats peeled, outermost first.
    pub formats: Vec<&'static str>,
}

impl<'a> Event<'a> {
    /// Appends an attribute.
    pub fn attribute(&mut self, key: impl Into<Cow<'a, str>>, value: impl Into<Cow<'a, str>>) {
        self.attributes.push((key.into(), value.into()));
    }

    /// Appends an entity (see `patterns/README.md` for the names), unless it is already there or empty.
    pub fn entity(&mut self, key: impl Into<Cow<'a, str>>, value: impl Into<Cow<'a, str>>) {
        let (key, value) = (key.into(), value.into());
        if !value.is_empty() && !self.entities.iter().any(|(k, v)| *k == key && *v == value) {
            self.entities.push((key, value));
        }
    }

    /// The first value of an attribute.
    pub fn get<'s>(&'s self, key: &str) -> Option<&'s str> {
        self.attributes.iter().find(|(k, _)| k == key).map(|(_, v)| v.as_ref())
    }

    /// All values of an attribute.
    pub fn all<'s>(&'s self, key: &'s str) -> impl Iterator<Item = &'s str> {
        self.attributes.iter().filter(move |(k, _)| k == key).map(|(_, v)| v.as_ref())
    }

    /// The same event without borrowed text.
    pub fn into_owned(self) -> Event<'static> {
        let own = |list: Vec<(Cow<'a, str>, Cow<'a, str>)>| {
            list.into_iter().map(|(k, v)| (Cow::Owned(k.into_owned()), Cow::Owned(v.into_owned()))).collect()
        };
        Event {
            time: self.time,
            severity: self.severity,
            body: Cow::Owned(self.body.into_owned()),
            attributes: own(self.attributes),
            entities: own(self.entities),
            service: self.service,
            node: self.node.map(|n| Cow::Owned(n.into_owned())),
            formats: self.formats,
        }
    }

    /// The innermost format, or `plain`.
    pub fn format(&self) -> &'static str {
        self.formats.last().copied().unwrap_or("plain")
    }

    /// The text that literals and regexes are tested on: the body, then each attribute as ` key=value`.
    ///
    /// Without attributes nothing is copied.
    pub fn text(&self) -> Cow<'_, str> {
        if self.attributes.is_empty() {
            return Cow::Borrowed(&self.body);
        }
        let room: usize = self.attributes.iter().map(|(k, v)| k.len() + v.len() + 2).sum();
        let mut text = String::with_capacity(self.body.len() + room);
        text.push_str(&self.body);
        for (key, value) in &self.attributes {
            text.push(' ');
            text.push_str(key);
            text.push('=');
            text.push_str(value);
        }
        Cow::Owned(text)
    }
}
