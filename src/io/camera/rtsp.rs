//! A camera that speaks RTSP 1.0 and sends JPEG over RTP (RFC 2326, RFC 2435), interleaved on one TCP connection: no port of ours
//! is open, and no firewall stands between.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use futures_util::StreamExt;
use reqwest::Url;
use retina::client::{
    Credentials, Demuxed, PlayOptions, Session, SessionOptions, SetupOptions, TcpTransportOptions, Transport,
};
use retina::codec::CodecItem;

use super::{CameraLoss, Login};

/// Longest part of the library's words that is passed on.
const WORDS_LIMIT: usize = 160;
/// What the library says before the system's words.
const CONNECTING: &str = "Unable to connect to RTSP server: ";

/// A stream that plays. Dropping it says goodbye to the camera in the background.
pub(super) struct Stream {
    url: Arc<str>,
    pictures: Demuxed,
}

/// Asks the camera for its stream and has it played.
///
/// # Errors
/// [`CameraLoss::Unreachable`] where nobody speaks RTSP, [`CameraLoss::Refused`] with its status, [`CameraLoss::NotAStream`] without
/// a stream of JPEG pictures.
pub(super) async fn open(url: &str, login: Option<&Login>) -> Result<Stream, CameraLoss> {
    let fail = |error: retina::Error| failure(url, &error);
    let parsed =
        Url::parse(url).map_err(|error| CameraLoss::Unreachable { url: url.to_owned(), why: error.to_string() })?;
    let creds = login.map(|login| Credentials { username: login.user.clone(), password: login.password.clone() });
    let mut session = Session::describe(parsed, SessionOptions::default().creds(creds)).await.map_err(fail)?;
    let streams = session.streams();
    let Some(index) = streams.iter().position(|s| s.media() == "video" && s.encoding_name() == "jpeg") else {
        let kinds: Vec<String> = streams.iter().map(|s| format!("{}/{}", s.media(), s.encoding_name())).collect();
        return Err(CameraLoss::NotAStream { url: url.to_owned(), content_type: words(&kinds.join(", ")) });
    };
    let setup = SetupOptions::default().transport(Transport::Tcp(TcpTransportOptions::default()));
    session.setup(index, setup).await.map_err(fail)?;
    let pictures = session.play(PlayOptions::default()).await.and_then(Session::demuxed).map_err(fail)?;
    Ok(Stream { url: url.into(), pictures })
}

impl Stream {
    /// The next picture, with the time at which its first packet was read. Cancel-safe.
    ///
    /// # Errors
    /// [`CameraLoss::Ended`] when the connection breaks off, [`CameraLoss::Unreadable`] for packets that are none.
    pub(super) async fn next(&mut self) -> Result<(Bytes, Instant), CameraLoss> {
        loop {
            match self.pictures.next().await {
                Some(Ok(CodecItem::VideoFrame(frame))) => {
                    let began = frame.start_ctx().received();
                    return Ok((frame.into_data().into(), began));
                }
                // Reports of the camera's clock, which nobody here believes; other items belong to other streams.
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(broken(&self.url, &error)),
                None => return Err(CameraLoss::Ended),
            }
        }
    }
}

/// Why the stream cannot be had.
fn failure(url: &str, error: &retina::Error) -> CameraLoss {
    let url = url.to_owned();
    match error.status_code() {
        Some(status) if status >= 300 => CameraLoss::Refused { url, status },
        Some(_) | None => {
            let told = words(&error.to_string());
            CameraLoss::Unreachable { url, why: told.strip_prefix(CONNECTING).unwrap_or(&told).to_owned() }
        }
    }
}

/// Why a stream that played does not go on.
fn broken(url: &str, error: &retina::Error) -> CameraLoss {
    if let Some(status) = error.status_code() {
        return CameraLoss::Refused { url: url.to_owned(), status };
    }
    let told = words(&error.to_string());
    if told.starts_with("Error reading from RTSP peer") || told.contains("EOF") {
        return CameraLoss::Ended;
    }
    CameraLoss::Unreadable(told)
}

/// The first line of what the library says: what follows are addresses and times, which are new each time.
fn words(told: &str) -> String {
    let line = told.lines().next().unwrap_or_default();
    line.chars().filter(|c| !c.is_control()).take(WORDS_LIMIT).collect()
}
