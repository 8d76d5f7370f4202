//! From a camera's JPEG to what the models take, and how good the picture is.

use std::io::Cursor;

use augenmass_core::vision::Quality;
use fast_image_resize::images::{CroppedImage, Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};
use image::codecs::jpeg::JpegDecoder;
use image::{DynamicImage, ImageDecoder, ImageReader, Limits, RgbImage};

use super::View;
use super::error::LookError;
use super::model::{CROP_PX, FRAME_PX};

/// What stands where there is no picture (model contract).
pub(super) const GREY: u8 = 114;
/// Share of a box's width and height that is cut out around it on each side (model contract).
const MARGIN: f32 = 0.08;
/// Largest picture that is decoded, either way.
const LARGEST_PX: u32 = 8192;
/// Most memory for one decoded picture.
const LARGEST_BYTES: u64 = 128 << 20;
/// Some cameras fill up a picture's end; more than this is no filling.
const LONGEST_FILLING: usize = 64;
/// Every JPEG ends so (ITU-T T.81, B.1.1.3).
const JPEG_END: [u8; 2] = [0xff, 0xd9];

/// Decodes a camera's JPEG to RGB.
///
/// # Errors
/// [`LookError::CutOff`] without an end marker, which decoders forgive and fill with grey;
/// [`LookError::Undecodable`] for anything else.
pub(super) fn decode_jpeg(jpeg: &[u8]) -> Result<RgbImage, LookError> {
    let tail = &jpeg[jpeg.len().saturating_sub(LONGEST_FILLING)..];
    if !tail.windows(2).any(|pair| pair == JPEG_END) {
        return Err(LookError::CutOff);
    }
    let undecodable = |error: image::ImageError| LookError::Undecodable(error.to_string());
    let mut decoder = JpegDecoder::new(Cursor::new(jpeg)).map_err(undecodable)?;
    decoder.set_limits(limits()).map_err(undecodable)?;
    Ok(DynamicImage::from_decoder(decoder).map_err(undecodable)?.into_rgb8())
}

/// Decodes a JPEG or PNG of any origin to RGB, for enrolling.
///
/// # Errors
/// As for a camera's picture.
pub fn decode_any(bytes: &[u8]) -> Result<RgbImage, LookError> {
    if bytes.starts_with(&[0xff, 0xd8]) {
        return decode_jpeg(bytes);
    }
    let mut reader = ImageReader::new(Cursor::new(bytes))
        .with_guessed_format()
        .map_err(|error| LookError::Undecodable(error.to_string()))?;
    reader.limits(limits());
    reader.decode().map(DynamicImage::into_rgb8).map_err(|error| LookError::Undecodable(error.to_string()))
}

fn limits() -> Limits {
    let mut limits = Limits::default();
    limits.max_image_width = Some(LARGEST_PX);
    limits.max_image_height = Some(LARGEST_PX);
    limits.max_alloc = Some(LARGEST_BYTES);
    limits
}

/// Whether `view` lies within the picture and has an area.
pub(super) fn check_view(picture: &RgbImage, view: [u32; 4]) -> Result<(), LookError> {
    let (width, height) = picture.dimensions();
    let [left, top, right, bottom] = view;
    if left < right && top < bottom && right <= width && bottom <= height {
        return Ok(());
    }
    Err(LookError::WrongSize { width, height })
}

/// Greys everything outside `view`, whose rectangle lies within the picture.
pub(super) fn mask(picture: &mut RgbImage, view: &View) {
    let row_bytes = picture.width() as usize * 3;
    let [left, top, right, bottom] = view.rectangle_px.map(|edge| edge as usize);
    for (y, row) in picture.as_flat_samples_mut().samples.chunks_exact_mut(row_bytes).enumerate() {
        if y < top || y >= bottom {
            row.fill(GREY);
        } else {
            row[..left * 3].fill(GREY);
            row[right * 3..].fill(GREY);
            if !view.platform_px.is_empty() {
                mask_row(row, y, &view.platform_px);
            }
        }
    }
}

