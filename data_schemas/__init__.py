"""What a valid dataset is: tables as Pandera models, instruments, measures and menus as TOML."""
