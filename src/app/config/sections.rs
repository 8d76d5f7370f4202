//! What each section of a station file must hold, and what must agree between sections.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::PathBuf;

use augenmass_core::verdict as judge;

use super::super::wiring;
use super::instruments::instruments;
use super::reader::Table;
use super::station::{
    AgeCheck, Api, Bags, CameraConfig, Container, ContainerKind, Journal, Models, Platform, Policy, Privacy, Scanner,
    Station, StationConfig, Tls, WithoutCamera,
};
use crate::access::Mode;
use augenmass_core::basket::InStorePattern;
use augenmass_core::basket::scanner::ScannerProtocol;

/// Creep and span of a well calibrated C3 cell within a visit, as a share of the load (R 60: 0.02 to 0.03 % in half an hour).
const SIGMA_SHARE: f64 = 2e-4;
/// A stiff plate on four cells.
const TWIST_SHARE: f64 = 0.05;

/// Until the end of the next working day's morning somebody may ask what was wrong with a basket.
const CROPS_HOURS: u32 = 24;
/// Nobody needs pictures of a shopper's basket longer.
const CROPS_HOURS_MAX: i64 = 72;

/// From the plate to the gate, with a queue between.
const EXIT_TOKEN_MINUTES: u32 = 10;

/// Reads the whole file; `None` when a fault was noted that leaves nothing to build.
pub(super) fn station_file(top: &Table<'_>) -> Option<StationConfig> {
    let mut seen = Seen::default();
    let station = top.section("station").and_then(|table| station(&table));
    let api = top.section("api").and_then(|table| api(&table));
    let data_directory = top.section("data").and_then(|table| data(&table));
    let models = top.section("models").and_then(|table| models(&table));
    let platform = top.section("platform").and_then(|table| platform(&table));
    let instruments = instruments(top, platform.as_ref(), &mut seen);
    let cameras = cameras(top, &mut seen);
    let containers = containers(top, platform.as_ref());
    let bags = top.section("bags").and_then(|table| bags(&table));
    let in_store_codes = in_store_codes(top);
    let policy = top.section("policy").and_then(|table| policy(&table));
    let privacy = match top.has("privacy") {
        true => top.section("privacy").and_then(|table| privacy(&table)),
        false => Some(Privacy { crops_hours: CROPS_HOURS }),
    };
    let journal = if top.has("journal") { top.section("journal").and_then(|table| journal(&table)) } else { None };
    let scanner = if top.has("scanner") { top.section("scanner").and_then(|table| scanner(&table)) } else { None };
    top.leave("simulator");
    top.finish();
    Some(StationConfig {
        station: station?,
        api: api?,
        data_directory: data_directory?,
        models: models?,
        platform: platform?,
        boards: instruments.as_ref()?.0.clone(),
        indicators: instruments?.1,
        cameras: cameras?,
        containers: containers?,
        bags: bags?,
        in_store_codes: in_store_codes?,
        policy: policy?,
        privacy: privacy?,
        scanner,
        journal,
    })
}

/// Names that may occur once only.
#[derive(Default)]
pub(super) struct Seen {
    pub(super) sensors: BTreeSet<String>,
    pub(super) sources: BTreeSet<String>,
    pub(super) serial_numbers: BTreeSet<String>,
}

pub(super) fn once(table: &Table<'_>, key: &str, value: Option<&String>, seen: &mut BTreeSet<String>, what: &str) {
    if let Some(value) = value
        && !seen.insert(value.clone())
    {
        table.fault(key, format!("'{value}' stands a second time: every {what} is its own"));
    }
}

pub(super) fn identifier(table: &Table<'_>, key: &'static str, longest: usize) -> Option<String> {
    let text = table.text(key)?;
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if text.len() > longest || !text.chars().all(allowed) {
        table.fault(key, format!("'{text}' is not 1 to {longest} letters, digits, '-', '_' or '.'"));
        return None;
    }
    Some(text)
}

