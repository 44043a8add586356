//! The places to which the log is written: the console and the file.
use crate::{LogError, LogFile, Rotation, options};
use std::fmt;
use std::io;
use std::path::Path;
use tracing_appender::rolling::{self, RollingFileAppender};
use tracing_subscriber::Layer;
use tracing_subscriber::field::RecordFields;
use tracing_subscriber::fmt::FormatFields;
use tracing_subscriber::fmt::format::{DefaultFields, Writer};
use tracing_subscriber::registry::LookupSpan;

/// A place to which the log is written, or none.
pub(crate) type Sink<S> = Option<Box<dyn Layer<S> + Send + Sync>>;

/// Returns the console, if there is one.
pub(crate) fn console<S>(colors: Option<bool>) -> Sink<S>
where
    S: tracing::Subscriber + for<'a> LookupSpan<'a>,
{
    let layer = tracing_subscriber::fmt::layer().with_ansi(colors?);
    Some(layer.with_writer(io::stderr).boxed())
}

/// Opens the file, if there is one.
pub(crate) fn file<S>(file: Option<&LogFile>) -> Result<Sink<S>, LogError>
where
    S: tracing::Subscriber + for<'a> LookupSpan<'a>,
{
    let Some(file) = file else { return Ok(None) };
    let layer = tracing_subscriber::fmt::layer().with_ansi(false);
    let layer = layer.fmt_fields(FileFields(DefaultFields::new()));
    Ok(Some(layer.with_writer(open(file)?).boxed()))
}

fn open(file: &LogFile) -> Result<RollingFileAppender, LogError> {
    let LogFile {
        path,
        rotation,
        keep,
    } = file;
    if *keep == 0 {
        return Err(options::no_files(keep));
    }
    let name = path.file_name().and_then(|name| name.to_str());
    let name = name.ok_or_else(|| LogError::NoName { path: path.clone() })?;
    let directory = match path.parent() {
        Some(above) if above != Path::new("") => above,
        _ => Path::new("."),
    };
    let appender = RollingFileAppender::builder().filename_prefix(name);
    let appender = match rotation {
        Rotation::Never => appender.rotation(rolling::Rotation::NEVER),
        rotation => appender
            .rotation(match rotation {
                Rotation::Minutely => rolling::Rotation::MINUTELY,
                Rotation::Hourly => rolling::Rotation::HOURLY,
                Rotation::Daily => rolling::Rotation::DAILY,
                _ => rolling::Rotation::WEEKLY,
            })
            // The present file counts, too.
            .max_log_files(keep.saturating_add(1)),
    };
    appender.build(directory).map_err(|error| LogError::File {
        path: path.clone(),
        reason: match (path.metadata(), std::error::Error::source(&error)) {
            (Err(error), _) if error.kind() == io::ErrorKind::NotADirectory => error.to_string(),
            (_, Some(source)) => source.to_string(),
            (_, None) => error.to_string(),
        },
    })
}

/// The fields of spans in the file.
///
/// A span keeps its formatted fields by the type of what has formatted them. With a type of its own, the file does not get
/// those of the console, which may have colours.
struct FileFields(DefaultFields);

impl<'writer> FormatFields<'writer> for FileFields {
    fn format_fields<R: RecordFields>(&self, writer: Writer<'writer>, fields: R) -> fmt::Result {
        self.0.format_fields(writer, fields)
    }
}
