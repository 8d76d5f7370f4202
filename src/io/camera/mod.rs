//! A camera that serves MJPEG over HTTP or JPEG over RTSP, or a folder of pictures: read for ever, newest picture wins.

mod folder;
pub mod multipart;
mod rtsp;

use std::fmt;
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::FutureExt;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use multipart::{Multipart, MultipartFault};

/// First wait before a lost camera is asked again; doubles up to [`LONGEST_WAIT`].
const FIRST_WAIT: Duration = Duration::from_millis(200);
/// A camera that is back is noticed within this.
const LONGEST_WAIT: Duration = Duration::from_secs(1);
/// How a folder is named where an address is expected.
pub const FOLDER_SCHEME: &str = "file://";
/// How a camera that speaks RTSP is named.
const RTSP_SCHEME: &str = "rtsp://";
/// A folder is looked into so often.
const FOLDER_EVERY: Duration = Duration::from_millis(100);
/// Every JPEG begins so (ITU-T T.81, B.1.1.3: start of image, then another marker).
const JPEG_START: &[u8] = &[0xff, 0xd8, 0xff];

/// Which camera, and when it counts as out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CameraOptions {
    /// `http://` address of a `multipart/x-mixed-replace` stream, `rtsp://` address of a stream of JPEG over RTP, or `file://` and
    /// the absolute path of a folder with JPEG pictures.
    pub url: String,
    /// Who may look, where the camera asks: Basic over HTTP, Basic or Digest over RTSP.
    pub login: Option<Login>,
    /// Without a picture for so long the camera is out, and asked anew.
    pub stale: Duration,
}

/// User name and password of a camera. Never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Login {
    /// User name.
    pub user: String,
    /// Password.
    pub password: String,
}

impl fmt::Debug for Login {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Login")
    }
}

/// One picture as the camera sent it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// The JPEG, undecoded; begins as a JPEG does and may still be broken.
    pub jpeg: Bytes,
    /// When its first byte had come: what it shows is at least that old.
    pub arrived: Instant,
    /// Counts the pictures since the start, from 1, across lost connections.
    pub seq: u64,
}

/// A camera comes or goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CameraEvent {
    /// Its first picture is there.
    Up {
        /// When.
        at: Instant,
    },
    /// It gives no pictures, and why. Told again only when the reason changes; it is asked for ever.
    Down {
        /// When.
        at: Instant,
        /// Why.
        why: CameraLoss,
    },
}

/// Why a camera gives no pictures, with the mend.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CameraLoss {
    /// Nothing answers there.
    #[error("no camera answers at {url} ({why}): is it on, and is `url` in the station file right?")]
    Unreachable {
        /// Its address.
        url: String,
        /// The system's words.
        why: String,
    },
    /// It answers with an error.
    #[error("{url} answers with status {status}: {}", mend(*.status))]
    Refused {
        /// Its address.
        url: String,
        /// Status of HTTP or RTSP.
        status: u16,
    },
    /// It answers with something else.
    #[error("{url} is no MJPEG stream but '{content_type}'")]
    NotAStream {
        /// Its address.
        url: String,
        /// What it calls its answer.
        content_type: String,
    },
    /// The stream broke off.
    #[error("the camera ended its stream")]
    Ended,
    /// Connected, and no picture.
    #[error("the camera has sent no picture for {} ms", .0.as_millis())]
    Stalled(Duration),
    /// What it sends over RTSP cannot be taken apart.
    #[error("the camera's stream cannot be read: {0}")]
    Unreadable(String),
    /// What it sends over HTTP cannot be taken apart.
    #[error("the camera's stream cannot be read: {0}")]
    Malformed(#[from] MultipartFault),
}

/// What to look at after a refusal.
fn mend(status: u16) -> &'static str {
    match status {
        401 | 403 => "are user name and password in the secret that `login_secret` names right?",
        _ => "is the path in `url` right?",
    }
}

/// A running camera; dropping it ends the connection.
#[derive(Debug)]
pub struct CameraLink {
    frames: watch::Receiver<Option<Arc<Frame>>>,
    task: JoinHandle<()>,
}

