"""Rows and the query functions over them, one module for each aggregate."""