/// Greys what lies outside a polygon in row `y`, by the even-odd rule at the pixels' middles.
fn mask_row(row: &mut [u8], y: usize, corners: &[[u32; 2]]) {
    let middle = y as f32 + 0.5;
    let mut crossings: Vec<f32> = Vec::with_capacity(corners.len());
    for (k, a) in corners.iter().enumerate() {
        let ([ax, ay], [bx, by]) = (a.map(|v| v as f32), corners[(k + 1) % corners.len()].map(|v| v as f32));
        if (ay <= middle) != (by <= middle) {
            crossings.push(ax + (middle - ay) / (by - ay) * (bx - ax));
        }
    }
    crossings.sort_by(f32::total_cmp);
    let mut from = 0;
    let pixels = row.len() / 3;
    for inside in crossings.chunks_exact(2) {
        // The first pixel whose middle lies at or right of the crossing, and the first beyond the next one.
        let [enter, leave] = [inside[0], inside[1]].map(|x| ((x - 0.5).ceil().max(0.0) as usize).min(pixels));
        row[from * 3..enter.max(from) * 3].fill(GREY);
        from = leave.max(from);
    }
    row[from * 3..].fill(GREY);
}

/// What lies in a box, with the margin that the embedder has; `None` for a box without area.
pub fn cut_out(picture: &RgbImage, box_px: [f32; 4]) -> Option<RgbImage> {
    let [left, top, right, bottom] = crop_region(box_px, picture.width(), picture.height())?;
    Some(image::imageops::crop_imm(picture, left, top, right - left, bottom - top).to_image())
}

/// A view fitted into the detector's square: picture = (square - offset) / scale.
pub(super) struct Letterbox {
    /// [`FRAME_PX`] square, RGB.
    pub(super) pixels: Vec<u8>,
    scale: f32,
    offset_x: f32,
    offset_y: f32,
    view: [u32; 4],
}

impl Letterbox {
    /// A box in the square's pixels, in the picture's pixels, cut at the view's edge.
    pub(super) fn back(&self, box_px: [f32; 4]) -> [f32; 4] {
        let [left, top, right, bottom] = self.view.map(|edge| edge as f32);
        let x = |value: f32| ((value - self.offset_x) / self.scale).clamp(left, right);
        let y = |value: f32| ((value - self.offset_y) / self.scale).clamp(top, bottom);
        [x(box_px[0]), y(box_px[1]), x(box_px[2]), y(box_px[3])]
    }
}

/// The pixels around a box, with its margin, within a picture; `None` for a box with no area.
pub(super) fn crop_region(box_px: [f32; 4], width: u32, height: u32) -> Option<[u32; 4]> {
    let [x0, y0, x1, y1] = box_px;
    let (dx, dy) = ((x1 - x0) * MARGIN, (y1 - y0) * MARGIN);
    let down = |value: f32, limit: u32| value.floor().clamp(0.0, limit as f32) as u32;
    let up = |value: f32, limit: u32| value.ceil().clamp(0.0, limit as f32) as u32;
    let region = [down(x0 - dx, width), down(y0 - dy, height), up(x1 + dx, width), up(y1 + dy, height)];
    (region[0] < region[2] && region[1] < region[3]).then_some(region)
}

/// Scales as the models were trained: bilinear, averaging where it makes smaller (as Pillow does).
#[derive(Default)]
pub(super) struct Scaler {
    resizer: Resizer,
    canvas: Vec<u8>,
}

