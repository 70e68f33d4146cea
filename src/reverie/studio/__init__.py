"""All of Reverie in a web page on this machine: a queue of jobs, a server, and the pages it serves."""
