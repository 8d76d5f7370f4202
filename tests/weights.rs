//! Learning from what the store has kept, and the command line over it: the real file, the real binary.
#![allow(clippy::unwrap_used, reason = "a test ends where it cannot go on")]

use augenmass::app::school::{House, School};
use augenmass::app::{calibrations::Calibrations, config, wiring};
use augenmass::io::store::{CatalogueFormat, Database};
use augenmass_core::basket::{Bags, Basket, Container, ContainerKind, Line, Shopper, Source};
use augenmass_core::goods::learn::{Belief, Change, Subject, Why};
use augenmass_core::goods::{Catalogue, WeightBelief, WeightSource};
use augenmass_core::station::Record;
use augenmass_core::units::Wall;
use augenmass_core::verdict::{Action, Reason, Resolution, Role, Staff, Verdict, Versions};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

/// 2026-11-21T18:00:00Z.
const START_MS: i64 = 1_795_284_000_000;
const TARE_G: f64 = 1010.0;

/// A glass of jam of which only the label is known, and butter.
const CATALOGUE: &str = r#"{"id":"jam-450","code":"4006381333931","name":"Jam 450 g","kind":"piece","price_minor":299,"net_g":450.0,"gross_mean_g":490.0,"gross_sd_g":7.0,"mean_sd_g":60.0,"weight_source":"label","popularity":1.0}
{"id":"butter-250","code":"96385074","name":"Butter 250 g","kind":"piece","price_minor":229,"net_g":250.0,"gross_mean_g":256.0,"gross_sd_g":2.0,"mean_sd_g":0.8,"weight_source":"seeded","popularity":1.0}
"#;

struct Shop {
    folder: tempfile::TempDir,
    database: Database,
    school: School,
    visits: i64,
    /// What the basket says it is.
    container: Option<String>,
}

fn wall(minutes: i64) -> Wall {
    Wall::from_ms(START_MS + minutes * 60_000)
}

fn station_file(folder: &Path) -> PathBuf {
    let text = include_str!("../hw-configs/basket-plate.toml");
    let data = format!("directory = \"{}\"", folder.join("data").display());
    let changed = text.replace("directory = \"data/basket-1\"", &data);
    assert_ne!(text, changed);
    let path = folder.join("station.toml");
    std::fs::write(&path, changed).unwrap();
    path
}

impl Shop {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = station_file(folder.path());
        let file = config::parse(&std::fs::read_to_string(&path).unwrap(), "station.toml").unwrap();
        let station = wiring::station(&file, &Calibrations::default(), Versions::default()).unwrap();
        let mut database = Database::open(&file.data_directory).unwrap();
        database.import_catalogue(CATALOGUE, CatalogueFormat::Ndjson, wall(0)).unwrap();
        let imported = database.catalogue().unwrap().unwrap();
        let school = School::open(&mut database, imported, House::new(&station), wall(0)).unwrap();
        Self { folder, database, school, visits: 0, container: None }
    }

    /// A visit with one jam and one butter passes, an hour after the one before.
    fn passes(&mut self, measured_g: f64) -> Verdict {
        self.visit(measured_g, "pass")
    }

    /// The same visit with some outcome.
    fn visit(&mut self, measured_g: f64, outcome: &str) -> Verdict {
        self.visits += 1;
        let n = self.visits;
        let basket = Basket {
            revision: 1,
            source: Source::App,
            containers: vec![Container { kind: ContainerKind::Basket, id: self.container.clone() }],
            bags: Bags::default(),
            shopper: Some(Shopper { pseudonym: format!("s{n}"), first_visit: false }),
            lines: ["4006381333931", "96385074"]
                .map(|code| Line { code: code.to_owned(), quantity: 1, scanned_at: None })
                .to_vec(),
        };
        let at = jiff::Timestamp::from_millisecond(wall(60 * n).ms()).unwrap();
        let verdict: Verdict = serde_json::from_value(json!({
            "validation_id": format!("v{n}"), "attempt": 1, "basket_id": format!("b{n}"), "revision": 1, "station_id": "basket-1",
            "outcome": outcome, "passed": outcome == "pass", "decided_at": at.to_string(), "elapsed_ms": 800,
            "weight": {"measured_g": measured_g, "expected_g": 1756.0, "sigma_g": 61.0},
            "findings": [], "check": [], "message": {"key": "all_right", "args": {}}, "degraded": [], "exit_token": null,
        }))
        .unwrap();
        let records = [
            Record::Basket { id: verdict.basket_id.clone(), basket },
            Record::Validation {
                id: verdict.validation_id.clone(),
                basket_id: verdict.basket_id.clone(),
                opened_at: verdict.decided_at,
            },
            Record::Attempt(Arc::new(verdict.clone())),
        ];
        self.database.save(&records.iter().collect::<Vec<_>>(), verdict.decided_at).unwrap();
        verdict
    }

    /// Staff lets a stopped visit go.
    fn approve(&mut self, verdict: &Verdict, reason: Reason) {
        let by = Staff { account: 1, name: "anna".to_owned(), role: Role::Attendant };
        let resolution = Resolution {
            validation_id: verdict.validation_id.clone(),
            number: 1,
            attempt: verdict.attempt,
            basket_id: verdict.basket_id.clone(),
            revision: verdict.revision,
            action: Action::Approve,
            reason,
            by,
            second: None,
            since: verdict.decided_at,
            at: verdict.decided_at,
            age_checked: false,
            value_minor: 528,
            exit_token: None,
        };
        let record = Record::Resolved { resolution: Arc::new(resolution), basket: None };
        self.database.save(&[&record], verdict.decided_at).unwrap();
    }

    fn go_on(&mut self, minutes: i64) -> bool {
        self.school.go_on(&mut self.database, wall(minutes)).unwrap()
    }

    fn tool(&self, arguments: &[&str]) -> (bool, String) {
        let path = self.folder.path().join("station.toml");
        let done = Command::new(env!("CARGO_BIN_EXE_augenmass"))
            .arg("weights")
            .args(arguments)
            .args(["--config", path.to_str().unwrap()])
            .output()
            .unwrap();
        (done.status.success(), String::from_utf8([done.stdout, done.stderr].concat()).unwrap())
    }
}

