//! Sections 2.3 and 6: gzip and tar, read strictly and written canonically.

use crate::names::{self, Unicode};
use crate::{contents, need, number, refuse, zlib, Answer};
use std::collections::{BTreeMap, HashMap, HashSet};

const BLOCK: usize = 512;
const EIGHT_GIB: usize = 8 << 30;
const MOST: usize = 67_108_864;
const SPARSE: &str = "GNU.sparse. GNU.dumpdir GNU.volume. SCHILY.filetype SCHILY.realsize SUN.holesdata SCHILY.acl.access";

/// Of a file, contents and whether it is executable; of a symbolic link, the target.
#[derive(Clone, PartialEq)]
enum Kind { File(Vec<u8>, bool), Directory, Link(String) }

type Members = BTreeMap<String, Kind>;

/// The canonical form of an sdist.
pub fn canonical(data: &[u8], date: u64) -> Answer<Vec<u8>> {
    let tar = gunzip(data)?;
    let mut members = Reader { tar: &tar, size: data.len(), ..Reader::default() }.members()?;
    let top = check_tree(&members)?;
    let lists = ["SOURCES.txt", "top_level.txt"];
    for (name, kind) in members.iter_mut() {
        let (directory, file) = name.rsplit_once('/').unwrap_or(("", name));
        let own = own_egg_info(directory, &top);
        match kind {
            Kind::File(data, _) if file == "PKG-INFO" && (own || directory == top) => {
                *data = contents::block(data, contents::METADATA).unwrap_or_else(|| data.clone())
            }
            Kind::File(data, _) if own && lists.contains(&file) => *data = contents::list(data),
            _ => {}
        }
    }
    let full: HashSet<String> = members.keys().flat_map(|name| names::parents(name)).map(str::to_string).collect();
    members.retain(|name, kind| *kind != Kind::Directory || !full.contains(name));
    let tar = written(&members, date);
    let end = [zlib::crc(&tar).to_le_bytes(), (tar.len() as u32).to_le_bytes()].concat();
    Ok([&b"\x1f\x8b\x08\0\0\0\0\0\0\xff"[..], &zlib::compress(&tar), &end].concat())
}

fn own_egg_info(directory: &str, top: &str) -> bool {
    let last = directory.rsplit('/').next().and_then(|last| last.strip_suffix(".egg-info"));
    let start = last.map(|project| contents::fold(project) + "-");
    let rest = contents::fold(top);
    let version = start.as_ref().and_then(|start| rest.strip_prefix(start)).unwrap_or("");
    directory.starts_with(&format!("{}/", top)) && version.starts_with(|c: char| c.is_ascii_digit())
}

/// The time of the first member, which in a canonical sdist is that of all.
pub fn own_date(data: &[u8]) -> Option<u64> {
    let tar = gunzip(data).ok()?;
    u64::from_str_radix(std::str::from_utf8(tar.get(136..147)?).ok()?, 8).ok()
}

/// Section 6.1, read.
fn gunzip(data: &[u8]) -> Answer<Vec<u8>> {
    need(data.len() >= 18 && &data[..3] == b"\x1f\x8b\x08" && data[3] & 0xE4 == 0, "its gzip header is not allowed")?;
    let mut at = 10;
    // The file name and the comment, each with its NUL, then the header's checksum.
    for _ in 0..(data[3] & 0x18).count_ones() {
        at += data[at..].iter().position(|&byte| byte == 0).ok_or("a text in the gzip header has no end")? + 1;
    }
    if data[3] & 0x02 != 0 {
        need(number(data, at, 2)? == u64::from(zlib::crc(&data[..at]) & 0xFFFF), "its gzip header is damaged")?;
        at += 2;
    }
    let (tar, used) = zlib::decompress(&data[at..], MOST.max(70 * data.len()))?;
    let end = [zlib::crc(&tar).to_le_bytes(), (tar.len() as u32).to_le_bytes()].concat();
    need(data[at + used..] == end, "CRC-32 or size are wrong, or something follows them")?;
    Ok(tar)
}

type Records = HashMap<String, Vec<u8>>;

#[derive(Default)]
struct Reader<'a> {
    /// The tar, where the reader is in it, and how many headers there were.
    tar: &'a [u8], at: usize, headers: usize,
    /// Bytes of the file; of names and targets; of contents.
    size: usize, texts: usize, total: usize,
    /// Records for all that follows; the members so far; names that are one file with another.
    globals: Records, members: Members, linked: HashSet<String>,
}

