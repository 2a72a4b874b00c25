//! bellwether-tests
