//! The root machine by property: whatever happens, what must never happen does not.
#![allow(clippy::unwrap_used, reason = "a test ends where it cannot go on")]

#[path = "machine/age.rs"]
mod age;

use augenmass_core::basket::{Bags, Basket, Container, ContainerKind, Line, Source};
use augenmass_core::station::{Answer, Deed as StaffDeed, Mark, Record, Refusal, Request, ValidationState};
use augenmass_core::units::{ValidationId, Wall};
use augenmass_core::verdict::{Action, Outcome, Policy, Reason, Resolution, Role, Staff, Verdict};
use firmware_sim::hw::Hardware;
use firmware_sim::shop::Shop;
use firmware_sim::stage::{Command, GoodsLine};
use proptest::prelude::*;
use proving::station::{POLICY, VirtualStation};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

#[path = "machine/filling.rs"]
mod filling;

const PRODUCT: &str = "butter-250";

#[derive(Clone, Debug)]
enum Deed {
    PutBasket { basket: u8, revision: u64, quantity: u32 },
    Delete { basket: u8 },
    Validate { basket: u8 },
    Retry,
    Approve { visit: u8 },
    Undo { visit: u8 },
    Place { units: u32 },
    Add { units: u32 },
    Lift,
    Lean { newtons: f64, ms: u64 },
    Unplug,
    Replug,
    Disk { works: bool },
    Wait { ms: u64 },
}

fn deeds() -> impl Strategy<Value = Vec<Deed>> {
    let deed = prop_oneof![
        2 => (0..3u8, 1..5u64, 1..6u32).prop_map(|(basket, revision, quantity)| Deed::PutBasket { basket, revision, quantity }),
        1 => (0..3u8).prop_map(|basket| Deed::Delete { basket }),
        3 => (0..3u8).prop_map(|basket| Deed::Validate { basket }),
        1 => Just(Deed::Retry),
        2 => (1..4u8).prop_map(|visit| Deed::Approve { visit }),
        1 => (1..4u8).prop_map(|visit| Deed::Undo { visit }),
        3 => (1..6u32).prop_map(|units| Deed::Place { units }),
        1 => (1..3u32).prop_map(|units| Deed::Add { units }),
        2 => Just(Deed::Lift),
        1 => (-20.0..40.0f64, 50..900u64).prop_map(|(newtons, ms)| Deed::Lean { newtons, ms }),
        1 => Just(Deed::Unplug),
        2 => Just(Deed::Replug),
        1 => any::<bool>().prop_map(|works| Deed::Disk { works }),
        4 => (20..1500u64).prop_map(|ms| Deed::Wait { ms }),
    ];
    proptest::collection::vec(deed, 5..25)
}

fn hardware() -> Hardware {
    Hardware::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../hw-configs/basket-plate.toml")).unwrap()
}

fn basket(shop: &Shop, revision: u64, quantity: u32) -> Basket {
    let good = &shop.goods[shop.index_of(PRODUCT).unwrap()];
    Basket {
        revision,
        source: Source::App,
        containers: vec![Container { kind: ContainerKind::Basket, id: None }],
        bags: Bags::default(),
        shopper: None,
        lines: vec![Line { code: good.code.clone(), quantity, scanned_at: None }],
    }
}

fn anna() -> Staff {
    Staff { account: 1, name: "Anna".to_owned(), role: Role::Attendant }
}

fn approval() -> StaffDeed {
    StaffDeed {
        action: Action::Approve,
        reason: Reason::Bag,
        attempt: None,
        revision: 1,
        age_checked: false,
        lines: None,
        value_minor: 900,
        since: Wall::from_ms(1_795_284_000_000),
        by: anna(),
        second: None,
    }
}

fn goods(units: u32) -> Vec<GoodsLine> {
    vec![GoodsLine { id: PRODUCT.to_owned(), quantity: units, unit_g: Vec::new() }]
}

fn placed(units: u32, hold_ms: Option<u64>) -> Command {
    let container = Some("basket".to_owned());
    Command::Place { container, container_id: None, goods: goods(units), bags: 0, bag_g: None, hold_ms }
}

/// Sends a list of so many units.
fn put(station: &mut VirtualStation, shop: &Shop, name: &str, revision: u64, units: u32) {
    station.ask(Request::PutBasket { id: name.parse().unwrap(), basket: basket(shop, revision, units) });
}

