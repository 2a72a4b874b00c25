//! bellwether-har
