//! `proving`: see `proving --help`.

use anyhow::Result;
use clap::{Parser, Subcommand};
use firmware_sim::hw::Hardware;
use firmware_sim::shop::Shop;
use proving::calibration::{self, Breakage, Disturbance};
use proving::eyes::DrawnEyes;
use proving::faults::{self, Row, Tally};
use proving::filling::{Judging, Lists};
use proving::load::{self, LoadOptions};
use proving::settling::{bench, plates};
use proving::visits::CLASSES_G;
use proving::{evaluate, filling, settling, visits};
use std::path::PathBuf;
use std::sync::Arc;

/// Measures the daemon's core against the simulator, in virtual time.
#[derive(Debug, Parser)]
struct Arguments {
    /// The station file.
    #[arg(long, default_value = "hw-configs/basket-plate.toml", global = true)]
    hw: PathBuf,
    /// Chooses masses, places, hands, noise, goods.
    #[arg(long, default_value_t = 1, global = true)]
    seed: u64,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// How fast and how truly loads are found after the last touch: plates of 5, 8 and 12 Hz with one mode, besides the classic criterion.
    Settling {
        /// Placements over all plates together.
        #[arg(long, default_value_t = 10_000)]
        runs: u64,
        /// Noise of one reading, 1 sigma in grams.
        #[arg(long, default_value_t = 2.0)]
        noise: f64,
        /// The hard plates: second mode, floor tone, slosh, creep, quantisation.
        #[arg(long, conflicts_with = "people")]
        hard: bool,
        /// A hand that rests, a body that leans.
        #[arg(long)]
        people: bool,
        /// One JSON object instead of the table.
        #[arg(long)]
        json: bool,
        /// The station of `--hw` through its serial bytes instead.
        #[arg(long, conflicts_with_all = ["hard", "people", "json"])]
        serial: bool,
    },
    /// What a calibration is worth, and whether spoilt ones are refused.
    Calibration {
        /// Calibrations of each kind.
        #[arg(long, default_value_t = 1000)]
        runs: u64,
    },
    /// Plants every fault of boards, scales and their lines in honest visits, and says what came of it.
    Faults {
        /// Visits a fault.
        #[arg(long, default_value_t = 1000)]
        runs: u64,
        /// Only faults with this in their name.
        #[arg(long)]
        only: Option<String>,
    },
    /// The judge against the best possible detector and against simple rules, on the same seeded baskets.
    Evaluate(evaluate::options::Options),
    /// A running station under clients that poll, streams that are taken up again, and lists, all at once.
    Load(LoadOptions),
    /// Shoppers by weight alone: false alarms, and what is caught by grams.
    Visits {
        /// Shoppers; every second one has one good that is not scanned.
        #[arg(long, default_value_t = 2000)]
        shoppers: u64,
        /// Goods of each basket.
        #[arg(long, default_value_t = 12)]
        items: usize,
        /// Each good is scanned and put down by itself, into a basket on the plate; judged by its total and by steps, without looks and with.
        #[arg(long)]
        one_by_one: bool,
    },
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    match arguments.command {
        Command::Settling { runs, serial: true, .. } => {
            let hardware = Hardware::read(&arguments.hw)?;
            let s = settling::measure(&hardware, &Arc::new(Shop::demo()?), runs, arguments.seed)?;
            println!("{} placements, seed {}", s.runs, arguments.seed);
            println!("last touch to load: median {:.2} s, 95 % {:.2} s", s.median_s, s.p95_s);
            println!("error 95 %: {:.1} g", s.error_p95_g);
            println!("within 1 sigma: {}   within 2 sigma: {}", percent(s.within_1), percent(s.within_2));
            println!("told under a hand and off by more than 15 g: {}", s.under_a_hand);
        }
        Command::Calibration { runs } => calibrations(&Hardware::read(&arguments.hw)?, runs, arguments.seed)?,
        Command::Settling { runs, noise, hard, people, json, serial: false } => {
            let cells = match (hard, people) {
                (true, _) => plates::hard(),
                (_, true) => plates::people(),
                (false, false) => plates::single(),
            };
            let plan = bench::Plan { cells, runs, noise_g: noise, seed: arguments.seed };
            let rows = bench::run(&plan);
            if json {
                println!("{}", settling::json(&plan, &rows));
            } else {
                println!("{runs} runs, noise {noise} g, seed {}", arguments.seed);
                print!("{}", settling::table(&plan, &rows));
            }
        }
        Command::Evaluate(options) => options.run(arguments.seed)?,
        Command::Load(options) => bear(options, arguments.seed)?,
        Command::Faults { runs, only } => {
            plant_faults(&Hardware::read(&arguments.hw)?, runs, arguments.seed, only.as_deref())?
        }
        Command::Visits { shoppers, items, one_by_one: true } => {
            let (hardware, shop) = (Hardware::read(&arguments.hw)?, Arc::new(Shop::demo()?));
            let eyes = Arc::new(DrawnEyes::new(&shop, arguments.seed)?);
            let way = |lists, eyes| Judging { lists, eyes };
            let ways = [
                way(Lists::AtTheEnd, None),
                way(Lists::EachScan, None),
                way(Lists::AtTheEnd, Some(&eyes)),
                way(Lists::EachScan, Some(&eyes)),
            ];
            let told = filling::play(&hardware, &shop, (shoppers, items), &ways, arguments.seed)?;
            println!("{shoppers} shoppers with {items} goods put down one by one, seed {}", arguments.seed);
            let names = ["by the total", "by steps", "by the total and looks", "by steps and looks"];
            for (name, f) in names.into_iter().zip(told) {
                println!("{name}:");
                println!("  honest baskets stopped: {}", percent(f.honest_stopped));
                let light = format!("one unscanned good of at most {:.0} g", filling::LIGHT_G);
                println!("  {light}, stopped: {}; rightly named: {}", percent(f.light_stopped), percent(f.light_named));
                println!(
                    "  a heavier one, stopped: {}; rightly named: {}",
                    percent(f.heavy_stopped),
                    percent(f.heavy_named)
                );
            }
        }
        Command::Visits { shoppers, items, one_by_one: false } => {
            let (hardware, shop) = (Hardware::read(&arguments.hw)?, Arc::new(Shop::demo()?));
            let v = visits::play(&hardware, &shop, shoppers, items, arguments.seed)?;
            println!("{shoppers} shoppers with {items} goods, seed {}, weight alone", arguments.seed);
            println!("honest baskets stopped: {}", percent(v.honest_stopped));
            let mut from = 0.0;
            for (class, share) in v.unscanned_stopped.iter().enumerate() {
                let to = CLASSES_G.get(class).copied();
                let range = to.map_or(format!("above {from:.0} g"), |to| format!("{from:.0} to {to:.0} g"));
                println!("one unscanned good of {range}, stopped: {}", percent(*share));
                from = to.unwrap_or(from);
            }
        }
    }
    Ok(())
}

