"""A relying party in ten lines, for those who write the next one."""
