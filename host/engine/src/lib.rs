//! bellwether-engine
