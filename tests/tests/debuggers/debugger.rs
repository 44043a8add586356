//! What every debugger is to do: stop in a plugin, at the right line, before a reload and after it.
use crate::workshop::{Mode, STOP, Workshop};
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// A debugger, and its words.
pub struct Debugger {
    pub tool: &'static str,
    /// What stands before the name of the script, and behind it.
    pub args: [&'static [&'static str]; 2],
    pub settings: &'static str,
    /// Without the name of the function, and without the number of the line.
    pub break_in: &'static str,
    pub break_at: &'static str,
    pub delete: &'static str,
    pub launch: &'static str,
    pub go_on: &'static str,
    /// Goes on until the program has said all that it says.
    pub finish: &'static str,
    pub arguments: &'static str,
    pub stack: &'static str,
    /// Runs a shell's command.
    pub shell: &'static str,
    /// How the frame of the host's `main` is called.
    pub main: &'static str,
}

/// What is debugged, and how it is started.
pub struct Host {
    pub program: PathBuf,
    pub dir: PathBuf,
    pub env: Vec<(String, String)>,
}

/// How long a debugger may take, in seconds.
const LIMIT: &str = "300";

/// Divides what is said into parts.
const MARK: &str = "=== next ===";

impl Debugger {
    /// The same breakpoint stops in both builds.
    pub fn stops_by_name(&self, mode: Mode) {
        let function = format!("{} abacus::Abacus::add", self.break_in);
        self.stops_twice(&Workshop::open(mode), [&function, ""]);
    }

    /// The number of a line means what is there in each build: after an edit that moves it, it is another.
    pub fn stops_by_line(&self, mode: Mode) {
        let workshop = Workshop::open(mode);
        let [first, later] = workshop.lines;
        let before = format!("{}{first}", self.break_at);
        let after = format!("{}\n{}{later}", self.delete, self.break_at);
        self.stops_twice(&workshop, [&before, &after]);
    }

    /// Runs the host until it calls the plugin, edits and replaces that, and goes on to the next call. `breaks` are the
    /// commands before the start and after the edit.
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
            panic!("four parts: {said}")
        };
        // What is linked is there before anything runs.
        let pending = begin.contains("pending");
        assert_eq!(pending, workshop.mode != Mode::Linked, "{begin}");
        let [first, later] = workshop.lines;
        self.is_at(one, first, 40);
        self.is_at(two, later, 41);
        assert!(end.contains("2 + 41 = 43"), "{end}");
    }

    /// Runs the debugger with a script, and gives back what it and the host have said.
    pub fn run(&self, script: &str, host: &Host) -> String {
        // A test that did without would show nothing.
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
        // One that reads what never comes hears no other signal.
        command.args(["--kill-after=5", LIMIT, tool]);
        command.args(before).arg(file).args(behind);
        let output = command
            .arg(&host.program)
            .current_dir(&host.dir)
            .envs(host.env.iter().cloned())
            // Nobody is asked for symbols.
            .env_remove("DEBUGINFOD_URLS")
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
        let text = text.concat();
        assert!(output.status.success(), "{}: {text}", output.status);
        text
    }

    /// It is where the sum is made, at this line, of 2 and `right`; and the host's `main` has led there.
    fn is_at(&self, said: &str, line: usize, right: u32) {
        let values = ["left = 2\n".into(), format!("right = {right}\n")];
        assert!(values.iter().all(|value| said.contains(value)), "{said}");
        let args = format!("left=2, right={right}) at ");
        let is_innermost = |line: &&str| line.contains("#0") && line.contains(&args);
        let innermost = said.lines().find(is_innermost);
        let innermost = innermost.unwrap_or_else(|| panic!("no stack: {said}"));
        assert!(innermost.contains("abacus::Abacus::add"), "{said}");
        let at = innermost.rsplit_once("lib.rs:").expect("it has a place").1;
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