/// Asks for a basket to be validated.
fn validate(station: &mut VirtualStation, id: &str, basket: &str) {
    let (id, basket_id) = (id.parse().unwrap(), basket.parse().unwrap());
    station.ask(Request::Validate { id, basket_id, station_code: "B1".to_owned() });
}

fn play(deeds: &[Deed], seed: u64) -> (VirtualStation, Vec<u64>) {
    let shop = Arc::new(Shop::demo().unwrap());
    let mut station = VirtualStation::new(&hardware(), &shop, seed).unwrap();
    station.run_ms(1_200);
    let mut tickets = Vec::new();
    let mut opened = 0;
    for deed in deeds {
        let plate = match deed {
            Deed::PutBasket { basket: id, revision, quantity } => {
                let basket = basket(&shop, *revision, *quantity);
                tickets.push(station.ask(Request::PutBasket { id: format!("b-{id}").parse().unwrap(), basket }));
                None
            }
            Deed::Delete { basket } => {
                tickets.push(station.ask(Request::DeleteBasket { id: format!("b-{basket}").parse().unwrap() }));
                None
            }
            Deed::Validate { basket } => {
                opened += 1;
                let id = format!("v-{opened}").parse().unwrap();
                let basket_id = format!("b-{basket}").parse().unwrap();
                tickets.push(station.ask(Request::Validate { id, basket_id, station_code: "B1".to_owned() }));
                None
            }
            Deed::Retry => {
                tickets.push(station.ask(Request::Retry { id: format!("v-{opened}").parse().unwrap() }));
                None
            }
            Deed::Approve { visit } => {
                let id = format!("v-{visit}").parse().unwrap();
                tickets.push(station.ask(Request::Resolve { id, deed: Box::new(approval()) }));
                None
            }
            Deed::Undo { visit } => {
                let id = format!("v-{visit}").parse().unwrap();
                tickets.push(station.ask(Request::Undo { id, number: 1, by: anna() }));
                None
            }
            Deed::Place { units } => Some(placed(*units, None)),
            Deed::Add { units } => Some(Command::Add { goods: goods(*units), hold_ms: None }),
            Deed::Lift => Some(Command::Lift),
            Deed::Lean { newtons, ms } => Some(Command::Push { newtons: *newtons, ms: *ms, at_mm: [40.0, 20.0] }),
            Deed::Unplug => Some(Command::Unplug { board: "plate".to_owned() }),
            Deed::Replug => Some(Command::Replug { board: "plate".to_owned() }),
            Deed::Disk { works } => {
                station.disk_works(*works);
                None
            }
            Deed::Wait { ms } => {
                station.run_ms(*ms);
                None
            }
        };
        if let Some(command) = plate {
            // A second basket on an occupied plate is refused by the stage; that is no concern of the station's.
            let _ = station.stage.command(&command);
            station.run_ms(40);
        }
    }
    station.disk_works(true);
    station.run_ms(3_000);
    (station, tickets)
}

fn durable_verdicts(station: &VirtualStation) -> BTreeMap<(ValidationId, u32), Arc<Verdict>> {
    let attempts =
        station.durable.iter().filter_map(|r| if let Record::Attempt(v) = r { Some(v.clone()) } else { None });
    attempts.map(|v| ((v.validation_id.clone(), v.attempt), v)).collect()
}

