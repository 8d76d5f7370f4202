//! A baseline JPEG with halved chroma and the usual Huffman tables (ITU-T T.81, annex K.3): the kind that RFC 2435 can carry.
//!
//! The library that writes the other pictures keeps chroma whole, which has no number in that format.

use std::sync::LazyLock;

/// Order in which the coefficients of a block are written (T.81, figure A.6): row-major places.
const ZIGZAG: [usize; 64] = [
    0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21,
    28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54,
    47, 55, 62, 63,
];

/// T.81, table K.1, row by row.
const LUMA: [u16; 64] = [
    16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69, 56, 14, 17, 22, 29, 51,
    87, 80, 62, 18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92, 49, 64, 78, 87, 103, 121, 120, 101,
    72, 92, 95, 98, 112, 100, 103, 99,
];

/// T.81, table K.2, row by row: its upper left quarter; 99 elsewhere.
const CHROMA: [[u16; 4]; 4] = [[17, 18, 24, 47], [18, 21, 26, 66], [24, 26, 56, 99], [47, 66, 99, 99]];

/// T.81, tables K.3 to K.6: how many codes of each length from 1 to 16, and what they stand for.
struct Huffman {
    lengths: [u8; 16],
    symbols: &'static [u8],
}

const DC_SYMBOLS: [u8; 12] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11];

/// DC of luma and chroma, AC of luma and chroma.
const HUFFMAN: [Huffman; 4] = [
    Huffman { lengths: [0, 1, 5, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0], symbols: &DC_SYMBOLS },
    Huffman { lengths: [0, 3, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0], symbols: &DC_SYMBOLS },
    Huffman {
        lengths: [0, 2, 1, 3, 3, 2, 4, 3, 5, 5, 4, 4, 0, 0, 1, 0x7d],
        symbols: &[
            0x01, 0x02, 0x03, 0x00, 0x04, 0x11, 0x05, 0x12, 0x21, 0x31, 0x41, 0x06, 0x13, 0x51, 0x61, 0x07, 0x22, 0x71,
            0x14, 0x32, 0x81, 0x91, 0xa1, 0x08, 0x23, 0x42, 0xb1, 0xc1, 0x15, 0x52, 0xd1, 0xf0, 0x24, 0x33, 0x62, 0x72,
            0x82, 0x09, 0x0a, 0x16, 0x17, 0x18, 0x19, 0x1a, 0x25, 0x26, 0x27, 0x28, 0x29, 0x2a, 0x34, 0x35, 0x36, 0x37,
            0x38, 0x39, 0x3a, 0x43, 0x44, 0x45, 0x46, 0x47, 0x48, 0x49, 0x4a, 0x53, 0x54, 0x55, 0x56, 0x57, 0x58, 0x59,
            0x5a, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69, 0x6a, 0x73, 0x74, 0x75, 0x76, 0x77, 0x78, 0x79, 0x7a, 0x83,
            0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8a, 0x92, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99, 0x9a, 0xa2, 0xa3,
            0xa4, 0xa5, 0xa6, 0xa7, 0xa8, 0xa9, 0xaa, 0xb2, 0xb3, 0xb4, 0xb5, 0xb6, 0xb7, 0xb8, 0xb9, 0xba, 0xc2, 0xc3,
            0xc4, 0xc5, 0xc6, 0xc7, 0xc8, 0xc9, 0xca, 0xd2, 0xd3, 0xd4, 0xd5, 0xd6, 0xd7, 0xd8, 0xd9, 0xda, 0xe1, 0xe2,
            0xe3, 0xe4, 0xe5, 0xe6, 0xe7, 0xe8, 0xe9, 0xea, 0xf1, 0xf2, 0xf3, 0xf4, 0xf5, 0xf6, 0xf7, 0xf8, 0xf9, 0xfa,
        ],
    },
    Huffman {
        lengths: [0, 2, 1, 2, 4, 4, 3, 4, 7, 5, 4, 4, 0, 1, 2, 0x77],
        symbols: &[
            0x00, 0x01, 0x02, 0x03, 0x11, 0x04, 0x05, 0x21, 0x31, 0x06, 0x12, 0x41, 0x51, 0x07, 0x61, 0x71, 0x13, 0x22,
            0x32, 0x81, 0x08, 0x14, 0x42, 0x91, 0xa1, 0xb1, 0xc1, 0x09, 0x23, 0x33, 0x52, 0xf0, 0x15, 0x62, 0x72, 0xd1,
            0x0a, 0x16, 0x24, 0x34, 0xe1, 0x25, 0xf1, 0x17, 0x18, 0x19, 0x1a, 0x26, 0x27, 0x28, 0x29, 0x2a, 0x35, 0x36,
            0x37, 0x38, 0x39, 0x3a, 0x43, 0x44, 0x45, 0x46, 0x47, 0x48, 0x49, 0x4a, 0x53, 0x54, 0x55, 0x56, 0x57, 0x58,
            0x59, 0x5a, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69, 0x6a, 0x73, 0x74, 0x75, 0x76, 0x77, 0x78, 0x79, 0x7a,
            0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8a, 0x92, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99, 0x9a,
            0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7, 0xa8, 0xa9, 0xaa, 0xb2, 0xb3, 0xb4, 0xb5, 0xb6, 0xb7, 0xb8, 0xb9, 0xba,
            0xc2, 0xc3, 0xc4, 0xc5, 0xc6, 0xc7, 0xc8, 0xc9, 0xca, 0xd2, 0xd3, 0xd4, 0xd5, 0xd6, 0xd7, 0xd8, 0xd9, 0xda,
            0xe2, 0xe3, 0xe4, 0xe5, 0xe6, 0xe7, 0xe8, 0xe9, 0xea, 0xf2, 0xf3, 0xf4, 0xf5, 0xf6, 0xf7, 0xf8, 0xf9, 0xfa,
        ],
    },
];

