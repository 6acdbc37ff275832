"""Partners under load: locust users that really register at a hub and speak OCPI 2.1.1, 2.2.1 and 2.3.0.

Whoever imports `users` loads locust, which patches the whole process for gevent. So everything asyncio is in another
process (`simulator_process`), and only `day`, `cast` and `simulator_process` may be imported elsewhere.

- `day`                what a day's traffic is made of, as one table
- `cast`               who takes part in a run, and what they have: parties, stations, cards, sessions
- `stage`              what the users of one worker share: the hub, the simulator, the cast
- `users`              `OcpiUser`: registers, sends one message, checks the answer, reports it to locust
- `cpo`, `emsp`        what either says
- `simulator_process`  the partners' side that the hub calls
"""