impl<'a> Reader<'a> {
    /// All members by name; of one that is given again, the last.
    fn members(mut self) -> Answer<Members> {
        // What is before a member: by PAX' header, GNU's long name and GNU's long target.
        let (mut pax, mut long, mut awaited) = (None, [None, None], false);
        while let Some(block) = self.block()? {
            awaited = true;
            match block[156] {
                b'x' if pax.is_none() => pax = Some(records(self.extension(block)?, false)?),
                b'g' if pax.is_none() && long == [None, None] => {
                    let records = records(self.extension(block)?, true)?;
                    self.globals.extend(records);
                }
                b'L' if long[0].is_none() => long[0] = Some(text(self.extension(block)?)?),
                b'K' if long[1].is_none() => long[1] = Some(text(self.extension(block)?)?),
                b'x' | b'g' | b'L' | b'K' => return refuse("two extended headers contradict each other"),
                _ => {
                    self.member(block, pax.take().unwrap_or_default(), std::mem::take(&mut long))?;
                    awaited = false;
                }
            }
        }
        need(!awaited, "no member follows an extended header")?;
        let end = &self.tar[self.at..];
        need(end.len() >= 1024 && end.len() % BLOCK == 0 && end.iter().all(|&byte| byte == 0), "its end is wrong")?;
        Ok(self.members)
    }

    /// The next header, of which checksum, magic and numbers are right; none at the end.
    fn block(&mut self) -> Answer<Option<&'a [u8]>> {
        let block = self.tar.get(self.at..self.at + BLOCK).ok_or("the tar ends early")?;
        if block.iter().all(|&byte| byte == 0) { return Ok(None); }
        let sum = (0..BLOCK).map(|at| if (148..156).contains(&at) { 32 } else { i128::from(block[at]) }).sum::<i128>();
        need(block[148] < 0x80 && field(block, 148, 8)? == sum, "a header has a wrong checksum")?;
        need(matches!(&block[257..265], b"ustar\x0000" | b"ustar  \0"), "a header is neither ustar's nor GNU tar's")?;
        need(block[345] == 0 || (block[0] != 0 && block[263] != b' '), "a prefix stands where none may be")?;
        for (at, size) in [(100, 8), (108, 8), (116, 8), (124, 12), (136, 12), (329, 8), (337, 8)] {
            field(block, at, size)?;
        }
        (self.at, self.headers) = (self.at + BLOCK, self.headers + 1);
        need(self.headers <= 16384.max(self.size / 64), "there are too many headers")?;
        Ok(Some(block))
    }

    /// Contents, and what fills up their last block.
    fn take(&mut self, size: i128) -> Answer<(&'a [u8], &'a [u8])> {
        let (left, padded) = (&self.tar[self.at..], (size + 511) / 512 * 512);
        need(size >= 0 && padded <= left.len() as i128, "contents reach beyond the end")?;
        self.at += padded as usize;
        Ok(left[..padded as usize].split_at(size as usize))
    }

    fn extension(&mut self, block: &[u8]) -> Answer<&'a [u8]> {
        let (data, padding) = self.take(field(block, 124, 12)?)?;
        need(data.len() <= 65536 && padding.iter().all(|&byte| byte == 0), "an extended header is too long")?;
        Ok(data)
    }

    fn member(&mut self, block: &[u8], pax: Records, [long, long_target]: [Option<Vec<u8>>; 2]) -> Answer<()> {
        let mut all = self.globals.clone();
        all.extend(pax);
        for records in [&all, &self.globals, &Records::new()] {
            for (keyword, at) in [("uid", 108), ("gid", 116)] {
                let owner = integer(records, keyword, field(block, at, 8)?)?;
                need((0..=4294967295).contains(&owner), "an owner is out of range")?;
            }
            for keyword in ["mtime", "atime", "ctime"] { check_time(records, keyword, field(block, 136, 12)?)?; }
        }
        let (in_field, prefix) = (until_nul(&block[..100]), until_nul(&block[345..500]));
        let in_header = if prefix.is_empty() { in_field.to_vec() } else { [prefix, b"/", in_field].concat() };
        let (flag, slash) = (block[156], in_header.ends_with(b"/"));
        let mut raw = chosen(long, all.get("path"), in_header)?;
        let slashed = raw.ends_with(b"/");
        let directory = flag == b'5' || (flag == 0 && slashed);
        need((flag != 0 || slashed == slash) && (!slashed || directory), "a slash at a name's end is wrong")?;
        raw.truncate(raw.len() - usize::from(slashed));
        let name = names::checked(&raw)?;
        let found = || chosen(long_target, all.get("linkpath"), until_nul(&block[157..257]).to_vec());
        let target = if matches!(flag, b'1' | b'2') { found()? } else { Vec::new() };
        let target = String::from_utf8(target).map_err(|_| "a target is not UTF-8")?;
        self.texts += name.len() + usize::from(slashed) + target.len();
        let (mode, in_field) = (field(block, 100, 8)?, field(block, 124, 12)?);
        let executable = mode & 0o100 != 0;
        need(flag == b'2' || executable || mode & 0o111 == 0, "others may execute it, and its owner may not")?;
        let size = integer(&all, "size", in_field)?;
        let too_large = size >= EIGHT_GIB as i128 && matches!(in_field, 0 | 0o77777777777);
        need(size == in_field || too_large, "there are two sizes")?;
        let kind = match flag {
            b'0' | b'7' | 0 if !directory => Kind::File(self.take(size)?.0.to_vec(), executable),
            _ if size != 0 => return refuse("something that is not a file has contents"),
            _ if directory => Kind::Directory,
            b'2' => Kind::Link(target),
            b'1' => match self.members.get(&target) {
                Some(file @ Kind::File(_, same)) if *same == executable => {
                    self.linked.extend([name.clone(), target]);
                    file.clone()
                }
                _ => return refuse("a hard link does not point to a file before it, of the same mode"),
            },
            _ => return refuse("a member is of a kind that no sdist may hold"),
        };
        self.total += if let Kind::File(data, _) = &kind { data.len() } else { 0 };
        let fits = self.texts <= 33_554_432 && self.total <= MOST.max(70 * self.size);
        need(fits, "names or contents are too large together")?;
        let same = match (self.members.insert(name.clone(), kind.clone()), kind) {
            (None, _) => return Ok(()),
            (Some(Kind::File(_, before)), Kind::File(_, now)) => before == now,
            (Some(before), now) => before == now,
        };
        need(same && !self.linked.contains(&name), "a name is given twice, for things that differ")
    }
}