impl CameraLink {
    /// Starts the camera's task on the current Tokio runtime. It ends when `events` has no receiver.
    pub fn start(options: CameraOptions, events: mpsc::Sender<CameraEvent>) -> Self {
        let (sender, frames) = watch::channel(None);
        let task = tokio::spawn(Camera { options, events, frames: sender, seq: 0, told: None, stamp: None }.run());
        Self { frames, task }
    }

    /// The newest picture, `None` while the camera is out; changes with every picture.
    pub fn frames(&self) -> watch::Receiver<Option<Arc<Frame>>> {
        self.frames.clone()
    }
}

impl Drop for CameraLink {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// What the driver was told last.
#[derive(PartialEq, Eq)]
enum Told {
    Up,
    Down(CameraLoss),
}

struct Camera {
    options: CameraOptions,
    events: mpsc::Sender<CameraEvent>,
    frames: watch::Sender<Option<Arc<Frame>>>,
    seq: u64,
    told: Option<Told>,
    /// The last picture of a folder.
    stamp: Option<folder::Stamp>,
}

/// Nobody listens any more.
struct Abandoned;

impl Camera {
    async fn run(mut self) {
        // A proxy of the environment is for the internet, never for a camera in the same cabinet.
        let client = match reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .tcp_nodelay(true)
            .build()
        {
            Ok(client) => client,
            Err(error) => {
                let why = self.unreachable(&error);
                let _ = self.tell_down(why).await;
                return;
            }
        };
        let mut wait = FIRST_WAIT;
        loop {
            let before = self.seq;
            let visited = match self.options.url.strip_prefix(FOLDER_SCHEME).map(PathBuf::from) {
                Some(folder) => self.watch(&folder).await,
                None if self.options.url.starts_with(RTSP_SCHEME) => self.listen().await,
                None => self.visit(&client).await,
            };
            match visited {
                Err(Abandoned) => return,
                Ok(why) => {
                    if self.tell_down(why).await.is_err() {
                        return;
                    }
                }
            }
            if self.seq != before {
                wait = FIRST_WAIT;
            }
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(LONGEST_WAIT);
        }
    }

    /// Shows each newer picture of a folder until none comes any more.
    async fn watch(&mut self, path: &Path) -> Result<CameraLoss, Abandoned> {
        let mut last = tokio::time::Instant::now();
        loop {
            let began = Instant::now();
            let (folder, known) = (path.to_owned(), self.stamp.clone());
            let found = tokio::task::spawn_blocking(move || folder::newest(&folder, known.as_ref())).await;
            match found {
                Ok(Ok(Some((stamp, jpeg)))) => {
                    self.stamp = Some(stamp);
                    self.show(jpeg, began).await?;
                    last = tokio::time::Instant::now();
                }
                Ok(Ok(None)) if last.elapsed() >= self.options.stale => {
                    return Ok(CameraLoss::Stalled(self.options.stale));
                }
                Ok(Ok(None)) => {}
                Ok(Err(error)) => {
                    return Ok(CameraLoss::Unreachable { url: self.options.url.clone(), why: error.to_string() });
                }
                Err(_) => return Ok(CameraLoss::Ended),
            }
            tokio::time::sleep(FOLDER_EVERY).await;
        }
    }

    /// Has the camera play its stream and reads pictures until it is lost.
    async fn listen(&mut self) -> Result<CameraLoss, Abandoned> {
        // What a camera can send is its maker's, and the library is large: a fault in it must cost a picture, not the station's eyes.
        match AssertUnwindSafe(self.play()).catch_unwind().await {
            Ok(lost) => lost,
            Err(_) => Ok(CameraLoss::Unreadable("it could not be taken apart at all".to_owned())),
        }
    }

    async fn play(&mut self) -> Result<CameraLoss, Abandoned> {
        let stale = self.options.stale;
        let mut last = tokio::time::Instant::now();
        let opening = rtsp::open(&self.options.url, self.options.login.as_ref());
        let mut stream = match tokio::time::timeout_at(last + stale, opening).await {
            Ok(Ok(stream)) => stream,
            Ok(Err(loss)) => return Ok(loss),
            Err(_) => return Ok(CameraLoss::Stalled(stale)),
        };
        loop {
            match tokio::time::timeout_at(last + stale, stream.next()).await {
                Ok(Ok((jpeg, began))) if jpeg.len() <= multipart::PART_LIMIT && jpeg.starts_with(JPEG_START) => {
                    self.show(jpeg, began).await?;
                    last = tokio::time::Instant::now();
                }
                Ok(Ok(_)) => {}
                Ok(Err(loss)) => return Ok(loss),
                Err(_) => return Ok(CameraLoss::Stalled(stale)),
            }
        }
    }

