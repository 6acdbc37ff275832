"""Where HTTP comes in: two listeners, partners on one, operators on the other.

- `rules`     what is allowed, in time and room
- `answers`   what is said to a request that never reaches an app
- `protocol`  one connection: what uvicorn's HTTP/1.1 lacks, deadlines and limits above all
  with `head`, what the head of a request must be, `forwarded`, whose it is, and `cycle`, what of uvicorn's differs
- `port`      one listening socket with its connections
- `drain`     whether new messages are still taken, and whether any is in flight
- `early`, `signals`  how a process is told to end, before it serves and while it does
- `serving`   the process that runs both listeners, from start to end
- `workers`   the same with several processes for partners; `worker` is one of them
"""
