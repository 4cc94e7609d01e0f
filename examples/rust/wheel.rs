//! Sections 2.2 and 5: ZIP files, read strictly and written canonically.

use crate::contents::{self, Files};
use crate::names::{self, Unicode};
use crate::{need, number, zlib, Answer};
use std::collections::{HashMap, HashSet};

const FULL: u64 = 0xFFFF_FFFF;

/// A local or central header; sizes and offset as ZIP64 gives them.
struct Header {
    /// Flags, method and CRC-32.
    facts: [u64; 3],
    /// Size, compressed size and, in a central header, the offset of the local one and its disk.
    values: [u64; 4],
    name: Vec<u8>,
    /// Whether there is a ZIP64 field.
    wide: bool,
    external: u64,
    /// Where it ends.
    end: usize,
}

struct Member { name: String, data: Vec<u8>, executable: bool, directory: bool }

/// The canonical form of a wheel whose file name, without `.whl`, is `stem`.
pub fn canonical(data: &[u8], stem: &str, date: u64) -> Answer<Vec<u8>> {
    let members = read(data)?;
    let names = |kept: &dyn Fn(&&Member) -> bool| members.iter().filter(kept).map(|m| m.name.clone()).collect();
    let directories: HashSet<String> = names(&|m| m.directory);
    let executable: HashSet<String> = names(&|m| m.executable);
    let mut files: Files = members.into_iter().filter(|m| !m.directory).map(|m| (m.name, m.data)).collect();
    let tops: HashSet<&str> = files.keys().chain(&directories).filter_map(|name| name.split('/').next()).collect();
    let found: Vec<&str> = tops.into_iter().filter(|top| top.ends_with(".dist-info")).collect();
    need(found.len() == 1, "there must be one dist-info directory")?;
    let info = format!("{}/", found[0]);
    let parts: Vec<&str> = stem.split('-').collect();
    let built = parts.len() == 6 && parts[2].starts_with(|c: char| c.is_ascii_digit());
    let named = (parts.len() == 5 || built) && parts.iter().all(|part| !part.is_empty());
    let named = named && contents::fold(found[0]) == contents::fold(&parts[..2].join("-")) + "-dist-info";
    need(named, "its file name is not that of a wheel, or of another one than the dist-info directory's")?;
    let own = info.clone() + "RECORD";
    need(files.contains_key(&own), "there is no RECORD")?;
    let signed = files.contains_key(&(own.clone() + ".jws")) || files.contains_key(&(own.clone() + ".p7s"));
    need(!signed, "RECORD is signed")?;
    contents::check_record(&files, &own, &directories)?;
    let beyond = files.keys().any(|name| name.starts_with(&format!("{}sboms/", info)) || name.ends_with(".pyc"));
    need(!beyond, "SBOMs and compiled modules are beyond this program (sections 7.7 and 7.8)")?;
    files.remove(".source-date-epoch");
    for (name, data) in files.iter_mut() {
        match name.strip_prefix(&info) {
            Some("METADATA") => *data = contents::block(data, contents::METADATA).unwrap_or_else(|| data.clone()),
            Some("WHEEL") => *data = contents::block(data, contents::WHEEL).unwrap_or_else(|| data.clone()),
            Some("top_level.txt") => *data = contents::list(data),
            _ => {}
        }
    }
    let record = contents::record(&files, &own);
    files.insert(own.clone(), record);
    let mut order: Vec<(&String, &Vec<u8>)> = files.iter().collect();
    order.sort_by_key(|(name, _)| (name.starts_with(&info), **name == own));
    Ok(written(order, &executable, date))
}

/// The time of the first member; a canonical wheel has no other.
pub fn own_date(data: &[u8]) -> Option<u64> {
    let wanted = (number(data, 12, 2).ok()?, number(data, 10, 2).ok()?);
    let (mut low, mut high) = (0, crate::LAST_DATE / 2);
    while low < high {
        let middle = (low + high) / 2;
        let (time, date) = dos(middle * 2);
        if (date, time) < wanted { low = middle + 1 } else { high = middle }
    }
    Some(low * 2)
}