fn jam() -> Subject {
    Subject::Product("jam-450".parse().unwrap())
}

fn mean_g(catalogue: &Catalogue, id: &str) -> f64 {
    catalogue.products()[catalogue.find_id(&id.parse().unwrap()).unwrap()].weight.mean_g
}

/// What is on the plate with a jam in its glass: 680 g, known to nobody.
const TRUE_G: f64 = TARE_G + 680.0 + 256.0;

#[test]
fn what_passed_is_learned_once_and_only_when_the_basket_is_gone() {
    let mut shop = Shop::new();
    let before = shop.school.catalogue().clone();
    assert!(!shop.go_on(0), "nothing has happened");
    shop.passes(TRUE_G - 60.0);
    assert!(!shop.go_on(60), "it may still become void");
    assert!(shop.go_on(62));
    let after = mean_g(shop.school.catalogue(), "jam-450");
    // 130 g too much, of which one shopper may move half of what the jam was unsure by: 30 g and a little.
    assert!(after > 515.0 && after < 525.0, "the jam is what was not known: {after}");
    assert!((mean_g(shop.school.catalogue(), "butter-250") - 256.0).abs() < 0.5);
    assert_ne!(before.hash(), shop.school.catalogue().hash());
    let tare_g = shop.school.containers().iter().find(|c| c.kind == "basket").unwrap().tare_g;
    assert!(tare_g > TARE_G && tare_g < TARE_G + 2.0, "a basket, too, may be a little heavier: {tare_g}");
    assert!(!shop.go_on(63), "once is enough");
    assert_eq!(mean_g(shop.school.catalogue(), "jam-450"), after);
}

#[test]
fn a_void_pass_and_a_changed_list_teach_nothing() {
    let mut shop = Shop::new();
    let void = shop.passes(TRUE_G - 60.0);
    let record = Record::Void { id: void.validation_id, attempt: 1, at: void.decided_at };
    shop.database.save(&[&record], void.decided_at).unwrap();
    let other = shop.passes(TRUE_G - 60.0);
    let basket = Basket { revision: 2, ..shop.database.basket(&other.basket_id).unwrap().unwrap() };
    shop.database.save(&[&Record::Basket { id: other.basket_id, basket }], other.decided_at).unwrap();
    assert!(!shop.go_on(1000));
    assert_eq!(mean_g(shop.school.catalogue(), "jam-450"), 490.0);
    shop.passes(TRUE_G - 60.0);
    assert!(shop.go_on(1000), "what comes after them does");
}

