//! RTSP against a camera that is played by hand, byte by byte after RFC 2326 and RFC 2435.

use super::*;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const SDP: &str = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=x\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\n\
                   m=video 0 RTP/AVP 26\r\na=rtpmap:26 JPEG/90000\r\na=control:one\r\n";

/// A camera that serves `/top` to `viewer:hunter2` where `locked`; what it sends after PLAY comes from a test.
struct Played {
    address: SocketAddr,
    streams: mpsc::Receiver<TcpStream>,
}

async fn play(sdp: &'static str, locked: bool) -> Played {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (playing, streams) = mpsc::channel(4);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(converse(stream, sdp, locked, playing.clone()));
        }
    });
    Played { address, streams }
}

async fn converse(mut stream: TcpStream, sdp: &str, locked: bool, playing: mpsc::Sender<TcpStream>) {
    loop {
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            let Ok(byte) = stream.read_u8().await else { return };
            request.push(byte);
        }
        let request = String::from_utf8(request).unwrap();
        let number = request.split("CSeq: ").nth(1).unwrap().split("\r\n").next().unwrap();
        let login = STANDARD.encode("viewer:hunter2");
        let (method, path) = (request.split(' ').next().unwrap(), request.split(' ').nth(1).unwrap());
        let (status, headers, body) = match method {
            _ if !path.contains("/top") => ("404 Not Found", String::new(), ""),
            _ if locked && !request.contains(&format!("Authorization: Basic {login}\r\n")) => {
                ("401 Unauthorized", "WWW-Authenticate: Basic realm=\"x\"\r\n".to_owned(), "")
            }
            "DESCRIBE" => ("200 OK", format!("Content-Type: application/sdp\r\nContent-Base: {path}/\r\n"), sdp),
            "SETUP" => {
                assert!(request.contains("RTP/AVP/TCP"), "{request}");
                ("200 OK", "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\nSession: 7\r\n".to_owned(), "")
            }
            "PLAY" => ("200 OK", format!("Session: 7\r\nRTP-Info: url={path}one;seq=1;rtptime=0\r\n"), ""),
            _ => ("200 OK", "Session: 7\r\n".to_owned(), ""),
        };
        let length = body.len();
        let answer = format!("RTSP/1.0 {status}\r\nCSeq: {number}\r\n{headers}Content-Length: {length}\r\n\r\n{body}");
        stream.write_all(answer.as_bytes()).await.unwrap();
        if method == "PLAY" {
            playing.send(stream).await.unwrap();
            return;
        }
    }
}

/// A level grey picture of 16 pixels' height and so many blocks of 16 across, as bits of ITU-T T.81's tables K.3 to K.6. Its first luma
/// block has the DC difference 8: category 4, code 101, bits 1000. Each block ends at once: 1010 for luma, 00 for chroma. All
/// other differences are 0: code 00. With 16 in each place of the tables it is 8 * 16 / 8 = 16 levels above the middle: 144.
fn scan(blocks: usize) -> Vec<u8> {
    let first = format!("1011000{}{}{}", "1010", "001010".repeat(3), "0000".repeat(2));
    let next = format!("{}{}", "001010".repeat(4), "0000".repeat(2));
    let mut bits = first + &next.repeat(blocks - 1);
    bits.push_str(&"1".repeat((8 - bits.len() % 8) % 8));
    bits.as_bytes().chunks(8).map(|eight| u8::from_str_radix(std::str::from_utf8(eight).unwrap(), 2).unwrap()).collect()
}

/// An interleaved RTP packet: channel 0, version 2, payload type 26.
fn packet(number: u16, ticks: u32, last: bool, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![b'$', 0];
    bytes.extend_from_slice(&(12 + payload.len() as u16).to_be_bytes());
    bytes.extend_from_slice(&[0x80, if last { 0x9a } else { 26 }]);
    bytes.extend_from_slice(&number.to_be_bytes());
    bytes.extend_from_slice(&ticks.to_be_bytes());
    bytes.extend_from_slice(&[0, 0, 0, 9]);
    bytes.extend_from_slice(payload);
    bytes
}

/// The picture of [`scan`] in two packets: type 1 (chroma halved both ways), Q 255 with its tables.
fn picture(number: u16, ticks: u32, blocks: usize) -> Vec<u8> {
    let scan = scan(blocks);
    let width = 2 * blocks as u8;
    let head = [&[0, 0, 0, 0, 1, 255, width, 2, 0, 0, 0, 128][..], &[16; 128], &scan[..2]].concat();
    let tail = [&[0, 0, 0, 2, 1, 255, width, 2][..], &scan[2..]].concat();
    [packet(number, ticks, false, &head), packet(number.wrapping_add(1), ticks, true, &tail)].concat()
}

fn watch(address: SocketAddr, path: &str, login: Option<(&str, &str)>) -> (CameraLink, mpsc::Receiver<CameraEvent>) {
    let (sender, events) = mpsc::channel(16);
    let login = login.map(|(user, password)| Login { user: user.to_owned(), password: password.to_owned() });
    let stale = Duration::from_millis(400);
    (CameraLink::start(CameraOptions { url: format!("rtsp://{address}{path}"), login, stale }, sender), events)
}

