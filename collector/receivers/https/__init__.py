"""HTTPS-notif: connections of publishers, their requests, and what they are answered."""