fn bear(options: LoadOptions, seed: u64) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let borne = runtime.block_on(load::play(options, seed))?;
    let put = |quantile| borne.put_ms(quantile);
    println!(
        "{} PUT of a basket: median {:.1} ms, 99 % {:.1} ms, slowest {:.1} ms",
        borne.puts_ms.len(),
        put(0.5),
        put(0.99),
        put(1.0)
    );
    println!("{} polls answered, {} attempts decided", borne.polls, borne.attempts);
    println!(
        "{} verdicts told over streams, {} times taken up again, {} lost, doubled or out of order",
        borne.events, borne.reconnects, borne.lost
    );
    anyhow::ensure!(borne.lost == 0, "events were lost");
    Ok(())
}

fn calibrations(hardware: &Hardware, runs: u64, seed: u64) -> Result<()> {
    println!("{runs} calibrations, five spots three times, a third of the range, seed {seed}");
    let usual = Disturbance { noise_g: 0.5, creep_g: 0.0 };
    let creeping = Disturbance { noise_g: 0.5, creep_g: 2.0 };
    for (name, disturbance) in [("0.5 g of noise a reading", usual), ("and 2 g of creep and return error", creeping)] {
        let c = calibration::measure(hardware, disturbance, runs, seed)?;
        println!("{name}:");
        println!("  corner spread 95 %: {:.1} g (before: {:.0} g)", c.spread_p95_g, c.spread_before_p95_g);
        println!("  right over the cells 95 %: {:.1} g", c.spread_over_cells_p95_g);
        println!("  error of that mass anywhere 95 %: {:.1} g", c.error_p95_g);
        println!("  below the predicted 95 %: {}", percent(c.within_predicted));
        println!("  refused: {}   placements asked for again: {}", percent(c.refused), c.repeated);
        for breakage in Breakage::ALL {
            let r = calibration::refusals(hardware, disturbance, breakage, runs, seed);
            println!("  {}: refused {}/{}, rightly named {}/{}", breakage.name(), r.refused, r.runs, r.named, r.runs);
        }
    }
    Ok(())
}

fn percent(share: proving::statistics::Share) -> String {
    let (low, high) = share.interval();
    format!("{}/{} = {:.1} % ({:.1} to {:.1})", share.hits, share.of, 100.0 * share.value(), 100.0 * low, 100.0 * high)
}

/// Prints a table; fails when a promise is broken.
fn plant_faults(hardware: &Hardware, runs: u64, seed: u64, only: Option<&str>) -> Result<()> {
    let shop = Arc::new(Shop::demo()?);
    let rows: Vec<Row> =
        faults::rows(hardware).into_iter().filter(|row| only.is_none_or(|part| row.name.contains(part))).collect();
    println!("{}, {runs} visits a fault, seeds from {seed}", hardware.station.id);
    println!("fault                          noticed   wrong  alarmed  back p95  not back  passed  unavailable");
    let mut broken = 0;
    for row in &rows {
        let tally = faults::plant(hardware, &shop, row, runs, seed)?;
        print_fault(row, &tally);
        broken += tally.wrong.len() + tally.alarmed.len();
        broken += if row.mends_itself { tally.not_back.len() } else { 0 };
    }
    anyhow::ensure!(broken == 0, "{broken} promises broken");
    Ok(())
}

fn print_fault(row: &Row, tally: &Tally) {
    let noticed = row.noticed_within_ms.map_or("never".to_owned(), |ms| format!("{ms} ms"));
    let back = tally.back_p95_ms().map_or("-".to_owned(), |ms| format!("{ms:.0} ms"));
    println!(
        "{:<30} {noticed:>7} {:>7} {:>8} {back:>9} {:>9} {:>7} {:>12}",
        row.name,
        tally.wrong.len(),
        tally.alarmed.len(),
        tally.not_back.len(),
        tally.passed,
        tally.unavailable
    );
    for (seed, what) in tally.wrong.iter().take(3) {
        println!("    wrong, seed {seed}: {what}");
    }
    for (seed, what) in tally.alarmed.iter().take(3) {
        println!("    alarmed, seed {seed}: {what}");
    }
    if !tally.not_back.is_empty() {
        println!("    not back: seeds {:?}", &tally.not_back[..tally.not_back.len().min(5)]);
    }
}