impl Scaler {
    /// Fits `view` into the middle of the detector's square.
    pub(super) fn letterbox(&mut self, picture: &RgbImage, view: [u32; 4]) -> Letterbox {
        let [left, top, right, bottom] = view;
        let (view_width, view_height) = (right - left, bottom - top);
        let scale = FRAME_PX as f32 / view_width.max(view_height) as f32;
        let fit = |length: u32| ((length as f32 * scale).round() as u32).clamp(1, FRAME_PX);
        let (width, height) = (fit(view_width), fit(view_height));
        let part = self.resize((picture.as_raw(), picture.dimensions()), view, (width, height));
        let (x, y) = ((FRAME_PX - width) / 2, (FRAME_PX - height) / 2);
        let mut pixels = vec![GREY; (FRAME_PX * FRAME_PX * 3) as usize];
        paste(part.chunks_exact(width as usize * 3), &mut pixels, FRAME_PX, (x, y));
        Letterbox {
            pixels,
            scale,
            offset_x: x as f32 - left as f32 * scale,
            offset_y: y as f32 - top as f32 * scale,
            view,
        }
    }

    /// `region` of a picture, squared with grey, as [`CROP_PX`] square RGB pixels.
    pub(super) fn square(&mut self, picture: &RgbImage, region: [u32; 4]) -> Vec<u8> {
        let (width, height) = (region[2] - region[0], region[3] - region[1]);
        let side = width.max(height).max(1);
        let mut canvas = std::mem::take(&mut self.canvas);
        canvas.clear();
        canvas.resize(side as usize * side as usize * 3, GREY);
        paste(rows(picture, region), &mut canvas, side, ((side - width) / 2, (side - height) / 2));
        let crop = self.resize((&canvas, (side, side)), [0, 0, side, side], (CROP_PX, CROP_PX));
        self.canvas = canvas;
        crop
    }

    /// `region` of RGB pixels, whose width and height are told, in another size.
    fn resize(&mut self, (pixels, size): (&[u8], (u32, u32)), region: [u32; 4], to: (u32, u32)) -> Vec<u8> {
        let mut target = Image::new(to.0, to.1, PixelType::U8x3);
        let resized = self.resize_into(&mut target, (pixels, size), region);
        // Both images are RGB and of the sizes said, so that nothing can fail; grey is "nothing there".
        debug_assert_eq!(resized, Ok(()));
        if resized.is_err() {
            target.buffer_mut().fill(GREY);
        }
        target.into_vec()
    }

    fn resize_into(
        &mut self,
        target: &mut Image,
        (pixels, (width, height)): (&[u8], (u32, u32)),
        [left, top, right, bottom]: [u32; 4],
    ) -> Result<(), String> {
        let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::Bilinear));
        let whole = ImageRef::new(width, height, pixels, PixelType::U8x3).map_err(|error| error.to_string())?;
        // What lies beside the region has no say in the pixels at its edge.
        let part =
            CroppedImage::new(&whole, left, top, right - left, bottom - top).map_err(|error| error.to_string())?;
        self.resizer.resize(&part, target, &options).map_err(|error| error.to_string())
    }
}

/// The bytes of each row of `region`, from the top.
fn rows(picture: &RgbImage, region: [u32; 4]) -> impl Iterator<Item = &[u8]> {
    let row_bytes = picture.width() as usize * 3;
    let [left, top, right, bottom] = region.map(|edge| edge as usize);
    picture.as_raw().chunks_exact(row_bytes).take(bottom).skip(top).map(move |row| &row[left * 3..right * 3])
}

/// Lays rows of RGB pixels onto a square canvas of `side` pixels.
fn paste<'a>(rows: impl Iterator<Item = &'a [u8]>, canvas: &mut [u8], side: u32, (x, y): (u32, u32)) {
    let lines = canvas.chunks_exact_mut(side as usize * 3).skip(y as usize);
    for (row, line) in rows.zip(lines) {
        line[x as usize * 3..x as usize * 3 + row.len()].copy_from_slice(row);
    }
}

