//! A camera that speaks RTSP 1.0 (RFC 2326) and sends JPEG as RTP (RFC 2435), interleaved on the one TCP connection.

pub mod packets;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use packets::{CLOCK_HZ, PAYLOAD_TYPE, Packetiser};

/// Longest line of a request.
const LINE_LIMIT: u64 = 4 << 10;
/// Most header lines of a request.
const LINES_LIMIT: usize = 64;
/// How soon a mended camera answers those who wait.
const MENDED: Duration = Duration::from_millis(100);
/// Name of the one track.
const TRACK: &str = "track0";

/// What is served, and to whom.
#[derive(Clone)]
pub struct Site {
    /// Path of the stream; begins with a slash.
    pub path: String,
    /// User name and password, if they are asked for (RFC 7617, `user:password` in Base64).
    pub basic_login: Option<String>,
    /// The latest picture; watched only while a stream plays.
    pub pictures: watch::Sender<Option<Bytes>>,
    /// Whether the camera answers nobody now.
    pub silent: Arc<dyn Fn() -> bool + Send + Sync>,
}

/// One request of a client.
#[derive(Debug)]
struct Request {
    method: String,
    url: String,
    headers: Vec<(String, String)>,
}

impl Request {
    fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// The path after `rtsp://host:port`.
    fn path(&self) -> &str {
        let rest = self.url.strip_prefix("rtsp://").unwrap_or(&self.url);
        rest.find('/').map_or("/", |slash| &rest[slash..])
    }
}

/// Serves cameras to everyone who connects, for ever.
///
/// # Errors
/// When the listener fails.
pub async fn serve(listener: TcpListener, sites: Vec<Site>) -> std::io::Result<()> {
    let sites: Arc<[Site]> = sites.into();
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        tokio::spawn(converse(stream, Arc::clone(&sites)));
    }
}

async fn converse(stream: TcpStream, sites: Arc<[Site]>) {
    let (read, write) = stream.into_split();
    let (sender, requests) = mpsc::channel(4);
    let reading = tokio::spawn(read_requests(read, sender));
    let mut visitor = Visitor { write, sites, playing: None, source: rand::random(), started: Instant::now() };
    // A client that goes away is no fault of the camera's.
    let _ = visitor.serve(requests).await;
    reading.abort();
}

/// Reads requests, and passes over what clients send interleaved (receiver reports).
async fn read_requests(read: OwnedReadHalf, requests: mpsc::Sender<Request>) -> std::io::Result<()> {
    let mut read = BufReader::new(read);
    loop {
        if read.fill_buf().await?.first() == Some(&b'$') {
            let mut head = [0; 4];
            read.read_exact(&mut head).await?;
            let mut report = vec![0; usize::from(u16::from_be_bytes([head[2], head[3]]))];
            read.read_exact(&mut report).await?;
            continue;
        }
        let Some(request) = read_request(&mut read).await? else { return Ok(()) };
        if requests.send(request).await.is_err() {
            return Ok(());
        }
    }
}

async fn read_request(read: &mut BufReader<OwnedReadHalf>) -> std::io::Result<Option<Request>> {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        let taken = (&mut *read).take(LINE_LIMIT).read_line(&mut line).await?;
        let whole = line.ends_with('\n');
        if taken == 0 || !whole || lines.len() > LINES_LIMIT {
            return Ok(None);
        }
        match (line.trim_end(), lines.is_empty()) {
            ("", true) => {}
            ("", false) => break,
            (line, _) => lines.push(line.to_owned()),
        }
    }
    let mut words = lines[0].split_whitespace().map(str::to_owned);
    let (Some(method), Some(url)) = (words.next(), words.next()) else { return Ok(None) };
    let header = |line: &String| line.split_once(':').map(|(name, value)| (name.to_owned(), value.trim().to_owned()));
    let request = Request { method, url, headers: lines[1..].iter().filter_map(header).collect() };
    let length = request.header("Content-Length").and_then(|length| length.parse::<u16>().ok()).unwrap_or(0);
    let mut body = vec![0; usize::from(length)];
    read.read_exact(&mut body).await?;
    Ok(Some(request))
}

/// A stream under way.
struct Playing {
    pictures: watch::Receiver<Option<Bytes>>,
    packets: Packetiser,
}

/// One connection.
struct Visitor {
    write: OwnedWriteHalf,
    sites: Arc<[Site]>,
    playing: Option<Playing>,
    source: u32,
    started: Instant,
}

