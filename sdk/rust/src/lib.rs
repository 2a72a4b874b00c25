//! bellwether-sdk