/// Luma of `view` at half size, row by row, and the length of a row (ITU-R BT.601 weights).
pub(super) fn half_luma(picture: &RgbImage, view: [u32; 4]) -> (Vec<u8>, usize) {
    let row_bytes = picture.width() as usize * 3;
    let [left, top, right, bottom] = view.map(|edge| edge as usize);
    let (width, height) = ((right - left) / 2, (bottom - top) / 2);
    let raw = picture.as_raw();
    let mut luma = vec![0; width * height];
    for (y, row) in luma.chunks_exact_mut(width.max(1)).enumerate() {
        let start = (top + 2 * y) * row_bytes + left * 3;
        // Pairs of pixels as arrays: their length is known, so that nothing is checked for each of a million pixels.
        let upper = raw[start..start + width * 6].as_chunks::<6>().0;
        let lower = raw[start + row_bytes..start + row_bytes + width * 6].as_chunks::<6>().0;
        for ((value, a), b) in row.iter_mut().zip(upper).zip(lower) {
            let sum = |c: usize| u32::from(a[c]) + u32::from(a[c + 3]) + u32::from(b[c]) + u32::from(b[c + 3]);
            // 77 + 150 + 29 = 256, times the four pixels that were added up.
            *value = ((77 * sum(0) + 150 * sum(1) + 29 * sum(2)) >> 10) as u8;
        }
    }
    (luma, width)
}

