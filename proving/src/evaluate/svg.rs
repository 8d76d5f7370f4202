//! Pages of small charts as SVG text: one legend, panels in rows and columns, nothing that needs a script.

use std::fmt::Write;

/// Size of a panel's drawing area and the room about it, pixels.
const PANEL: (f64, f64) = (210.0, 150.0);
const GAP: (f64, f64) = (62.0, 62.0);
const LEFT: f64 = 70.0;
/// Between the legend and the first panels, for their titles.
const ABOVE: f64 = 44.0;

/// One axis.
#[derive(Clone, Debug)]
pub struct Axis {
    /// What it is, with its unit.
    pub label: &'static str,
    /// Its ends.
    pub from: f64,
    /// As `from`.
    pub to: f64,
    /// Whether equal ratios are equally far apart.
    pub log: bool,
    /// Where it is marked, and with what.
    pub ticks: Vec<(f64, String)>,
}

impl Axis {
    /// A linear axis marked at the given places.
    pub fn linear(label: &'static str, from: f64, to: f64, ticks: &[f64]) -> Self {
        Self { label, from, to, log: false, ticks: ticks.iter().map(|t| (*t, plain(*t))).collect() }
    }

    /// A logarithmic axis marked at the given places.
    pub fn log(label: &'static str, from: f64, to: f64, ticks: &[f64]) -> Self {
        Self { log: true, ..Self::linear(label, from, to, ticks) }
    }

    /// Where a value lies, 0..=1 within the ends.
    fn place(&self, value: f64) -> f64 {
        let scale = |v: f64| if self.log { v.max(1e-12).ln() } else { v };
        ((scale(value) - scale(self.from)) / (scale(self.to) - scale(self.from))).clamp(0.0, 1.0)
    }
}

fn plain(value: f64) -> String {
    if value.abs() >= 1000.0 { format!("{}k", value / 1000.0) } else { format!("{value}") }
}

/// How a line is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// What the legend says; lines of one name share a style.
    pub name: &'static str,
    /// Its colour.
    pub colour: &'static str,
    /// Dashes as SVG writes them; empty for a whole line.
    pub dash: &'static str,
    /// Width in tenths of a pixel.
    pub tenths: u32,
}

/// A line of a panel.
#[derive(Clone, Debug)]
pub struct Line {
    /// How it is drawn.
    pub style: Style,
    /// Its points.
    pub points: Vec<(f64, f64)>,
    /// Intervals at some of them, (x, low, high).
    pub bars: Vec<(f64, f64, f64)>,
    /// Whether points are marked.
    pub dots: bool,
}

/// One chart.
#[derive(Clone, Debug)]
pub struct Panel {
    /// Above it.
    pub title: String,
    /// To the right.
    pub x: Axis,
    /// Upwards.
    pub y: Axis,
    /// What it shows, the last on top.
    pub lines: Vec<Line>,
}

/// A whole page: panels in rows.
pub fn page(title: &str, note: &str, rows: &[Vec<Panel>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0).max(2);
    let width = LEFT + columns as f64 * (PANEL.0 + GAP.0);
    let (legend, legend_end) = legend(rows, width);
    let top = legend_end + ABOVE;
    let height = top + rows.len() as f64 * (PANEL.1 + GAP.1) + 10.0;
    let mut svg = String::new();
    let _ = writeln!(
        svg,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" width=\"{width:.0}\" height=\"{height:.0}\" \
         font-family=\"Helvetica,Arial,sans-serif\" font-size=\"11\" fill=\"#333\"><rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>"
    );
    let _ = writeln!(svg, "<text x=\"20\" y=\"26\" font-size=\"17\" font-weight=\"bold\">{}</text>", escaped(title));
    let _ = writeln!(svg, "<text x=\"20\" y=\"45\" fill=\"#666\">{}</text>", escaped(note));
    svg.push_str(&legend);
    for (row, panels) in rows.iter().enumerate() {
        for (column, panel) in panels.iter().enumerate() {
            let x = LEFT + column as f64 * (PANEL.0 + GAP.0);
            let y = top + row as f64 * (PANEL.1 + GAP.1);
            draw(&mut svg, panel, x, y);
        }
    }
    svg.push_str("</svg>\n");
    svg
}

/// The legend, the heaviest line first, and where it ends.
fn legend(rows: &[Vec<Panel>], width: f64) -> (String, f64) {
    let mut styles: Vec<Style> = Vec::new();
    for line in rows.iter().flatten().flat_map(|p| &p.lines) {
        if !line.style.name.is_empty() && !styles.contains(&line.style) {
            styles.push(line.style);
        }
    }
    styles.sort_by_key(|style| std::cmp::Reverse(style.tenths));
    let mut svg = String::new();
    let (mut x, mut y) = (20.0, 64.0);
    for style in &styles {
        let needed = 46.0 + 6.2 * style.name.len() as f64;
        if x + needed > width {
            (x, y) = (20.0, y + 16.0);
        }
        let _ = writeln!(svg, "<path d=\"M{x:.1} {y:.1}h24\" {}/>", stroke(style));
        let _ = writeln!(svg, "<text x=\"{:.1}\" y=\"{:.1}\">{}</text>", x + 29.0, y + 4.0, escaped(style.name));
        x += needed;
    }
    (svg, y)
}

