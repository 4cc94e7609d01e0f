//! A vendored crate without dependencies.

/// Half of an even number.
///
/// # Panics
///
/// If the number is odd; the message names this file.
pub fn half(value: i64) -> i64 {
    assert!(value % 2 == 0, "{value} is odd");
    [value / 2].iter().copied().reduce(|a, b| a + b).expect("one element")
}
