"""Relying parties of the platform. They know it only by its discovery document and import nothing of it."""
