//! Changes of single functions in the sources of a plugin.
use crate::{Function, SourceError, Sources};
use proc_macro2::Span;
use similar::TextDiff;
use std::fmt::{self, Display};
use std::ops::{Range, RangeInclusive};
use std::str::FromStr;
use syn::parse::{Parse, ParseStream};
use syn::spanned::Spanned;
use syn::visit::Visit;
use syn::{Attribute, Block, Expr, ImplItemFn, Signature, Stmt, Visibility};

/// Sources in which functions have changed.
#[derive(Clone, Debug)]
pub struct Edited {
    /// The sources.
    pub sources: Sources,
    /// The changed functions, in the order of the files and of the lines.
    pub changes: Vec<Change>,
}

/// A function that has changed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Change {
    /// The path below the crate, such as `World::hum`.
    pub path: String,
    /// The file, relative to the directory of the package.
    pub file: String,
    /// The lines of the new text in the changed file, counted from 1. The last one is included.
    pub lines: RangeInclusive<usize>,
    /// The number of lines that the function had before.
    pub before: usize,
    /// For a rewritten function, what has to be subtracted from the number of one of these lines to have the line of the text
    /// that was given. `None` for code that was put into the function.
    pub offset: Option<isize>,
}

/// Code that is put into a function: `start: tracing::info!("called")`.
///
/// The code is one or more statements. The place comes first:
///
/// | Place | The code runs |
/// | --- | --- |
/// | `start` | before the first statement |
/// | `end` | before the expression that is the function's value, or after the last statement if there is none |
/// | `statement 2` | before the second statement |
/// | `arm 2` | first in the second arm of the first `match` |
///
/// # Example
/// ```
/// use hotswap_source::{Injection, Place};
///
/// let injection: Injection = "arm 2: println!(\"none\")".parse()?;
/// assert_eq!(injection.place, Place::Arm(2));
/// assert_eq!(injection.code, "println!(\"none\");");
/// # Ok::<(), hotswap_source::SourceError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Injection {
    /// The place in the function.
    pub place: Place,
    /// The statements.
    pub code: String,
}

/// A place in the body of a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Place {
    /// Before the first statement.
    Start,
    /// Before the value of the function, or after the last statement if it has none.
    End,
    /// Before the statement with this number, counted from 1.
    Statement(usize),
    /// At the start of the arm with this number, counted from 1, of the first `match`.
    Arm(usize),
}

impl Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Start => f.write_str("start"),
            Place::End => f.write_str("end"),
            Place::Statement(number) => write!(f, "statement {number}"),
            Place::Arm(number) => write!(f, "arm {number}"),
        }
    }
}

impl FromStr for Place {
    type Err = SourceError;

    fn from_str(text: &str) -> Result<Self, SourceError> {
        let mut words = text.split_whitespace();
        let place = match (words.next(), words.next().map(str::parse), words.next()) {
            (Some("start"), None, None) => Place::Start,
            (Some("end"), None, None) => Place::End,
            (Some("statement"), Some(Ok(number)), None) => Place::Statement(number),
            (Some("arm"), Some(Ok(number)), None) => Place::Arm(number),
            _ => return Err(SourceError::Place(text.trim().to_owned())),
        };
        Ok(place)
    }
}

impl FromStr for Injection {
    type Err = SourceError;

    fn from_str(text: &str) -> Result<Self, SourceError> {
        let (place, code) = text
            .split_once(':')
            .ok_or_else(|| SourceError::Place(text.trim().to_owned()))?;
        Ok(Injection {
            place: place.parse()?,
            code: statements(code)?,
        })
    }
}

/// Returns statements, the last one with its semicolon.
fn statements(code: &str) -> Result<String, SourceError> {
    let code = code.trim();
    let parse = |code: &str| {
        let parsed = syn::parse::Parser::parse_str(Block::parse_within, code);
        parsed.map_err(|error| SourceError::Code(error.to_string()))
    };
    let with_semicolon = format!("{code};");
    let parsed = match (parse(code), parse(&with_semicolon)) {
        // `let` alone wants a semicolon.
        (Err(_), Ok(_)) => return Ok(with_semicolon),
        (parsed, _) => parsed?,
    };
    match parsed.last() {
        None => Err(SourceError::Code("there is none".into())),
        Some(Stmt::Expr(_, None)) => Ok(with_semicolon),
        Some(Stmt::Macro(call)) if call.semi_token.is_none() => Ok(with_semicolon),
        Some(_) => Ok(code.to_owned()),
    }
}

