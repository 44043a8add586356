//! The tests that every debugger has to pass: it stops in a plugin, at the right line, before and after a reload.
use crate::workshop::{Mode, STOP, Workshop};
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// A debugger and its commands.
pub struct Debugger {
    pub tool: &'static str,
    /// The arguments before and after the name of the script.
    pub args: [&'static [&'static str]; 2],
    pub settings: &'static str,
    /// The command without the name of the function, and below without the number of the line.
    pub break_in: &'static str,
    pub break_at: &'static str,
    pub delete: &'static str,
    pub launch: &'static str,
    pub go_on: &'static str,
    /// Continues until the program has printed everything.
    pub finish: &'static str,
    pub arguments: &'static str,
    pub stack: &'static str,
    /// Runs a shell command.
    pub shell: &'static str,
    /// The name of the frame of the host's `main`.
    pub main: &'static str,
}

/// The program to debug, and the way to start it.
pub struct Host {
    pub program: PathBuf,
    pub dir: PathBuf,
    pub env: Vec<(String, String)>,
}

/// The time that a debugger may take, in seconds.
const LIMIT: &str = "300";

/// Divides the output into parts.
const MARK: &str = "=== next ===";

impl Debugger {
    /// A breakpoint on the function stops in both builds.
    pub fn stops_by_name(&self, mode: Mode) {
        let function = format!("{} abacus::Abacus::add", self.break_in);
        self.stops_twice(&Workshop::open(mode), [&function, ""]);
    }

    /// A line number means that line in each build. After an edit that moves the code, the breakpoint needs the new
    /// number.
    pub fn stops_by_line(&self, mode: Mode) {
        let workshop = Workshop::open(mode);
        let [first, later] = workshop.lines;
        let before = format!("{}{first}", self.break_at);
        let after = format!("{}\n{}{later}", self.delete, self.break_at);
        self.stops_twice(&workshop, [&before, &after]);
    }

    /// Runs the host until it calls the plugin, edits and replaces the plugin, and continues to the next call. `breaks`
    /// are the commands before the start and after the edit.
    fn stops_twice(&self, workshop: &Workshop, breaks: [&str; 2]) {
        let mark = format!("{} echo '{MARK}'", self.shell);
        let edit = workshop.edit().iter();
        let edit: Vec<_> = edit.map(|line| format!("{} {line}", self.shell)).collect();
        let edit = edit.join("\n");
        let look = [self.arguments, self.stack, &mark].join("\n");
        let script = [
            self.settings,
            breaks[0],
            &mark,
            self.launch,
            &look,
            &edit,
            breaks[1],
            self.go_on,
            &look,
            self.finish,
        ];
        let said = self.run(&script.join("\n"), &workshop.host());
        let parts: Vec<_> = said.split(&format!("\n{MARK}\n")).collect();
        let [begin, one, two, end] = parts[..] else {
            panic!("expected four parts: {said}")
        };
        // A linked plugin is there before anything runs.
        let pending = begin.contains("pending");
        assert_eq!(pending, workshop.mode != Mode::Linked, "{begin}");
        let [first, later] = workshop.lines;
        self.is_at(one, first, 40);
        self.is_at(two, later, 41);
        assert!(end.contains("2 + 41 = 43"), "{end}");
    }

    /// Runs the debugger with a script, and returns the output of the debugger and of the host.
    pub fn run(&self, script: &str, host: &Host) -> String {
        // The debugger is required: a test that passed without it would show nothing.
        let version = Command::new(self.tool).arg("--version").output();
        let is_there = version.is_ok_and(|output| output.status.success());
        let tool = self.tool;
        assert!(
            is_there,
            "{tool} is not installed, and this test needs it: `apt install {tool}`"
        );

        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("script");
        fs::write(&file, script).unwrap();
        let [before, behind] = self.args;
        let mut command = Command::new("timeout");
        // A debugger that waits for input that never comes ignores milder signals.
        command.args(["--kill-after=5", LIMIT, tool]);
        command.args(before).arg(file).args(behind);
        let output = command
            .arg(&host.program)
            .current_dir(&host.dir)
            .envs(host.env.iter().cloned())
            // This keeps debuginfod from being asked for symbols.
            .env_remove("DEBUGINFOD_URLS")
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
        let text = text.concat();
        assert!(output.status.success(), "{}: {text}", output.status);
        text
    }

    /// Checks that the program has stopped where the sum is computed, at this line, with 2 and `right`, and that the
    /// host's `main` is on the stack.
    fn is_at(&self, said: &str, line: usize, right: u32) {
        let values = ["left = 2\n".into(), format!("right = {right}\n")];
        assert!(values.iter().all(|value| said.contains(value)), "{said}");
        let args = format!("left=2, right={right}) at ");
        let is_innermost = |line: &&str| line.contains("#0") && line.contains(&args);
        let innermost = said.lines().find(is_innermost);
        let innermost = innermost.unwrap_or_else(|| panic!("there is no stack: {said}"));
        assert!(innermost.contains("abacus::Abacus::add"), "{said}");
        let at = innermost
            .rsplit_once("lib.rs:")
            .expect("the frame has a source line")
            .1;
        assert_eq!(at.split(':').next(), Some(&*line.to_string()), "{said}");
        let shows = |shown: &str| {
            let shown = shown
                .trim_start_matches("-> ")
                .split_once(char::is_whitespace);
            shown.is_some_and(|(number, text)| number == line.to_string() && text.trim() == STOP)
        };
        assert!(said.lines().any(shows), "{said}");
        assert!(said.contains(self.main), "{said}");
    }
}
