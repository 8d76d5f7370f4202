//! Plays visits against a daemon, in real time.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::draw::{DrawError, draw};
use super::file::{AppStep, Step, Truth, Visit};
use super::shelf::codes;
use crate::phone::{Basket, DeclaredContainer, Line, Phone, PhoneError, Verdict};
use crate::shell::live::Live;
use crate::stage::{Command, CommandError, GoodsLine};

/// A shopper's patience for one verdict.
const PATIENCE: Duration = Duration::from_secs(20);

/// One long poll.
const POLL: Duration = Duration::from_secs(5);

/// How long a station may need to be idle again after a basket was lifted.
const IDLE_WITHIN: Duration = Duration::from_secs(20);

/// How often the station is asked whether it is idle.
const ASK_EVERY: Duration = Duration::from_millis(50);

/// How one visit went.
#[derive(Debug, Clone, PartialEq)]
pub struct VisitReport {
    /// Number from 1.
    pub shopper: usize,
    /// What was true.
    pub truth: String,
    /// Units scanned.
    pub items: u32,
    /// Outcome of each attempt that the shopper was told.
    pub attempts: Vec<String>,
    /// Outcomes that should have been told.
    pub expected: Vec<String>,
    /// Whether the last attempt let the shopper go.
    pub passed: bool,
    /// First finding of the first attempt that had one, in words and grams.
    pub finding: Option<String>,
    /// To the receipt of the first verdict other than `unavailable` (or else of the first), from the latest of: the last
    /// hand off the plate, the request for a validation, a cable put back. 0 when the verdict came before that.
    pub elapsed_ms: Option<u64>,
    /// What kept the visit from being played to its end.
    pub trouble: Option<String>,
}

impl VisitReport {
    /// Whether every attempt came out as expected.
    pub fn as_expected(&self) -> bool {
        self.trouble.is_none() && self.attempts == self.expected
    }
}

