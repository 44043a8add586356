//! Random types, and values of them.
use fastrand::Rng;

/// A type.
#[derive(Clone, Debug, PartialEq)]
pub enum Ty {
    /// An integer: its name, how many bits, and whether it has a sign.
    Int(&'static str, u32, bool),
    F32,
    F64,
    Bool,
    Char,
    Str,
    Unit,
    Option(Box<Ty>),
    Boxed(Box<Ty>),
    Vec(Box<Ty>),
    Array(Box<Ty>, usize),
    Tuple(Vec<Ty>),
    /// With texts as keys, or with numbers.
    Map(bool, Box<Ty>),
    /// The definition with this number.
    Def(usize),
}

pub const U8: Ty = Ty::Int("u8", 8, false);

/// A definition. The last one of a version is what is saved.
#[derive(Clone, Debug)]
pub enum Def {
    Unit,
    Struct(Vec<Field>),
    Tuple(Vec<Ty>),
    Enum(Vec<Variant>),
}

#[derive(Clone, Debug)]
pub struct Field {
    pub name: String,
    pub was: Vec<String>,
    pub default: Option<Val>,
    pub skip: bool,
    pub ty: Ty,
}

#[derive(Clone, Debug)]
pub struct Variant {
    pub name: String,
    pub was: Vec<String>,
    /// A unit variant has no definition here.
    pub content: Option<Def>,
}

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub enum Val {
    Int(i128),
    /// Of a `u128` that an `i128` cannot be.
    Large(u128),
    Float(f64),
    Bool(bool),
    Char(char),
    Str(String),
    Unit,
    Option(Option<Box<Val>>),
    /// The items of a list or a tuple, the fields of a struct in their order.
    Items(Vec<Val>),
    Map(Vec<(Val, Val)>),
    /// The variant with this number.
    Variant(usize, Option<Box<Val>>),
}

impl Field {
    /// Its name, and those that it had.
    pub fn names(&self) -> impl Iterator<Item = &String> {
        std::iter::once(&self.name).chain(&self.was)
    }
}

impl Variant {
    /// Its name, and those that it had.
    pub fn names(&self) -> impl Iterator<Item = &String> {
        std::iter::once(&self.name).chain(&self.was)
    }
}

/// Makes types and values.
pub struct Maker {
    pub rng: Rng,
    /// Makes names that nothing else has.
    count: usize,
}

pub const INTS: [(&str, u32, bool); 10] = [
    ("u8", 8, false),
    ("u16", 16, false),
    ("u32", 32, false),
    ("u64", 64, false),
    ("u128", 128, false),
    ("i8", 8, true),
    ("i16", 16, true),
    ("i32", 32, true),
    ("i64", 64, true),
    ("i128", 128, true),
];

impl Maker {
    pub fn new(seed: u64) -> Self {
        Maker {
            rng: Rng::with_seed(seed),
            count: 0,
        }
    }

    pub fn name(&mut self) -> String {
        self.count += 1;
        format!("n{}", self.count)
    }

    pub fn one_in(&mut self, n: usize) -> bool {
        self.rng.usize(..n) == 0
    }

    /// Definitions, each of which may use those before it.
    pub fn defs(&mut self) -> Vec<Def> {
        let count = self.rng.usize(1..=3);
        let mut defs = Vec::new();
        for number in 0..count {
            let last = number + 1 == count;
            let def = match self.rng.usize(..8) {
                0 if !last => Def::Unit,
                1 => Def::Tuple(self.tys(1..=3, number)),
                2 | 3 => Def::Enum(self.variants(number)),
                _ => self.fields(number),
            };
            defs.push(def);
        }
        defs
    }

    fn tys(&mut self, count: std::ops::RangeInclusive<usize>, defs: usize) -> Vec<Ty> {
        let count = self.rng.usize(count);
        (0..count).map(|_| self.ty(3, defs)).collect()
    }

    pub fn fields(&mut self, defs: usize) -> Def {
        let count = self.rng.usize(1..=5);
        Def::Struct((0..count).map(|_| self.field(defs)).collect())
    }

    pub fn field(&mut self, defs: usize) -> Field {
        Field {
            name: self.name(),
            was: Vec::new(),
            default: None,
            skip: false,
            ty: self.ty(3, defs),
        }
    }

    fn variants(&mut self, defs: usize) -> Vec<Variant> {
        let count = self.rng.usize(1..=4);
        (0..count).map(|_| self.variant(defs)).collect()
    }

    pub fn variant(&mut self, defs: usize) -> Variant {
        Variant {
            name: self.name().to_uppercase(),
            was: Vec::new(),
            content: match self.rng.usize(..3) {
                0 => None,
                1 => Some(Def::Tuple(self.tys(1..=2, defs))),
                _ => Some(self.fields(defs)),
            },
        }
    }

