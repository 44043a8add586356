//! Puts all mutants of a file into it at once, each behind a switch of its own, so that they are compiled together.
//!
//! ```text
//! a == b && c     (if on(1) { (a != b && c) } else if on(2) { (a == b || c) } else { (a == b && c) })
//! !a              (if on(3) { (a) } else { (!a) })
//! Some(x) =>      Some(x) if true && !on(4) =>
//! X if a =>       X if on(5) || (!on(6) && (a)) =>
//! { body }        { if on(7) { return Default::default(); } body }
//! ```
//! Operators are replaced as text is, in the whole expression that they are part of: `||` binds less than `&&` there.
//! Only one mutant is on at a time, so what stands behind a switch has no further switches in it.
#[cfg(test)]
mod tests;

use crate::list::{Genre, Mutant};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::ops::Range;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{Expr, ExprBinary, ExprMatch, ExprStruct, ExprUnary};

/// A file with switches.
pub struct Rewritten {
    /// Its text.
    pub text: String,
    /// Where in the text each mutant is: alone, and with what it is an alternative to.
    pub regions: Vec<Region>,
    /// Those that are no Rust, and left out.
    pub impossible: BTreeSet<usize>,
}

/// Where a mutant is in a file with switches.
pub struct Region {
    /// Which mutant.
    pub id: usize,
    /// What is there because of it alone.
    pub own: Range<usize>,
    /// The expression with all its alternatives.
    pub whole: Range<usize>,
}

/// Rewrites a file, which has these mutants.
///
/// # Errors
/// The file cannot be parsed, or a mutant is not where it should be.
pub fn rewrite(text: &str, mutants: &[&Mutant]) -> io::Result<Rewritten> {
    let file = syn::parse_file(text).map_err(io::Error::other)?;
    let mut finder = Finder {
        mutants: BTreeMap::new(),
        places: Vec::new(),
        impossible: BTreeSet::new(),
    };
    for &mutant in mutants {
        let at = finder.mutants.entry(mutant.span.start).or_default();
        at.push(mutant);
    }
    finder.bodies();
    finder.visit_file(&file);
    if let Some(lost) = finder.mutants.into_values().flatten().next() {
        return Err(io::Error::other(format!("cannot find {}", lost.name)));
    }
    let mut places = finder.places;
    // What is inserted comes before what begins there, and the outer before the inner.
    places.sort_by_key(|place| {
        let range = &place.range;
        (range.start, !range.is_empty(), Reverse(range.end))
    });
    let mut out = Rewritten {
        text: String::new(),
        regions: Vec::new(),
        impossible: finder.impossible,
    };
    out.copy(text, 0..text.len(), &mut places.iter().peekable());
    Ok(out)
}

/// Something that has mutants.
struct Place<'m> {
    /// What is replaced in the text as it was; empty where something is put in.
    range: Range<usize>,
    kind: Kind,
    mutants: Vec<&'m Mutant>,
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    /// An expression in which the mutant's span is replaced.
    Expression,
    Guard,
    Arm,
    Body,
}

struct Finder<'m> {
    /// Those that have not been found yet, by where they begin.
    mutants: BTreeMap<usize, Vec<&'m Mutant>>,
    places: Vec<Place<'m>>,
    /// See [`Rewritten`].
    impossible: BTreeSet<usize>,
}

impl<'m> Finder<'m> {
    /// The mutants of these kinds that begin there.
    fn take(&mut self, at: usize, is: impl Fn(Genre) -> bool) -> Vec<&'m Mutant> {
        let Some(here) = self.mutants.get_mut(&at) else {
            return Vec::new();
        };
        let (taken, left) = here.drain(..).partition(|mutant| is(mutant.genre));
        *here = left;
        if here.is_empty() {
            self.mutants.remove(&at);
        }
        taken
    }

    fn place(&mut self, kind: Kind, range: Range<usize>, mutants: Vec<&'m Mutant>) {
        if !mutants.is_empty() {
            self.places.push(Place {
                range,
                kind,
                mutants,
            });
        }
    }

    fn bodies(&mut self) {
        let starts: Vec<_> = self.mutants.keys().copied().collect();
        for at in starts {
            let bodies = self.take(at, |genre| genre == Genre::FnValue);
            self.place(Kind::Body, at..at, bodies);
        }
    }

    /// The operators of an expression, and its operands.
    fn chain(&mut self, part: &Expr, operators: &mut Vec<&'m Mutant>) {
        match part {
            Expr::Binary(binary) if binary.attrs.is_empty() => {
                self.chain(&binary.left, operators);
                let at = binary.op.span().byte_range().start;
                operators.extend(self.take(at, |genre| genre == Genre::BinaryOperator));
                self.chain(&binary.right, operators);
            }
            operand => self.visit_expr(operand),
        }
    }
}

fn has_let(expr: &Expr) -> bool {
    match expr {
        Expr::Let(_) => true,
        Expr::Binary(binary) => has_let(&binary.left) || has_let(&binary.right),
        _ => false,
    }
}