/// Section 5.4: time and date in MS-DOS format.
fn dos(date: u64) -> (u64, u64) {
    let date = date.max(315532800);
    let (mut day, seconds) = (date / 86400 - 3652, date % 86400);
    let leap = |year: u64| u64::from(year % 4 == 0 && year != 120);
    let (mut year, mut month) = (0, 1);
    while day >= 365 + leap(year) {
        day -= 365 + leap(year);
        year += 1;
    }
    for length in [31, 28 + leap(year), 31, 30, 31, 30, 31, 31, 30, 31, 30] {
        if day < length { break; }
        day -= length;
        month += 1;
    }
    (seconds / 3600 * 2048 + seconds % 3600 / 60 * 32 + seconds % 60 / 2, year * 512 + month * 32 + day + 1)
}

fn put(out: &mut Vec<u8>, fields: &[(usize, u64)]) {
    fields.iter().for_each(|&(size, value)| out.extend_from_slice(&value.to_le_bytes()[..size]));
}

/// Section 5.7: the extra field that these values need.
fn zip64(values: &[u64]) -> Vec<u8> {
    let mut extra = Vec::new();
    put(&mut extra, &[(2, 1), (2, 8 * values.len() as u64)]);
    values.iter().for_each(|&value| put(&mut extra, &[(8, value)]));
    if values.is_empty() { Vec::new() } else { extra }
}

fn written(files: Vec<(&String, &Vec<u8>)>, executable: &HashSet<String>, date: u64) -> Vec<u8> {
    let (time, date) = dos(date);
    let (mut out, mut central, count) = (Vec::new(), Vec::new(), files.len() as u64);
    for (name, data) in files {
        let stream = zlib::compress(data);
        let (method, body) = if stream.len() < data.len() { (8, &stream) } else { (0, data) };
        let (offset, size, packed) = (out.len() as u64, data.len() as u64, body.len() as u64);
        let big = if size >= FULL { vec![size, packed] } else { vec![] };
        let far: Vec<u64> = big.iter().copied().chain((offset >= FULL).then(|| offset)).collect();
        let common = |extra: &[u64]| {
            let needed = if !extra.is_empty() { 45 } else if method == 8 { 20 } else { 10 };
            let flags = if name.is_ascii() { 0 } else { 0x0800 };
            let shown = |value| if big.is_empty() { value } else { FULL };
            let mut part = Vec::new();
            put(&mut part, &[(2, needed), (2, flags), (2, method), (2, time), (2, date), (4, zlib::crc(data).into())]);
            let lengths = (name.len() as u64, zip64(extra).len() as u64);
            put(&mut part, &[(4, shown(packed)), (4, shown(size)), (2, lengths.0), (2, lengths.1)]);
            part
        };
        out.extend([&b"PK\x03\x04"[..], &common(&big), name.as_bytes(), &zip64(&big), body].concat());
        let (top, rest) = name.split_once('/').unwrap_or(("", ""));
        let script = top.len() > 5 && top.ends_with(".data") && rest.starts_with("scripts/");
        let mode: u64 = if script || executable.contains(name) { 0o100755 } else { 0o100644 };
        put(&mut central, &[(4, 0x0201_4b50), (1, if far.is_empty() { 20 } else { 45 }), (1, 3)]);
        central.extend(common(&far));
        put(&mut central, &[(6, 0), (4, mode << 16), (4, offset.min(FULL))]);
        central.extend([name.as_bytes(), &zip64(&far)].concat());
    }
    let (offset, size, few) = (out.len() as u64, central.len() as u64, count.min(0xFFFF));
    out.extend(central);
    if count >= 0xFFFF || size >= FULL || offset >= FULL {
        put(&mut out, &[(4, 0x0606_4b50), (8, 44), (2, 45), (2, 45), (8, 0), (8, count), (8, count), (8, size)]);
        put(&mut out, &[(8, offset), (4, 0x0706_4b50), (4, 0), (8, offset + size), (4, 1)]);
    }
    put(&mut out, &[(4, 0x0605_4b50), (4, 0), (2, few), (2, few), (4, size.min(FULL)), (4, offset.min(FULL)), (2, 0)]);
    out
}