fn station(table: &Table<'_>) -> Option<Station> {
    let id = identifier(table, "id", 64);
    let code = identifier(table, "code", 16);
    let name = table.text("name");
    table.finish();
    Some(Station { id: id?, code: code?, name: name? })
}

fn api(table: &Table<'_>) -> Option<Api> {
    let access = match table.has("access") {
        true => table.choice("access", &[("required", Mode::Required), ("open", Mode::Open)]),
        false => Some(Mode::Required),
    };
    let tls = match table.has("tls") {
        true => table.choice("tls", &[("off", Tls::Off), ("self-made", Tls::SelfMade), ("retailer", Tls::Retailer)]),
        false => Some(Tls::Off),
    };
    let certificate = table.optional_text("certificate").map(PathBuf::from);
    if tls.is_some_and(|tls| certificate.is_some() != (tls == Tls::Retailer)) {
        table.fault("certificate", "named exactly where tls = \"retailer\"".to_owned());
    }
    let client_ca = table.optional_text("client_ca").map(PathBuf::from);
    if client_ca.is_some() && tls == Some(Tls::Off) {
        table.fault("client_ca", "certificates are shown over TLS alone: set tls".to_owned());
    }
    let closed = access == Some(Mode::Required) && tls.is_some_and(|tls| tls != Tls::Off);
    let listen = listen(table, closed);
    let minutes = table.optional_whole("exit_token_minutes", 1..=120);
    let hosts: Option<Vec<String>> = table.optional_as("hosts");
    let app_keys = table.optional_text("app_keys").map(PathBuf::from);
    table.finish();
    Some(Api {
        listen: listen?,
        access: access?,
        tls: tls?,
        certificate,
        client_ca,
        hosts: hosts.unwrap_or_default(),
        app_keys,
        exit_token_minutes: minutes.unwrap_or(EXIT_TOKEN_MINUTES),
    })
}

/// Where it listens; `closed` says that strangers find TLS and access control there.
fn listen(table: &Table<'_>, closed: bool) -> Option<SocketAddr> {
    let text = table.text("listen")?;
    match text.parse::<SocketAddr>() {
        Ok(address) if closed || address.ip().is_loopback() => Some(address),
        Ok(address) => {
            table.fault(
                "listen",
                format!(
                    "'{text}' can be reached from other machines; that needs tls = \"self-made\" or \"retailer\" and \
                     access = \"required\". Or use 127.0.0.1:{}",
                    address.port()
                ),
            );
            None
        }
        Err(_) => {
            table.fault("listen", format!("'{text}' is no address and port: write \"127.0.0.1:8787\""));
            None
        }
    }
}

fn data(table: &Table<'_>) -> Option<PathBuf> {
    let directory = table.text("directory");
    table.finish();
    directory.map(PathBuf::from)
}

fn models(table: &Table<'_>) -> Option<Models> {
    let directory = table.text("directory");
    let onnxruntime = table.optional_text("onnxruntime").map(PathBuf::from);
    let learn_looks = if table.has("learn_looks") { table.flag("learn_looks") } else { Some(true) };
    table.finish();
    Some(Models { directory: PathBuf::from(directory?), onnxruntime, learn_looks: learn_looks? })
}

