//! `firmware-sim run`: the hardware of one station, and shoppers who come to it.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use axum::Router;
use clap::Args;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::live::Live;
use super::scanner::HeldScanner;
use super::{camera, control, port, rtsp, scanner};
use crate::hw::Hardware;
use crate::phone::Phone;
use crate::scenario::{Player, Script, heading, line};
use crate::shop::Shop;
use crate::stage::Stage;

/// How long the station may take to be ready for the first shopper.
const READY_WITHIN: Duration = Duration::from_secs(60);

/// Options of `firmware-sim run`.
#[derive(Debug, Clone, Args)]
pub struct RunArgs {
    /// Station file, as for the daemon.
    #[arg(long)]
    pub hw: PathBuf,
    /// Shoppers to play against the daemon; without it the hardware just runs.
    #[arg(long)]
    pub scenario: Option<PathBuf>,
    /// Draws goods, masses, noise.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// The daemon's address; the station file's [api].listen when left out.
    #[arg(long, value_name = "URL")]
    pub station: Option<String>,
    /// One JSON object a visit instead of a table.
    #[arg(long)]
    pub json: bool,
    /// End after the last shopper; status 1 if a verdict was not the expected one.
    #[arg(long)]
    pub exit: bool,
}

/// Runs until Ctrl-C, or with `--exit` to the end of the scenario; true when every verdict was the expected one.
///
/// # Errors
/// When a file is wrong, a port or address cannot be had, or the daemon does not become ready.
pub async fn run(args: &RunArgs) -> anyhow::Result<bool> {
    let hardware = Hardware::read(&args.hw)?;
    let script = args.scenario.as_deref().map(Script::read).transpose()?;
    let live = Live::start(Stage::new(hardware.clone(), Arc::new(Shop::demo()?), args.seed));
    let mut doors = open_doors(&hardware, &live, args.seed).await?;
    let phone_url = args.station.clone().unwrap_or_else(|| format!("http://{}", hardware.api.listen));
    let player = Player::new(live, Phone::new(&phone_url, &hardware.station.code), args.seed);
    let shoppers = async {
        let all_well = match &script {
            Some(script) => play(&player, script, args.json, &phone_url).await?,
            None => true,
        };
        if script.is_none() || !args.exit {
            std::future::pending::<()>().await;
        }
        anyhow::Ok(all_well)
    };
    let all_well = tokio::select! {
        finished = shoppers => finished?,
        Some(failed) = doors.join_next() => {
            failed.context("a part of the simulator has died")??;
            true
        }
        stop = stop_asked() => {
            stop.context("cannot listen for Ctrl-C")?;
            true
        }
    };
    // A port drops its link when its task ends; the runtime would leave it lying.
    doors.shutdown().await;
    Ok(all_well)
}

async fn stop_asked() -> std::io::Result<()> {
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    tokio::select! {
        interrupt = tokio::signal::ctrl_c() => interrupt,
        _ = terminate.recv() => Ok(()),
    }
}

/// Publishes the serial ports, serves cameras and the control interface.
async fn open_doors(hardware: &Hardware, live: &Live, seed: u64) -> anyhow::Result<JoinSet<anyhow::Result<()>>> {
    let mut doors = JoinSet::new();
    let paths: Vec<PathBuf> = live.with(|stage| stage.rig().ports().iter().map(|port| port.path.clone()).collect());
    for (index, path) in paths.into_iter().enumerate() {
        let live = live.clone();
        doors.spawn(async move { Ok(port::play(live, index, &path).await?) });
    }
    let mut sites = std::collections::BTreeMap::new();
    let mut controlled = control::router(live.clone());
    if let Some(wanted) = &hardware.scanner {
        let scanner = HeldScanner::new(wanted.protocol);
        controlled = controlled.merge(scanner::router(scanner.clone()));
        let (link, baud) = (wanted.path.clone(), wanted.baud);
        doors.spawn(async move { Ok(scanner.play(link, baud).await?) });
    }
    sites.insert(hardware.simulator.control.clone(), controlled);
    let mut streams: std::collections::BTreeMap<String, Vec<rtsp::Site>> = std::collections::BTreeMap::new();
    for (index, camera) in hardware.cameras.iter().enumerate() {
        // The station file's check has seen to it that every camera has an address.
        let Some((address, path)) = camera.address() else {
            continue;
        };
        let seed = seed.wrapping_add(1 + index as u64);
        if camera.is_rtsp() {
            streams.entry(address.to_owned()).or_default().push(camera::rtsp_site(live, camera, path, seed));
            continue;
        }
        let route = camera::route(live, camera, path, seed);
        let site: &mut Router = sites.entry(address.to_owned()).or_default();
        *site = std::mem::take(site).merge(route);
    }
    for (address, cameras) in streams {
        let listener = listen(&address).await?;
        doors.spawn(async move { Ok(rtsp::serve(listener, cameras).await?) });
    }
    for (address, site) in sites {
        let listener = listen(&address).await?;
        doors.spawn(async move { Ok(axum::serve(listener, site).await?) });
    }
    Ok(doors)
}

async fn listen(address: &str) -> anyhow::Result<TcpListener> {
    let listener = TcpListener::bind(address).await;
    listener.with_context(|| format!("cannot listen on {address}; is another simulator running?"))
}

async fn play(player: &Player, script: &Script, as_json: bool, url: &str) -> anyhow::Result<bool> {
    player.wait_until_ready(READY_WITHIN).await.with_context(|| {
        format!("the station at {url} is not ready within {} s; is the daemon running?", READY_WITHIN.as_secs())
    })?;
    if !as_json {
        println!("{}", heading());
    }
    let mut all_well = true;
    for (index, visit) in script.visits.iter().enumerate() {
        let report = player.visit(index + 1, visit).await;
        println!("{}", line(&report, as_json));
        all_well &= report.as_expected();
    }
    Ok(all_well)
}
