//! A filter's text becomes a tree of terms, after AIP-160: field, operator and value, joined by AND, OR and NOT.
//!
//! Invariant: a tree has at most 32 terms and is at most 8 parentheses deep, so whatever walks it may recurse. It does
//! not know which fields there are, nor what a value means.

use std::cmp::Ordering;

use super::{Fault, value};

/// The longest filter, in characters.
pub(super) const CHARS_MAX: usize = 2000;

/// How many terms a filter has at most.
const TERMS_MAX: usize = 32;

/// How deep parentheses may go.
const NESTING_MAX: usize = 8;

/// Terms of some kind, joined.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Expression<T> {
    All(Vec<Self>),
    Any(Vec<Self>),
    Not(Box<Self>),
    Term(T),
}

/// One comparison, as it is written.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Term {
    /// The place of the field: the first character is 1.
    pub(super) at: usize,
    /// The field up to its first dot.
    pub(super) field: String,
    /// What stands behind that dot.
    pub(super) key: Option<String>,
    pub(super) operator: Operator,
    /// The place of the value.
    pub(super) value_at: usize,
    pub(super) value: Value,
}

/// What a field is compared with.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Value {
    /// `*` without quotes: whatever it is.
    Anything,
    Text(String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Equal,
    NotEqual,
    Less,
    AtMost,
    Greater,
    AtLeast,
    Has,
}

/// Longer ones first: `<=` is no `<`.
const OPERATORS: [(&str, Operator); 7] = [
    ("!=", Operator::NotEqual),
    ("<=", Operator::AtMost),
    (">=", Operator::AtLeast),
    ("=", Operator::Equal),
    ("<", Operator::Less),
    (">", Operator::Greater),
    (":", Operator::Has),
];

/// Reads a filter; blank: none.
pub(super) fn parse(text: &str) -> Result<Option<Expression<Term>>, Fault> {
    if text.chars().nth(CHARS_MAX).is_some() {
        return Err(Fault::new(
            CHARS_MAX + 1,
            format!("the filter is too long: {CHARS_MAX} characters at most"),
        ));
    }
    let mut reader = Reader {
        rest: text,
        at: 1,
        nesting: 0,
        terms: 0,
    };
    reader.skip_space();
    if reader.rest.is_empty() {
        return Ok(None);
    }
    let expression = reader.expression()?;
    match reader.rest {
        "" => Ok(Some(expression)),
        _ => Err(reader.fault("there is no ( for this ): take it out")),
    }
}

impl<T> Expression<T> {
    /// The same tree with every term read.
    pub(super) fn read<U, E>(self, read: &mut impl FnMut(T) -> Result<U, E>) -> Result<Expression<U>, E> {
        let mut each = |parts: Vec<Self>| -> Result<Vec<Expression<U>>, E> {
            parts.into_iter().map(|part| part.read(read)).collect()
        };
        Ok(match self {
            Self::All(parts) => Expression::All(each(parts)?),
            Self::Any(parts) => Expression::Any(each(parts)?),
            Self::Not(part) => Expression::Not(Box::new(part.read(read)?)),
            Self::Term(term) => Expression::Term(read(term)?),
        })
    }

    /// Whether it is true, given which terms are.
    pub(super) fn holds(&self, term: &impl Fn(&T) -> bool) -> bool {
        match self {
            Self::All(parts) => parts.iter().all(|part| part.holds(term)),
            Self::Any(parts) => parts.iter().any(|part| part.holds(term)),
            Self::Not(part) => !part.holds(term),
            Self::Term(of) => term(of),
        }
    }

    /// Several parts joined, or the only one.
    fn joined(mut parts: Vec<Self>, join: fn(Vec<Self>) -> Self) -> Self {
        match parts.pop() {
            Some(only) if parts.is_empty() => only,
            last => {
                parts.extend(last);
                join(parts)
            }
        }
    }
}

impl Operator {
    /// Whether it holds for a value that stands so to the one in the filter; none: there is no value.
    pub(super) fn holds(self, order: Option<Ordering>) -> bool {
        match self {
            Self::Equal | Self::Has => order == Some(Ordering::Equal),
            Self::NotEqual => order != Some(Ordering::Equal),
            Self::Less => order == Some(Ordering::Less),
            Self::AtMost => order.is_some_and(Ordering::is_le),
            Self::Greater => order == Some(Ordering::Greater),
            Self::AtLeast => order.is_some_and(Ordering::is_ge),
        }
    }

    /// Whether it asks for the same or for another, and not for more or less.
    pub(super) fn is_equality(self) -> bool {
        match self {
            Self::Equal | Self::NotEqual | Self::Has => true,
            Self::Less | Self::AtMost | Self::Greater | Self::AtLeast => false,
        }
    }
}

/// What is still to be read.
struct Reader<'t> {
    rest: &'t str,
    /// Where it begins: the first character is 1.
    at: usize,
    nesting: usize,
    terms: usize,
}

impl<'t> Reader<'t> {
    /// Factors joined by AND, or by white space alone.
    fn expression(&mut self) -> Result<Expression<Term>, Fault> {
        let mut parts = vec![self.factor()?];
        loop {
            self.skip_space();
            if self.rest.is_empty() || self.rest.starts_with(')') {
                return Ok(Expression::joined(parts, Expression::All));
            }
            self.eat_keyword("AND");
            parts.push(self.factor()?);
        }
    }

    /// Simple ones joined by OR, which binds closer than AND.
    fn factor(&mut self) -> Result<Expression<Term>, Fault> {
        let mut parts = vec![self.simple()?];
        loop {
            self.skip_space();
            if !self.eat_keyword("OR") {
                return Ok(Expression::joined(parts, Expression::Any));
            }
            parts.push(self.simple()?);
        }
    }