fn stroke(style: &Style) -> String {
    let dash = if style.dash.is_empty() { String::new() } else { format!(" stroke-dasharray=\"{}\"", style.dash) };
    let width = f64::from(style.tenths) / 10.0;
    format!("fill=\"none\" stroke=\"{}\" stroke-width=\"{width}\"{dash} stroke-linejoin=\"round\"", style.colour)
}

fn draw(svg: &mut String, panel: &Panel, left: f64, top: f64) {
    let (w, h) = PANEL;
    let px = |v: f64| left + w * panel.x.place(v);
    let py = |v: f64| top + h * (1.0 - panel.y.place(v));
    let _ = writeln!(
        svg,
        "<text x=\"{left:.1}\" y=\"{:.1}\" font-weight=\"bold\">{}</text>",
        top - 8.0,
        escaped(&panel.title)
    );
    let _ = writeln!(
        svg,
        "<rect x=\"{left:.1}\" y=\"{top:.1}\" width=\"{w}\" height=\"{h}\" fill=\"#fafafa\" stroke=\"#bbb\"/>"
    );
    for (value, text) in &panel.x.ticks {
        let x = px(*value);
        let _ = writeln!(svg, "<path d=\"M{x:.1} {top:.1}v{h}\" stroke=\"#e4e4e4\"/>");
        let _ = writeln!(
            svg,
            "<text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\" font-size=\"10\">{text}</text>",
            top + h + 13.0
        );
    }
    for (value, text) in &panel.y.ticks {
        let y = py(*value);
        let _ = writeln!(svg, "<path d=\"M{left:.1} {y:.1}h{w}\" stroke=\"#e4e4e4\"/>");
        let _ = writeln!(
            svg,
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\" font-size=\"10\">{text}</text>",
            left - 5.0,
            y + 3.5
        );
    }
    let _ = writeln!(
        svg,
        "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\" fill=\"#666\">{}</text>",
        left + w / 2.0,
        top + h + 28.0,
        escaped(panel.x.label)
    );
    let (x, y) = (left - 36.0, top + h / 2.0);
    let _ = writeln!(
        svg,
        "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"middle\" fill=\"#666\" transform=\"rotate(-90 {x:.1} {y:.1})\">{}</text>",
        escaped(panel.y.label)
    );
    for line in &panel.lines {
        draw_line(svg, line, &px, &py);
    }
}

fn draw_line(svg: &mut String, line: &Line, px: &impl Fn(f64) -> f64, py: &impl Fn(f64) -> f64) {
    let colour = line.style.colour;
    for (x, low, high) in &line.bars {
        let _ = writeln!(
            svg,
            "<path d=\"M{:.1} {:.1}V{:.1}\" stroke=\"{colour}\" stroke-opacity=\"0.45\"/>",
            px(*x),
            py(*low),
            py(*high)
        );
    }
    let mut path = String::new();
    for (i, (x, y)) in line.points.iter().enumerate() {
        let _ = write!(path, "{}{:.1} {:.1}", if i == 0 { "M" } else { "L" }, px(*x), py(*y));
    }
    let _ = writeln!(svg, "<path d=\"{path}\" {}/>", stroke(&line.style));
    if line.dots {
        for (x, y) in &line.points {
            let _ = writeln!(svg, "<circle cx=\"{:.1}\" cy=\"{:.1}\" r=\"2.2\" fill=\"{colour}\"/>", px(*x), py(*y));
        }
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_lies_where_its_axis_says() {
        assert!((Axis::log("", 0.001, 1.0, &[]).place(0.1) - 2.0 / 3.0).abs() < 1e-12);
        assert_eq!(Axis::linear("", 0.0, 10.0, &[]).place(25.0), 1.0);
    }

    #[test]
    fn a_page_is_whole_and_says_what_it_shows() {
        let style = Style { name: "a < b", colour: "#000", dash: "", tenths: 10 };
        let axis = Axis::linear("x", 0.0, 1.0, &[0.0, 1.0]);
        let line = Line { style, points: vec![(0.0, 0.0), (1.0, 1.0)], bars: vec![(0.5, 0.2, 0.8)], dots: true };
        let panel = Panel { title: "t & u".to_owned(), x: axis.clone(), y: axis, lines: vec![line] };
        let svg = page("title", "note", &[vec![panel]]);
        assert!(svg.starts_with("<svg") && svg.ends_with("</svg>\n"));
        assert!(svg.contains("t &amp; u") && svg.contains("a &lt; b") && svg.contains("<circle"));
    }
}