impl Visitor {
    async fn serve(&mut self, mut requests: mpsc::Receiver<Request>) -> std::io::Result<()> {
        loop {
            let changed = async {
                match &mut self.playing {
                    Some(playing) => playing.pictures.changed().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                request = requests.recv() => match request {
                    Some(request) => {
                        if !self.answer(&request).await? {
                            return Ok(());
                        }
                    }
                    None => return Ok(()),
                },
                changed = changed => {
                    if changed.is_err() {
                        return Ok(());
                    }
                    self.send_picture().await?;
                }
            }
        }
    }

    async fn send_picture(&mut self) -> std::io::Result<()> {
        let Some(Playing { pictures, packets }) = &mut self.playing else { return Ok(()) };
        let Some(picture) = pictures.borrow_and_update().clone() else { return Ok(()) };
        let ticks = (self.started.elapsed().as_secs_f64() * f64::from(CLOCK_HZ)) as u64 as u32;
        let cut = packets.picture(&picture, ticks).unwrap_or_else(|| vec![packets.garbage(&picture, ticks)]);
        let mut bytes = Vec::with_capacity(picture.len() + cut.len() * 40);
        for packet in &cut {
            bytes.extend_from_slice(&[b'$', 0]);
            bytes.extend_from_slice(&(packet.len() as u16).to_be_bytes());
            bytes.extend_from_slice(packet);
        }
        self.write.write_all(&bytes).await
    }

    /// Answers one request; false when the connection ends.
    async fn answer(&mut self, request: &Request) -> std::io::Result<bool> {
        let path = request.path();
        let Some(site) = self.sites.iter().find(|site| path.trim_end_matches('/').starts_with(&site.path)).cloned()
        else {
            return self.reply(request, "404 Not Found", "", "").await;
        };
        while (site.silent)() {
            tokio::time::sleep(MENDED).await;
        }
        let given = request.header("Authorization");
        if let Some(login) = &site.basic_login
            && given != Some(&format!("Basic {login}"))
        {
            return self.reply(request, "401 Unauthorized", "WWW-Authenticate: Basic realm=\"camera\"\r\n", "").await;
        }
        match request.method.as_str() {
            "OPTIONS" => {
                let methods = "Public: OPTIONS, DESCRIBE, SETUP, PLAY, GET_PARAMETER, SET_PARAMETER, TEARDOWN\r\n";
                self.reply(request, "200 OK", methods, "").await
            }
            "DESCRIBE" => {
                let base = request.url.trim_end_matches('/');
                let headers = format!("Content-Type: application/sdp\r\nContent-Base: {base}/\r\n");
                self.reply(request, "200 OK", &headers, &description()).await
            }
            "SETUP" => {
                let wanted = request.header("Transport").unwrap_or_default();
                if !wanted.contains("RTP/AVP/TCP") {
                    return self.reply(request, "461 Unsupported Transport", "", "").await;
                }
                let headers = format!("Transport: RTP/AVP/TCP;unicast;interleaved=0-1;ssrc={:08X}\r\n", self.source);
                self.reply(request, "200 OK", &headers, "").await
            }
            "PLAY" => {
                let packets = Packetiser::new(self.source as u16, self.source);
                let sequence = packets.sequence();
                let url = request.url.trim_end_matches('/').to_owned();
                let headers = format!("Range: npt=0.000-\r\nRTP-Info: url={url}/{TRACK};seq={sequence}\r\n");
                self.playing = Some(Playing { pictures: site.pictures.subscribe(), packets });
                self.reply(request, "200 OK", &headers, "").await
            }
            "GET_PARAMETER" | "SET_PARAMETER" => self.reply(request, "200 OK", "", "").await,
            "TEARDOWN" => self.reply(request, "200 OK", "", "").await.map(|_| false),
            // Methods are the client's words: what is not known is told so.
            _ => self.reply(request, "501 Not Implemented", "", "").await,
        }
    }

    async fn reply(&mut self, request: &Request, status: &str, headers: &str, body: &str) -> std::io::Result<bool> {
        let number = request.header("CSeq").unwrap_or("0");
        let source = self.source;
        let length = if body.is_empty() { String::new() } else { format!("Content-Length: {}\r\n", body.len()) };
        let answer = format!(
            "RTSP/1.0 {status}\r\nCSeq: {number}\r\nSession: {source:08X};timeout=60\r\n{headers}{length}\r\n{body}"
        );
        self.write.write_all(answer.as_bytes()).await?;
        Ok(true)
    }
}

/// The stream's description (SDP, RFC 4566).
fn description() -> String {
    format!(
        "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=camera\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\na=control:*\r\n\
         m=video 0 RTP/AVP {PAYLOAD_TYPE}\r\na=rtpmap:{PAYLOAD_TYPE} JPEG/{CLOCK_HZ}\r\na=control:{TRACK}\r\n"
    )
}
