//! `cargo hotswap trace`.

use hotswap_control::TraceNotice;
use hotswap_control::api::TraceRequest;

use crate::Error;
use crate::chosen::client;
use crate::cli::TraceArgs;
use crate::error::exit;
use crate::follow::follow;
use crate::session::Session;

/// Shows the calls of a function, until its time is up or the command is interrupted.
pub(crate) fn execute(session: &Session, args: &TraceArgs) -> Result<u8, Error> {
    let (plugin, function) = &args.function;
    let mut request = TraceRequest::default();
    request.function.clone_from(function);
    request.values = args.values;
    request.sample = args.sample;
    request.seconds = args.length.map(|length| length.as_secs_f64());
    let traced = client(session, &args.host)?.trace(plugin, &request)?;
    let ui = &session.ui;
    let mut ended = false;
    follow(session, traced, |notice| {
        match notice? {
            TraceNotice::Begun(begun) => {
                let functions = begun.functions.join(", ");
                let of = &begun.plugin;
                ui.info("Tracing", format_args!("{functions} of {of}"));
                begun.left_out.iter().for_each(|reason| ui.warn(reason));
            }
            TraceNotice::Call(call) if args.json => ui.json(&call),
            TraceNotice::Call(call) => ui.result(&call.text),
            TraceNotice::Lost(calls) => ui.warn(format_args!(
                "{calls} calls are not shown, because they come faster than this command reads; --sample tells of fewer"
            )),
            TraceNotice::Ended(reason) => {
                ui.info("Ended", reason);
                ended = true;
            }
            _ => {}
        }
        Ok(!ended)
    })?;
    match ended {
        true => Ok(exit::SUCCESS),
        false => Err(Error::TraceBroken),
    }
}
