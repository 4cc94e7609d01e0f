//! SHA-256, SHA-384 and SHA-512 (FIPS 180-4), and base64 for URLs (RFC 4648, section 5) without padding.
//!
//! sha2.txt has the fractional parts of the square roots of the first 16 primes, and of the cube roots of the first 80.

/// The digest by an algorithm, if it is one of these. Words have 64 bits, of which SHA-256 uses half.
pub fn digest(algorithm: &str, data: &[u8]) -> Option<Vec<u8>> {
    let number = |hex| u64::from_str_radix(hex, 16).unwrap();
    let tables: Vec<u64> = include_str!("sha2.txt").split_whitespace().map(number).collect();
    let (start, k) = (&tables[if algorithm == "sha384" { 8..16 } else { 0..8 }], &tables[16..]);
    let (wide, kept) = match algorithm {
        "sha256" => (false, 32),
        "sha384" => (true, 48),
        "sha512" => (true, 64),
        _ => return None,
    };
    let (size, rounds, cut, less) = if wide { (8, 80, u64::MAX, 0) } else { (4, 64, 0xffff_ffff, 32) };
    let turned = |x: u64, by: u32| if wide { x.rotate_right(by) } else { u64::from((x as u32).rotate_right(by)) };
    let sum = |x: u64, by: [u32; 3]| turned(x, by[0]) ^ turned(x, by[1]) ^ turned(x, by[2]);
    let mix = |x: u64, by: [u32; 3]| turned(x, by[0]) ^ turned(x, by[1]) ^ (x >> by[2]);
    let by = match wide {
        true => [[28, 34, 39], [14, 18, 41], [1, 8, 7], [19, 61, 6]],
        false => [[2, 13, 22], [6, 11, 25], [7, 18, 3], [17, 19, 10]],
    };
    let mut all = [data, &[0x80]].concat();
    all.resize((all.len() + 8 + 16 * size - 1 + if wide { 8 } else { 0 }) / (16 * size) * 16 * size - 8, 0);
    all.extend((8 * data.len() as u64).to_be_bytes());
    let mut state: Vec<u64> = start.iter().map(|word| word >> less).collect();
    for block in all.chunks(16 * size) {
        let number = |bytes: &[u8]| bytes.iter().fold(0, |sum, &byte| sum << 8 | u64::from(byte));
        let mut w: Vec<u64> = block.chunks(size).map(number).collect();
        for t in 16..rounds {
            let mixed = mix(w[t - 2], by[3]).wrapping_add(mix(w[t - 15], by[2]));
            w.push(mixed.wrapping_add(w[t - 7]).wrapping_add(w[t - 16]) & cut);
        }
        let mut v = state.clone();
        for t in 0..rounds {
            let choice = (v[4] & v[5]) ^ (!v[4] & v[6]);
            let majority = (v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]);
            let parts = [v[7], sum(v[4], by[1]), choice, k[t] >> less, w[t]];
            let first = parts.iter().fold(0u64, |sum, &part| sum.wrapping_add(part)) & cut;
            v[3] = v[3].wrapping_add(first) & cut;
            v[7] = first.wrapping_add(sum(v[0], by[0])).wrapping_add(majority) & cut;
            v.rotate_right(1);
        }
        state.iter_mut().zip(v).for_each(|(old, new)| *old = old.wrapping_add(new) & cut);
    }
    Some(state.iter().flat_map(|word| word.to_be_bytes()[8 - size..].to_vec()).take(kept).collect())
}

pub fn sha256(data: &[u8]) -> Vec<u8> {
    digest("sha256", data).unwrap_or_default()
}

pub fn base64(data: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::new();
    for part in data.chunks(3) {
        let bits = (0..3).fold(0usize, |sum, place| sum << 8 | *part.get(place).unwrap_or(&0) as usize);
        (0..=part.len()).for_each(|place| text.push(DIGITS[bits >> (18 - 6 * place) & 63] as char));
    }
    text
}