/// The members of a ZIP file that keeps the rules of section 2.2 which are about ZIP.
fn read(data: &[u8]) -> Answer<Vec<Member>> {
    let (count, offset, end) = directory(data)?;
    let (mut headers, mut at) = (Vec::new(), offset);
    for _ in 0..count {
        let header = header(&data[..end], at, false)?;
        at = header.end;
        headers.push(header);
    }
    need(at == end, "the central directory has more than its entries")?;
    let size = headers.iter().fold(0u64, |sum, header| sum.saturating_add(header.values[0]));
    need(size <= 67_108_864.max(70 * data.len() as u64), "it unpacks to too much")?;
    headers.sort_by_key(|header| header.values[2]);
    let (mut members, mut at) = (Vec::new(), 0);
    for header in &headers {
        need(header.values[2] == at as u64, "members overlap, or there is a gap between them")?;
        let (member, next) = member(&data[..offset], at, header)?;
        members.push(member);
        at = next;
    }
    need(at == offset, "there is a gap before the central directory")?;
    let unicode = Unicode::new();
    let folded: Vec<String> = members.iter().map(|member| unicode.elsewhere(&member.name)).collect();
    need(folded.iter().collect::<HashSet<_>>().len() == folded.len(), "two names are the same, or one elsewhere")?;
    let files = members.iter().zip(&folded).filter(|(member, _)| !member.directory).map(|(_, name)| name.clone());
    names::none_beneath(folded.iter().map(String::as_str), &files.collect())?;
    Ok(members)
}

fn check_comment(comment: &[u8]) -> Answer<()> {
    let control = |&byte: &u8| matches!(byte, 0..=8 | 11 | 12 | 14..=31 | 127);
    need(!comment.iter().any(control), "a comment holds control characters")
}

/// How many members there are, where the central directory is, and where it ends.
fn directory(data: &[u8]) -> Answer<(u64, usize, usize)> {
    let marked = |at: &usize| &data[*at..at + 4] == b"PK\x05\x06";
    let whole = |at: &usize| marked(at) && number(data, at + 20, 2) == Ok((data.len() - at - 22) as u64);
    let mut places = data.len().saturating_sub(65557)..data.len().saturating_sub(21);
    let mut end = places.find(whole).ok_or("there is no end record")?;
    need(!(end + 4..data.len() - 3).any(|at| marked(&at)), "there is another end record in the end record")?;
    let field = |place: usize, size| number(data, end + place, size);
    check_comment(&data[end + 22..])?;
    need(field(4, 4)? == 0 && field(8, 2)? == field(10, 2)?, "it is one of several disks")?;
    let narrow = [field(10, 2)?, field(12, 4)?, field(16, 4)?];
    let mut wide = narrow;
    if end >= 20 && &data[end - 20..end - 16] == b"PK\x06\x07" {
        let (disk, place, disks) = (number(data, end - 16, 4)?, number(data, end - 12, 8)?, number(data, end - 4, 4)?);
        let right = disk == 0 && disks == 1 && place.checked_add(76) == Some(end as u64);
        need(right, "the ZIP64 locator does not point to a record right before it")?;
        end -= 76;
        let field = |at: usize, size| number(data, end + at, size);
        let one = field(16, 8)? == 0 && field(24, 8)? == field(32, 8)?;
        let right = &data[end..end + 4] == b"PK\x06\x06" && field(4, 8)? == 44 && one;
        need(right, "the ZIP64 end record is not of one disk and 56 bytes")?;
        wide = [field(32, 8)?, field(40, 8)?, field(48, 8)?];
        let differs = (0..3).any(|place| narrow[place] != [0xFFFF, FULL, FULL][place] && narrow[place] != wide[place]);
        need(!differs, "the two end records contradict each other")?;
    }
    need(wide[2].checked_add(wide[1]) == Some(end as u64), "the central directory is not where the end record says")?;
    Ok((wide[0], wide[2] as usize, end))
}

fn header(data: &[u8], at: usize, local: bool) -> Answer<Header> {
    // The fields of both are the same from the version needed on, which stands two bytes further in a central header.
    let field = |place: usize, size| number(data, at + place - if local { 2 } else { 0 }, size);
    let only = |place: usize, size| if local { Ok(0) } else { number(data, at + place, size) };
    let signature = if local { 0x0403_4b50 } else { 0x0201_4b50 };
    need(number(data, at, 4)? == signature, "a header is not there")?;
    need(field(6, 2)? <= 45, "it needs a later version of the format")?;
    let start = at + if local { 30 } else { 46 };
    let name_end = start + field(28, 2)? as usize;
    let extra_end = name_end + field(30, 2)? as usize;
    let end = extra_end + only(32, 2)? as usize;
    need(end <= data.len(), "a header ends early")?;
    let mut values = [field(24, 4)?, field(20, 4)?, only(42, 4)?, only(34, 2)?];
    check_comment(&data[extra_end..end])?;
    let fields = extra_fields(&data[name_end..extra_end])?;
    widen(&mut values, fields.get(&1).copied(), local)?;
    let (facts, name) = ([field(8, 2)?, field(10, 2)?, field(16, 4)?], data[start..name_end].to_vec());
    Ok(Header { facts, values, name, wide: fields.contains_key(&1), external: only(38, 4)?, end })
}

