//! The canonical form of wheels and sdists, by docs/canonical-form.md alone: `canonical INPUT OUTPUT [--date SECONDS]`.

mod contents;
mod names;
mod sdist;
mod sha2;
mod wheel;
mod zlib;

/// What is refused, says why.
pub type Answer<T> = Result<T, String>;

pub fn need(holds: bool, otherwise: &str) -> Answer<()> {
    holds.then(|| ()).ok_or_else(|| otherwise.to_string())
}

pub fn refuse<T>(why: &str) -> Answer<T> {
    Err(why.to_string())
}

const LAST_DATE: u64 = 4354819198;
const NO_DATE: u64 = 1580601600;

/// Unsigned little-endian numbers at a place.
pub fn number(data: &[u8], at: usize, size: usize) -> Answer<u64> {
    match data.get(at..at.saturating_add(size)) {
        Some(bytes) => Ok(bytes.iter().rev().fold(0, |sum, &byte| sum << 8 | u64::from(byte))),
        None => refuse("it ends early"),
    }
}

fn canonical(data: &[u8], file: &str, date: Option<u64>) -> Answer<Vec<u8>> {
    need(file.ends_with(".whl") || file.ends_with(".tar.gz"), "it is named neither like a wheel nor like an sdist")?;
    let make = |date: u64| match file.strip_suffix(".whl") {
        Some(stem) => wheel::canonical(data, stem, date),
        None => sdist::canonical(data, date),
    };
    // Section 3: the date that was given, that of an archive which is canonical, or the constant.
    let own = || if file.ends_with(".whl") { wheel::own_date(data) } else { sdist::own_date(data) };
    let is_own = |date: &u64| *date <= LAST_DATE && make(*date).as_deref() == Ok(data);
    let made = make(date.or_else(|| own().filter(is_own)).unwrap_or(NO_DATE))?;
    check_formats(data, file.ends_with(".whl")).and(check_formats(&made, file.ends_with(".whl"))).map(|_| made)
}

/// Section 2: refuse what is an archive of another format, too.
fn check_formats(data: &[u8], wheel: bool) -> Answer<()> {
    if let Some(head) = data.get(..512) {
        let summed = [&head[..148], &[b' '; 8], &head[156..]].concat();
        let sums = summed.iter().fold((0, 0), |(sum, signed), &c| (sum + i64::from(c), signed + i64::from(c as i8)));
        let digits = head[148..156].iter().skip_while(|c| matches!(c, 0 | 9 | 32)).take_while(|c| matches!(c, 48..=55));
        let octal = digits.fold(None, |sum, c| Some(sum.unwrap_or(0) << 3 | i64::from(c - 48)));
        let wide = (head[148] > 127).then(|| head[152..156].iter().fold(0, |sum, &c| sum << 8 | i64::from(c)));
        let right = octal.or(wide).map_or(false, |number| number == sums.0 || number == sums.1);
        need(!right && &head[257..262] != b"ustar", "it begins with a tar header")?;
    }
    let image = wheel && (0..8).any(|at| data.get(32769 + 2048 * at..).map_or(false, |rest| rest.starts_with(b"CD001")));
    let end = !wheel && data[data.len().saturating_sub(65557)..].windows(4).any(|four| four == b"PK\x05\x06");
    need(!image && !end, "it is an image of a CD or a ZIP file, too")
}

fn run() -> Answer<()> {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    let option = arguments.iter().position(|argument| argument == "--date").filter(|at| at + 1 < arguments.len());
    let date = option.map(|at| arguments.drain(at..at + 2).last().unwrap_or_default());
    need(arguments.len() == 2, "usage: canonical INPUT OUTPUT [--date SECONDS]")?;
    let date = match date.or_else(|| std::env::var("SOURCE_DATE_EPOCH").ok()) {
        Some(text) => Some(text.parse().ok().filter(|&d| d <= LAST_DATE && !text.starts_with('+')).ok_or("no date")?),
        None => None,
    };
    zlib::check()?;
    let data = std::fs::read(&arguments[0]).map_err(|error| error.to_string())?;
    let file = arguments[0].rsplit('/').next().unwrap_or("");
    let made = canonical(&data, file, date)?;
    std::fs::write(&arguments[1], made).map_err(|error| error.to_string())
}

fn main() {
    if let Err(why) = run() {
        eprintln!("refused: {}", why);
        std::process::exit(1);
    }
}
