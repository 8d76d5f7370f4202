//! Cameras: the scene as motion JPEG over HTTP (`multipart/x-mixed-replace`), one picture a part, or over RTSP.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use bytes::Bytes;
use futures_util::stream;
use rand::{Rng, RngCore, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};

use super::live::Live;
use super::rtsp::Site;
use crate::hw;
use crate::render::{Rendered, Renderer};
use crate::stage::CameraFault;

const QUALITY: u8 = 85;

/// Exposure of a camera whose light has failed, against 1.
const DARK: f32 = 0.015;

/// How soon a mended camera answers those who wait.
const MENDED: Duration = Duration::from_millis(100);

/// The latest picture, for everyone who watches; `None` before the first.
type Pictures = watch::Sender<Option<Bytes>>;

/// One camera's eye: renders what changed, adds noise to what did not.
struct Eye {
    renderer: Renderer,
    camera: hw::Camera,
    drawn: Option<(Look, Rendered)>,
    rng: ChaCha8Rng,
}

/// What a picture depends on, noise apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Look {
    version: u64,
    dark: bool,
}

impl Eye {
    fn picture(&mut self, live: &Live, fault: CameraFault) -> Option<Bytes> {
        let dark = fault == CameraFault::Dark;
        let drawn = self.drawn.as_ref().map(|(look, _)| *look);
        let fresh = live.with(|stage| {
            let look = Look { version: stage.rig().world().version(), dark };
            (drawn != Some(look)).then(|| (look, stage.scene(&self.camera)))
        });
        if let Some((look, mut scene)) = fresh {
            if dark {
                scene.light.brightness = DARK;
            }
            self.drawn = Some((look, self.renderer.draw(&scene)));
        }
        let (_, rendered) = self.drawn.as_ref()?;
        let noise_seed = self.rng.random();
        if self.camera.is_rtsp() {
            return Some(rendered.to_halved_jpeg(noise_seed, QUALITY).into());
        }
        match rendered.to_jpeg(noise_seed, QUALITY) {
            Ok(jpeg) => Some(jpeg.into()),
            Err(error) => {
                tracing::error!(camera = self.camera.name, %error, "picture cannot be encoded");
                None
            }
        }
    }

    fn garbage(&mut self) -> Bytes {
        let mut bytes = vec![0; self.rng.random_range(500..20_000)];
        self.rng.fill_bytes(&mut bytes);
        bytes.into()
    }
}

#[derive(Clone)]
struct Feed {
    live: Live,
    name: Arc<str>,
    pictures: Pictures,
}

impl Feed {
    fn stopped(&self) -> bool {
        self.live.with(|stage| stage.camera_fault(&self.name)) == CameraFault::Stop
    }
}

/// Starts a camera and gives the route under which it is seen. `path` begins with a slash.
pub fn route(live: &Live, camera: &hw::Camera, path: &str, seed: u64) -> Router {
    Router::new().route(path, get(watch)).with_state(start(live, camera, seed))
}

/// Starts a camera that speaks RTSP. `path` begins with a slash.
pub fn rtsp_site(live: &Live, camera: &hw::Camera, path: &str, seed: u64) -> Site {
    let feed = start(live, camera, seed);
    let pictures = feed.pictures.clone();
    Site { path: path.to_owned(), basic_login: None, pictures, silent: Arc::new(move || feed.stopped()) }
}

fn start(live: &Live, camera: &hw::Camera, seed: u64) -> Feed {
    let pictures = Pictures::new(None);
    let feed = Feed { live: live.clone(), name: camera.name.as_str().into(), pictures };
    let eye = Eye {
        renderer: Renderer::new(live.with(|stage| Arc::clone(stage.shop()))),
        camera: camera.clone(),
        drawn: None,
        rng: ChaCha8Rng::seed_from_u64(seed),
    };
    tokio::spawn(film(feed.clone(), eye));
    feed
}

async fn film(feed: Feed, mut eye: Eye) {
    let mut tick = interval(Duration::from_secs_f64(1.0 / eye.camera.frames_per_s));
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        if feed.pictures.receiver_count() == 0 {
            continue;
        }
        let fault = feed.live.with(|stage| stage.camera_fault(&feed.name));
        let current = feed.pictures.borrow().clone();
        let next = match (fault, current) {
            (CameraFault::Stop, _) => continue,
            (CameraFault::Garbage, _) => Some(eye.garbage()),
            (CameraFault::Freeze, Some(frozen)) => Some(frozen),
            (CameraFault::Freeze, None) | (CameraFault::None | CameraFault::Dark, _) => {
                let live = feed.live.clone();
                // Drawing takes up to some hundred milliseconds: the boards' samples must not wait for it.
                let drawn = tokio::task::spawn_blocking(move || (eye.picture(&live, fault), eye)).await;
                let Ok((picture, back)) = drawn else { return };
                eye = back;
                picture
            }
        };
        if let Some(picture) = next {
            feed.pictures.send_replace(Some(picture));
        }
    }
}

