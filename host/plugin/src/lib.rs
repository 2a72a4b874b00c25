//! bellwether-plugin
