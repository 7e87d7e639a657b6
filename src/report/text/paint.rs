//! Colours, by what they say and on which background. Nothing depends on them.

use anstyle::{AnsiColor, Style as Paint};

use crate::report::Theme;

pub fn dim() -> Paint {
    Paint::new().dimmed()
}

pub fn verdict_paint(verdict: &str, theme: Theme) -> Paint {
    match (verdict, theme) {
        ("confirmed" | "likely", _) => AnsiColor::Red.on_default().bold(),
        ("possible", Theme::Dark) => AnsiColor::Yellow.on_default().bold(),
        ("possible", _) => AnsiColor::Magenta.on_default().bold(),
        _ => Paint::new().bold(),
    }
}

/// The mark under the decisive piece. Yellow cannot be seen on white, dark blue hardly on black.
pub fn caret_paint(theme: Theme) -> Paint {
    match theme {
        Theme::Dark => AnsiColor::Yellow.on_default(),
        Theme::Light => AnsiColor::Red.on_default(),
        Theme::Neutral => AnsiColor::Magenta.on_default().bold(),
    }
}

pub fn command_paint(theme: Theme) -> Paint {
    match theme {
        Theme::Dark => AnsiColor::Cyan.on_default(),
        Theme::Light => AnsiColor::Blue.on_default(),
        Theme::Neutral => Paint::new().bold(),
    }
}
