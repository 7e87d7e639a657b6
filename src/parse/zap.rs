//! Records of zap and its like in any rendering: which keys are message, level and time, and what the rest means.

use std::borrow::Cow;

use super::json::{Pair, Pairs};
use super::{better, subject};
use crate::event::time::{self, RawTime};
use crate::event::{Event, Severity};

/// Fills an event from the JSON object at the start of `text`; what stands behind it becomes `continuation`.
pub fn object<'a>(text: &'a str, event: &mut Event<'a>) {
    event.attributes.reserve(16);
    let mut pairs = Pairs::new(text);
    let mut message = None;
    for pair in pairs.by_ref() {
        take(pair, &mut message, event);
    }
    let bare = if event.attributes.is_empty() { text } else { "" };
    event.body = message.unwrap_or(Cow::Borrowed(bare));
    continuation(pairs.rest(), event);
    subject::fill(event);
}

/// Fills attributes from the JSON object behind a message.
pub fn tail<'a>(text: &'a str, event: &mut Event<'a>) {
    let mut pairs = Pairs::new(text);
    for pair in pairs.by_ref() {
        event.attributes.push((pair.key, pair.value));
    }
    continuation(pairs.rest(), event);
}

/// Keeps further lines of a frame as an attribute, behind all others.
pub fn continuation<'a>(rest: &'a str, event: &mut Event<'a>) {
    let rest = rest.trim_matches(['\n', ',', ' ', ']', '}']);
    if !rest.is_empty() {
        event.attribute("continuation", rest);
    }
}

/// Puts one pair where it belongs.
fn take<'a>(pair: Pair<'a>, message: &mut Option<Cow<'a, str>>, event: &mut Event<'a>) {
    match pair.key.as_ref() {
        "level" | "lvl" | "severity" => level(&pair, event),
        "ts" | "time" | "timestamp" => stamp(&pair, event),
        "msg" | "message" if message.is_none() => *message = Some(pair.value),
        _ => event.attributes.push((pair.key, pair.value)),
    }
}

fn level<'a>(pair: &Pair<'a>, event: &mut Event<'a>) {
    let severity = Severity::from_word(pair.value.as_bytes());
    if severity == Severity::UNKNOWN {
        event.attributes.push((pair.key.clone(), pair.value.clone()));
    } else {
        event.severity = severity;
    }
}

fn stamp<'a>(pair: &Pair<'a>, event: &mut Event<'a>) {
    match any_time(pair.value.as_bytes()) {
        RawTime::None => event.attributes.push((pair.key.clone(), pair.value.clone())),
        time => event.time = better(event.time, time),
    }
}

/// A time in any of the ways in which JSON logs write it: a number since the epoch or a text.
pub fn any_time(value: &[u8]) -> RawTime {
    time::epoch(value).or_else(|| time::timestamp(value)).map_or(RawTime::None, |(time, _)| time)
}

/// Splits a message from the JSON object behind it: ` {"component": ...}` or a tab and `{`.
pub fn split_tail(text: &str) -> (&str, Option<&str>) {
    let found = memchr::memmem::find_iter(text.as_bytes(), b"{\"")
        .find(|at| *at > 0 && matches!(text.as_bytes().get(at - 1), Some(b' ' | b'\t')));
    match found.and_then(|at| text.split_at_checked(at)) {
        Some((message, tail)) => (message.trim_end(), Some(tail)),
        None => (text, None),
    }
}
