use super::*;
use axum::Router;
use axum::body::Body;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Mutex;

mod rtsp;

/// What the served camera does with its next connections, first come first served.
type Script = Arc<Mutex<Vec<mpsc::Receiver<Bytes>>>>;

fn stream(chunks: mpsc::Receiver<Bytes>) -> Response {
    let body = futures_util::stream::unfold(chunks, |mut chunks| async move {
        let chunk = chunks.recv().await?;
        Some((Ok::<_, Infallible>(chunk), chunks))
    });
    ([(header::CONTENT_TYPE, "multipart/x-mixed-replace; boundary=frame")], Body::from_stream(body)).into_response()
}

/// A real HTTP server: `/top.mjpeg` plays the script, `/page` is no stream.
async fn serve(script: Script) -> SocketAddr {
    let next = move || {
        let chunks = script.lock().unwrap().pop();
        async move { chunks.map_or_else(|| StatusCode::SERVICE_UNAVAILABLE.into_response(), stream) }
    };
    let router = Router::new().route("/top.mjpeg", get(next)).route("/page", get(|| async { "a page" }));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

fn part(content: &[u8]) -> Bytes {
    let head = format!("--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {}\r\n\r\n", content.len());
    [head.as_bytes(), content, b"\r\n"].concat().into()
}

fn start(address: SocketAddr, path: &str, stale: Duration) -> (CameraLink, mpsc::Receiver<CameraEvent>) {
    let (sender, events) = mpsc::channel(16);
    let options = CameraOptions { url: format!("http://{address}{path}"), login: None, stale };
    (CameraLink::start(options, sender), events)
}

async fn next(events: &mut mpsc::Receiver<CameraEvent>) -> CameraEvent {
    tokio::time::timeout(Duration::from_secs(10), events.recv()).await.unwrap().unwrap()
}

async fn down(events: &mut mpsc::Receiver<CameraEvent>) -> CameraLoss {
    match next(events).await {
        CameraEvent::Down { why, .. } => why,
        CameraEvent::Up { .. } => panic!("up"),
    }
}

async fn frame(frames: &mut watch::Receiver<Option<Arc<Frame>>>, wanted: &[u8]) -> Arc<Frame> {
    let found = frames.wait_for(|frame| frame.as_ref().is_some_and(|frame| frame.jpeg == wanted));
    let found = tokio::time::timeout(Duration::from_secs(10), found).await.unwrap().unwrap();
    found.clone().unwrap()
}

const ONE: &[u8] = b"\xff\xd8\xff\xe0 one \xff\xd9";
const TWO: &[u8] = b"\xff\xd8\xff\xe0 two \xff\xd9";

#[tokio::test]
async fn pictures_come_the_stream_breaks_off_and_comes_back() {
    let (first, first_chunks) = mpsc::channel(8);
    let (second, second_chunks) = mpsc::channel(8);
    let address = serve(Arc::new(Mutex::new(vec![second_chunks, first_chunks]))).await;
    let before = Instant::now();
    let (camera, mut events) = start(address, "/top.mjpeg", Duration::from_secs(5));
    let mut frames = camera.frames();

    first.send(part(b"not a picture")).await.unwrap();
    let whole = part(ONE);
    first.send(whole.slice(..20)).await.unwrap();
    first.send(whole.slice(20..)).await.unwrap();
    assert!(matches!(next(&mut events).await, CameraEvent::Up { .. }));
    let shown = frame(&mut frames, ONE).await;
    assert_eq!(shown.seq, 1);
    assert!(shown.arrived >= before && shown.arrived <= Instant::now());
    first.send(part(TWO)).await.unwrap();
    assert_eq!(frame(&mut frames, TWO).await.seq, 2);

    drop(first);
    assert_eq!(down(&mut events).await, CameraLoss::Ended);
    second.send(part(ONE)).await.unwrap();
    assert!(matches!(next(&mut events).await, CameraEvent::Up { .. }));
    assert_eq!(frame(&mut frames, ONE).await.seq, 3);
}

#[tokio::test]
async fn a_camera_that_freezes_is_out_and_its_last_picture_is_withdrawn() {
    let (sender, chunks) = mpsc::channel(8);
    let address = serve(Arc::new(Mutex::new(vec![chunks]))).await;
    let stale = Duration::from_millis(150);
    let (camera, mut events) = start(address, "/top.mjpeg", stale);
    sender.send(part(ONE)).await.unwrap();
    assert!(matches!(next(&mut events).await, CameraEvent::Up { .. }));
    // Bytes that complete no picture are no sign of life.
    sender.send(Bytes::from_static(b"--frame\r\nContent-Length: 100\r\n\r\n\xff\xd8\xff")).await.unwrap();
    assert_eq!(down(&mut events).await, CameraLoss::Stalled(stale));
    assert_eq!(*camera.frames().borrow(), None);
    // The script is at its end: the next answer is a new reason.
    assert!(matches!(down(&mut events).await, CameraLoss::Refused { status: 503, .. }));
}

#[tokio::test]
async fn what_is_no_camera_is_named() {
    let address = serve(Script::default()).await;
    let (_camera, mut events) = start(address, "/page", Duration::from_secs(5));
    match down(&mut events).await {
        CameraLoss::NotAStream { content_type, .. } => {
            assert!(content_type.starts_with("text/plain"))
        }
        other => panic!("{other}"),
    }
    let nobody = {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        listener.local_addr().unwrap()
    };
    let (_camera, mut events) = start(nobody, "/top.mjpeg", Duration::from_secs(5));
    let why = down(&mut events).await.to_string();
    assert!(why.contains("onnection refused") && why.contains("`url` in the station file"), "{why}");
}

#[tokio::test]
async fn an_endless_part_ends_the_connection() {
    let (sender, chunks) = mpsc::channel(8);
    let address = serve(Arc::new(Mutex::new(vec![chunks]))).await;
    let (_camera, mut events) = start(address, "/top.mjpeg", Duration::from_secs(5));
    sender.send(Bytes::from_static(b"--frame\r\nContent-Length: 99999999\r\n\r\n")).await.unwrap();
    assert_eq!(down(&mut events).await, CameraLoss::Malformed(MultipartFault::PartTooLong));
}

#[tokio::test]
async fn the_newest_whole_picture_of_a_folder_is_shown() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("in");
    let (sender, mut events) = mpsc::channel(16);
    let options =
        CameraOptions { url: format!("file://{}", path.display()), login: None, stale: Duration::from_millis(400) };
    let link = CameraLink::start(options, sender);
    let mut frames = link.frames();
    assert!(matches!(down(&mut events).await, CameraLoss::Unreachable { .. }));
    let jpeg = |mark: u8| [&[0xff, 0xd8, 0xff, mark][..], &[0xff, 0xd9]].concat();
    std::fs::create_dir(&path).unwrap();
    // Written elsewhere and moved, so that its time is that of its making and none is seen half written.
    let put = |name: &str, bytes: &[u8], age_s: u64| {
        let made = folder.path().join(name);
        std::fs::write(&made, bytes).unwrap();
        let at = std::time::SystemTime::now() - Duration::from_secs(age_s);
        std::fs::File::options().write(true).open(&made).unwrap().set_modified(at).unwrap();
        std::fs::rename(made, path.join(name)).unwrap();
    };
    put("b.jpg", &jpeg(1), 60);
    put("no-picture.txt", &jpeg(9), 0);
    assert!(frame(&mut frames, &jpeg(1)).await.seq >= 1);
    put("a.JPEG", &jpeg(2), 30);
    frame(&mut frames, &jpeg(2)).await;
    // Cut off: never shown; then nothing newer comes, and the camera is out.
    put("c.jpg", &jpeg(3)[..4], 0);
    assert!(matches!(next(&mut events).await, CameraEvent::Up { .. }));
    assert!(matches!(down(&mut events).await, CameraLoss::Stalled(_)));
    put("c.jpg", &jpeg(3), 0);
    frame(&mut frames, &jpeg(3)).await;
}
