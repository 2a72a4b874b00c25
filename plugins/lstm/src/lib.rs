//! bellwether-lstm
