//! `proving evaluate` on the command line.

use super::bench::{self, Clock};
use super::cells::{self, Plan};
use super::looks::Recorded;
use super::{learning, plot, report};
use anyhow::{Context, Result, ensure};
use clap::{Args, ValueEnum};
use std::io::IsTerminal;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// Honest baskets a point of the learning curve, at most.
const LEARNING_BASKETS: u64 = 6000;

/// Which cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Which {
    /// One thing changed at a time.
    Usual,
    /// Every combination of arrival, bag, tare, vision and learned.
    Every,
}

/// What is to be measured, and how it is told.
#[derive(Clone, Debug, Args)]
pub struct Options {
    /// Honest baskets a cell, at least 100; a quarter as many of each error.
    #[arg(long, default_value_t = 20_000)]
    baskets: u64,
    /// Units scanned, one block of cells for each.
    #[arg(long, value_delimiter = ',', default_value = "5,10,20,40")]
    items: Vec<u32>,
    /// Products of the shop, 20 to 50 000.
    #[arg(long, default_value_t = 2000)]
    catalogue: usize,
    /// Which cells of each size.
    #[arg(long, value_enum, default_value_t = Which::Usual)]
    cells: Which,
    /// Only cells (or, with --learning, ways of learning) whose name holds this text, as in the table: "one by one", "no eyes, learned".
    #[arg(long)]
    only: Option<String>,
    /// Write pictures (SVG) into this folder as well.
    #[arg(long)]
    plot: Option<PathBuf>,
    /// Recorded figures of vision, instead of those that ship.
    #[arg(long)]
    vision: Option<PathBuf>,
    /// Threads; all cores by default. No figure depends on it.
    #[arg(long)]
    threads: Option<usize>,
    /// One JSON object instead of the table.
    #[arg(long)]
    json: bool,
    /// Instead of the cells: what visits teach, at 20 and 50 visits a product, measured with baskets of the first of --items.
    #[arg(long)]
    learning: bool,
}

impl Options {
    fn plan(&self, seed: u64) -> Result<Plan> {
        ensure!((100..=10_000_000).contains(&self.baskets), "--baskets: 100 to 10 000 000");
        ensure!((20..=50_000).contains(&self.catalogue), "--catalogue: 20 to 50 000");
        ensure!(self.items.iter().all(|i| (1..=80).contains(i)), "--items: 1 to 80 each");
        let cells = self.items.iter().flat_map(|items| match self.cells {
            Which::Usual => cells::usual(*items),
            Which::Every => cells::every(*items),
        });
        let wanted = |cell: &cells::Cell| self.only.as_ref().is_none_or(|text| cell.name().contains(text.as_str()));
        let cells: Vec<cells::Cell> = cells.filter(wanted).collect();
        ensure!(self.learning || !cells.is_empty(), "--only: no cell has this in its name");
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let vision = match &self.vision {
            Some(file) => {
                let text = std::fs::read_to_string(file).with_context(|| format!("reading {}", file.display()))?;
                Recorded::parse(&text)?
            }
            None => Recorded::shipped()?,
        };
        Ok(Plan {
            seed,
            vision,
            baskets: self.baskets,
            catalogue: self.catalogue,
            cells,
            threads: self.threads.unwrap_or(cores).clamp(1, 256),
        })
    }

    /// Measures and prints.
    ///
    /// # Errors
    /// Arguments out of range, or a picture that cannot be written.
    pub fn run(&self, seed: u64) -> Result<()> {
        let plan = self.plan(seed)?;
        if self.learning {
            return self.learn(&plan);
        }
        let progress = Progress::start();
        let clock = Clock::default();
        let results = bench::run(&plan, &clock, &|clock, all| progress.show(clock, all))?;
        progress.end(&clock);
        if let Some(folder) = &self.plot {
            let curve = |items: &u32| {
                eprintln!("learning curve of {items} items");
                (*items, bench::learning(&plan, *items, plan.baskets.min(LEARNING_BASKETS), &|| ()))
            };
            let curves: Vec<_> = self.items.iter().map(curve).collect();
            let note =
                format!("seed {}, {} honest baskets a cell, {} products", plan.seed, plan.baskets, plan.catalogue);
            plot::write(folder, &results, &curves, &note)?;
        }
        if self.json {
            println!("{}", report::json(&plan, &results));
        } else {
            println!(
                "seed {}, {} honest baskets a cell and {} of each error, {} products",
                plan.seed,
                plan.baskets,
                plan.baskets / 4,
                plan.catalogue
            );
            print!("{}", report::table(&plan, &results));
        }
        Ok(())
    }
}

impl Options {
    fn learn(&self, plan: &Plan) -> Result<()> {
        let plan = learning::Plan {
            seed: plan.seed,
            products: plan.catalogue,
            baskets: plan.baskets,
            items: self.items.first().copied().unwrap_or(20),
            visits: vec![0, 5, 20, 50],
        };
        let courses = learning::run(&plan, self.only.as_deref());
        if self.json {
            println!("{}", learning::json(&plan, &courses));
        } else {
            print!("{}", learning::table(&plan, &courses));
        }
        Ok(())
    }
}

/// A bar on standard error, where somebody looks at it.
struct Progress {
    start: Instant,
    shown: Mutex<Instant>,
    terminal: bool,
}

impl Progress {
    fn start() -> Self {
        let now = Instant::now();
        Self { start: now, shown: Mutex::new(now), terminal: std::io::stderr().is_terminal() }
    }

    fn show(&self, clock: &Clock, all: u64) {
        let every = Duration::from_millis(if self.terminal { 200 } else { 10_000 });
        let Ok(mut shown) = self.shown.try_lock() else { return };
        if shown.elapsed() < every {
            return;
        }
        *shown = Instant::now();
        let done = clock.baskets.load(Ordering::Relaxed);
        let share = done as f64 / all.max(1) as f64;
        let rate = done as f64 / self.start.elapsed().as_secs_f64();
        let filled = (30.0 * share) as usize;
        let bar = format!("{}{}", "#".repeat(filled), "-".repeat(30 - filled.min(30)));
        let left_s = (all - done.min(all)) as f64 / rate.max(1e-9);
        let line = format!("[{bar}] {:3.0} %  {rate:.0} baskets/s  {left_s:.0} s left", 100.0 * share);
        if self.terminal { eprint!("\r{line}   ") } else { eprintln!("{line}") }
    }

    fn end(&self, clock: &Clock) {
        let seconds = self.start.elapsed().as_secs_f64();
        let ns = |part: &std::sync::atomic::AtomicU64| part.load(Ordering::Relaxed) as f64;
        let parts = [ns(&clock.drawing), ns(&clock.oracle), ns(&clock.judge)];
        let sum = parts.iter().sum::<f64>().max(1.0);
        let baskets = ns(&clock.baskets);
        if self.terminal {
            eprintln!();
        }
        eprintln!(
            "{baskets:.0} baskets in {seconds:.1} s: {:.0} a second; drawing {:.0} %, oracle {:.0} %, judge {:.0} % ({:.0} us a basket)",
            baskets / seconds.max(1e-9),
            100.0 * parts[0] / sum,
            100.0 * parts[1] / sum,
            100.0 * parts[2] / sum,
            parts[2] / baskets.max(1.0) / 1000.0,
        );
    }
}
