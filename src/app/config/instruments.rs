//! What the sections [[board]] and [[indicator]] must hold: the instruments that weigh, and their ports.

use std::path::PathBuf;

use augenmass_core::weighing::wire::{MassUnit, Protocol, RegisterMap};

use super::reader::Table;
use super::sections::{Seen, identifier, once};
use super::station::{BoardConfig, Cell, IndicatorConfig, Line, Parity, Platform};

/// Finished scales are asked so often, unless the file says otherwise; KERN's want no more.
const POLL_MS: u64 = 100;
/// And may take so long to answer.
const RESPONSE_MS: u64 = 300;

/// All instruments; `None` when a fault was noted that leaves nothing to build.
pub(super) fn instruments(
    top: &Table<'_>,
    platform: Option<&Platform>,
    seen: &mut Seen,
) -> Option<(Vec<BoardConfig>, Vec<IndicatorConfig>)> {
    let (boards, indicators) = (top.sections("board"), top.sections("indicator"));
    if boards.is_empty() && indicators.is_empty() {
        top.fault("board", "missing: at least one section [[board]] or [[indicator]] is needed");
        return None;
    }
    let read: Vec<Option<BoardConfig>> = boards.iter().map(|table| board(table, platform, seen)).collect();
    let scales: Vec<Option<IndicatorConfig>> =
        indicators.iter().map(|table| indicator(table, platform, seen)).collect();
    let (read, scales): (Option<Vec<_>>, Option<Vec<_>>) = (read.into_iter().collect(), scales.into_iter().collect());
    let (read, scales) = (read?, scales?);
    if let (Some(platform), Some(first)) = (platform, boards.first()) {
        let cells_g: f64 = read.iter().flat_map(|board| &board.cells).map(|cell| cell.capacity_g).sum();
        let scales_g: f64 = scales.iter().map(|scale| scale.max_g).sum();
        let needed_g = platform.max_g + platform.dead_mass_g;
        if cells_g + scales_g < needed_g {
            first.fault(
                "cell",
                format!("all cells together bear {cells_g} g, less than max_g + dead_mass_g = {needed_g} g"),
            );
        }
    }
    Some((read, scales))
}

fn board(table: &Table<'_>, platform: Option<&Platform>, seen: &mut Seen) -> Option<BoardConfig> {
    let name = identifier(table, "name", 32);
    once(table, "name", name.as_ref(), &mut seen.sensors, "board's and camera's name");
    let plate = table.optional_text("plate").unwrap_or_else(|| "plate".to_owned());
    let protocol = table.choice("protocol", &[("lcb", Protocol::Lcb)]);
    let line = line(table, seen);
    let serial_number = table.text("serial_number");
    once(table, "serial_number", serial_number.as_ref(), &mut seen.serial_numbers, "serial number");
    let sample_rate_hz = table.number("sample_rate_hz", 1.0..=5_000.0);
    let silence_ms = table.whole_as("silence_ms", 10..=10_000);
    let calibration = table.optional_text("calibration").map(PathBuf::from);
    let cells = cells(table, platform, seen);
    table.finish();
    if let (Some(rate_hz), Some(silence_ms)) = (sample_rate_hz, silence_ms)
        && (silence_ms as f64) < 2_000.0 / rate_hz
    {
        table.fault("silence_ms", format!("{silence_ms} is less than two samples at {rate_hz} Hz take"));
    }
    Some(BoardConfig {
        name: name?,
        plate,
        protocol: protocol?,
        line: line?,
        serial_number: serial_number?,
        sample_rate_hz: sample_rate_hz?,
        silence_ms: silence_ms?,
        calibration,
        cells: cells?,
    })
}

fn line(table: &Table<'_>, seen: &mut Seen) -> Option<Line> {
    let path = table.text("path");
    once(table, "path", path.as_ref(), &mut seen.sources, "instrument's port");
    let baud = table.whole_as("baud", 300..=4_000_000);
    let data_bits = table.whole_as("data_bits", 7..=8);
    let parity = table.choice("parity", &[("none", Parity::None), ("even", Parity::Even), ("odd", Parity::Odd)]);
    let stop_bits = table.whole_as("stop_bits", 1..=2);
    let exclusive = table.flag("exclusive");
    Some(Line {
        path: PathBuf::from(path?),
        baud: baud?,
        data_bits: data_bits?,
        parity: parity?,
        stop_bits: stop_bits?,
        exclusive: exclusive?,
    })
}

fn cells(board: &Table<'_>, platform: Option<&Platform>, seen: &mut Seen) -> Option<Vec<Cell>> {
    let tables = board.sections("cell");
    match tables.len() {
        0 => {
            board.fault("cell", "missing: at least one section [[board.cell]] is needed");
            return None;
        }
        1..=8 => {}
        many => board.fault("cell", format!("{many} cells, and a board has at most 8 channels")),
    }
    tables.iter().map(|table| cell(table, platform, seen)).collect::<Vec<_>>().into_iter().collect()
}