#[test]
fn what_staff_has_found_right_is_learned_and_what_it_excused_is_not() {
    let mut shop = Shop::new();
    for reason in [Reason::Bag, Reason::PersonalItem, Reason::SupervisorOverride, Reason::ControlSample] {
        let stopped = shop.visit(TRUE_G - 60.0, "assist");
        shop.approve(&stopped, reason);
    }
    assert!(!shop.go_on(1000), "something else lay there, or nobody knows what");
    let taken_back = shop.visit(TRUE_G - 60.0, "assist");
    shop.approve(&taken_back, Reason::CatalogueWeight);
    let record = Record::Undone { id: taken_back.validation_id, number: 1, by: None, at: taken_back.decided_at };
    shop.database.save(&[&record], taken_back.decided_at).unwrap();
    assert!(!shop.go_on(1000));
    let stopped = shop.visit(TRUE_G - 60.0, "assist");
    assert!(!shop.go_on(1000), "nobody has looked yet");
    shop.approve(&stopped, Reason::CatalogueWeight);
    assert!(shop.go_on(1000));
    let after = mean_g(shop.school.catalogue(), "jam-450");
    assert!(after > 515.0 && after < 525.0, "as far as one shopper may move it: {after}");
    assert!(!shop.go_on(1001), "once is enough");
}

#[test]
fn a_container_that_says_who_it_is_has_a_tare_of_its_own() {
    let mut shop = Shop::new();
    let goods_g = 490.0 + 256.0;
    // Others show what the goods weigh, so that what is left is the basket's.
    for n in 0..60 {
        shop.container = (n >= 20).then(|| "B7".to_owned());
        shop.passes(TARE_G + goods_g - if n >= 20 { 9.0 } else { 0.0 });
    }
    assert!(shop.go_on(10_000));
    let containers = shop.school.containers();
    let of = |id: Option<&str>| containers.iter().find(|c| c.kind == "basket" && c.id.as_deref() == id).unwrap();
    let (own, kind) = (of(Some("B7")), of(None));
    assert!((own.tare_g - (TARE_G - 9.0)).abs() < 2.0 * own.sigma_g && own.tare_g < TARE_G - 5.0, "{own:?} {kind:?}");
    assert!((kind.tare_g - TARE_G).abs() < 1.0, "one basket says nothing of the others: {kind:?}");
}

#[test]
fn a_restart_forgets_nothing_and_a_new_catalogue_has_the_last_word() {
    let mut shop = Shop::new();
    for _ in 0..5 {
        shop.passes(TRUE_G);
    }
    assert!(shop.go_on(1000));
    let learned = shop.school.catalogue().clone();
    let again = |shop: &mut Shop, text: &str| {
        shop.database.import_catalogue(text, CatalogueFormat::Ndjson, wall(1001)).unwrap();
        let imported = shop.database.catalogue().unwrap().unwrap();
        let file =
            config::parse(&std::fs::read_to_string(shop.folder.path().join("station.toml")).unwrap(), "f").unwrap();
        let station = wiring::station(&file, &Calibrations::default(), Versions::default()).unwrap();
        School::open(&mut shop.database, imported, House::new(&station), wall(1001)).unwrap()
    };
    let same = again(&mut shop, CATALOGUE);
    assert_eq!(same.catalogue().hash(), learned.hash());
    let other = again(&mut shop, &CATALOGUE.replace("490.0", "681.0"));
    assert_eq!(mean_g(other.catalogue(), "jam-450"), 681.0);
    assert_eq!(shop.database.belief_history(&jam(), 1).unwrap()[0].why, "catalogue");
}

#[test]
fn a_rollback_restores_exactly() {
    let mut shop = Shop::new();
    for _ in 0..3 {
        shop.passes(TRUE_G + 3.3);
    }
    shop.go_on(181);
    let then = shop.database.beliefs().unwrap();
    let catalogue = shop.school.catalogue().clone();
    for n in 0..4 {
        shop.passes(TRUE_G - 17.7 + f64::from(n));
    }
    shop.go_on(1000);
    assert_ne!(shop.database.beliefs().unwrap(), then);
    let to = wall(200);
    assert!(shop.database.roll_back(None, to, wall(1001)).unwrap() >= 3, "jam, butter and basket");
    assert_eq!(shop.database.beliefs().unwrap(), then);
    assert!(shop.go_on(1002), "a running station notices");
    assert_eq!(shop.school.catalogue().hash(), catalogue.hash());
    assert_eq!(shop.database.roll_back(Some(&jam()), wall(-1), wall(1003)).unwrap(), 1);
    assert!(shop.go_on(1004));
    assert_eq!(mean_g(shop.school.catalogue(), "jam-450"), 490.0, "before the first visit the catalogue's word counts");
}

