//! Reads Dockerfiles, as far as those of this project go.
use std::fs;
use std::path::Path;

/// A Dockerfile.
pub struct Dockerfile {
    /// The commands in the comment at its head, each with its continuation lines, as words.
    pub commands: Vec<Vec<String>>,
    pub stages: Vec<Stage>,
}

/// What `FROM` begins.
pub struct Stage {
    /// The image from which it begins.
    pub from: String,
    pub name: Option<String>,
    pub instructions: Vec<Instruction>,
}

/// An instruction, such as `USER` with `10001`.
pub struct Instruction {
    pub name: String,
    /// The options, such as `--from=build`.
    pub options: Vec<String>,
    pub text: String,
}

impl Dockerfile {
    pub fn read(path: &Path) -> Self {
        let text = fs::read_to_string(path).unwrap();
        let head = text.lines().map_while(|line| line.strip_prefix('#'));
        let code = head.filter_map(|line| line.strip_prefix("     "));
        let commands = joined(code).into_iter();
        let commands = commands.map(|line| line.split_whitespace().map(str::to_owned).collect());
        let mut dockerfile = Dockerfile {
            commands: commands.collect(),
            stages: Vec::new(),
        };
        let lines = text.lines().map(str::trim);
        let lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
        for line in joined(lines) {
            let instruction = Instruction::parse(&line);
            if instruction.name == "FROM" {
                let words: Vec<_> = instruction.text.split(' ').collect();
                dockerfile.stages.push(Stage {
                    from: words[0].to_owned(),
                    name: words.get(2).map(|name| (*name).to_owned()),
                    instructions: Vec::new(),
                });
            } else {
                let stage = dockerfile.stages.last_mut();
                stage
                    .expect("FROM comes first")
                    .instructions
                    .push(instruction);
            }
        }
        dockerfile
    }

    /// Returns the arguments of the command of the head that begins with these words, and has this one.
    pub fn command(&self, begin: &[&str], with: &str) -> Vec<String> {
        let mut found = self.commands.iter().filter(|words| {
            words.iter().zip(begin).all(|(word, begin)| word == begin)
                && words.iter().any(|word| word == with)
        });
        let words = found.next().expect("the comment has the command");
        words[begin.len()..].to_vec()
    }
}

impl Instruction {
    fn parse(line: &str) -> Self {
        let (name, mut rest) = line.split_once(' ').expect("an instruction has arguments");
        let mut options = Vec::new();
        while rest.starts_with("--") {
            let (option, after) = rest.split_once(' ').expect("something follows an option");
            options.push(option.to_owned());
            rest = after.trim_start();
        }
        Instruction {
            name: name.to_owned(),
            options,
            text: rest.to_owned(),
        }
    }

    /// Returns the words of a list such as `["web", "--help"]`.
    pub fn list(&self) -> Vec<String> {
        let list = self.text.strip_prefix("CMD ").unwrap_or(&self.text);
        serde_json::from_str(list).unwrap_or_else(|error| panic!("{}: {error}", self.text))
    }
}

/// Joins lines that end in a backslash with those that follow.
fn joined<'a>(lines: impl Iterator<Item = &'a str>) -> Vec<String> {
    let (mut all, mut begun) = (Vec::new(), String::new());
    for line in lines {
        begun.push_str(line.trim());
        match begun.strip_suffix('\\') {
            Some(more) => begun = more.to_owned(),
            None => all.push(std::mem::take(&mut begun)),
        }
    }
    all
}
