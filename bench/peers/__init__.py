"""The peers: what opendai is measured beside. Each server says where it listens as `opendai serve` does."""
