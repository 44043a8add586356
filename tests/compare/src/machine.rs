//! The machine on which the figures were measured.
use std::fs;
use std::process::Command;
use std::thread;

/// Returns a sentence with the date, the processor, the kernel, and the compiler.
pub fn describe() -> String {
    let processor = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let processor = processor
        .lines()
        .find_map(|line| line.strip_prefix("model name"))
        .and_then(|line| line.split_once(':'))
        .map_or("an unknown processor", |(_, name)| name.trim());
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    format!(
        "Measured on {}, on {processor} with {cores} cores, Linux {}, {}",
        said_by("date", &["-u", "+%F"]),
        kernel.trim(),
        said_by("rustc", &["--version"])
    )
}

fn said_by(program: &str, args: &[&str]) -> String {
    let output = Command::new(program).args(args).output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    text.unwrap_or_else(|_| format!("unknown {program}"))
}
