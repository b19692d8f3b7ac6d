"""The web interface: what a person does on SignPath's pages, without a password (direct upload, sections 1 to 9).

`pages` renders templates and knows who is looking; one module a task: `listing`, `details` (one request), `decide`
(approve, deny, cancel, resubmit), `upload`, `projects`, `configurations`, `connect`. `errors` turns a refusal into a
page. Everything works without JavaScript; `static/app.js` adds what is live.
"""
