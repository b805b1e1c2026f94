"""Put everything on one grid."""
