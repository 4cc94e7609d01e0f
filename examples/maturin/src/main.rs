fn main() {
    let argument = std::env::args().nth(1).expect("one argument: an even number");
    let value: i64 = argument.parse().unwrap();
    println!("{}", halving::half(value));
}