/// Brightness and sharpness of luma as [`half_luma`] gives it.
pub(super) fn quality(luma: &[u8], width: usize) -> Quality {
    let brightness = luma.iter().map(|value| u64::from(*value)).sum::<u64>() as f64 / luma.len().max(1) as f64;
    let (mut sum, mut squares, mut count) = (0i64, 0i64, 0usize);
    let rows: Vec<&[u8]> = luma.chunks_exact(width.max(1)).collect();
    for three in rows.windows(3) {
        let inner = width.saturating_sub(2);
        let [above, here, below] = [three[0], three[1], three[2]];
        let neighbours = here.iter().zip(here.iter().skip(2)).zip(above.iter().skip(1).zip(below.iter().skip(1)));
        let (mut row_sum, mut row_squares) = (0i32, 0u32);
        for (middle, ((left, right), (up, down))) in here.iter().skip(1).zip(neighbours) {
            let sides = i32::from(*left) + i32::from(*right) + i32::from(*up) + i32::from(*down);
            let laplacian = sides - 4 * i32::from(*middle);
            row_sum += laplacian;
            // At most 1 020² each: a row of 4 096, the most that a picture has at half size, fits.
            row_squares += laplacian.unsigned_abs().pow(2);
        }
        sum += i64::from(row_sum);
        squares += i64::from(row_squares);
        count += inner;
    }
    let count = count.max(1) as f64;
    let mean = sum as f64 / count;
    let sharpness = squares as f64 / count - mean * mean;
    Quality { brightness: brightness as f32, sharpness: sharpness as f32 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::Rgb;

    #[test]
    fn a_mask_leaves_the_view_and_nothing_else() {
        let mut picture = RgbImage::from_pixel(10, 8, Rgb([1, 2, 3]));
        mask(&mut picture, &View::rectangle([2, 3, 9, 7]));
        for (x, y, pixel) in picture.enumerate_pixels() {
            let inside = (2..9).contains(&x) && (3..7).contains(&y);
            assert_eq!(pixel.0, if inside { [1, 2, 3] } else { [GREY; 3] }, "{x},{y}");
        }
    }

    #[test]
    fn a_mask_follows_the_platform_s_edges_within_the_rectangle() {
        let mut picture = RgbImage::from_pixel(12, 10, Rgb([1, 2, 3]));
        // A triangle with its right angle at (2, 1): row y is inside from x = 2 up to 10 - (y + 0.5 - 1) = 10.5 - y.
        let view = View { rectangle_px: [0, 0, 12, 7], platform_px: vec![[2, 1], [10, 1], [2, 9]] };
        mask(&mut picture, &view);
        for (x, y, pixel) in picture.enumerate_pixels() {
            let inside = (1..7).contains(&y) && x >= 2 && (x as f32 + 0.5) < 10.5 - y as f32;
            assert_eq!(pixel.0, if inside { [1, 2, 3] } else { [GREY; 3] }, "{x},{y}");
        }
    }

    #[test]
    fn a_box_finds_its_way_back_from_the_letterbox() {
        let mut picture = RgbImage::new(640, 480);
        // A white square 100..140 x 200..240 in a view of 400 x 200 pixels: scale 0.8, 80 px of grey above.
        for y in 200..240 {
            for x in 100..140 {
                picture.put_pixel(x, y, Rgb([255; 3]));
            }
        }
        let letterbox = Scaler::default().letterbox(&picture, [60, 160, 460, 360]);
        let at = |x: usize, y: usize| letterbox.pixels[(y * 320 + x) * 3];
        assert_eq!((at(160, 79), at(160, 80), at(160, 239), at(160, 240)), (GREY, 0, 0, GREY));
        // (100 - 60) * 0.8 = 32 and (200 - 160) * 0.8 + 80 = 112; the square is 32 wide.
        assert_eq!((at(30, 113), at(33, 113), at(62, 142), at(65, 142)), (0, 255, 255, 0));
        assert_eq!(letterbox.back([32.0, 112.0, 64.0, 144.0]), [100.0, 200.0, 140.0, 240.0]);
        assert_eq!(letterbox.back([-9.0, 0.0, 999.0, 999.0]), [60.0, 160.0, 460.0, 360.0]);
    }

    #[test]
    fn a_crop_is_squared_with_grey_and_has_its_margin() {
        assert_eq!(crop_region([100.0, 100.0, 200.0, 150.0], 640, 480), Some([92, 96, 208, 154]));
        assert_eq!(crop_region([0.0, 470.0, 50.0, 480.0], 640, 480), Some([0, 469, 54, 480]));
        assert_eq!(crop_region([50.0, 50.0, 50.0, 60.0], 640, 480), None);
        let picture = RgbImage::from_pixel(100, 50, Rgb([200, 10, 10]));
        let crops = Scaler::default().square(&picture, [0, 0, 100, 50]);
        assert_eq!(crops.len(), 192 * 192 * 3);
        let at = |x: usize, y: usize| &crops[(y * 192 + x) * 3..][..3];
        assert_eq!((at(96, 20), at(96, 96), at(96, 170)), (&[GREY; 3][..], &[200, 10, 10][..], &[GREY; 3][..]));
    }

    #[test]
    fn sharpness_falls_with_blur_and_brightness_is_the_mean() {
        let checks = RgbImage::from_fn(64, 64, |x, y| Rgb([if (x / 8 + y / 8) % 2 == 0 { 40 } else { 200 }; 3]));
        let ramp = RgbImage::from_fn(64, 64, |x, _| Rgb([(x * 3) as u8; 3]));
        let of = |picture: &RgbImage| {
            let (luma, width) = half_luma(picture, [0, 0, 64, 64]);
            quality(&luma, width)
        };
        assert!((of(&checks).brightness - 120.0).abs() < 1.0, "{:?}", of(&checks));
        assert!(of(&checks).sharpness > 100.0 && of(&ramp).sharpness < 2.0, "{:?} {:?}", of(&checks), of(&ramp));
    }

    #[test]
    fn broken_pictures_have_names() {
        let mut jpeg = Vec::new();
        let picture = RgbImage::from_pixel(64, 48, Rgb([9, 200, 30]));
        picture.write_to(&mut Cursor::new(&mut jpeg), image::ImageFormat::Jpeg).unwrap();
        assert_eq!(decode_jpeg(&jpeg).unwrap().dimensions(), (64, 48));
        let filled_up = [&jpeg[..], &[0; 20]].concat();
        assert!(decode_jpeg(&filled_up).is_ok());
        assert_eq!(decode_jpeg(&jpeg[..jpeg.len() - 20]), Err(LookError::CutOff));
        assert_eq!(decode_jpeg(b""), Err(LookError::CutOff));
        assert!(matches!(decode_jpeg(b"\xff\xd8\xff\xe0 nothing \xff\xd9"), Err(LookError::Undecodable(_))));
        assert!(matches!(decode_any(b"GIF89a"), Err(LookError::Undecodable(_))));
        assert_eq!(check_view(&picture, [0, 0, 64, 49]), Err(LookError::WrongSize { width: 64, height: 48 }));
    }
}
