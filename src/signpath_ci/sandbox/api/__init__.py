"""SignPath's REST API as the sandbox plays it (wire contract, "REST API", and wire additions, section 2).

`routes` lists what a server of a version has; `submits` are the calls that make a request, `requests` those that follow
and decide one, `organization` what is beside requests; `views` are the answers, `versions` what changed when.
"""
