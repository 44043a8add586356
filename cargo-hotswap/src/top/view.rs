//! Draws the screen. What is drawn depends on the model and the size alone.

use hotswap_control::api::{HealthLevel, Retirement, Status};
use hotswap_host::shown::Shown;
use ratatui::Frame;
use ratatui::layout::{Alignment, Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style, Stylize as _};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Borders, Cell, Paragraph, Row, Table, TableState};

use super::column::{Column, age, bytes, rate};
use super::model::{Model, Sample};

/// The keys, as the last line shows them.
const KEYS: [(&str, &str); 8] = [
    ("q", "Quit"),
    ("Space", "Pause"),
    ("<>", "Sort"),
    ("I", "Invert"),
    ("P", "Calls"),
    ("M", "Memory"),
    ("L", "99%"),
    ("N", "Name"),
];

/// Draws the screen.
pub(crate) fn draw(frame: &mut Frame, model: &Model) {
    let leaving = model
        .sample
        .as_ref()
        .map_or(0, |sample| sample.status.retirements.len());
    let area = frame.area();
    // At least one line says that there are none, and the plugins keep most of the screen.
    let lower = u16::try_from(leaving.max(1)).unwrap_or(u16::MAX);
    let lower = lower.min(area.height / 3) + 1;
    let parts = [
        Constraint::Length(3),
        Constraint::Min(2),
        Constraint::Length(lower),
        Constraint::Length(1),
    ];
    let [head, table, leaving, keys] = Layout::vertical(parts).areas(area);
    draw_head(frame, model, head);
    draw_table(frame, model, table);
    draw_leaving(frame, model, leaving);
    draw_keys(frame, keys);
}

fn draw_head(frame: &mut Frame, model: &Model, area: Rect) {
    let mut lines = match &model.sample {
        Some(sample) => vec![
            Line::from(host(sample)),
            Line::from(totals(model)),
            Line::from(state(&sample.status)),
        ],
        None => vec![Line::from("waiting for the host")],
    };
    if let Some(error) = &model.error {
        lines.truncate(2);
        let error = format!("no answer: {}", Shown(error));
        lines.push(Line::from(error).fg(Color::Red));
    }
    frame.render_widget(Paragraph::new(lines), area);
    if model.is_paused {
        let paused = Paragraph::new(Line::from(" PAUSED ").reversed());
        let corner = Rect { height: 1, ..area };
        frame.render_widget(paused.alignment(Alignment::Right), corner);
    }
}

fn host(sample: &Sample) -> String {
    let status = &sample.status;
    let reloads = status.reloads;
    let noun = if reloads == 1 { "reload" } else { "reloads" };
    format!(
        "{}, up {}, generation {}, {reloads} {noun}",
        Shown(Model::host(sample)),
        age(status.host.uptime),
        status.generation
    )
}

fn totals(model: &Model) -> String {
    let calls: f64 = model.rows.iter().map(|row| row.calls).sum();
    let running: usize = model.rows.iter().map(|row| row.running).sum();
    let memory: u64 = model.rows.iter().filter_map(|row| row.memory).sum();
    let count = model.rows.len();
    let noun = if count == 1 { "plugin" } else { "plugins" };
    format!(
        "{count} {noun}, {} calls/s, {running} running, {} in use",
        rate(calls),
        bytes(memory)
    )
}

/// Returns what matters most about a host besides its plugins.
fn state(status: &Status) -> String {
    if let Some(frozen) = &status.frozen {
        return format!("frozen: {}", Shown(&frozen.reason));
    }
    if let Some(window) = &status.window {
        let kept = window.kept.join(", ");
        return format!(
            "rollback window: {} left, keeps {}",
            age(window.left),
            Shown(kept)
        );
    }
    match &status.last_attempt {
        Some(last) => {
            let failed = if last.ok { "" } else { "refused: " };
            format!("last reload: {failed}{}", Shown(&last.text))
        }
        None => String::new(),
    }
}

/// Returns the columns that fit into this width. Those on the right go first.
fn columns(width: u16) -> Vec<Column> {
    let mut columns: Vec<_> = Column::ALL.to_vec();
    let needed = |columns: &[Column]| -> u16 {
        columns
            .iter()
            .map(|column| column.width().0 + 1)
            .sum::<u16>()
            - 1
    };
    while columns.len() > 1 && needed(&columns) > width {
        columns.pop();
    }
    columns
}

