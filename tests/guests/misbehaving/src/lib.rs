//! bellwether-misbehaving
