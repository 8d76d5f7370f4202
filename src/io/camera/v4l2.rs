//! A camera on this computer's own USB or CSI port (Video4Linux2): Motion JPEG as it comes, or YUYV, which is made JPEG here.
//!
//! Compiled with the feature `v4l2` only; not run on a device by this project's tests.

use image::RgbImage;

/// So many bytes make two pixels: luma, blue, luma, red.
const PAIR_BYTES: usize = 4;

/// YUYV (ITU-R BT.601, luma 16..=235) as RGB; `line_bytes` is the distance of two lines' beginnings. `None` if bytes are missing.
fn from_yuyv(bytes: &[u8], width: u32, height: u32, line_bytes: usize) -> Option<RgbImage> {
    let used = width as usize / 2 * PAIR_BYTES;
    let mut rgb = Vec::with_capacity(width as usize * height as usize * 3);
    for row in 0..height as usize {
        let line = bytes.get(row * line_bytes..)?.get(..used)?;
        for pair in line.chunks_exact(PAIR_BYTES) {
            let [blue, red] = [pair[1], pair[3]].map(|chroma| f32::from(chroma) - 128.0);
            for luma in [pair[0], pair[2]] {
                let luma = 1.164_384 * (f32::from(luma) - 16.0);
                let parts =
                    [luma + 1.596_027 * red, luma - 0.391_762 * blue - 0.812_968 * red, luma + 2.017_232 * blue];
                // A float becomes a byte saturating.
                rgb.extend(parts.map(|part| part.round() as u8));
            }
        }
    }
    RgbImage::from_raw(width, height, rgb)
}

#[cfg(feature = "v4l2")]
pub(super) use device::read;

#[cfg(feature = "v4l2")]
mod device {
    use super::from_yuyv;
    use crate::io::camera::CameraLoss;
    use crate::io::camera::multipart::PART_LIMIT;
    use bytes::Bytes;
    use image::codecs::jpeg::JpegEncoder;
    use linuxvideo::format::{PixFormat, PixelFormat};
    use linuxvideo::{BufType, Device};
    use std::io;
    use std::path::Path;
    use std::time::{Duration, Instant};
    use tokio::sync::mpsc;

    /// More pictures than this are not needed, and YUYV costs computing.
    const EVERY: Duration = Duration::from_millis(100);
    /// So often it is asked whether a picture is there.
    const ASKED_EVERY: Duration = Duration::from_millis(5);
    /// JPEG quality of what came as YUYV.
    const QUALITY: u8 = 90;

    /// What the device has agreed to.
    struct Layout {
        kind: PixelFormat,
        width: u32,
        height: u32,
        line_bytes: usize,
    }

    /// Reads pictures of about that width and height until nobody wants them any more. Blocks.
    ///
    /// # Errors
    /// [`CameraLoss::Unreachable`] without such a device, [`CameraLoss::NotAStream`] if it has neither format, [`CameraLoss::Ended`] when it goes.
    pub(in crate::io::camera) fn read(
        path: &Path,
        [width, height]: [u32; 2],
        pictures: &mpsc::Sender<(Bytes, Instant)>,
    ) -> Result<(), CameraLoss> {
        let url = path.display().to_string();
        let unreachable = |error: io::Error| CameraLoss::Unreachable { url: url.clone(), why: error.to_string() };
        let device = Device::open(path).map_err(unreachable)?;
        let known: Vec<PixelFormat> =
            device.formats(BufType::VIDEO_CAPTURE).flatten().map(|format| format.pixel_format()).collect();
        let wanted = [PixelFormat::MJPG, PixelFormat::JPEG, PixelFormat::YUYV];
        let Some(format) = wanted.into_iter().find(|format| known.contains(format)) else {
            return Err(CameraLoss::NotAStream { url: url.clone(), content_type: format!("{known:?}") });
        };
        let capture = device.video_capture(PixFormat::new(width, height, format)).map_err(unreachable)?;
        let layout = {
            let chosen = capture.format();
            let line_bytes = chosen.bytes_per_line() as usize;
            Layout { kind: chosen.pixel_format(), width: chosen.width(), height: chosen.height(), line_bytes }
        };
        let mut stream = capture.into_stream().map_err(unreachable)?;
        let mut sent: Option<Instant> = None;
        loop {
            // What is there after this moment was not there before it: the picture is no younger than that.
            let mut empty = Instant::now();
            while stream.will_block().map_err(|_| CameraLoss::Ended)? {
                if pictures.is_closed() {
                    return Ok(());
                }
                std::thread::sleep(ASKED_EVERY);
                empty = Instant::now();
            }
            let began = sent.map_or(empty, |sent| empty.max(sent));
            let due = sent.is_none_or(|sent| sent.elapsed() >= EVERY);
            let picture = stream
                .dequeue(|buffer| Ok((due && !buffer.is_error()).then(|| as_jpeg(&buffer, &layout)).flatten()))
                .map_err(|_| CameraLoss::Ended)?;
            if let Some(jpeg) = picture {
                sent = Some(Instant::now());
                if pictures.blocking_send((jpeg, began)).is_err() {
                    return Ok(());
                }
            }
        }
    }

    fn as_jpeg(bytes: &[u8], layout: &Layout) -> Option<Bytes> {
        if layout.kind != PixelFormat::YUYV {
            return (bytes.len() <= PART_LIMIT).then(|| Bytes::copy_from_slice(bytes));
        }
        let picture = from_yuyv(bytes, layout.width, layout.height, layout.line_bytes)?;
        let mut jpeg = Vec::new();
        JpegEncoder::new_with_quality(&mut jpeg, QUALITY).encode_image(&picture).ok()?;
        Some(jpeg.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// BT.601 by hand: 16 is black and 235 white; pure red is (81, 90, 240), pure blue (41, 240, 110).
    #[test]
    fn yuyv_is_read_as_the_standard_says() {
        let line = [16, 128, 235, 128, 81, 90, 81, 240, 41, 240, 41, 110, 99, 99];
        let picture = from_yuyv(&[line, line].concat(), 6, 2, 14).unwrap();
        let row: Vec<[u8; 3]> = (0..6).map(|x| picture.get_pixel(x, 1).0).collect();
        let wanted = [[0; 3], [255; 3], [255, 0, 0], [255, 0, 0], [0, 0, 255], [0, 0, 255]];
        for (found, wanted) in row.iter().zip(wanted) {
            assert!(found.iter().zip(wanted).all(|(a, b)| a.abs_diff(b) <= 2), "{row:?}");
        }
        assert!(from_yuyv(&line, 6, 2, 14).is_none(), "a line is missing");
    }
}
