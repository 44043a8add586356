//! The graph as text for a terminal.

use std::fmt::{self, Display};

use anstyle::Style;
use hotswap_host::graph::{Graph, Need, Plugin};

use super::picture::{HOST, label};
use crate::ui::ERROR;

const NAME: Style = Style::new().bold();

/// Shows the plugins in the order in which they are loaded. Below each stands what it needs, and which plugins need it.
pub(crate) struct Text<'a>(pub(crate) &'a Graph);

impl Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, plugin) in self.0.plugins.iter().enumerate() {
            if at > 0 {
                writeln!(f)?;
            }
            write_plugin(f, plugin)?;
        }
        Ok(())
    }
}

fn write_plugin(f: &mut fmt::Formatter<'_>, plugin: &Plugin) -> fmt::Result {
    write!(f, "{NAME}{}{NAME:#} {}", plugin.name, plugin.version)?;
    let mut row = "needs";
    for need in &plugin.needs {
        write!(f, "\n  {row:<8} ")?;
        write_need(f, need)?;
        row = "";
    }
    if !plugin.users.is_empty() {
        let users: Vec<_> = plugin.users.iter().map(|user| user.as_str()).collect();
        write!(f, "\n  {:<8} {}", "used by", users.join(", "))?;
    }
    Ok(())
}

fn write_need(f: &mut fmt::Formatter<'_>, need: &Need) -> fmt::Result {
    let style = if need.state.is_refused() {
        ERROR
    } else {
        Style::new()
    };
    let from = need.from.as_ref().map_or(HOST, |from| from.as_str());
    write!(f, "{style}{from} ({}){style:#}", label(need))
}
