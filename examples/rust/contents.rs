//! Section 7: what is changed in contents. SBOMs (7.7) and compiled modules (7.8) are not here.

use crate::{need, refuse, sha2, Answer};
use std::collections::{BTreeMap, HashSet};

/// Section 7.2.
pub const METADATA: &str = "Metadata-Version Name Version Dynamic Platform Supported-Platform Summary Description \
    Description-Content-Type Keywords Author Author-email Maintainer Maintainer-email License License-Expression \
    License-File Classifier Requires-Dist Requires-Python Requires-External Project-URL Provides-Extra Import-Name \
    Import-Namespace Provides-Dist Obsoletes-Dist Home-page Download-URL Requires Provides Obsoletes";
/// Section 7.3.
pub const WHEEL: &str = "Wheel-Version Generator Root-Is-Purelib Tag Build";

/// The canonical form of a header block; none if it is none (section 7.1).
pub fn block(data: &[u8], order: &str) -> Option<Vec<u8>> {
    let order: Vec<String> = order.split_whitespace().map(str::to_lowercase).collect();
    // Of each field: its place in the order, the value of a tag, and its lines.
    let mut fields: Vec<(usize, Vec<u8>, Vec<u8>)> = Vec::new();
    let (mut rest, mut body) = (data, Vec::new());
    while !rest.is_empty() {
        let end = rest.iter().position(|&byte| byte == b'\n');
        let whole = &rest[..end.unwrap_or(rest.len())];
        let line = whole.strip_suffix(b"\r").filter(|_| end.is_some()).unwrap_or(whole);
        rest = end.map_or(&[], |at| &rest[at + 1..]);
        if line.is_empty() {
            body = [b"\n", rest].concat();
            break;
        }
        if !matches!(line[0], b' ' | b'\t') {
            let name = &line[..line.iter().position(|&byte| byte == b':')?];
            let known = String::from_utf8_lossy(name).to_lowercase();
            if name.is_empty() || !name.iter().all(u8::is_ascii_graphic) { return None; }
            let rank = order.iter().position(|one| *one == known).unwrap_or(order.len());
            fields.push((rank, Vec::new(), Vec::new()));
        }
        if line.contains(&b'\r') || line.contains(&0) { return None; }
        fields.last_mut()?.2.extend([line, b"\n"].concat());
    }
    fields.first()?;
    for (rank, value, lines) in &mut fields {
        if order.get(*rank).map_or(false, |name| name == "tag") { *value = stripped(&lines[4..]); }
    }
    fields.sort_by(|one, other| (one.0, &one.1).cmp(&(other.0, &other.1)));
    Some(fields.into_iter().flat_map(|field| field.2).chain(body).collect())
}

fn stripped(value: &[u8]) -> Vec<u8> {
    let kept = |byte: &u8| !matches!(byte, b'\t'..=b'\r' | b' ');
    let start = value.iter().position(kept).unwrap_or(value.len());
    value[start..value.iter().rposition(kept).map_or(start, |end| end + 1)].to_vec()
}

/// The canonical form of a list of lines, or the data as it is if it is none (section 7.4).
pub fn list(data: &[u8]) -> Vec<u8> {
    let lone = (0..data.len()).any(|at| data[at] == b'\r' && data.get(at + 1) != Some(&b'\n'));
    if data.is_empty() || data.contains(&0) || lone { return data.to_vec(); }
    let mut plain: Vec<u8> = data.iter().copied().filter(|&byte| byte != b'\r').collect();
    while plain.ends_with(b"\n") { plain.pop(); }
    let mut lines: Vec<&[u8]> = plain.split(|&byte| byte == b'\n').collect();
    lines.sort_unstable();
    lines.iter().flat_map(|line| [line, &b"\n"[..]].concat()).collect()
}

/// Names and versions for comparison (section 7).
pub fn fold(text: &str) -> String {
    let mut out = text.to_ascii_lowercase().replace(&['_', '.'][..], "-");
    while out.contains("--") { out = out.replace("--", "-"); }
    out
}

pub type Files = BTreeMap<String, Vec<u8>>;

/// The RECORD of a wheel (section 7.5, *Output*).
pub fn record(files: &Files, own: &str) -> Vec<u8> {
    let quoted = |name: &str| match name.contains(&[',', '"'][..]) {
        true => format!("\"{}\"", name.replace('"', "\"\"")),
        false => name.to_string(),
    };
    let rows = files.iter().filter(|(name, _)| *name != own).map(|(name, data)| {
        format!("{},sha256={},{}\n", quoted(name), sha2::base64(&sha2::sha256(data)), data.len())
    });
    (rows.collect::<String>() + &format!("{},,\n", quoted(own))).into_bytes()
}

/// Refuse a wheel whose RECORD does not agree with its files (section 7.5, *Input*).
pub fn check_record(files: &Files, own: &str, folders: &HashSet<String>) -> Answer<()> {
    let ends_row = |c| matches!(c, '\0' | '\x0b' | '\x0c' | '\x1c'..='\x1e' | '\u{85}' | '\u{2028}' | '\u{2029}');
    let text = std::str::from_utf8(&files[own]).ok().filter(|text| !text.contains(ends_row));
    let text = text.ok_or("RECORD is not UTF-8, or holds a NUL, or what ends a row for pip")?;
    let mut seen = HashSet::from([own.to_string()]);
    for row in rows(text)? {
        need(row.len() == 3, "RECORD has a row that has not three columns")?;
        let (name, spelled, size) = (row[0].as_str(), row[1].as_str(), row[2].as_str());
        if name.ends_with('/') || folders.contains(name) || matches!(name.strip_prefix(own), Some(".jws" | ".p7s")) {
            continue;
        }
        if name == own {
            need(spelled.is_empty() && size.is_empty(), "RECORD gives a digest or size of itself")?;
            continue;
        }
        need(seen.insert(name.to_string()), "RECORD lists a file twice")?;
        let data = files.get(name).ok_or("RECORD lists a file that is not there")?;
        let (algorithm, value) = spelled.split_once('=').unwrap_or(("", ""));
        let digest = sha2::digest(algorithm, data).ok_or("RECORD gives no digest, or one of another kind")?;
        need(value.trim_end_matches('=') == sha2::base64(&digest), "RECORD gives a wrong digest")?;
        let number = size.parse().ok().filter(|_| size.len() < 20 && !size.starts_with('+'));
        need(size.is_empty() || number == Some(data.len()), "RECORD gives a wrong size")?;
    }
    need(files.keys().all(|name| seen.contains(name)), "RECORD does not list every file")
}

/// The rows of a CSV text.
fn rows(text: &str) -> Answer<Vec<Vec<String>>> {
    let (mut rows, mut row, mut cell) = (Vec::new(), Vec::new(), String::new());
    // 0: a cell begins; 1: within it; 2: within quotation marks; 3: after the second of them.
    let mut state = 0;
    let text = text.replace("\r\n", "\n");
    for c in text.chars().chain((!text.is_empty() && !text.ends_with(&['\r', '\n'][..])).then(|| '\n')) {
        state = match (state, c) {
            (0, '"') => 2,
            (2, '"') => 3,
            (0 | 1 | 3, ',' | '\r' | '\n') => {
                row.push(std::mem::take(&mut cell));
                if c != ',' { rows.push(std::mem::take(&mut row)); }
                0
            }
            (3, c) if c != '"' => return refuse("RECORD goes on behind a quotation mark"),
            _ => {
                cell.push(c);
                if state > 1 { 2 } else { 1 }
            }
        };
    }
    need(state == 0, "RECORD ends within quotation marks")?;
    Ok(rows)
}