fn draw_table(frame: &mut Frame, model: &Model, area: Rect) {
    let columns = columns(area.width);
    let has_rest = columns.iter().any(|column| column.width().1);
    let title = |column: &Column| {
        let style = match *column == model.sort {
            true => Style::new().fg(Color::Black).bg(Color::Cyan),
            false => Style::new().fg(Color::Black).bg(Color::Green),
        };
        let arrow = match (
            *column == model.sort,
            column.is_descending() != model.is_inverted,
        ) {
            (false, _) => "",
            (true, true) => "▼",
            (true, false) => "▲",
        };
        cell(*column, format!("{}{arrow}", column.title())).style(style)
    };
    let head = Row::new(columns.iter().map(title)).style(Style::new().bg(Color::Green));
    let rows = model.rows.iter().map(|row| {
        let cells = columns.iter().map(|column| {
            let cell = cell(*column, column.cell(row));
            match (column, row.health) {
                (Column::Health, Some(HealthLevel::Unhealthy | HealthLevel::Critical)) => {
                    cell.style(Style::new().fg(Color::Red))
                }
                (Column::Health, Some(HealthLevel::Degraded)) => {
                    cell.style(Style::new().fg(Color::Yellow))
                }
                (Column::Errors, _) if row.errors > 0.0 => cell.style(Style::new().fg(Color::Red)),
                _ => cell,
            }
        });
        Row::new(cells.collect::<Vec<_>>())
    });
    // Without the last column, the names of the plugins have what is left.
    let widths = columns.iter().map(|column| match (column, column.width()) {
        (_, (least, true)) => Constraint::Min(least),
        (Column::Plugin, (least, _)) if !has_rest => Constraint::Min(least),
        (_, (exact, false)) => Constraint::Length(exact),
    });
    let table = Table::new(rows, widths)
        .header(head)
        .row_highlight_style(Style::new().add_modifier(Modifier::REVERSED));
    let mut state = TableState::default().with_selected(model.selected());
    frame.render_stateful_widget(table, area, &mut state);
}

fn cell(column: Column, text: String) -> Cell<'static> {
    let line = Line::from(text);
    Cell::from(match column.is_number() {
        true => line.alignment(Alignment::Right),
        false => line,
    })
}

fn draw_leaving(frame: &mut Frame, model: &Model, area: Rect) {
    let block = Block::new()
        .borders(Borders::TOP)
        .title(" Replaced builds in memory ");
    let inner = block.inner(area);
    frame.render_widget(block, area);
    let retirements = model
        .sample
        .iter()
        .flat_map(|sample| &sample.status.retirements);
    let all: Vec<_> = retirements.map(leaving).collect();
    let room = usize::from(inner.height);
    let mut lines: Vec<_> = all.iter().take(room).cloned().map(Line::from).collect();
    if all.is_empty() {
        lines.push(Line::from("none").dim());
    } else if all.len() > room && room > 0 {
        let more = all.len() - room + 1;
        lines[room - 1] = Line::from(format!("and {more} more")).dim();
    }
    frame.render_widget(Paragraph::new(lines), inner);
}

fn leaving(retirement: &Retirement) -> String {
    let build = retirement.build_id.get(..8).unwrap_or(&retirement.build_id);
    let state = match retirement.state.as_str() {
        "in_use" => "in use",
        state => state,
    };
    let held = match retirement.held_by.as_slice() {
        [] => String::new(),
        held => format!(", held by {}", held.join(", ")),
    };
    Shown(format!("{} {build}: {state}{held}", retirement.plugin)).to_string()
}

fn draw_keys(frame: &mut Frame, area: Rect) {
    let keys = KEYS.iter().flat_map(|(key, meaning)| {
        [
            Span::from(*key).bold(),
            Span::from(format!("{meaning} "))
                .fg(Color::Black)
                .bg(Color::Cyan),
        ]
    });
    frame.render_widget(Line::from(keys.collect::<Vec<_>>()), area);
}