fn resolutions(station: &VirtualStation) -> Vec<Arc<Resolution>> {
    let kept = |r: &Record| if let Record::Resolved { resolution, .. } = r { Some(resolution.clone()) } else { None };
    station.durable.iter().filter_map(kept).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn what_must_never_happen_does_not(deeds in deeds(), seed in 0..1000u64) {
        let (station, tickets) = play(&deeds, seed);
        let durable = durable_verdicts(&station);

        // Told is durable at the moment of telling, and the same on the disk as in the mouth.
        prop_assert!(station.hasty.is_empty(), "told before it was durable: {:?}", station.hasty);
        let mut told: BTreeMap<(ValidationId, u32), Arc<Verdict>> = BTreeMap::new();
        for view in &station.published {
            let Some(verdict) = &view.verdict else { continue };
            let key = (view.validation_id.clone(), verdict.attempt);
            prop_assert_eq!(durable.get(&key), Some(verdict));
            if let Some(before) = told.insert(key, verdict.clone()) {
                prop_assert_eq!(&before, verdict, "an attempt has changed");
            }
        }

        // Attempts are numbered 1..n, and nothing follows a pass that holds.
        let void: Vec<(ValidationId, u32)> = station
            .durable
            .iter()
            .filter_map(|r| if let Record::Void { id, attempt, .. } = r { Some((id.clone(), *attempt)) } else { None })
            .collect();
        for key in &void {
            prop_assert!(durable.get(key).is_some_and(|v| v.passed), "void without a pass");
        }
        // A resolution is told only when it is on the disk; one that holds ends the validation.
        for view in &station.published {
            if let Some(told) = &view.resolution {
                prop_assert!(resolutions(&station).contains(told));
                prop_assert_eq!(view.state, ValidationState::Closed);
            }
        }
        let mut last: BTreeMap<ValidationId, (u32, Outcome)> = BTreeMap::new();
        for ((id, attempt), verdict) in &durable {
            let (number, outcome) = last.get(id).copied().unwrap_or((0, Outcome::Unavailable));
            prop_assert_eq!(*attempt, number + 1);
            let holds = outcome == Outcome::Pass && !void.contains(&(id.clone(), number));
            prop_assert!(!holds, "an attempt after the pass");
            last.insert(id.clone(), (*attempt, verdict.outcome));
        }

        for verdict in durable.values() {
            // Passed means pass, and nothing is judged without a weight.
            prop_assert_eq!(verdict.passed, verdict.outcome == Outcome::Pass);
            prop_assert_eq!(verdict.weight.is_none(), verdict.outcome == Outcome::Unavailable);
            if let (true, Some(weight)) = (verdict.passed, verdict.weight) {
                let off = (weight.measured_g - weight.expected_g).abs();
                prop_assert!(off <= 6.0 * weight.sigma_g, "passed {off} g off at sigma {}", weight.sigma_g);
                prop_assert!(weight.measured_g > 0.0);
            }
        }

        // Everybody is answered, once the disk works.
        for ticket in tickets {
            prop_assert!(station.answers.contains_key(&ticket), "ticket {} is not answered", ticket);
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_record(deeds in deeds(), seed in 0..1000u64) {
        let (first, second) = (play(&deeds, seed).0, play(&deeds, seed).0);
        prop_assert_eq!(first.durable, second.durable);
    }
}

/// The cable is pulled while the basket rings out, and put back: unavailable, then judged by itself.
#[test]
fn a_pulled_cable_is_neither_a_pass_nor_an_alarm() {
    let shop = Arc::new(Shop::demo().unwrap());
    let mut station = VirtualStation::new(&hardware(), &shop, 5).unwrap();
    station.run_ms(1_200);
    put(&mut station, &shop, "b", 1, 4);
    validate(&mut station, "v", "b");
    let place = placed(4, Some(250));
    station.stage.command(&place).unwrap();
    station.run_ms(300);
    station.stage.command(&Command::Unplug { board: "plate".to_owned() }).unwrap();
    assert!(station.run_until(3_000, |s| s.published.iter().any(|v| v.verdict.is_some())));
    let outcome = |s: &VirtualStation| s.published.last().and_then(|v| v.verdict.clone()).unwrap().outcome;
    assert_eq!(outcome(&station), Outcome::Unavailable);
    station.stage.command(&Command::Replug { board: "plate".to_owned() }).unwrap();
    assert!(station.run_until(4_000, |s| s.published.last().is_some_and(|v| v.attempt == 2)));
    assert_eq!(outcome(&station), Outcome::Pass);
}

/// Four scanned, three there; then the list is put right and the same load passes.
#[test]
fn a_corrected_list_is_judged_at_once() {
    let shop = Arc::new(Shop::demo().unwrap());
    let mut station = VirtualStation::new(&hardware(), &shop, 6).unwrap();
    station.run_ms(1_200);
    put(&mut station, &shop, "b", 1, 3);
    validate(&mut station, "v", "b");
    let place = placed(4, None);
    station.stage.command(&place).unwrap();
    assert!(station.run_until(4_000, |s| s.published.last().is_some_and(|v| v.attempt == 1)));
    let first = station.published.last().and_then(|v| v.verdict.clone()).unwrap();
    assert_eq!(first.outcome, Outcome::Correct);
    assert_eq!(first.findings[0].kind, augenmass_core::verdict::FindingKind::Quantity);
    assert_eq!((first.findings[0].scanned, first.findings[0].found), (Some(3), Some(4)));
    put(&mut station, &shop, "b", 2, 4);
    assert!(station.run_until(500, |s| s.published.last().is_some_and(|v| v.attempt == 2)));
    assert!(station.published.last().and_then(|v| v.verdict.clone()).unwrap().passed);
}

/// Nobody else is judged by a basket that stands there already.
#[test]
fn a_basket_on_the_plate_belongs_to_whom_it_was_judged_for() {
    let shop = Arc::new(Shop::demo().unwrap());
    let mut station = VirtualStation::new(&hardware(), &shop, 7).unwrap();
    station.run_ms(1_200);
    for name in ["a", "b"] {
        put(&mut station, &shop, name, 1, 3);
    }
    validate(&mut station, "v-a", "a");
    let place = placed(3, None);
    station.stage.command(&place).unwrap();
    assert!(station.run_until(4_000, |s| s.published.last().is_some_and(|v| v.attempt == 1)));
    validate(&mut station, "v-b", "b");
    station.run_ms(2_000);
    let b = |s: &VirtualStation| {
        s.published.iter().rev().find(|v| v.validation_id.as_str() == "v-b").map(|v| (v.attempt, v.state))
    };
    assert_eq!(b(&station), Some((0, augenmass_core::station::ValidationState::PlateOccupied)));
    station.stage.command(&Command::Lift).unwrap();
    station.run_ms(1_500);
    station.stage.command(&place).unwrap();
    assert!(station.run_until(4_000, |s| b(s).is_some_and(|(attempt, _)| attempt == 1)));
}

/// Passed, and then something is added before the basket leaves: the pass is void, and what lies there is judged.
#[test]
fn a_pass_holds_only_for_what_was_judged() {
    let shop = Arc::new(Shop::demo().unwrap());
    let mut station = VirtualStation::new(&hardware(), &shop, 8).unwrap();
    station.run_ms(1_200);
    put(&mut station, &shop, "b", 1, 3);
    validate(&mut station, "v", "b");
    station.stage.command(&placed(3, None)).unwrap();
    assert!(station.run_until(4_000, |s| s.published.last().is_some_and(|v| v.attempt == 1)));
    let passed = station.published.last().unwrap().clone();
    assert!(passed.verdict.is_some_and(|v| v.passed) && !passed.void);
    // Another shopper asks meanwhile: the pass of the basket on the plate is watched all the same.
    put(&mut station, &shop, "other", 1, 3);
    validate(&mut station, "w", "other");
    station.stage.command(&Command::Add { goods: goods(1), hold_ms: None }).unwrap();
    let own = |s: &VirtualStation, wanted: u32| {
        s.published.iter().any(|v| v.validation_id.as_str() == "v" && v.attempt == wanted && v.verdict.is_some())
    };
    assert!(station.run_until(4_000, |s| s.published.iter().any(|v| v.void)), "the pass is taken back");
    assert!(station.run_until(4_000, |s| own(s, 2)));
    let second = station.published.iter().rev().find(|v| v.attempt == 2).unwrap();
    assert!(second.verdict.as_ref().is_some_and(|v| v.outcome == Outcome::Correct) && !second.void);
    let record = |r: &Record| matches!(r, Record::Void { id, attempt: 1, .. } if id.as_str() == "v");
    assert!(station.durable.iter().any(record), "and that is on the disk");
    // Whoever had asked meanwhile is next when the plate is empty, without asking again.
    station.stage.command(&Command::Lift).unwrap();
    station.run_ms(2_500);
    station.stage.command(&placed(3, None)).unwrap();
    let next = |s: &VirtualStation| s.published.iter().any(|v| v.validation_id.as_str() == "w" && v.attempt == 1);
    assert!(station.run_until(4_000, next));
}

/// Passed, and the basket is packed out on the plate: what leaves takes nothing back.
#[test]
fn goods_may_leave_after_a_pass() {
    let shop = Arc::new(Shop::demo().unwrap());
    let mut station = VirtualStation::new(&hardware(), &shop, 9).unwrap();
    station.run_ms(1_200);
    put(&mut station, &shop, "b", 1, 3);
    validate(&mut station, "v", "b");
    station.stage.command(&placed(3, None)).unwrap();
    assert!(station.run_until(4_000, |s| s.published.last().is_some_and(|v| v.attempt == 1)));
    station.stage.command(&Command::Lift).unwrap();
    station.run_ms(3_000);
    station.stage.command(&placed(5, None)).unwrap();
    station.run_ms(3_000);
    assert!(station.published.iter().all(|v| !v.void), "another basket is no addition to this one");
}

/// Five packs, three scanned: a station that has stopped the basket.
fn stopped(seed: u64) -> VirtualStation {
    let shop = Arc::new(Shop::demo().unwrap());
    let mut station = VirtualStation::new(&hardware(), &shop, seed).unwrap();
    station.run_ms(1_200);
    station.ask(Request::PutBasket { id: "b".parse().unwrap(), basket: basket(&shop, 1, 3) });
    let (id, basket_id) = ("v".parse().unwrap(), "b".parse().unwrap());
    station.ask(Request::Validate { id, basket_id, station_code: "B1".to_owned() });
    station.stage.command(&placed(5, None)).unwrap();
    assert!(station.run_until(4_000, |s| s.published.last().is_some_and(|v| v.attempt == 1)));
    station
}

fn resolve(station: &mut VirtualStation, deed: StaffDeed) -> u64 {
    station.ask(Request::Resolve { id: "v".parse().unwrap(), deed: Box::new(deed) })
}

/// Staff approves while the disk fails: nobody is told, and nothing is changed, until it is written.
#[test]
fn an_approval_is_told_only_once_it_is_durable_and_ends_the_validation() {
    let mut station = stopped(10);
    let late = resolve(&mut station, StaffDeed { attempt: Some(0), ..approval() });
    assert_eq!(station.answers[&late], Err(Refusal::NewsSince { attempt: 1 }));
    let other = resolve(&mut station, StaffDeed { revision: 2, ..approval() });
    assert_eq!(station.answers[&other], Err(Refusal::OlderRevision { current: 1 }));
    station.disk_works(false);
    let ticket = resolve(&mut station, StaffDeed { attempt: Some(1), ..approval() });
    let again = resolve(&mut station, approval());
    station.run_ms(2_000);
    assert_eq!(station.answers[&again], Err(Refusal::Deciding));
    assert!(!station.answers.contains_key(&ticket));
    assert!(station.published.iter().all(|v| v.resolution.is_none() && v.state != ValidationState::Closed));
    station.disk_works(true);
    assert!(station.run_until(2_000, |s| s.answers.contains_key(&ticket)));
    let view = station.published.last().unwrap();
    assert_eq!((view.state, view.attempt), (ValidationState::Closed, 1));
    assert_eq!(view.resolution.as_ref().map(|r| (r.action, r.number, r.revision)), Some((Action::Approve, 1, 1)));
    assert_eq!(station.answers[&ticket], Ok(Answer::Resolved(view.resolution.clone().unwrap())));
    let replayed = resolve(&mut station, approval());
    assert_eq!(station.answers[&replayed], Err(Refusal::ValidationClosed));
}

/// What was approved is watched like what has passed: goods that are added take the approval back.
#[test]
fn an_approval_holds_only_for_what_lay_there() {
    let mut station = stopped(11);
    let ticket = resolve(&mut station, approval());
    assert!(station.run_until(1_000, |s| s.answers.contains_key(&ticket)));
    station.stage.command(&Command::Add { goods: goods(2), hold_ms: None }).unwrap();
    assert!(station.run_until(4_000, |s| s.published.last().is_some_and(|v| v.attempt == 2)));
    assert!(station.published.last().unwrap().resolution.is_none());
    let record = |r: &Record| matches!(r, Record::Undone { number: 1, by: None, .. });
    assert!(station.durable.iter().any(record), "and that is on the disk");
}

/// Taken back, the validation stands where it stood; approved again, it has another number.
#[test]
fn a_resolution_can_be_taken_back() {
    let mut station = stopped(12);
    // Somebody else has asked for the station since.
    let shop = Shop::demo().unwrap();
    put(&mut station, &shop, "other", 1, 3);
    validate(&mut station, "w", "other");
    let id: ValidationId = "v".parse().unwrap();
    let ticket = resolve(&mut station, approval());
    assert!(station.run_until(1_000, |s| s.answers.contains_key(&ticket)));
    let undo = |station: &mut VirtualStation, number| {
        let ticket = station.ask(Request::Undo { id: id.clone(), number, by: anna() });
        station.run_ms(100);
        station.answers[&ticket].clone()
    };
    assert_eq!(undo(&mut station, 2), Err(Refusal::UnknownResolution));
    assert_eq!(undo(&mut station, 1), Ok(Answer::Undone));
    assert_eq!(undo(&mut station, 1), Err(Refusal::UnknownResolution));
    let told = |s: &VirtualStation| s.published.iter().rev().find(|v| v.validation_id == id).cloned().unwrap();
    let view = told(&station);
    assert_eq!((view.state, view.attempt, view.resolution), (ValidationState::Decided, 1, None));
    resolve(&mut station, approval());
    assert!(station.run_until(1_000, |s| told(s).resolution.is_some()));
    assert_eq!(told(&station).resolution.unwrap().number, 2);
}

/// Staff puts the list right: a new revision, judged at once; the shopper's older list does not come back.
#[test]
fn a_list_put_right_by_staff_is_judged_at_once() {
    let shop = Shop::demo().unwrap();
    let mut station = stopped(13);
    let lines = |quantity| Some(basket(&shop, 1, quantity).lines);
    let correct = StaffDeed { action: Action::Correct, reason: Reason::ItemAdded, ..approval() };
    let bad = resolve(&mut station, StaffDeed { lines: lines(0), ..correct.clone() });
    assert!(matches!(&station.answers[&bad], Err(Refusal::BadBasket(_))));
    resolve(&mut station, StaffDeed { lines: lines(5), ..correct });
    assert!(station.run_until(1_000, |s| s.published.last().is_some_and(|v| v.attempt == 2)));
    let verdict = station.published.last().unwrap().verdict.clone().unwrap();
    assert!(verdict.passed && verdict.revision == 2, "{verdict:?}");
    let kept = resolutions(&station);
    assert_eq!((kept.len(), kept[0].action, kept[0].revision), (1, Action::Correct, 2));
    let old = station.ask(Request::PutBasket { id: "b".parse().unwrap(), basket: basket(&shop, 1, 3) });
    assert_eq!(station.answers[&old], Err(Refusal::OlderRevision { current: 2 }));
}

/// Out of service, no shopper begins anything here; who has begun is served to the end.
#[test]
fn a_station_out_of_service_takes_nobody_new() {
    let mut station = stopped(14);
    let service = |serves| Request::Service { serves, why: "cleaning".to_owned(), by: anna() };
    let validate = |basket: &str| Request::Validate {
        id: "w".parse().unwrap(),
        basket_id: basket.parse().unwrap(),
        station_code: "B1".to_owned(),
    };
    let shop = Shop::demo().unwrap();
    station.ask(Request::PutBasket { id: "c".parse().unwrap(), basket: basket(&shop, 1, 3) });
    station.ask(service(false));
    station.run_ms(100);
    assert_eq!(station.machine.view().out_of_service.as_deref(), Some("cleaning"));
    let refused = station.ask(validate("c"));
    assert_eq!(station.answers[&refused], Err(Refusal::OutOfService));
    let open = station.ask(validate("b"));
    assert_eq!(station.answers[&open], Ok(Answer::Validation { id: "v".parse().unwrap(), created: false }));
    station.ask(service(true));
    station.run_ms(100);
    let taken = station.ask(validate("c"));
    station.run_ms(100);
    assert_eq!(station.answers[&taken], Ok(Answer::Validation { id: "w".parse().unwrap(), created: true }));
}

/// A half of right baskets is looked at by staff, drawn from the validation's identifier: the same basket asked for again is the same case.
#[test]
fn a_control_sample_is_drawn_from_right_baskets_and_never_by_chance() {
    let shop = Arc::new(Shop::demo().unwrap());
    let policy = Policy { control_sample: 0.5, ..POLICY };
    let drawn = |seed: u64| {
        let mut station = VirtualStation::with_policy(&hardware(), &shop, seed, policy).unwrap();
        station.run_ms(1_200);
        put(&mut station, &shop, "b", 1, 3);
        let mut drawn = Vec::new();
        for n in 0..24 {
            let id = format!("v{n}");
            validate(&mut station, &id, "b");
            station.stage.command(&placed(3, None)).unwrap();
            let told = |s: &VirtualStation| {
                let view = s.published.iter().rev().find(|v| v.validation_id.as_str() == id)?;
                view.verdict.clone()
            };
            assert!(station.run_until(5_000, |s| told(s).is_some()), "{id}");
            let verdict = told(&station).unwrap();
            assert_eq!(verdict.control_sample, verdict.outcome == Outcome::Assist, "{verdict:?}");
            assert_eq!(verdict.control_sample, verdict.outcome != Outcome::Pass, "{verdict:?}");
            assert!(verdict.findings.is_empty(), "nothing is amiss, and nothing is said to be");
            drawn.push(verdict.control_sample);
            station.ask(Request::Mark { id: id.parse().unwrap(), mark: Mark::Cancelled });
            station.stage.command(&Command::Lift).unwrap();
            station.run_ms(2_500);
        }
        drawn
    };
    let first = drawn(12);
    let count = first.iter().filter(|d| **d).count();
    assert!((5..=19).contains(&count), "{count} of 24");
    assert_eq!(first, drawn(13), "noise decides nothing here");
}

/// The latest of what was published of a validation.
fn latest<'s>(station: &'s VirtualStation, name: &str) -> Option<&'s augenmass_core::station::ValidationView> {
    station.published.iter().rev().find(|v| v.validation_id.as_str() == format!("v-{name}"))
}

