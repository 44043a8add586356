//! Tells the process that started the host how its first load went.
use super::record::StoredReport;
use super::small_file;
use crate::environment::Variable;
use crate::shown;

/// The environment variable that names the file for the [`StoredReport`] of a host's first load. If there are several
/// swappers in one process, the report of a refused one takes precedence.
pub const FIRST_REPORT: &str = Variable::FirstReport.name();

/// Writes the report of a first load into the file that the environment names, if it names one.
pub(crate) fn tell_starter(report: &StoredReport) {
    if report.attempt != 0 {
        return;
    }
    let Some(file) = Variable::FirstReport
        .path()
        .filter(|file| file.is_absolute())
    else {
        return;
    };
    if report.ok && file.exists() {
        return;
    }
    if let Ok(json) = shown::json(report) {
        // If this fails, the starter does not learn of the report, but the host goes on.
        let _ = small_file::write_at(&file, json.as_bytes());
    }
}
