"""`make run`: the platform and smdvs on this machine, with demonstration data."""