    pub fn ty(&mut self, depth: usize, defs: usize) -> Ty {
        let inner = |maker: &mut Self| Box::new(maker.ty(depth - 1, defs));
        match self.rng.usize(..if depth > 0 { 24 } else { 13 }) {
            0..=4 => {
                let (name, bits, sign) = INTS[self.rng.usize(..INTS.len())];
                Ty::Int(name, bits, sign)
            }
            5 | 6 => Ty::F32,
            7 | 8 => Ty::F64,
            9 => Ty::Bool,
            10 => Ty::Char,
            11 => Ty::Unit,
            12 => Ty::Str,
            13 | 14 => Ty::Option(inner(self)),
            15 => Ty::Vec(inner(self)),
            16 => Ty::Vec(Box::new(U8)),
            17 => Ty::Array(inner(self), self.rng.usize(1..=3)),
            18 => Ty::Tuple((0..self.rng.usize(1..=3)).map(|_| *inner(self)).collect()),
            19 => Ty::Map(self.rng.bool(), inner(self)),
            20 => Ty::Boxed(inner(self)),
            _ if defs > 0 => Ty::Def(self.rng.usize(..defs)),
            _ => Ty::Str,
        }
    }

    /// A value of a type.
    pub fn value(&mut self, ty: &Ty, defs: &[Def]) -> Val {
        let few = self.rng.usize(..4);
        match ty {
            Ty::Int(_, bits, sign) => self.int(*bits, *sign),
            Ty::F32 => Val::Float(f64::from(self.float().min(1e30) as f32)),
            Ty::F64 => Val::Float(self.float()),
            Ty::Bool => Val::Bool(self.rng.bool()),
            Ty::Char => Val::Char(*self.rng.choice(&['a', 'ß', '7', '"']).unwrap_or(&'b')),
            Ty::Str => {
                let texts = [
                    "",
                    "x",
                    "kitchen",
                    "ünï\n\"",
                    "A",
                    "0",
                    "a longer text that is not short any more",
                ];
                Val::Str(self.rng.choice(texts).unwrap_or_default().to_owned())
            }
            Ty::Unit => Val::Unit,
            Ty::Option(_) if few == 0 => Val::Option(None),
            Ty::Option(ty) => Val::Option(Some(Box::new(self.value(ty, defs)))),
            Ty::Boxed(ty) => self.value(ty, defs),
            Ty::Vec(ty) => Val::Items((0..few).map(|_| self.value(ty, defs)).collect()),
            Ty::Array(ty, len) => Val::Items((0..*len).map(|_| self.value(ty, defs)).collect()),
            Ty::Tuple(tys) => Val::Items(tys.iter().map(|ty| self.value(ty, defs)).collect()),
            Ty::Map(texts, ty) => {
                let key = |index: usize| match texts {
                    true => Val::Str(format!("key{index}")),
                    false => Val::Int(index as i128 * 100),
                };
                Val::Map(
                    (0..few)
                        .map(|index| (key(index), self.value(ty, defs)))
                        .collect(),
                )
            }
            Ty::Def(number) => self.value_of(&defs[*number], defs),
        }
    }

    /// A value of a definition.
    pub fn value_of(&mut self, def: &Def, defs: &[Def]) -> Val {
        match def {
            Def::Unit => Val::Items(Vec::new()),
            Def::Struct(fields) => Val::Items(
                fields
                    .iter()
                    .map(|field| self.value(&field.ty, defs))
                    .collect(),
            ),
            Def::Tuple(tys) => Val::Items(tys.iter().map(|ty| self.value(ty, defs)).collect()),
            Def::Enum(variants) => {
                let index = self.rng.usize(..variants.len());
                let content = &variants[index].content;
                Val::Variant(
                    index,
                    content
                        .as_ref()
                        .map(|def| Box::new(self.value_of(def, defs))),
                )
            }
        }
    }

    fn int(&mut self, bits: u32, sign: bool) -> Val {
        let top = if bits == 128 {
            u128::MAX
        } else {
            (1 << bits) - 1
        };
        let number = match self.rng.usize(..6) {
            0 => 0,
            1 => top,
            2 => top / 2,
            3 => top / 2 + 1,
            4 => self.rng.u128(..) & top,
            _ => self.rng.u128(..200).min(top),
        };
        if sign {
            // The upper half are the negative ones.
            Val::Int((number << (128 - bits)).cast_signed() >> (128 - bits))
        } else {
            i128::try_from(number).map_or(Val::Large(number), Val::Int)
        }
    }

    fn float(&mut self) -> f64 {
        match self.rng.usize(..5) {
            0 => 0.0,
            1 => -1.5,
            2 => 1e300,
            3 => f64::from(self.rng.u8(..)),
            _ => self.rng.f64() * 100.0,
        }
    }
}
