"""Where a message goes and what it must look like there. Pure: no input, no output, no clock, no chance.

Read it in this order:

- `vocabulary`  the specification's words
- `dialects`    what differs between versions
- `quirks`      what is odd about one partner
- `errors`      every way to fail
- `message`     a request and its answer, and their headers
- `modules`     every operation of every module: which path and method means what
- `bodies`      the little the hub reads of a body it only carries
- `directory`   who can be reached
- `translation` a message of one version becomes one of another
- `decision`    message + directory → where it goes
- `outcome`     what a partner's answer means to the one who asked
- `authorization` how a partner wants the hub's token written
- `versions`    versions lists and version details, the hub's and partners'
- `client_info` whom a platform is told about
- `credentials` the three forms of the Credentials object

The time and every new id are arguments.
"""
