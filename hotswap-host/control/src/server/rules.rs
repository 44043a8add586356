//! Who may ask for what: the least role for each path, and what the audit calls it.
use crate::api::Role;
use axum::http::Method;

/// A request that the endpoint knows.
pub(super) struct Rule {
    method: Method,
    path: &'static str,
    /// The least role of those who may ask for it.
    pub(super) least: Role,
    /// What the audit calls it.
    pub(super) name: &'static str,
    /// True if it changes something.
    pub(super) changes: bool,
}

const fn look(path: &'static str, name: &'static str) -> Rule {
    Rule {
        method: Method::GET,
        path,
        least: Role::Look,
        name,
        changes: false,
    }
}

const fn change(path: &'static str, name: &'static str, least: Role) -> Rule {
    Rule {
        method: Method::POST,
        path,
        least,
        name,
        changes: true,
    }
}

/// All requests.
pub(super) static RULES: &[Rule] = &[
    look("/v1/status", "status"),
    look("/v1/health", "health"),
    look("/v1/history", "history"),
    look("/v1/audit", "audit"),
    look("/v1/audit/check", "check of the audit"),
    look("/v1/events", "events"),
    look("/v1/openapi.json", "description"),
    look("/metrics", "metrics"),
    look("/v1/log", "log"),
    look("/v1/plugins/{plugin}", "status of"),
    look("/v1/plugins/{plugin}/metadata", "metadata of"),
    look("/v1/plugins/{plugin}/holders", "holders of"),
    look("/v1/patches", "patches"),
    look("/v1/plugins/{plugin}/patches", "patches of"),
    look("/v1/calls", "calls"),
    // It shows arguments and results, and leaves nothing behind.
    Rule {
        method: Method::POST,
        path: "/v1/plugins/{plugin}/trace",
        least: Role::Operate,
        name: "trace of",
        changes: false,
    },
    // No code of an upload runs before it is deployed. The endpoint records the upload when it has ended, because it takes long.
    Rule {
        method: Method::POST,
        path: "/v1/uploads",
        least: Role::Administer,
        name: "upload",
        changes: false,
    },
    Rule {
        method: Method::POST,
        path: "/v1/deploy/check",
        least: Role::Administer,
        name: "check of a deployment",
        changes: false,
    },
    // It decides what code runs in the host.
    change("/v1/deploy", "deploy", Role::Administer),
    change(
        "/v1/plugins/{plugin}/patches/rollback",
        "rollback of patches of",
        Role::Operate,
    ),
    change(
        "/v1/plugins/{plugin}/patches/redo",
        "redo of patches of",
        Role::Operate,
    ),
    change(
        "/v1/plugins/{plugin}/patches/reset",
        "reset of patches of",
        Role::Operate,
    ),
    // It reads files of the host's machine, and changes nothing.
    Rule {
        method: Method::POST,
        path: "/v1/check",
        least: Role::Operate,
        name: "check",
        changes: false,
    },
    change("/v1/reload", "reload", Role::Operate),
    change("/v1/rollback", "rollback", Role::Operate),
    change("/v1/confirm", "confirm", Role::Operate),
    change("/v1/plugins/{plugin}/drain", "drain", Role::Operate),
    change(
        "/v1/plugins/{plugin}/out-of-service",
        "out of service",
        Role::Operate,
    ),
    change("/v1/plugins/{plugin}/resume", "resume", Role::Operate),
    // It can make the host write to any of its files.
    change("/v1/log", "log", Role::Administer),
    change("/v1/freeze", "freeze", Role::Administer),
    change("/v1/unfreeze", "unfreeze", Role::Administer),
];

/// Stands for a request that was forgotten above.
static UNKNOWN: Rule = Rule {
    method: Method::POST,
    path: "",
    least: Role::Administer,
    name: "another request",
    changes: true,
};

impl Rule {
    /// Returns the rule for requests to this path, as the router knows it.
    pub(super) fn of(method: &Method, path: &str) -> &'static Self {
        let method = match *method {
            Method::HEAD => &Method::GET,
            _ => method,
        };
        let mut rules = RULES.iter();
        let rule = rules.find(|rule| rule.method == *method && rule.path == path);
        rule.unwrap_or(&UNKNOWN)
    }
}

#[cfg(all(test, feature = "health", feature = "history", feature = "log"))]
mod tests {
    use super::{RULES, Rule};
    use axum::http::Method;
    use std::collections::BTreeSet;

    /// The description of the endpoint does not list itself.
    #[test]
    fn each_path_has_a_rule() {
        let document = crate::openapi();
        let mut described = BTreeSet::from(["GET /v1/openapi.json".to_owned()]);
        for (path, methods) in document["paths"].as_object().unwrap() {
            for method in methods.as_object().unwrap().keys() {
                described.insert(format!("{} {path}", method.to_uppercase()));
            }
        }
        let rules = RULES.iter();
        let rules = rules.map(|rule| format!("{} {}", rule.method, rule.path));
        assert_eq!(rules.collect::<BTreeSet<_>>(), described);
        assert!(!Rule::of(&Method::HEAD, "/v1/status").changes);
        assert!(Rule::of(&Method::PUT, "/v1/status").changes);
    }
}