/// Code and its length in bits for every symbol, per table (T.81, annex C).
static CODES: LazyLock<[[(u16, u8); 256]; 4]> = LazyLock::new(|| {
    HUFFMAN.each_ref().map(|table| {
        let mut codes = [(0, 0); 256];
        let (mut code, mut next) = (0u16, 0);
        for (length, count) in (1u8..).zip(table.lengths) {
            for symbol in &table.symbols[next..next + usize::from(count)] {
                codes[usize::from(*symbol)] = (code, length);
                code += 1;
            }
            next += usize::from(count);
            code <<= 1;
        }
        codes
    })
});

/// Cosines of the transform with their norms, frequency by place (T.81, A.3.3).
static COSINES: LazyLock<[[f32; 8]; 8]> = LazyLock::new(|| {
    std::array::from_fn(|u| {
        let norm = if u == 0 { 0.125f32.sqrt() } else { 0.5 };
        std::array::from_fn(|x| norm * ((2 * x + 1) as f32 * u as f32 * std::f32::consts::PI / 16.0).cos())
    })
});

/// The tables of luma and chroma at a quality of 1..100, row by row (the IJG's scale).
fn quantisers(quality: u8) -> [[u16; 64]; 2] {
    let quality = u16::from(quality.clamp(1, 100));
    let share = if quality < 50 { 5000 / quality } else { 200 - 2 * quality };
    let scaled = |value: u16| ((u32::from(value) * u32::from(share) + 50) / 100).clamp(1, 255) as u16;
    let chroma = |k: usize| if k / 8 < 4 && k % 8 < 4 { CHROMA[k / 8][k % 8] } else { 99 };
    [std::array::from_fn(|k| scaled(LUMA[k])), std::array::from_fn(|k| scaled(chroma(k)))]
}

/// Bits of the scan, with the zero that keeps 0xff from being a marker.
#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    held: u32,
    count: u8,
}

impl Bits {
    fn put(&mut self, code: u16, length: u8) {
        self.held = self.held << length | u32::from(code);
        self.count += length;
        while self.count >= 8 {
            self.count -= 8;
            let byte = (self.held >> self.count) as u8;
            self.bytes.push(byte);
            if byte == 0xff {
                self.bytes.push(0);
            }
        }
    }