/// Why a visit stopped.
#[derive(Debug, thiserror::Error)]
enum Trouble {
    #[error(transparent)]
    Phone(#[from] PhoneError),
    #[error(transparent)]
    Command(#[from] CommandError),
    #[error(transparent)]
    Draw(#[from] DrawError),
    #[error("{0}")]
    Script(&'static str),
    #[error("no verdict within {} s; the validation is {state}", PATIENCE.as_secs())]
    NoVerdict { state: String },
    #[error("the station is not idle within {} s after the basket was lifted; it is {state}", IDLE_WITHIN.as_secs())]
    NotIdle { state: String },
}

/// Plays visits one after the other.
#[derive(Debug, Clone)]
pub struct Player {
    live: Live,
    phone: Phone,
    seed: u64,
    /// Tells this run's baskets from those of earlier runs, which the station still knows.
    run: String,
}

/// One visit under way.
struct Shopper<'a> {
    player: &'a Player,
    basket_id: String,
    revision: u32,
    validation: Option<String>,
    attempt: u32,
    asked_at: Option<Instant>,
    replugged_at: Option<Instant>,
    judged: bool,
    report: VisitReport,
}

impl Player {
    /// A player at the station `live` with the app `phone`; `seed` draws goods.
    pub fn new(live: Live, phone: Phone, seed: u64) -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { live, phone, seed, run: format!("sim-{:x}", since.as_millis()) }
    }

    /// Waits until the station says that it can judge.
    ///
    /// # Errors
    /// What it said last, when it did not within `patience`.
    pub async fn wait_until_ready(&self, patience: Duration) -> Result<(), PhoneError> {
        let end = Instant::now() + patience;
        loop {
            match self.phone.ready().await {
                Ok(()) => return Ok(()),
                Err(error) if Instant::now() >= end => return Err(error),
                Err(_) => tokio::time::sleep(ASK_EVERY).await,
            }
        }
    }

    /// Plays visit `number` (from 1); afterwards the plate is empty and every cable is in place.
    pub async fn visit(&self, number: usize, visit: &Visit) -> VisitReport {
        let mut shopper = Shopper {
            player: self,
            basket_id: format!("{}-{number}", self.run),
            revision: 0,
            validation: None,
            attempt: 0,
            asked_at: None,
            replugged_at: None,
            judged: false,
            report: VisitReport {
                shopper: number,
                truth: visit.truth.clone(),
                items: 0,
                attempts: vec![],
                expected: visit.expect.clone(),
                passed: false,
                finding: None,
                elapsed_ms: None,
                trouble: None,
            },
        };
        let played = shopper.play(visit).await;
        let left = self.leave().await;
        shopper.report.trouble = played.and(left).err().map(|trouble| trouble.to_string());
        shopper.report
    }

    async fn command(&self, command: Command) -> Result<u64, Trouble> {
        let live = self.live.clone();
        let done = tokio::task::spawn_blocking(move || live.command(&command)).await;
        let (at_us, _) = done.map_err(|_| Trouble::Script("the simulator failed; see its log"))??;
        Ok(at_us)
    }

    async fn leave(&self) -> Result<(), Trouble> {
        let boards = self.live.with(|stage| stage.hardware().boards.clone());
        for board in boards {
            self.command(Command::Replug { board: board.name }).await?;
        }
        self.command(Command::Lift).await?;
        let end = Instant::now() + IDLE_WITHIN;
        loop {
            let state = self.phone.station_state().await?;
            if state == "idle" {
                return Ok(());
            }
            if Instant::now() >= end {
                return Err(Trouble::NotIdle { state });
            }
            tokio::time::sleep(ASK_EVERY).await;
        }
    }
}

impl Shopper<'_> {
    async fn play(&mut self, visit: &Visit) -> Result<(), Trouble> {
        let steps = match (Truth::parse(&visit.truth), visit.items) {
            (Some(truth), Some(items)) if visit.steps.is_empty() => self.draw(truth, items, &visit.expect)?,
            _ => visit.steps.clone(),
        };
        self.report.expected = steps.iter().filter_map(|step| step.expect.clone()).collect();
        let start = Instant::now();
        for step in steps {
            tokio::time::sleep_until((start + Duration::from_secs_f64(step.at_s.clamp(0.0, 3600.0))).into()).await;
            if !self.step(step).await? {
                break;
            }
        }
        Ok(())
    }

    fn draw(&mut self, truth: Truth, items: u32, expect: &[String]) -> Result<Vec<Step>, DrawError> {
        let player = self.player;
        let (shop, hardware) = player.live.with(|stage| (stage.shop().clone(), stage.hardware().clone()));
        let drawn = draw(&shop, &hardware, player.seed, self.report.shopper, (truth, items, expect))?;
        self.report.truth = drawn.truth;
        Ok(drawn.steps)
    }

    /// Plays one step; false when what came is not what was expected, so that the rest makes no sense.
    async fn step(&mut self, step: Step) -> Result<bool, Trouble> {
        if let Some(command) = step.plate {
            let replug = matches!(command, Command::Replug { .. });
            let at_us = self.player.command(command).await?;
            if replug {
                self.replugged_at = Some(self.player.live.instant(at_us));
            }
        }
        match step.app {
            Some(AppStep::Scan { goods, bags, container, container_id }) => {
                self.scan(&goods, bags, container, container_id).await?;
            }
            Some(AppStep::Validate) => {
                self.asked_at = Some(Instant::now());
                self.validation = Some(self.player.phone.validate(&self.basket_id).await?);
            }
            Some(AppStep::Retry) => self.player.phone.retry(self.validation()?).await?,
            None => {}
        }
        match step.expect {
            Some(outcome) => Ok(self.verdict().await?.outcome == outcome),
            None => Ok(true),
        }
    }

    fn validation(&self) -> Result<&str, Trouble> {
        self.validation
            .as_deref()
            .ok_or(Trouble::Script("the script expects a verdict before it asks for a validation"))
    }

    async fn scan(
        &mut self,
        goods: &[GoodsLine],
        bags: u32,
        container: Option<String>,
        container_id: Option<String>,
    ) -> Result<(), Trouble> {
        let (shop, first) = self.player.live.with(|stage| {
            (stage.shop().clone(), stage.hardware().containers.first().map(|container| container.kind.clone()))
        });
        let mut lines: Vec<Line> = Vec::new();
        for line in goods {
            let index = shop.index_of(&line.id).ok_or_else(|| CommandError::UnknownGood(line.id.clone()))?;
            for (code, quantity) in codes(&shop.goods[index], line) {
                match lines.iter_mut().find(|known| known.code == code) {
                    Some(known) => known.quantity += quantity,
                    None => lines.push(Line { code, quantity }),
                }
            }
        }
        if self.revision == 0 {
            self.report.items = goods.iter().map(|line| line.quantity).sum();
        }
        self.revision += 1;
        let kind = container.or(first).unwrap_or_else(|| "none".to_owned());
        let basket = Basket {
            revision: self.revision,
            containers: vec![DeclaredContainer { kind, id: container_id }],
            bags,
            lines,
        };
        Ok(self.player.phone.put_basket(&self.basket_id, &basket).await?)
    }

    /// Waits for the next attempt's verdict and notes it.
    async fn verdict(&mut self) -> Result<Verdict, Trouble> {
        let end = Instant::now() + PATIENCE;
        loop {
            let status = self.player.phone.wait(self.validation()?, self.attempt, POLL).await?;
            let received = Instant::now();
            if let Some(verdict) = status.verdict.filter(|verdict| verdict.attempt > self.attempt) {
                self.note(&verdict, received);
                return Ok(verdict);
            }
            if received >= end {
                return Err(Trouble::NoVerdict { state: status.state });
            }
            // A poll that comes back at once with nothing new must not spin.
            tokio::time::sleep(ASK_EVERY).await;
        }
    }

    fn note(&mut self, verdict: &Verdict, received: Instant) {
        self.attempt = verdict.attempt;
        let live = &self.player.live;
        let touched = live.with(|stage| stage.rig().world().last_touch_us()).map(|at_us| live.instant(at_us));
        let unavailable = verdict.outcome == "unavailable";
        if !self.judged && (!unavailable || self.report.elapsed_ms.is_none()) {
            let from = [touched, self.asked_at, self.replugged_at].into_iter().flatten().max();
            self.report.elapsed_ms = from.map(|from| received.saturating_duration_since(from).as_millis() as u64);
        }
        self.judged |= !unavailable;
        if self.report.finding.is_none() {
            self.report.finding = verdict.findings.first().map(|finding| finding.in_words());
        }
        self.report.passed = verdict.passed;
        self.report.attempts.push(verdict.outcome.clone());
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::{Arc, Mutex};

    use axum::extract::{Path, Query, State};
    use axum::routing::{get, post, put};
    use axum::{Json, Router};
    use serde_json::{Value, json};

    use super::*;
    use crate::scenario::Script;
    use crate::stage::tests::stage;

    /// Stands for the daemon: judges by the simulator's own truth and the list it was sent.
    #[derive(Clone)]
    struct Station {
        live: Live,
        lists: Arc<Mutex<Vec<Value>>>,
    }

    fn count(list: &Value) -> u64 {
        list["lines"].as_array().unwrap().iter().map(|line| line["quantity"].as_u64().unwrap()).sum()
    }

    async fn verdict(State(station): State<Station>, Query(query): Query<BTreeMap<String, String>>) -> Json<Value> {
        let after: u64 = query["after"].parse().unwrap();
        let scanned = station.lists.lock().unwrap().last().map(count).unwrap();
        let (there, plugged, touching) = station.live.with(|stage| {
            let world = stage.rig().world();
            (world.load().goods.len() as u64, stage.rig().plugged(0), world.touching())
        });
        if (there == 0 || touching) && plugged {
            return Json(json!({ "state": "weighing", "attempt": after, "verdict": null }));
        }
        let (outcome, findings) = match (plugged, there == scanned) {
            (false, _) => ("unavailable", json!([{ "kind": "sensor" }])),
            (true, true) => ("pass", json!([])),
            (true, false) => {
                ("correct", json!([{ "kind": "unscanned", "product": { "name": "Cola" }, "grams": 1540.2 }]))
            }
        };
        let verdict =
            json!({ "attempt": after + 1, "outcome": outcome, "passed": outcome == "pass", "findings": findings });
        Json(json!({ "state": "aside", "attempt": after + 1, "verdict": verdict }))
    }

    async fn player() -> (Player, Station) {
        let live = Live::start(stage(1));
        let station = Station { live: live.clone(), lists: Arc::default() };
        let site = Router::new()
            .route(
                "/v1/baskets/{id}",
                put(|State(station): State<Station>, Path(_): Path<String>, Json(list): Json<Value>| async move {
                    station.lists.lock().unwrap().push(list);
                }),
            )
            .route("/v1/validations", post(|| async { Json(json!({ "validation_id": "v" })) }))
            .route("/v1/validations/{id}", get(verdict))
            .route(
                "/v1/station",
                get(|State(station): State<Station>| async move {
                    let empty = station.live.with(|stage| stage.rig().world().load().is_empty());
                    Json(json!({ "state": if empty { "idle" } else { "occupied" } }))
                }),
            )
            .with_state(station.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, site).await });
        (Player::new(live, Phone::new(&url, "B1"), 1), station)
    }