fn platform(table: &Table<'_>) -> Option<Platform> {
    let max_g = table.number("max_g", 100.0..=2_000_000.0);
    let division_g = table.number("division_g", 0.1..=1_000.0);
    let empty_below_g = table.number("empty_below_g", 1.0..=20_000.0);
    let width_mm = table.number("width_mm", 50.0..=5_000.0);
    let depth_mm = table.number("depth_mm", 50.0..=5_000.0);
    let natural_frequency_hz = table.number("natural_frequency_hz", 1.0..=100.0);
    let reference_mass_g = table.number("reference_mass_g", 1.0..=2_000_000.0);
    let dead_mass_g = table.number("dead_mass_g", 1.0..=2_000_000.0);
    let damping_ratio = table.number("damping_ratio", 0.001..=0.99);
    let sigma_g = table.number("sigma_g", 0.01..=1_000.0);
    let sigma_share = table.optional_number("sigma_share", 0.0..=0.1).unwrap_or(SIGMA_SHARE);
    let twist_share = table.optional_number("twist_share", 0.0..=1.0).unwrap_or(TWIST_SHARE);
    let centre_within_mm = table.optional_pair("centre_within_mm", 1.0..=5_000.0);
    table.finish();
    if let (Some(max_g), Some(empty_below_g)) = (max_g, empty_below_g)
        && empty_below_g >= max_g / 4.0
    {
        table.fault("empty_below_g", format!("{empty_below_g} is more than a quarter of max_g = {max_g}"));
    }
    Some(Platform {
        max_g: max_g?,
        division_g: division_g?,
        empty_below_g: empty_below_g?,
        width_mm: width_mm?,
        depth_mm: depth_mm?,
        natural_frequency_hz: natural_frequency_hz?,
        reference_mass_g: reference_mass_g?,
        dead_mass_g: dead_mass_g?,
        damping_ratio: damping_ratio?,
        sigma_g: sigma_g?,
        sigma_share,
        twist_share,
        centre_within_mm,
    })
}

fn cameras(top: &Table<'_>, seen: &mut Seen) -> Option<Vec<CameraConfig>> {
    let tables = top.sections("camera");
    if tables.len() > 3 {
        top.fault("camera", format!("{} cameras, and a station has at most 3", tables.len()));
    }
    tables.iter().map(|table| camera(table, seen)).collect::<Vec<_>>().into_iter().collect()
}

fn camera(table: &Table<'_>, seen: &mut Seen) -> Option<CameraConfig> {
    let name = identifier(table, "name", 32);
    once(table, "name", name.as_ref(), &mut seen.sensors, "board's and camera's name");
    let url = stream_address(table);
    once(table, "url", url.as_ref(), &mut seen.sources, "camera's address");
    let login_secret = if table.has("login_secret") { identifier(table, "login_secret", 64) } else { None };
    if login_secret.is_some() && url.as_ref().is_some_and(|url| url.starts_with("file:")) {
        table.fault("login_secret", "nobody logs in to a folder".to_owned());
    }
    let width_px = table.whole_as("width_px", 64..=4_096);
    let height_px = table.whole_as("height_px", 64..=4_096);
    let frames_per_s = table.number("frames_per_s", 0.1..=120.0);
    let stale_ms = table.whole_as("stale_ms", 100..=60_000);
    let height_mm = table.number("height_mm", 50.0..=10_000.0);
    let focal_px = table.number("focal_px", 10.0..=100_000.0);
    let at_mm = table.optional_pair("at_mm", -5_000.0..=5_000.0).unwrap_or_default();
    let plate_points: Option<[[f64; 4]; 4]> = table.optional_as("plate_points");
    let view_px = table.four_whole("view_px", 4_096);
    let platform_px: Vec<[u32; 2]> = table.optional_as("platform_px").unwrap_or_default();
    table.finish();
    let outside = |[x, y]: &[u32; 2]| width_px.is_some_and(|width| *x > width) || height_px.is_some_and(|h| *y > h);
    if table.has("platform_px") && !(3..=16).contains(&platform_px.len()) {
        table.fault("platform_px", "is not 3 to 16 corners [x, y]");
    } else if platform_px.iter().any(outside) {
        table.fault("platform_px", "has a corner outside the picture");
    }
    if let (Some([left, top, right, bottom]), Some(width), Some(height)) = (view_px, width_px, height_px) {
        if right > width || bottom > height {
            table.fault("view_px", format!("reaches outside the picture of {width} x {height}"));
        } else if left + 16 > right || top + 16 > bottom {
            table.fault("view_px", "is not left, top, right, bottom with at least 16 pixels each way");
        }
    }
    if let (Some(stale_ms), Some(frames_per_s)) = (stale_ms, frames_per_s)
        && (stale_ms as f64) < 1_000.0 / frames_per_s
    {
        table.fault("stale_ms", format!("{stale_ms} is less than one picture takes at {frames_per_s} a second"));
    }
    let config = CameraConfig {
        name: name?,
        url: url?,
        login_secret,
        width_px: width_px?,
        height_px: height_px?,
        frames_per_s: frames_per_s?,
        stale_ms: stale_ms?,
        height_mm: height_mm?,
        focal_px: focal_px?,
        at_mm,
        plate_points,
        view_px: view_px?,
        platform_px,
    };
    if let Err(fault) = wiring::place(&config) {
        table.fault("plate_points", fault.to_string());
    }
    Some(config)
}

