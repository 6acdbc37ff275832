"""What the hub remembers: who is connected to it, and where answers to earlier messages go.

- `tables`, `database`, `migrations`   the truth, in PostgreSQL or SQLite
- `records`                            one platform as one value
- `platforms`, `registrations`         every change of the truth, each one transaction
- `truth`                              reading it back as records
- `redis`                              the directory's cache between processes
- `live_directory`, `snapshot`         the directory this process decides from, kept up to date
- `return_addresses`                   callbacks of commands, and CDRs that can be read again
- `vault`                              tokens: hashed, sealed, made
"""