/// A shopper who has passed leaves something on the plate: the next one is told so, and is not judged by it.
#[test]
fn goods_left_behind_are_nobodys_next() {
    let shop = Arc::new(Shop::demo().unwrap());
    let mut station = VirtualStation::new(&hardware(), &shop, 10).unwrap();
    station.run_ms(1_200);
    for name in ["a", "b"] {
        put(&mut station, &shop, name, 1, 3);
    }
    validate(&mut station, "v-a", "a");
    station.stage.command(&placed(3, None)).unwrap();
    assert!(station.run_until(4_000, |s| latest(s, "a").is_some_and(|v| v.attempt == 1)));
    // The basket leaves with two of three; more than the plate's threshold of emptiness stays.
    station.stage.command(&Command::Remove { goods: goods(2) }).unwrap();
    station.run_ms(2_500);
    validate(&mut station, "v-b", "b");
    station.run_ms(3_000);
    let state = |s: &VirtualStation| latest(s, "b").map(|v| (v.attempt, v.state));
    assert_eq!(state(&station), Some((0, augenmass_core::station::ValidationState::PlateOccupied)));
    assert!(latest(&station, "a").is_some_and(|v| !v.void), "who has passed keeps his pass");
    station.stage.command(&Command::Lift).unwrap();
    station.run_ms(2_500);
    assert_eq!(state(&station), Some((0, augenmass_core::station::ValidationState::WaitingForLoad)));
    station.stage.command(&placed(3, None)).unwrap();
    assert!(station.run_until(4_000, |s| latest(s, "b").is_some_and(|v| v.attempt == 1)));
    assert!(latest(&station, "b").unwrap().verdict.as_ref().unwrap().passed);
}

