//! Suggestions for mistyped names.

/// Longer names are not compared: the time for it is the product of their lengths, and people do not type such names.
const LONGEST: usize = 256;

/// Returns the known name that is most similar to `name`, if one is similar enough.
pub fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    if name.len() > LONGEST {
        return None;
    }
    let name = name.to_lowercase();
    let known = known.filter(|known| known.len() <= LONGEST);
    let scored = known.map(|known| (strsim::osa_distance(&name, &known.to_lowercase()), known));
    let (distance, nearest) = scored.min()?;
    (distance <= name.chars().count().max(3) / 3).then_some(nearest)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn similar_names_only() {
        let known = ["world", "moon", "sun"];
        assert_eq!(nearest("wrold", known.into_iter()), Some("world"));
        assert_eq!(nearest("Moons", known.into_iter()), Some("moon"));
        assert_eq!(nearest("jupiter", known.into_iter()), None);
        // A file may contain such a name. Comparing two of them would take minutes.
        let long = "n".repeat(1 << 20);
        assert_eq!(nearest(&long, [&*long].into_iter()), None);
    }
}