impl Sources {
    /// Replaces the function with this name by another text. [`function`](Self::function) says how functions are named.
    ///
    /// Attributes and the visibility stay as they are if the text has none. The name, the parameters' types, and the
    /// result's type have to stay.
    ///
    /// # Errors
    /// There is no such function, or the text is not this function.
    pub fn rewrite(&self, name: &str, text: &str) -> Result<Edited, SourceError> {
        let old = self.function(name)?;
        let new = one_function(text)?;
        check_same(&old, &new)?;
        let file = self.files().iter().find(|file| file.path == old.file);
        let file = file.map_or("", |file| &file.text);
        let kept = Kept::new(&old, &new.attrs, &new.vis, file);
        let begin = text.len() - text.trim_start().len();
        let signature = new.sig.span().byte_range().start;
        let edit = Edit {
            at: old.range.clone(),
            text: [
                &*kept.attributes,
                &text[begin..signature],
                &kept.visibility,
                text[signature..].trim_end(),
            ]
            .concat(),
        };
        let mut edited = self.edited(&[(&old, vec![edit])]);
        let lines = |text: &str| text.matches('\n').count().cast_signed();
        let first = old.line.cast_signed() - 1 + lines(&kept.attributes);
        edited.changes[0].offset = Some(first - lines(&text[..begin]));
        Ok(edited)
    }

    /// Puts code into the function with this name, or into all functions with a body if the name is `*`. Functions that are
    /// `const` are left out of these.
    ///
    /// # Errors
    /// There is no such function, or it has no such place.
    pub fn inject(&self, name: &str, injection: &Injection) -> Result<Edited, SourceError> {
        let found = match name {
            "*" => {
                let mut all = self.functions()?;
                all.retain(|found| found.node.signature().constness.is_none());
                all
            }
            name => vec![self.function(name)?],
        };
        let mut edits = Vec::new();
        for found in &found {
            edits.push((found, found.inject(injection)?));
        }
        Ok(self.edited(&edits))
    }

    fn edited(&self, edits: &[(&Function, Vec<Edit>)]) -> Edited {
        let mut sources = self.clone();
        let mut changes = Vec::new();
        for file in sources.files_mut() {
            let of_file = edits.iter().filter(|(found, _)| found.file == file.path);
            let mut of_file: Vec<_> = of_file.collect();
            of_file.sort_by_key(|(found, _)| found.range.start);
            let (mut text, mut read) = (String::new(), 0);
            for (found, edits) in of_file {
                text.push_str(&file.text[read..found.range.start]);
                let first = 1 + text.matches('\n').count();
                read = found.range.start;
                for edit in edits {
                    text.push_str(&file.text[read..edit.at.start]);
                    text.push_str(&edit.text);
                    read = edit.at.end;
                }
                text.push_str(&file.text[read..found.range.end]);
                read = found.range.end;
                changes.push(Change {
                    path: found.path.clone(),
                    file: file.path.clone(),
                    lines: first..=1 + text.matches('\n').count(),
                    before: 1 + found.text.matches('\n').count(),
                    offset: None,
                });
            }
            text.push_str(&file.text[read..]);
            file.text = text;
        }
        Edited { sources, changes }
    }
}

impl Edited {
    /// Returns how the files differ from the earlier ones, as `diff -u` shows it.
    pub fn diff(&self, earlier: &Sources) -> String {
        let mut all = String::new();
        for (old, new) in earlier.files().iter().zip(self.sources.files()) {
            if old.text != new.text {
                let diff = TextDiff::from_lines(&old.text, &new.text);
                let mut diff = diff.unified_diff();
                let diff = diff.header(&format!("a/{}", old.path), &format!("b/{}", new.path));
                all.push_str(&diff.to_string());
            }
        }
        all
    }
}

/// A part of a file, and the text that replaces it.
struct Edit {
    at: Range<usize>,
    text: String,
}

impl Function {
    /// Returns the edits that put the code into the function.
    fn inject(&self, injection: &Injection) -> Result<Vec<Edit>, SourceError> {
        let block = self.node.block();
        let indent = " ".repeat(4 + self.column);
        let before = |span: Span| {
            let at = span.byte_range().start;
            vec![Edit {
                at: at..at,
                text: format!("{}\n{indent}", injection.code),
            }]
        };
        let open = block.brace_token.span.open().byte_range().end;
        let first_in = |at: usize| {
            vec![Edit {
                at: at..at,
                text: format!("\n{indent}{}", injection.code),
            }]
        };
        let close = block.brace_token.span.close();
        let no_place = |has: String| SourceError::NoPlace {
            path: self.path.clone(),
            place: injection.place,
            has,
        };
        Ok(match injection.place {
            Place::Start => first_in(open),
            Place::End => match block.stmts.last() {
                Some(value @ Stmt::Expr(_, None)) => before(value.span()),
                _ => {
                    let at = close.byte_range().start;
                    vec![Edit {
                        at: at..at,
                        text: format!("    {}\n{}", injection.code, " ".repeat(self.column)),
                    }]
                }
            },
            Place::Statement(number) => {
                let statement = number.checked_sub(1).and_then(|at| block.stmts.get(at));
                let has = || count(block.stmts.len(), "statement");
                before(statement.ok_or_else(|| no_place(has()))?.span())
            }
            Place::Arm(number) => {
                let mut finder = FirstMatch(None);
                finder.visit_block(block);
                let found = finder.0.ok_or_else(|| no_place("no `match`".into()))?;
                let arm = number.checked_sub(1).and_then(|at| found.arms.get(at));
                let has = || count(found.arms.len(), "arm");
                match &*arm.ok_or_else(|| no_place(has()))?.body {
                    Expr::Block(body) if body.label.is_none() && body.attrs.is_empty() => {
                        first_in(body.block.brace_token.span.open().byte_range().end)
                    }
                    body => {
                        let at = body.span().byte_range();
                        vec![
                            Edit {
                                at: at.start..at.start,
                                text: format!("{{ {} ", injection.code),
                            },
                            Edit {
                                at: at.end..at.end,
                                text: " }".into(),
                            },
                        ]
                    }
                }
            }
        })
    }
}