/// More than the platform may bear is no weight and no fault of the shopper's: it is told as what it is, and judged when it is less.
#[test]
fn over_capacity_is_told_and_judged_when_it_is_less() {
    let shop = Arc::new(Shop::demo().unwrap());
    let mut station = VirtualStation::new(&hardware(), &shop, 11).unwrap();
    station.run_ms(1_200);
    put(&mut station, &shop, "a", 1, 3);
    validate(&mut station, "v-a", "a");
    station.stage.command(&placed(3, None)).unwrap();
    station.stage.command(&Command::Weight { grams: 31_000.0, at_mm: [0.0, 0.0] }).unwrap();
    assert!(station.run_until(6_000, |s| latest(s, "a").is_some_and(|v| v.attempt == 1)));
    let told = latest(&station, "a").unwrap().verdict.clone().unwrap();
    assert_eq!((told.outcome, &told.message), (Outcome::Unavailable, &augenmass_core::verdict::Message::TooHeavy {}));
    assert!(told.weight.is_none() && told.findings[0].detail.as_ref().unwrap().contains("overload"), "{told:?}");
    station.stage.command(&Command::Lift).unwrap();
    station.run_ms(2_500);
    station.stage.command(&placed(3, None)).unwrap();
    assert!(station.run_until(6_000, |s| latest(s, "a").is_some_and(|v| v.attempt == 2)));
    assert!(latest(&station, "a").unwrap().verdict.as_ref().unwrap().passed);
}