async fn shown(frames: &mut watch::Receiver<Option<Arc<Frame>>>, seq: u64) -> (Arc<Frame>, image::GrayImage) {
    let found = frames.wait_for(|frame| frame.as_ref().is_some_and(|frame| frame.seq >= seq));
    let frame = tokio::time::timeout(Duration::from_secs(10), found).await.unwrap().unwrap().clone().unwrap();
    let picture = image::load_from_memory(&frame.jpeg).unwrap().to_luma8();
    (frame, picture)
}

#[tokio::test]
async fn pictures_come_whole_change_their_size_stall_and_break_off() {
    let mut camera = play(SDP, false).await;
    let before = Instant::now();
    let (link, mut events) = watch(camera.address, "/top", None);
    let mut frames = link.frames();
    let mut stream = camera.streams.recv().await.unwrap();
    let first = picture(1, 0, 1);
    // A packet is cut in two on its way; the picture is there when its last byte is.
    stream.write_all(&first[..100]).await.unwrap();
    tokio::task::yield_now().await;
    assert!(frames.borrow().is_none());
    stream.write_all(&first[100..]).await.unwrap();
    assert!(matches!(next(&mut events).await, CameraEvent::Up { .. }));
    let (frame, decoded) = shown(&mut frames, 1).await;
    assert_eq!((frame.seq, decoded.dimensions()), (1, (16, 16)));
    assert!(frame.arrived >= before && frame.arrived <= Instant::now());
    assert!(decoded.pixels().all(|pixel| pixel.0 == [144]));

    stream.write_all(&picture(3, 18_000, 3)).await.unwrap();
    let (_, decoded) = shown(&mut frames, 2).await;
    assert_eq!(decoded.dimensions(), (48, 16));
    assert!(decoded.pixels().all(|pixel| pixel.0 == [144]));

    // Half a picture is no sign of life.
    stream.write_all(&picture(5, 36_000, 1)[..150]).await.unwrap();
    assert_eq!(down(&mut events).await, CameraLoss::Stalled(Duration::from_millis(400)));
    assert_eq!(*frames.borrow(), None);
    let mut stream = camera.streams.recv().await.unwrap();
    stream.write_all(&picture(1, 0, 1)).await.unwrap();
    assert!(matches!(next(&mut events).await, CameraEvent::Up { .. }));
    assert_eq!(shown(&mut frames, 3).await.0.seq, 3);
    drop(stream);
    assert_eq!(down(&mut events).await, CameraLoss::Ended);
}

#[tokio::test]
async fn what_is_no_jpeg_is_told_and_not_shown() {
    let mut camera = play(SDP, false).await;
    let (link, mut events) = watch(camera.address, "/top", None);
    let mut stream = camera.streams.recv().await.unwrap();
    stream.write_all(&packet(1, 0, true, b"short")).await.unwrap();
    let told = down(&mut events).await;
    assert!(matches!(&told, CameraLoss::Unreadable(why) if why.contains("short") || why.contains("Short")), "{told}");
    // The same again is no news, and nothing in the words makes it any: the next event is the picture's.
    let mut stream = camera.streams.recv().await.unwrap();
    stream.write_all(&packet(1, 0, true, b"short")).await.unwrap();
    let mut stream = camera.streams.recv().await.unwrap();
    stream.write_all(&picture(1, 0, 1)).await.unwrap();
    assert!(matches!(next(&mut events).await, CameraEvent::Up { .. }));
    assert!(link.frames().borrow().is_some());
}

#[tokio::test]
async fn a_wrong_path_a_wrong_login_and_another_codec_are_told_apart() {
    let camera = play(SDP, true).await;
    let address = camera.address;
    let refused = |loss: CameraLoss| match loss {
        CameraLoss::Refused { status, .. } => status,
        other => panic!("{other}"),
    };
    let (_link, mut events) = watch(address, "/side", None);
    assert_eq!(refused(down(&mut events).await), 404);
    for login in [None, Some(("viewer", "hunter3"))] {
        let (_link, mut events) = watch(address, "/top", login);
        let told = down(&mut events).await;
        assert!(told.to_string().contains("login_secret") && !told.to_string().contains("hunter"), "{told}");
        assert_eq!(refused(told), 401);
    }
    let (_link, mut events) = watch(address, "/top", Some(("viewer", "hunter2")));
    let mut camera = camera;
    let mut stream = camera.streams.recv().await.unwrap();
    stream.write_all(&picture(1, 0, 1)).await.unwrap();
    assert!(matches!(next(&mut events).await, CameraEvent::Up { .. }));

    let film = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=x\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\n\
                m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=control:one\r\n";
    let camera = play(film, false).await;
    let (_link, mut events) = watch(camera.address, "/top", None);
    match down(&mut events).await {
        CameraLoss::NotAStream { content_type, .. } => assert_eq!(content_type, "video/h264"),
        other => panic!("{other}"),
    }
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (_link, mut events) = watch(nobody, "/top", None);
    let told = down(&mut events).await;
    assert!(matches!(&told, CameraLoss::Unreachable { why, .. } if why.starts_with("Connection refused")), "{told}");
}

/// Something that never says a word does not hold the camera up for ever.
#[tokio::test]
async fn a_server_that_does_not_answer_is_a_stall() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (_link, mut events) = watch(listener.local_addr().unwrap(), "/top", None);
    let silent = listener.accept().await.unwrap();
    assert_eq!(down(&mut events).await, CameraLoss::Stalled(Duration::from_millis(400)));
    drop(silent);
}