fn privacy(table: &Table<'_>) -> Option<Privacy> {
    let crops_hours = table.whole_as("crops_hours", 0..=CROPS_HOURS_MAX);
    table.finish();
    Some(Privacy { crops_hours: crops_hours? })
}

fn stream_address(table: &Table<'_>) -> Option<String> {
    let text = table.text("url")?;
    match reqwest::Url::parse(&text) {
        Ok(url) if !url.username().is_empty() || url.password().is_some() => {
            // The fault does not repeat what it found.
            table.fault(
                "url",
                "holds a user name or password: write them into a file and name it in login_secret".to_owned(),
            );
            None
        }
        Ok(url) if matches!(url.scheme(), "http" | "rtsp") && url.has_host() => Some(text),
        Ok(url) if url.scheme() == "file" && !url.has_host() && text.starts_with("file:///") => Some(text),
        Ok(url) if url.scheme() == "https" => {
            table.fault("url", format!("'{text}': cameras are read over http:// or rtsp:// only"));
            None
        }
        Ok(_) | Err(_) => {
            table.fault(
                "url",
                format!("'{text}' is no http:// or rtsp:// address of a stream, nor file:// and the path of a folder"),
            );
            None
        }
    }
}

fn containers(top: &Table<'_>, platform: Option<&Platform>) -> Option<Vec<Container>> {
    let tables = top.sections("container");
    if tables.is_empty() {
        top.fault("container", "missing: at least one section [[container]] is needed");
        return None;
    }
    let mut kinds = BTreeSet::new();
    tables.iter().map(|table| container(table, platform, &mut kinds)).collect::<Vec<_>>().into_iter().collect()
}

fn container(table: &Table<'_>, platform: Option<&Platform>, kinds: &mut BTreeSet<ContainerKind>) -> Option<Container> {
    let choices = [ContainerKind::Trolley, ContainerKind::Basket, ContainerKind::None];
    let kind = table.choice("kind", &choices.map(|kind| (kind.as_str(), kind)));
    let tare_g = table.number("tare_g", 0.0..=500_000.0);
    let sigma_g = table.number("sigma_g", 0.0..=10_000.0);
    let width_mm = table.number("width_mm", 10.0..=5_000.0);
    let depth_mm = table.number("depth_mm", 10.0..=5_000.0);
    let height_mm = table.number("height_mm", 0.0..=5_000.0);
    table.finish();
    if let Some(kind) = kind
        && !kinds.insert(kind)
    {
        table.fault("kind", format!("'{}' stands a second time: each kind once", kind.as_str()));
    }
    if let (Some(tare_g), Some(platform), Some(ContainerKind::Trolley | ContainerKind::Basket)) =
        (tare_g, platform, kind)
    {
        if tare_g <= platform.empty_below_g {
            table.fault(
                "tare_g",
                format!("{tare_g}: the plate would count as empty (empty_below_g = {})", platform.empty_below_g),
            );
        } else if tare_g >= platform.max_g {
            table.fault("tare_g", format!("{tare_g} is more than the platform bears (max_g = {})", platform.max_g));
        }
    }
    Some(Container {
        kind: kind?,
        tare_g: tare_g?,
        sigma_g: sigma_g?,
        width_mm: width_mm?,
        depth_mm: depth_mm?,
        height_mm: height_mm?,
    })
}

