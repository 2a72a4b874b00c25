//! bellwether-compute
