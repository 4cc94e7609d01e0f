//! Section 4: the deflate stream, by the system's zlib. Nothing of zlib but the calls below is used.

use crate::{need, Answer};
use std::os::raw::{c_char, c_int, c_uint, c_ulong, c_void};

const SEGMENT: usize = 1 << 20;
const WINDOW: usize = 1 << 15;
/// Z_NO_FLUSH, Z_BLOCK and Z_SYNC_FLUSH; and Z_FINISH.
const ENDS: [&[c_int]; 2] = [&[0, 5, 2], &[4]];

/// z_stream, as zlib.h has it.
#[repr(C)]
struct Stream {
    next_in: *const u8, avail_in: c_uint, total_in: c_ulong,
    next_out: *mut u8, avail_out: c_uint, total_out: c_ulong,
    inner: [*const c_void; 5], data_type: c_int, adler: [c_ulong; 2],
}

#[link(name = "z")]
extern "C" {
    fn zlibVersion() -> *const c_char;
    fn crc32(crc: c_ulong, data: *const u8, size: c_uint) -> c_ulong;
    fn deflateInit2_(stream: *mut Stream, level: c_int, method: c_int, bits: c_int, memory: c_int, strategy: c_int,
        version: *const c_char, size: c_int) -> c_int;
    fn deflateSetDictionary(stream: *mut Stream, data: *const u8, size: c_uint) -> c_int;
    fn deflate(stream: *mut Stream, flush: c_int) -> c_int;
    fn deflateEnd(stream: *mut Stream) -> c_int;
    fn inflateInit2_(stream: *mut Stream, bits: c_int, version: *const c_char, size: c_int) -> c_int;
    fn inflate(stream: *mut Stream, flush: c_int) -> c_int;
    fn inflateEnd(stream: *mut Stream) -> c_int;
}

const SIZE: c_int = std::mem::size_of::<Stream>() as c_int;

/// The CRC-32 of `data`.
pub fn crc(data: &[u8]) -> u32 {
    data.chunks(1 << 30).fold(0, |sum, part| unsafe { crc32(sum, part.as_ptr(), part.len() as c_uint) }) as u32
}

/// The canonical stream of `contents`.
pub fn compress(contents: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let last = contents.len().saturating_sub(1) / SEGMENT;
    for start in (0..=last).map(|number| number * SEGMENT) {
        let data = &contents[start..contents.len().min(start + SEGMENT)];
        let dictionary = &contents[start.saturating_sub(WINDOW)..start];
        // It holds all of the segment, so that the flush's marker comes once (section 4.2, note).
        let mut buffer = vec![0u8; data.len() + data.len() / 8 + 4096];
        unsafe {
            let mut stream: Stream = std::mem::zeroed();
            assert_eq!(deflateInit2_(&mut stream, 6, 8, -15, 8, 0, zlibVersion(), SIZE), 0);
            if start > 0 {
                assert_eq!(deflateSetDictionary(&mut stream, dictionary.as_ptr(), dictionary.len() as c_uint), 0);
            }
            (stream.next_in, stream.avail_in) = (data.as_ptr(), data.len() as c_uint);
            (stream.next_out, stream.avail_out) = (buffer.as_mut_ptr(), buffer.len() as c_uint);
            for &flush in ENDS[usize::from(start == last * SEGMENT)] {
                assert!(deflate(&mut stream, flush) >= 0 && stream.avail_out > 6);
            }
            buffer.truncate(buffer.len() - stream.avail_out as usize);
            deflateEnd(&mut stream);
        }
        out.extend(buffer);
    }
    out
}

/// What a raw deflate stream at the beginning of `data` unpacks to, and how many bytes it has; no more than `most`.
pub fn decompress(data: &[u8], most: usize) -> Answer<(Vec<u8>, usize)> {
    let (mut out, mut buffer, mut status) = (Vec::new(), vec![0u8; 1 << 16], 0);
    unsafe {
        let mut stream: Stream = std::mem::zeroed();
        assert_eq!(inflateInit2_(&mut stream, -15, zlibVersion(), SIZE), 0);
        (stream.next_in, stream.avail_in) = (data.as_ptr(), data.len() as c_uint);
        while status == 0 && out.len() <= most {
            (stream.next_out, stream.avail_out) = (buffer.as_mut_ptr(), buffer.len() as c_uint);
            status = inflate(&mut stream, 0);
            out.extend_from_slice(&buffer[..buffer.len() - stream.avail_out as usize]);
        }
        inflateEnd(&mut stream);
        need(out.len() <= most, "it unpacks to too much")?;
        need(status == 1, "a deflate stream is damaged or ends early")?;
        Ok((out, data.len() - stream.avail_in as usize))
    }
}

/// Refuse to go on with a zlib that is not the one that section 4.2 means, as section 4.4 has it.
pub fn check() -> Answer<()> {
    let squares: String = (0u64..).take(9000).map(|number| format!("{}\n", number * number)).collect();
    let stream = compress(&squares.as_bytes()[..60000]);
    let found = crate::sha2::base64(&crate::sha2::sha256(&stream));
    let right = found == "GKJ6lDnNcCsf64q39GI-uqavzKRau9fSqPqjzooIn18";
    need(right, "the system's zlib is not the zlib of Gailly and Adler, and its streams are others")
}
