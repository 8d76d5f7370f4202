//! The staff page in a real browser: everything that a person does at the desk, done by clicking and typing.

use crate::staff::{PIN, add_staff};
use crate::station::{basket, call, get, hub_with, station_with};
use augenmass::api::router;
use augenmass::app::enrolment::Enroller;
use augenmass::io::camera::Frame;
use augenmass::io::clock::Clock;
use augenmass::io::onnx::{Eyes, EyesOptions, View, decode_any};
use augenmass::io::store::{CatalogueFormat, Database};
use augenmass_core::basket::Basket;
use augenmass_core::desk::audit::Did;
use augenmass_core::station::{PlateState, Record};
use augenmass_core::units::Wall;
use augenmass_core::verdict::{Role, Verdict};
use axum::Router;
use axum::http::Method;
use bytes::Bytes;
use fantoccini::elements::Element;
use fantoccini::key::Key;
use fantoccini::{Client, ClientBuilder, Locator};
use image::{ImageFormat, Rgb, RgbImage, imageops};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Cursor};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::watch;

const TAPE: &str = "{\"id\":\"tape\",\"code\":\"4006381333931\",\"name\":\"Adhesive tape, 2 rolls\",\"kind\":\"piece\",\"price_minor\":250,\"gross_mean_g\":60.0,\"gross_sd_g\":1.0,\"mean_sd_g\":0.5,\"weight_source\":\"seeded\"}";
const TAPE_CODE: &str = "4006381333931";
const WITHIN: Duration = Duration::from_secs(20);

/// The driver, which does not outlive its test.
struct Driver(Child);

impl Drop for Driver {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn program(variable: &str, names: &[&str]) -> PathBuf {
    let named = std::env::var_os(variable).map(PathBuf::from);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut places = std::env::split_paths(&path).flat_map(|folder| names.iter().map(move |name| folder.join(name)));
    let found = named.or_else(|| places.find(|place| place.is_file()));
    found.unwrap_or_else(|| {
        panic!("no {names:?} on PATH and none in {variable}: run `cargo xtask test`, which sees to it")
    })
}

/// A browser with a window as large as the desk's tablet.
async fn browser() -> (Client, Driver) {
    let mut command = Command::new(program("AUGENMASS_CHROMEDRIVER", &["chromedriver"]));
    let mut driver = Driver(command.arg("--port=0").stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap());
    let lines = BufReader::new(driver.0.stdout.take().unwrap()).lines();
    let port = lines.map_while(Result::ok).find_map(|line| {
        line.split_once("successfully on port ").map(|(_, port)| port.trim_end_matches('.').to_owned())
    });
    let binary = program("AUGENMASS_CHROMIUM", &["chromium", "chromium-browser", "google-chrome"]);
    // The sandbox cannot be had by root, as whom CI runs; the only pages here are our own.
    let arguments =
        ["--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--window-size=800,1280"];
    let options = json!({ "goog:chromeOptions": { "binary": binary, "args": arguments } });
    let capabilities = options.as_object().unwrap().clone();
    let connector = hyper_util::client::legacy::connect::HttpConnector::new();
    let address = format!("http://127.0.0.1:{}", port.unwrap());
    let client = ClientBuilder::new(connector).capabilities(capabilities).connect(&address).await.unwrap();
    (client, driver)
}

/// A person before the tablet.
struct Desk {
    client: Client,
    _driver: Driver,
}

impl Desk {
    /// Before the staff page of a station whose routes are served to it.
    async fn at(router: Router) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let service = router.into_make_service_with_connect_info::<SocketAddr>();
        tokio::spawn(async move { axum::serve(listener, service).await });
        let (client, driver) = browser().await;
        client.goto(&format!("http://localhost:{port}/staff")).await.unwrap();
        Self { client, _driver: driver }
    }

    async fn find(&self, css: &str) -> Element {
        self.client.wait().at_most(WITHIN).for_element(Locator::Css(css)).await.unwrap_or_else(|e| panic!("{css}: {e}"))
    }

    async fn press(&self, css: &str) {
        self.until(
            css,
            &format!("(e => e && e.offsetParent !== null && !e.disabled)(document.querySelector({css:?}))"),
        )
        .await;
        self.find(css).await.click().await.unwrap_or_else(|e| panic!("{css}: {e}"));
    }

    async fn write(&self, css: &str, text: &str) {
        let input = self.find(css).await;
        input.clear().await.unwrap();
        input.send_keys(text).await.unwrap();
    }