impl<'ast> Visit<'ast> for Finder<'_> {
    fn visit_expr_binary(&mut self, binary: &'ast ExprBinary) {
        if has_let(&binary.left) || has_let(&binary.right) {
            // `if let … && …`: there is no `||` of those.
            let at = binary.op.span().byte_range().start;
            let operators = self.take(at, |genre| genre == Genre::BinaryOperator);
            self.impossible
                .extend(operators.iter().map(|mutant| mutant.id));
            visit::visit_expr_binary(self, binary);
            return;
        }
        let mut operators = Vec::new();
        self.chain(&Expr::Binary(binary.clone()), &mut operators);
        self.place(Kind::Expression, binary.span().byte_range(), operators);
    }

    fn visit_expr_unary(&mut self, unary: &'ast ExprUnary) {
        let range = unary.span().byte_range();
        let operators = self.take(range.start, |genre| genre == Genre::UnaryOperator);
        self.place(Kind::Expression, range, operators);
        visit::visit_expr_unary(self, unary);
    }

    fn visit_expr_match(&mut self, expr: &'ast ExprMatch) {
        for arm in &expr.arms {
            let arms = self.take(arm.span().byte_range().start, |genre| {
                genre == Genre::MatchArm
            });
            let end = arm.pat.span().byte_range().end;
            self.place(Kind::Arm, end..end, arms);
            if let Some((_, guard)) = &arm.guard {
                let range = guard.span().byte_range();
                let guards = self.take(range.start, |genre| genre == Genre::MatchArmGuard);
                self.place(Kind::Guard, range, guards);
            }
        }
        visit::visit_expr_match(self, expr);
    }

    fn visit_expr_struct(&mut self, expr: &'ast ExprStruct) {
        let mut fields = Vec::new();
        for field in &expr.fields {
            let at = field.span().byte_range().start;
            fields.extend(self.take(at, |genre| genre == Genre::StructField));
        }
        self.place(Kind::Expression, expr.span().byte_range(), fields);
        visit::visit_expr_struct(self, expr);
    }
}

type Places<'p, 'm> = std::iter::Peekable<std::slice::Iter<'p, Place<'m>>>;

impl Rewritten {
    /// Copies a part of the text, with all places that begin in it.
    fn copy(&mut self, text: &str, range: Range<usize>, places: &mut Places<'_, '_>) {
        let mut at = range.start;
        while let Some(place) = places.next_if(|place| place.range.start < range.end) {
            self.text.push_str(&text[at..place.range.start]);
            at = place.range.end;
            let (start, first) = (self.text.len(), self.regions.len());
            self.put(text, place, places);
            let whole = start..self.text.len();
            let regions = self.regions[first..].iter_mut();
            // Those inside have one already.
            let own = regions.filter(|region| region.whole.is_empty());
            own.for_each(|region| region.whole = whole.clone());
        }
        self.text.push_str(&text[at..range.end]);
    }

    fn put(&mut self, text: &str, place: &Place<'_>, places: &mut Places<'_, '_>) {
        let inner = place.range.clone();
        match place.kind {
            Kind::Body => {
                for mutant in &place.mutants {
                    let replacement = &mutant.replacement;
                    self.own(mutant, |id| {
                        format!("if {} {{ return {replacement}; }} ", on(id))
                    });
                }
            }
            Kind::Arm => {
                self.text.push_str(" if true");
                for mutant in &place.mutants {
                    self.own(mutant, |id| format!(" && !{}", on(id)));
                }
            }
            Kind::Guard => {
                let (always, never): (Vec<_>, Vec<_>) = place
                    .mutants
                    .iter()
                    .partition(|mutant| mutant.replacement == "true");
                for mutant in always {
                    self.own(mutant, |id| format!("{} || ", on(id)));
                }
                self.text.push('(');
                for mutant in never {
                    self.own(mutant, |id| format!("!{} && ", on(id)));
                }
                self.text.push('(');
                self.copy(text, inner, places);
                self.text.push_str("))");
            }
            Kind::Expression => {
                self.text.push('(');
                for mutant in &place.mutants {
                    let (before, after) =
                        (inner.start..mutant.span.start, mutant.span.end..inner.end);
                    let (before, after) = (&text[before], &text[after]);
                    let replacement = &mutant.replacement;
                    self.own(mutant, |id| {
                        format!("if {} {{ ({before}{replacement}{after}) }} else ", on(id))
                    });
                }
                self.text.push_str("{ (");
                self.copy(text, inner, places);
                self.text.push_str(") })");
            }
        }
    }

    fn own(&mut self, mutant: &Mutant, text: impl FnOnce(usize) -> String) {
        let start = self.text.len();
        self.text.push_str(&text(mutant.id));
        self.regions.push(Region {
            id: mutant.id,
            own: start..self.text.len(),
            whole: 0..0,
        });
    }
}

fn on(id: usize) -> String {
    format!("crate::switched::on({id})")
}