#[test]
fn of_what_is_old_the_last_of_each_day_is_kept() {
    let mut shop = Shop::new();
    // 19, 20, 21, 22 and 23 h, then 0 and 1 h of the next day.
    for _ in 0..7 {
        shop.passes(TRUE_G);
    }
    shop.go_on(1000);
    let all = shop.database.belief_history(&jam(), 50).unwrap();
    assert_eq!(all.len(), 7);
    assert_eq!(shop.database.thin_history(wall(29 * 1440)).unwrap(), 0, "a month is kept whole");
    assert!(shop.database.thin_history(wall(40 * 1440)).unwrap() > 0);
    let kept = shop.database.belief_history(&jam(), 50).unwrap();
    assert_eq!(kept, [all[0].clone(), all[2].clone()]);
}

/// Whoever makes up names of trolleys does not fill the disk; the trolleys that are seen again stay.
#[test]
fn of_containers_that_say_who_they_are_the_one_unseen_for_longest_is_forgotten() {
    let mut shop = Shop::new();
    let start = WeightBelief { mean_g: 1000.0, sd_g: 3.0, mean_sd_g: 9.0, source: WeightSource::Seeded };
    let named = |name: &str| Subject::Container(format!("basket:{name}"));
    for (minute, name) in ["a", "b", "c", "a"].into_iter().enumerate() {
        let at = wall(minute as i64);
        let change = Change { subject: named(name), at, why: Why::Visit, belief: Belief::new(start) };
        shop.database.keep_learned(&[change], None).unwrap();
    }
    let version = shop.database.beliefs_version().unwrap();
    assert_eq!(shop.database.forget_containers(3).unwrap(), []);
    assert_eq!(shop.database.forget_containers(2).unwrap(), [named("b")]);
    let left: Vec<Subject> = shop.database.beliefs().unwrap().into_keys().collect();
    assert_eq!(left, [named("a"), named("c")]);
    assert!(shop.database.belief_history(&named("b"), 9).unwrap().is_empty());
    assert_eq!(shop.database.beliefs_version().unwrap(), version, "nobody need read them all anew");
}

#[test]
fn the_command_line_shows_and_takes_back() {
    let mut shop = Shop::new();
    for _ in 0..12 {
        shop.passes(TRUE_G);
    }
    shop.go_on(10_000);
    let (fine, all) = shop.tool(&["show"]);
    assert!(fine && all.contains("product:jam-450: ") && all.contains("kind:basket: "), "{all}");
    let belief = shop.school.catalogue().products()[0].weight;
    assert!(belief.source == WeightSource::Learned && belief.mean_g > 550.0 && belief.mean_g < 690.0, "{belief:?}");
    assert!(all.contains(&format!("{:.1} g ±", belief.mean_g)) && all.contains("learned"), "{all}");
    let (fine, history) = shop.tool(&["show", "jam-450", "--json"]);
    let lines: Vec<serde_json::Value> = history.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    assert!(fine && lines.len() == 12, "{history}");
    assert_eq!(lines[0]["mean_g"], belief.mean_g);
    let (fine, done) = shop.tool(&["rollback", "jam-450", "--to", "2026-11-21T18:30:00Z"]);
    assert!(fine && done.starts_with("1 weights taken back"), "{done}");
    assert!(!shop.database.beliefs().unwrap().contains_key(&jam()));
    for wrong in [
        vec!["rollback", "jam-450", "--to", "yesterday"],
        vec!["rollback", "--to", "2026-11-21T18:30:00Z"],
        vec!["rollback", "ham", "--to", "2026-11-21T18:30:00Z"],
        vec!["show", "no such thing"],
    ] {
        let (fine, text) = shop.tool(&wrong);
        assert!(!fine, "{wrong:?}: {text}");
    }
}

#[test]
fn a_weight_that_staff_doubts_counts_for_little_until_it_is_taught_anew() {
    let mut shop = Shop::new();
    let butter = |shop: &Shop| {
        let products = shop.school.catalogue().products();
        products.iter().find(|product| product.id.as_str() == "butter-250").unwrap().weight
    };
    let before = butter(&shop);
    let eva = Staff { account: 1, name: "Eva".to_owned(), role: Role::Supervisor };
    shop.database.doubt_weight(&"butter-250".parse().unwrap(), "new pack", &eva, wall(1)).unwrap();
    assert!(shop.school.go_on(&mut shop.database, wall(2)).unwrap());
    let after = butter(&shop);
    assert_eq!((after.mean_g, after.source), (before.mean_g, WeightSource::Label));
    assert!(before.mean_sd_g < 1.0 && after.mean_sd_g > 25.0, "{after:?}");
    assert!(!shop.school.go_on(&mut shop.database, wall(3)).unwrap(), "doubted once, and not again each time");
    let history = shop.database.belief_history(&Subject::Product("butter-250".parse().unwrap()), 5).unwrap();
    assert_eq!(history[0].why, "doubted");
}
