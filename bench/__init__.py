"""`make bench`: what the product costs, driven from outside, beside what the same machine can do at best."""