    /// Waits until something is so on the page.
    async fn until(&self, what: &str, script: &str) -> Value {
        let start = Instant::now();
        loop {
            let value = self.client.execute(&format!("return {script}"), Vec::new()).await.unwrap();
            if value != Value::Null && value != json!(false) {
                return value;
            }
            if start.elapsed() > WITHIN {
                let page = self.client.execute("return document.body.innerText", Vec::new()).await.unwrap();
                panic!("{what}\n{}", page.as_str().unwrap_or_default());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    async fn reads(&self, css: &str, words: &str) {
        let script = format!("document.querySelector({css:?})?.innerText.includes({words:?})");
        self.until(&format!("{css} reads {words:?}"), &script).await;
    }

    async fn cards(&self, count: usize) {
        self.until(
            &format!("{count} in the queue"),
            &format!("document.querySelectorAll('#queue .card').length === {count}"),
        )
        .await;
    }

    /// Types the code that the station's display shows.
    async fn pair(&self, router: &Router) {
        let code = get(router, "/v1/display").await.1["pairing_code"].as_str().unwrap().to_owned();
        self.until("the pairing", "!document.querySelector('#pair').hidden").await;
        self.write("#pair-code", &code).await;
        self.press("#pair .primary").await;
    }

    /// Begins to teach the article of this code.
    async fn teach(&self, code: &str) {
        self.write("#enrol-code", code).await;
        self.press("#enrol-form .primary").await;
    }

    async fn log_in(&self, name: &str, pin: &str) {
        self.until("the log-in", "!document.querySelector('#login').hidden").await;
        self.write("#name", name).await;
        self.write("#pin", pin).await;
        self.press("#login-pin .primary").await;
    }

    fn card(id: &str) -> String {
        format!("[data-validation='{id}'] .card")
    }

    /// What everybody can read: enough contrast everywhere (WCAG 2.1 AA, 1.4.3), and nothing to the side of the window.
    async fn is_readable(&self, name: &str) {
        let poor = self.client.execute(CONTRAST, Vec::new()).await.unwrap();
        assert_eq!(poor, json!([]), "{name}: too little contrast");
        let wide = self
            .client
            .execute("return document.scrollingElement.scrollWidth - document.documentElement.clientWidth", Vec::new())
            .await
            .unwrap();
        assert_eq!(wide, json!(0), "{name}: wider than the window");
        // For people who want to look: a folder named here gets a picture of each view.
        if let Some(folder) = std::env::var_os("AUGENMASS_PICTURES") {
            let picture = self.client.screenshot().await.unwrap();
            std::fs::write(Path::new(&folder).join(format!("{name}.png")), picture).unwrap();
        }
    }
}

/// All texts that can be seen with less contrast than they need, by the formula of WCAG 2.1.
const CONTRAST: &str = r"
const channels = (text) => text.match(/[\d.]+/g).map(Number);
const light = ([r, g, b]) => [r, g, b].map((c) => c / 255).map((c) => c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
  .reduce((sum, c, place) => sum + c * [0.2126, 0.7152, 0.0722][place], 0);
const behind = (e) => { for (; e; e = e.parentElement) { const c = channels(getComputedStyle(e).backgroundColor); if (c[3] !== 0) return c; } return [255, 255, 255]; };
const poor = [];
for (const e of document.querySelectorAll('body *')) {
  const own = [...e.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
  if (!own || e.offsetParent === null || e.disabled) continue;
  const style = getComputedStyle(e), size = parseFloat(style.fontSize);
  const [a, b] = [light(channels(style.color)), light(behind(e))].sort((x, y) => y - x);
  const ratio = (a + 0.05) / (b + 0.05), large = size >= 24 || size >= 18.66 && Number(style.fontWeight) >= 700;
  if (ratio < (large ? 3 : 4.5)) poor.push(`${e.textContent.trim().slice(0, 30)}: ${ratio.toFixed(2)}`);
}
return poor;";

/// A basket that was stopped before the station was started: butter that seems not to be scanned.
fn stopped_before(folder: &Path) {
    let list: Basket = serde_json::from_value(basket(3, 2)).unwrap();
    let butter = json!({ "id": "butter", "code": "4000140000016", "name": "Butter 250 g" });
    let verdict: Verdict = serde_json::from_value(json!({
        "validation_id": "v-1", "attempt": 2, "basket_id": "b-1", "revision": 3, "station_id": "basket-1",
        "outcome": "assist", "passed": false, "decided_at": "2026-11-21T18:00:00Z", "elapsed_ms": 800,
        "weight": { "measured_g": 1382.4, "expected_g": 1130.1, "sigma_g": 11.8 },
        "findings": [
            { "kind": "unscanned", "product": butter, "scanned": 0, "found": 1, "grams": 252.3, "probability": 0.86, "named": true, "image": null },
            { "kind": "bag", "product": null, "scanned": null, "found": null, "grams": 250.0, "probability": 0.08, "named": false, "image": null }
        ],
        "check": [], "message": { "key": "staff_will_help", "args": {} }, "degraded": [], "exit_token": null, "seen": 3
    }))
    .unwrap();
    let now = crate::staff::now();
    let at = Wall::from_ms(now.ms() - 40_000);
    let first = Verdict { attempt: 1, decided_at: at, ..verdict.clone() };
    let records = [
        Record::Basket { id: "b-1".parse().unwrap(), basket: list },
        Record::Validation { id: "v-1".parse().unwrap(), basket_id: "b-1".parse().unwrap(), opened_at: at },
        Record::Attempt(Arc::new(first)),
        Record::Attempt(Arc::new(Verdict { decided_at: at, ..verdict })),
    ];
    Database::open(folder).unwrap().save(&records.iter().collect::<Vec<_>>(), now).unwrap();
}

async fn live_basket(router: &Router, id: &str, list: Value) -> String {
    call(router, Method::PUT, &format!("/v1/baskets/{id}"), Some(list)).await;
    let open = json!({ "basket_id": id, "station_code": "B1" });
    let (_, opened) = call(router, Method::POST, "/v1/validations", Some(open)).await;
    opened["validation_id"].as_str().unwrap().to_owned()
}

async fn resolution(router: &Router, id: &str) -> Value {
    get(router, &format!("/v1/validations/{id}")).await.1["resolution"].clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_does_the_whole_work_of_the_desk_in_a_browser() {
    let folder = tempfile::tempdir().unwrap();
    let gin = "{\"id\":\"gin\",\"code\":\"40084015\",\"name\":\"Gin 0.7 l\",\"kind\":\"piece\",\"price_minor\":1400,\"gross_mean_g\":1200.0,\"gross_sd_g\":5.0,\"mean_sd_g\":0.5,\"weight_source\":\"seeded\",\"age_limit\":18}";
    let products = format!("{TAPE}\n{gin}\n");
    Database::open(folder.path())
        .unwrap()
        .import_catalogue(&products, CatalogueFormat::Ndjson, Wall::from_ms(1))
        .unwrap();
    stopped_before(folder.path());
    add_staff(folder.path(), "Anna", Role::Attendant);
    add_staff(folder.path(), "Eva", Role::Supervisor);
    let router = station_with(folder.path(), &[("[policy]\n", "[policy]\nfour_eyes_above_minor = 1000\n")]);
    let desk = Desk::at(router.clone()).await;

    // A tablet that nobody knows is paired by the code on the display.
    desk.until("the pairing", "!document.querySelector('#pair').hidden").await;
    desk.write("#pair-code", "12345678").await;
    desk.press("#pair .primary").await;
    desk.reads("#notice", "not the code").await;
    desk.is_readable("1-pair").await;
    desk.pair(&router).await;

    // A wrong PIN opens nothing; the right one shows the queue.
    desk.log_in("Anna", "135790").await;
    desk.reads("#notice", "not right").await;
    desk.is_readable("2-login").await;
    desk.log_in("Anna", PIN).await;
    desk.reads("#who", "Anna, attendant").await;
    desk.cards(1).await;
    // What no script may read no script reads.
    assert_eq!(desk.client.execute("return document.cookie", Vec::new()).await.unwrap(), "");

    // Somebody else's basket comes by itself, without anything being loaded again.
    desk.client.execute("window.untouched = true", Vec::new()).await.unwrap();
    let live = live_basket(&router, "b-2", basket(1, 5)).await;
    desk.cards(2).await;
    assert_eq!(desk.client.execute("return window.untouched", Vec::new()).await.unwrap(), true);
    desk.is_readable("3-queue").await;

    // Opened, claimed by the keyboard, approved with a reason.
    desk.press(&Desk::card("v-1")).await;
    // The scale is out by now; what the attempt before has found is still there to look at.
    desk.reads("#facts", "could not judge").await;
    desk.press("[data-attempt='2']").await;
    for words in [
        "Basket b-1",
        "Butter 250 g",
        "86 %",
        "+252 g",
        "No picture kept",
        "Adhesive tape, 2 rolls",
        "1.382 kg",
        "± 12 g",
    ] {
        desk.reads("#facts", words).await;
    }
    desk.is_readable("4-basket").await;
    desk.find("#claim").await.send_keys(&Key::Enter.to_string()).await.unwrap();
    desk.press("#approve").await;
    desk.is_readable("5-approve").await;
    desk.press("input[name=reason][value=bag]").await;
    desk.press("#do").await;
    desk.cards(1).await;
    let approved = resolution(&router, "v-1").await;
    assert_eq!((&approved["action"], approved["exit_token"].is_string()), (&json!("approve"), true), "{approved}");
    desk.reads("#done", "Basket b-1 approved").await;
    desk.is_readable("6-done").await;

    // Taken back, it is in the queue again.
    desk.press("#done button").await;
    desk.cards(2).await;
    assert_eq!(resolution(&router, "v-1").await, Value::Null);

    // A list is put right.
    desk.press(&Desk::card("v-1")).await;
    desk.press("#claim, #correct").await;
    desk.press("#correct").await;
    desk.write("#act tbody input[type=number]", "3").await;
    desk.press("input[name=reason][value=quantity_fixed]").await;
    desk.is_readable("7-correct").await;
    desk.press("#do").await;
    desk.reads("#facts", "3 ×").await;
    assert_eq!(get(&router, "/v1/baskets/b-1").await.1["lines"][0]["quantity"], 3);

    // Twelve and a half are more than one person may approve.
    desk.press("#back").await;
    desk.press(&Desk::card(&live)).await;
    desk.press("#claim").await;
    desk.press("#approve").await;
    desk.reads("#act", "a supervisor has to confirm").await;
    desk.press("input[name=reason][value=sensor_fault]").await;
    desk.press("#do").await;
    desk.reads("#notice", "A supervisor has to confirm").await;
    desk.reads("#act", "Anna has decided").await;
    assert_eq!(resolution(&router, &live).await, Value::Null);
    assert_eq!(desk.client.find_all(Locator::Css("#confirm")).await.unwrap().len(), 0);
    desk.is_readable("8-second-person").await;
    desk.press("#log-out").await;
    desk.log_in("Eva", PIN).await;
    desk.cards(2).await;
    desk.press(&Desk::card(&live)).await;
    desk.press("#confirm").await;
    desk.cards(1).await;
    assert_eq!(resolution(&router, &live).await["action"], "approve");

    // Goods for adults: the page asks before the station does.
    let gin = json!({ "revision": 1, "source": "app", "lines": [{ "code": "40084015", "quantity": 1 }] });
    let gin = live_basket(&router, "b-4", gin).await;
    desk.press(&Desk::card(&gin)).await;
    desk.press("#claim").await;
    desk.press("#refuse").await;
    desk.press("input[name=reason][value=age_refused]").await;
    desk.press("#do").await;
    desk.cards(1).await;
    assert_eq!(resolution(&router, &gin).await["action"], "refuse");

    desk.press("#service").await;
    desk.write("#why", "cleaning").await;
    desk.press("#service-yes").await;
    desk.reads("#closed", "Out of service: cleaning").await;
    desk.is_readable("9-out-of-service").await;
    assert_eq!(get(&router, "/ready").await.1["out_of_service"], "cleaning");
    desk.press("#log-out").await;
    desk.until("the log-in", "!document.querySelector('#login').hidden").await;
    // Wide screens show the queue beside the basket.
    desk.client.set_window_size(1280, 800).await.unwrap();
    desk.log_in("Eva", PIN).await;
    desk.press(&Desk::card("v-1")).await;
    desk.reads("#facts", "Basket b-1").await;
    desk.is_readable("10-wide").await;
    desk.client.close().await.unwrap();
}

const SIZE: (u32, u32) = (640, 480);

/// A grey plate as the camera sees it, with the self-test's article of the models at each place, in another order of its colours.
fn picture(places: &[(i64, i64)], colours: [usize; 3]) -> Bytes {
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("models");
    let product = decode_any(&std::fs::read(models.join("self-test.png")).unwrap()).unwrap();
    let mut product = imageops::resize(&product, 120, 120, imageops::FilterType::Triangle);
    for pixel in product.pixels_mut() {
        pixel.0 = colours.map(|channel| pixel.0[channel]);
    }
    let mut picture = RgbImage::from_fn(SIZE.0, SIZE.1, |x, y| Rgb([150 + ((x * 7 + y * 13) % 5) as u8; 3]));
    for (x, y) in places {
        imageops::overlay(&mut picture, &product, *x, *y);
    }
    let mut bytes = Vec::new();
    picture.write_to(&mut Cursor::new(&mut bytes), ImageFormat::Jpeg).unwrap();
    bytes.into()
}

/// A camera that goes on sending what it is given to show, five times a second.
fn camera() -> (watch::Sender<Bytes>, watch::Receiver<Option<Arc<Frame>>>) {
    let (shown, showing) = watch::channel(picture(&[], [0, 1, 2]));
    let (sent, frames) = watch::channel(None);
    tokio::spawn(async move {
        for seq in 1.. {
            let jpeg = showing.borrow().clone();
            sent.send_replace(Some(Arc::new(Frame { jpeg, arrived: Instant::now(), seq })));
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    });
    (shown, frames)
}

/// A supervisor teaches the camera an article: the real models look at what it sees, and the page tells what to do.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_article_is_taught_at_the_tablet() {
    let folder = tempfile::tempdir().unwrap();
    let mut database = Database::open(folder.path()).unwrap();
    database.import_catalogue(TAPE, CatalogueFormat::Ndjson, Wall::from_ms(1)).unwrap();
    add_staff(folder.path(), "Anna", Role::Attendant);
    add_staff(folder.path(), "Eva", Role::Supervisor);
    let (hub, station) = hub_with(folder.path(), &[]);
    // As a station does, but at rest or not as the test wants it: its port does not exist.
    let (plate, station) = watch::channel(station.borrow().clone());
    let (shown, frames) = camera();
    let models_directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("models");
    let eyes = Eyes::start(&EyesOptions { models_directory, onnxruntime: None }).unwrap();
    let view = View::rectangle([0, 0, SIZE.0, SIZE.1]);
    let data = folder.path().to_owned();
    let door = Enroller { eyes, frames, view, station, data, clock: Clock::start() }.start();
    let router = router(hub.with_enrolment(Some(door)));
    let show = |places: &[(i64, i64)], colours| shown.send_replace(picture(places, colours));
    let desk = Desk::at(router.clone()).await;
    desk.pair(&router).await;

    // Who may not enrol is offered nothing.
    desk.log_in("Anna", PIN).await;
    desk.reads("#line", "live").await;
    assert_eq!(desk.client.execute("return document.querySelector('#teach').hidden", Vec::new()).await.unwrap(), true);
    desk.press("#log-out").await;
    desk.log_in("Eva", PIN).await;
    desk.press("#teach").await;
    desk.teach("4000000000006").await;
    desk.reads("#notice", "does not know this code").await;
    desk.is_readable("11-teach").await;
    desk.teach(TAPE_CODE).await;
    desk.reads("#enrol-name", "Adhesive tape").await;
    desk.reads("#enrol-hint", "Put one on the empty plate").await;

    let middle = (260, 180);
    show(&[(80, 180), (420, 180)], [0, 1, 2]);
    desk.reads("#enrol-hint", "Take away all but one").await;
    // What is put down just now may have a hand over it.
    plate.send_modify(|station| station.state = PlateState::Weighing);
    show(&[middle], [0, 1, 2]);
    desk.reads("#enrol-hint", "Hold it still").await;
    desk.reads("#enrol-count", "0 views").await;
    plate.send_modify(|station| station.state = PlateState::Occupied);
    for (taken, colours) in [[0, 1, 2], [2, 0, 1], [1, 2, 0]].into_iter().enumerate() {
        show(&[middle], colours);
        let loaded = format!(
            "document.querySelectorAll('#enrol-views img').length === {0} && [...document.querySelectorAll('#enrol-views img')].every((i) => i.naturalWidth > 60)",
            taken + 1
        );
        desk.until("another view with its picture", &loaded).await;
        desk.reads("#enrol-hint", "Show another side").await;
    }
    // One is taken out and shown again.
    desk.press("#enrol-views li:nth-child(2) button").await;
    desk.reads("#enrol-count", "2 views, 1 more needed").await;
    show(&[middle], [2, 0, 1]);
    desk.reads("#enrol-count", "3 views: keep them").await;
    desk.is_readable("12-teaching").await;
    // A look at the queue in between changes nothing.
    desk.press("#enrol-queue").await;
    desk.reads("#desk", "Nobody needs you").await;
    desk.press("#teach").await;
    desk.reads("#enrol-count", "3 views: keep them").await;
    desk.press("#enrol-keep").await;
    desk.reads("#notice", "Adhesive tape, 2 rolls: 3 views kept").await;
    let record = database.audit(0, 50).unwrap();
    let act = record.iter().find(|entry| entry.act.did == Did::LookEnrolled).unwrap();
    assert_eq!((&act.act.detail["product_id"], act.act.by.as_ref().unwrap().name.as_str()), (&json!("tape"), "Eva"));

    // Begun again, nothing of the last one is shown, and it can be given up.
    desk.press("#teach").await;
    desk.teach(TAPE_CODE).await;
    desk.reads("#enrol-count", "0 views, 3 more needed").await;
    desk.press("#enrol-cancel").await;
    desk.reads("#notice", "nothing was kept").await;
    desk.client.close().await.unwrap();
}
