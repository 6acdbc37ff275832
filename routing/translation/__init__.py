"""A message of one OCPI version becomes one of another. Pure: what it has to know beyond the message is handed in.

`steps` is the table that says which function turns which object into that of the neighbouring version; each module of
the specification has its file of such functions. 2.2.1 is where all ways meet:

    2.1.1 ---- 2.2.1 ---- 2.3.0
                 |
                2.2
"""
