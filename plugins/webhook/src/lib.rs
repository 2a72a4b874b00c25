//! bellwether-webhook