fn cell(table: &Table<'_>, platform: Option<&Platform>, seen: &mut Seen) -> Option<Cell> {
    let serial_number = table.text("serial_number");
    once(table, "serial_number", serial_number.as_ref(), &mut seen.serial_numbers, "serial number");
    let half_width_mm = platform.map_or(2_500.0, |platform| platform.width_mm / 2.0);
    let half_depth_mm = platform.map_or(2_500.0, |platform| platform.depth_mm / 2.0);
    let x_mm = table.number("x_mm", -half_width_mm..=half_width_mm);
    let y_mm = table.number("y_mm", -half_depth_mm..=half_depth_mm);
    let zero_counts = table.whole("zero_counts", i64::from(i32::MIN)..=i64::from(i32::MAX));
    let counts_per_g = table.number("counts_per_g", 1e-3..=1e6);
    let capacity_g = table.number("capacity_g", 10.0..=2_000_000.0);
    let noise_g = table.number("noise_g", 1e-4..=1_000.0);
    table.finish();
    Some(Cell {
        serial_number: serial_number?,
        x_mm: x_mm?,
        y_mm: y_mm?,
        zero_counts: zero_counts?,
        counts_per_g: counts_per_g?,
        capacity_g: capacity_g?,
        noise_g: noise_g?,
    })
}

fn indicator(table: &Table<'_>, platform: Option<&Platform>, seen: &mut Seen) -> Option<IndicatorConfig> {
    let name = identifier(table, "name", 32);
    once(table, "name", name.as_ref(), &mut seen.sensors, "instrument's and camera's name");
    let scales: Vec<(&str, Protocol)> =
        Protocol::ALL.into_iter().filter(|p| *p != Protocol::Lcb).map(|p| (p.name(), p)).collect();
    let protocol = table.choice("protocol", &scales);
    let line = line(table, seen);
    let serial_number = table.optional_text("serial_number");
    once(table, "serial_number", serial_number.as_ref(), &mut seen.serial_numbers, "serial number");
    let poll_ms = table.optional_whole("poll_ms", 20..=10_000);
    let response_ms = table.optional_whole("response_ms", 20..=10_000);
    let silence_ms = table.whole_as("silence_ms", 100..=60_000);
    let units =
        [("g", MassUnit::G), ("kg", MassUnit::Kg), ("t", MassUnit::T), ("lb", MassUnit::Lb), ("oz", MassUnit::Oz)];
    let unit = if table.has("unit") { table.choice("unit", &units) } else { None };
    let decimals = table.optional_whole("decimals", 0..=6);
    let checksum = if table.has("checksum") { table.flag("checksum") } else { None };
    let address = table.optional_whole("address", 1..=247);
    let division_g = table.number("division_g", 0.1..=1_000.0);
    let max_g = table.number("max_g", 100.0..=2_000_000.0);
    let half_width_mm = platform.map_or(2_500.0, |platform| platform.width_mm / 2.0);
    let half_depth_mm = platform.map_or(2_500.0, |platform| platform.depth_mm / 2.0);
    let x_mm = table.number("x_mm", -half_width_mm..=half_width_mm);
    let y_mm = table.number("y_mm", -half_depth_mm..=half_depth_mm);
    let noise_g = table.number("noise_g", 1e-4..=1_000.0);
    let unit_price_minor = table.optional_whole("unit_price_minor", 1..=999_999);
    let polynomial_secret =
        if table.has("polynomial_secret") { identifier(table, "polynomial_secret", 64) } else { None };
    let grams_per_digit = table.optional_number("grams_per_digit", 1e-6..=1e6);
    let registers: Option<RegisterMap> = table.optional_as("registers");
    if let Some(Err(error)) = registers.as_ref().map(RegisterMap::check) {
        table.fault("registers", error.to_string());
    }
    table.finish();
    if let Some(protocol) = protocol {
        needs(table, protocol, unit, decimals, grams_per_digit);
        if protocol == Protocol::Dialog06 && polynomial_secret.is_none() {
            table.fault(
                "polynomial_secret",
                "missing: a Dialog 06 scale stops weighing at its first challenge without the polynomial agreed with its \
                 maker; name the file in the folder of secrets that holds it",
            );
        }
    }
    Some(IndicatorConfig {
        name: name?,
        protocol: protocol?,
        line: line?,
        serial_number,
        poll_ms: poll_ms.unwrap_or(POLL_MS),
        response_ms: response_ms.unwrap_or(RESPONSE_MS),
        silence_ms: silence_ms?,
        unit,
        decimals,
        checksum,
        address,
        division_g: division_g?,
        max_g: max_g?,
        x_mm: x_mm?,
        y_mm: y_mm?,
        noise_g: noise_g?,
        unit_price_minor: unit_price_minor.unwrap_or(1),
        polynomial_secret,
        grams_per_digit,
        registers,
    })
}

/// What a protocol leaves open must stand in the file: a number without a unit is no weight.
fn needs(
    table: &Table<'_>,
    protocol: Protocol,
    unit: Option<MassUnit>,
    decimals: Option<u8>,
    grams_per_digit: Option<f64>,
) {
    match protocol {
        Protocol::Toledo8217 => {
            if unit.is_none() {
                table.fault("unit", format!("missing: {} sends no unit", protocol.name()));
            }
        }
        Protocol::ModbusLaumas | Protocol::ModbusFlintec => {
            if unit.is_none() || decimals.is_none() {
                table.fault("unit", format!("missing, or `decimals` is: {} sends digits alone", protocol.name()));
            }
        }
        Protocol::HbmAed => {
            if grams_per_digit.is_none() {
                table.fault("grams_per_digit", "missing: a digital load cell sends digits alone");
            }
        }
        Protocol::Lcb
        | Protocol::MtSics
        | Protocol::Dialog06
        | Protocol::Dialog04
        | Protocol::Dialog02
        | Protocol::Nci
        | Protocol::ToledoContinuous
        | Protocol::Cas
        | Protocol::And => {}
    }
}
