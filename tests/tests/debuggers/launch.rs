//! Tests the VS Code settings of the demo `slink`: its tasks run, and its launch configurations stop in the plugin.
use crate::debugger::Host;
use crate::gdb::GDB;
use crate::lldb::LLDB;
use hotswap_tests::fixture;
use serde_json::Value;
use std::fs;
use std::path::PathBuf;

/// The folder that VS Code opens.
fn folder() -> PathBuf {
    let demo = fixture::workspace().join("../../demos/slink");
    demo.canonicalize().unwrap()
}

/// Reads a settings file of VS Code. The target directory is that of the tests.
fn settings(name: &str) -> Value {
    let text = fs::read_to_string(folder().join(".vscode").join(name)).unwrap();
    let target = target();
    let text = text
        .replace("${workspaceFolder}/../../target", target.to_str().unwrap())
        .replace("${workspaceFolder}", folder().to_str().unwrap());
    serde_json::from_str(&text).unwrap()
}

fn target() -> PathBuf {
    let fixtures = fixture::target();
    fixtures
        .parent()
        .expect("the directory has a parent")
        .to_owned()
}

fn items(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().into_iter().flatten()
}

fn texts(list: &Value) -> Vec<&str> {
    let texts = items(list).map(|item| item.as_str());
    texts.map(|text| text.expect("it is a string")).collect()
}

/// Runs a task, after the tasks that it depends on.
fn run_task(tasks: &Value, label: &str) {
    let task = items(&tasks["tasks"]).find(|task| task["label"] == label);
    let task = task.unwrap_or_else(|| panic!("there is no task {label}"));
    for needed in texts(&task["dependsOn"]) {
        run_task(tasks, needed);
    }
    if task["dependsOn"].is_null() {
        assert_eq!(task["command"], "cargo");
        let mut command = fixture::cargo(&[]);
        command.args(texts(&task["args"])).current_dir(folder());
        command.env("CARGO_TARGET_DIR", target());
        let output = command.output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{label}: {errors}");
    }
}

/// Launches a configuration in the debugger that its extension uses.
fn launch(configuration: &Value) {
    let text = |name: &str| {
        configuration[name]
            .as_str()
            .expect("it is a string")
            .to_owned()
    };
    let pair = |variable: &Value| {
        let text = |name: &str| variable[name].as_str().expect("it is a string").to_owned();
        (text("name"), text("value"))
    };
    let (debugger, before, after, env) = match configuration["type"].as_str() {
        Some("cppdbg") => {
            let setup = items(&configuration["setupCommands"]);
            let setup = setup.map(|command| command["text"].as_str().expect("it is a string"));
            let env = items(&configuration["environment"]).map(pair).collect();
            (GDB, setup.collect(), Vec::new(), env)
        }
        Some("lldb") => {
            let env = configuration["env"].as_object().into_iter().flatten();
            let env = env.map(|(name, value)| {
                (name.clone(), value.as_str().expect("it is a string").into())
            });
            let after = texts(&configuration["postRunCommands"]);
            (LLDB, Vec::new(), after, env.collect())
        }
        other => panic!("unknown debugger: {other:?}"),
    };
    let host = Host {
        program: text("program").into(),
        dir: text("cwd").into(),
        env,
    };
    let function = format!("{} stairs::Stairs::step", debugger.break_in);
    let mut script = vec![debugger.settings];
    script.extend(before);
    script.extend([&*function, debugger.launch]);
    script.extend(after);
    script.extend([debugger.stack, debugger.go_on, debugger.stack]);
    let said = debugger.run(&script.join("\n"), &host);
    let how = match text("preLaunchTask").as_str() {
        "linked" => "the plugin is linked in;",
        _ => "the plugin is loaded;",
    };
    assert!(said.contains(how), "{said}");
    for number in [0, 1] {
        let args = format!(", number={number}) at ");
        let stops =
            |line: &str| line.contains("#0") && line.contains(&args) && line.contains("lib.rs:");
        assert!(said.lines().any(stops), "{said}");
    }
}

#[test]
fn what_vs_code_launches_stops_in_the_plugin() {
    let (tasks, launches) = (settings("tasks.json"), settings("launch.json"));
    let configurations: Vec<_> = items(&launches["configurations"]).collect();
    for configuration in &configurations {
        run_task(&tasks, configuration["preLaunchTask"].as_str().unwrap());
        launch(configuration);
    }
    assert_eq!(configurations.len(), 4);
}
