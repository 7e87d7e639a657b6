//! Conditions over signatures and correlations: `a and not (b or c)`, with three truth values. `a given b` holds as
//! `a and b` does; what `b` holds on is no proof of its own.

use serde::{Deserialize, Serialize};

/// Three-valued truth: what the input does not cover is unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Truth {
    /// Seen.
    True,
    /// Looked for and not there.
    False,
    /// The input cannot tell.
    Unknown,
}

impl Truth {
    fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::False, _) | (_, Self::False) => Self::False,
            (Self::True, Self::True) => Self::True,
            _ => Self::Unknown,
        }
    }

    fn not(self) -> Self {
        match self {
            Self::True => Self::False,
            Self::False => Self::True,
            Self::Unknown => Self::Unknown,
        }
    }
}

/// A condition; names are resolved to `T` when it is compiled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Expr<T> {
    /// A name.
    Name(T),
    /// Both.
    And(Box<Expr<T>>, Box<Expr<T>>),
    /// Either.
    Or(Box<Expr<T>>, Box<Expr<T>>),
    /// Not.
    Not(Box<Expr<T>>),
    /// Both; only what the first holds on is cited.
    Given(Box<Expr<T>>, Box<Expr<T>>),
}

impl<T> Expr<T> {
    /// Its truth, given the truth of names.
    pub fn evaluate(&self, name: &mut dyn FnMut(&T) -> Truth) -> Truth {
        match self {
            Self::Name(n) => name(n),
            Self::And(a, b) | Self::Given(a, b) => a.evaluate(name).and(b.evaluate(name)),
            Self::Or(a, b) => a.evaluate(name).not().and(b.evaluate(name).not()).not(),
            Self::Not(a) => a.evaluate(name).not(),
        }
    }

    /// Calls `each` for every name, with whether it stands un-negated.
    pub fn names<'s>(&'s self, each: &mut dyn FnMut(&'s T, bool)) {
        self.walk(true, each);
    }

    fn walk<'s>(&'s self, positive: bool, each: &mut dyn FnMut(&'s T, bool)) {
        match self {
            Self::Name(n) => each(n, positive),
            Self::And(a, b) | Self::Or(a, b) | Self::Given(a, b) => {
                a.walk(positive, each);
                b.walk(positive, each);
            }
            Self::Not(a) => a.walk(!positive, each),
        }
    }

    /// Calls `each` for every name whose hits prove the condition: un-negated, and not behind `given`.
    pub fn cited<'s>(&'s self, each: &mut dyn FnMut(&'s T)) {
        match self {
            Self::Name(n) => each(n),
            Self::And(a, b) | Self::Or(a, b) => {
                a.cited(each);
                b.cited(each);
            }
            Self::Given(a, _) => a.cited(each),
            Self::Not(a) => a.walk(false, &mut |name, positive| {
                if positive {
                    each(name);
                }
            }),
        }
    }

    /// The same condition with other names.
    pub fn resolve<U, E>(&self, name: &mut dyn FnMut(&T) -> Result<U, E>) -> Result<Expr<U>, E> {
        Ok(match self {
            Self::Name(n) => Expr::Name(name(n)?),
            Self::And(a, b) => Expr::And(Box::new(a.resolve(name)?), Box::new(b.resolve(name)?)),
            Self::Or(a, b) => Expr::Or(Box::new(a.resolve(name)?), Box::new(b.resolve(name)?)),
            Self::Not(a) => Expr::Not(Box::new(a.resolve(name)?)),
            Self::Given(a, b) => Expr::Given(Box::new(a.resolve(name)?), Box::new(b.resolve(name)?)),
        })
    }
}

/// Reads a condition. The error says what was expected.
pub fn parse(text: &str) -> Result<Expr<String>, String> {
    let spaced = text.replace('(', " ( ").replace(')', " ) ");
    let tokens: Vec<&str> = spaced.split_whitespace().collect();
    let mut parser = Parser { tokens: &tokens, at: 0 };
    let mut expr = parser.or()?;
    if parser.accept("given") {
        expr = Expr::Given(Box::new(expr), Box::new(parser.or()?));
    }
    match parser.peek() {
        None => Ok(expr),
        Some(extra) => Err(format!("expected `and`, `or`, `given` or the end, found `{extra}`")),
    }
}

struct Parser<'t> {
    tokens: &'t [&'t str],
    at: usize,
}

impl Parser<'_> {
    fn peek(&self) -> Option<&str> {
        self.tokens.get(self.at).copied()
    }

    fn accept(&mut self, word: &str) -> bool {
        let found = self.peek() == Some(word);
        self.at += usize::from(found);
        found
    }

    fn or(&mut self) -> Result<Expr<String>, String> {
        let mut left = self.and()?;
        while self.accept("or") {
            left = Expr::Or(Box::new(left), Box::new(self.and()?));
        }
        Ok(left)
    }

    fn and(&mut self) -> Result<Expr<String>, String> {
        let mut left = self.unary()?;
        while self.accept("and") {
            left = Expr::And(Box::new(left), Box::new(self.unary()?));
        }
        Ok(left)
    }

    fn unary(&mut self) -> Result<Expr<String>, String> {
        if self.accept("not") {
            return Ok(Expr::Not(Box::new(self.unary()?)));
        }
        if self.accept("(") {
            let inner = self.or()?;
            return if self.accept(")") { Ok(inner) } else { Err("expected `)`".into()) };
        }
        match self.peek().map(str::to_owned) {
            None => Err("expected a name, found the end".into()),
            Some(word) if matches!(word.as_str(), "and" | "or" | "given" | ")") => {
                Err(format!("expected a name, found `{word}`"))
            }
            Some(word) => {
                self.at += 1;
                Ok(Expr::Name(word))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn truth(text: &str) -> Truth {
        parse(text).expect("a condition").evaluate(&mut |n| match n.as_str() {
            "t" => Truth::True,
            "f" => Truth::False,
            _ => Truth::Unknown,
        })
    }

    #[test]
    fn conditions_follow_three_valued_logic() {
        for (text, expected) in [
            ("t and not f", Truth::True),
            ("f or t and f", Truth::False),
            ("(f or t) and t", Truth::True),
            ("u and f", Truth::False),
            ("u or t", Truth::True),
            ("not u", Truth::Unknown),
            ("t given u", Truth::Unknown),
            ("f or t given not f", Truth::True),
        ] {
            assert_eq!(truth(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_only_given_is_not_cited() {
        let condition = parse("(a and not b) or not (not c) given d and e").expect("a condition");
        let (mut cited, mut names) = (Vec::new(), Vec::new());
        condition.cited(&mut |name| cited.push(name.as_str()));
        condition.names(&mut |name, positive| names.push((name.as_str(), positive)));
        assert_eq!(cited, ["a", "c"]);
        assert_eq!(names, [("a", true), ("b", false), ("c", true), ("d", true), ("e", true)]);
    }

    #[test]
    fn broken_conditions_say_what_was_expected() {
        assert_eq!(parse("a and"), Err("expected a name, found the end".into()));
        assert_eq!(parse("(a"), Err("expected `)`".into()));
        assert_eq!(parse("a b"), Err("expected `and`, `or`, `given` or the end, found `b`".into()));
    }
}