fn extra_fields(mut data: &[u8]) -> Answer<HashMap<u64, &[u8]>> {
    let mut fields = HashMap::new();
    while !data.is_empty() {
        let (identifier, end) = (number(data, 0, 2)?, 4 + number(data, 2, 2)? as usize);
        let misread = matches!((identifier, end), (0x7075 | 0x6C78 | 0x9901, _) | (0x5455, 4));
        need(end <= data.len() && !misread && !fields.contains_key(&identifier), "an extra field is cut off, given twice or one that readers differ on")?;
        fields.insert(identifier, &data[4..end]);
        data = &data[end..];
    }
    Ok(fields)
}

/// Take size, compressed size and offset from a ZIP64 field, where they are full.
fn widen(values: &mut [u64; 4], field: Option<&[u8]>, local: bool) -> Answer<()> {
    let mut left = field.unwrap_or(&[]);
    let full = values.contains(&FULL) || values[3] == 0xFFFF;
    if local && !full && left == [values[0].to_le_bytes(), values[1].to_le_bytes()].concat() { return Ok(()); }
    for (at, value) in values.iter_mut().enumerate().filter(|(at, value)| **value == [FULL, 0xFFFF][at / 3]) {
        let size = [8, 4][at / 3];
        *value = number(left, 0, size)?;
        left = &left[size..];
    }
    need(values[3] == 0 && left.is_empty() && (full || field.is_none()), "a ZIP64 field is not what is asked for")
}

/// The member whose local header is at a place, and where the next one has to be.
fn member(data: &[u8], at: usize, central: &Header) -> Answer<(Member, usize)> {
    let local = header(data, at, true)?;
    let ([flags, method, crc], [size, packed_size, ..]) = (central.facts, central.values);
    let described = flags & 8 != 0;
    let given = (local.facts[2], local.values[0], local.values[1]);
    let same = given == (crc, size, packed_size) || described && given == (0, 0, 0);
    let same = same && local.facts[..2] == [flags, method] && local.name == central.name;
    need(same, "the local header contradicts the central directory")?;
    let possible = flags & !0x080E == 0 && matches!((method, described), (0, false) | (8, _));
    need(possible, "it has a flag or method that no wheel may have, or is stored with a descriptor")?;
    let packed = data.get(local.end..local.end.saturating_add(packed_size as usize)).ok_or("contents end early")?;
    let mut descriptor = Vec::new();
    if described {
        let width = if local.wide { 8 } else { 4 };
        put(&mut descriptor, &[(4, 0x0807_4b50), (4, crc), (width, packed_size), (width, size)]);
    }
    let next = local.end + packed.len() + descriptor.len();
    let there = data[local.end + packed.len()..].starts_with(&descriptor);
    need(there, "the data descriptor is missing, or contradicts the central directory")?;
    let (data, used) = match method {
        0 => (packed.to_vec(), packed.len()),
        _ => zlib::decompress(packed, size as usize)?,
    };
    let right = (used, data.len() as u64, u64::from(zlib::crc(&data))) == (packed.len(), size, crc);
    need(right, "contents have another size or CRC-32 than the headers give, or bytes behind their stream")?;
    let (directory, mode) = (local.name.ends_with(b"/"), central.external >> 16);
    let empty = packed.is_empty() || (data.is_empty() && packed == b"\x03\0");
    need(!directory || empty, "a directory has contents")?;
    let typed = matches!((mode & 0o170000, directory), (0, _) | (0o040000, true) | (0o100000, false));
    need(typed && (directory || central.external & 0x10 == 0), "by its attributes a file is something else")?;
    need(local.name.is_ascii() || flags & 0x800 != 0, "a name is neither ASCII nor marked as UTF-8")?;
    let name = names::checked(&local.name[..local.name.len() - usize::from(directory)])?;
    names::check_windows(&name)?;
    let executable = mode & 0o170000 == 0o100000 && mode & 0o111 != 0;
    Ok((Member { name, data, executable, directory }, next))
}