/// Returns `no arm`, `1 arm`, or `3 arms`.
fn count(number: usize, what: &str) -> String {
    match number {
        0 => format!("no {what}"),
        1 => format!("1 {what}"),
        _ => format!("{number} {what}s"),
    }
}

struct FirstMatch<'a>(Option<&'a syn::ExprMatch>);

impl<'a> Visit<'a> for FirstMatch<'a> {
    fn visit_expr_match(&mut self, found: &'a syn::ExprMatch) {
        self.0.get_or_insert(found);
    }
}

/// All functions that a text has.
struct Functions(Vec<ImplItemFn>);

impl Parse for Functions {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let mut all = Vec::new();
        while !input.is_empty() {
            all.push(input.parse()?);
        }
        Ok(Functions(all))
    }
}

/// Returns the function that a text is.
fn one_function(text: &str) -> Result<ImplItemFn, SourceError> {
    let Functions(mut all) = syn::parse_str(text).map_err(|error| {
        let start = error.span().start();
        SourceError::Text {
            line: start.line,
            column: start.column + 1,
            message: error.to_string(),
        }
    })?;
    match (all.pop(), all.len()) {
        (Some(function), 0) => Ok(function),
        (found, others) => Err(SourceError::NotOneFunction {
            count: others + usize::from(found.is_some()),
        }),
    }
}

fn check_same(old: &Function, new: &ImplItemFn) -> Result<(), SourceError> {
    let (before, after) = (old.node.signature(), &new.sig);
    if before.ident != after.ident {
        return Err(SourceError::AnotherFunction {
            found: after.ident.to_string(),
            wanted: old.path.clone(),
        });
    }
    let (before, after) = (shape(before), shape(after));
    match before == after {
        true => Ok(()),
        false => Err(SourceError::Signature {
            path: old.path.clone(),
            before,
            after,
        }),
    }
}

/// Returns a signature without the names of the parameters.
fn shape(signature: &Signature) -> String {
    let mut signature = signature.clone();
    for input in &mut signature.inputs {
        match input {
            syn::FnArg::Typed(typed) => {
                typed.pat = syn::parse_quote!(_);
                typed.attrs.clear();
            }
            syn::FnArg::Receiver(receiver) => receiver.attrs.clear(),
        }
    }
    signature.inputs.pop_punct();
    let function = syn::parse_quote!(#signature {});
    let file = syn::File {
        shebang: None,
        attrs: Vec::new(),
        items: vec![syn::Item::Fn(function)],
    };
    let text = prettyplease::unparse(&file);
    text.trim_end().trim_end_matches("{}").trim_end().to_owned()
}

/// What a new text takes over from the earlier function.
struct Kept {
    /// The attributes, each in a line of its own.
    attributes: String,
    /// The visibility, with a space behind it.
    visibility: String,
}

impl Kept {
    /// Keeps what the new text does not have: doc comments, other attributes, and a visibility.
    fn new(old: &Function, attrs: &[Attribute], vis: &Visibility, file: &str) -> Self {
        let is_doc = |attr: &Attribute| attr.path().is_ident("doc");
        let (old_attrs, old_vis) = old.node.head();
        let kept = old_attrs.iter().filter(|attr| match is_doc(attr) {
            true => attrs.is_empty(),
            false => attrs.iter().all(is_doc),
        });
        let text = |span: Span| &file[span.byte_range()];
        let indent = " ".repeat(old.column);
        let visibility = match (vis, old_vis) {
            (Visibility::Inherited, Some(old)) if !matches!(old, Visibility::Inherited) => {
                format!("{} ", text(old.span()))
            }
            _ => String::new(),
        };
        Kept {
            attributes: kept
                .map(|attr| format!("{}\n{indent}", text(attr.span())))
                .collect(),
            visibility,
        }
    }
}

#[cfg(test)]
mod tests;