fn until_nul(data: &[u8]) -> &[u8] {
    data.split(|&byte| byte == 0).next().unwrap_or(&[])
}

/// A number of a header: octal digits after any blanks, then blanks and NULs; or GNU's base 256.
fn field(block: &[u8], at: usize, size: usize) -> Answer<i128> {
    let raw = &block[at..at + size];
    if raw[0] == 0x80 || raw[0] == 0xFF {
        let value = raw[1..].iter().fold(0, |sum, &byte| sum << 8 | i128::from(byte));
        return Ok(if raw[0] == 0xFF { value - (1 << (8 * (size - 1))) } else { value });
    }
    let start = raw.iter().position(|&byte| byte != b' ').ok_or("a number is all blanks")?;
    let digits = raw[start..].iter().take_while(|byte| (b'0'..=b'7').contains(byte)).count();
    let (digits, rest) = raw[start..].split_at(digits);
    need(rest.iter().all(|&byte| byte == b' ' || byte == 0), "a field of a header is not a number")?;
    Ok(digits.iter().fold(0, |sum, &digit| sum * 8 + i128::from(digit - b'0')))
}

/// A name by GNU's header, a PAX record or the field, refused where the first two differ.
fn chosen(long: Option<Vec<u8>>, record: Option<&Vec<u8>>, field: Vec<u8>) -> Answer<Vec<u8>> {
    match (long, record) {
        (Some(long), Some(record)) if long != *record => refuse("a member has two names or targets"),
        (long, record) => Ok(long.or_else(|| record.cloned()).unwrap_or(field)),
    }
}

fn integer(records: &Records, keyword: &str, field: i128) -> Answer<i128> {
    let text = records.get(keyword).map_or(field.to_string(), |text| String::from_utf8_lossy(text).into_owned());
    let digits = text.trim_start_matches('-').bytes().filter(u8::is_ascii_digit).count();
    need(digits <= 20 && !text.starts_with('+'), "a PAX record is not a number")?;
    text.parse().map_err(|_| "a PAX record is not a number".to_string())
}

fn check_time(records: &Records, keyword: &str, field: i128) -> Answer<()> {
    let text = records.get(keyword).map_or(field.to_string(), |text| String::from_utf8_lossy(text).into_owned());
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let seconds = integer(&Records::from([(String::new(), whole.into())]), "", 0)?;
    let right = seconds.abs() < 1 << 62 && fraction.len() <= 40 && fraction.bytes().all(|byte| byte.is_ascii_digit());
    need(right, "a time is not a number, or too large")
}

