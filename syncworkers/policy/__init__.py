"""Business policy: config/*.toml, validated once, as frozen values."""
