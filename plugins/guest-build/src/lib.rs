//! bellwether-guest-build