/// The text of a GNU long name or target.
fn text(data: &[u8]) -> Answer<Vec<u8>> {
    let text = until_nul(data);
    need(!text.is_empty() && data.len() <= text.len() + 1, "a GNU name is empty, or something follows it")?;
    Ok(text.to_vec())
}

/// The records of a PAX header; `global` where they are for all that follows.
fn records(mut data: &[u8], global: bool) -> Answer<Records> {
    let mut records = Records::new();
    while !data.is_empty() {
        let blank = data.iter().position(|&byte| byte == b' ').unwrap_or(0);
        let digits = data[..blank].iter().all(u8::is_ascii_digit).then(|| &data[..blank]).unwrap_or(b"");
        let length = std::str::from_utf8(digits).unwrap_or("").parse::<usize>().unwrap_or(0);
        need(blank < 20 && length > blank + 1 && data.get(length - 1) == Some(&b'\n'), "a PAX record is malformed")?;
        let record = &data[blank + 1..length - 1];
        data = &data[length..];
        let equals = record.iter().position(|&byte| byte == b'=').unwrap_or(0);
        let odd = matches!(record.first(), Some(b' ' | b'\t')) || record[..equals].iter().any(|b| matches!(b, 0 | 10));
        need(!odd && (1..=300).contains(&equals), "a PAX record has no keyword, or one that is read in two ways")?;
        let (keyword, value) = (String::from_utf8_lossy(&record[..equals]).into_owned(), record[equals + 1..].to_vec());
        let sparse = SPARSE.split(' ').any(|start| keyword.starts_with(start));
        let text = !matches!(keyword.as_str(), "linkpath" | "uname" | "gname") || std::str::from_utf8(&value).is_ok();
        let charset = !text || keyword == "hdrcharset" && value != b"ISO-IR 10646 2000 UTF-8";
        let for_all = global && matches!(keyword.as_str(), "path" | "linkpath" | "size");
        let odd = sparse || charset || for_all || hides_a_record(&value) || records.insert(keyword, value).is_some();
        need(!odd, "a PAX record is not allowed, hides one, or is given twice")?;
    }
    Ok(records)
}

/// Whether a line after the first is digits, a blank, something without `=`, and `=`.
fn hides_a_record(value: &[u8]) -> bool {
    (0..value.len()).filter(|&at| value[at] == b'\n').any(|at| {
        let rest = &value[at + 1..];
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let equals = rest.iter().position(|&byte| byte == b'=').unwrap_or(0);
        digits > 0 && rest.get(digits) == Some(&b' ') && equals > digits + 1
    })
}

/// Refuse members that are not one tree; return its top directory.
fn check_tree(members: &Members) -> Answer<String> {
    let tops: HashSet<&str> = members.keys().map(|name| name.split('/').next().unwrap_or("")).collect();
    let top = tops.iter().next().ok_or("there is no member")?.to_string();
    let at_top = members.get(&top).unwrap_or(&Kind::Directory);
    need(tops.len() == 1 && *at_top == Kind::Directory, "there must be one directory, and nothing else, at the top")?;
    let others = members.keys().any(|name| name.get(top.len() + 1..).map_or(false, |rest| !rest.starts_with('P')));
    let info = members.get(&format!("{}/PKG-INFO", top)).unwrap_or(&Kind::Directory);
    need(*info != Kind::Directory && others, "there must be PKG-INFO, and a name that does not begin with P")?;
    let leaves = members.iter().filter(|(_, kind)| **kind != Kind::Directory).map(|(name, _)| name.clone());
    let leaves: HashSet<String> = leaves.collect();
    let links: HashSet<&String> = members.keys().filter(|name| matches!(members[*name], Kind::Link(_))).collect();
    check_links(members, &links)?;
    let unicode = Unicode::new();
    let normal: HashSet<String> = members.keys().map(|name| unicode.normal(name)).collect();
    need(normal.len() == members.len(), "two names are one in normal form C")?;
    names::none_beneath(normal.iter().map(String::as_str), &leaves.iter().map(|name| unicode.normal(name)).collect())?;
    let folded: Vec<String> = members.keys().map(|name| unicode.elsewhere(name)).collect();
    let of_links: HashSet<String> = links.iter().map(|name| unicode.elsewhere(name)).collect();
    let count = folded.iter().filter(|name| of_links.contains(*name)).count();
    need(count == of_links.len(), "a name is one with a link's on another system")?;
    names::none_beneath(folded.iter().map(String::as_str), &of_links)?;
    Ok(top)
}

