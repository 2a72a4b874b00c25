//! bellwether-ks
