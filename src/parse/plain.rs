//! What no format takes: the text itself, with the little that can be read from any text.

use crate::event::Event;

/// Adds what can be told of a plain text.
pub fn look(_event: &mut Event<'_>) {}
