"""The identity provider of the government services platform."""