/// Follow every symbolic link (section 2.3).
fn check_links(members: &Members, links: &HashSet<&String>) -> Answer<()> {
    let mut steps = 0;
    for name in links {
        let (mut reached, mut passed): (Vec<&str>, usize) = (Vec::new(), 0);
        let mut ahead: Vec<&str> = name.rsplit('/').collect();
        steps += ahead.len() - 1;
        while let Some(component) = ahead.pop() {
            steps += 1;
            match component {
                "" | "." => {}
                ".." => drop(reached.pop()),
                _ => reached.push(component),
            }
            if let Some(Kind::Link(target)) = members.get(&reached.join("/")) {
                check_target(target)?;
                passed += 1;
                reached.pop();
                ahead.extend(target.rsplit('/'));
            }
            let good = !reached.is_empty() && passed <= 40 && steps <= 262_144;
            need(good, "a symbolic link leads out, or does not arrive")?;
        }
    }
    Ok(())
}

fn check_target(target: &str) -> Answer<()> {
    let length = (1..=4096).contains(&target.len());
    let relative = !target.starts_with('/') && !names::has_drive(target.as_bytes());
    need(length && relative && !target.contains(&['\0', '\\'][..]), "a link's target is not a relative path")?;
    let down = target.split('/').skip_while(|part| matches!(*part, "" | "." | "..")).any(|part| part == "..");
    need(!down, "a link's target has '..' behind a name")
}

/// Sections 6.2 to 6.8.
fn written(members: &Members, date: u64) -> Vec<u8> {
    let mut out = Vec::new();
    for (name, kind) in members {
        let (flag, mode, data, target) = match kind {
            Kind::File(data, executable) => (b'0', if *executable { 0o755 } else { 0o644 }, &data[..], ""),
            Kind::Directory => (b'5', 0o755, &[][..], ""),
            Kind::Link(target) => (b'2', 0o777, &[][..], target.as_str()),
        };
        let name = if flag == b'5' { format!("{}/", name) } else { name.clone() };
        let mut records = String::new();
        let fits = data.len() < EIGHT_GIB;
        for (keyword, value) in [("linkpath", target), ("path", &name), ("size", &data.len().to_string())] {
            if (keyword == "size" && !fits) || value.len() > 100 || !value.is_ascii() {
                records += &record(keyword, value);
            }
        }
        if !records.is_empty() {
            header(&mut out, "././@PaxHeader", 0o644, records.len(), date, b'x', "");
            padded(&mut out, records.as_bytes());
        }
        header(&mut out, &name, mode, if fits { data.len() } else { 0 }, date, flag, target);
        padded(&mut out, data);
    }
    let end = (out.len() + 2 * BLOCK + 10239) / 10240 * 10240;
    out.resize(end, 0);
    out
}

fn padded(out: &mut Vec<u8>, data: &[u8]) {
    out.extend_from_slice(data);
    out.resize((out.len() + BLOCK - 1) / BLOCK * BLOCK, 0);
}

/// A PAX record; its length counts its own digits.
fn record(keyword: &str, value: &str) -> String {
    let rest = keyword.len() + value.len() + 3;
    let length = (rest..).find(|length| rest + length.to_string().len() == *length).unwrap_or(0);
    format!("{} {}={}\n", length, keyword, value)
}

fn header(out: &mut Vec<u8>, name: &str, mode: u32, size: usize, date: u64, flag: u8, target: &str) {
    let mut block = [0u8; BLOCK];
    let reduced = |text: &str| -> Vec<u8> { text.bytes().take(100).map(|b| if b < 0x80 { b } else { b'_' }).collect() };
    let numbers = format!("{:07o}\0{:07o}\0{:07o}\0{:011o}\0{:011o}\0        ", mode, 0, 0, size, date);
    let fronts = [(0, reduced(name)), (100, numbers.into_bytes()), (156, vec![flag]), (157, reduced(target))];
    let backs = [(257, b"ustar\x0000".to_vec()), (329, b"0000000\x000000000\0".to_vec())];
    for (at, bytes) in fronts.iter().chain(&backs) { block[*at..at + bytes.len()].copy_from_slice(bytes); }
    let sum: u32 = block.iter().map(|&byte| u32::from(byte)).sum();
    block[148..156].copy_from_slice(format!("{:06o}\0 ", sum).as_bytes());
    out.extend_from_slice(&block);
}
