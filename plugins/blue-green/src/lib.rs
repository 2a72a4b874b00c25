//! bellwether-blue-green
