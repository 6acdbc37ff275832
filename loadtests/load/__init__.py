"""A load test: traffic of simulated partners that arrives by the clock, what came of it, and whether that is enough.

`shapes` and `arrivals` say when something is sent, `troupe` has partners send it, `recording` keeps what came back,
`conductor` begins and ends it, `results` is one run as a whole, `objectives` judges it, `notes` says what no figure
does, `report` with `page` and `plots` shows it, and `command` is what people type, once `checks` has nothing against
it. `web_form` is about its web pages.

Only `locustfile`, `conductor`, `troupe`, `arrivals` and `progress` load locust, in processes of their own.
"""
