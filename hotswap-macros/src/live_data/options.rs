//! `#[live_data]`: the options.
use crate::support::{Errors, Root, unknown_option};
use proc_macro2::TokenStream;
use syn::meta::ParseNestedMeta;
use syn::parse::{Parse, ParseStream, Parser};
use syn::{Attribute, Expr, ExprPath, Ident, LitInt, LitStr, Token};

/// The options of the type.
#[derive(Default)]
pub struct TypeOptions {
    pub root: Root,
    pub name: Option<LitStr>,
    pub version: Option<LitInt>,
    pub was: Vec<LitStr>,
    /// The word, for errors on it.
    pub default: Option<Ident>,
    pub steps: Vec<Step>,
}

impl TypeOptions {
    pub fn parse(options: TokenStream) -> syn::Result<Self> {
        let mut all = TypeOptions::default();
        let parser = syn::meta::parser(|meta| {
            if all.root.parse(&meta)? {
                return Ok(());
            }
            match word(&meta).as_str() {
                "version" => all.version = Some(meta.value()?.parse()?),
                "name" => all.name = Some(meta.value()?.parse()?),
                "was" => all.was.push(meta.value()?.parse()?),
                "default" => all.default = meta.path.get_ident().cloned(),
                "migrate" => {
                    let content;
                    syn::parenthesized!(content in meta.input);
                    all.steps.push(content.parse()?);
                }
                _ => {
                    return Err(unknown_option(
                        &meta,
                        "`version = 2`, `migrate(1, up = from_1, down = to_1)`, `name = \"…\"`, `was = \"…\"`, `default`, `crate = path`",
                    ));
                }
            }
            Ok(())
        });
        parser.parse2(options)?;
        Ok(all)
    }

    /// Returns the schema version.
    pub fn version(&self) -> syn::Result<u32> {
        self.version.as_ref().map_or(Ok(1), number)
    }
}

/// Returns a number that is a version.
pub fn number(literal: &LitInt) -> syn::Result<u32> {
    match literal.base10_parse() {
        Ok(number) if number > 0 => Ok(number),
        _ => Err(syn::Error::new_spanned(
            literal,
            "versions are 1, 2, 3, and so on",
        )),
    }
}

/// A migration: `migrate(1, up = from_1, down = to_1)`.
pub struct Step {
    pub from: LitInt,
    pub up: Option<ExprPath>,
    pub down: Option<ExprPath>,
}

impl Parse for Step {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let from: LitInt = input.parse().map_err(|error| {
            syn::Error::new(
                error.span(),
                "write the version that the migration starts from: `migrate(1, up = from_1, down = to_1)`",
            )
        })?;
        let mut step = Step {
            from,
            up: None,
            down: None,
        };
        while !input.is_empty() {
            input.parse::<Token![,]>()?;
            if input.is_empty() {
                break;
            }
            let way: Ident = input.parse()?;
            let place = match way.to_string().as_str() {
                "up" => &mut step.up,
                "down" => &mut step.down,
                _ => {
                    return Err(syn::Error::new(
                        way.span(),
                        "a migration goes `up` or `down`",
                    ));
                }
            };
            input.parse::<Token![=]>()?;
            *place = Some(input.parse()?);
        }
        if step.up.is_none() && step.down.is_none() {
            let text =
                "write the functions of the migration: `migrate(1, up = from_1, down = to_1)`";
            return Err(syn::Error::new_spanned(&step.from, text));
        }
        Ok(step)
    }
}

/// The options of a variant.
#[derive(Default)]
pub struct VariantOptions {
    pub was: Vec<LitStr>,
}

impl VariantOptions {
    pub fn parse(attrs: &[Attribute], errors: &mut Errors) -> Self {
        let mut all = VariantOptions::default();
        parse(attrs, errors, |meta| match word(meta).as_str() {
            "was" => {
                all.was.push(meta.value()?.parse()?);
                Ok(())
            }
            _ => Err(unknown_option(meta, "`was = \"…\"`")),
        });
        all
    }
}

/// The options of a field.
#[derive(Default)]
pub struct FieldOptions {
    pub was: Vec<LitStr>,
    pub default: Option<Default_>,
    /// The word, for errors on it.
    pub skip: Option<Ident>,
}

/// The value of a field that the data does not have.
pub enum Default_ {
    /// `default`, which is the default of the field's type.
    OfType,
    /// A value, as in `default = 7`.
    Value(Box<Expr>),
}

impl FieldOptions {
    pub fn parse(attrs: &[Attribute], errors: &mut Errors) -> Self {
        let mut all = FieldOptions::default();
        parse(attrs, errors, |meta| {
            match word(meta).as_str() {
                "was" => all.was.push(meta.value()?.parse()?),
                "skip" => all.skip = meta.path.get_ident().cloned(),
                "default" if meta.input.peek(Token![=]) => {
                    all.default = Some(Default_::Value(meta.value()?.parse()?));
                }
                "default" => all.default = Some(Default_::OfType),
                _ => {
                    return Err(unknown_option(
                        meta,
                        "`default`, `default = 7`, `was = \"…\"`, `skip`",
                    ));
                }
            }
            Ok(())
        });
        all
    }
}

fn parse(
    attrs: &[Attribute],
    errors: &mut Errors,
    mut option: impl FnMut(&ParseNestedMeta<'_>) -> syn::Result<()>,
) {
    for attr in attrs {
        if let Err(error) = attr.parse_nested_meta(|meta| option(&meta)) {
            errors.push(error);
        }
    }
}

fn word(meta: &ParseNestedMeta<'_>) -> String {
    meta.path
        .get_ident()
        .map(Ident::to_string)
        .unwrap_or_default()
}

impl FieldOptions {
    pub fn is_empty(&self) -> bool {
        self.was.is_empty() && self.default.is_none() && self.skip.is_none()
    }
}
