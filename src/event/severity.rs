//! Severity as OpenTelemetry numbers, and the words and letters that software writes for them.

/// OpenTelemetry severity number: 1 to 24, 0 when unknown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Severity(pub u8);

impl Severity {
    /// The record does not tell.
    pub const UNKNOWN: Self = Self(0);
    /// `debug`.
    pub const DEBUG: Self = Self(5);
    /// `info`.
    pub const INFO: Self = Self(9);
    /// `notice`.
    pub const NOTICE: Self = Self(10);
    /// `warning`.
    pub const WARN: Self = Self(13);
    /// `error`.
    pub const ERROR: Self = Self(17);
    /// `critical`, zap's `dpanic`.
    pub const CRITICAL: Self = Self(18);
    /// `alert`, zap's `panic`.
    pub const ALERT: Self = Self(19);
    /// `fatal`, `emergency`.
    pub const FATAL: Self = Self(21);

    /// Reads a level word in any case (`warn`, `WARNING`, `ERR`, `dpanic`); unknown words give [`Severity::UNKNOWN`].
    pub fn from_word(word: &[u8]) -> Self {
        match word {
            b"info" | b"INFO" => return Self::INFO,
            b"warn" | b"WARN" | b"warning" => return Self::WARN,
            b"error" | b"ERROR" => return Self::ERROR,
            b"debug" | b"DEBUG" => return Self::DEBUG,
            _ => {}
        }
        let mut lower = [0u8; 10];
        let Some(target) = lower.get_mut(..word.len()) else {
            return Self::UNKNOWN;
        };
        target.copy_from_slice(word);
        target.make_ascii_lowercase();
        match &*target {
            b"trace" | b"trc" => Self(1),
            b"debug" | b"dbg" => Self::DEBUG,
            b"info" | b"inf" | b"normal" | b"informatio" => Self::INFO,
            b"notice" => Self::NOTICE,
            b"warn" | b"warning" | b"wrn" => Self::WARN,
            b"error" | b"err" | b"eror" => Self::ERROR,
            b"critical" | b"crit" | b"dpanic" => Self::CRITICAL,
            b"alert" | b"panic" => Self::ALERT,
            b"fatal" | b"emerg" | b"emergency" | b"ftl" => Self::FATAL,
            _ => Self::UNKNOWN,
        }
    }

    /// klog's letter: I, W, E, F.
    pub fn from_klog(letter: u8) -> Self {
        match letter {
            b'I' => Self::INFO,
            b'W' => Self::WARN,
            b'E' => Self::ERROR,
            b'F' => Self::FATAL,
            _ => Self::UNKNOWN,
        }
    }

    /// Syslog priority 0 (emergency) to 7 (debug).
    pub fn from_syslog(priority: u8) -> Self {
        match priority {
            0 => Self::FATAL,
            1 => Self::ALERT,
            2 => Self::CRITICAL,
            3 => Self::ERROR,
            4 => Self::WARN,
            5 => Self::NOTICE,
            6 => Self::INFO,
            7 => Self::DEBUG,
            _ => Self::UNKNOWN,
        }
    }

    /// The short word shown to people.
    pub fn word(self) -> &'static str {
        match self.0 {
            0 => "-",
            1..=4 => "trace",
            5..=8 => "debug",
            9 => "info",
            10..=12 => "notice",
            13..=16 => "warning",
            17 => "error",
            18 => "critical",
            19..=20 => "alert",
            _ => "fatal",
        }
    }
}
