//! What may become of a type in a later version.
use crate::types::{Def, Field, INTS, Maker, Ty, Variant};

impl Maker {
    /// A later version of all definitions.
    pub fn later(&mut self, defs: &[Def]) -> Vec<Def> {
        let mut later: Vec<Def> = Vec::new();
        for (number, def) in defs.iter().enumerate() {
            let def = self.later_def(def, number, &later);
            later.push(def);
        }
        later
    }

    fn later_def(&mut self, def: &Def, number: usize, later: &[Def]) -> Def {
        match def {
            Def::Unit => Def::Unit,
            Def::Struct(fields) => Def::Struct(self.later_fields(fields, number, later)),
            Def::Tuple(tys) => {
                let mut tys: Vec<Ty> = tys.iter().map(|ty| self.later_ty(ty, number)).collect();
                match self.rng.usize(..20) {
                    0 => tys.push(self.ty(1, number)),
                    1 if tys.len() > 1 => _ = tys.pop(),
                    _ => {}
                }
                Def::Tuple(tys)
            }
            Def::Enum(variants) => {
                let mut variants: Vec<Variant> = variants
                    .iter()
                    .map(|variant| {
                        let mut variant = variant.clone();
                        if self.one_in(6) {
                            variant.was.push(variant.name.clone());
                            variant.name = self.name().to_uppercase();
                        }
                        variant.content = match variant.content {
                            None if self.one_in(8) => Some(self.fields(number)),
                            Some(Def::Struct(_)) if self.one_in(8) => None,
                            content => content.map(|def| self.later_def(&def, number, later)),
                        };
                        variant
                    })
                    .collect();
                if variants.len() > 1 && self.one_in(10) {
                    variants.swap_remove(0);
                }
                if self.one_in(4) {
                    variants.insert(0, self.variant(number));
                }
                Def::Enum(variants)
            }
        }
    }

    fn later_fields(&mut self, fields: &[Field], number: usize, later: &[Def]) -> Vec<Field> {
        let mut new = Vec::new();
        for field in fields {
            let mut field = field.clone();
            match self.rng.usize(..12) {
                0 => continue,
                1 | 2 => {
                    field.was.push(field.name.clone());
                    field.name = self.name();
                }
                3 if self.one_in(3) => field.name = self.name(),
                4..=7 => field.ty = self.later_ty(&field.ty, number),
                8 => {
                    field.default = Some(self.value(&field.ty, later));
                    field.skip = self.one_in(2);
                }
                _ => {}
            }
            new.push(field);
        }
        if self.one_in(2) {
            let mut field = self.field(number);
            if !self.one_in(5) {
                field.default = Some(self.value(&field.ty, later));
            }
            new.push(field);
        }
        self.rng.shuffle(&mut new);
        new
    }

    fn later_ty(&mut self, ty: &Ty, defs: usize) -> Ty {
        match (self.rng.usize(..6), ty) {
            (0, ty) => Ty::Option(Box::new(ty.clone())),
            (1, Ty::Option(ty) | Ty::Boxed(ty)) => (**ty).clone(),
            (2, ty) => Ty::Boxed(Box::new(ty.clone())),
            (3, _) => self.ty(2, defs),
            (_, Ty::Int(..)) => {
                let (name, bits, sign) = INTS[self.rng.usize(..INTS.len())];
                Ty::Int(name, bits, sign)
            }
            (_, Ty::F64) => Ty::F32,
            (_, Ty::F32) => Ty::F64,
            (_, Ty::Vec(ty)) => Ty::Vec(Box::new(self.later_ty(ty, defs))),
            (_, Ty::Map(texts, ty)) => Ty::Map(*texts, Box::new(self.later_ty(ty, defs))),
            (_, Ty::Array(ty, _)) => Ty::Vec(ty.clone()),
            (_, ty) => ty.clone(),
        }
    }
}
