//! bellwether-bundle
