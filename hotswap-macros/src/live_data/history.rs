//! `#[live_data]`: what a type declares of its earlier versions, as the artifact's metadata has it.
use super::fields::{Shape, is_option};
use super::options::number;
use super::{Body, LiveData, Part};
use crate::support::{json, written};

/// Returns the migrations as JSON, with the fields of a struct whose fields have names.
pub fn history(live: &LiveData) -> String {
    let mut steps: Vec<_> = live.options.steps.iter().collect();
    steps.sort_by_key(|step| number(&step.from).unwrap_or_default());
    let steps = steps.iter().map(|step| {
        let from = number(&step.from).unwrap_or_default();
        let (up, down) = (step.up.is_some(), step.down.is_some());
        format!(r#"{{"from":{from},"up":{up},"down":{down}}}"#)
    });
    let migrations = list(steps);
    let fields = match &live.body {
        Body::Struct(parts) if matches!(Shape::of(parts), Shape::Named) => {
            let kept = parts.iter().filter(|part| part.options.skip.is_none());
            let all_have_defaults = live.options.default.is_some();
            let fields = list(kept.map(|part| field(part, all_have_defaults)));
            format!(r#","fields":{fields}"#)
        }
        _ => String::new(),
    };
    format!(r#"{{"migrations":{migrations}{fields}}}"#)
}

/// Returns a field with its names, its type, and whether data without it cannot be restored.
fn field(part: &Part, has_default: bool) -> String {
    let names = list(part.names.iter().map(|name| format!("\"{}\"", json(name))));
    let needed = !has_default && part.options.default.is_none() && !is_option(&part.ty);
    let ty = json(&written(&part.ty));
    format!(r#"{{"names":{names},"type":"{ty}","needed":{needed}}}"#)
}

fn list(items: impl Iterator<Item = String>) -> String {
    format!("[{}]", items.collect::<Vec<_>>().join(","))
}
