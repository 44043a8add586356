use super::{Graph, NeedState};
use crate::artifact::testing::{library, part, parts};
use crate::artifact::{Artifact, ImportKind, LiveEntry};
use crate::base::name::PluginName;
use crate::error::{PluginErrorKind, ReloadError};
use hotswap_plugin::LiveKind;
use std::path::Path;

/// Makes the artifact of a plugin, which is not reloadable if its name ends in `!`. An import is optional if it ends in
/// `?`, and its interface is needed if it ends in `*`; otherwise only the order matters.
fn artifact(dir: &Path, name: &str, imports: &[&str]) -> Artifact {
    let fixed = name.ends_with('!');
    let name = name.trim_end_matches('!');
    let import = |from: &&str| {
        let optional = from.ends_with('?');
        let (interface, kind) = match from.ends_with('*') {
            true => (r#""Alpha""#, "plugin"),
            false => ("null", "order_only"),
        };
        let from = from.trim_end_matches(['?', '*']);
        format!(
            r#"{{"field":"f","from":"{from}","interface":{interface},"kind":"{kind}","optional":{optional}}}"#
        )
    };
    let imports: Vec<_> = imports.iter().map(import).collect();
    let plugin = format!(
        r#"{{"name":"{name}","version":"1.0.0","crate":"{name}","reloadable":{},"hooks":[],"functions":[]}}"#,
        !fixed
    );
    let section = parts().into_iter().flat_map(|(tag, bytes)| match tag {
        b"plug" => part(tag, plugin.as_bytes()),
        b"fnha" => part(tag, &[]),
        b"impo" => part(tag, format!("[{}]", imports.join(",")).as_bytes()),
        b"imha" => part(tag, &vec![2; 16 * imports.len()]),
        _ => part(tag, &bytes),
    });
    let section: Vec<_> = section.collect();
    let file = library(dir, &format!("lib{name}.so"), &section);
    Artifact::read(&file).unwrap()
}

fn graph(plugins: &[(&str, &[&str])]) -> Graph {
    let dir = tempfile::tempdir().unwrap();
    let artifact = |(name, imports): &(&str, &[&str])| artifact(dir.path(), name, imports);
    let artifacts: Vec<_> = plugins.iter().map(artifact).collect();
    let graph = Graph::of(&artifacts).unwrap();
    let backwards: Vec<_> = artifacts.into_iter().rev().collect();
    assert_eq!(Graph::of(&backwards).unwrap().plugins, graph.plugins);
    graph
}

fn names<'a>(names: impl IntoIterator<Item = &'a PluginName>) -> Vec<&'a str> {
    names.into_iter().map(PluginName::as_str).collect()
}

#[test]
fn each_after_those_it_needs_otherwise_by_name() {
    let graph = graph(&[
        ("a", &["Z-1", "m?"]),
        ("b", &[]),
        ("z_1", &["b"]),
        ("c", &["b", "a", "b"]),
    ]);
    assert!(graph.problems.is_empty());
    assert_eq!(
        names(graph.plugins.iter().map(|p| &p.name)),
        ["b", "z_1", "a", "c"]
    );
    assert_eq!(names(&graph.plugins[0].users), ["z_1", "c"]);
    let needs = &graph.plugins[2].needs;
    assert_eq!(needs[0].from.as_ref().unwrap().as_str(), "z_1");
    let seen: Vec<_> = needs.iter().map(|need| (need.kind, need.state)).collect();
    let order_only = ImportKind::OrderOnly;
    assert_eq!(
        seen,
        [
            (order_only, NeedState::Met),
            (order_only, NeedState::Absent)
        ]
    );
}

#[test]
fn every_mistake_is_found_not_only_the_first() {
    let graph = graph(&[
        ("a", &["b"]),
        ("b", &["c", "nobody"]),
        ("c", &["a", "b", "noone", "nobody"]),
        ("d", &["a"]),
    ]);
    let texts: Vec<_> = graph.problems.iter().map(ToString::to_string).collect();
    let of = |what: &str| texts.iter().filter(|text| text.contains(what)).count();
    assert_eq!(
        (of("nobody"), of("noone"), of("circle")),
        (2, 1, 2),
        "{texts:?}"
    );
    assert_eq!(texts.len(), 5);
    let refused = |name: &str| {
        let plugin = graph.plugins.iter().find(|p| p.name == name).unwrap();
        plugin
            .needs
            .iter()
            .filter(|need| need.state.is_refused())
            .count()
    };
    assert_eq!(
        [refused("a"), refused("b"), refused("c"), refused("d")],
        [1, 2, 4, 0]
    );
    let json = serde_json::to_value(&graph).unwrap();
    assert_eq!(json["problems"], serde_json::json!(texts));
}

#[test]
fn what_may_not_be_replaced_needs_only_its_like() {
    let fine: &[(&str, &[&str])] = &[
        ("a", &[]),
        ("b!", &["a", "c*"]),
        ("c!", &[]),
        ("d", &["a*"]),
    ];
    assert!(graph(fine).problems.is_empty());
    let graph = graph(&[("a", &[]), ("b!", &["a*"])]);
    assert_eq!(graph.plugins[1].needs[0].state, NeedState::Replaceable);
    let problem = &graph.problems[0];
    assert!(
        matches!(problem.kind(), Some(PluginErrorKind::NotReloadable { .. }))
            && problem.plugin() == Some("b".into()),
        "{problem}"
    );
}

#[test]
fn two_plugins_of_one_name_make_no_graph() {
    let dir = tempfile::tempdir().unwrap();
    let twice = ["a-b", "A_B"].map(|name| artifact(dir.path(), name, &[]));
    let error = Graph::of(&twice).unwrap_err();
    assert!(
        matches!(error, ReloadError::Duplicate { ref name, .. } if *name == "a-b"),
        "{error}"
    );
}

#[test]
fn two_live_items_of_one_name_are_a_problem() {
    let dir = tempfile::tempdir().unwrap();
    let mut artifacts = ["sun", "moon"].map(|name| artifact(dir.path(), name, &[]));
    for (artifact, name) in artifacts.iter_mut().zip(["Fire", "fire"]) {
        artifact.metadata.live.push(LiveEntry {
            module: "jobs".into(),
            name: name.into(),
            kind: LiveKind::Type,
            signature: "struct Fire".into(),
            version: Some(1),
            was: Vec::new(),
            history: None,
            hash: [0; 16].into(),
        });
    }
    let graph = Graph::of(&artifacts).unwrap();
    let [ReloadError::LiveDuplicate { first, second, .. }] = &*graph.problems else {
        panic!("{:?}", graph.problems)
    };
    assert_eq!(names([&first.plugin, &second.plugin]), ["moon", "sun"]);
    artifacts[0].metadata.live[0].kind = LiveKind::Function;
    assert!(Graph::of(&artifacts).unwrap().problems.is_empty());
}
