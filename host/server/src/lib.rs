//! bellwether-server