    fn visit(steps: &str) -> Visit {
        let text = format!("[[visit]]\ntruth = \"test\"\n{steps}");
        Script::parse(&text, std::path::Path::new("test.toml")).unwrap().visits.remove(0)
    }

    const SCAN_AND_PLACE: &str = r#"
        [[visit.step]]
        app = { scan = { goods = [{ id = "butter" }, { id = "bananas", unit_g = [812.3] }], container_id = "K-1" } }
        [[visit.step]]
        app = "validate"
        [[visit.step]]
        plate = { do = "place", goods = [{ id = "butter" }, { id = "cola" }, { id = "bananas", unit_g = [812.3] }], hold_ms = 50 }
    "#;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_shopper_puts_it_right() {
        let (player, station) = player().await;
        let steps = r#"
            [[visit.step]]
            expect = "correct"
            [[visit.step]]
            app = { scan = { goods = [{ id = "butter" }, { id = "cola" }, { id = "bananas", unit_g = [812.3] }] } }
            [[visit.step]]
            expect = "pass"
        "#;
        let report = player.visit(3, &visit(&(SCAN_AND_PLACE.to_owned() + steps))).await;
        assert_eq!(report.trouble, None);
        assert_eq!(report.attempts, ["correct", "pass"]);
        assert!(report.as_expected() && report.passed);
        assert_eq!(report.items, 2);
        assert_eq!(report.finding.as_deref(), Some("unscanned: Cola, 1540 g"));
        assert!(report.elapsed_ms.unwrap() < 2000);
        let lists = station.lists.lock().unwrap();
        assert_eq!(lists[0]["lines"][1], json!({ "code": "2904011008124", "quantity": 1 }));
        assert_eq!(lists[0]["containers"], json!([{ "kind": "basket", "id": "K-1" }]));
        assert_eq!((&lists[0]["revision"], &lists[1]["revision"]), (&json!(1), &json!(2)));
        assert!(station.live.with(|stage| stage.rig().world().load().is_empty()), "the basket was left standing");
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_wrong_verdict_ends_the_visit_and_mends_the_cable() {
        let (player, station) = player().await;
        let steps = r#"
            [[visit.step]]
            plate = { do = "unplug", board = "plate" }
            [[visit.step]]
            expect = "pass"
            [[visit.step]]
            expect = "pass"
        "#;
        let report = player.visit(1, &visit(&(SCAN_AND_PLACE.to_owned() + steps))).await;
        assert_eq!(report.attempts, ["unavailable"]);
        assert_eq!(report.expected, ["pass", "pass"]);
        assert!(!report.as_expected() && !report.passed);
        assert!(station.live.with(|stage| stage.rig().plugged(0)));
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn what_the_shopper_cannot_do_is_told() {
        let (player, _) = player().await;
        let report = player.visit(1, &visit("[[visit.step]]\nexpect = \"pass\"")).await;
        assert!(!report.as_expected());
        assert!(report.trouble.unwrap().contains("before it asks for a validation"));
    }
}