    fn simple(&mut self) -> Result<Expression<Term>, Fault> {
        self.skip_space();
        let negated = self.eat_keyword("NOT") || self.eat("-");
        self.skip_space();
        let found = if self.rest.starts_with('(') {
            self.parenthesis()?
        } else {
            Expression::Term(self.term()?)
        };
        Ok(match negated {
            true => Expression::Not(Box::new(found)),
            false => found,
        })
    }

    fn parenthesis(&mut self) -> Result<Expression<Term>, Fault> {
        if self.nesting == NESTING_MAX {
            return Err(self.fault(format!(
                "parentheses go {NESTING_MAX} deep at most: write it flatter"
            )));
        }
        let opened_at = self.at;
        self.eat("(");
        self.nesting += 1;
        let inside = self.expression()?;
        self.nesting -= 1;
        match self.eat(")") {
            true => Ok(inside),
            false => Err(Fault::new(opened_at, "this ( is never closed: write its )")),
        }
    }

    fn term(&mut self) -> Result<Term, Fault> {
        if self.terms == TERMS_MAX {
            return Err(self.fault(format!(
                "a filter has {TERMS_MAX} terms at most: ask in several lists"
            )));
        }
        self.terms += 1;
        let at = self.at;
        let field = self.eat_while(|c| c.is_ascii_alphanumeric() || c == '_');
        if field.is_empty() || matches!(field, "AND" | "OR" | "NOT") {
            let sentence =
                "a term is missing here: write a field, an operator and a value, like state = ACTIVE";
            return Err(Fault::new(at, sentence));
        }
        let key = match self.eat(".") {
            true => Some(self.key()?),
            false => None,
        };
        self.skip_space();
        let operator = self.operator(field)?;
        self.skip_space();
        let value_at = self.at;
        let value = self.value(field)?;
        Ok(Term {
            at,
            field: field.to_owned(),
            key,
            operator,
            value_at,
            value,
        })
    }

    /// What stands behind a field's dot.
    fn key(&mut self) -> Result<String, Fault> {
        if let Some(quoted) = self.quoted()? {
            return Ok(quoted);
        }
        match self.eat_while(|c| !ends_bare(c) && !begins_operator(c)) {
            "" => Err(self.fault("a key is missing behind the dot: write it like labels.env = \"prod\"")),
            key => Ok(key.to_owned()),
        }
    }

    fn operator(&mut self, field: &str) -> Result<Operator, Fault> {
        let field = value::shown(field);
        let found = OPERATORS.into_iter().find(|(sign, _)| self.eat(sign));
        found.map(|(_, operator)| operator).ok_or_else(|| {
            self.fault(format!(
                "an operator is missing behind {field:?}: write =, !=, <, <=, >, >= or :, and AND, OR and NOT in capitals"
            ))
        })
    }

    fn value(&mut self, field: &str) -> Result<Value, Fault> {
        let field = value::shown(field);
        if let Some(quoted) = self.quoted()? {
            return Ok(Value::Text(quoted));
        }
        if self.rest.starts_with(begins_operator) {
            return Err(self.fault("there are two operators: write one of =, !=, <, <=, >, >= and :"));
        }
        let at = self.at;
        match self.eat_while(|c| !ends_bare(c)) {
            "" | "AND" | "OR" | "NOT" => Err(Fault::new(
                at,
                format!(
                    "a value is missing for {field:?}: write one, in quotes if it has spaces or parentheses"
                ),
            )),
            "*" => Ok(Value::Anything),
            bare => Ok(Value::Text(bare.to_owned())),
        }
    }

    /// A text in double or single quotes, in which a backslash takes the next character as it is.
    fn quoted(&mut self) -> Result<Option<String>, Fault> {
        let Some(quote) = self.rest.chars().next().filter(|c| matches!(c, '"' | '\'')) else {
            return Ok(None);
        };
        let opened_at = self.at;
        self.next();
        let mut text = String::new();
        loop {
            match self.next() {
                Some(end) if end == quote => return Ok(Some(text)),
                Some('\\') => text.extend(self.next()),
                Some(c) => text.push(c),
                None => return Err(Fault::new(opened_at, "this quote is never closed: write its end")),
            }
        }
    }

    fn skip_space(&mut self) {
        self.eat_while(char::is_whitespace);
    }

    /// Takes a word that is not merely the beginning of a longer one.
    fn eat_keyword(&mut self, word: &str) -> bool {
        let behind = self.rest.strip_prefix(word);
        let ends =
            behind.is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric() || "_.".contains(c)));
        ends && self.eat(word)
    }

    fn eat(&mut self, text: &str) -> bool {
        let Some(rest) = self.rest.strip_prefix(text) else {
            return false;
        };
        self.at += text.chars().count();
        self.rest = rest;
        true
    }

    fn eat_while(&mut self, inside: impl Fn(char) -> bool) -> &'t str {
        let end = self.rest.find(|c| !inside(c)).unwrap_or(self.rest.len());
        let (eaten, rest) = self.rest.split_at(end);
        self.at += eaten.chars().count();
        self.rest = rest;
        eaten
    }

    fn next(&mut self) -> Option<char> {
        let mut chars = self.rest.chars();
        let next = chars.next()?;
        self.rest = chars.as_str();
        self.at += 1;
        Some(next)
    }

    fn fault(&self, sentence: impl Into<String>) -> Fault {
        Fault::new(self.at, sentence)
    }
}

fn ends_bare(c: char) -> bool {
    c.is_whitespace() || matches!(c, '(' | ')' | '"' | '\'' | ',')
}

fn begins_operator(c: char) -> bool {
    matches!(c, '=' | '!' | '<' | '>' | ':')
}

#[cfg(test)]
mod tests;
