"""How the applications are installed and run."""