    /// A symbol of the table, then the bits of a value of that many (T.81, F.1.2.1).
    fn put_value(&mut self, table: usize, run: u8, value: i32) {
        let size = (32 - value.unsigned_abs().leading_zeros()) as u8;
        let (code, length) = CODES[table][usize::from(run << 4 | size)];
        self.put(code, length);
        if size > 0 {
            let low = if value < 0 { value - 1 } else { value };
            self.put((low & ((1 << size) - 1)) as u16, size);
        }
    }
}

/// One plane of samples, its size a whole number of blocks; what lies beyond the picture repeats its edge.
struct Plane {
    width: usize,
    samples: Vec<f32>,
    before: i32,
    /// 0 for luma, 1 for chroma.
    kind: usize,
}

impl Plane {
    fn block(&mut self, bits: &mut Bits, quantiser: &[u16; 64], column: usize, row: usize) {
        let cosines: &[[f32; 8]; 8] = &COSINES;
        let mut across = [[0.0f32; 8]; 8];
        for (y, line) in across.iter_mut().enumerate() {
            let from = (row * 8 + y) * self.width + column * 8;
            let samples = &self.samples[from..from + 8];
            *line = cosines.map(|wave| wave.iter().zip(samples).map(|(c, s)| c * s).sum());
        }
        let coefficient = |place: usize| {
            let (v, u) = (place / 8, place % 8);
            let value: f32 = (0..8).map(|y| cosines[v][y] * across[y][u]).sum();
            (value / f32::from(quantiser[place])).round() as i32
        };
        let levels = ZIGZAG.map(coefficient);
        bits.put_value(self.kind, 0, levels[0] - self.before);
        self.before = levels[0];
        let mut run = 0;
        for level in &levels[1..] {
            if *level == 0 {
                run += 1;
                continue;
            }
            while run > 15 {
                let (code, length) = CODES[2 + self.kind][0xf0];
                bits.put(code, length);
                run -= 16;
            }
            // Eight bits a sample leave ten for a coefficient.
            bits.put_value(2 + self.kind, run, (*level).clamp(-1023, 1023));
            run = 0;
        }
        if run > 0 {
            let (code, length) = CODES[2 + self.kind][0];
            bits.put(code, length);
        }
    }
}

/// Luma and both chromas of an RGB picture (JFIF's BT.601), about zero; chroma halved both ways.
fn planes(rgb: &[u8], width: usize, height: usize) -> [Plane; 3] {
    let (wide, high) = (width.div_ceil(16) * 16, height.div_ceil(16) * 16);
    let pixel = |x: usize, y: usize| {
        let k = (y.min(height - 1) * width + x.min(width - 1)) * 3;
        [rgb[k], rgb[k + 1], rgb[k + 2]].map(f32::from)
    };
    let weigh = |weights: [f32; 3], [r, g, b]: [f32; 3]| weights[0] * r + weights[1] * g + weights[2] * b;
    let whole = |k: usize| weigh([0.299, 0.587, 0.114], pixel(k % wide, k / wide)) - 128.0;
    let luma = Plane { width: wide, samples: (0..wide * high).map(whole).collect(), before: 0, kind: 0 };
    let halved = |weights: [f32; 3]| {
        let of = |k: usize| {
            let (x, y) = (k % (wide / 2) * 2, k / (wide / 2) * 2);
            [(0, 0), (1, 0), (0, 1), (1, 1)].map(|(dx, dy)| weigh(weights, pixel(x + dx, y + dy))).iter().sum::<f32>()
                / 4.0
        };
        Plane { width: wide / 2, samples: (0..wide * high / 4).map(of).collect(), before: 0, kind: 1 }
    };
    [luma, halved([-0.168_736, -0.331_264, 0.5]), halved([0.5, -0.418_688, -0.081_312])]
}

