"""Pure rules: standard library only, time is an argument."""
