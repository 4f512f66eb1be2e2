"""What smdvs keeps: sessions, reports and the identifiers it has already seen. Rows, and the
queries on them.
"""