/// Encodes an sRGB picture, three bytes a pixel, row by row; `quality` 1..100. Empty for a picture without pixels.
pub fn encode(rgb: &[u8], width: u32, height: u32, quality: u8) -> Vec<u8> {
    let (columns, rows) = (width.div_ceil(16) as usize, height.div_ceil(16) as usize);
    if columns * rows == 0 || rgb.len() < width as usize * height as usize * 3 {
        return Vec::new();
    }
    let tables = quantisers(quality);
    let [mut luma, mut blue, mut red] = planes(rgb, width as usize, height as usize);
    let mut bits = Bits::default();
    for row in 0..rows {
        for column in 0..columns {
            for (dx, dy) in [(0, 0), (1, 0), (0, 1), (1, 1)] {
                luma.block(&mut bits, &tables[0], column * 2 + dx, row * 2 + dy);
            }
            blue.block(&mut bits, &tables[1], column, row);
            red.block(&mut bits, &tables[1], column, row);
        }
    }
    // The last byte is filled up with ones (T.81, F.1.2.3).
    bits.put(0x7f, 7);
    let mut out = head(&tables, width as u16, height as u16);
    out.extend_from_slice(&bits.bytes);
    out.extend_from_slice(&[0xff, 0xd9]);
    out
}

/// Everything before the scan (T.81, annex B).
fn head(tables: &[[u16; 64]; 2], width: u16, height: u16) -> Vec<u8> {
    let mut out = vec![0xff, 0xd8];
    let mut segment = |marker: u8, content: &[u8]| {
        out.extend_from_slice(&[0xff, marker]);
        out.extend_from_slice(&(content.len() as u16 + 2).to_be_bytes());
        out.extend_from_slice(content);
    };
    segment(0xe0, b"JFIF\0\x01\x01\0\0\x01\0\x01\0\0");
    for (number, table) in (0u8..).zip(tables) {
        let values = ZIGZAG.iter().map(|place| table[*place] as u8);
        segment(0xdb, &std::iter::once(number).chain(values).collect::<Vec<u8>>());
    }
    let ([h1, h0], [w1, w0]) = (height.to_be_bytes(), width.to_be_bytes());
    segment(0xc0, &[8, h1, h0, w1, w0, 3, 1, 0x22, 0, 2, 0x11, 1, 3, 0x11, 1]);
    for (number, table) in [0x00, 0x01, 0x10, 0x11].into_iter().zip(&HUFFMAN) {
        segment(0xc4, &[&[number], &table.lengths[..], table.symbols].concat());
    }
    segment(0xda, &[3, 1, 0x00, 2, 0x11, 3, 0x11, 0, 63, 0]);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What an independent decoder makes of it is near what went in, also where blocks reach beyond the picture.
    #[test]
    fn a_decoder_gets_the_picture_back() {
        for (width, height) in [(64, 48), (37, 21)] {
            let pixel = |k: u32| {
                let (x, y) = ((k % width) as f32, (k / width) as f32);
                let wave = |a: f32, b: f32| (128.0 + 100.0 * (x / a + y / b).sin()) as u8;
                [wave(9.0, 14.0), wave(-17.0, 11.0), wave(23.0, 30.0)]
            };
            let rgb: Vec<u8> = (0..width * height).flat_map(pixel).collect();
            let jpeg = encode(&rgb, width, height, 90);
            let back = image::load_from_memory(&jpeg).unwrap().to_rgb8();
            assert_eq!(back.dimensions(), (width, height));
            let square = |(a, b): (&u8, &u8)| f64::from(a.abs_diff(*b)).powi(2);
            let mean = back.as_raw().iter().zip(&rgb).map(square).sum::<f64>() / rgb.len() as f64;
            // 30 dB; a sign, a table or an order that is wrong leaves less than 15.
            assert!(mean < 65.0, "{width} x {height}: {mean}");
        }
    }

    #[test]
    fn no_pixels_no_picture() {
        assert!(encode(&[], 0, 0, 90).is_empty());
        assert!(encode(&[0; 5], 2, 1, 90).is_empty());
    }
}
