"""A message of one OCPI version becomes one of another. Pure: what it has to know beyond the message is handed in.

`steps` is the table that says which function turns which object into that of the neighbouring version; each module of
the specification has its file of such functions. 2.2.1 is where all ways meet:

    2.1.1 ---- 2.2.1 ---- 2.3.0
                 |
                2.2

To follow one Session from 2.1.1 to 2.3.0: `steps` has the two functions it passes, `sessions.from_2_1_1` and
`sessions.to_2_3_0`; `fields` has the verbs they are made of; `crossing` is what they know and where they say what was
lost; `questions` is what they may ask. Then `messages`: bodies and envelopes, and lists of which one object cannot be
said. `losses` is the catalogue of all that happens on the way.
"""
