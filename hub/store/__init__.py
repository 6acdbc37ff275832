"""What the hub remembers: who is connected to it, and where answers to earlier messages go.

- `tables`, `database`, `migrations`   the truth, in PostgreSQL or SQLite
- `columns`                            what all tables are made of
- `records`                            one platform as one value
- `platforms`, `registrations`         every change of the truth, each one transaction
- `parties`                            who there is, and who may take part
- `truth`                              reading it back as records
- `redis`                              the directory's cache between processes
- `live_directory`, `snapshot`         the directory this process decides from, kept up to date
- `return_addresses`                   callbacks of commands, and CDRs that can be read again
- `learned`, and what begins so        what traffic taught the hub: tables, writing, reading, for how long
- `shelves`, `facts`, `remembered`     how that is looked for, what it is, and what a process has of it at hand
- `read_back`                          what 2.1.1 owners pushed last, sealed
- `accepted_broadcasts`, `broadcast_stream`  what is accepted and not finished, in Redis
- `shared_buckets`, `shared_circuits`   limits and circuits of all processes, in Redis
- `vault`                              tokens: hashed, sealed, made
"""