async fn watch(State(feed): State<Feed>) -> Response {
    while feed.stopped() {
        tokio::time::sleep(MENDED).await;
    }
    let parts = stream::unfold(feed.pictures.subscribe(), |mut pictures| async move {
        pictures.changed().await.ok()?;
        let part = pictures.borrow_and_update().as_ref().map(part).unwrap_or_default();
        Some((Ok::<_, std::convert::Infallible>(part), pictures))
    });
    let headers = [(CONTENT_TYPE, "multipart/x-mixed-replace; boundary=frame"), (CACHE_CONTROL, "no-store")];
    (headers, Body::from_stream(parts)).into_response()
}

fn part(picture: &Bytes) -> Bytes {
    let head = format!("--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {}\r\n\r\n", picture.len());
    let mut part = Vec::with_capacity(head.len() + picture.len() + 2);
    part.extend_from_slice(head.as_bytes());
    part.extend_from_slice(picture);
    part.extend_from_slice(b"\r\n");
    part.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stage::{Command, tests::stage};
    use tokio::net::TcpListener;

    /// Reads parts off the stream as a daemon would.
    struct Viewer {
        response: reqwest::Response,
        bytes: Vec<u8>,
    }

    impl Viewer {
        async fn picture(&mut self) -> Vec<u8> {
            loop {
                if let Some(picture) = self.cut() {
                    return picture;
                }
                self.bytes.extend(self.response.chunk().await.unwrap().expect("the stream has ended"));
            }
        }

        fn cut(&mut self) -> Option<Vec<u8>> {
            let head_end = self.bytes.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
            let head = String::from_utf8(self.bytes[..head_end].to_vec()).unwrap();
            assert!(head.starts_with("--frame\r\nContent-Type: image/jpeg\r\n"), "{head:?}");
            let length: usize = head.split("Content-Length: ").nth(1)?.trim().parse().unwrap();
            let end = head_end + length;
            if self.bytes.len() < end + 2 {
                return None;
            }
            assert_eq!(&self.bytes[end..end + 2], b"\r\n");
            let picture = self.bytes[head_end..end].to_vec();
            self.bytes.drain(..end + 2);
            Some(picture)
        }
    }

    fn brightness(jpeg: &[u8]) -> f64 {
        let picture = image::load_from_memory(jpeg).unwrap().to_luma8();
        assert_eq!(picture.dimensions(), (640, 480));
        picture.pixels().map(|pixel| f64::from(pixel[0])).sum::<f64>() / f64::from(640 * 480)
    }

    fn set(live: &Live, fault: CameraFault) {
        live.command(&Command::Camera { name: "top".into(), fault }).unwrap();
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn pictures_come_as_parts_and_fail_as_told() {
        let live = Live::start(stage(1));
        let mut camera = live.with(|stage| stage.hardware().cameras[0].clone());
        camera.frames_per_s = 40.0;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/top.mjpeg", listener.local_addr().unwrap());
        let site = route(&live, &camera, "/top.mjpeg", 1);
        tokio::spawn(async move { axum::serve(listener, site).await });
        let response = reqwest::get(&url).await.unwrap();
        assert_eq!(response.headers()["content-type"], "multipart/x-mixed-replace; boundary=frame");
        let mut viewer = Viewer { response, bytes: vec![] };

        let (first, second) = (viewer.picture().await, viewer.picture().await);
        let lit = brightness(&first);
        assert!(lit > 40.0, "{lit}");
        assert_ne!(first, second, "a live sensor makes noise");

        set(&live, CameraFault::Freeze);
        // The one being drawn when the fault came may still be a fresh one.
        viewer.picture().await;
        viewer.picture().await;
        assert_eq!(viewer.picture().await, viewer.picture().await);

        set(&live, CameraFault::Dark);
        viewer.picture().await;
        viewer.picture().await;
        let dark = brightness(&viewer.picture().await);
        assert!(dark < lit / 4.0, "{dark}");

        set(&live, CameraFault::Garbage);
        viewer.picture().await;
        viewer.picture().await;
        assert!(image::load_from_memory(&viewer.picture().await).is_err());

        set(&live, CameraFault::Stop);
        let waiting = tokio::spawn(reqwest::get(url));
        let rest = async {
            loop {
                viewer.picture().await;
            }
        };
        assert!(tokio::time::timeout(Duration::from_millis(400), rest).await.is_err());
        assert!(!waiting.is_finished(), "a stopped camera must not answer");

        set(&live, CameraFault::None);
        assert!(brightness(&viewer.picture().await) > 0.9 * lit);
        assert!(waiting.await.unwrap().unwrap().status().is_success());
    }
}
