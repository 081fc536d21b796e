"""The peers beside which opendai is measured. Each server prints its address as `opendai serve` does."""