    /// Connects and reads pictures until the camera is lost.
    async fn visit(&mut self, client: &reqwest::Client) -> Result<CameraLoss, Abandoned> {
        let answer = tokio::time::timeout(self.options.stale, self.connect(client)).await;
        let (mut response, mut parts) = match answer {
            Ok(Ok(stream)) => stream,
            Ok(Err(loss)) => return Ok(loss),
            Err(_) => return Ok(CameraLoss::Stalled(self.options.stale)),
        };
        let mut last = tokio::time::Instant::now();
        loop {
            let chunk = match tokio::time::timeout_at(last + self.options.stale, response.chunk()).await {
                Ok(Ok(Some(chunk))) => chunk,
                Ok(Ok(None) | Err(_)) => return Ok(CameraLoss::Ended),
                Err(_) => return Ok(CameraLoss::Stalled(self.options.stale)),
            };
            let now = Instant::now();
            parts.push(&chunk);
            loop {
                match parts.next_part(now) {
                    Ok(None) => break,
                    Ok(Some(part)) if part.body.starts_with(JPEG_START) => {
                        self.show(part.body, part.began).await?;
                        last = tokio::time::Instant::now();
                    }
                    // Some cameras put status texts between pictures; no pictures at all is a stall.
                    Ok(Some(_)) => {}
                    Err(fault) => return Ok(CameraLoss::Malformed(fault)),
                }
            }
            if parts.ended() {
                return Ok(CameraLoss::Ended);
            }
        }
    }

    async fn connect(&self, client: &reqwest::Client) -> Result<(reqwest::Response, Multipart), CameraLoss> {
        let url = &self.options.url;
        let mut request = client.get(url);
        if let Some(Login { user, password }) = &self.options.login {
            request = request.basic_auth(user, Some(password));
        }
        let response = request.send().await.map_err(|error| self.unreachable(&error))?;
        if !response.status().is_success() {
            return Err(CameraLoss::Refused { url: url.clone(), status: response.status().as_u16() });
        }
        let content_type = response
            .headers()
            .get(reqwest::header::CONTENT_TYPE)
            .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
            .unwrap_or_default();
        match multipart::boundary(&content_type) {
            Some(boundary) => {
                let parts = Multipart::new(boundary);
                Ok((response, parts))
            }
            None => Err(CameraLoss::NotAStream { url: url.clone(), content_type }),
        }
    }

    fn unreachable(&self, error: &reqwest::Error) -> CameraLoss {
        // The innermost error is the system's own ("Connection refused"); the others only wrap it.
        let mut innermost: &dyn std::error::Error = error;
        while let Some(source) = innermost.source() {
            innermost = source;
        }
        CameraLoss::Unreachable { url: self.options.url.clone(), why: innermost.to_string() }
    }

    async fn show(&mut self, jpeg: Bytes, arrived: Instant) -> Result<(), Abandoned> {
        self.seq += 1;
        let frame = Frame { jpeg, arrived, seq: self.seq };
        self.frames.send_replace(Some(Arc::new(frame)));
        if self.told == Some(Told::Up) {
            return Ok(());
        }
        self.told = Some(Told::Up);
        self.events.send(CameraEvent::Up { at: Instant::now() }).await.map_err(|_| Abandoned)
    }

    async fn tell_down(&mut self, why: CameraLoss) -> Result<(), Abandoned> {
        self.frames.send_replace(None);
        let told = Told::Down(why.clone());
        if self.told.as_ref() == Some(&told) {
            return Ok(());
        }
        self.told = Some(told);
        self.events.send(CameraEvent::Down { at: Instant::now(), why }).await.map_err(|_| Abandoned)
    }
}

#[cfg(test)]
mod tests;