fn bags(table: &Table<'_>) -> Option<Bags> {
    let mean_g = table.number("mean_g", 0.0..=5_000.0);
    let sigma_g = table.number("sigma_g", 0.0..=5_000.0);
    table.finish();
    Some(Bags { mean_g: mean_g?, sigma_g: sigma_g? })
}

fn journal(table: &Table<'_>) -> Option<Journal> {
    let directory = table.text("directory").map(PathBuf::from);
    let max_mb = table.whole_as("max_mb", 1..=1_000_000);
    table.finish();
    Some(Journal { directory: directory?, max_mb: max_mb? })
}

fn scanner(table: &Table<'_>) -> Option<Scanner> {
    let protocol = table.choice("protocol", &[("lines", ScannerProtocol::Lines), ("ssi", ScannerProtocol::Ssi)]);
    let path = table.text("path").map(PathBuf::from);
    let baud = table.whole_as("baud", 300..=921_600);
    let prefix = table.text("prefix");
    table.finish();
    if let Some(prefix) = &prefix
        && (!(1..=16).contains(&prefix.len()) || !prefix.chars().all(|c| c.is_ascii_graphic()))
    {
        table.fault("prefix", format!("'{prefix}' is not 1 to 16 printable characters"));
        return None;
    }
    Some(Scanner { protocol: protocol?, path: path?, baud: baud?, prefix: prefix? })
}

fn in_store_codes(top: &Table<'_>) -> Option<Vec<String>> {
    let mut patterns = BTreeSet::new();
    top.sections("in_store_code")
        .iter()
        .map(|table| {
            let pattern = table.text("pattern");
            table.finish();
            once(table, "pattern", pattern.as_ref(), &mut patterns, "pattern");
            let pattern = pattern?;
            if let Err(fault) = InStorePattern::try_from(pattern.clone()) {
                table.fault("pattern", fault.to_string());
                return None;
            }
            Some(pattern)
        })
        .collect::<Vec<_>>()
        .into_iter()
        .collect()
}

fn policy(table: &Table<'_>) -> Option<Policy> {
    let error_rate = table.number("error_rate", 1e-6..=0.999);
    let false_alarm_cost = table.number("false_alarm_cost", 0.0..=10_000.0);
    let max_corrections = table.whole_as("max_corrections", 1..=20);
    let usual = judge::Policy::usual(0.05, 6.0, 3);
    let optional = |key, range, otherwise: f64| table.optional_number(key, range).unwrap_or(otherwise);
    let staff_cost = optional("staff_cost", 0.0..=10_000.0, usual.staff_cost);
    let waiting_cost_per_s = optional("waiting_cost_per_s", 0.0..=100.0, usual.waiting_cost_per_s);
    let first_visit_grace = optional("first_visit_grace", 1.0..=100.0, usual.first_visit_grace);
    let control_sample = optional("control_sample", 0.0..=1.0, usual.control_sample);
    let stale_weight_rate = optional("stale_weight_rate", 0.0..=0.5, usual.stale_weight_rate);
    let wrong_label_rate = optional("wrong_label_rate", 0.0..=0.5, usual.wrong_label_rate);
    let four_eyes_above_minor = table.optional_whole("four_eyes_above_minor", 0..=100_000_000);
    let age_check = match table.has("age_check") {
        true => table.choice("age_check", &[("staff", AgeCheck::Staff), ("elsewhere", AgeCheck::Elsewhere)]),
        false => Some(AgeCheck::default()),
    };
    let without_camera = table.choice(
        "without_camera",
        &[("unavailable", WithoutCamera::Unavailable), ("weight_only", WithoutCamera::WeightOnly)],
    );
    table.finish();
    Some(Policy {
        error_rate: error_rate?,
        false_alarm_cost: false_alarm_cost?,
        staff_cost,
        waiting_cost_per_s,
        first_visit_grace,
        control_sample,
        stale_weight_rate,
        wrong_label_rate,
        age_check: age_check?,
        max_corrections: max_corrections?,
        four_eyes_above_minor,
        without_camera: without_camera?,
    })
}
