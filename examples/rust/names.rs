//! Section 2.1: which names a member may have, and which names are one on another system.

use crate::{need, Answer};
use std::collections::{HashMap, HashSet};

/// A name as text, if it keeps the rules for all archives. A directory's slash at the end must be off.
pub fn checked(raw: &[u8]) -> Answer<String> {
    let name = std::str::from_utf8(raw).map_err(|_| "a name is not UTF-8")?;
    let unseen = |c: char|
        matches!(c as u32, 0..=0x1F | 0x7F..=0x9F | 0x61C | 0x200E | 0x200F | 0x2028..=0x202E | 0x2066..=0x2069);
    let parts: Vec<&str> = name.split('/').collect();
    need(raw.len() <= 4096 && parts.len() <= 128 && parts.iter().all(|part| part.len() <= 255), "a name is too long")?;
    let bad = name.contains('\\') || name.contains(unseen) || has_drive(raw);
    need(!bad, "a name holds a backslash, a control character or a drive letter")?;
    // What is empty or begins with a slash has an empty component.
    need(!parts.iter().any(|part| matches!(*part, "" | "." | "..")), "a name has an empty component, '.' or '..'")?;
    Ok(name.to_string())
}

pub fn has_drive(name: &[u8]) -> bool {
    name.len() > 1 && name[0].is_ascii_alphabetic() && name[1] == b':'
}

/// The names of the directories that a name lies in.
pub fn parents(name: &str) -> impl Iterator<Item = &str> {
    name.match_indices('/').map(move |(at, _)| &name[..at])
}

/// Refuse names that lie beneath one of `leaves`: files and links.
pub fn none_beneath<'a>(names: impl Iterator<Item = &'a str>, leaves: &HashSet<String>) -> Answer<()> {
    for name in names {
        need(!parents(name).any(|parent| leaves.contains(parent)), "a name lies beneath a file or link")?;
    }
    Ok(())
}

type Table = HashMap<u32, Vec<u32>>;

/// Decompositions, combining classes and case foldings.
pub struct Unicode(Vec<Table>);

impl Unicode {
    pub fn new() -> Unicode {
        let number = |text: &str| u32::from_str_radix(text, 16).unwrap();
        let tables = include_str!("unicode.txt").lines().map(|line| -> Table {
            let pairs = line.split(';').map(|pair| pair.split_once('=').unwrap());
            pairs.map(|(code, values)| (number(code), values.split(' ').map(number).collect())).collect()
        });
        Unicode(tables.collect())
    }

    fn mapped(&self, table: usize, code: u32) -> Vec<u32> {
        self.0[table].get(&code).cloned().unwrap_or_else(|| vec![code])
    }

    fn class(&self, code: u32) -> u32 {
        self.0[1].get(&code).map_or(0, |values| values[0])
    }

    /// Normal form D (UAX 15).
    fn decomposed(&self, codes: impl Iterator<Item = u32>) -> String {
        let mut all = Vec::new();
        for code in codes {
            if (0xAC00..=0xD7A3).contains(&code) {
                let index = code - 0xAC00;
                all.extend([0x1100 + index / 588, 0x1161 + index % 588 / 28]);
                all.extend((index % 28 > 0).then(|| 0x11A7 + index % 28));
            } else {
                all.extend(self.mapped(0, code));
            }
        }
        // Marks are sorted by class; what has class 0 stays, and nothing goes past it.
        let mut start = 0;
        for at in 0..=all.len() {
            if at == all.len() || self.class(all[at]) == 0 {
                all[start..at].sort_by_key(|&code| self.class(code));
                start = at + 1;
            }
        }
        all.into_iter().filter_map(char::from_u32).collect()
    }

    /// What is equal for names that are one name in normal form C, which are those that are one in form D.
    pub fn normal(&self, name: &str) -> String {
        self.decomposed(name.chars().map(|c| c as u32))
    }

    /// What is equal for names that are one name on another system.
    pub fn elsewhere(&self, name: &str) -> String {
        let ignored = |c: &char| matches!(*c as u32, 0x200C..=0x200F | 0x202A..=0x202E | 0x206A..=0x206F | 0xFEFF);
        let kept: String = name.chars().filter(|c| !ignored(c)).collect();
        let text = self.decomposed(self.normal(&kept).chars().flat_map(|c| self.mapped(2, c as u32)));
        let parts: Vec<&str> = text.split('/').map(|part| part.trim_end_matches(&['.', ' '][..])).collect();
        parts.join("/")
    }
}

/// Section 2.2: refuse what is another name, or a device, on Windows, or to unzip, or nothing to uv.
pub fn check_windows(name: &str) -> Answer<()> {
    let hidden = |c: char| matches!(c as u32, 0xAD | 0x600..=0x605 | 0x6DD | 0x70F | 0x890 | 0x891 | 0x8E2 | 0x180E
        | 0x200B..=0x200F | 0x2060..=0x206F | 0xE000..=0xF8FF | 0xFDD0..=0xFDEF | 0xFEFF | 0xFFF0..=0xFFFB | 0xFFFE
        | 0xFFFF | 0xE0000..=0xE00FF | 0xE01F0..=0x10FFFF);
    let bad = name.contains(hidden) || name.trim_end_matches(|c: char| c.is_ascii_digit()).ends_with(';');
    need(!bad, "a name ends in a version, or holds a character that is not shown")?;
    for part in name.split('/') {
        let stem = part.split('.').next().unwrap_or("").trim_end_matches(' ').to_lowercase();
        let number = stem.strip_prefix("com").or_else(|| stem.strip_prefix("lpt")).unwrap_or("");
        let port = number.chars().count() == 1 && "123456789¹²³".contains(number);
        let device = port || matches!(stem.as_str(), "con" | "prn" | "aux" | "nul" | "conin$" | "conout$");
        let other = part.ends_with(&['.', ' '][..]) || part.contains(':');
        need(!device && !other, "a name is another one, or a device, on Windows")?;
    }
    Ok(())
}
